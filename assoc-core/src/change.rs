//! Changes of rows, untyped: the values to write to one row, as plain data.
//!
//! A [`RowChange`] is the content of a typed changeset, without the model's type: saving works on changes of several
//! models at once, and cannot be generic over all of them. It records the values of columns, and [`ChildChange`]s for
//! its associations. No call checks anything, because a later call may replace what it set. All checks look at the
//! final values and report all problems at once ([`RowChange::problems`]).
//!
//! # The last call takes precedence
//!
//! Each column has the value that was set last, by [`set`](RowChange::set), [`associate`](RowChange::associate) or
//! [`dissociate`](RowChange::dissociate). There are two exceptions, where the last call would silently break an earlier
//! one:
//!
//! * Two associations that share a column (a tenant's) and need different values of it contradict each other. A plain
//!   `set` of the column decides between them.
//! * If a change of an existing row sets a shared column through one association, the key of the other association then
//!   refers to some other row. The change must set the other association as well.
//!
//! # Members
//!
//! An operation on an association may contain other rows ([`Member`]): existing rows, new rows, changes of rows. So a
//! change is a tree. It is at most [`MAX_DEPTH`](RowChange::MAX_DEPTH) levels deep, so that code that walks over it can use
//! the stack.

use std::any::Any;
use std::sync::Arc;

pub use member::{Given, Member};

use crate::error::{ErrorKind, FieldError, Result};
use crate::metadata::association::{AssociationDef, Linkage};
use crate::metadata::model::ModelDef;
use crate::metadata::rules::RuleSet;
use crate::value::Value;

mod associate;
mod built_link;
mod check;
mod difference;
mod fill;
mod input;
mod known_keys;
mod link;
mod member;
mod members;
mod new_members;
mod operation;
mod permit;
mod rules;
mod scope;
mod shared_given;
mod version;
mod walk;
mod wanted;
mod written;

pub(crate) use built_link::BuiltLink;
pub(crate) use check::{column_problems_of, rule_problems_of};
pub use difference::same_value;
pub(crate) use fill::fill;
pub use fill::timestamp;
pub use input::{Input, IntoInput, Limits};
pub use known_keys::KnownValues;
pub(crate) use link::{key_of_target, key_on_owner};
pub use new_members::NewMembers;
pub(crate) use operation::NamedBy;
pub use operation::{ChildChange, ChildOp};
pub use permit::{MemberOptions, PermitDef, Reject, UnknownKeys};
use scope::presets;
pub(crate) use scope::{Preset, has_every_row, is_plain, presets_of_saved};
pub use wanted::{NextWanted, Then, Wanted, Which};
pub use written::{WrittenRow, common_path};

/// A row that exists, of any model.
pub type Row = Arc<dyn Any + Send + Sync>;

/// What is to be written to one row: a new one, or one that exists.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
#[doc = include_str!("../docs/row_change.txt")]
/// ```
#[derive(Clone)]
pub struct RowChange {
    model: &'static ModelDef,
    base: Option<Row>,
    // One entry for each column, `None` where nothing was given.
    values: Vec<Option<Value<'static>>>,
    children: Vec<ChildChange>,
    errors: Vec<FieldError>,
    // What few changes have.
    extra: Option<Box<Extra>>,
    // How many levels of members are below it.
    depth: u16,
    // Whether it is of a row that exists and is still to be found.
    is_wanted: bool,
    // Whether such rows are among its members, at any depth.
    wants: bool,
    // Whether the row is to be destroyed.
    marked: bool,
}

/// What a change has beside values and members.
#[derive(Clone, Default)]
struct Extra {
    // Problems of input that was to become values. They count in any case: the values are not there.
    input_errors: Vec<FieldError>,
    // Rules of this change beside those of its model.
    rules: Vec<Arc<RuleSet>>,
    // What was entered beside the columns, by name.
    entered: Vec<(String, Value<'static>)>,
    // Owners that the new row is to be linked to by rows between.
    links: Vec<BuiltLink>,
    // The version that input was made from.
    version: Option<Value<'static>>,
}

impl RowChange {
    /// How many levels of members a change may have below it.
    pub const MAX_DEPTH: u16 = 128;

