//! Associations as data ([`AssociationDef`]).
//!
//! What a kind of association means is answered by its own module through one small trait, [`AssociationBehavior`]; nothing else asks
//! "which kind is it?". What is stored in the owner's field is answered by a [`FieldAccess`], one a holder type.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::error::Result;
use crate::metadata::expr::Expr;
use crate::metadata::model::{Discriminator, ModelDef};
use crate::metadata::request::ScopeDef;

mod belongs_to;
mod chain;
mod custom_sql;
mod dependent;
mod field_access;
mod has_and_belongs_to_many;
mod has_many;
mod has_one;
mod linkage;
mod polymorphic;
mod reflection;
mod through;

pub use belongs_to::BelongsToKind;
pub use chain::{Chain, ChainHop, ChainParts, KeySide};
pub use custom_sql::{CustomSql, CustomSqlKind, RawSql};
pub(crate) use field_access::share_row;
pub use field_access::{ByOwner, Children, FieldAccess, JoinTableRows, Links, LoadState, Positions, SharedRow};
pub use dependent::{Dependent, DependentRows, LinkTargets};
pub use has_and_belongs_to_many::HasAndBelongsToManyKind;
pub use has_many::HasManyKind;
pub use has_one::HasOneKind;
pub use linkage::{JoinRecord, Linkage};
pub use polymorphic::{HasVariant, Polymorphic, PolymorphicBelongsToKind, VariantDef};
pub use reflection::ForeignKey;
pub use through::ThroughKind;

/// The kinds by name, for reflection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssociationKind {
    /// The foreign key is on the owner.
    BelongsTo,
    /// The foreign key is on the single target.
    HasOne,
    /// The foreign key is on each target.
    HasMany,
    /// One target behind another association.
    HasOneThrough,
    /// Targets behind another association.
    HasManyThrough,
    /// Targets behind a join table without model.
    HasAndBelongsToMany,
}

impl AssociationKind {
    /// The attribute's name: `belongs_to`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            AssociationKind::BelongsTo => "belongs_to",
            AssociationKind::HasOne => "has_one",
            AssociationKind::HasMany => "has_many",
            AssociationKind::HasOneThrough => "has_one through",
            AssociationKind::HasManyThrough => "has_many through",
            AssociationKind::HasAndBelongsToMany => "has_and_belongs_to_many",
        }
    }
}

impl fmt::Display for AssociationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many targets an owner has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cardinality {
    /// At most one.
    One,
    /// Any number.
    Many,
}

/// One step from a model to another: the target's rows whose columns hold the owner's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyJoin {
    /// The owner's columns, as indexes.
    pub owner_columns: &'static [usize],
    /// The target's columns, as indexes.
    pub target_columns: &'static [usize],
    /// Whether at most one row of the target holds a key: the target's columns are its primary key.
    pub unique: bool,
    /// The type the target's row must name beside the key: the other side of a polymorphic `belongs_to`.
    pub target_type: Option<Discriminator>,
}

impl KeyJoin {
    /// Whether both are the same key, seen from its two ends.
    #[must_use]
    pub fn is_inverse_of(self, other: KeyJoin) -> bool {
        self.owner_columns == other.target_columns && self.target_columns == other.owner_columns
    }

    /// A condition on rows of the target, with the type that they must name beside the key.
    #[must_use]
    pub(crate) fn typed(&self, target: &ModelDef, filter: Expr) -> Expr {
        match self.target_type {
            Some(Discriminator { column, tag }) => Expr::tagged(&target.columns[column], tag).and(filter),
            None => filter,
        }
    }
}

