//! `cargo xtask package`: what a stranger gets. All crates are packaged, and the template backend is built from the unpacked
//! packages: in a separate workspace, with its dependencies under other names. The examples in the documentation of the
//! packages are run there as well, but for those of the macros.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::Outcome;
use crate::runner::Runner;
use crate::workspace::{cargo, root, target};

/// The published crates, and what the template calls them there.
const PACKAGES: [(&str, &str); 17] = [
    ("assoc-core", "renamed_core"),
    ("assoc-dialects", "renamed_dialects"),
    ("assoc-diesel", "renamed_diesel"),
    ("assoc-macros", "renamed_macros"),
    ("assoc-mysql", "renamed_mysql"),
    ("assoc-postgres", "renamed_postgres"),
    ("assoc-repo", "renamed_repo"),
    ("assoc-sqlite", "renamed_sqlite"),
    ("conformance-collections", "renamed_collections"),
    ("conformance-driver", "renamed_driver"),
    ("conformance-harness", "renamed_harness"),
    ("conformance-kinds", "renamed_kinds"),
    ("conformance-models", "renamed_models"),
    ("conformance-reading", "renamed_reading"),
    ("conformance-tests", "renamed_suite"),
    ("conformance-writing", "renamed_writing"),
    ("conformance-written-models", "renamed_written_models"),
];

const TEMPLATE: &str = "template-backend";

/// Runs `package`.
pub(crate) fn run(args: &[String]) -> Outcome {
    if !args.is_empty() {
        return Err("usage: cargo xtask package".to_owned());
    }
    let runner = Runner::new()?;
    let outside = Outside::new();
    let mut code = outside.unpacked(&runner)?;
    for mut test in outside.tests() {
        if code == 0 {
            code = runner.run(&mut test)?;
        }
    }
    Ok(ExitCode::from(code))
}

/// A folder outside of the workspace with the packages and the template.
pub(crate) struct Outside {
    folder: PathBuf,
    version: String,
}

