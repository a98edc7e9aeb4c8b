//! The tables between an association's owner and its targets. They are resolved here; other modules render them as SQL.
//!
//! A kind says what it consists of ([`Route`]): a key, a key and a type, a join table, two other associations, or SQL.
//! A [`Chain`] resolves that answer to tables. Each table has the key from the table before, the type that a row must
//! name, and the scope of its rows. Keyed statements, joins, subqueries, counts, reflection and checks all read the
//! same chain, so they agree about the rows of an association.
//!
//! A through association is two chains one after the other. They stay two, because each may limit its own rows (a
//! limit, the one row of a `has_one`). [`Chain::hops`] is the flat form.

mod scopes;

use std::any::Any;

use self::scopes::{of_targets, on_default_scope, scope_of_join_rows};
use super::{AssociationDef, Cardinality, CustomSql, KeyJoin, Route, VariantDef};
use crate::error::{Error, Result};
use crate::metadata::expr::Expr;
use crate::metadata::filter_hook::{FilterHook, filtered};
use crate::metadata::model::{Discriminator, ModelDef};
use crate::metadata::request::ScopeDef;

/// An association with all tables from its owner to its targets.
///
/// ```
/// # use assoc_core::metadata::Chain;
/// # use assoc_core::{BelongsTo, HasMany, HasManyThrough, Model};
/// # use assoc_macros::Model;
/// # #[derive(Model, Clone)]
/// # struct User {
/// #     id: i64,
/// #     #[has_many]
/// #     memberships: HasMany<Membership>,
/// #     #[has_many(through = "memberships")]
/// #     groups: HasManyThrough<Group>,
/// # }
/// # #[derive(Model, Clone)]
/// # struct Membership {
/// #     id: i64,
/// #     user_id: i64,
/// #     group_id: i64,
/// #     #[belongs_to]
/// #     group: BelongsTo<Group>,
/// # }
/// # #[derive(Model, Clone)]
/// # struct Group { id: i64 }
/// let chain = Chain::keys(User::GROUPS.def())?;
/// let tables: Vec<&str> = chain.hops().iter().map(|hop| hop.model.table.name).collect();
/// assert_eq!(tables, ["memberships", "groups"]);
/// # Ok::<(), assoc_core::Error>(())
/// ```
///
/// With its scopes, and as it is read:
///
/// ```
#[doc = include_str!("../../../docs/blog.txt")]
#[doc = include_str!("../../../docs/chain.txt")]
/// ```
#[derive(Debug, Clone)]
pub struct Chain {
    /// The association.
    pub association: &'static AssociationDef,
    /// The scope of the targets: the association's scope with the requested scope on top. The target model's default
    /// scope is not in it, but in each [hop's](ChainHop::scope). A chain of [keys](Chain::keys) has no conditions here.
    pub scope: ScopeDef,
    /// The requested part of the scope, on top of the association's.
    pub requested: ScopeDef,
    /// Whether a scope that depends on the owner has yet to be added between the two.
    pub owner_scoped: bool,
    /// The tables, or the chains, that it consists of.
    pub parts: ChainParts,
}

/// The tables, or the chains, that a chain consists of.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)] // The most frequent variant is the largest, and chains are not kept in lists.
pub enum ChainParts {
    /// One table, by a key.
    Key(ChainHop),
    /// One table for each type that the owner may name.
    ByType {
        /// The tables. It is one table where a single type is followed.
        hops: Vec<ChainHop>,
        /// All types of the association.
        all: &'static [VariantDef],
        /// The single type that is followed.
        only_type: Option<&'static str>,
    },
    /// The tables of two other associations.
    Through {
        /// From the owner to the intermediate rows.
        through: Box<Chain>,
        /// From the intermediate rows to the targets.
        source: Box<Chain>,
    },
    /// A join table, and the targets that its rows refer to.
    JoinTable {
        /// From the owner to the rows of the join table.
        rows: Box<ChainHop>,
        /// From there to the targets.
        targets: Box<ChainHop>,
    },
    /// Hand-written SQL says which rows an owner has, so no table is known.
    CustomSql(CustomSql),
}

/// One table of a chain, with the key from the table before.
///
/// ```
#[doc = include_str!("../../../docs/blog.txt")]
/// use assoc_core::metadata::Chain;
///
/// let chain = Chain::keys(Post::USER.def())?;
/// let hop = chain.as_key().expect("one key");
/// assert_eq!((hop.model, hop.key.target_columns), (User::DEF, User::PRIMARY_KEY));
/// assert!(hop.is_single() && hop.condition().is_always());
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChainHop {
    /// The association that it is a part of.
    pub association: &'static AssociationDef,
    /// The model of the table before.
    pub owner: &'static ModelDef,
    /// The model of this table.
    pub model: &'static ModelDef,
    /// The key, from the table before to this one.
    pub key: KeyJoin,
    /// Which of the two rows contains the foreign key.
    pub foreign_key: KeySide,
    /// The type that the row before must name.
    pub owner_type: Option<Discriminator>,
    /// The type, of a polymorphic association.
    pub variant: Option<&'static VariantDef>,
    /// The scope of the rows, including the model's default scope. It does not repeat the conditions on key and type.
    pub scope: ScopeDef,
}

