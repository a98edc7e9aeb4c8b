//! Associations as data ([`AssociationDef`]).
//!
//! Each kind of association answers for itself through one small trait, [`AssociationBehavior`]; no other code asks
//! "which kind is it?". A [`FieldAccess`], one per holder type, answers for what the owner's field contains.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::error::Result;
use crate::metadata::callbacks::MemberCallbacks;
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
mod parent;
mod polymorphic;
mod reflection;
mod through;

pub use chain::{Chain, ChainHop, ChainParts, KeySide};
pub use custom_sql::{CustomSql, LinkSql, RawSql};
pub use dependent::{Dependent, DependentRows, LinkTargets};
pub(crate) use field_access::share_row;
pub use field_access::{ByOwner, Children, FieldAccess, JoinTableRows, Links, LoadState, Positions, SharedRow};
pub use linkage::{DefaultScope, JoinRecord, Linkage};
pub use parent::{CounterCache, Parent, Touch};
pub use polymorphic::{HasVariant, Polymorphic, VariantDef};
pub use reflection::ForeignKey;

/// The kinds by name, for reflection.
///
/// ```
/// use assoc_core::metadata::AssociationKind;
///
/// assert_eq!(AssociationKind::HasAndBelongsToMany.name(), "has_and_belongs_to_many");
/// ```
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
    /// The name of the attribute: `belongs_to`.
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

/// One key between two tables: the columns of the target's rows equal the owner's columns.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// let key = |association: &'static assoc_core::metadata::AssociationDef| association.linkage().unwrap().key().unwrap().1;
/// assert!(key(User::POSTS.def()).is_inverse_of(key(Post::USER.def())));
/// assert!(!key(User::POSTS.def()).is_inverse_of(key(User::TEAM.def())));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyJoin {
    /// The owner's columns, as indexes.
    pub owner_columns: &'static [usize],
    /// The target's columns, as indexes.
    pub target_columns: &'static [usize],
    /// Whether at most one row of the target holds a key: the target's columns are its primary key.
    pub unique: bool,
    /// The type that the target's row must name beside the key: the other side of a polymorphic `belongs_to`.
    pub target_type: Option<Discriminator>,
}

impl KeyJoin {
    /// Whether both describe the same key, seen from its two ends.
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

/// What a kind says an association consists of. [`Chain`] resolves it to tables and keys.
#[derive(Debug, Clone, Copy)]
pub enum Route {
    /// One look-up of the target by the key in the owner's row.
    OwnerKey(KeyJoin),
    /// One look-up of the target by the owner's key in the target's row.
    TargetKey(KeyJoin),
    /// Through another association of the owner, and then through an association of that one's target.
    Through {
        /// The owner's association.
        through: &'static AssociationDef,
        /// The association of its target that reaches the targets of this one.
        source: &'static AssociationDef,
        /// The one type to follow, of a polymorphic source.
        source_type: Option<&'static str>,
    },
    /// Through a join table: from the owner to its join rows, and from these to the targets.
    JoinTable {
        /// The join table: the keys alone, or the model of its rows.
        table: &'static ModelDef,
        /// From the owner to its join rows.
        links: KeyJoin,
        /// From the join rows to the targets.
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
    /// By hand-written SQL.
    CustomSql(CustomSql),
}

/// The kinds. They are those that the derive knows, and how they are written is still growing: no other crate adds one.
pub(crate) mod kinds {
    pub use super::belongs_to::BelongsToKind;
    pub use super::custom_sql::CustomSqlKind;
    pub use super::has_and_belongs_to_many::HasAndBelongsToManyKind;
    pub use super::has_many::HasManyKind;
    pub use super::has_one::HasOneKind;
    pub use super::polymorphic::PolymorphicBelongsToKind;
    pub use super::through::ThroughKind;

    pub(super) mod sealed {
        pub trait Kind {}
        impl Kind for super::BelongsToKind {}
        impl Kind for super::CustomSqlKind {}
        impl Kind for super::HasAndBelongsToManyKind {}
        impl Kind for super::HasManyKind {}
        impl Kind for super::HasOneKind {}
        impl Kind for super::PolymorphicBelongsToKind {}
        impl Kind for super::ThroughKind {}
    }
}

/// The behavior of one kind of association. The kinds of this crate implement it.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
#[doc = include_str!("../../docs/association_behavior.txt")]
/// ```
pub trait AssociationBehavior: kinds::sealed::Kind + Send + Sync + fmt::Debug {
    /// Its name.
    fn association_kind(&self) -> AssociationKind;

    /// How many targets an owner has.
    fn cardinality(&self) -> Cardinality;

    /// The path from an owner to its targets.
    ///
    /// # Errors
    /// When the declaration contradicts itself. The message says what to change.
    fn route(&self, association: &AssociationDef) -> Result<Route>;

