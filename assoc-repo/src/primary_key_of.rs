//! The keys that `get` and its like take.

use assoc_core::Model;

/// A primary key of model `M`: a value of the key's type, or one that converts into it. Of several columns it is a tuple.
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_sqlite::Sqlite;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64 }
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<User>().await?;
/// let small: i32 = 1;
/// assert!(repo.get::<User>(small, Query::new()).await?.is_none());
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no primary key of `{M}`",
    label = "the primary key of `{M}` has another type",
    note = "give a value of the type of the primary key of `{M}`, several columns as a tuple"
)]
pub trait PrimaryKeyOf<M: Model> {
    /// The key.
    #[doc(hidden)]
    fn into_primary_key(self) -> M::Key;
}

// What is missing is a key of the model, and not a conversion.
#[diagnostic::do_not_recommend]
impl<M: Model, V: Into<M::Key>> PrimaryKeyOf<M> for V {
    fn into_primary_key(self) -> M::Key {
        self.into()
    }
}
