//! The rows of a model, as those that belong to others.

use crate::key::KeyTuple;
use crate::metadata::association::{KeySide, Parent};
use crate::metadata::model::{ModelDef, ascending_once};
use crate::value::Value;

/// A model whose rows belong to rows that follow them.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::Value;
/// use assoc_core::counters::Children;
///
/// let users = Children::of(User::DEF).expect("a team counts its users");
/// assert_eq!(users.columns, [User::ID.index(), User::TEAM_ID.index()]);
/// assert!(Children::of(Team::DEF).is_none() && Children::touching(User::DEF).is_none());
///
/// let row = users.row(|column| if column == User::ID.index() { 1_i64.into() } else { 5_i64.into() });
/// assert_eq!(users.value(&row, User::TEAM_ID.index()), &Value::Int(5));
/// assert_eq!(users.key(&row).map(|key| key.to_string()).as_deref(), Some("1"));
/// assert_eq!(users.parent_key(&users.parents[0], &row).map(|key| key.to_string()).as_deref(), Some("5"));
/// let alone = users.without(&row, &[User::TEAM_ID.index()]);
/// assert!(users.parent_key(&users.parents[0], &alone).is_none());
///
/// // Another name changes no number; another team does, and the old one has to be known.
/// let (name, team) = (|column| column == User::NAME.index(), |column| column == User::TEAM_ID.index());
/// assert!(!users.follow(true, name) && users.follow(true, team) && users.is_read_first(true, team));
/// ```
#[derive(Debug, Clone)]
pub struct Children {
    /// The model.
    pub model: &'static ModelDef,
    /// The models that follow, each with the key by which.
    pub parents: Vec<Parent>,
    /// What has to be known of a row, in ascending order: its primary key, and which parents it has.
    pub columns: Vec<usize>,
}

impl Children {
    /// The rows of a model. `None` if nothing follows them.
    #[must_use]
    pub fn of(model: &'static ModelDef) -> Option<Children> {
        Children::following(model, |_| true)
    }

    /// The rows of a model, as far as others are touched with them.
    #[must_use]
    pub fn touching(model: &'static ModelDef) -> Option<Children> {
        Children::following(model, |parent| !parent.touched.is_empty())
    }

    fn following(model: &'static ModelDef, follows: impl Fn(&Parent) -> bool) -> Option<Children> {
        if !model.has_followed_parents() {
            return None;
        }
        let associations = model.associations.iter();
        let parents = associations.flat_map(|association| association.kind.parents(association));
        let parents: Vec<Parent> = parents.filter(follows).collect();
        let of_parents = parents.iter().flat_map(Parent::columns);
        let columns: Vec<usize> = model.primary_key.iter().copied().chain(of_parents).collect();
        (!parents.is_empty()).then(|| Children { model, columns: ascending_once(&columns), parents })
    }

    /// The value of a column of a row, of which [`columns`](Self::columns) are known.
    #[must_use]
    pub fn value<'v>(&self, row: &'v [Value<'static>], column: usize) -> &'v Value<'static> {
        static NULL: Value<'static> = Value::Null;
        let at = self.columns.iter().position(|known| *known == column);
        at.and_then(|at| row.get(at)).unwrap_or(&NULL)
    }

    /// The key of the parent that a row has, if it has one.
    #[must_use]
    pub fn parent_key(&self, parent: &Parent, row: &[Value<'static>]) -> Option<KeyTuple> {
        if let Some(named) = parent.named
            && !matches!(self.value(row, named.column), Value::Text(tag) if tag == named.tag)
        {
            return None;
        }
        KeyTuple::new(parent.foreign_key.iter().map(|column| self.value(row, *column).clone()))
    }

    /// The key of a row.
    #[must_use]
    pub fn key(&self, row: &[Value<'static>]) -> Option<KeyTuple> {
        let key = self.model.primary_key;
        if key.is_empty() { None } else { KeyTuple::new(key.iter().map(|column| self.value(row, *column).clone())) }
    }

    /// A row by the values of its columns, in the form in which keys are compared.
    #[must_use]
    pub fn row(&self, value: impl Fn(usize) -> Value<'static>) -> Box<[Value<'static>]> {
        let stored = |column: &usize| self.model.columns[*column].sql_type.as_key(value(*column));
        self.columns.iter().map(stored).collect()
    }

    /// A row that has lost the values of some columns.
    #[must_use]
    pub fn without(&self, row: &[Value<'static>], cleared: &[usize]) -> Box<[Value<'static>]> {
        self.row(|column| if cleared.contains(&column) { Value::Null } else { self.value(row, column).clone() })
    }

    /// Whether a row must be read before these columns of it change, because the row that follows depends on what it held.
    #[must_use]
    pub fn is_read_first(&self, touches: bool, changed: impl Fn(usize) -> bool) -> bool {
        self.parents.iter().filter(|parent| parent.key_side == KeySide::Owner).any(|parent| {
            touches && !parent.touched.is_empty() || parent.counter.is_some() && parent.columns().any(&changed)
        })
    }

    /// Whether something may follow when these columns of a row change. With `touches` any change may move a time.
    #[must_use]
    pub fn follow(&self, touches: bool, changed: impl Fn(usize) -> bool) -> bool {
        self.parents.iter().any(|parent| {
            touches && !parent.touched.is_empty() || parent.counter.is_some() && parent.columns().any(&changed)
        })
    }
}
