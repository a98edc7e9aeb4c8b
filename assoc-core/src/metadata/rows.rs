//! Rows behind a vtable.
//!
//! The planner and the executor work on a graph of models that is known at run time only (the preload tree), so they
//! cannot be generic over its models. They keep a model's rows as `Box<dyn Rows>`, which is a `Vec<M>`. Everything that
//! happens once per row (decoding, reading a key) is a loop inside one virtual call. Each model instantiates this
//! module once; each association adds one `attach` function. That keeps the generated code of a model with thirty
//! associations small.

use std::any::{Any, TypeId};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::key::{KeyTuple, RowKeys};
use crate::metadata::model::{ColumnDef, Model};
use crate::metadata::origin::RowOrigin;
use crate::row_sink::RowSink;
use crate::value::Value;

mod links;

pub use links::{LinkRows, LinkTable};

/// The operations of one model for callers that do not know its type. [`RowsOf`] is the only implementor.
///
/// Tests of a dialect need models, but no rows:
///
/// ```
/// use std::any::{Any, TypeId};
///
/// use assoc_core::execution::rows::{ModelRows, Rows};
/// use assoc_core::metadata::{ColumnDef, ModelDef, TableRef};
/// use assoc_core::{SqlType, Value};
///
/// struct NoRows;
///
/// impl ModelRows for NoRows {
///     fn model_type(&self) -> TypeId {
///         TypeId::of::<NoRows>()
///     }
///
///     fn new_rows(&self) -> Box<dyn Rows> {
///         unreachable!("nothing is decoded")
///     }
///
///     fn value<'a>(&self, _: &'a dyn Any, _: usize) -> Value<'a> {
///         Value::Null
///     }
/// }
///
/// static COLUMNS: [ColumnDef; 1] = [ColumnDef::new("id", "id", SqlType::Int(64), false)];
/// static MODEL: ModelDef =
///     ModelDef::new("Child", TableRef { schema: None, name: "children" }, &COLUMNS, &[0], &[], &NoRows);
/// assert!(MODEL.rows.bare_copy(&()).is_none() && MODEL.rows.whole_copy(&()).is_none());
/// assert!(MODEL.rows.origin(&()).is_none() && MODEL.rows.set_value(&mut (), 0, &mut Value::Null).is_ok());
/// assert_eq!(MODEL.type_id(), TypeId::of::<NoRows>());
/// ```
pub trait ModelRows: Send + Sync {
    /// The model's Rust type.
    fn model_type(&self) -> TypeId;

    /// An empty list of rows.
    fn new_rows(&self) -> Box<dyn Rows>;

    /// The value of a column of one row; `NULL` if the row is of another model.
    fn value<'a>(&self, row: &'a dyn Any, column: usize) -> Value<'a>;

    /// A copy of one row's columns, with the mark of where it came from; `None` if the row is of another model.
    fn bare_copy(&self, row: &dyn Any) -> Option<Arc<dyn Any + Send + Sync>> {
        let _ = row;
        None
    }

    /// A copy of one row with all that is loaded in it; `None` if the row is of another model.
    fn whole_copy(&self, row: &dyn Any) -> Option<Arc<dyn Any + Send + Sync>> {
        self.bare_copy(row)
    }

    /// Where one row came from, if its model has a field for it.
    fn origin(&self, row: &dyn Any) -> Option<RowOrigin> {
        let _ = row;
        None
    }

    /// Sets a column of one row. A row of another model, or of a table without a model, stays unchanged.
    ///
    /// # Errors
    /// When the value does not fit the field.
    fn set_value(&self, row: &mut dyn Any, column: usize, value: &mut Value<'_>) -> Result<()> {
        let _ = (row, column, value);
        Ok(())
    }
}

/// The rows of model `M`, as a constant for its [`ModelDef`](crate::metadata::ModelDef).
pub struct RowsOf<M>(PhantomData<fn() -> M>);

impl<M> RowsOf<M> {
    /// Makes the constant.
    #[doc(hidden)]
    #[must_use]
    #[allow(clippy::new_without_default)] // Only ever used in constants.
    pub const fn new() -> Self {
        RowsOf(PhantomData)
    }
}

