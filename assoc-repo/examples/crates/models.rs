//! The tables of this program, one struct each.
//!
//! A package and its licences know each other through a join model ([`PackageLicense`]), which is a table like any
//! other: its two columns are its primary key. The program reads and writes the licences themselves; the library does the rest.
//! Keywords and authors are done the same way.

// In a program nothing is visible outside, so `pub` could be `pub(crate)` throughout; models read better without.
#![allow(unreachable_pub)]

use assoc_repo::prelude::*;
use serde::Deserialize;

/// A package in one version.
#[derive(Model, Debug, Clone)]
pub struct Package {
    pub id: i64,
    pub name: String,
    pub version: String,
    /// The registry or repository it comes from; none for a package of the file system.
    pub source: Option<String>,
    /// The licence expression as the package states it.
    pub license: Option<String>,
    pub in_workspace: bool,

    /// What it needs.
    #[has_many]
    pub dependencies: HasMany<Dependency>,
    /// Who needs it: the other end of the same table.
    #[has_many(foreign_key = "required_id")]
    pub dependents: HasMany<Dependency>,
    /// The packages that need it, in whatever way.
    #[has_many(through = "dependents", source = "package", distinct)]
    pub needed_by: HasManyThrough<Package>,
    #[has_many]
    pub features: HasMany<Feature>,
    /// The features that are on in this graph, and how many they are.
    #[has_many(filter = Feature::ENABLED.eq(true), order = Feature::NAME.asc())]
    pub enabled_features: HasMany<Feature>,
    pub enabled_count: Aggregated<i64>,
    #[has_many]
    pub targets: HasMany<Target>,
    #[has_many]
    pub package_licenses: HasMany<PackageLicense>,
    #[has_many(through = "package_licenses")]
    pub licenses: HasManyThrough<License>,
    #[has_many]
    pub package_keywords: HasMany<PackageKeyword>,
    #[has_many(through = "package_keywords")]
    pub keywords: HasManyThrough<Keyword>,
    #[has_many]
    pub package_authors: HasMany<PackageAuthor>,
    #[has_many(through = "package_authors")]
    pub authors: HasManyThrough<Author>,
}

/// An edge of the resolved graph: `package` needs `required`. Two associations to one table.
#[derive(Model, Debug, Clone)]
pub struct Dependency {
    pub id: i64,
    pub package_id: i64,
    pub required_id: i64,
    pub kind: DependencyKind,
    /// The platforms it is needed on, `cfg(windows)`; none for all.
    pub platform: Option<String>,

    #[belongs_to]
    pub package: BelongsTo<Package>,
    #[belongs_to]
    pub required: BelongsTo<Package>,
}

/// What a dependency is needed for. Stored as text, `build`, and called the same by cargo.
#[derive(ColumnType, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum DependencyKind {
    Normal,
    Build,
    Dev,
}

/// A feature that a package declares.
#[derive(Model, Debug, Clone)]
pub struct Feature {
    pub id: i64,
    pub package_id: i64,
    pub name: String,
    /// Whether it is on in this graph.
    pub enabled: bool,
}

/// Something a package builds: a library, a program, a test.
#[derive(Model, Debug, Clone)]
pub struct Target {
    pub id: i64,
    pub package_id: i64,
    pub name: String,
    pub kind: String,
}

/// One licence by its SPDX identifier: `MIT`.
#[derive(Model, Debug, Clone)]
pub struct License {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub package_licenses: HasMany<PackageLicense>,
    #[has_many(through = "package_licenses")]
    pub packages: HasManyThrough<Package>,
}

/// A package states a licence.
#[derive(Model, Debug, Clone)]
#[model(primary_key = "package_id, license_id")]
pub struct PackageLicense {
    pub package_id: i64,
    pub license_id: i64,
    #[belongs_to]
    pub package: BelongsTo<Package>,
    #[belongs_to]
    pub license: BelongsTo<License>,
}

#[derive(Model, Debug, Clone)]
pub struct Keyword {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub package_keywords: HasMany<PackageKeyword>,
    #[has_many(through = "package_keywords")]
    pub packages: HasManyThrough<Package>,
}

/// A package carries a keyword.
#[derive(Model, Debug, Clone)]
#[model(primary_key = "package_id, keyword_id")]
pub struct PackageKeyword {
    pub package_id: i64,
    pub keyword_id: i64,
    #[belongs_to]
    pub package: BelongsTo<Package>,
    #[belongs_to]
    pub keyword: BelongsTo<Keyword>,
}

/// A person or team, by name.
#[derive(Model, Debug, Clone)]
pub struct Author {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub package_authors: HasMany<PackageAuthor>,
    #[has_many(through = "package_authors")]
    pub packages: HasManyThrough<Package>,
}

/// An author wrote a package.
#[derive(Model, Debug, Clone)]
#[model(primary_key = "package_id, author_id")]
pub struct PackageAuthor {
    pub package_id: i64,
    pub author_id: i64,
    #[belongs_to]
    pub package: BelongsTo<Package>,
    #[belongs_to]
    pub author: BelongsTo<Author>,
}

impl Package {
    /// Packages that others need for this alone: a condition with a name, on the rows of an association.
    pub fn needed_only_for(kind: DependencyKind) -> Filter<Package> {
        let for_this = Package::DEPENDENTS.any(Dependency::KIND.eq(kind));
        for_this.and(Package::DEPENDENTS.none(Dependency::KIND.ne(kind)))
    }

    /// `serde 1.0.229`.
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}
