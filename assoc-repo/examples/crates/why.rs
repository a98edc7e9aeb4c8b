//! Who needs a package, who needs these, and so on: the dependency tree the other way round.

use std::collections::HashSet;

use assoc_repo::prelude::*;

use crate::failure::Failure;
use crate::measure::{Costs, Detail};
use crate::models::Package;
use crate::terminal::{Style, Terminal};
use crate::tree::{self, pieces};

/// Prints the packages above every version of a package, or above the one that `name@version` says.
pub(crate) async fn write(
    repo: &Repo,
    wanted: &str,
    depth: usize,
    detail: Detail,
    out: &mut Terminal,
) -> Result<(), Failure> {
    // An association from packages to packages can be loaded below itself. The last level tells only whether there would be
    // more. Development dependencies make circles, along which a recursion goes 32 levels at most.
    let levels = Package::NEEDED_BY.recursive((depth + 1).min(32));
    let mut costs = Costs::default();
    for package in &tree::roots(repo, &mut costs, wanted, levels).await? {
        out.line(&[&pieces(package)[..], &[(Style::Mark, workspace(package))]].concat())?;
        Above { out: &mut *out, expanded: HashSet::from([package.id]) }.branches(package, "")?;
        out.blank()?;
    }
    out.text(Style::Quiet, &format!("(*) who needs it is above;  … it is needed by some, below --depth {depth}"))?;
    out.blank()?;
    Ok(costs.write(detail, out)?)
}

fn workspace(package: &Package) -> &'static str {
    if package.in_workspace { " (workspace)" } else { "" }
}

struct Above<'a> {
    out: &'a mut Terminal,
    expanded: HashSet<i64>,
}

impl Above<'_> {
    fn branches(&mut self, package: &Package, indent: &str) -> Result<(), Failure> {
        let mut needed_by: Vec<&Package> = package.needed_by()?.iter().map(AsRef::as_ref).collect();
        // Not loaded is not an error here: it is where the recursion ended.
        if needed_by.iter().any(|dependent| !dependent.needed_by.is_loaded()) {
            return Ok(self.out.line(&[(Style::Quiet, indent), (Style::Quiet, "└── …")])?);
        }
        needed_by.sort_by_key(|dependent| (&dependent.name, &dependent.version));
        for (at, dependent) in needed_by.iter().enumerate() {
            let (branch, below) =
                if at + 1 == needed_by.len() { ("└── ", "    ") } else { ("├── ", "│   ") };
            let own = dependent.needed_by()?;
            let repeated = !own.is_empty() && self.expanded.contains(&dependent.id);
            // One that is cut here may be shown elsewhere.
            if own.iter().any(|above| above.needed_by.is_loaded()) {
                self.expanded.insert(dependent.id);
            }
            let before = [(Style::Quiet, indent), (Style::Quiet, branch)];
            let after = [(Style::Mark, workspace(dependent)), (Style::Quiet, if repeated { " (*)" } else { "" })];
            self.out.line(&[&before[..], &pieces(dependent), &after].concat())?;
            if !repeated {
                self.branches(dependent, &format!("{indent}{below}"))?;
            }
        }
        Ok(())
    }
}
