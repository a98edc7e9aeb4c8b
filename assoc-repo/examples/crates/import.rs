//! From cargo's words to rows: everything in one transaction, so that a reader sees the whole graph or none of it.

use std::collections::{BTreeSet, HashMap};

use assoc_repo::prelude::*;

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
    create_table::<PackageAuthor>(repo).await
}

async fn create_table<M: Model>(repo: &Repo) -> Result<()> {
    repo.drop_table::<M>().await?;
    repo.create_table::<M>().await
}

/// Stores a graph.
pub(crate) async fn store(repo: &Repo, metadata: &Metadata, progress: &Progress) -> Result<()> {
    repo.transaction(async |tx| {
        progress.say(&format!("storing {} packages", metadata.packages.len()));
        let ids = store_packages(tx, metadata).await?;
        progress.say("storing dependencies and features");
        store_dependencies(tx, metadata, &ids).await?;
        store_features(tx, metadata, &ids).await?;
        store_targets(tx, metadata, &ids).await?;
        progress.say("storing licences, keywords and authors");
        store_licenses(tx, metadata, &ids).await?;
        store_keywords(tx, metadata, &ids).await?;
        store_authors(tx, metadata, &ids).await
    })
    .await
}

/// The primary key of each package, by the id that cargo gives it.
struct PackageIds<'a>(HashMap<&'a str, i64>);

impl PackageIds<'_> {
    fn of(&self, cargo_id: &str) -> Result<i64> {
        let missing = || Error::other(format!("package `{cargo_id}` was not stored"));
        self.0.get(cargo_id).copied().ok_or_else(missing)
    }
}

async fn store_packages<'a>(tx: &Repo, metadata: &'a Metadata) -> Result<PackageIds<'a>> {
    let members: BTreeSet<&String> = metadata.workspace_members.iter().collect();
    let rows = metadata.packages.iter().map(|package| {
        Package::build()
            .set(Package::NAME, &package.name)
            .set(Package::VERSION, &package.version)
            .set(Package::SOURCE, package.source.clone())
            .set(Package::LICENSE, package.license.clone())
            .set(Package::IN_WORKSPACE, members.contains(&package.id))
    });
    // The rows come back in the order they went in, with the keys the database gave them.
    let stored = tx.insert_all(rows).await?;
    Ok(PackageIds(
        metadata.packages.iter().map(|package| package.id.as_str()).zip(stored.iter().map(|row| row.id)).collect(),
    ))
}

async fn store_dependencies(tx: &Repo, metadata: &Metadata, ids: &PackageIds<'_>) -> Result<()> {
    let mut rows = Vec::new();
    for node in metadata.nodes() {
        let package = ids.of(&node.id)?;
        for dependency in &node.deps {
            let row = Dependency::build()
                .set(Dependency::PACKAGE_ID, package)
                .set(Dependency::REQUIRED_ID, ids.of(&dependency.pkg)?);
            // A package can be needed in several ways at once: each is a row. Old versions of cargo do not say how.
            if dependency.dep_kinds.is_empty() {
                rows.push(row.clone().set(Dependency::KIND, DependencyKind::Normal).set(Dependency::PLATFORM, None));
            }
            for way in &dependency.dep_kinds {
                let kind = way.kind.as_deref().map_or(Some(DependencyKind::Normal), DependencyKind::from_name);
                let kind = kind.ok_or_else(|| Error::other(format!("unknown kind of dependency: {:?}", way.kind)))?;
                rows.push(row.clone().set(Dependency::KIND, kind).set(Dependency::PLATFORM, way.target.clone()));
            }
        }
    }
    tx.insert_all(rows).await?;
    Ok(())
}