impl<M: Model> ModelRows for RowsOf<M> {
    fn model_type(&self) -> TypeId {
        TypeId::of::<M>()
    }

    fn new_rows(&self) -> Box<dyn Rows> {
        Box::new(Vec::<M>::new())
    }

    fn value<'a>(&self, row: &'a dyn Any, column: usize) -> Value<'a> {
        match row.downcast_ref::<M>() {
            Some(row) => row.value(column),
            None => Value::Null,
        }
    }

    fn bare_copy(&self, row: &dyn Any) -> Option<Arc<dyn Any + Send + Sync>> {
        let row = row.downcast_ref::<M>()?;
        let mut copy = row.bare();
        if let (Some(own), Some(origin)) = (copy.row_origin_mut(), row.row_origin()) {
            *own = *origin;
        }
        Some(Arc::new(copy))
    }

    fn whole_copy(&self, row: &dyn Any) -> Option<Arc<dyn Any + Send + Sync>> {
        match row.downcast_ref::<M>() {
            Some(row) => Some(Arc::new(row.clone())),
            None => None,
        }
    }

    fn origin(&self, row: &dyn Any) -> Option<RowOrigin> {
        row.downcast_ref::<M>()?.row_origin().copied()
    }

    fn set_value(&self, row: &mut dyn Any, column: usize, value: &mut Value<'_>) -> Result<()> {
        match row.downcast_mut::<M>() {
            Some(row) => row.set_value(column, value),
            None => Ok(()),
        }
    }
}

/// A list of rows of one model: a `Vec<M>`. As a [`RowSink`] it decodes each row it receives and appends it.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::RowSink;
/// use assoc_core::execution::RowKeys;
/// use assoc_core::execution::rows::Rows;
///
/// // Rows of a model that the executor does not know.
/// let mut rows: Box<dyn Rows> = Tag::DEF.rows.new_rows();
/// assert!(rows.is_empty());
/// rows.reserve(2);
/// RowSink::row(&mut *rows, &mut [7_i64.into(), "rust".into()])?; // What a driver does.
/// rows.push_bare(&Tag { id: 8, name: "sql".into() });
/// assert_eq!((rows.len(), rows.keys(Tag::PRIMARY_KEY, 1)), (2, RowKeys::Ints(vec![Some(8)])));
/// rows.reorder(&[1, 0]);
/// assert_eq!(rows.keys(Tag::PRIMARY_KEY, 0), RowKeys::Ints(vec![Some(8), Some(7)]));
///
/// let mut more = Tag::DEF.rows.new_rows();
/// more.push_from(&*rows, 0);
/// more.push_whole(&Tag { id: 9, name: "web".into() });
/// more.visit_mut(&mut |row| row.downcast_mut::<Tag>().expect("a tag").name.push('!'));
/// rows.append(more);
/// rows.keep(&[false, false, true, true]);
/// assert_eq!((rows.as_any().is::<Vec<Tag>>(), rows.owners().count()), (true, 2));
/// # rows.mark(assoc_core::RowOrigin::default());
/// # assert!(Rows::row(&*rows, 5).is_none());
/// # let shared = Rows::into_shared(Box::new(vec![Tag { id: 1, name: "a".into() }]));
/// # assert!(shared.is::<Vec<std::sync::Arc<Tag>>>());
/// let tags = rows.into_any().downcast::<Vec<Tag>>().expect("tags");
/// assert_eq!(tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(), ["sql!", "web!"]);
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub trait Rows: RowSink + Sync {
    /// The number of rows.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row.
    fn row(&self, at: usize) -> Option<&dyn Any>;

    /// Calls `each` with each row, to change it. Rows of a table without a model have nothing to change.
    fn visit_mut<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut dyn Any)) {
        let _ = each;
    }

    /// The keys in some columns of each row from position `first` on.
    fn keys(&self, columns: &[usize], first: usize) -> RowKeys {
        self.keys_of(columns, first..self.len())
    }

    /// The keys in some columns of the rows at some positions, as far as there are rows.
    fn keys_of(&self, columns: &[usize], rows: Range<usize>) -> RowKeys;

    /// Reserves memory for `additional` more rows.
    fn reserve(&mut self, additional: usize) {
        let _ = additional;
    }

    /// Appends a copy of a row's columns; rows of another model are ignored.
    fn push_bare(&mut self, row: &dyn Any);

    /// Appends a copy of a row with all that is loaded in it; rows of another model are ignored.
    fn push_whole(&mut self, row: &dyn Any) {
        self.push_bare(row);
    }

    /// Appends a copy of the columns of another list's row.
    fn push_from(&mut self, other: &dyn Rows, at: usize) {
        if let Some(row) = other.row(at) {
            self.push_bare(row);
        }
    }

    /// Appends all rows of another list of the same kind; a list of another kind is dropped.
    fn append(&mut self, other: Box<dyn Rows>);

    /// Keeps the rows marked `true`, in their order.
    fn keep(&mut self, marks: &[bool]);

    /// Puts the rows into another order, given by their positions. Each position appears once.
    fn reorder(&mut self, order: &[u32]);

    /// Sets the origin of every row, if the model has a field for it.
    fn mark(&mut self, origin: RowOrigin);

    /// The rows as owners, to attach associations to them.
    fn owners(&mut self) -> &mut dyn Owners;

    /// The `Vec<M>`.
    fn as_any(&self) -> &dyn Any;

    /// The `Vec<M>`, by value.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// Wraps each row in an `Arc`: the result is a `Vec<Arc<M>>`.
    fn into_shared(self: Box<Self>) -> Box<dyn Any>;
}