/// What an association is made of, as its kind says it; followed to its end by [`Chain`].
#[derive(Debug, Clone, Copy)]
pub enum Route {
    /// One look-up of the target by the key that the owner's row holds.
    OwnerKey(KeyJoin),
    /// One look-up of the target by the owner's key, which the target's row holds.
    TargetKey(KeyJoin),
    /// By way of another association of the owner, and on by an association of what that leads to.
    Through {
        /// The owner's association.
        through: &'static AssociationDef,
        /// The association of its target that leads on.
        source: &'static AssociationDef,
        /// Of a polymorphic source, the one type to follow.
        source_type: Option<&'static str>,
    },
    /// By way of a join table: from the owner to links, from links to targets.
    JoinTable {
        /// The join table: the keys alone, or the model of its rows.
        table: &'static ModelDef,
        /// From the owner to its links.
        links: KeyJoin,
        /// From links to targets.
        targets: KeyJoin,
    },
    /// To one of several models, which a column of the owner names.
    Polymorphic {
        /// The owner's column that names the type.
        type_column: usize,
        /// The owner's key columns.
        owner_columns: &'static [usize],
        /// The models, each with its tag.
        variants: &'static [VariantDef],
    },
    /// By the application's SQL.
    CustomSql(CustomSql),
}

/// What one kind of association means.
pub trait AssociationBehavior: Send + Sync + fmt::Debug {
    /// Its name.
    fn association_kind(&self) -> AssociationKind;

    /// How many targets an owner has.
    fn cardinality(&self) -> Cardinality;

    /// How to get from owner to target.
    ///
    /// # Errors
    /// When the declaration does not hold together, with what to change.
    fn route(&self, association: &AssociationDef) -> Result<Route>;

    /// How a target is linked to its owner: what a write has to change.
    ///
    /// # Errors
    /// When the declaration does not hold together, with what to change.
    fn linkage(&self, association: &AssociationDef) -> Result<Linkage>;

    /// Which rows something is done with when an owner is destroyed: those that are linked to it, by the association's
    /// [`dependent`](Options::dependent) option, and rows of a join table in any case.
    ///
    /// # Errors
    /// When the declaration does not hold together, with what to change.
    fn dependents(&self, association: &AssociationDef) -> Result<Vec<DependentRows>>;

    /// The two associations it is made of, if it goes through another: the owner's, and the one that leads on.
    fn parts(&self) -> Option<[&'static AssociationDef; 2]> {
        None
    }
}

/// An association as data. Written by the derive, read by reflection, planner and executor.
#[non_exhaustive]
pub struct AssociationDef {
    /// Its name: the field's.
    pub name: &'static str,
    /// Its name in the plural, which joined tables are named after.
    pub plural: &'static str,
    /// The owner's model.
    pub owner: fn() -> &'static ModelDef,
    /// The target's model; of a polymorphic association, the first of them.
    pub target: fn() -> &'static ModelDef,
    /// What it means.
    pub kind: &'static dyn AssociationBehavior,
    /// Where it is stored.
    pub field_access: &'static dyn FieldAccess,
    /// What was declared beside kind and keys.
    pub options: Options,
}

/// What can be declared on an association beside its kind and keys.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Options {
    /// Whether an owner may be without a target: the field's type says so.
    pub optional: bool,
    /// Which of the targets, in which order, at most how many an owner; evaluated for each request.
    pub scope: Option<fn() -> ScopeDef>,
    /// The same, depending on the owner. One statement for each distinct result.
    pub owner_scope: Option<fn(&dyn Any) -> ScopeDef>,
    /// Loaded targets refuse to be saved or deleted: they are marked in their field of type [`RowOrigin`](crate::RowOrigin).
    pub readonly: bool,
    /// The association that leads back.
    pub inverse: Inverse,
    /// What a polymorphic association does about types it does not know.
    pub unknown_type: UnknownType,
    /// What becomes of the rows when their owner is destroyed; nothing, if nothing is said.
    pub dependent: Option<Dependent>,
}

/// What a polymorphic `belongs_to` does about a type it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnknownType {
    /// Loading fails, naming row and type.
    #[default]
    Error,
    /// Its owner stays not loaded; the others are loaded.
    NotLoaded,
}

/// How the association that leads back is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Inverse {
    /// By its keys, if exactly one fits.
    #[default]
    Automatic,
    /// There is none.
    None,
    /// By name.
    Named(&'static str),
}

impl Options {
    /// Nothing but defaults.
    #[must_use]
    pub const fn new() -> Self {
        Options {
            optional: false,
            scope: None,
            owner_scope: None,
            readonly: false,
            inverse: Inverse::Automatic,
            unknown_type: UnknownType::Error,
            dependent: None,
        }
    }