impl Outside {
    pub(crate) fn new() -> Self {
        Outside { folder: target().join("outside"), version: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// Packages, unpacks, and copies the template. Answers the exit code of the first command that fails, or 0.
    pub(crate) fn unpacked(&self, runner: &Runner) -> Result<u8, String> {
        let mut pack = cargo();
        // They are built by the template. Uncommitted files are packaged as well.
        pack.args(["package", "--no-verify", "--allow-dirty", "--quiet"]);
        pack.args(PACKAGES.iter().flat_map(|(package, _)| ["--package", *package]));
        let packed = runner.run(&mut pack)?;
        if packed != 0 {
            return Ok(packed);
        }
        for (package, _) in PACKAGES {
            let file = format!("{package}-{}.crate", self.version);
            let (made, former) = (target().join("package").join(&file), self.folder.join("packages").join(&file));
            let bytes = fs::read(&made).map_err(|error| format!("{}: {error}", made.display()))?;
            if fs::read(&former).is_ok_and(|former| former == bytes) {
                continue;
            }
            // All files of a package have one old date, so what they replace must go, and they become new: Cargo looks at
            // dates.
            let _ = fs::remove_dir_all(former.with_extension(""));
            make(&self.folder.join("packages"))?;
            let mut unpack = Command::new("tar");
            unpack.arg("-xmzf").arg(&made).arg("-C").arg(self.folder.join("packages"));
            let code = runner.run(&mut unpack)?;
            if code != 0 {
                return Ok(code);
            }
            fs::write(&former, bytes).map_err(|error| format!("{}: {error}", former.display()))?;
        }
        self.write_workspace()?;
        Ok(0)
    }

    /// The tests of the template outside, of which the suite is one, and the examples in the documentation of the packages.
    pub(crate) fn tests(&self) -> [Command; 2] {
        let test = || {
            let mut test = cargo();
            // Dependencies that the workspace has compiled are not compiled again.
            test.arg("test").current_dir(&self.folder).env("CARGO_TARGET_DIR", target());
            test
        };
        let (mut template, mut examples) = (test(), test());
        template.args(["--package", TEMPLATE]);
        examples.args(["--doc", "--all-features", "--no-fail-fast"]);
        examples.args(PACKAGES.iter().flat_map(|(package, _)| ["--package", *package]));
        [template, examples]
    }

    fn write_workspace(&self) -> Result<(), String> {
        let template = root().join("examples").join(TEMPLATE);
        write(&self.folder.join("Cargo.toml"), &self.manifest(&read(&root().join("Cargo.toml"))?))?;
        write(&self.folder.join("Cargo.lock"), &read(&root().join("Cargo.lock"))?)?;
        // The drivers of the workspace are built from their packages as well.
        let manifest = read(&template.join("Cargo.toml"))?.replace(
            "[dev-dependencies]",
            "[dev-dependencies]\nassoc-mysql.workspace = true\nassoc-postgres.workspace = true\nassoc-sqlite.workspace = true",
        );
        write(&self.folder.join(TEMPLATE).join("Cargo.toml"), &renamed(&manifest))?;
        for part in ["src", "tests"] {
            let folder = template.join(part);
            let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
            for file in fs::read_dir(&folder).map_err(failed)? {
                let file = file.map_err(failed)?;
                let to = self.folder.join(TEMPLATE).join(part).join(file.file_name());
                write(&to, &renamed(&read(&file.path())?))?;
            }
        }
        Ok(())
    }

    /// The workspace's manifest with the template and the packages as its members. The template depends on what is published,
    /// which the packages stand for.
    fn manifest(&self, own: &str) -> String {
        let (before, rest) = own.split_once("members = [").unwrap_or((own, ""));
        let behind = rest.split_once("]\n").map_or("", |(_, behind)| behind);
        let members = PACKAGES.map(|(package, _)| format!(", \"packages/{package}-{}\"", self.version)).concat();
        let mut manifest = format!("{before}members = [\"{TEMPLATE}\"{members}]\n{behind}\n[patch.crates-io]\n");
        for (package, name) in PACKAGES {
            let version = &self.version;
            let folder = format!("{package} = {{ path = ");
            let published = format!("{name} = {{ package = \"{package}\", version = \"{version}\" }}\n");
            manifest = manifest
                .split_inclusive('\n')
                .map(|line| if line.starts_with(&folder) { published.as_str() } else { line })
                .collect();
            manifest.push_str(&format!("{package} = {{ path = \"packages/{package}-{version}\" }}\n"));
        }
        manifest
    }
}

// Keys of a manifest, and paths of sources. A model says where the renamed crate is.
fn renamed(text: &str) -> String {
    let model = "#[derive(Model, Debug, Clone)]\n";
    let text = text.replace(model, &format!("{model}#[model(crate = \"assoc_repo\")]\n"));
    PACKAGES.iter().fold(text, |text, (package, name)| {
        let key = format!("{package}.workspace = true");
        text.replace(&key, &format!("{name}.workspace = true")).replace(&package.replace('-', "_"), name)
    })
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn make(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    make(path.parent().unwrap_or(path))?;
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chapter_about_backends_shows_the_template() -> Result<(), String> {
        let workspace = root();
        let template = workspace.join("examples").join(TEMPLATE);
        let page = read(&workspace.join("docs/guide/backends.md"))?;
        let blocks: Vec<_> =
            page.split("```rust,ignore\n// ").skip(1).filter_map(|rest| rest.split_once("\n```")).collect();
        assert!(blocks.len() >= 8, "only {} blocks name their files", blocks.len());
        for (block, _) in blocks {
            let (file, code) = block.split_once('\n').unwrap_or((block, ""));
            // The page begins each part at the first column, and a reader's window has about 83 of them.
            let source = read(&template.join(file))?;
            let indented = |line: &str| if line.is_empty() { String::new() } else { format!("    {line}") };
            let method = code.lines().map(indented).collect::<Vec<_>>().join("\n");
            let is_part = source.contains(code) || source.contains(&method);
            assert!(is_part, "the template's {file} has no such part:\n{code}");
            let widest = code.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(83), "{widest:?} columns:\n{code}");
        }
        let mut lines = 0;
        for name in ["lib", "connection", "dialect", "numbers", "values"] {
            let source = read(&template.join(format!("src/{name}.rs")))?;
            lines += source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        }
        assert!(lines < 400, "the template has {lines} lines of code");
        Ok(())
    }

    #[test]
    fn dependencies_come_under_other_names() -> Result<(), String> {
        let outside = Outside::new();
        let manifest = outside.manifest(&read(&root().join("Cargo.toml"))?);
        assert!(manifest.contains("members = [\"template-backend\", \"packages/assoc-core-"), "{manifest}");
        assert!(manifest.contains("renamed_core = { package = \"assoc-core\", version = "), "{manifest}");
        assert!(!manifest.contains("path = \"assoc-"), "{manifest}");
        assert_eq!(
            renamed("use assoc_core::Value;\nassoc-core.workspace = true"),
            "use renamed_core::Value;\nrenamed_core.workspace = true"
        );
        Ok(())
    }
}
