//! What becomes of the rows of an association when their owner is destroyed.

use super::{AssociationDef, KeyJoin, KeySide, Linkage};
use crate::error::{Error, RestrictRule, Result};
use crate::metadata::expr::Expr;
use crate::metadata::model::{Discriminator, ModelDef};

/// What becomes of the rows of an association when their owner is destroyed: the option `dependent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dependent {
    /// They are destroyed as well, with what depends on them.
    Destroy,
    /// They are deleted: nothing is done about what depends on them.
    Delete,
    /// They stay, and belong to no owner.
    Nullify,
    /// The owner cannot be destroyed while there are any.
    Restrict(RestrictRule),
    /// The schema says it: the foreign key's `ON DELETE`. Nothing is run.
    Database,
}

impl Dependent {
    /// The option's value: `restrict_with_error`.
    ///
    /// ```
    /// assert_eq!(assoc_core::metadata::Dependent::Nullify.name(), "nullify");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Dependent::Destroy => "destroy",
            Dependent::Delete => "delete",
            Dependent::Nullify => "nullify",
            Dependent::Restrict(rule) => rule.name(),
            Dependent::Database => "database",
        }
    }
}

/// Rows that something is done with when an owner is destroyed, as a kind of association says it.
///
/// ```
#[doc = include_str!("../../../docs/blog.txt")]
/// use assoc_core::execution::DependentRows;
/// use assoc_core::metadata::Dependent;
///
/// let key = |association: &'static assoc_core::metadata::AssociationDef| association.linkage().unwrap().key().unwrap().1;
/// // A user belongs to a team or to none; a post always has its user.
/// let users = DependentRows::new(User::DEF, key(Team::USERS.def()), Dependent::Nullify);
/// assert_eq!(users.cleared_columns(Team::USERS.def())?, [User::TEAM_ID.index()]);
/// let posts = DependentRows::new(Post::DEF, key(User::POSTS.def()), Dependent::Nullify);
/// assert!(posts.cleared_columns(User::POSTS.def()).is_err());
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DependentRows {
    /// Their model: the association's target, or what lies between owner and target.
    pub model: &'static ModelDef,
    /// The key from the owner to them.
    pub key: KeyJoin,
    /// Which of the two holds it. Rows that the owner refers to go after it, all others before.
    pub foreign_key: KeySide,
    /// The type that an owner must name for its key to lead to these rows.
    pub owner_type: Option<Discriminator>,
    /// What is done with them.
    pub rule: Dependent,
    /// Which of them. A default scope of their model hides none.
    pub filter: Expr,
    /// For rows between owner and target: which targets they must lead to, where that is limited.
    pub targets: Option<LinkTargets>,
}

/// The targets that rows between owner and target must lead to.
#[derive(Debug, Clone)]
pub struct LinkTargets {
    /// Their model.
    pub model: &'static ModelDef,
    /// The key from the row between to the target.
    pub key: KeyJoin,
    /// Which targets.
    pub filter: Expr,
}

impl DependentRows {
    /// All rows that a key of the owner's leads to, which the rows hold.
    #[must_use]
    pub fn new(model: &'static ModelDef, key: KeyJoin, rule: Dependent) -> Self {
        let filter = key.typed(model, model.base_scope(true).filter);
        DependentRows { model, key, foreign_key: KeySide::Target, owner_type: None, rule, filter, targets: None }
    }

    /// The same, but the owner holds the key.
    #[must_use]
    pub(super) fn owned_key(self) -> Self {
        DependentRows { foreign_key: KeySide::Owner, ..self }
    }

    /// Those of the rows that satisfy a condition as well.
    #[must_use]
    pub(super) fn limited_to(self, filter: Expr) -> Self {
        DependentRows { filter: self.filter.and(filter), ..self }
    }

    /// The columns that a row gives up to belong to no owner: those of the key, with the type beside it, which can be
    /// `NULL`, are not part of the row's own key, and are used by no other association.
    ///
    /// # Errors
    /// When there is none, with the reason of each column.
    pub fn cleared_columns(&self, association: &AssociationDef) -> Result<Vec<usize>> {
        let model = self.model;
        let key = self.key.target_columns;
        let named = self.key.target_type.map(|named| named.column);
        let obstacles: Vec<(usize, Option<String>)> =
            key.iter().map(|column| (*column, kept_by(model, key, named, *column))).collect();
        let mut cleared: Vec<usize> =
            obstacles.iter().filter(|(_, why)| why.is_none()).map(|(column, _)| *column).collect();
        if cleared.is_empty() {
            let why: Vec<String> = obstacles.into_iter().filter_map(|(_, why)| why).collect();
            let message = format!(
                "the association `{}` has `dependent = \"nullify\"`, and no column of its key in `{}` can be cleared ({}): \
                 make one an `Option`, or choose another rule",
                association.qualified_name(),
                model.name,
                why.join(", ")
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        cleared.extend(named.filter(|column| kept_by(model, key, named, *column).is_none()));
        Ok(cleared)
    }
}

// Why a column is not cleared.
fn kept_by(model: &ModelDef, key: &[usize], named: Option<usize>, column: usize) -> Option<String> {
    let field = model.columns[column].field;
    if !model.columns[column].nullable {
        return Some(format!("`{field}` cannot be NULL"));
    }
    if model.primary_key.contains(&column) {
        return Some(format!("`{field}` is part of the primary key"));
    }
    // One over the very same columns is the same link by another name.
    let uses = |other: &&AssociationDef| match other.linkage() {
        Ok(Linkage::OwnerKey(own)) => own.owner_columns != key && own.owner_columns.contains(&column),
        Ok(Linkage::OwnerKeyAndType { owner_columns, type_column, .. }) => {
            let same = owner_columns == key && named.is_none_or(|named| named == type_column);
            !same && (owner_columns.contains(&column) || type_column == column)
        }
        _ => false,
    };
    let user = model.associations.iter().find(uses)?;
    Some(format!("`{field}` is used by `{}` as well", user.name))
}

/// The rows of an association by one key, by its own rule and conditions. None without a rule.
pub(super) fn by_key(association: &AssociationDef, key: KeyJoin) -> Result<Option<DependentRows>> {
    let Some(rule) = association.options.dependent else { return Ok(None) };
    let filter = conditions(association, association)?;
    Ok(Some(DependentRows::new((association.target)(), key, rule).limited_to(filter)))
}

/// The conditions of an association (a part of `declared`, or itself), without the default scope of its target.
pub(super) fn conditions(association: &AssociationDef, declared: &AssociationDef) -> Result<Expr> {
    let scope = association.scope();
    let what = if association.options.owner_scope.is_some() {
        "a scope that depends on its owner"
    } else if scope.limit.is_some() || scope.offset.is_some() {
        "a limit or an offset"
    } else if !scope.group.is_empty() {
        "a group"
    } else {
        return Ok(scope.filter);
    };
    let rule = declared.options.dependent.map_or("", Dependent::name);
    let message = format!(
        "the association `{}` has `dependent = \"{rule}\"`, and `{}` has {what}: what depends on a row is all that its key \
         and conditions lead to; declare another association without it, and `dependent` there",
        declared.qualified_name(),
        association.qualified_name(),
    );
    Err(Error::invalid_query((declared.owner)().name, message))
}