// Each model instantiates what follows. An adapter of the standard library (`map`, `collect`, `retain`) is a dozen functions
// more for each closure, which a build without optimisation compiles one by one; so there are loops here.
impl<M: Model> RowSink for Vec<M> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        self.push(M::from_values(values)?);
        Ok(())
    }
}

impl<M: Model> Rows for Vec<M> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn row(&self, at: usize) -> Option<&dyn Any> {
        match self.get(at) {
            Some(row) => Some(row),
            None => None,
        }
    }

    fn visit_mut<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut dyn Any)) {
        for row in self {
            each(row);
        }
    }

    fn keys_of(&self, columns: &[usize], rows: Range<usize>) -> RowKeys {
        match self.get(rows.start..rows.end.min(Vec::len(self))) {
            Some(rows) => keys_of(rows, columns),
            None => keys_of(&self[..0], columns),
        }
    }

    fn reserve(&mut self, additional: usize) {
        Vec::reserve_exact(self, additional);
    }

    fn push_bare(&mut self, row: &dyn Any) {
        if let Some(row) = row.downcast_ref::<M>() {
            self.push(row.bare());
        }
    }

    fn append(&mut self, other: Box<dyn Rows>) {
        if let Ok(mut other) = other.into_any().downcast::<Vec<M>>() {
            Vec::append(self, &mut other);
        }
    }

    fn push_whole(&mut self, row: &dyn Any) {
        if let Some(row) = row.downcast_ref::<M>() {
            self.push(row.clone());
        }
    }

    fn keep(&mut self, marks: &[bool]) {
        let mut kept = Vec::with_capacity(self.len().min(marks.len()));
        let mut marks = marks.iter();
        for row in std::mem::take(self) {
            if marks.next() == Some(&true) {
                kept.push(row);
            }
        }
        *self = kept;
    }

    fn reorder(&mut self, order: &[u32]) {
        if order.is_sorted() {
            return;
        }
        let mut rows: Vec<Option<M>> = Vec::with_capacity(Vec::len(self));
        for row in std::mem::take(self) {
            rows.push(Some(row));
        }
        self.reserve_exact(order.len());
        for at in order {
            if let Some(slot) = rows.get_mut(*at as usize)
                && let Some(row) = slot.take()
            {
                self.push(row);
            }
        }
    }

    fn mark(&mut self, origin: RowOrigin) {
        mark(self, origin);
    }

    fn owners(&mut self) -> &mut dyn Owners {
        self
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn into_shared(self: Box<Self>) -> Box<dyn Any> {
        let mut rows = *self;
        let piece = piece_of(&rows);
        let mut shared: Vec<Arc<M>> = Vec::with_capacity(Vec::len(&rows));
        // From the end, so that the list gives its memory back while the rows move.
        while let Some(row) = rows.pop() {
            shared.push(Arc::new(row));
            give_back(&mut rows, piece);
        }
        shared.reverse();
        Box::new(shared)
    }
}

