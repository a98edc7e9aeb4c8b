//! The keys that `find`, `set_ids` and their like take.

use assoc_core::Model;

/// A primary key of a row of model `T`: a value that converts into the key's type, or the row itself.
///
/// `How` tells these cases apart; programs never name it.
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_sqlite::Sqlite;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Post { pub id: i64, pub user_id: Option<i64> }
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<User>().await?;
/// # repo.create_table::<Post>().await?;
/// let user = repo.insert(User::build().push(User::POSTS, [Post::build(), Post::build()])).await?;
/// let posts = repo.association(&user, User::POSTS);
/// let first = posts.find(1).await?;
/// assert_eq!(posts.find(&first).await?.id, 1);
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no primary key of `{T}`",
    label = "the primary key of `{T}` has another type",
    note = "give a value of the type of the primary key of `{T}`, several as a tuple, or a row: `&{T}`",
    note = "keys in text that a client has sent are read by `cast`, which reports what does not fit"
)]
pub trait IntoKey<T: Model, How> {
    /// The key.
    #[doc(hidden)]
    fn into_key(self) -> T::Key;
}

/// A value.
#[doc(hidden)]
pub struct KeyValue(());

/// A row.
#[doc(hidden)]
pub struct KeyOfRow(());

// What is missing is a key of the model, and not a conversion.
#[diagnostic::do_not_recommend]
impl<T: Model, V: Into<T::Key>> IntoKey<T, KeyValue> for V {
    fn into_key(self) -> T::Key {
        self.into()
    }
}

impl<T: Model> IntoKey<T, KeyOfRow> for &T {
    fn into_key(self) -> T::Key {
        self.key()
    }
}
