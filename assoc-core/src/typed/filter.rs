//! Conditions on rows: what the methods of columns and associations return, and what combines them.

use std::fmt;
use std::marker::PhantomData;

use crate::metadata::expr::Expr;
use crate::value::Value;

/// A condition on rows of model `M`.
pub struct Filter<M> {
    expr: Expr,
    model: PhantomData<fn() -> M>,
}

impl<M> fmt::Debug for Filter<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.expr).finish()
    }
}

impl<M> Clone for Filter<M> {
    fn clone(&self) -> Self {
        Filter::new(self.expr.clone())
    }
}

/// Two conditions are equal if their data forms are: `a.and(b)` is not `b.and(a)`.
impl<M> PartialEq for Filter<M> {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr
    }
}

impl<M> Filter<M> {
    /// A condition from its data form, [`Expr`].
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::Filter;
    /// use assoc_core::metadata::Expr;
    ///
    /// // A condition on a column that is known at run time.
    /// let column = Post::DEF.column("title")?;
    /// assert_eq!(Filter::<Post>::new(Expr::column_equals(column, "A".into())), Post::TITLE.eq("A"));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub const fn new(expr: Expr) -> Self {
        Filter { expr, model: PhantomData }
    }

    /// A condition as hand-written SQL. Each `?` outside quotes takes the next bind; values never enter the text.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let long = Filter::<User>::raw("length(name) > ?", [Value::Int(3)]);
    /// # let _ = long;
    /// ```
    pub fn raw(
        sql: impl Into<std::borrow::Cow<'static, str>>,
        binds: impl IntoIterator<Item = Value<'static>>,
    ) -> Self {
        Filter::new(Expr::Raw { sql: sql.into(), binds: binds.into_iter().collect() })
    }

    /// A condition that all of several conditions hold. Without any it matches every row.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let wanted = [User::AGE.ge(18), User::NAME.like("A%")];
    /// let all = Filter::all_of(wanted); // age >= ? AND name LIKE ?
    /// # let _ = all;
    /// ```
    #[must_use]
    pub fn all_of(filters: impl IntoIterator<Item = Filter<M>>) -> Self {
        Filter::new(Expr::all_of(filters.into_iter().map(|filter| filter.expr).collect()))
    }

    /// A condition that at least one of several conditions holds. Without any it matches no row.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let names = ["Ada", "Grace"].map(|name| User::NAME.eq(name));
    /// let any = Filter::any_of(names); // name = ? OR name = ?
    /// # let _ = any;
    /// ```
    #[must_use]
    pub fn any_of(filters: impl IntoIterator<Item = Filter<M>>) -> Self {
        Filter::new(Expr::any_of(filters.into_iter().map(|filter| filter.expr).collect()))
    }

    /// A condition that both hold.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let both = User::AGE.ge(18).and(User::NAME.like("A%"));
    /// assert_eq!(both, User::AGE.ge(18) & User::NAME.like("A%"));
    /// ```
    #[must_use]
    pub fn and(self, other: Filter<M>) -> Self {
        Filter::new(self.expr.and(other.expr))
    }

    /// A condition that at least one of the two holds.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let either = User::AGE.lt(18).or(User::AGE.gt(65));
    /// assert_eq!(either, User::AGE.lt(18) | User::AGE.gt(65));
    /// ```
    #[must_use]
    pub fn or(self, other: Filter<M>) -> Self {
        Filter::new(self.expr.or(other.expr))
    }

    /// The opposite condition. As always in SQL, the opposite of `NULL` is `NULL`.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// assert_eq!(User::AGE.is_null().not(), !User::AGE.is_null());
    /// ```
    #[must_use]
    #[allow(clippy::should_implement_trait)] // `!filter` works as well, through `Not`.
    pub fn not(self) -> Self {
        Filter::new(self.expr.negated())
    }

    /// The condition as data, for the planner.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::Filter;
    ///
    /// let untitled = Post::TITLE.eq("").into_expr();
    /// assert_eq!(Filter::<Post>::new(untitled.clone()), Post::TITLE.eq(""));
    /// assert_eq!(untitled, assoc_core::metadata::Expr::equals("title", "".into()));
    /// ```
    #[must_use]
    pub fn into_expr(self) -> Expr {
        self.expr
    }
}

impl<M> std::ops::Not for Filter<M> {
    type Output = Filter<M>;

    fn not(self) -> Self {
        Filter::not(self)
    }
}

impl<M> std::ops::BitAnd for Filter<M> {
    type Output = Filter<M>;

    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

impl<M> std::ops::BitOr for Filter<M> {
    type Output = Filter<M>;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}
