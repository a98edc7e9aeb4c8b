//! The report: what a user wants to know about the graph, a section each.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use assoc_repo::prelude::*;

use crate::failure::Failure;
use crate::graph::{self, Graph, Weight};
use crate::measure::{Costs, Detail};
use crate::models::{Author, Dependency, DependencyKind, Feature, Keyword, License, Package, Target};
use crate::terminal::{Row, Style, Terminal};

/// Prints all sections, with lists of at most `top` rows.
pub(crate) async fn write(repo: &Repo, top: usize, detail: Detail, out: &mut Terminal) -> Result<(), Failure> {
    let mut costs = Costs::default();
    counts(repo, out).await?;

    let packages = costs.all(repo, "The graph", graph::query()).await?;
    weights(&packages, top, out)?;
    duplicates(repo, &mut costs, top, out).await?;

    // Packages by what they have in common: a `has_many` through a join model, as any other association.
    out.heading("Licences")?;
    out.text(Style::Plain, "A package under `MIT OR Apache-2.0` counts for both.")?;
    let licenses = costs.all(repo, "Packages by licence", Query::preload(License::PACKAGES)).await?;
    list(licenses.iter().map(|license| Ok((&license.name, license.packages()?))), top, out)?;
    let none = repo.count(Query::filter(Package::LICENSE.is_null())).await?;
    if none > 0 {
        out.text(Style::Plain, &format!("  {none} without a licence expression"))?;
    }
    out.heading("Keywords")?;
    let keywords = costs.all(repo, "Packages by keyword", Query::preload(Keyword::PACKAGES)).await?;
    list(keywords.iter().map(|keyword| Ok((&keyword.name, keyword.packages()?))), top, out)?;
    out.heading("Authors")?;
    let authors = costs.all(repo, "Packages by author", Query::preload(Author::PACKAGES)).await?;
    list(authors.iter().map(|author| Ok((&author.name, author.packages()?))), top, out)?;

    features(repo, &mut costs, top, out).await?;

    out.heading("What the preloads did")?;
    costs.write(detail, out)?;
    not_loaded(repo, out).await
}

/// What a list of at most `top` rows leaves out.
fn more(all: usize, top: usize, out: &mut Terminal) -> Result<(), Failure> {
    if all > top {
        out.text(Style::Quiet, &format!("  … and {} more", all - top))?;
    }
    Ok(())
}

async fn counts(repo: &Repo, out: &mut Terminal) -> Result<(), Failure> {
    let packages = repo.count(Query::<Package>::new()).await?;
    let members = repo.count(Query::filter(Package::IN_WORKSPACE.eq(true))).await?;
    let dependencies = repo.count(Query::<Dependency>::new()).await?;
    let features = repo.count(Query::<Feature>::new()).await?;
    let enabled = repo.count(Query::filter(Feature::ENABLED.eq(true))).await?;
    // Conditions on the rows of an association.
    let for_builds = repo.count(Query::filter(Package::needed_only_for(DependencyKind::Build))).await?;
    let for_development = repo.count(Query::filter(Package::needed_only_for(DependencyKind::Dev))).await?;
    let counts = format!("{packages} packages, {members} of them in the workspace; {dependencies} dependencies");
    out.text(Style::Title, &counts)?;
    out.text(
        Style::Plain,
        &format!("needed only to build others: {for_builds}; only for development: {for_development}"),
    )?;
    out.text(Style::Plain, &format!("{features} features, {enabled} of them enabled"))?;
    // Values instead of models: the database groups and counts.
    let mut targets: Vec<(String, i64)> =
        repo.pluck((Target::KIND, Target::ID.count()), Query::group_by(Target::KIND)).await?;
    targets.sort_by_key(|(_, count)| -count);
    let targets: Vec<String> = targets.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let targets = if targets.is_empty() { "none".to_owned() } else { targets.join(", ") };
    Ok(out.text(Style::Plain, &format!("targets: {targets}"))?)
}

fn weights(packages: &[Package], top: usize, out: &mut Terminal) -> Result<(), Failure> {
    let graph = Graph::new(packages)?;
    let mut weighed: Vec<(&Package, Weight)> = packages.iter().zip(graph.weights()).collect();

    out.heading("Most depended on")?;
    let edges = graph.edges();
    out.text(Style::Plain, &format!("By how many packages depend on them, however indirectly ({edges} edges)."))?;
    weighed.sort_by_key(|(_, weight)| Reverse(weight.dependents));
    let row =
        |name: &str, numbers: [String; 3]| Row { name: name.to_owned(), numbers: numbers.into(), text: String::new() };
    let head = row("package", ["dependents", "directly", "brings in"].map(str::to_owned));
    let rows = weighed.iter().take(top).map(|(package, weight)| {
        let Weight { direct_dependents, dependents, dependencies } = weight;
        row(&package.label(), [dependents, direct_dependents, dependencies].map(usize::to_string))
    });
    out.table(Some(head), &rows.collect::<Vec<_>>())?;

    out.heading("Shared by most others")?;
    out.text(Style::Plain, "By how many packages name them as a dependency.")?;
    weighed.sort_by_key(|(_, weight)| Reverse(weight.direct_dependents));
    let shared = weighed.iter().filter(|(_, weight)| weight.direct_dependents > 1).take(top);
    let rows = shared.map(|(package, weight)| {
        let share = 100 * weight.direct_dependents / packages.len().max(1);
        Row {
            name: package.label(),
            numbers: vec![weight.direct_dependents.to_string(), format!("({share} %)")],
            text: String::new(),
        }
    });
    Ok(out.table(None, &rows.collect::<Vec<_>>())?)
}

