//! The order of layers in the core: no module may import from a module above its own.
//!
//! The order is the table in `docs/design/house.md`, one line per layer, the lowest first. Imports are read from the
//! sources as text: `use` trees and paths that begin with `crate` or `super`. What macros write is not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The block of the page that holds the table begins with this line and ends with three backticks.
const TABLE: &str = "```layers";

/// An import that runs against the order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    file: String,
    line: usize,
    module: String,
    imported: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Violation { file, line, module, imported } = self;
        write!(f, "{file}:{line}: `{module}` imports from `{imported}`, which is a layer above it")
    }
}

/// Reads the sources below `source` and answers every import against the order that `page` states.
pub(crate) fn violations(source: &Path, page: &Path) -> Result<Vec<Violation>, String> {
    let layers = Layers::read(&text(page)?).map_err(|error| format!("{}: {error}", page.display()))?;
    let mut files = Vec::new();
    rust_files(source, &mut files)?;
    let root = source.join("lib.rs");
    let exports = exports(&text(&root)?);
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for file in files.iter().filter(|file| **file != root) {
        let path = module_path(source, file);
        let Some(own) = path.first() else { continue };
        let height = layers.height(own).ok_or_else(|| {
            format!("`{own}` ({}) is in no layer: add it to the table in {}", file.display(), page.display())
        })?;
        seen.insert(own.clone());
        for (line, imported) in imports(&text(file)?, &path) {
            let module = exports.get(&imported).unwrap_or(&imported);
            if layers.height(module).is_some_and(|other| other > height) {
                let file = file.strip_prefix(source).unwrap_or(file).display().to_string();
                found.insert(Violation { file, line, module: own.clone(), imported: module.clone() });
            }
        }
    }
    match layers.0.keys().find(|module| !seen.contains(*module)) {
        Some(gone) => Err(format!("the table in {} names `{gone}`, which is no module", page.display())),
        None => Ok(found.into_iter().collect()),
    }
}

/// The height of each top-level module.
struct Layers(BTreeMap<String, usize>);

impl Layers {
    /// Reads the table: on each line the modules of one layer, then two spaces and a remark.
    fn read(page: &str) -> Result<Self, String> {
        let mut lines = page.lines().skip_while(|line| line.trim() != TABLE).skip(1).peekable();
        if lines.peek().is_none() {
            return Err(format!("there is no block that begins with `{TABLE}`"));
        }
        let mut heights = BTreeMap::new();
        for (height, line) in lines.take_while(|line| line.trim() != "```").enumerate() {
            for module in line.split("  ").next().unwrap_or_default().split_whitespace() {
                if heights.insert(module.to_owned(), height).is_some() {
                    return Err(format!("`{module}` stands in two layers"));
                }
            }
        }
        Ok(Layers(heights))
    }

    fn height(&self, module: &str) -> Option<usize> {
        self.0.get(module).copied()
    }
}

/// What `lib.rs` exports: the module of each name.
fn exports(root: &str) -> BTreeMap<String, String> {
    let tokens = tokens(root);
    let mut exports = BTreeMap::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].text == "use" {
            for path in tree(&tokens, &mut (at + 1)) {
                if let ([module, ..], Some(name)) = (path.as_slice(), path.last()) {
                    exports.insert(name.clone(), module.clone());
                }
            }
        }
        at += 1;
    }
    exports
}