/// Which of two rows contains the foreign key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeySide {
    /// The row before: a `belongs_to`, or the row of a join table that refers to its target.
    Owner,
    /// The row that is reached: a `has_many` or `has_one`, or the row of a join table that refers to its owner.
    Target,
}

/// The scopes on top of an association's own: the owner's scope where it is known, and the requested scope.
struct Requested {
    owner: Option<ScopeDef>,
    requested: ScopeDef,
}

impl Chain {
    /// The tables and keys alone. This evaluates no scope, so every scope of the chain includes all rows.
    ///
    /// # Errors
    /// When a declaration contradicts itself, or the association goes through itself.
    pub fn keys(association: &'static AssociationDef) -> Result<Chain> {
        Chain::of_type(association, None, None)
    }

    /// The chain with its scopes, and with the requested scope on top of the association's own.
    ///
    /// # Errors
    /// As [`keys`](Self::keys). Also when a default scope groups, or that of a join table has a limit or offset.
    pub fn scoped(association: &'static AssociationDef, requested: ScopeDef) -> Result<Chain> {
        Chain::of_type(association, None, Some(Requested { owner: None, requested }))
    }

    /// As [`scoped`](Self::scoped), for a single type of a polymorphic association.
    ///
    /// # Errors
    /// As [`scoped`](Self::scoped).
    pub fn scoped_to(
        association: &'static AssociationDef,
        requested: ScopeDef,
        only_type: Option<&'static str>,
    ) -> Result<Chain> {
        Chain::of_type(association, only_type, Some(Requested { owner: None, requested }))
    }

    /// As [`scoped`](Self::scoped), with the known scope of an owner.
    ///
    /// # Errors
    /// As [`scoped`](Self::scoped).
    pub fn of_owner(association: &'static AssociationDef, owner: ScopeDef, requested: ScopeDef) -> Result<Chain> {
        Chain::of_type(association, None, Some(Requested { owner: Some(owner), requested }))
    }

    fn of_type(
        association: &'static AssociationDef,
        only_type: Option<&'static str>,
        scopes: Option<Requested>,
    ) -> Result<Chain> {
        refuse_circle(association)?;
        resolve(association, only_type, scopes)
    }

