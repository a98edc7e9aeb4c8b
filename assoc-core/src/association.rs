//! Associations as data ([`AssociationDef`]) and as typed constants ([`Association`]).
//!
//! What a kind of association means is answered by its own module through one small trait, [`Kind`]; nothing else asks
//! "which kind is it?". What is stored in the owner's field is answered by a [`Slot`], one a holder type.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use crate::error::{AssociationNotLoaded, NotLoadedReason, Result};
use crate::expr::Expr;
use crate::model::{Discriminator, ModelDef};
use crate::planner::Shape;
use crate::value::Value;

mod belongs_to;
mod conditions;
mod finder;
mod has_and_belongs_to_many;
mod has_many;
mod has_one;
mod joined;
mod polymorphic;
mod reflection;
mod slot;
mod through;

pub use belongs_to::BelongsToKind;
pub use conditions::OfType;
pub use finder::{Finder, FinderKind, RawSql};
pub use has_and_belongs_to_many::HasAndBelongsToManyKind;
pub use has_many::HasManyKind;
pub use has_one::HasOneKind;
pub use joined::{Joined, JoinedColumn};
pub use polymorphic::{HasVariant, Polymorphic, PolymorphicBelongsToKind, Variant, VariantDef, VariantPreload};
pub use reflection::ForeignKey;
pub(crate) use slot::share_row;
pub use slot::{ByOwner, Children, JoinTableRows, Links, LoadState, Positions, SharedRow, Slot};
pub use through::{Missing, PickSource, PickTypedSource, ThroughKind};

/// The kinds by name, for reflection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Macro {
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

impl Macro {
    /// The attribute's name: `belongs_to`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Macro::BelongsTo => "belongs_to",
            Macro::HasOne => "has_one",
            Macro::HasMany => "has_many",
            Macro::HasOneThrough => "has_one through",
            Macro::HasManyThrough => "has_many through",
            Macro::HasAndBelongsToMany => "has_and_belongs_to_many",
        }
    }
}

impl fmt::Display for Macro {
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
pub struct Hop {
    /// The owner's columns, as indexes.
    pub owner_columns: &'static [usize],
    /// The target's columns, as indexes.
    pub target_columns: &'static [usize],
    /// Whether at most one row of the target holds a key: the target's columns are its primary key.
    pub unique: bool,
    /// The type the target's row must name beside the key: the other side of a polymorphic `belongs_to`.
    pub target_type: Option<Discriminator>,
}

impl Hop {
    /// A condition on rows of the target, with the type that they must name beside the key.
    #[must_use]
    pub(crate) fn typed(&self, target: &ModelDef, filter: Expr) -> Expr {
        match self.target_type {
            Some(Discriminator { column, tag }) => {
                Expr::equals(target.columns[column].name, Value::from(tag)).and(filter)
            }
            None => filter,
        }
    }
}

/// How the planner gets from owner to target.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Route {
    /// One look-up of the target by key.
    Direct(Hop),
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
        links: Hop,
        /// From links to targets.
        targets: Hop,
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
    /// By a statement of the application's own.
    Found(Finder),
}

/// What one kind of association means.
pub trait Kind: Send + Sync + fmt::Debug {
    /// Its name.
    fn association_macro(&self) -> Macro;

    /// How many targets an owner has.
    fn cardinality(&self) -> Cardinality;

    /// How to get from owner to target.
    ///
    /// # Errors
    /// When the declaration does not hold together, with what to change.
    fn route(&self, association: &AssociationDef) -> Result<Route>;

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
    pub kind: &'static dyn Kind,
    /// Where it is stored.
    pub slot: &'static dyn Slot,
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
    pub scope: Option<fn() -> Shape>,
    /// The same, depending on the owner. One statement for each distinct result.
    pub owner_scope: Option<fn(&dyn Any) -> Shape>,
    /// Loaded targets refuse to be saved or deleted: they are marked in their field of type [`RowOrigin`](crate::RowOrigin).
    pub readonly: bool,
    /// The association that leads back.
    pub inverse: Inverse,
    /// What a polymorphic association does about types it does not know.
    pub unknown_type: UnknownType,
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
    pub const fn scope(mut self, scope: fn() -> Shape) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Which of the targets, depending on the owner.
    #[must_use]
    pub const fn owner_scope(mut self, scope: fn(&dyn Any) -> Shape) -> Self {
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
        kind: &'static dyn Kind,
        slot: &'static dyn Slot,
        options: Options,
    ) -> Self {
        AssociationDef { name, plural, owner, target, kind, slot, options }
    }

    /// `User.posts`.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        format!("{}.{}", (self.owner)().name, self.name)
    }

    /// The kind's name.
    #[must_use]
    pub fn association_macro(&self) -> Macro {
        self.kind.association_macro()
    }

    /// Its own scope, without the target model's; evaluated now.
    #[must_use]
    pub fn scope(&self) -> Shape {
        self.options.scope.map_or_else(Shape::default, |scope| scope())
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
        let Ok(Route::Direct(hop)) = self.kind.route(self) else { return Ok(None) };
        if self.is_scoped() {
            return Ok(None);
        }
        let owner = (self.owner)();
        let mut candidates = (self.target)().associations.iter().filter(|candidate| {
            let crosses =
                (candidate.association_macro() == Macro::BelongsTo) != (self.association_macro() == Macro::BelongsTo);
            crosses
                && !candidate.is_scoped()
                && candidate.options.inverse != Inverse::None
                && (candidate.target)() == owner
                && matches!(candidate.kind.route(candidate), Ok(Route::Direct(back))
                    if back.owner_columns == hop.target_columns && back.target_columns == hop.owner_columns)
        });
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

/// An association of model `O` to model `T`, held in a field of type `H`. A constant made by the derive:
/// `User::POSTS`.
pub struct Association<O, T, H> {
    def: &'static AssociationDef,
    types: PhantomData<fn() -> (O, T, H)>,
}

impl<O, T, H> Clone for Association<O, T, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O, T, H> Copy for Association<O, T, H> {}

impl<O, T, H> Association<O, T, H> {
    /// The token of an association. Called by the derive, which makes sure that the types are those of `def`.
    #[must_use]
    pub const fn new(def: &'static AssociationDef) -> Self {
        Association { def, types: PhantomData }
    }

    /// The association as data.
    #[must_use]
    pub const fn def(self) -> &'static AssociationDef {
        self.def
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.def.name
    }

    /// The error of reading it when it is not in memory, for an accessor of one's own: what the derived one answers.
    ///
    /// ```ignore
    /// self.posts.get().map_err(|reason| User::POSTS.not_loaded(reason))
    /// ```
    #[cold]
    #[must_use]
    pub fn not_loaded(self, reason: NotLoadedReason) -> AssociationNotLoaded {
        AssociationNotLoaded::new((self.def.owner)().name, self.def.name, reason)
    }
}

impl<O, T, H> fmt::Debug for Association<O, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.def, f)
    }
}

/// A foreign key column of this type can refer to a key of type `K`: the same type, or an `Option` of it on either
/// side.
#[diagnostic::on_unimplemented(
    message = "a foreign key of type `{Self}` cannot refer to a key of type `{K}`",
    label = "this association's foreign key has another type than the key it refers to",
    note = "make the column `{K}` or `Option<{K}>`, or name another column with `foreign_key = \"…\"` or `primary_key = \"…\"`"
)]
pub trait ForeignKeyFor<K> {}

impl<K> ForeignKeyFor<K> for K {}
impl<K> ForeignKeyFor<K> for Option<K> {}
impl<K> ForeignKeyFor<Option<K>> for K {}