/// How many rows a list loses before it gives their memory back: an eighth, so that it does so a few times only.
pub(crate) fn piece_of<M>(rows: &[M]) -> usize {
    const LEAST_BYTES: usize = 16 * 1024;
    (rows.len() / 8).max(LEAST_BYTES / size_of::<M>().max(1)).max(1)
}

/// Gives memory back that rows at the end of a list have left, if it is a piece or more. The list stays where it is with
/// most allocators. Without this it would be as large as it ever was beside the rows that have moved.
pub(crate) fn give_back<M>(rows: &mut Vec<M>, piece: usize) {
    if rows.capacity() - rows.len() >= piece {
        rows.shrink_to_fit();
    }
}

/// Sets the origin of every row, if the model has a field for it.
///
/// ```
/// # use assoc_core::RowOrigin;
/// use assoc_core::execution::rows::mark;
/// # #[derive(assoc_macros::Model, Clone)]
/// # struct Post { id: i64, origin: RowOrigin }
///
/// let mut posts = vec![Post { id: 7, origin: RowOrigin::default() }];
/// mark(&mut posts, RowOrigin::read_only(None));
/// assert!(posts[0].origin.is_read_only());
/// ```
pub fn mark<M: Model>(rows: &mut [M], origin: RowOrigin) {
    for row in rows {
        let Some(own) = row.row_origin_mut() else { return };
        *own = origin;
    }
}

/// The keys in some columns of each row.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::execution::RowKeys;
/// use assoc_core::execution::rows::keys_of;
///
/// let users = [user(1, "Ada", Some(5)), user(2, "Grace", None)];
/// assert_eq!(keys_of(&users, &[User::TEAM_ID.index()]), RowKeys::Ints(vec![Some(5), None]));
/// // Text, and keys of several columns, are tuples.
/// assert!(matches!(keys_of(&users, &[User::NAME.index()]), RowKeys::Tuples(names) if names.len() == 2));
/// ```
#[must_use]
pub fn keys_of<M: Model>(rows: &[M], columns: &[usize]) -> RowKeys {
    if let [column] = columns
        && is_integer(M::COLUMNS, *column)
        && let Some(keys) = int_keys(rows, *column)
    {
        return RowKeys::Ints(keys);
    }
    let mut keys = Vec::with_capacity(rows.len());
    let mut values = Vec::with_capacity(columns.len());
    for row in rows {
        for column in columns {
            values.push(row.value(*column).into_owned());
        }
        keys.push(KeyTuple::new(values.drain(..)));
    }
    RowKeys::Tuples(keys)
}

fn is_integer(columns: &[ColumnDef], column: usize) -> bool {
    columns.get(column).is_some_and(|column| column.sql_type.is_integer())
}

// `None` if one of the numbers is beyond `i64`.
fn int_keys<M: Model>(rows: &[M], column: usize) -> Option<Vec<Option<i64>>> {
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        keys.push(match row.value(column) {
            Value::Int(key) => Some(key),
            Value::Null => None,
            _ => return None,
        });
    }
    Some(keys)
}

/// Rows to which associations are attached.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::execution::rows::Owners;
///
/// let mut users = vec![user(1, "Ada", None)];
/// assert_eq!(users.count(), 1);
/// let ada = users.owner(0).and_then(|owner| owner.downcast_mut::<User>()).expect("a user");
/// ada.name.push('!');
/// assert!(users.owner(1).is_none() && users[0].name == "Ada!");
/// ```
pub trait Owners {
    /// The number of owners.
    fn count(&self) -> usize;

    /// One owner.
    fn owner(&mut self, at: usize) -> Option<&mut dyn Any>;
}

impl<M: Model> Owners for Vec<M> {
    fn count(&self) -> usize {
        self.len()
    }

    fn owner(&mut self, at: usize) -> Option<&mut dyn Any> {
        match self.get_mut(at) {
            Some(owner) => Some(owner),
            None => None,
        }
    }
}
