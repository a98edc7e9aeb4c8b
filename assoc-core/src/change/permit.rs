//! What of the input is permitted, and how it becomes a change.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::input::{Mismatch, Node, ROOT, convert};
use super::link::OwnerKey;
use super::{ChildOp, Input, Limits, Member, RowChange, Then, Wanted, Which};
use crate::column_type::ColumnType;
use crate::error::{DecodeError, FieldError};
use crate::metadata::association::{AssociationDef, Cardinality, Linkage};
use crate::metadata::model::ModelDef;
use crate::metadata::rules::confirmation_name;
use crate::value::Value;

/// What of some input may become values of a row of one model, and members of its associations.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::change::{IntoInput, Limits, PermitDef, RowChange};
///
/// let mut comment = PermitDef::new();
/// comment.column::<String>("body", Comment::BODY.index());
/// let mut permit = PermitDef::new();
/// permit.column::<String>("title", Post::TITLE.index());
/// permit.confirmation::<String>("title", Post::TITLE.index());
/// permit.acceptance("terms");
/// permit.nested("comments", Post::COMMENTS.def(), comment);
///
/// // What is not permitted (the author) is not there.
/// let form = [("title", "A"), ("title_confirmation", "A"), ("terms", "1"), ("user_id", "9"), ("comments[0][body]", "!")];
/// let mut post = RowChange::new(Post::DEF);
/// post.cast(&form.into_input(Limits::default()).unwrap(), &permit);
/// assert_eq!(post.changed(), [(Post::TITLE.index(), "A".into())]);
/// assert_eq!(post.entered("title_confirmation"), Some(&"A".into()));
/// assert!(post.entered("terms").is_some() && post.children().len() == 1);
/// ```
#[derive(Clone, Default)]
pub struct PermitDef {
    columns: Vec<PermittedColumn>,
    entries: Vec<Entry>,
    nested: Vec<NestedPermit>,
    /// What may be done with members, where this is the permit of members.
    pub members: MemberOptions,
    /// What is said about keys that are not permitted.
    pub unknown: UnknownKeys,
    /// How large the input may be.
    pub limits: Limits,
}

/// What is said about keys of the input that are not permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnknownKeys {
    /// Nothing.
    #[default]
    Ignored,
    /// Each is a problem.
    Reported,
}

/// What input may do with members of an association: the options of `accepts_nested_attributes_for`.
#[derive(Clone, Default)]
pub struct MemberOptions {
    /// Whether `_destroy` takes members away.
    pub allow_destroy: bool,
    /// Whether input for an association to one changes the existing target, also if the input names another key or none.
    pub update_only: bool,
    /// How many entries there may be.
    pub limit: Option<usize>,
    /// Entries for which one of these functions answers `true` are left out.
    pub reject_if: Vec<Reject>,
}

/// Decides whether an entry of the input is left out.
pub type Reject = Arc<dyn Fn(&Input) -> bool + Send + Sync>;

#[derive(Clone)]
struct PermittedColumn {
    key: Cow<'static, str>,
    column: usize,
    read: ReadValue,
}