async fn duplicates(repo: &Repo, costs: &mut Costs, top: usize, out: &mut Terminal) -> Result<(), Failure> {
    const SHOWN: usize = 4;
    out.heading("Several versions of one package")?;
    let several = Query::group_by(Package::NAME).having(Package::ID.count().gt(1)).order_by(Package::NAME.asc());
    let duplicated: Vec<String> = repo.pluck(Package::NAME, several).await?;
    if duplicated.is_empty() {
        return Ok(out.text(Style::Plain, "  none")?);
    }
    // The limit is for each package. One more than are shown tells whether there are others.
    let needed_by = Package::NEEDED_BY.order_by((Package::NAME.asc(), Package::VERSION.asc())).limit(SHOWN as u64 + 1);
    let versions = Query::filter(Package::NAME.is_in(&duplicated))
        .order_by([Package::NAME.asc(), Package::VERSION.asc()])
        .preload(needed_by);
    let versions = costs.all(repo, "Who needs which version", versions).await?;
    let mut rows = Vec::new();
    for package in versions.chunk_by(|one, next| one.name == next.name).take(top).flatten() {
        // With their versions: two versions of a package often need two versions of another.
        let needed_by = first(SHOWN, package.needed_by()?.iter().map(|dependent| dependent.label()));
        rows.push(Row { name: package.label(), numbers: Vec::new(), text: format!("needed by {needed_by}") });
    }
    out.table(None, &rows)?;
    more(duplicated.len(), top, out)
}

/// Names with the packages that have them, most packages first. Versions do not count here.
fn list<'a>(
    named: impl Iterator<Item = Result<(&'a String, &'a [Arc<Package>]), Failure>>,
    top: usize,
    out: &mut Terminal,
) -> Result<(), Failure> {
    let mut counted: Vec<(&String, BTreeSet<&String>)> = Vec::new();
    for named in named {
        let (name, packages) = named?;
        counted.push((name, packages.iter().map(|package| &package.name).collect()));
    }
    counted.sort_by_key(|(name, packages)| (Reverse(packages.len()), *name));
    let rows = counted.iter().take(top).map(|(name, packages)| Row {
        name: (*name).clone(),
        numbers: vec![packages.len().to_string()],
        text: first(3, packages),
    });
    out.table(None, &rows.collect::<Vec<_>>())?;
    if counted.is_empty() {
        out.text(Style::Plain, "  none")?;
    }
    more(counted.len(), top, out)
}

/// The first few, and a sign that there are others.
fn first(few: usize, names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut shown = String::new();
    for (at, name) in names.into_iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        if at == few {
            return format!("{shown}{comma}…");
        }
        shown = format!("{shown}{comma}{}", name.as_ref());
    }
    shown
}

async fn features(repo: &Repo, costs: &mut Costs, top: usize, out: &mut Terminal) -> Result<(), Failure> {
    const SHOWN: usize = 6;
    out.heading("Most features enabled")?;
    // The first few of each package, and how many there are.
    let query = Query::preload((
        Package::ENABLED_FEATURES.limit(SHOWN as u64 + 1),
        Package::ENABLED_FEATURES.count_into(Package::ENABLED_COUNT),
    ));
    let mut packages = costs.all(repo, "Enabled features", query).await?;
    packages.retain(|package| package.enabled_count.loaded().is_some_and(|count| *count > 0));
    packages.sort_by_key(|package| Reverse(package.enabled_count.loaded().copied()));
    let mut rows = Vec::new();
    for package in packages.iter().take(top) {
        let text = first(SHOWN, package.enabled_features()?.iter().map(|feature| &feature.name));
        rows.push(Row { name: package.label(), numbers: vec![package.enabled_count()?.to_string()], text });
    }
    Ok(out.table(None, &rows)?)
}

/// What happens when a program reads an association it did not ask for: an error that names the remedy, and no query.
async fn not_loaded(repo: &Repo, out: &mut Terminal) -> Result<(), Failure> {
    out.heading("An association that was not asked for")?;
    let any = Query::filter(Package::IN_WORKSPACE.eq(true)).order_by(Package::NAME.asc()).limit(1);
    let Some(mut package) = repo.one(any).await? else { return Ok(()) };
    out.text(Style::Plain, &format!("{} was read without its dependencies.", package.label()))?;
    let mut answer = |call: &str, answer: String| out.folded(Style::Plain, &format!("  {call:<29}  {answer}"), 33);
    match package.dependencies() {
        Ok(dependencies) => answer("package.dependencies()?", dependencies.len().to_string())?,
        Err(error) => answer("package.dependencies()?", format!("error: {error}"))?,
    }
    // Where "not loaded" is an answer and no error.
    answer("package.dependencies.loaded()", format!("{:?}", package.dependencies.loaded().map(<[_]>::len)))?;
    let (loaded, statements) = repo.count_statements(repo.preload(&mut package, Package::DEPENDENCIES)).await;
    loaded?;
    let after = format!("After repo.preload(&mut package, Package::DEPENDENCIES), statements: {statements}");
    out.text(Style::Plain, &after)?;
    let count = package.dependencies()?.len();
    Ok(out.text(Style::Plain, &format!("  package.dependencies()?.len()  {count}"))?)
}
