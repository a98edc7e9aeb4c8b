//! Orders of rows: what the methods of columns return, and lists of them.

use std::fmt;
use std::marker::PhantomData;

use crate::metadata::expr::{Direction, Nulls, Operand, OrderTerm};
use crate::value::Value;

/// One term of an order over rows of model `M`.
pub struct Sort<M> {
    term: OrderTerm,
    model: PhantomData<fn() -> M>,
}

impl<M> fmt::Debug for Sort<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sort").field(&self.term).finish()
    }
}

impl<M> Clone for Sort<M> {
    fn clone(&self) -> Self {
        Sort { term: self.term.clone(), model: PhantomData }
    }
}

impl<M> PartialEq for Sort<M> {
    fn eq(&self, other: &Self) -> bool {
        self.term == other.term
    }
}

impl<M> Sort<M> {
    pub(crate) fn new(operand: Operand, direction: Direction) -> Self {
        Sort { term: OrderTerm::new(operand, direction), model: PhantomData }
    }

    pub(crate) fn map_operand<N>(self, map: impl FnOnce(Operand) -> Operand) -> Sort<N> {
        let OrderTerm { operand, direction, nulls } = self.term;
        Sort { term: OrderTerm { operand: map(operand), direction, nulls }, model: PhantomData }
    }

    /// An order by hand-written SQL, smallest first: an expression without a direction, which
    /// [`reversed`](Self::reversed) and [`nulls_last`](Self::nulls_last) say. Each `?` outside quotes takes the next bind;
    /// values never enter the text. A statement may give the table another name, so the text names columns without it.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// # use assoc_core::Sort;
    /// let ada_first = Sort::<User>::raw("CASE WHEN name = ? THEN 0 ELSE 1 END", ["Ada".into()]);
    /// # let _ = ada_first;
    /// ```
    pub fn raw(
        sql: impl Into<std::borrow::Cow<'static, str>>,
        binds: impl IntoIterator<Item = Value<'static>>,
    ) -> Self {
        Sort::new(Operand::Raw { sql: sql.into(), binds: binds.into_iter().collect() }, Direction::Asc)
    }

    /// `NULL` comes before all values, on every database. Without this or [`nulls_last`](Self::nulls_last), SQLite, MySQL and
    /// MariaDB take `NULL` as the smallest value, and PostgreSQL as the largest.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let by_age = User::AGE.asc().nulls_first();
    /// # let _ = by_age;
    /// ```
    #[must_use]
    pub fn nulls_first(mut self) -> Self {
        self.term.nulls = Nulls::First;
        self
    }

    /// `NULL` comes after all values, on every database: [`nulls_first`](Self::nulls_first) says where it comes otherwise.
    ///
    /// An index on the column gives this order without sorting where `NULL` is last anyway, which is in descending orders on
    /// SQLite, MySQL and MariaDB, and in ascending ones on PostgreSQL.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let by_age = User::AGE.asc().nulls_last();
    /// # let _ = by_age;
    /// ```
    #[must_use]
    pub fn nulls_last(mut self) -> Self {
        self.term.nulls = Nulls::Last;
        self
    }

    /// The opposite order: what came first comes last, `NULL` included.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// assert_eq!(User::NAME.asc().reversed(), User::NAME.desc());
    /// ```
    #[must_use]
    pub fn reversed(self) -> Self {
        Sort { term: self.term.reversed(), model: PhantomData }
    }

    /// The term as data, for the planner.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::metadata::Direction;
    ///
    /// assert_eq!(Post::ID.desc().into_term().direction, Direction::Desc);
    /// ```
    #[must_use]
    pub fn into_term(self) -> OrderTerm {
        self.term
    }
}

/// One or several terms of an order: `User::NAME.asc()`, or a tuple, array or `Vec` of these.
///
/// A program can implement it for another type, such as an order that a client chooses. The terms are data:
///
/// ```
/// use assoc_core::metadata::{ColumnRef, Direction, Operand, OrderTerm};
/// use assoc_core::IntoSort;
///
/// struct Newest;
///
/// impl<M> IntoSort<M> for Newest {
///     fn into_terms(self) -> Vec<OrderTerm> {
///         let operand = Operand::Column(ColumnRef::own("created_at"));
///         vec![OrderTerm::new(operand, Direction::Desc)]
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no order of `{M}`",
    label = "no column of `{M}` with the way in which rows are sorted by it",
    note = "write `User::NAME.asc()` or `User::NAME.desc()`, or several of them in a tuple",
    note = "a column of a joined association is `Post::USER.joined(User::NAME).asc()`; hand-written SQL is `Sort::raw(\"…\", [])`"
)]
pub trait IntoSort<M> {
    /// The terms as data, most significant first.
    fn into_terms(self) -> Vec<OrderTerm>;
}

impl<M> IntoSort<M> for Sort<M> {
    fn into_terms(self) -> Vec<OrderTerm> {
        vec![self.term]
    }
}

impl<M, const N: usize> IntoSort<M> for [Sort<M>; N] {
    fn into_terms(self) -> Vec<OrderTerm> {
        self.into_iter().map(Sort::into_term).collect()
    }
}

macro_rules! several {
    ($($name:ident $index:tt),+) => {
        impl<M, $($name: IntoSort<M>),+> IntoSort<M> for ($($name,)+) {
            fn into_terms(self) -> Vec<OrderTerm> {
                let mut terms = Vec::new();
                $(terms.extend(self.$index.into_terms());)+
                terms
            }
        }
    };
}

several!(A 0, B 1);
several!(A 0, B 1, C 2);
several!(A 0, B 1, C 2, D 3);

impl<M> IntoSort<M> for Vec<Sort<M>> {
    fn into_terms(self) -> Vec<OrderTerm> {
        self.into_iter().map(Sort::into_term).collect()
    }
}
