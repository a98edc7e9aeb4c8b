//! A query's `SELECT` of the rows of one model, its root.

use crate::joins::Joins;
use crate::metadata::expr::{ColumnRef, Direction, Expr, Operand, OrderTerm};
use crate::metadata::model::ModelDef;
use crate::select::row_lock::RowLock;
use crate::value::Value;

/// What a statement selects of a model. It is plain data, which compares, clones and prints.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::select::RootSelect;
///
/// let dialect = StandardSql::default();
/// let mut select = RootSelect::new(Post::DEF);
/// select.filter = Post::TITLE.ne("").into_expr();
/// select.order = vec![Post::TITLE.asc().into_term()];
/// assert_eq!(select.count_statement(&dialect)?.sql(), "SELECT COUNT(*) FROM posts WHERE title <> ?");
/// assert_eq!(select.exists_statement(&dialect)?.sql(), "SELECT 1 FROM posts WHERE title <> ? LIMIT 1");
/// let newest = select.aggregate_statement(&dialect, &Post::ID.max().into_operand())?;
/// assert_eq!(newest.sql(), "SELECT MAX(id) FROM posts WHERE title <> ?");
/// assert_eq!(select.delete_statement(&dialect)?.sql(), "DELETE FROM posts WHERE posts.title <> ?");
///
/// // Equal titles come in the order of their keys, so that pages do not overlap.
/// let page = RootSelect { limit: Some(10), ..select.clone() }.with_total_order();
/// let sql = "SELECT id, user_id, title FROM posts WHERE title <> ? ORDER BY title, id LIMIT 10";
/// assert_eq!(page.statement(&dialect)?.sql(), sql);
/// let one = RootSelect::new(Tag::DEF).with_key(vec![7_i64.into()]);
/// assert_eq!(one.statement(&dialect)?.sql(), "SELECT id, name FROM tags WHERE id = ?");
/// assert!(select.selects_key() && !select.repeats_roots() && !select.has_raw_order());
/// assert!(!select.is_sorted_by_joined() && !select.is_sorted_by_collection());
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RootSelect {
    /// The model whose table is read.
    pub model: &'static ModelDef,
    /// What to select instead of the model's columns.
    pub operands: Option<Vec<Operand>>,
    /// What is joined to it.
    pub joins: Joins,
    /// Which rows.
    pub filter: Expr,
    /// Where a page begins: a condition on top of the filter.
    pub after: Option<Expr>,
    /// In which order.
    pub order: Vec<OrderTerm>,
    /// The largest number of rows.
    pub limit: Option<u64>,
    /// The number of rows to skip first.
    pub offset: Option<u64>,
    /// `SELECT DISTINCT`.
    pub distinct: bool,
    /// One row per combination of these values: `GROUP BY`.
    pub group: Vec<Operand>,
    /// Which groups.
    pub having: Expr,
    /// Operands selected after the columns, for readers that process row by row.
    pub carried: Vec<Operand>,
    /// How its rows are locked.
    pub lock: Option<RowLock>,
}

impl RootSelect {
    /// All rows of a model.
    #[must_use]
    pub const fn new(model: &'static ModelDef) -> Self {
        RootSelect {
            model,
            operands: None,
            joins: Joins::new(),
            filter: Expr::always(),
            after: None,
            order: Vec::new(),
            limit: None,
            offset: None,
            distinct: false,
            group: Vec::new(),
            having: Expr::always(),
            carried: Vec::new(),
            lock: None,
        }
    }

    /// Makes the order total: where one was asked for, or rows are counted off, the primary key decides between
    /// equals, and between groups what they are grouped by. Without either the database's own order is good enough, and
    /// free.
    #[must_use]
    pub fn with_total_order(mut self) -> Self {
        let counted = self.limit.is_some() || self.offset.is_some();
        if !counted && self.order.is_empty() {
            return self;
        }
        if !self.group.is_empty() {
            // Distinct ones are sorted by what is selected only.
            for operand in self.group.iter().filter(|_| !self.distinct) {
                if self.order.iter().all(|term| term.operand != *operand) {
                    self.order.push(OrderTerm::new(operand.clone(), Direction::Asc));
                }
            }
        } else if self.operands.is_none() {
            self.model.append_primary_key(&mut self.order);
        }
        self
    }

    /// Those of the rows whose primary key has these values.
    #[must_use]
    pub fn with_key(mut self, values: Vec<Value<'static>>) -> Self {
        let key = self.model.primary_key_names().zip(values).map(|(name, value)| Expr::equals(name, value)).collect();
        self.filter = Expr::All(key).and(self.filter);
        self
    }

