//! What can be said of one value of a query, by the same words for a column, a joined one and an
//! aggregate: comparisons with values, and orders.

/// The words of a type with parameters `<Model, Value>` that is a [`ColumnOf`](crate::ColumnOf), or has an `into_operand`
/// of its own.
macro_rules! words_of_a_value {
    ($type:ident, $it:literal) => {
        impl<M, V: ColumnType> $type<M, V> {
            #[doc = concat!("Sorts by ", $it, ", smallest first. `NULL` comes where the database puts it: first on \
                SQLite, MySQL and MariaDB, last on PostgreSQL. [`Sort::nulls_first`] and [`Sort::nulls_last`] decide it.")]
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let by_name = User::NAME.asc(); // ORDER BY name
            /// # let _ = by_name;
            /// ```
            #[must_use]
            pub fn asc(self) -> Sort<M> {
                Sort::new(self.into_operand(), Direction::Asc)
            }

            #[doc = concat!("Sorts by ", $it, ", largest first. `NULL` comes last on SQLite, MySQL and MariaDB, and first on \
                PostgreSQL, unless [`Sort::nulls_first`] or [`Sort::nulls_last`] decides it.")]
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let eldest_first = User::AGE.desc().nulls_last(); // ORDER BY age DESC
            /// # let _ = eldest_first;
            /// ```
            #[must_use]
            pub fn desc(self) -> Sort<M> {
                Sort::new(self.into_operand(), Direction::Desc)
            }

            /// It is `NULL`.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let unknown = User::AGE.is_null(); // age IS NULL
            /// # let _ = unknown;
            /// ```
            #[must_use]
            pub fn is_null(self) -> Filter<M> {
                Filter::new(Expr::IsNull(self.into_operand()))
            }

            /// It is not `NULL`.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let known = User::AGE.is_not_null(); // age IS NOT NULL
            /// # let _ = known;
            /// ```
            #[must_use]
            pub fn is_not_null(self) -> Filter<M> {
                Filter::new(Expr::IsNull(self.into_operand()).negated())
            }

            fn compare(self, op: Comparison, value: impl IntoColumn<V>) -> Filter<M> {
                let right = Operand::Value(bind(value));
                Filter::new(Expr::Compare { left: self.into_operand(), op, right })
            }

            /// Equal to a value; `.eq(None)` is `IS NULL`.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let ada = User::NAME.eq("Ada"); // name = ?
            /// let of_unknown_age = User::AGE.eq(None); // age IS NULL
            /// # let _ = ada.and(of_unknown_age);
            /// ```
            #[must_use]
            pub fn eq(self, value: impl IntoColumn<V>) -> Filter<M> {
                self.compare(Comparison::Eq, value)
            }

            /// Different from a value; `.ne(None)` is `IS NOT NULL`. `NULL` does not match: add `.or(….is_null())` to
            /// include it.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let others = User::AGE.ne(36).or(User::AGE.is_null()); // age <> ? OR age IS NULL
            /// # let _ = others;
            /// ```
            #[must_use]
            pub fn ne(self, value: impl IntoColumn<V>) -> Filter<M> {
                self.compare(Comparison::Ne, value)
            }

            /// Less than a value.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let children = User::AGE.lt(18); // age < ?
            /// # let _ = children;
            /// ```
            #[must_use]
            pub fn lt(self, value: impl IntoColumn<V>) -> Filter<M> {
                self.compare(Comparison::Lt, value)
            }

            /// At most a value.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let cheap = Post::STARS.le(2); // stars <= ?
            /// # let _ = cheap;
            /// ```
            #[must_use]
            pub fn le(self, value: impl IntoColumn<V>) -> Filter<M> {
                self.compare(Comparison::Le, value)
            }

            /// Greater than a value.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let good = Post::STARS.gt(3); // stars > ?
            /// # let _ = good;
            /// ```
            #[must_use]
            pub fn gt(self, value: impl IntoColumn<V>) -> Filter<M> {
                self.compare(Comparison::Gt, value)
            }

            /// At least a value.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let adults = User::AGE.ge(18); // age >= ?
            /// # let _ = adults;
            /// ```
            #[must_use]
            pub fn ge(self, value: impl IntoColumn<V>) -> Filter<M> {
                self.compare(Comparison::Ge, value)
            }

            /// Equal to one of several values. An empty list matches nothing; `None` among them matches `NULL`.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let ids = vec![1, 2, 3];
            /// let some = User::ID.is_in(&ids); // id IN (?, ?, ?)
            /// assert_eq!(some, User::ID.is_in([1, 2, 3]));
            /// ```
            #[must_use]
            pub fn is_in<I: IntoColumn<V>>(self, values: impl IntoIterator<Item = I>) -> Filter<M> {
                Filter::new(Expr::In { operand: self.into_operand(), values: values.into_iter().map(bind).collect() })
            }

            /// Different from each of several values. An empty list matches everything; `NULL` matches only then.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// assert_eq!(User::ID.not_in([1, 2]), !User::ID.is_in([1, 2]));
            /// ```
            #[must_use]
            pub fn not_in<I: IntoColumn<V>>(self, values: impl IntoIterator<Item = I>) -> Filter<M> {
                self.is_in(values).not()
            }

            /// Between two values, both included.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let teenagers = User::AGE.between(13, 19); // age BETWEEN ? AND ?
            /// # let _ = teenagers;
            /// ```
            #[must_use]
            pub fn between(self, low: impl IntoColumn<V>, high: impl IntoColumn<V>) -> Filter<M> {
                Filter::new(Expr::Between { operand: self.into_operand(), low: bind(low), high: bind(high) })
            }
        }

        impl<M, V: TextColumn> $type<M, V> {
            /// Matches a `LIKE` pattern: `%` is any text, `_` any character, and `\` escapes them. Use
            /// [`escape_like`](crate::escape_like) for text from outside the program. The collation decides whether case
            /// matters.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let typed = "100%"; // from outside
            /// let found = Post::TITLE.like(format!("%{}%", assoc_core::escape_like(typed)));
            /// # let _ = found;
            /// ```
            #[must_use]
            pub fn like(self, pattern: impl Into<String>) -> Filter<M> {
                Filter::new(Expr::Like { operand: self.into_operand(), pattern: Value::Text(pattern.into().into()) })
            }

            /// Does not match a `LIKE` pattern.
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// assert_eq!(User::NAME.not_like("A%"), !User::NAME.like("A%"));
            /// ```
            #[must_use]
            pub fn not_like(self, pattern: impl Into<String>) -> Filter<M> {
                self.like(pattern).not()
            }
        }
    };
}

pub(super) use words_of_a_value;