/// The first segment below the root of each path that is imported or written out, with its line.
fn imports(text: &str, module: &[String]) -> Vec<(usize, String)> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    // How many braces are open, and at how many a `mod name {` began.
    let (mut braces, mut inner): (usize, Vec<usize>) = (0, Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => {
                if at >= 2 && tokens[at - 2].text == "mod" {
                    inner.push(braces);
                }
                braces += 1;
            }
            "}" => {
                braces = braces.saturating_sub(1);
                if inner.last() == Some(&braces) {
                    inner.pop();
                }
            }
            "crate" | "super" if at == 0 || tokens[at - 1].text != "::" => {
                let line = tokens[at].line;
                for path in tree(&tokens, &mut at) {
                    let supers = path.iter().take_while(|segment| *segment == "super").count();
                    let below = if path[0] == "crate" {
                        1
                    } else if supers >= module.len() + inner.len() {
                        supers
                    } else {
                        continue;
                    };
                    if let Some(first) = path.get(below) {
                        found.push((line, first.clone()));
                    }
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The paths of a `use` tree, or the one path that begins here. Leaves `at` behind it.
fn tree(tokens: &[Token], at: &mut usize) -> Vec<Vec<String>> {
    let mut path = Vec::new();
    while let Some(token) = tokens.get(*at) {
        match token.text.as_str() {
            "{" if path.is_empty() || tokens[*at - 1].text == "::" => {
                *at += 1;
                let mut all = Vec::new();
                while tokens.get(*at).is_some_and(|token| token.text != "}") {
                    if tokens[*at].text == "," {
                        *at += 1;
                        continue;
                    }
                    let before = *at;
                    for rest in tree(tokens, at) {
                        all.push([path.as_slice(), &rest].concat());
                    }
                    // What is no tree after all ends the reading instead of standing still.
                    if *at == before {
                        return all;
                    }
                }
                *at += 1;
                return all;
            }
            "::" => *at += 1,
            word if is_word(word) && (path.is_empty() || tokens[*at - 1].text == "::") => {
                path.push(word.to_owned());
                *at += 1;
            }
            "as" => *at += 2,
            _ => break,
        }
    }
    if path.is_empty() { Vec::new() } else { vec![path] }
}

struct Token {
    text: String,
    line: usize,
}

/// Words, `::` and single signs, without comments and literals.
fn tokens(text: &str) -> Vec<Token> {
    let signs: Vec<char> = text.chars().collect();
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(n, sign)| signs.get(at + n) == Some(&sign));
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < signs.len() {
        let begin = at;
        if starts(at, "//") {
            at += signs[at..].iter().take_while(|sign| **sign != '\n').count();
        } else if starts(at, "/*") {
            let mut depth = 0;
            while at < signs.len() {
                (depth, at) = match () {
                    () if starts(at, "/*") => (depth + 1, at + 2),
                    () if starts(at, "*/") => (depth - 1, at + 2),
                    () => (depth, at + 1),
                };
                if depth == 0 {
                    break;
                }
            }
        } else if signs[at] == 'r' && (starts(at + 1, "\"") || starts(at + 1, "#")) {
            let hashes = signs[at + 1..].iter().take_while(|sign| **sign == '#').count();
            at += 1 + hashes;
            if signs.get(at) == Some(&'"') {
                let end = format!("\"{}", "#".repeat(hashes));
                at += 1;
                while at < signs.len() && !starts(at, &end) {
                    at += 1;
                }
                at += end.len();
            }
        } else if signs[at] == '"' {
            at += 1;
            while at < signs.len() && signs[at] != '"' {
                at += if signs[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if signs[at] == '\'' {
            // A lifetime has no second quote where a character has it.
            at += match (signs.get(at + 1), signs.get(at + 2)) {
                (Some('\\'), _) => 2 + signs[at + 2..].iter().skip(1).take_while(|sign| **sign != '\'').count() + 2,
                (Some(_), Some('\'')) => 3,
                _ => 1,
            };
        } else if is_word_sign(signs[at]) {
            at += signs[at..].iter().take_while(|sign| is_word_sign(**sign)).count();
            tokens.push(Token { text: signs[begin..at].iter().collect(), line });
        } else if starts(at, "::") {
            at += 2;
            tokens.push(Token { text: "::".to_owned(), line });
        } else {
            if !signs[at].is_whitespace() {
                tokens.push(Token { text: signs[at].to_string(), line });
            }
            at += 1;
        }
        at = at.min(signs.len());
        line += signs[begin..at].iter().filter(|sign| **sign == '\n').count();
    }
    tokens
}

fn is_word_sign(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

fn is_word(text: &str) -> bool {
    text.chars().all(is_word_sign) && text != "as"
}

/// `metadata/association/through.rs` is `metadata::association::through`.
fn module_path(source: &Path, file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(source).unwrap_or(file).with_extension("");
    let parts = relative.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    parts.filter(|part| part != "mod").collect()
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}

fn text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(text: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
        imports(text, &module).into_iter().map(|(_, first)| first).collect()
    }

    #[test]
    fn every_way_to_write_an_import_is_read() {
        assert_eq!(heads("use crate::sql::Select;", &["key"]), ["sql"]);
        assert_eq!(heads("use crate::{sql, error::{Error, Result}};", &["key"]), ["sql", "error", "error"]);
        assert_eq!(heads("pub(crate) use super::planner::Plan as P;", &["key"]), ["planner"]);
        assert_eq!(heads("use super::Node;", &["planner", "build"]), Vec::<String>::new());
        assert_eq!(heads("use super::super::sql::Select;", &["planner", "build"]), ["sql"]);
        assert_eq!(heads("fn f(x: &crate::sql::Select) -> Vec<crate::Error> {}", &["key"]), ["sql", "Error"]);
        assert_eq!(heads("mod tests { use super::*; use super::super::sql::X; }", &["key"]), ["sql"]);
        assert_eq!(heads("mod a {} use super::sql::X;", &["key"]), ["sql"]);
    }

    #[test]
    fn comments_and_literals_are_not_imports() {
        let text = r##"
            //! [`crate::planner`]
            /* use crate::sql; /* nested */ */
            const A: &str = "crate::sql::Select \" crate::planner";
            const B: &str = r#"crate::sql"#;
            fn lifetime<'a>(c: &'a str) -> char { '\'' }
        "##;
        assert_eq!(heads(text, &["key"]), Vec::<String>::new());
    }

    #[test]
    fn a_line_against_the_order_is_found() {
        let folder = std::env::temp_dir().join(format!("assoc-layers-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("src/value")).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("page.md", "# Layers\n\n```layers\nvalue  no imports\nkey sql\n```\n");
        write("src/lib.rs", "mod key;\nmod sql;\nmod value;\npub use key::Key;\n");
        write("src/key.rs", "use crate::value::Value;\nuse crate::sql::Select;\n");
        write("src/sql.rs", "use crate::Key;\n");
        write("src/value.rs", "mod temporal;\n");
        write("src/value/temporal.rs", "use super::Value;\n");
        let run = || violations(&folder.join("src"), &folder.join("page.md"));
        assert_eq!(run(), Ok(Vec::new()));

        write("src/value/temporal.rs", "use super::Value;\n\nuse crate::Key;\n");
        let found: Vec<String> = run().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(found, ["value/temporal.rs:3: `value` imports from `key`, which is a layer above it"]);

        write("page.md", "```layers\nvalue\nkey\n```\n");
        assert!(run().unwrap_err().starts_with("`sql` ("), "a module without a layer is an error");
        write("page.md", "```layers\nvalue\nkey sql gone\n```\n");
        assert!(run().unwrap_err().contains("names `gone`, which is no module"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