    /// The same query as one that only asks which of the root's rows there are: it joins what conditions and orders need
    /// and nothing else.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::joins::{JoinKind, Joins};
    /// use assoc_core::metadata::Request;
    /// use assoc_core::select::RootSelect;
    ///
    /// let mut joins = Joins::default();
    /// joins.join(&Request::new(User::POSTS.def()), JoinKind::Left, None)?;
    /// let select = RootSelect { joins, ..RootSelect::new(User::DEF) };
    /// assert!(select.repeats_roots());
    /// // Users without posts stay, so nothing depends on the join but what is selected.
    /// assert!(select.of_roots().joins.is_empty() && !select.of_roots().repeats_roots());
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub fn of_roots(&self) -> RootSelect {
        let mut needed = Vec::new();
        self.visit_paths(&mut |path| needed.extend(self.joins.find(path)));
        if self.has_raw_order() {
            needed.extend(0..self.joins.tables().len());
        }
        RootSelect { joins: self.joins.only(&needed), ..self.clone() }
    }

    /// Calls back with every path that a condition leads along.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::select::RootSelect;
    ///
    /// let mut select = RootSelect::new(User::DEF);
    /// select.filter = User::POSTS.joined(Post::TITLE).eq("A").into_expr();
    /// select.order = vec![User::TEAM.joined(Team::ID).asc().into_term()];
    /// let (mut of_conditions, mut of_all) = (Vec::new(), Vec::new());
    /// select.visit_condition_paths(&mut |path| of_conditions.push(path.join(".")));
    /// select.visit_paths(&mut |path| of_all.push(path.join(".")));
    /// assert_eq!((of_conditions, of_all), (vec!["posts".to_owned()], vec!["posts".to_owned(), "team".to_owned()]));
    /// ```
    pub fn visit_condition_paths(&self, each: &mut dyn FnMut(&[&'static str])) {
        self.filter.visit_paths(&[], each);
        self.having.visit_paths(&[], each);
    }

    /// Calls back with every path that a condition, an order or a group leads along.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::select::RootSelect;
    ///
    /// let mut select = RootSelect::new(User::DEF);
    /// select.order = vec![User::TEAM.joined(Team::ID).asc().into_term()];
    /// let mut paths = Vec::new();
    /// select.visit_paths(&mut |path| paths.push(path.join(".")));
    /// assert_eq!(paths, ["team"]);
    /// assert!(select.is_sorted_by_joined() && !select.is_sorted_by_collection());
    /// ```
    pub fn visit_paths(&self, each: &mut dyn FnMut(&[&'static str])) {
        self.visit_condition_paths(each);
        let operands = self.order.iter().map(|term| &term.operand).chain(&self.group);
        operands.for_each(|operand| operand.visit_path(&[], each));
    }

    /// Whether its joins repeat the root's rows.
    #[must_use]
    pub fn repeats_roots(&self) -> bool {
        // A hand-written join may repeat any rows.
        !self.joins.raw().is_empty() || self.joins.tables().iter().any(|table| table.multiplies())
    }

    /// Whether its order is in part hand-written SQL, which may name anything.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::Sort;
    /// use assoc_core::select::RootSelect;
    ///
    /// let mut select = RootSelect::new(Post::DEF);
    /// select.order = vec![Sort::<Post>::raw("length(title)", []).into_term()];
    /// assert!(select.has_raw_order());
    /// ```
    #[must_use]
    pub fn has_raw_order(&self) -> bool {
        self.order.iter().any(|term| term.operand.is_raw())
    }

    /// Whether its order names a joined table.
    #[must_use]
    pub fn is_sorted_by_joined(&self) -> bool {
        let mut joined = false;
        self.order.iter().for_each(|term| term.operand.visit_path(&[], &mut |path| joined |= !path.is_empty()));
        joined
    }

    /// Whether the selected columns include the root's primary key, so that no two rows are equal.
    #[must_use]
    pub fn selects_key(&self) -> bool {
        let selects = |name: &&'static str| match &self.operands {
            None => true,
            Some(operands) => operands.contains(&Operand::Column(ColumnRef::own(name))),
        };
        !self.model.primary_key.is_empty() && self.model.primary_key_names().all(|name| selects(&name))
    }

    /// Whether its order names a joined collection, so that a root has several places in it.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::joins::{JoinKind, Joins};
    /// use assoc_core::metadata::Request;
    /// use assoc_core::select::RootSelect;
    ///
    /// let mut joins = Joins::default();
    /// joins.join(&Request::new(User::POSTS.def()), JoinKind::Left, None)?;
    /// let order = vec![User::POSTS.joined(Post::TITLE).asc().into_term()];
    /// let select = RootSelect { joins, order, ..RootSelect::new(User::DEF) };
    /// assert!(select.is_sorted_by_joined() && select.is_sorted_by_collection());
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub fn is_sorted_by_collection(&self) -> bool {
        self.order.iter().any(|term| self.is_repeated(term))
    }

    // Whether a root has several values of the sort key.
    pub(crate) fn is_repeated(&self, term: &OrderTerm) -> bool {
        // Hand-written SQL may name a collection.
        let mut repeated = term.operand.is_raw() && self.repeats_roots();
        term.operand.visit_path(&[], &mut |path| {
            let mut next = self.joins.find(path);
            while let Some(table) = next.map(|table| &self.joins.tables()[table]) {
                repeated |= table.multiplies();
                next = table.from;
            }
        });
        repeated
    }
}