    /// Whether an owner may be without a target.
    #[must_use]
    pub const fn optional(mut self, optional: bool) -> Self {
        self.optional = optional;
        self
    }

    /// Which of the targets.
    #[must_use]
    pub const fn scope(mut self, scope: fn() -> ScopeDef) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Which of the targets, depending on the owner.
    #[must_use]
    pub const fn owner_scope(mut self, scope: fn(&dyn Any) -> ScopeDef) -> Self {
        self.owner_scope = Some(scope);
        self
    }

    /// Loaded targets refuse to be saved or deleted.
    #[must_use]
    pub const fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// Owners that name a type it does not know stay not loaded.
    #[must_use]
    pub const fn unknown_type(mut self, unknown_type: UnknownType) -> Self {
        self.unknown_type = unknown_type;
        self
    }

    /// What becomes of the rows when their owner is destroyed.
    #[must_use]
    pub const fn dependent(mut self, dependent: Dependent) -> Self {
        self.dependent = Some(dependent);
        self
    }

    /// The association that leads back.
    #[must_use]
    pub const fn inverse(mut self, inverse: Inverse) -> Self {
        self.inverse = inverse;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::new()
    }
}

impl AssociationDef {
    /// An association. Called by the derive.
    #[must_use]
    pub const fn new(
        name: &'static str,
        plural: &'static str,
        owner: fn() -> &'static ModelDef,
        target: fn() -> &'static ModelDef,
        kind: &'static dyn AssociationBehavior,
        field_access: &'static dyn FieldAccess,
        options: Options,
    ) -> Self {
        AssociationDef { name, plural, owner, target, kind, field_access, options }
    }

    /// `User.posts`.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        format!("{}.{}", (self.owner)().name, self.name)
    }

    /// The kind's name.
    #[must_use]
    pub fn association_kind(&self) -> AssociationKind {
        self.kind.association_kind()
    }

    /// Its own scope, without the target model's; evaluated now.
    #[must_use]
    pub fn scope(&self) -> ScopeDef {
        self.options.scope.map_or_else(ScopeDef::default, |scope| scope())
    }

    /// The association of the target that leads back to this one's owner (F126, F128): the one that is named, or the
    /// only `belongs_to` over the same key for a `has_many` or `has_one`, and the other way round. Associations with a
    /// scope have none unless it is named: not every row they leave out leads back.
    ///
    /// # Errors
    /// When the one that is named does not exist (F131).
    pub fn inverse(&self) -> Result<Option<&'static AssociationDef>> {
        match self.options.inverse {
            Inverse::None => return Ok(None),
            Inverse::Named(name) => return (self.target)().association(name).map(Some),
            Inverse::Automatic => {}
        }
        if self.is_scoped() {
            return Ok(None);
        }
        let Some((side, key)) = self.linkage().ok().and_then(|linkage| linkage.key()) else { return Ok(None) };
        let owner = (self.owner)();
        let leads_back = |candidate: &&'static AssociationDef| {
            !candidate.is_scoped()
                && candidate.options.inverse != Inverse::None
                && (candidate.target)() == owner
                && candidate.linkage().is_ok_and(|linkage| {
                    linkage.key().is_some_and(|(other, back)| other != side && key.is_inverse_of(back))
                })
        };
        let mut candidates = (self.target)().associations.iter().filter(leads_back);
        let first = candidates.next();
        Ok(if candidates.next().is_some() { None } else { first })
    }

    fn is_scoped(&self) -> bool {
        self.options.scope.is_some() || self.options.owner_scope.is_some()
    }
}

impl PartialEq for AssociationDef {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && (self.owner)() == (other.owner)()
    }
}

impl Eq for AssociationDef {}

impl Hash for AssociationDef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name, (self.owner)().name).hash(state);
    }
}

impl fmt::Debug for AssociationDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The models by name only: associations form cycles.
        f.debug_struct("AssociationDef")
            .field("name", &self.name)
            .field("owner", &(self.owner)().name)
            .field("target", &(self.target)().name)
            .field("kind", &self.kind)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