    /// Whether an owner has at most one target.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.association.kind.cardinality() == Cardinality::One
    }

    /// Whether it takes the first of several rows that may match its key.
    #[must_use]
    pub fn takes_first(&self) -> bool {
        self.is_single()
            && match &self.parts {
                ChainParts::Key(hop) => !hop.key.unique,
                ChainParts::ByType { .. } => false,
                ChainParts::Through { .. } | ChainParts::JoinTable { .. } | ChainParts::CustomSql(_) => true,
            }
    }

    /// The scope that has yet to be added: a function of the owner.
    #[must_use]
    pub fn owner_scope(&self) -> Option<fn(&dyn Any) -> ScopeDef> {
        self.association.options.owner_scope.filter(|_| self.owner_scoped)
    }

    /// All tables in their order; for a polymorphic association those of all its types.
    #[must_use]
    pub fn hops(&self) -> Vec<&ChainHop> {
        match &self.parts {
            ChainParts::Key(hop) => vec![hop],
            ChainParts::ByType { hops, .. } => hops.iter().collect(),
            ChainParts::Through { through, source } => [through.hops(), source.hops()].concat(),
            ChainParts::JoinTable { rows, targets } => vec![rows, targets],
            ChainParts::CustomSql(_) => Vec::new(),
        }
    }

    /// The parts that are not through associations, in their order: the chain itself, or the parts of its two chains to
    /// any depth.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Chain> {
        match &self.parts {
            ChainParts::Through { through, source } => [through.leaves(), source.leaves()].concat(),
            ChainParts::Key(_)
            | ChainParts::ByType { .. }
            | ChainParts::JoinTable { .. }
            | ChainParts::CustomSql(_) => {
                vec![self]
            }
        }
    }

    /// The part that the chain begins with: the first of its [leaves](Self::leaves).
    #[must_use]
    pub fn first(&self) -> &Chain {
        match &self.parts {
            ChainParts::Through { through, .. } => through.first(),
            ChainParts::Key(_)
            | ChainParts::ByType { .. }
            | ChainParts::JoinTable { .. }
            | ChainParts::CustomSql(_) => self,
        }
    }

    /// The models of the targets: one, or one for each type.
    #[must_use]
    pub fn targets(&self) -> Vec<&'static ModelDef> {
        match &self.parts {
            ChainParts::ByType { hops, .. } => hops.iter().map(|hop| hop.model).collect(),
            ChainParts::Through { source, .. } => source.targets(),
            ChainParts::Key(_) | ChainParts::JoinTable { .. } | ChainParts::CustomSql(_) => {
                vec![(self.association.target)()]
            }
        }
    }

    /// The single table, if the association is one key to one model.
    #[must_use]
    pub fn as_key(&self) -> Option<&ChainHop> {
        match &self.parts {
            ChainParts::Key(hop) => Some(hop),
            ChainParts::ByType { .. }
            | ChainParts::Through { .. }
            | ChainParts::JoinTable { .. }
            | ChainParts::CustomSql(_) => None,
        }
    }

    /// The columns of the owner that the chain begins with: its key, and its type. The list is empty where hand-written
    /// SQL says which rows an owner has.
    #[must_use]
    pub fn owner_columns(&self) -> Vec<usize> {
        match &self.first().parts {
            ChainParts::Key(hop) => hop.key.owner_columns.to_vec(),
            ChainParts::JoinTable { rows, .. } => rows.key.owner_columns.to_vec(),
            ChainParts::ByType { hops, .. } => hops.first().map_or_else(Vec::new, |hop| {
                hop.key.owner_columns.iter().copied().chain(hop.owner_type.map(|named| named.column)).collect()
            }),
            ChainParts::Through { .. } | ChainParts::CustomSql(_) => Vec::new(),
        }
    }

    /// Whether another value in a column of the owner may result in other targets. A function of the owner may depend
    /// on any column.
    #[must_use]
    pub fn depends_on(&self, column: usize) -> bool {
        match &self.parts {
            _ if self.association.options.owner_scope.is_some() => true,
            ChainParts::CustomSql(_) => true,
            ChainParts::Through { through, .. } => through.depends_on(column),
            ChainParts::Key(_) | ChainParts::ByType { .. } | ChainParts::JoinTable { .. } => {
                self.owner_columns().contains(&column)
            }
        }
    }

    /// The association that makes the targets read-only: this one, or the source of a through association.
    #[must_use]
    pub fn read_only_by(&self) -> Option<&'static AssociationDef> {
        match &self.parts {
            _ if self.association.options.readonly => Some(self.association),
            ChainParts::Through { source, .. } => source.read_only_by(),
            ChainParts::Key(_)
            | ChainParts::ByType { .. }
            | ChainParts::JoinTable { .. }
            | ChainParts::CustomSql(_) => None,
        }
    }

    /// The chain with a hook's filters on the rows of every table.
    ///
    /// # Errors
    /// When a declaration contradicts itself.
    pub fn with_filters(mut self, hook: &FilterHook) -> Result<Chain> {
        self.parts = match self.parts {
            ChainParts::Key(hop) => ChainParts::Key(hop.with_filters(hook)?),
            ChainParts::ByType { hops, all, only_type } => {
                let hops = hops.into_iter().map(|hop| hop.with_filters(hook)).collect::<Result<_>>()?;
                ChainParts::ByType { hops, all, only_type }
            }
            ChainParts::Through { through, source } => ChainParts::Through {
                through: Box::new(through.with_filters(hook)?),
                source: Box::new(source.with_filters(hook)?),
            },
            ChainParts::JoinTable { rows, targets } => ChainParts::JoinTable {
                rows: Box::new(rows.with_filters(hook)?),
                targets: Box::new(targets.with_filters(hook)?),
            },
            sql @ ChainParts::CustomSql(_) => {
                self.scope.filter = filtered(hook, (self.association.target)(), self.scope.filter)?;
                sql
            }
        };
        Ok(self)
    }
}

impl ChainHop {
    /// From rows of a table to the rows of the same table with the same key.
    pub(crate) fn to_itself(
        association: &'static AssociationDef,
        model: &'static ModelDef,
        key: &'static [usize],
        scope: ScopeDef,
    ) -> ChainHop {
        let key = KeyJoin { owner_columns: key, target_columns: key, unique: false, target_type: None };
        let foreign_key = KeySide::Target;
        ChainHop { association, owner: model, model, key, foreign_key, owner_type: None, variant: None, scope }
    }

    fn with_filters(mut self, hook: &FilterHook) -> Result<ChainHop> {
        let filter = std::mem::take(&mut self.scope.filter);
        self.scope.filter = filtered(hook, self.model, filter)?;
        Ok(self)
    }

    /// The condition on the rows of this table, including the type that they must name beside the key.
    #[must_use]
    pub fn condition(&self) -> Expr {
        self.key.typed(self.model, self.scope.filter.clone())
    }