    /// A new row. The discriminator of a model that shares its table is set.
    #[must_use]
    pub fn new(model: &'static ModelDef) -> Self {
        let mut change = RowChange::with_base(model, None);
        change.set_discriminator();
        change
    }

    /// A new row as a member of an association of an owner: with the owner's key and type, if the row is to hold them, and
    /// with the values that the association's conditions require by `=`. Behind rows between it is linked to the owner when it is
    /// inserted.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the owner's key is `NULL`, so that it has no members; when the declaration contradicts
    /// itself.
    ///
    /// ```
    #[doc = include_str!("../docs/blog.txt")]
    /// use assoc_core::change::RowChange;
    ///
    /// let ada = user(1, "Ada", None);
    /// let post = RowChange::new_member(User::POSTS.def(), &ada)?;
    /// assert_eq!(post.changed(), [(Post::USER_ID.index(), 1_i64.into())]);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn new_member(association: &'static AssociationDef, owner: &dyn Any) -> Result<Self> {
        let mut change = RowChange::new((association.target)());
        for preset in presets(association, Some(owner)) {
            change.set(preset.column, preset.value);
        }
        let model = (association.owner)();
        let key = match association.linkage()? {
            Linkage::TargetKey(key) => {
                for (own, column) in key.owner_columns.iter().zip(key.target_columns) {
                    change.set(*column, model.rows.value(owner, *own).into_owned());
                }
                if let Some(named) = key.target_type {
                    change.set(named.column, Value::from(named.tag));
                }
                key.owner_columns
            }
            Linkage::JoinRecord(record) => {
                if let Some(owner) = model.rows.bare_copy(owner) {
                    change.link_to(association, owner);
                }
                record.owner.owner_columns
            }
            _ => return Ok(change),
        };
        match key.iter().find(|column| model.rows.value(owner, **column).is_null()) {
            None => Ok(change),
            Some(column) => {
                let errors = vec![members::owner_without_key(association, *column)];
                Err(ErrorKind::Invalid { model: model.name, errors }.into())
            }
        }
    }

    fn set_discriminator(&mut self) {
        if let Some(own) = self.model.discriminator {
            self.values[own.column] = Some(Value::from(own.tag));
        }
    }

    /// Changes of a row that exists.
    #[must_use]
    pub fn of(model: &'static ModelDef, row: Row) -> Self {
        RowChange::with_base(model, Some(row))
    }

    /// A row of which all values are known already, one entry for each column.
    ///
    /// ```
    #[doc = include_str!("../docs/blog.txt")]
    /// use assoc_core::change::RowChange;
    ///
    /// let tag = RowChange::with_values(Tag::DEF, None, vec![None, Some("rust".into())]);
    /// assert_eq!(tag.changed(), [(Tag::NAME.index(), "rust".into())]);
    /// ```
    #[must_use]
    pub fn with_values(model: &'static ModelDef, base: Option<Row>, values: Vec<Option<Value<'static>>>) -> Self {
        let mut change = RowChange::with_base(model, base);
        for (slot, value) in change.values.iter_mut().zip(values) {
            *slot = value;
        }
        change
    }

    fn with_base(model: &'static ModelDef, base: Option<Row>) -> Self {
        let values = no_values(model);
        RowChange {
            model,
            base,
            values,
            children: Vec::new(),
            errors: Vec::new(),
            extra: None,
            depth: 0,
            is_wanted: false,
            wants: false,
            marked: false,
        }
    }

