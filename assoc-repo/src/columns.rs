//! The columns that a query can select in place of whole models: a column, an aggregate, or a tuple of them.

use assoc_core::metadata::Operand;
use assoc_core::{Aggregate, Column, ColumnType, Error, JoinedColumn, Result, Selectable, Value};

/// A column, an aggregate, or a tuple of up to six. [`Repo::pluck`](crate::Repo::pluck) reads them, and
/// [`Select::select`](crate::Select::select) and [`Select::group_by`](crate::Select::group_by) name them.
///
/// A program can implement it for another type, so that `pluck` fills a struct:
///
/// ```
/// # use assoc_repo::prelude::*;
/// use assoc_repo::core::metadata::Operand;
/// use assoc_repo::{Columns, Selected};
/// # use assoc_sqlite::Sqlite;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, pub name: String, pub email: Option<String> }
///
/// struct Contact {
///     name: String,
///     email: Option<String>,
/// }
///
/// struct Contacts;
///
/// impl Columns<User> for Contacts {
///     type Row = Contact;
///
///     fn operands(self) -> Vec<Operand> {
///         (User::NAME, User::EMAIL).operands()
///     }
///
///     fn decode(values: &mut [Value<'_>], selected: &Selected) -> Result<Contact> {
///         Ok(Contact { name: selected.read(values, 0)?, email: selected.read(values, 1)? })
///     }
/// }
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<User>().await?;
/// # repo.insert(User::build().set(User::NAME, "Ada")).await?;
/// let contacts = repo.pluck(Contacts, Query::new()).await?;
/// assert_eq!((&*contacts[0].name, &contacts[0].email), ("Ada", &None));
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no column that a query can read",
    label = "neither a column or an aggregate of the query's model, nor a tuple of at most six",
    note = "name columns by their tokens: `User::NAME`, `(User::NAME, User::POSTS.joined(Post::ID).count())`"
)]
pub trait Columns<M> {
    /// The Rust type of one row of them.
    type Row: Send + 'static;

    /// The columns as data, for the planner.
    fn operands(self) -> Vec<Operand>;

    /// Reads one row.
    ///
    /// # Errors
    /// When a value does not fit its type.
    fn decode(values: &mut [Value<'_>], selected: &Selected) -> Result<Self::Row>;
}

/// The columns that a statement selects. They give their names to values that cannot be read.
#[derive(Debug, Clone)]
pub struct Selected {
    model: &'static str,
    operands: Vec<Operand>,
}

impl Selected {
    pub(crate) fn new(model: &'static str, operands: Vec<Operand>) -> Self {
        Selected { model, operands }
    }

    /// Reads the value at a position of a row.
    ///
    /// # Errors
    /// When there is no such position, or its value is not of this type.
    pub fn read<V: ColumnType>(&self, values: &mut [Value<'_>], at: usize) -> Result<V> {
        let value =
            values.get_mut(at).ok_or_else(|| Error::invalid_query(self.model, "the row has too few columns"))?;
        V::from_value(value).map_err(|mismatch| {
            let column = self.operands.get(at).map_or("a value".into(), Operand::shown);
            mismatch.at(self.model, column)
        })
    }
}

impl<M, V: ColumnType> Columns<M> for Column<M, V> {
    type Row = V;

    fn operands(self) -> Vec<Operand> {
        vec![self.into_selected()]
    }

    fn decode(values: &mut [Value<'_>], selected: &Selected) -> Result<V> {
        selected.read(values, 0)
    }
}

impl<M, V: ColumnType> Columns<M> for JoinedColumn<M, V> {
    type Row = V;

    fn operands(self) -> Vec<Operand> {
        vec![self.into_selected()]
    }

    fn decode(values: &mut [Value<'_>], selected: &Selected) -> Result<V> {
        selected.read(values, 0)
    }
}

impl<M, Out: ColumnType> Columns<M> for Aggregate<M, Out> {
    type Row = Out;

    fn operands(self) -> Vec<Operand> {
        vec![self.into_selected()]
    }

    fn decode(values: &mut [Value<'_>], selected: &Selected) -> Result<Out> {
        selected.read(values, 0)
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),+) => {
        impl<M, $($name: Selectable<M>),+> Columns<M> for ($($name,)+) {
            type Row = ($($name::Out,)+);

            fn operands(self) -> Vec<Operand> {
                vec![$(self.$index.into_selected()),+]
            }

            fn decode(values: &mut [Value<'_>], selected: &Selected) -> Result<Self::Row> {
                Ok(($(selected.read::<$name::Out>(values, $index)?,)+))
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