    /// Whether an owner has at most one row.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.association.kind.cardinality() == Cardinality::One
    }
}

// Only this function resolves what a kind says it consists of. `refuse_circle` refuses circles before.
fn resolve(
    association: &'static AssociationDef,
    only_type: Option<&'static str>,
    scopes: Option<Requested>,
) -> Result<Chain> {
    let mut chain = Chain {
        association,
        scope: ScopeDef::default(),
        requested: ScopeDef::default(),
        owner_scoped: false,
        parts: ChainParts::ByType { hops: Vec::new(), all: &[], only_type },
    };
    let with_scopes = scopes.is_some();
    if let Some(Requested { owner, requested }) = scopes {
        chain.owner_scoped = association.options.owner_scope.is_some() && owner.is_none();
        chain.scope = association.scope().with(owner.unwrap_or_default()).with(requested.clone());
        chain.requested = requested;
    }
    let scope_of = |model: &'static ModelDef, scope: &ScopeDef| match with_scopes {
        true => on_default_scope(model, scope),
        false => Ok(ScopeDef::default()),
    };
    let (owner, target) = ((association.owner)(), association.target);
    let hop =
        |key: KeyJoin, foreign_key: KeySide, owner: &'static ModelDef, model: &'static ModelDef, scope: ScopeDef| {
            ChainHop { association, owner, model, key, foreign_key, owner_type: None, variant: None, scope }
        };
    chain.parts = match association.kind.route(association)? {
        Route::OwnerKey(key) => {
            ChainParts::Key(hop(key, KeySide::Owner, owner, target(), scope_of(target(), &chain.scope)?))
        }
        Route::TargetKey(key) => {
            ChainParts::Key(hop(key, KeySide::Target, owner, target(), scope_of(target(), &chain.scope)?))
        }
        Route::Polymorphic { type_column, owner_columns, variants } => {
            let of_type = |variant: &'static VariantDef| {
                let model = (variant.model)();
                let scope = scope_of(model, &chain.scope)?;
                let owner_type = Some(Discriminator { column: type_column, tag: variant.tag });
                let by_key = hop(variant.hop(owner_columns), KeySide::Owner, owner, model, scope);
                Ok(ChainHop { owner_type, variant: Some(variant), ..by_key })
            };
            let followed = variants.iter().filter(|variant| only_type.is_none_or(|tag| tag == variant.tag));
            let hops = followed.map(of_type).collect::<Result<_>>()?;
            ChainParts::ByType { hops, all: variants, only_type }
        }
        Route::Through { through, source, source_type } => {
            let requested = |requested: ScopeDef| with_scopes.then_some(Requested { owner: None, requested });
            let through = resolve(through, None, requested(ScopeDef::default()))?;
            let source = resolve(source, source_type, requested(of_targets(&chain.scope)))?;
            ChainParts::Through { through: Box::new(through), source: Box::new(source) }
        }
        Route::JoinTable { table, links, targets } => {
            let of_rows = match with_scopes {
                true => scope_of_join_rows(association, table, links, targets)?,
                false => ScopeDef::default(),
            };
            let of_targets = scope_of(target(), &of_targets(&chain.scope))?;
            ChainParts::JoinTable {
                rows: Box::new(hop(links, KeySide::Target, owner, table, of_rows)),
                targets: Box::new(hop(targets, KeySide::Owner, table, target(), of_targets)),
            }
        }
        Route::CustomSql(custom_sql) => ChainParts::CustomSql(custom_sql),
    };
    Ok(chain)
}

// Associations of one model or of several may be declared through each other in a circle, which the compiler cannot
// detect.
fn refuse_circle(association: &'static AssociationDef) -> Result<()> {
    for part in association.kind.parts().into_iter().flatten() {
        let Some(circle) = circle(association, part, &mut Vec::new()) else { continue };
        let names: Vec<String> = circle.iter().map(|part| format!("`{}`", part.qualified_name())).collect();
        let message = format!(
            "the association `{}` goes through itself, by way of {}: declare one of them by a key of its own",
            association.qualified_name(),
            names.join(", then ")
        );
        return Err(Error::invalid_query((association.owner)().name, message));
    }
    Ok(())
}

// The circle in the parts of an association: all parts along the chain, with the first repeated part last.
fn circle(
    first: &AssociationDef,
    part: &'static AssociationDef,
    path: &mut Vec<&'static AssociationDef>,
) -> Option<Vec<&'static AssociationDef>> {
    let repeats = part == first || path.contains(&part);
    path.push(part);
    if repeats {
        return Some(path.clone());
    }
    let found = part.kind.parts().into_iter().flatten().find_map(|next| circle(first, next, path));
    path.pop();
    found
}
