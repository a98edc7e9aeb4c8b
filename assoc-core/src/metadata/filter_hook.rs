//! Filters that apply to every query: tenancy, soft delete.
//!
//! A hook returns, for each model, the condition that its rows must satisfy in addition. The repo calls it for the root
//! of a query, for every level of a preload and for the targets of conditions on associations, so a row that the hook
//! filters out is missing everywhere.

use std::fmt;
use std::sync::Arc;

use crate::error::Result;
use crate::metadata::association::Chain;
use crate::metadata::expr::Expr;
use crate::metadata::model::ModelDef;

/// A function that returns the condition on the rows of a model, if there is one.
pub type FilterHook = Arc<dyn Fn(&'static ModelDef) -> Option<Expr> + Send + Sync>;

/// A hook as part of a condition, for the rows of the associations that the condition considers. Two are equal if they
/// are the same hook.
#[derive(Clone)]
pub struct RowFilters(pub FilterHook);

impl PartialEq for RowFilters {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for RowFilters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowFilters")
    }
}

/// A condition on rows of a model, with a hook's filters on those rows and on the rows of every association in the
/// condition.
///
/// # Errors
/// When a declaration contradicts itself.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::execution::{FilterHook, filtered};
///
/// // Soft delete: what has no title is gone.
/// let hook: FilterHook = std::sync::Arc::new(|model| (model == Post::DEF).then(|| Post::TITLE.ne("").into_expr()));
/// let posts = filtered(&hook, Post::DEF, Post::ID.gt(7).into_expr())?;
/// assert_eq!(posts, (Post::TITLE.ne("") & Post::ID.gt(7)).into_expr());
/// let users = User::ID.gt(7).into_expr();
/// assert_eq!(filtered(&hook, User::DEF, users.clone())?, users);
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn filtered(hook: &FilterHook, model: &'static ModelDef, filter: Expr) -> Result<Expr> {
    let filter = filter.with_filters(hook)?;
    Ok(match hook(model) {
        Some(more) => more.and(filter),
        None => filter,
    })
}

impl Expr {
    /// The condition with a hook's filters on the targets of every association in it.
    ///
    /// # Errors
    /// When a declaration contradicts itself.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::Filter;
    /// use assoc_core::execution::FilterHook;
    ///
    /// let hook: FilterHook = std::sync::Arc::new(|model| (model == Post::DEF).then(|| Post::TITLE.ne("").into_expr()));
    /// let writes = User::POSTS.any(Post::ID.gt(7)).into_expr().with_filters(&hook)?;
    /// assert!(sql(Filter::<User>::new(writes)).contains("related_1.title <> ?"));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn with_filters(self, hook: &FilterHook) -> Result<Expr> {
        let each = |all: Vec<Expr>| all.into_iter().map(|one| one.with_filters(hook)).collect::<Result<Vec<_>>>();
        Ok(match self {
            Expr::All(all) => Expr::All(each(all)?),
            Expr::Any(any) => Expr::Any(each(any)?),
            Expr::Not(inner) => Expr::Not(Box::new(inner.with_filters(hook)?)),
            Expr::Related { association, filter, only_type, .. } => {
                Chain::keys(association)?;
                let filters = Some(RowFilters(Arc::clone(hook)));
                Expr::Related { association, filter: Box::new(filter.with_filters(hook)?), only_type, filters }
            }
            Expr::Limited(mut limited) => {
                let among = std::mem::take(&mut limited.among);
                limited.among = filtered(hook, limited.model, among)?;
                Expr::Limited(limited)
            }
            // The joined table itself has the filters already.
            Expr::Joined { association, filter } => {
                Expr::Joined { association, filter: Box::new(filter.with_filters(hook)?) }
            }
            other => other,
        })
    }
}