async fn store_features(tx: &Repo, metadata: &Metadata, ids: &PackageIds<'_>) -> Result<()> {
    let enabled: HashMap<&str, BTreeSet<&str>> = metadata
        .nodes()
        .iter()
        .map(|node| (node.id.as_str(), node.features.iter().map(String::as_str).collect()))
        .collect();
    let mut rows = Vec::new();
    for package in &metadata.packages {
        let enabled = enabled.get(package.id.as_str());
        for name in package.features.keys() {
            rows.push(
                Feature::build()
                    .set(Feature::PACKAGE_ID, ids.of(&package.id)?)
                    .set(Feature::NAME, name)
                    .set(Feature::ENABLED, enabled.is_some_and(|enabled| enabled.contains(name.as_str()))),
            );
        }
    }
    tx.insert_all(rows).await?;
    Ok(())
}

async fn store_targets(tx: &Repo, metadata: &Metadata, ids: &PackageIds<'_>) -> Result<()> {
    let mut rows = Vec::new();
    for package in &metadata.packages {
        for target in &package.targets {
            rows.push(
                Target::build()
                    .set(Target::PACKAGE_ID, ids.of(&package.id)?)
                    .set(Target::NAME, &target.name)
                    .set(Target::KIND, target.kind.join(", ")),
            );
        }
    }
    tx.insert_all(rows).await?;
    Ok(())
}

async fn store_licenses(tx: &Repo, metadata: &Metadata, ids: &PackageIds<'_>) -> Result<()> {
    let links = links(metadata, ids, |package| license_names(package.license.as_deref().unwrap_or_default()))?;
    let licenses = store_names(tx, License::NAME, &links).await?;
    let rows = links.iter().filter_map(|(package, name)| {
        let license = licenses.get(name)?;
        Some(
            PackageLicense::build().set(PackageLicense::PACKAGE_ID, *package).set(PackageLicense::LICENSE_ID, *license),
        )
    });
    tx.insert_all(rows).await?;
    Ok(())
}

async fn store_keywords(tx: &Repo, metadata: &Metadata, ids: &PackageIds<'_>) -> Result<()> {
    let links =
        links(metadata, ids, |package| package.keywords.iter().map(|keyword| keyword.to_lowercase()).collect())?;
    let keywords = store_names(tx, Keyword::NAME, &links).await?;
    let rows = links.iter().filter_map(|(package, name)| {
        let keyword = keywords.get(name)?;
        Some(
            PackageKeyword::build().set(PackageKeyword::PACKAGE_ID, *package).set(PackageKeyword::KEYWORD_ID, *keyword),
        )
    });
    tx.insert_all(rows).await?;
    Ok(())
}

async fn store_authors(tx: &Repo, metadata: &Metadata, ids: &PackageIds<'_>) -> Result<()> {
    let links = links(metadata, ids, |package| package.authors.iter().map(|author| author_name(author)).collect())?;
    let authors = store_names(tx, Author::NAME, &links).await?;
    let rows = links.iter().filter_map(|(package, name)| {
        let author = authors.get(name)?;
        Some(PackageAuthor::build().set(PackageAuthor::PACKAGE_ID, *package).set(PackageAuthor::AUTHOR_ID, *author))
    });
    tx.insert_all(rows).await?;
    Ok(())
}

/// Which package has which names, each pair once: it is a primary key.
fn links(
    metadata: &Metadata,
    ids: &PackageIds<'_>,
    names: impl Fn(&crate::metadata::Package) -> Vec<String>,
) -> Result<BTreeSet<(i64, String)>> {
    let mut links = BTreeSet::new();
    for package in &metadata.packages {
        let id = ids.of(&package.id)?;
        links.extend(names(package).into_iter().filter(|name| !name.is_empty()).map(|name| (id, name)));
    }
    Ok(links)
}

/// Stores each name once and says which key it has. For any model with a name and an integer key.
async fn store_names<M: Model<Key = i64>>(
    tx: &Repo,
    column: Column<M, String>,
    links: &BTreeSet<(i64, String)>,
) -> Result<HashMap<String, i64>> {
    let names: BTreeSet<&String> = links.iter().map(|(_, name)| name).collect();
    let stored = tx.insert_all(names.iter().map(|name| M::build().set(column, *name))).await?;
    Ok(names.into_iter().cloned().zip(stored.iter().map(Model::key)).collect())
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
