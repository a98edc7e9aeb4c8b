//! Changesets: what is to be written. A struct is always a row that came from the database; what is not saved yet, or
//! not saved yet in this form, is a [`Changeset`]. So "new record" is a type, not a guess from the primary key.

use std::any::Any;
use std::fmt;

use assoc_core::{
    Association, AssociationDef, BelongsTo, Chain, Column, ColumnType, Error, ErrorKind, FieldError, IntoColumn,
    Linkage, Model, Result, ToOne, Value,
};

/// Starts changesets. In the prelude, so that `User::build()` and `user.change()` just work.
pub trait ModelExt: Model {
    /// A row to be inserted.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// let ada = User::build().set(User::NAME, "Ada");
    /// ```
    fn build() -> Changeset<Self> {
        let mut values = vec![None; Self::DEF.columns.len()];
        if let Some(own) = Self::DEF.discriminator {
            values[own.column] = Some(Value::from(own.tag));
        }
        Changeset { base: None, values, error: None }
    }

    /// Changes of this row.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # fn rename(ada: User) {
    /// let renamed = ada.change().set(User::NAME, "Ada Lovelace");
    /// # }
    /// ```
    fn change(&self) -> Changeset<Self> {
        Changeset { base: Some(self.clone()), values: vec![None; Self::DEF.columns.len()], error: None }
    }
}

impl<M: Model> ModelExt for M {}

/// Values to be written to a row of model `M`: a new one ([`ModelExt::build`]) or one that exists
/// ([`ModelExt::change`]).
#[must_use = "a changeset does nothing until a repo inserts or updates it"]
#[derive(Clone)]
pub struct Changeset<M> {
    pub(crate) base: Option<M>,
    // One entry a column, `None` where nothing was set.
    values: Vec<Option<Value<'static>>>,
    error: Option<FieldError>,
}

impl<M: Model> fmt::Debug for Changeset<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(if self.base.is_some() { "Change" } else { "Build" });
        for (column, value) in M::DEF.columns.iter().zip(&self.values) {
            if let Some(value) = value {
                shown.field(column.name, value);
            }
        }
        shown.finish()
    }
}

impl<M: Model> Changeset<M> {
    /// Sets a column. An `Option` column takes the bare value as well, a `String` column a `&str`.
    pub fn set<V: ColumnType>(mut self, column: Column<M, V>, value: impl IntoColumn<V>) -> Self {
        if let Some(slot) = self.values.get_mut(column.index()) {
            *slot = Some(value.into_column().into_value());
        }
        self
    }

    /// Makes the row belong to `target`: copies its key into the foreign key.
    pub fn associate<T: Model, S: ToOne<Target = T>>(
        mut self,
        association: Association<M, T, BelongsTo<S>>,
        target: &T,
    ) -> Self {
        let def = association.def();
        if let Ok(Linkage::OwnerKey(hop)) = def.linkage() {
            for (own, key) in hop.owner_columns.iter().zip(hop.target_columns) {
                self.values[*own] = Some(target.value(*key).into_owned());
            }
        }
        self
    }

    /// Makes the row belong to no one: clears the foreign key. Refused when saving if a key column cannot be `NULL`.
    pub fn dissociate<T: Model, S: ToOne<Target = T>>(mut self, association: Association<M, T, BelongsTo<S>>) -> Self {
        let def = association.def();
        if let Ok(Linkage::OwnerKey(hop)) = def.linkage() {
            for own in hop.owner_columns {
                if !M::DEF.columns[*own].nullable {
                    self.error = Some(FieldError::new(def.name, "must exist"));
                }
                self.values[*own] = Some(Value::Null);
            }
        }
        self
    }

    /// The value set for a column, if one was.
    #[must_use]
    pub fn value_of<V: ColumnType>(&self, column: Column<M, V>) -> Option<&Value<'static>> {
        self.values.get(column.index())?.as_ref()
    }

    /// Whether saving would write anything.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.changes().is_empty()
    }

    /// The columns to write, by index: for a new row all that were set, for an existing one those that differ.
    pub(crate) fn changes(&self) -> Vec<(usize, Value<'static>)> {
        let set = self.values.iter().enumerate().filter_map(|(at, value)| Some((at, value.as_ref()?)));
        match &self.base {
            None => set.map(|(at, value)| (at, value.clone())).collect(),
            Some(base) => set
                .filter(|(at, value)| !base.value(*at).is_same(value))
                .map(|(at, value)| (at, value.clone()))
                .collect(),
        }
    }

    /// What was set, column by column.
    pub(crate) fn into_values(self) -> Vec<Option<Value<'static>>> {
        self.values
    }

    /// Refuses what cannot be saved.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(base) = &self.base {
            refuse_read_only(base)?;
        }
        let mut errors: Vec<FieldError> = self.error.iter().cloned().collect();
        if self.base.is_none() {
            let missing = M::DEF
                .columns
                .iter()
                .zip(&self.values)
                .filter(|(column, value)| value.is_none() && !column.may_be_left_out());
            errors.extend(missing.map(|(column, _)| FieldError::new(column.field, "is missing")));
        }
        if let Some(own) = M::DEF.discriminator
            && let Some(Some(value)) = self.values.get(own.column)
            && *value != Value::from(own.tag)
        {
            // The row would be another model's, and out of this one's sight.
            errors.push(FieldError::new(M::DEF.columns[own.column].field, format!("must be \"{}\"", own.tag)));
        }
        if errors.is_empty() { Ok(()) } else { Err(ErrorKind::Invalid { model: M::DEF.name, errors }.into()) }
    }

    /// Requires a changeset of an existing row.
    pub(crate) fn into_base(self) -> Result<M> {
        self.base.ok_or_else(|| {
            Error::invalid_query(
                M::DEF.name,
                "`update` takes the changes of an existing row (`row.change()`); a new one is inserted",
            )
        })
    }

    /// The row with the changes applied; loaded associations stay, except those that go by what changed.
    pub(crate) fn apply(self) -> Result<M> {
        let changes = self.changes();
        let mut row = self.into_base()?;
        for (column, mut value) in changes {
            row.set_value(column, &mut value)?;
            let any: &mut dyn Any = &mut row;
            for association in M::DEF.associations {
                if Chain::keys(association).is_ok_and(|chain| chain.depends_on(column)) {
                    association.slot.clear(any);
                }
            }
        }
        Ok(row)
    }
}

/// Refuses to write a row that was loaded for reading only.
pub(crate) fn refuse_read_only<M: Model>(row: &M) -> Result<()> {
    match row.row_origin() {
        Some(origin) if origin.is_read_only() => Err(ErrorKind::ReadOnly {
            model: M::DEF.name,
            key: M::DEF.key_of(row).map_or_else(|| "without key".to_owned(), |key| key.to_string()),
            association: origin.association().map(AssociationDef::qualified_name),
        }
        .into()),
        _ => Ok(()),
    }
}
