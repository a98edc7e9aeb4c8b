//! The report: what a user wants to know about the graph, a section each.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::Write;

use assoc_repo::prelude::*;

use crate::failure::Failure;
use crate::graph::{self, Graph, Weight};
use crate::measure::{Costs, Detail};
use crate::models::{
    Author, Dependency, Feature, Keyword, License, Package, PackageAuthor, PackageKeyword, PackageLicense, Target,
};

/// Prints all sections, with lists of at most `top` rows.
pub(crate) async fn write(repo: &Repo, top: usize, detail: Detail, out: &mut impl Write) -> Result<(), Failure> {
    let mut costs = Costs::default();
    counts(repo, out).await?;

    let packages = costs.all(repo, "The graph", graph::query()).await?;
    weights(&packages, top, out)?;
    duplicates(repo, &mut costs, top, out).await?;
    licenses(repo, &mut costs, top, out).await?;
    keywords(repo, &mut costs, top, out).await?;
    authors(repo, &mut costs, top, out).await?;
    features(repo, &mut costs, top, out).await?;

    heading(out, "What the preloads did")?;
    costs.write(detail, out)?;
    not_loaded(repo, out).await
}

fn heading(out: &mut impl Write, title: &str) -> Result<(), Failure> {
    Ok(writeln!(out, "\n{title}\n{}", "=".repeat(title.len()))?)
}

/// What a list of at most `top` rows leaves out.
fn more(out: &mut impl Write, all: usize, top: usize) -> Result<(), Failure> {
    if all > top {
        writeln!(out, "  … and {} more", all - top)?;
    }
    Ok(())
}

async fn counts(repo: &Repo, out: &mut impl Write) -> Result<(), Failure> {
    let packages = repo.count(Query::<Package>::new()).await?;
    let members = repo.count(Query::filter(Package::IN_WORKSPACE.eq(true))).await?;
    let dependencies = repo.count(Query::<Dependency>::new()).await?;
    let features = repo.count(Query::<Feature>::new()).await?;
    let enabled = repo.count(Query::filter(Feature::ENABLED.eq(true))).await?;
    writeln!(out, "{packages} packages, {members} of them in the workspace; {dependencies} dependencies")?;
    writeln!(out, "{features} features, {enabled} of them enabled")?;
    // Values instead of models: the database groups and counts.
    let mut targets: Vec<(String, i64)> =
        repo.pluck((Target::KIND, Target::ID.count()), Query::group_by(Target::KIND)).await?;
    targets.sort_by_key(|(_, count)| -count);
    let targets: Vec<String> = targets.into_iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    writeln!(out, "targets: {}", if targets.is_empty() { "none".to_owned() } else { targets.join(", ") })?;
    Ok(())
}

fn weights(packages: &[Package], top: usize, out: &mut impl Write) -> Result<(), Failure> {
    let graph = Graph::new(packages)?;
    let mut weighed: Vec<(&Package, Weight)> = packages.iter().zip(graph.weights()).collect();

    heading(out, "Most depended on")?;
    writeln!(out, "By how many packages depend on them, however indirectly ({} edges).", graph.edges())?;
    weighed.sort_by_key(|(_, weight)| Reverse(weight.dependents));
    writeln!(out, "  {:<36} {:>10} {:>8} {:>9}", "package", "dependents", "directly", "brings in")?;
    for (package, weight) in weighed.iter().take(top) {
        let Weight { direct_dependents, dependents, dependencies } = weight;
        writeln!(out, "  {:<36} {dependents:>10} {direct_dependents:>8} {dependencies:>9}", package.label())?;
    }

    heading(out, "Shared by most others")?;
    writeln!(out, "By how many packages name them as a dependency.")?;
    weighed.sort_by_key(|(_, weight)| Reverse(weight.direct_dependents));
    for (package, weight) in weighed.iter().filter(|(_, weight)| weight.direct_dependents > 1).take(top) {
        let share = 100 * weight.direct_dependents / packages.len().max(1);
        writeln!(out, "  {:<36} {:>10} ({share} %)", package.label(), weight.direct_dependents)?;
    }
    Ok(())
}

async fn duplicates(repo: &Repo, costs: &mut Costs, top: usize, out: &mut impl Write) -> Result<(), Failure> {
    heading(out, "Several versions of one package")?;
    let several = Query::group_by(Package::NAME).having(Package::ID.count().gt(1)).order_by(Package::NAME.asc());
    let duplicated: Vec<String> = repo.pluck(Package::NAME, several).await?;
    if duplicated.is_empty() {
        writeln!(out, "  none")?;
        return Ok(());
    }
    let versions = Query::filter(Package::NAME.is_in(&duplicated))
        .order_by([Package::NAME.asc(), Package::VERSION.asc()])
        .preload(Package::DEPENDENTS.with(Dependency::PACKAGE));
    let versions = costs.all(repo, "Who needs which version", versions).await?;
    for versions in versions.chunk_by(|one, next| one.name == next.name).take(top) {
        for package in versions {
            // With their versions: two versions of a package often need two versions of another.
            let needed_by = package.dependents()?.iter().map(|link| link.package().map(Package::label));
            let needed_by = needed_by.collect::<Result<BTreeSet<String>, _>>()?;
            writeln!(out, "  {:<36} needed by {}", package.label(), first(4, needed_by))?;
        }
    }
    more(out, duplicated.len(), top)
}

