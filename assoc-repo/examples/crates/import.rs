//! From cargo's words to rows: everything in one transaction, so that a reader sees the whole graph or none of it.

use std::collections::{BTreeSet, HashMap};

use assoc_repo::prelude::*;
use assoc_repo::{Changeset, SharedDraft};

use crate::metadata::Metadata;
use crate::models::{
    Author, Dependency, DependencyKind, Feature, Keyword, License, Package, PackageAuthor, PackageKeyword,
    PackageLicense, Target,
};
use crate::progress::Progress;

/// Makes the tables anew.
pub(crate) async fn create_tables(repo: &Repo) -> Result<()> {
    create_table::<Package>(repo).await?;
    create_table::<Dependency>(repo).await?;
    create_table::<Feature>(repo).await?;
    create_table::<Target>(repo).await?;
    create_table::<License>(repo).await?;
    create_table::<PackageLicense>(repo).await?;
    create_table::<Keyword>(repo).await?;
    create_table::<PackageKeyword>(repo).await?;
    create_table::<Author>(repo).await?;
    create_table::<PackageAuthor>(repo).await?;
    // The report reads the first features of each package, which a database does package by package.
    repo.execute_raw("CREATE INDEX features_of_package ON features (package_id)", []).await?;
    Ok(())
}

async fn create_table<M: Model>(repo: &Repo) -> Result<()> {
    repo.drop_table::<M>().await?;
    repo.create_table::<M>().await
}

/// Stores a graph.
pub(crate) async fn store(repo: &Repo, metadata: &Metadata, progress: &Progress) -> Result<()> {
    repo.transaction(async |tx| {
        progress.say(&format!("storing {} packages", metadata.packages.len()));
        // A changeset says what belongs to its row, and all of it is saved together. The rows come back in the order they went
        // in, with the keys the database gave them.
        let packages = tx.insert_all(packages(metadata)).await?;
        progress.say("storing dependencies");
        let ids = metadata.packages.iter().map(|package| package.id.as_str());
        tx.insert_all(dependencies(metadata, &ids.zip(&packages).collect())?).await?;
        Ok(())
    })
    .await
}

/// The packages, with their features, targets, licences, keywords and authors.
fn packages(metadata: &Metadata) -> Vec<Changeset<Package>> {
    let members: BTreeSet<&String> = metadata.workspace_members.iter().collect();
    let enabled: HashMap<&str, BTreeSet<&String>> =
        metadata.nodes().iter().map(|node| (node.id.as_str(), node.features.iter().collect())).collect();
    let (mut licenses, mut keywords, mut authors) =
        (Named::new(License::NAME), Named::new(Keyword::NAME), Named::new(Author::NAME));
    let changeset = |package: &crate::metadata::Package| {
        let enabled = enabled.get(package.id.as_str());
        let features = package.features.keys().map(|name| {
            let is_enabled = enabled.is_some_and(|enabled| enabled.contains(name));
            Feature::build().set(Feature::NAME, name).set(Feature::ENABLED, is_enabled)
        });
        let targets = package
            .targets
            .iter()
            .map(|target| Target::build().set(Target::NAME, &target.name).set(Target::KIND, target.kind.join(", ")));
        Package::build()
            .set(Package::NAME, &package.name)
            .set(Package::VERSION, &package.version)
            .set(Package::SOURCE, package.source.clone())
            .set(Package::LICENSE, package.license.clone())
            .set(Package::IN_WORKSPACE, members.contains(&package.id))
            .push(Package::FEATURES, features)
            .push(Package::TARGETS, targets)
            // Through a join model: its rows come with them.
            .push(Package::LICENSES, licenses.all(license_names(package.license.as_deref().unwrap_or_default())))
            .push(Package::KEYWORDS, keywords.all(package.keywords.iter().map(|keyword| keyword.to_lowercase())))
            .push(Package::AUTHORS, authors.all(package.authors.iter().map(|author| author_name(author))))
    };
    metadata.packages.iter().map(changeset).collect()
}

/// New rows by their names. Who names one twice gets the same row, which is stored once.
struct Named<M: Model> {
    name: Column<M, String>,
    rows: HashMap<String, SharedDraft<M>>,
}

impl<M: Model> Named<M> {
    fn new(name: Column<M, String>) -> Self {
        Named { name, rows: HashMap::new() }
    }

    /// The rows of some names, each once.
    fn all(&mut self, names: impl IntoIterator<Item = String>) -> Vec<SharedDraft<M>> {
        let names: BTreeSet<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
        let row = |name: String| {
            let new = M::build().set(self.name, &name);
            self.rows.entry(name).or_insert_with(|| new.shared()).clone()
        };
        names.into_iter().map(row).collect()
    }
}

/// The edges between the packages, which have cargo's ids.
fn dependencies(metadata: &Metadata, packages: &HashMap<&str, &Package>) -> Result<Vec<Changeset<Dependency>>> {
    let package =
        |id: &str| packages.get(id).copied().ok_or_else(|| Error::other(format!("package `{id}` was not stored")));
    let mut rows = Vec::new();
    for node in metadata.nodes() {
        for dependency in &node.deps {
            let row = Dependency::build()
                .associate(Dependency::PACKAGE, package(&node.id)?)
                .associate(Dependency::REQUIRED, package(&dependency.pkg)?);
            // A package can be needed in several ways at once: each is a row. Old versions of cargo do not say how.
            if dependency.dep_kinds.is_empty() {
                rows.push(row.clone().set(Dependency::KIND, DependencyKind::Normal).set(Dependency::PLATFORM, None));
            }
            rows.extend(dependency.dep_kinds.iter().map(|way| {
                let kind = way.kind.unwrap_or(DependencyKind::Normal);
                row.clone().set(Dependency::KIND, kind).set(Dependency::PLATFORM, way.target.clone())
            }));
        }
    }
    Ok(rows)
}

/// The licences of an expression: `MIT` and `Apache-2.0` of `MIT OR Apache-2.0`, or of `MIT/Apache-2.0` as it was
/// written once. An exception belongs to its licence: `Apache-2.0 WITH LLVM-exception`.
fn license_names(expression: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut exception = false;
    for word in expression.split(|c: char| c.is_whitespace() || "/(),".contains(c)).filter(|word| !word.is_empty()) {
        match word.to_uppercase().as_str() {
            "OR" | "AND" => {}
            "WITH" => exception = true,
            _ => match names.last_mut() {
                Some(license) if exception => {
                    *license = format!("{license} WITH {word}");
                    exception = false;
                }
                _ => names.push(word.to_owned()),
            },
        }
    }
    names
}

/// `Ada` of `Ada <ada@example.org>`.
fn author_name(author: &str) -> String {
    author.split('<').next().unwrap_or_default().trim().to_owned()
}
