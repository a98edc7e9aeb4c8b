//! Where an association's key stands in its owner's row, and how it is set and cleared.

use std::any::Any;

use super::{ChildChange, ChildOp, Member, RowChange};
use crate::error::FieldError;
use crate::metadata::association::{AssociationDef, Linkage, VariantDef};
use crate::metadata::model::ModelDef;
use crate::value::Value;

/// The columns of an owner that identify the target of an association.
pub(super) struct OwnerKey {
    columns: &'static [usize],
    to: Target,
}

enum Target {
    /// Rows of one model, by these columns of it.
    Model(&'static [usize]),
    /// Rows of several, whose type this column of the owner names.
    Types { column: usize, variants: &'static [VariantDef] },
}

impl OwnerKey {
    /// `None` where the key is not the owner's.
    pub(super) fn of(association: &AssociationDef) -> Option<OwnerKey> {
        match association.linkage().ok()? {
            Linkage::OwnerKey(key) => {
                Some(OwnerKey { columns: key.owner_columns, to: Target::Model(key.target_columns) })
            }
            Linkage::OwnerKeyAndType { type_column, owner_columns, variants } => {
                Some(OwnerKey { columns: owner_columns, to: Target::Types { column: type_column, variants } })
            }
            Linkage::TargetKey(_) | Linkage::JoinRecord(_) | Linkage::ReadOnly(_) => None,
        }
    }

    /// The columns, with that of the type.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + use<> {
        let type_column = match self.to {
            Target::Types { column, .. } => Some(column),
            Target::Model(_) => None,
        };
        self.columns.iter().copied().chain(type_column)
    }

    pub(super) fn contains(&self, column: usize) -> bool {
        self.columns().any(|own| own == column)
    }

    /// Whether both use the same columns.
    fn is_over_the_same(&self, other: &OwnerKey) -> bool {
        self.columns().all(|column| other.contains(column)) && other.columns().all(|column| self.contains(column))
    }

    /// The columns of a model that the key refers to.
    pub(super) fn refers_to(&self, model: &'static ModelDef) -> Option<&'static [usize]> {
        match &self.to {
            Target::Model(columns) => Some(columns),
            Target::Types { variants, .. } => {
                variants.iter().find(|variant| (variant.model)() == model).map(|variant| variant.key)
            }
        }
    }

    /// The owner's key columns, in the order of the columns that they [refer to](Self::refers_to).
    pub(super) fn key_columns(&self) -> &'static [usize] {
        self.columns
    }

    /// The column that names the type of a row of this model, and the tag. `None` if the association is not polymorphic.
    pub(super) fn tag_of(
        &self,
        association: &AssociationDef,
        model: &'static ModelDef,
    ) -> Result<Option<(usize, Value<'static>)>, FieldError> {
        match &self.to {
            Target::Model(_) => Ok(None),
            Target::Types { column, variants } => match variants.iter().find(|variant| (variant.model)() == model) {
                Some(variant) => Ok(Some((*column, Value::from(variant.tag)))),
                None => Err(unknown_type(association, model)),
            },
        }
    }

    /// The known values that refer to a row that is saved first.
    pub(super) fn lead_to_change(
        &self,
        association: &AssociationDef,
        target: &Member,
    ) -> Result<Vec<(usize, Value<'static>)>, FieldError> {
        let model = target.model();
        let tag = self.tag_of(association, model)?;
        let Some(refers_to) = self.refers_to(model) else { return Err(unknown_type(association, model)) };
        let known = self.columns.iter().zip(refers_to).filter_map(|(own, theirs)| {
            let value = target.change()?.final_value(*theirs).filter(|value| !value.is_null())?;
            Some((*own, value.into_owned()))
        });
        Ok(known.chain(tag).collect())
    }

    /// The values that refer to a row.
    pub(super) fn lead_to(&self, association: &AssociationDef, model: &'static ModelDef, row: &dyn Any) -> ChildOp {
        let (Some(target_columns), Ok(tag)) = (self.refers_to(model), self.tag_of(association, model)) else {
            return ChildOp::Refused(Box::new(unknown_type(association, model)));
        };
        let key: Vec<(usize, Value<'static>)> = self
            .columns
            .iter()
            .zip(target_columns)
            .map(|(own, theirs)| (*own, model.rows.value(row, *theirs).into_owned()))
            .chain(tag)
            .collect();
        if key.iter().any(|(_, value)| value.is_null()) {
            let missing = target_columns.iter().filter(|column| model.rows.value(row, **column).is_null());
            let missing = fields(model, missing.copied());
            let message =
                format!("cannot lead to a {} whose {missing} is NULL: nothing would be found by it", model.name);
            let error = FieldError::new(association.name, message)
                .with_code(FieldError::TARGET_WITHOUT_KEY)
                .with_param("model", model.name)
                .with_param("columns", missing);
            return ChildOp::Refused(Box::new(error));
        }
        ChildOp::Associate { key }
    }
}

fn unknown_type(association: &AssociationDef, model: &ModelDef) -> FieldError {
    let message = format!("leads to no rows of {}", model.name);
    FieldError::new(association.name, message).with_code(FieldError::UNKNOWN_TYPE).with_param("model", model.name)
}

/// The key on the owner of an association to one model: the owner's columns, and the target's columns that they refer
/// to.
pub(crate) fn key_on_owner(association: &AssociationDef) -> Option<(&'static [usize], &'static [usize])> {
    match OwnerKey::of(association)? {
        OwnerKey { columns, to: Target::Model(target_columns) } => Some((columns, target_columns)),
        _ => None,
    }
}

/// The key on the owner of an association to rows of a model: own columns, and those of the target that they hold.
pub(crate) fn key_of_target(
    association: &AssociationDef,
    model: &'static ModelDef,
) -> Option<(&'static [usize], &'static [usize])> {
    let own = OwnerKey::of(association)?;
    Some((own.columns, own.refers_to(model)?))
}

/// The columns that dissociating clears.
pub(super) fn clearable(model: &'static ModelDef, association: &AssociationDef) -> Vec<usize> {
    let Some(own) = OwnerKey::of(association) else { return Vec::new() };
    own.columns().filter(|column| kept_by(model, association, &own, *column).is_none()).collect()
}

/// Why dissociating clears no column: each with its reason.
pub(super) fn obstacles(model: &'static ModelDef, association: &AssociationDef) -> Vec<(usize, String)> {
    let Some(own) = OwnerKey::of(association) else { return Vec::new() };
    own.columns().filter_map(|column| Some((column, kept_by(model, association, &own, column)?))).collect()
}

// Why dissociating leaves a column as it is.
fn kept_by(model: &'static ModelDef, association: &AssociationDef, own: &OwnerKey, column: usize) -> Option<String> {
    let field = model.columns[column].field;
    if !model.columns[column].nullable {
        return Some(format!("`{field}` cannot be NULL"));
    }
    if model.primary_key.contains(&column) {
        return Some(format!("`{field}` is part of the primary key"));
    }
    let mut others = model.associations.iter().filter(|other| *other != association);
    let user = others.find(|other| {
        OwnerKey::of(other).is_some_and(|other| other.contains(column) && !own.is_over_the_same(&other))
    })?;
    Some(format!("`{field}` is used by `{}` as well", user.name))
}

/// The fields of columns, for messages: `room, code`.
pub(super) fn fields(model: &ModelDef, columns: impl IntoIterator<Item = usize>) -> String {
    columns.into_iter().map(|column| model.columns[column].field).collect::<Vec<_>>().join(", ")
}

impl RowChange {
    /// Whether the row is to belong to another row than before, or to none, by an association whose key it holds.
    ///
    /// See [`associate`](Self::associate).
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::RowChange;
    ///
    /// let mut post = RowChange::of(Post::DEF, std::sync::Arc::new(post(7, 1, "On looms")));
    /// post.set(Post::USER_ID.index(), 2_i64.into());
    /// assert!(post.changes_target(Post::USER.def()));
    /// ```
    #[must_use]
    pub fn changes_target(&self, association: &'static AssociationDef) -> bool {
        let Some(own) = OwnerKey::of(association) else { return false };
        let is_new = |child: &ChildChange| {
            let target = match &child.op {
                ChildOp::AssociateWith { target, .. } if child.association == association => target,
                _ => return false,
            };
            child.overridden.is_empty() && target.existing().is_none()
        };
        let changes = |column: usize| {
            let value = self.values.get(column).and_then(Option::as_ref);
            value.is_some_and(|value| match &self.base {
                None => !value.is_null(),
                Some(_) => self.differs(column, value),
            })
        };
        own.columns().any(changes) || self.children.iter().any(is_new)
    }

    /// The columns that say to which row this one belongs by an association: its key, with the type. None if other rows hold
    /// the key.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::RowChange;
    ///
    /// assert_eq!(RowChange::key_columns(User::TEAM.def()), [User::TEAM_ID.index()]);
    /// assert!(RowChange::key_columns(User::POSTS.def()).is_empty(), "posts hold it");
    /// ```
    #[must_use]
    pub fn key_columns(association: &'static AssociationDef) -> Vec<usize> {
        OwnerKey::of(association).map(|own| own.columns().collect()).unwrap_or_default()
    }
}
