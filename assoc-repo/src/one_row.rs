//! What `delete`, `destroy` and `touch` take.

use assoc_core::Model;

#[cfg(doc)]
use crate::Repo;

/// A model of which [`Repo::delete`], [`Repo::destroy`] and [`Repo::touch`] take one row: every [`Model`] is one.
///
/// It is a trait so that the compiler can say what to write for many rows:
///
/// ```
#[doc = include_str!("../docs/posts.txt")]
/// let posts = repo.all(Query::<Post>::new()).await?;
/// repo.destroy(&posts[0]).await?;
/// repo.destroy_rows(&posts[1..]).await?; // not `repo.destroy(&posts)`
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not one row of a model",
    label = "this call takes one row",
    note = "several rows are destroyed by `repo.destroy_rows(&rows)`; rows of which only the keys are known by \
            `repo.destroy_all(Query::filter(User::ID.is_in(ids)))`, and without what depends on them by `repo.delete_all(…)`",
    note = "an `Option` is taken apart first: `if let Some(user) = &user {{ … }}`",
    note = "a struct is a model with `#[derive(Model)]`"
)]
pub trait OneRow: Model {}

#[diagnostic::do_not_recommend]
impl<M: Model> OneRow for M {}