// A value of the column's Rust type, as it is written.
type ReadValue = fn(&mut Value<'_>) -> Result<Value<'static>, DecodeError>;

#[derive(Clone)]
struct Entry {
    key: Cow<'static, str>,
    kind: EntryKind,
}

// What is entered beside the columns.
#[derive(Clone)]
enum EntryKind {
    Confirmation { column: usize, read: ReadValue },
    Acceptance,
}

#[derive(Clone)]
struct NestedPermit {
    key: Cow<'static, str>,
    association: &'static AssociationDef,
    permit: PermitDef,
}

/// The key by which an entry says that its member is taken away.
const DESTROY: &str = "_destroy";

fn read<V: ColumnType>(value: &mut Value<'_>) -> Result<Value<'static>, DecodeError> {
    let stored = V::from_value(value)?.into_value();
    match stored {
        // A number that is too large for a smaller float.
        Value::Real(number) if !number.is_finite() => Err(DecodeError::new("a finite number", &stored)),
        stored => Ok(stored),
    }
}

impl PermitDef {
    /// Nothing is permitted.
    #[must_use]
    pub fn new() -> Self {
        PermitDef::default()
    }

    /// Permits a column under a key.
    pub fn column<V: ColumnType>(&mut self, key: impl Into<Cow<'static, str>>, column: usize) {
        let key = key.into();
        self.columns.retain(|known| known.key != key);
        self.columns.push(PermittedColumn { key, column, read: read::<V> });
    }

    /// Permits the second entry of a column's value.
    pub fn confirmation<V: ColumnType>(&mut self, field: &str, column: usize) {
        let kind = EntryKind::Confirmation { column, read: read::<V> };
        self.entries.push(Entry { key: confirmation_name(field).into(), kind });
    }

    /// Permits an acceptance of what is not stored.
    pub fn acceptance(&mut self, name: impl Into<Cow<'static, str>>) {
        self.entries.push(Entry { key: name.into(), kind: EntryKind::Acceptance });
    }

    /// Permits members of an association under a key.
    pub fn nested(
        &mut self,
        key: impl Into<Cow<'static, str>>,
        association: &'static AssociationDef,
        permit: PermitDef,
    ) {
        let key = key.into();
        self.nested.retain(|known| known.key != key);
        self.nested.push(NestedPermit { key, association, permit });
    }
}

impl fmt::Debug for PermitDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_map();
        shown.entries(self.columns.iter().map(|column| (&column.key, "column")));
        shown.entries(self.entries.iter().map(|entry| (&entry.key, "entry")));
        shown.entries(self.nested.iter().map(|nested| (&nested.key, &nested.permit)));
        shown.finish()
    }
}

impl RowChange {
    /// Takes what is permitted of some input. What is wrong with it becomes problems of the change.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::{Input, IntoInput, Limits, PermitDef, RowChange};
    ///
    /// let mut permit = PermitDef::new();
    /// permit.column::<i64>("user_id", Post::USER_ID.index());
    /// let mut post = RowChange::new(Post::DEF);
    /// post.cast(&[("user_id", "seven")].into_input(Limits::default()).unwrap(), &permit);
    /// assert!(post.changed().is_empty());
    /// assert_eq!(post.problems()[0].path, "user_id");
    /// ```
    pub fn cast(&mut self, input: &Input, permit: &PermitDef) {
        let Node::Map(entries) = &input.0 else {
            return self.add_input_error(no_object(ROOT));
        };
        self.cast_entries(input, entries, permit, &[]);
    }

    fn cast_entries(&mut self, input: &Input, entries: &[(String, Input)], permit: &PermitDef, known: &[&str]) {
        for permitted in &permit.columns {
            if let Some(value) = input.get(&permitted.key) {
                self.cast_column(permitted, value);
            }
        }
        for entry in &permit.entries {
            self.cast_entry(entry, input.get(&entry.key));
        }
        for nested in &permit.nested {
            if let Some(value) = input.get(&nested.key) {
                self.cast_members(nested, value);
            }
        }
        if permit.unknown == UnknownKeys::Reported {
            let is_known = |key: &str| {
                known.contains(&key)
                    || permit.columns.iter().any(|column| column.key == key)
                    || permit.entries.iter().any(|entry| entry.key == key)
                    || permit.nested.iter().any(|nested| nested.key == key)
            };
            for (key, _) in entries.iter().filter(|(key, _)| !is_known(key)) {
                let shown: String = key.chars().take(100).collect();
                self.add_input_error(FieldError::new(shown, "is not permitted").with_code(FieldError::NOT_PERMITTED));
            }
        }
    }

    fn cast_column(&mut self, permitted: &PermittedColumn, input: &Input) {
        if self.is_new() && self.model().lock_version() == Some(permitted.column) {
            return;
        }
        match value_of(self.model(), permitted.column, permitted.read, input) {
            Ok(version) if self.model().lock_version() == Some(permitted.column) => self.expect_version(version),
            Ok(value) => self.set(permitted.column, value),
            Err(error) => self.add_input_error(error),
        }
    }

