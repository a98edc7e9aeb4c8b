//! How many crates a program compiles: those of its dependencies and of their build scripts, on this system.

use std::collections::BTreeSet;
use std::process::Command;

use crate::workspace::cargo;

/// How many crates a program with the core, the repo and SQLite may bring, our own among them.
pub(crate) const AT_MOST: usize = 30;

/// Those of a program with the core, the repo and SQLite.
pub(crate) fn of_a_user() -> Result<BTreeSet<String>, String> {
    compiled(cargo().args(["tree", "--offline", "--package", "assoc-repo", "--features", "sqlite"]))
}

/// Those that `cargo tree` lists, with their versions.
pub(crate) fn compiled(tree: &mut Command) -> Result<BTreeSet<String>, String> {
    tree.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let output = tree.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("{tree:?} failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(names(&String::from_utf8_lossy(&output.stdout)))
}

// `syn v3.0.9`, `syn v3.0.9 (*)` and `assoc-macros v0.1.0 (proc-macro) (/…)` begin with a name and a version.
fn names(tree: &str) -> BTreeSet<String> {
    let named = |line: &str| {
        let mut parts = line.split(' ');
        Some(format!("{} {}", parts.next()?, parts.next()?))
    };
    tree.lines().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_counts_once() {
        let tree = "a v1.0.0\nsyn v2.0.0\nsyn v3.0.0 (proc-macro)\nsyn v3.0.0 (*)\n\nb v1.0.0 (/b)\n";
        assert_eq!(names(tree).into_iter().collect::<Vec<_>>(), ["a v1.0.0", "b v1.0.0", "syn v2.0.0", "syn v3.0.0"]);
    }

    #[test]
    fn core_repo_and_sqlite_bring_few_crates() {
        let crates = of_a_user().unwrap();
        let count = crates.len();
        assert!(count <= AT_MOST, "core, repo and SQLite bring {count} crates, {AT_MOST} at most: {crates:#?}");
        let twice = crates.iter().filter(|named| named.starts_with("syn ")).count();
        assert_eq!(twice, 1, "one `syn` reads the tokens of all derives: {crates:#?}");
    }
}