async fn licenses(repo: &Repo, costs: &mut Costs, top: usize, out: &mut impl Write) -> Result<(), Failure> {
    heading(out, "Licences")?;
    writeln!(out, "A package under `MIT OR Apache-2.0` counts for both.")?;
    let query = Query::preload(License::PACKAGE_LICENSES.with(PackageLicense::PACKAGE));
    let mut counted = Vec::new();
    for license in costs.all(repo, "Packages by licence", query).await? {
        let packages = names(license.package_licenses()?, PackageLicense::package)?;
        counted.push((license.name, packages));
    }
    list(out, counted, top)?;
    let none = repo.count(Query::filter(Package::LICENSE.is_null())).await?;
    if none > 0 {
        writeln!(out, "  {none} without a licence expression")?;
    }
    Ok(())
}

async fn keywords(repo: &Repo, costs: &mut Costs, top: usize, out: &mut impl Write) -> Result<(), Failure> {
    heading(out, "Keywords")?;
    let query = Query::preload(Keyword::PACKAGE_KEYWORDS.with(PackageKeyword::PACKAGE));
    let mut counted = Vec::new();
    for keyword in costs.all(repo, "Packages by keyword", query).await? {
        let packages = names(keyword.package_keywords()?, PackageKeyword::package)?;
        counted.push((keyword.name, packages));
    }
    list(out, counted, top)
}

async fn authors(repo: &Repo, costs: &mut Costs, top: usize, out: &mut impl Write) -> Result<(), Failure> {
    heading(out, "Authors")?;
    let query = Query::preload(Author::PACKAGE_AUTHORS.with(PackageAuthor::PACKAGE));
    let mut counted = Vec::new();
    for author in costs.all(repo, "Packages by author", query).await? {
        let packages = names(author.package_authors()?, PackageAuthor::package)?;
        counted.push((author.name, packages));
    }
    list(out, counted, top)
}

/// The names of the packages at the other end of some links, each once: versions do not count here.
fn names<L>(
    links: &[L],
    package: impl Fn(&L) -> Result<&Package, AssociationNotLoaded>,
) -> Result<BTreeSet<String>, AssociationNotLoaded> {
    links.iter().map(|link| package(link).map(|package| package.name.clone())).collect()
}

/// Names with the packages that have them, most packages first.
fn list(out: &mut impl Write, mut counted: Vec<(String, BTreeSet<String>)>, top: usize) -> Result<(), Failure> {
    counted.sort_by_key(|(name, packages)| (Reverse(packages.len()), name.clone()));
    for (name, packages) in counted.iter().take(top) {
        writeln!(out, "  {name:<32} {:>5}  {}", packages.len(), first(3, packages))?;
    }
    if counted.is_empty() {
        writeln!(out, "  none")?;
    }
    more(out, counted.len(), top)
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

async fn features(repo: &Repo, costs: &mut Costs, top: usize, out: &mut impl Write) -> Result<(), Failure> {
    heading(out, "Most features enabled")?;
    // A filtered preload: what it leaves out is not in memory, and the association knows that it is partial.
    let enabled = Package::FEATURES.filter(Feature::ENABLED.eq(true)).order_by(Feature::NAME.asc());
    let mut packages = costs.all(repo, "Enabled features", Query::preload(enabled)).await?;
    packages.sort_by_key(|package| Reverse(package.features.loaded().map_or(0, <[Feature]>::len)));
    for package in packages.iter().take(top) {
        let features = package.features()?;
        if features.is_empty() {
            break;
        }
        let names = features.iter().map(|feature| &feature.name);
        writeln!(out, "  {:<36} {:>4}  {}", package.label(), features.len(), first(6, names))?;
    }
    Ok(())
}

/// What happens when a program reads an association it did not ask for: an error that names the remedy, and no query.
async fn not_loaded(repo: &Repo, out: &mut impl Write) -> Result<(), Failure> {
    heading(out, "An association nobody asked for")?;
    let any = Query::filter(Package::IN_WORKSPACE.eq(true)).order_by(Package::NAME.asc()).limit(1);
    let Some(mut package) = repo.one(any).await? else { return Ok(()) };
    writeln!(out, "{} was read without its dependencies.", package.label())?;
    match package.dependencies() {
        Ok(dependencies) => writeln!(out, "  package.dependencies()?        {}", dependencies.len())?,
        Err(error) => writeln!(out, "  package.dependencies()?        error: {error}")?,
    }
    // Where "not loaded" is an answer and no error.
    writeln!(out, "  package.dependencies.loaded()  {:?}", package.dependencies.loaded().map(<[_]>::len))?;
    let (loaded, statements) = repo.count_statements(repo.preload(&mut package, Package::DEPENDENCIES)).await;
    loaded?;
    writeln!(out, "After repo.preload(&mut package, Package::DEPENDENCIES), statements: {statements}")?;
    writeln!(out, "  package.dependencies()?.len()  {}", package.dependencies()?.len())?;
    Ok(())
}