    fn cast_entry(&mut self, entry: &Entry, input: Option<&Input>) {
        match (&entry.kind, input) {
            (EntryKind::Confirmation { column, read }, Some(input)) => {
                let value = value_of(self.model(), *column, *read, input);
                // Input that does not convert to the column's type equals no value of the column.
                self.enter(entry.key.clone(), value.unwrap_or(Value::Null));
            }
            (EntryKind::Confirmation { .. }, None) => {}
            (EntryKind::Acceptance, input) => {
                self.enter(entry.key.clone(), Value::Bool(input.is_some_and(Input::is_yes)));
            }
        }
    }

    fn cast_members(&mut self, nested: &NestedPermit, input: &Input) {
        let association = nested.association;
        if let Node::Null = input.0 {
            return;
        }
        if association.kind.cardinality() == Cardinality::One {
            return self.cast_member(nested, input, None);
        }
        let Some(entries) = listed(input) else {
            let message = "must be a list of objects";
            return self.add_input_error(FieldError::new(association.name, message).with_code(FieldError::WRONG_TYPE));
        };
        if let Some(limit) = nested.permit.members.limit.filter(|limit| entries.len() > *limit) {
            let message = format!("takes at most {limit} entries at a time");
            let error = FieldError::new(association.name, message).with_code(FieldError::TOO_MANY);
            return self.add_input_error(error.with_param("max", limit).with_param("count", entries.len()));
        }
        for (at, entry) in entries.into_iter().enumerate() {
            self.cast_member(nested, entry, Some(at));
        }
    }

    // One member: a new one, or one that has to be found.
    fn cast_member(&mut self, nested: &NestedPermit, input: &Input, place: Option<usize>) {
        let NestedPermit { association, permit, .. } = nested;
        let options = &permit.members;
        let target = (association.target)();
        let path = place.map_or_else(|| association.name.to_owned(), |at| format!("{}[{at}]", association.name));
        let Node::Map(entries) = &input.0 else {
            return self.add_input_error(no_object(&path));
        };
        let which = match self.which(nested, input) {
            Ok(which) => which,
            Err(error) => return self.add_input_error(error.within(&path)),
        };
        if options.allow_destroy && input.get(DESTROY).is_some_and(Input::is_yes) {
            // What is not stored has nothing to be taken away.
            if let Some(which) = which {
                let mut change = RowChange::of_wanted(target);
                let version = permit.columns.iter().find(|column| target.lock_version() == Some(column.column));
                if let Some((column, version)) = version.and_then(|column| Some((column, input.get(&column.key)?))) {
                    match value_of(target, column.column, column.read, version) {
                        Ok(version) => change.expect_version(version),
                        Err(error) => return self.add_input_error(error.within(&path)),
                    }
                }
                self.find(association, Wanted { which, then: Then::Remove, change }, place);
            }
            return;
        }
        if options.reject_if.iter().any(|reject| reject(input)) {
            return;
        }
        let mut change = match &which {
            Some(_) => RowChange::of_wanted(target),
            None => RowChange::new(target),
        };
        let mut known: Vec<&str> = target.primary_key.iter().map(|column| target.columns[*column].field).collect();
        known.push(DESTROY);
        change.cast_entries(input, entries, permit, &known);
        match which {
            Some(which) => {
                let then = if which == Which::TheOne { Then::EditOrAdd } else { Then::Edit };
                self.find(association, Wanted { which, then, change }, place);
            }
            None => self.add_member(association, Member::Change(change), place),
        }
    }

