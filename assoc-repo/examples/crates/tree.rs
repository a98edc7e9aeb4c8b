//! The dependency tree of one package, printed straight from nested structs.

use std::collections::HashSet;

use assoc_repo::prelude::*;

use crate::failure::Failure;
use crate::measure::{Costs, Detail};
use crate::models::{Dependency, DependencyKind, Package};
use crate::terminal::{Style, Terminal};

/// Prints the tree of every version of a package, or of the one that `name@version` says.
pub(crate) async fn write(
    repo: &Repo,
    wanted: &str,
    depth: usize,
    detail: Detail,
    out: &mut Terminal,
) -> Result<(), Failure> {
    let mut costs = Costs::default();
    let packages = roots(repo, &mut costs, wanted, levels(depth)).await?;
    for package in &packages {
        out.line(&pieces(package))?;
        Tree { out: &mut *out, expanded: HashSet::from([package.id]) }.branches(package, "")?;
        out.blank()?;
    }
    out.text(Style::Quiet, &format!("(*) its dependencies are above;  … it has some, below --depth {depth}"))?;
    out.blank()?;
    Ok(costs.write(detail, out)?)
}

/// Every version of a package, or the one that `name@version` says, with what is to be shown below it.
pub(crate) async fn roots<T>(
    repo: &Repo,
    costs: &mut Costs,
    wanted: &str,
    below: Preload<Package, T>,
) -> Result<Vec<Package>, Failure> {
    let (name, version) = match wanted.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (wanted, None),
    };
    let mut query = Query::filter(Package::NAME.eq(name)).order_by(Package::VERSION.asc());
    if let Some(version) = version {
        query = query.filter(Package::VERSION.eq(version));
    }
    let packages = costs.all(repo, "The tree", query.preload(below)).await?;
    if packages.is_empty() {
        return Err(unknown(repo, name, version).await?);
    }
    Ok(packages)
}

/// Dependencies, what they require, the dependencies of that, and so on: a preload is a value, so a loop can build one.
/// The last level tells only whether there would be more.
fn levels(depth: usize) -> Preload<Package, Dependency> {
    let deepest = Package::DEPENDENCIES.preload();
    (0..depth).fold(deepest, |below, _| Package::DEPENDENCIES.with(Dependency::REQUIRED.with(below)))
}

/// A package's label. Those of the workspace stand out.
pub(crate) fn pieces(package: &Package) -> [(Style, &str); 3] {
    let name = if package.in_workspace { Style::Name } else { Style::Plain };
    [(name, &package.name), (Style::Plain, " "), (Style::Quiet, &package.version)]
}

struct Tree<'a> {
    out: &'a mut Terminal,
    expanded: HashSet<i64>,
}

impl Tree<'_> {
    fn branches(&mut self, package: &Package, indent: &str) -> Result<(), Failure> {
        let mut required = Vec::new();
        for dependency in package.dependencies()? {
            // Not loaded is not an error here: it is where the preload ended.
            match dependency.required.loaded().flatten() {
                Some(target) => required.push((target, dependency.kind)),
                None => return Ok(self.out.line(&[(Style::Quiet, indent), (Style::Quiet, "└── …")])?),
            }
        }
        // Normal dependencies first. One that is needed on several platforms is several rows.
        required.sort_by(|(one, kind), (other, other_kind)| {
            (kind, &one.name, &one.version).cmp(&(other_kind, &other.name, &other.version))
        });
        required.dedup_by_key(|(target, kind)| (target.id, *kind));
        for (at, (target, kind)) in required.iter().enumerate() {
            let (branch, below) =
                if at + 1 == required.len() { ("└── ", "    ") } else { ("├── ", "│   ") };
            let kind = match kind {
                DependencyKind::Normal => "",
                DependencyKind::Build => " [build]",
                DependencyKind::Dev => " [dev]",
            };
            let own = target.dependencies()?;
            let repeated = !own.is_empty() && self.expanded.contains(&target.id);
            // One that is cut here may be shown elsewhere.
            if own.iter().any(|dependency| dependency.required.is_loaded()) {
                self.expanded.insert(target.id);
            }
            let mark = if repeated { " (*)" } else { "" };
            let before = [(Style::Quiet, indent), (Style::Quiet, branch)];
            let after = [(Style::Mark, kind), (Style::Quiet, mark)];
            self.out.line(&[&before[..], &pieces(target), &after].concat())?;
            if !repeated {
                self.branches(target, &format!("{indent}{below}"))?;
            }
        }
        Ok(())
    }
}

async fn unknown(repo: &Repo, name: &str, version: Option<&str>) -> Result<Failure, Failure> {
    let packages: Vec<(String, String)> = repo.pluck((Package::NAME, Package::VERSION), Query::new()).await?;
    let versions: Vec<&str> =
        packages.iter().filter(|(known, _)| known == name).map(|(_, version)| version.as_str()).collect();
    if let Some(version) = version.filter(|_| !versions.is_empty()) {
        return Ok(Failure::run(format_args!("no version {version} of `{name}` here, only {}", versions.join(", "))));
    }
    let mut near: Vec<(usize, &str)> =
        packages.iter().map(|(known, _)| (distance(name, known), known.as_str())).collect();
    near.sort_unstable();
    near.dedup();
    let near: Vec<String> = near
        .into_iter()
        .filter(|(distance, known)| *distance <= 2 || name.len() > 2 && known.contains(name))
        .take(3)
        .map(|(_, known)| format!("`{known}`"))
        .collect();
    Ok(if near.is_empty() {
        Failure::run(format_args!("no package `{name}` here"))
    } else {
        Failure::run(format_args!("no package `{name}` here; did you mean {}?", near.join(" or ")))
    })
}

/// How many characters have to be put in, left out or replaced (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[row.len() - 1]
}
