//! A row as a rule of the program sees it.

use std::marker::PhantomData;

use crate::column_type::ColumnType;
use crate::metadata::model::Model;
use crate::metadata::rules::FinalValues;
use crate::typed::association::Association;
use crate::typed::column::Column;
use crate::value::Value;

/// A row of model `M` as it will be once it is saved: what a rule about a whole row reads.
pub struct FinalRow<'r, M> {
    row: &'r dyn FinalValues,
    model: PhantomData<fn() -> M>,
}

impl<'r, M: Model> FinalRow<'r, M> {
    pub(super) fn of(row: &'r dyn FinalValues) -> Self {
        FinalRow { row, model: PhantomData }
    }

    /// The value that a column will have; `None` if only the database knows it, or if a rule of the save has found it
    /// missing.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// // No user without an age may have this name.
    /// let rules = Rules::new().row(User::NAME, |user| {
    ///     (user.get(User::AGE)?.is_none() && user.get(User::NAME)? == "Grace").then(|| FieldError::new("name", "is refused"))
    /// });
    /// # assert_eq!(said(rules, User::NAME, "Grace"), "name is refused");
    /// ```
    #[must_use]
    pub fn get<V: ColumnType>(&self, column: Column<M, V>) -> Option<V> {
        V::from_value(&mut self.row.value(column.index())?).ok()
    }

    /// Whether the row is inserted.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// // The name of a row that exists is kept.
    /// let rules = Rules::new().row(User::NAME, |user| {
    ///     (!user.is_new()).then(|| FieldError::new("name", "is refused"))
    /// });
    /// # assert_eq!(said(rules, User::NAME, "Grace"), "name is refused");
    /// ```
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.row.is_new()
    }

    /// Whether the save writes another value to a column than the row has.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// // A user who takes another name gives another address.
    /// let rules = Rules::new().row(User::NAME, |user| {
    ///     (user.is_changed(User::NAME) && !user.is_changed(User::EMAIL)).then(|| FieldError::new("name", "is refused"))
    /// });
    /// # assert_eq!(said(rules, User::NAME, "Grace"), "name is refused");
    /// ```
    #[must_use]
    pub fn is_changed<V>(&self, column: Column<M, V>) -> bool {
        self.row.is_changed(column.index())
    }

    /// The row as it was when it was read, if it exists.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// // A name never becomes longer.
    /// let rules = Rules::new().row(User::NAME, |user| {
    ///     (user.get(User::NAME)?.len() > user.before()?.name.len()).then(|| FieldError::new("name", "is refused"))
    /// });
    /// # assert_eq!(said(rules, User::NAME, "Grace"), "name is refused");
    /// ```
    #[must_use]
    pub fn before(&self) -> Option<&'r M> {
        self.row.before()?.downcast_ref()
    }

    /// What was entered beside the columns, as text: a confirmation, a note that is not stored.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// // `draft.accept("renamed", true)` allows another name.
    /// let rules = Rules::new().row(User::NAME, |user| {
    ///     (user.entered("renamed").as_deref() != Some("true")).then(|| FieldError::new("name", "is refused"))
    /// });
    /// # assert_eq!(said(rules, User::NAME, "Grace"), "name is refused");
    /// ```
    #[must_use]
    pub fn entered(&self, name: &str) -> Option<String> {
        self.row.entered(name).map(|value| match value {
            Value::Text(text) => text.to_string(),
            value => value.to_string(),
        })
    }

    /// The number of members that an association will have: of a new row those that are given, of another one those that
    /// replace all others. `None` if the save does not decide it.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// // Of a save that decides how many posts there are.
    /// let rules = Rules::new().row(User::NAME, |user| {
    ///     (user.members(User::POSTS)? > 100).then(|| FieldError::new("name", "is refused"))
    /// });
    /// # assert_eq!(said(rules, User::NAME, "Grace"), "");
    /// ```
    #[must_use]
    pub fn members<T, H>(&self, association: Association<M, T, H>) -> Option<usize> {
        self.row.members(association.def())
    }
}