    // Which row an entry means; `None` for a new one.
    fn which(&self, nested: &NestedPermit, input: &Input) -> Result<Option<Which>, FieldError> {
        let NestedPermit { association, permit, .. } = nested;
        let target = (association.target)();
        let is_one = association.kind.cardinality() == Cardinality::One;
        let exists = !self.is_new();
        if permit.members.update_only && is_one {
            return Ok(exists.then_some(Which::TheOne));
        }
        // A part of the key may be the owner's.
        let owner_key = match association.linkage() {
            Ok(Linkage::TargetKey(key)) => key.target_columns,
            _ => &[],
        };
        let mut own = target.primary_key.iter().filter(|column| !owner_key.contains(column));
        // A key that is permitted as a value is the key of a new row.
        if own.all(|column| permit.columns.iter().any(|permitted| permitted.column == *column)) {
            return Ok(None);
        }
        let (mut named, mut missing) = (Vec::with_capacity(1), None);
        for column in target.primary_key.iter().filter(|column| !owner_key.contains(column)) {
            let def = &target.columns[*column];
            match input.get(def.field).filter(|value| !value.is_blank()) {
                Some(value) => {
                    let value = convert(value, def.sql_type, false).and_then(|value| match (value, def.sql_type) {
                        // No such column holds it, and not every driver sends it.
                        (Value::UInt(number), crate::SqlType::Int(_)) if i64::try_from(number).is_err() => {
                            Err(Mismatch::Type)
                        }
                        (value, _) => Ok(value),
                    });
                    named.push((*column, value.map_err(|mismatch| wrong(def.field, mismatch, "a key"))?));
                }
                None => missing = missing.or(Some(def.field)),
            }
        }
        let Some((first, _)) = named.first() else { return Ok(None) };
        if let Some(missing) = missing {
            return Err(FieldError::new(missing, "is missing").with_code(FieldError::MISSING));
        }
        if !exists {
            let message = "names a row, and its owner is new: it has no members yet";
            return Err(FieldError::new(target.columns[*first].field, message).with_code(FieldError::NO_MEMBER));
        }
        Ok(Some(Which::Key(named)))
    }

    fn find(&mut self, association: &'static AssociationDef, wanted: Wanted, place: Option<usize>) {
        self.change_members_at(association, ChildOp::Find(Box::new(wanted)), place);
    }

    fn add_member(&mut self, association: &'static AssociationDef, member: Member, place: Option<usize>) {
        if OwnerKey::of(association).is_some() {
            self.associate_with(association, member);
        } else if association.kind.cardinality() == Cardinality::One {
            self.change_members_at(association, ChildOp::Replace(vec![member]), place);
        } else {
            self.change_members_at(association, ChildOp::Push { member, join: None }, place);
        }
    }
}

// The entries of a list, or of an object whose keys say nothing: `posts[0][title]`.
fn listed(input: &Input) -> Option<Vec<&Input>> {
    match &input.0 {
        Node::List(items) => Some(items.iter().collect()),
        Node::Map(entries) => {
            let is_object = |entry: &(String, Input)| matches!(entry.1.0, Node::Map(_));
            entries.iter().all(is_object).then(|| entries.iter().map(|(_, value)| value).collect())
        }
        // A form has no empty lists.
        Node::Field(text) if text.is_empty() => Some(Vec::new()),
        _ => None,
    }
}

fn value_of(model: &ModelDef, column: usize, read: ReadValue, input: &Input) -> Result<Value<'static>, FieldError> {
    let def = &model.columns[column];
    let mut value = convert(input, def.sql_type, def.nullable)
        .map_err(|mismatch| wrong(def.field, mismatch, expected(def.sql_type)))?;
    read(&mut value).map_err(|error| wrong(def.field, Mismatch::Type, error.expected))
}

fn wrong(field: &str, mismatch: Mismatch, expected: &str) -> FieldError {
    match mismatch {
        Mismatch::Empty => FieldError::new(field, "must not be blank").with_code(FieldError::BLANK),
        Mismatch::Type => FieldError::new(field, format!("must be {expected}"))
            .with_code(FieldError::WRONG_TYPE)
            .with_param("expected", expected),
    }
}

fn expected(sql_type: crate::SqlType) -> &'static str {
    use crate::SqlType;
    match sql_type {
        SqlType::Bool => "true or false",
        SqlType::Int(_) | SqlType::UInt(_) => "a whole number",
        SqlType::Real(_) => "a number",
        SqlType::Decimal => "a decimal number",
        SqlType::Text => "text",
        SqlType::Blob => "bytes",
        SqlType::Date => "a date (2026-12-31)",
        SqlType::Time => "a time (23:59:59)",
        SqlType::DateTime => "a date and time (2026-12-31 23:59:59)",
        SqlType::Uuid => "a UUID",
        SqlType::Json => "JSON",
    }
}

fn no_object(path: &str) -> FieldError {
    FieldError::new(path, "must be an object").with_code(FieldError::WRONG_TYPE)
}