    /// How a target is linked to its owner: what a write has to change.
    ///
    /// # Errors
    /// When the declaration contradicts itself. The message says what to change.
    fn linkage(&self, association: &AssociationDef) -> Result<Linkage>;

    /// The rows that a destroy of an owner acts on: those that are linked to it, by the association's
    /// [`dependent`](Options::dependent) option, and rows of a join table in any case.
    ///
    /// # Errors
    /// When the declaration contradicts itself. The message says what to change.
    fn dependents(&self, association: &AssociationDef) -> Result<Vec<DependentRows>>;

    /// The rows that a row of the owner's model belongs to by this association, whose counters and times follow it: one for
    /// each model that it may belong to. None of a kind whose key is not in the owner's row, or without
    /// [`counter_cache`](Options::counter_cache) and [`touch`](Options::touch).
    fn parents(&self, association: &'static AssociationDef) -> Vec<Parent> {
        let _ = association;
        Vec::new()
    }

    /// The two associations that a through association consists of: the owner's association, and the source. `None` for
    /// all other kinds.
    fn parts(&self) -> Option<[&'static AssociationDef; 2]> {
        None
    }
}

/// An association as data. Written by the derive, read by reflection, planner and executor.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
#[doc = include_str!("../../docs/association_def.txt")]
/// ```
#[non_exhaustive]
pub struct AssociationDef {
    /// Its name: the field's.
    pub name: &'static str,
    /// Its name in the plural, which joined tables are named after.
    pub plural: &'static str,
    /// The owner's model.
    pub owner: fn() -> &'static ModelDef,
    /// The target's model; for a polymorphic association the first of its models.
    pub target: fn() -> &'static ModelDef,
    /// The behavior of its kind.
    pub kind: &'static dyn AssociationBehavior,
    /// Access to the owner's field.
    pub field_access: &'static dyn FieldAccess,
    /// The declared options beside kind and keys.
    pub options: Options,
}

/// The options of an association beside its kind and keys.
///
/// ```
#[doc = include_str!("../../docs/options.txt")]
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Options {
    /// Whether an owner may have no target. The field's type says so.
    pub optional: bool,
    /// The declared scope: filter, order and limit per owner. Each request evaluates it.
    pub scope: Option<fn() -> ScopeDef>,
    /// A scope that depends on the owner. Loading costs one statement per distinct scope.
    pub owner_scope: Option<fn(&dyn Any) -> ScopeDef>,
    /// Whether saving and deleting loaded targets is refused. Loading marks them in their field of type
    /// [`RowOrigin`](crate::RowOrigin).
    pub readonly: bool,
    /// The association of the target that refers back to the owner.
    pub inverse: Inverse,
    /// What a polymorphic association does about unknown types.
    pub unknown_type: UnknownType,
    /// What becomes of the rows when their owner is destroyed; nothing, if nothing is said.
    pub dependent: Option<Dependent>,
    /// Whether new and changed members are saved with the owner; only links are if this is `false`.
    pub autosave: Option<bool>,
    /// Whether problems that the application found in members refuse the save of their owner.
    pub validate: bool,
    /// Of a `belongs_to`, the column of the target that counts the rows that belong to it.
    pub counter_cache: Option<CounterCache>,
    /// Of an association to many, the owner's column that counts its rows, where it says which.
    pub counted_in: Option<usize>,
    /// Of a `belongs_to`, the times of the target that follow the rows that belong to it.
    pub touch: Option<Touch>,
    /// The functions that run when rows become members, and when they are members no longer.
    pub callbacks: Option<MemberCallbacks>,
    /// Of a join table, the statement that links a target to its owner, in place of an INSERT of both keys.
    pub insert_sql: Option<LinkSql>,
    /// Of a join table, the statement that unlinks a target from its owner, in place of a DELETE by both keys.
    pub delete_sql: Option<LinkSql>,
}

/// What a polymorphic `belongs_to` does about a type that is none of its variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnknownType {
    /// Loading fails with an error that names the row and the type.
    #[default]
    Error,
    /// The association of the row stays not loaded; those of other rows are loaded.
    NotLoaded,
}

/// How the inverse association is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Inverse {
    /// By its keys, if exactly one association fits.
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
            autosave: None,
            validate: true,
            counter_cache: None,
            counted_in: None,
            touch: None,
            callbacks: None,
            insert_sql: None,
            delete_sql: None,
        }
    }

    /// Says whether an owner may have no target.
    #[must_use]
    pub const fn optional(mut self, optional: bool) -> Self {
        self.optional = optional;
        self
    }

    /// Sets the declared scope.
    #[must_use]
    pub const fn scope(mut self, scope: fn() -> ScopeDef) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Sets a scope that depends on the owner.
    #[must_use]
    pub const fn owner_scope(mut self, scope: fn(&dyn Any) -> ScopeDef) -> Self {
        self.owner_scope = Some(scope);
        self
    }

    /// Refuses to save or delete loaded targets.
    #[must_use]
    pub const fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// Sets what a polymorphic association does about unknown types.
    #[must_use]
    pub const fn unknown_type(mut self, unknown_type: UnknownType) -> Self {
        self.unknown_type = unknown_type;
        self
    }

    /// Sets what becomes of the rows when their owner is destroyed.
    #[must_use]
    pub const fn dependent(mut self, dependent: Dependent) -> Self {
        self.dependent = Some(dependent);
        self
    }

    /// Whether new and changed members are saved with the owner.
    #[must_use]
    pub const fn autosave(mut self, autosave: bool) -> Self {
        self.autosave = Some(autosave);
        self
    }

    /// Whether problems that the application found in members refuse the save of their owner.
    #[must_use]
    pub const fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// Sets the counter cache.
    #[must_use]
    pub const fn counter_cache(mut self, counter_cache: CounterCache) -> Self {
        self.counter_cache = Some(counter_cache);
        self
    }

    /// Sets the owner's column that counts the rows of an association to many.
    #[must_use]
    pub const fn counted_in(mut self, column: usize) -> Self {
        self.counted_in = Some(column);
        self
    }

    /// Sets which times follow.
    #[must_use]
    pub const fn touch(mut self, touch: Touch) -> Self {
        self.touch = Some(touch);
        self
    }

    /// Sets the functions that run when rows become members, and when they are members no longer.
    #[must_use]
    pub const fn callbacks(mut self, callbacks: MemberCallbacks) -> Self {
        self.callbacks = Some(callbacks);
        self
    }

    /// Sets the statement that links a target.
    #[must_use]
    pub const fn insert_sql(mut self, sql: LinkSql) -> Self {
        self.insert_sql = Some(sql);
        self
    }

    /// Sets the statement that unlinks a target.
    #[must_use]
    pub const fn delete_sql(mut self, sql: LinkSql) -> Self {
        self.delete_sql = Some(sql);
        self
    }

    /// Sets how the inverse association is found.
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
    /// Makes an association. The derive calls this.
    #[doc(hidden)]
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

    /// The scope declared on the association, without the target model's default scope. This evaluates the scope
    /// function.
    #[must_use]
    pub fn scope(&self) -> ScopeDef {
        self.options.scope.map_or_else(ScopeDef::default, |scope| scope())
    }

    /// Whether an owner never has all rows that key and conditions lead to: the association limits or groups them itself, or one
    /// that it goes through does, or the default scope of one of their models.
    #[must_use]
    pub fn chooses_rows(&self) -> bool {
        let of_default = |model: &ModelDef, unscoped: bool| {
            let scope = model.default_scope.filter(|_| !unscoped);
            scope.is_some_and(|scope| scope().chooses())
        };
        let record = match self.linkage() {
            Ok(Linkage::JoinRecord(record)) => Some(record),
            _ => None,
        };
        let own = self.scope();
        let [source, rows] = [record.and_then(|record| record.source), record.and_then(|record| record.rows)]
            .map(|part| part.map(AssociationDef::scope).unwrap_or_default());
        [&own, &source, &rows].into_iter().any(ScopeDef::chooses)
            || of_default((self.target)(), own.unscoped || source.unscoped)
            || record.is_some_and(|record| of_default(record.table, rows.unscoped))
    }

    /// The association of the target that refers back to the owner of this one (F126, F128). It is the one that the
    /// declaration names; otherwise the only `belongs_to` over the same key for a `has_many` or `has_one`, and the
    /// reverse for a `belongs_to`. An association with a scope has an inverse only by name, because the inverse would
    /// also be set on rows outside the scope.
    ///
    /// # Errors
    /// When the named association does not exist (F131).
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

    /// Whether functions run when rows become its members.
    #[must_use]
    pub fn has_add_callbacks(&self) -> bool {
        self.options.callbacks.is_some_and(|callbacks| callbacks.concern_adds())
    }

    /// Whether functions run when rows are its members no longer.
    #[must_use]
    pub fn has_remove_callbacks(&self) -> bool {
        self.options.callbacks.is_some_and(|callbacks| callbacks.concern_removals())
    }

    fn is_scoped(&self) -> bool {
        self.options.scope.is_some() || self.options.owner_scope.is_some()
    }
}

impl PartialEq for AssociationDef {
    fn eq(&self, other: &Self) -> bool {
        // The address is a hint: a constant may exist at several.
        std::ptr::eq(self, other) || self.name == other.name && (self.owner)() == (other.owner)()
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
