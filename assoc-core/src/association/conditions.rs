//! Conditions on what an association leads to: `User::POSTS.any(…)`, `.none(…)`, `.associated()`, `.missing()`.

use super::Association;
use crate::column::Filter;
use crate::expr::Expr;

impl<O, T, H> Association<O, T, H> {
    fn related(self, filter: Expr) -> Filter<O> {
        Filter::new(Expr::Related { association: self.def(), filter: Box::new(filter), only_type: None, filters: None })
    }

    /// Owners with at least one target that satisfies a condition: `EXISTS`, which never repeats an owner. The targets are
    /// those that loading the association gives: of a `has_one` the one that it chooses, of an association with a limit
    /// the first few.
    ///
    /// ```ignore
    /// Query::filter(User::POSTS.any(Post::PUBLISHED.eq(true)))
    /// ```
    #[must_use]
    pub fn any(self, filter: Filter<T>) -> Filter<O> {
        self.related(filter.into_expr())
    }

    /// Owners with no target that satisfies a condition.
    #[must_use]
    pub fn none(self, filter: Filter<T>) -> Filter<O> {
        self.any(filter).not()
    }

    /// Owners with at least one target.
    #[must_use]
    pub fn associated(self) -> Filter<O> {
        self.related(Expr::always())
    }

    /// Owners without any target: none is referred to, or what is referred to does not exist.
    #[must_use]
    pub fn missing(self) -> Filter<O> {
        self.associated().not()
    }
}