    /// The row's model.
    #[must_use]
    pub fn model(&self) -> &'static ModelDef {
        self.model
    }

    /// The row as it is, if it exists.
    #[must_use]
    pub fn base(&self) -> Option<&Row> {
        self.base.as_ref()
    }

    /// The values that were given, one entry for each column.
    #[must_use]
    pub fn values(&self) -> &[Option<Value<'static>>] {
        &self.values
    }

    /// What was said of associations, in order. Members that were pushed may be together in one entry.
    #[must_use]
    pub fn children(&self) -> &[ChildChange] {
        &self.children
    }

    /// How much was said of associations: of each member one thing.
    pub(crate) fn said(&self) -> usize {
        self.children.iter().map(|child| child.op.count()).sum()
    }

    /// Gives a column a value. A column that the model does not have is ignored.
    pub fn set(&mut self, column: usize, value: Value<'static>) {
        if let Some(slot) = self.values.get_mut(column) {
            *slot = Some(value);
            self.override_column(column, |_| true);
        }
    }

    /// Marks the row to be destroyed by the save of the row whose member it is. Nothing else that was said of it counts
    /// then.
    pub fn mark_for_destruction(&mut self) {
        self.marked = true;
    }

    /// Whether the row is to be destroyed.
    #[must_use]
    pub fn is_marked_for_destruction(&self) -> bool {
        self.marked
    }

    /// Adds a problem that the application has found.
    pub fn add_error(&mut self, error: FieldError) {
        self.errors.push(error);
    }

    /// Adds a problem of input that was to become a value of the row. It counts even if the row is a member of an association
    /// with `validate = false`.
    pub fn add_input_error(&mut self, error: FieldError) {
        self.extra_mut().input_errors.push(error);
    }

    /// Adds rules beside those of the model.
    ///
    /// ```
    #[doc = include_str!("../docs/blog.txt")]
    /// use assoc_core::Rules;
    /// use assoc_core::change::RowChange;
    ///
    /// let mut tag = RowChange::with_values(Tag::DEF, None, vec![None, Some("".into())]);
    /// assert!(tag.problems().is_empty());
    /// tag.add_rules(Rules::<Tag>::new().required(Tag::NAME).into_set());
    /// assert_eq!((tag.problems().len(), tag.rules().count()), (1, 1));
    /// ```
    pub fn add_rules(&mut self, rules: RuleSet) {
        self.extra_mut().rules.push(Arc::new(rules));
    }

    /// The rules that judge the row: its model's, and those of this change.
    ///
    /// See [`add_rules`](Self::add_rules) for those of a change.
    ///
    /// ```
    #[doc = include_str!("../docs/blog.txt")]
    /// use assoc_core::change::RowChange;
    ///
    /// assert_eq!(RowChange::new(Tag::DEF).rules().count(), 0, "the model has none");
    /// ```
    pub fn rules(&self) -> impl Iterator<Item = &RuleSet> {
        let of_model = self.model.rules.map(|rules| rules());
        of_model.into_iter().chain(self.own_rules())
    }

    fn own_rules(&self) -> impl Iterator<Item = &RuleSet> {
        self.extra.iter().flat_map(|extra| &extra.rules).map(|set| &**set)
    }

    /// Notes what was entered beside the columns: a confirmation, an acceptance. Rules read it; it is not stored.
    pub fn enter(&mut self, name: impl Into<String>, value: Value<'static>) {
        let name = name.into();
        let entered = &mut self.extra_mut().entered;
        entered.retain(|(known, _)| *known != name);
        entered.push((name, value));
    }

    /// What was entered beside the columns under a name.
    #[must_use]
    pub fn entered(&self, name: &str) -> Option<&Value<'static>> {
        self.extra.as_ref()?.entered.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    fn input_errors(&self) -> &[FieldError] {
        self.extra.as_ref().map_or(&[], |extra| &extra.input_errors)
    }

    /// Whether the row is to be inserted.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.base.is_none() && !self.is_wanted
    }

    /// Everything that is wrong with the final values, and with those of its members, each with the path to it; empty if the
    /// change can be saved.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldError> {
        check::problems(self)
    }

    /// The problems of the column values, without those of associations: for a row whose associations are already resolved to
    /// values.
    #[must_use]
    pub fn column_problems(&self) -> Vec<FieldError> {
        check::column_problems(self)
    }

    /// What its rules find wrong with the row, without what other rows give it or need.
    ///
    /// ```
    #[doc = include_str!("../docs/blog.txt")]
    /// use assoc_core::Rules;
    /// use assoc_core::change::RowChange;
    ///
    /// let mut tag = RowChange::with_values(Tag::DEF, None, vec![None, Some("".into())]);
    /// tag.add_rules(Rules::<Tag>::new().required(Tag::NAME).into_set());
    /// assert_eq!(tag.rule_problems()[0].path, "name");
    /// ```
    #[must_use]
    pub fn rule_problems(&self) -> Vec<FieldError> {
        check::rule_problems_of(self, &[])
    }

    /// Refuses what cannot be saved.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with all problems; [`ErrorKind::Stale`] if input was made from another version of a row.
    pub fn check(&self) -> Result<()> {
        let errors = self.problems();
        if !errors.is_empty() {
            return Err(ErrorKind::Invalid { model: self.model.name, errors }.into());
        }
        self.stale().map_or(Ok(()), Err)
    }

    /// Whether saving would write a column.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.has_members() || self.has_own_changes()
    }

    /// Whether anything is said of members: there are other rows to be written, or at least to be looked at.
    #[must_use]
    pub fn has_members(&self) -> bool {
        self.is_linked()
            || self.children.iter().any(|child| {
                matches!(
                    child.op,
                    ChildOp::AssociateWith { .. }
                        | ChildOp::Push { .. }
                        | ChildOp::PushNew(_)
                        | ChildOp::Edit(_)
                        | ChildOp::Remove(_)
                        | ChildOp::Replace(_)
                        | ChildOp::Find(_)
                        | ChildOp::Clear
                )
            })
    }

    /// Model, row, the values to write, and what is said of associations, given up.
    pub(crate) fn into_whole(
        mut self,
    ) -> (&'static ModelDef, Option<Row>, Vec<Option<Value<'static>>>, Vec<ChildChange>) {
        if self.base.is_some() {
            let whole = self.parts_of_references();
            for at in 0..self.values.len() {
                let is_same = self.values[at].as_ref().is_some_and(|value| !self.differs(at, value));
                if is_same && !whole.contains(&at) {
                    self.values[at] = None;
                }
            }
        }
        (self.model, self.base, self.values, self.children)
    }

    /// Whether it is of a new row, and nothing is said but its columns.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_new() && self.children.is_empty() && self.extra.is_none() && self.errors.is_empty() && !self.marked
    }

    /// The values, given up by a change that is planned.
    pub(crate) fn take_values(&mut self) -> Vec<Option<Value<'static>>> {
        std::mem::take(&mut self.values)
    }

    /// The row and the values, given up.
    #[must_use]
    pub fn into_parts(self) -> (Option<Row>, Vec<Option<Value<'static>>>) {
        (self.base, self.values)
    }
}

/// One entry for each column of a model, nothing given.
pub(crate) fn no_values(model: &ModelDef) -> Vec<Option<Value<'static>>> {
    let mut values = Vec::with_capacity(model.columns.len());
    values.resize_with(model.columns.len(), || None);
    values
}

impl std::fmt::Debug for RowChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct(if self.base.is_some() { "Change" } else { "Build" });
        for (column, value) in self.model.columns.iter().zip(&self.values) {
            if let Some(value) = value {
                shown.field(column.name, value);
            }
        }
        for child in self.children.iter().filter(|child| !matches!(child.op, ChildOp::Associate { .. })) {
            shown.field(child.association.name, &child.op);
        }
        if !self.errors.is_empty() {
            shown.field("errors", &self.errors);
        }
        shown.finish()
    }
}
