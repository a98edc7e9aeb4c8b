//! What `insert` and `update` take.

use super::Changeset;

/// The argument of [`Repo::insert`](crate::Repo::insert) and [`Repo::update`](crate::Repo::update): a [`Changeset`].
///
/// It is a trait so that the compiler can say what to write in place of a plain struct or a list, and so that a program can
/// implement it for its types, such as a form:
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_repo::{Changeset, IntoChangeset};
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, pub name: String }
/// struct SignUp {
///     name: String,
/// }
///
/// impl IntoChangeset<User> for SignUp {
///     fn into_changeset(self) -> Changeset<User> {
///         User::build().set(User::NAME, self.name)
///     }
/// }
/// # async fn sign_up(repo: &Repo, form: SignUp) -> Result<User> {
/// let user = repo.insert(form).await?;
/// # Ok(user) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a changeset of `{M}`",
    label = "not such a changeset",
    note = "a new row is built: `repo.insert(User::build().set(User::NAME, \"Ada\"))`",
    note = "a row that exists is changed: `repo.update(user.change().set(User::NAME, \"Ada\"))`; after editing a struct, `repo.update(before.change_to(&after))`",
    note = "several new rows: `repo.insert_all(changesets)`; rows that exist are updated one by one, or all alike by \
            `repo.update_all(query, [User::NAME.to(\"Ada\")])`"
)]
pub trait IntoChangeset<M> {
    /// The changeset.
    fn into_changeset(self) -> Changeset<M>;
}

impl<M> IntoChangeset<M> for Changeset<M> {
    fn into_changeset(self) -> Changeset<M> {
        self
    }
}
