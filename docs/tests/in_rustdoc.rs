//! The guide stands in the rustdoc of `assoc_repo`, too: `assoc-repo/guide` holds its chapters, with links as rustdoc has them.
//!
//! They are copies, because a published crate holds no file outside its own folder, and links to files mean nothing in
//! rustdoc. `cargo xtask guide` writes them.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const REPOSITORY: &str = "https://github.com/assoc-rs/assoc/blob/main/docs/guide/";

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}

/// The chapters in the order of the book.
fn chapters() -> Vec<String> {
    let summary = std::fs::read_to_string(folder("docs/guide/SUMMARY.md")).unwrap();
    let links = summary.lines().filter_map(|line| Some(line.split_once("](")?.1.split_once(".md)")?.0.to_owned()));
    links.collect()
}

fn module(chapter: &str) -> String {
    chapter.replace('-', "_")
}

/// A chapter with its links to chapters as links to modules. Outside of code blocks nothing else changes.
fn in_rustdoc(text: &str, chapters: &[String]) -> String {
    let mut copy = String::new();
    let mut in_code = false;
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        let mut parts = line.split("](");
        copy.push_str(parts.next().unwrap());
        for part in parts {
            copy.push_str("](");
            if !in_code {
                let (target, _) = part.split_once(')').unwrap();
                let (file, anchor) = target.find('#').map_or((target, ""), |at| target.split_at(at));
                let chapter = file.strip_suffix(".md").filter(|name| chapters.iter().any(|chapter| chapter == name));
                match chapter {
                    Some(name) => copy.push_str(&format!("crate::guide::{}{anchor}", module(name))),
                    None if file.contains("://") || file.is_empty() => copy.push_str(target),
                    None => copy.push_str(&format!("{REPOSITORY}{target}")),
                }
                copy.push_str(&part[target.len()..]);
            } else {
                copy.push_str(part);
            }
        }
        copy.push('\n');
    }
    copy
}

#[test]
fn the_copy_is_what_the_guide_says() {
    let chapters = chapters();
    let write = std::env::var_os("ASSOC_WRITE_GUIDE").is_some();
    let copies = folder("assoc-repo/guide");
    for chapter in &chapters {
        let text = std::fs::read_to_string(folder("docs/guide").join(format!("{chapter}.md"))).unwrap();
        let text = in_rustdoc(&text, &chapters);
        let path = copies.join(format!("{chapter}.md"));
        let copy = std::fs::read_to_string(&path).unwrap_or_default();
        if copy != text && write {
            std::fs::write(&path, text).unwrap();
        } else {
            assert!(copy == text, "docs/guide/{chapter}.md has changed: run `cargo xtask guide`");
        }
    }
    let named = |file: std::io::Result<std::fs::DirEntry>| file.unwrap().file_name().into_string().unwrap();
    let there: BTreeSet<String> = std::fs::read_dir(&copies).unwrap().map(named).collect();
    assert_eq!(there, chapters.iter().map(|chapter| format!("{chapter}.md")).collect());
}

#[test]
fn every_chapter_is_a_module() {
    let source = std::fs::read_to_string(folder("assoc-repo/src/guide.rs")).unwrap();
    let modules: Vec<String> = source
        .lines()
        .filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(" {}")?.to_owned()))
        .collect();
    assert_eq!(modules, chapters().iter().map(|chapter| module(chapter)).collect::<Vec<_>>());
}

/// The list at the top of the modules: the parts of the book, each with its chapters, by the same names and in the same order.
#[test]
fn the_list_of_the_modules_is_that_of_the_book() {
    let entry = |line: &str| Some(line.split_once('[')?.1.split_once(')')?.0.to_owned());
    let source = std::fs::read_to_string(folder("assoc-repo/src/guide.rs")).unwrap();
    let listed: Vec<String> = source
        .lines()
        .filter_map(|line| line.strip_prefix("//! "))
        .filter_map(|line| match line.strip_prefix("**") {
            Some(part) => part.strip_suffix("**").map(str::to_owned),
            None => line.strip_prefix("* ").and_then(entry),
        })
        .collect();
    let summary = std::fs::read_to_string(folder("docs/guide/SUMMARY.md")).unwrap();
    let book: Vec<String> = summary
        .lines()
        .filter(|line| *line != "# Summary")
        .filter_map(|line| match line.strip_prefix("# ") {
            Some(part) => Some(part.to_owned()),
            None => entry(line),
        })
        .collect();
    assert!(book.len() > 20, "{book:?}");
    let in_modules = |entry: &str| match entry.split_once("](") {
        Some((title, chapter)) => format!("{title}]({}", module(chapter.trim_end_matches(".md"))),
        None => entry.to_owned(),
    };
    assert_eq!(listed, book.iter().map(|entry| in_modules(entry)).collect::<Vec<_>>());
}
