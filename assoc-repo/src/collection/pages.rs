//! Reading the members of a large collection in pages.

use assoc_core::{Model, Result};

use super::Collection;
use crate::association_handle::{OwnerRef, ToManyAssociation};
use crate::batches::{Batches, RowStream};
use crate::pages::{KeysetPage, OffsetPage, Page};

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// The members in pages of `size` rows, in the association's order: [`Repo::in_batches`](crate::Repo::in_batches) of
    /// [`query`](Self::query). Loaded or not, each page costs 1 statement, and nothing is loaded. For preloads and further
    /// conditions give the query to the repo.
    ///
    /// # Errors
    /// As [`query`](Self::query) and [`Repo::in_batches`](crate::Repo::in_batches).
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # let user = repo.insert(User::build().push(User::POSTS, [Post::build(), Post::build(), Post::build()])).await?;
    /// let mut pages = repo.association(&user, User::POSTS).in_batches(2)?;
    /// let mut sizes = Vec::new();
    /// while let Some(posts) = pages.next().await? {
    ///     sizes.push(posts.len());
    /// }
    /// assert_eq!(sizes, [2, 1]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn in_batches(&self, size: u64) -> Result<Batches<T>> {
        self.handle.repo.in_batches(self.query()?, size)
    }

    /// A page of the members by a cursor, in the association's order: [`Repo::page`](crate::Repo::page) of
    /// [`query`](Self::query). Loaded or not, it costs 1 statement, and nothing is loaded. For preloads, another order and
    /// further conditions give the query to the repo.
    ///
    /// # Errors
    /// As [`query`](Self::query) and [`Repo::page`](crate::Repo::page).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let posts = repo.association(&user, User::POSTS);
    /// let page = posts.page(Page::last(2)).await?;
    /// assert_eq!(page.rows.iter().map(|post| &*post.title).collect::<Vec<_>>(), ["Engines", "Notes"]);
    /// let page = posts.page(Page::before(page.previous().expect("a previous page"), 2)).await?;
    /// assert_eq!(page.rows[0].title, "Looms");
    /// assert!(page.has_next && !page.has_previous);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn page(&self, page: Page) -> Result<KeysetPage<T>> {
        self.handle.repo.page(self.query()?, page).await
    }

    /// A page of the members by its number, counted from 1, with the number of all members:
    /// [`Repo::offset_page`](crate::Repo::offset_page) of [`query`](Self::query). Loaded or not, it costs 2 statements, and
    /// nothing is loaded.
    ///
    /// # Errors
    /// As [`query`](Self::query) and [`Repo::offset_page`](crate::Repo::offset_page).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let page = repo.association(&user, User::POSTS).offset_page(1, 2).await?;
    /// assert_eq!((page.rows.len(), page.total), (2, 3));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn offset_page(&self, number: u64, size: u64) -> Result<OffsetPage<T>> {
        self.handle.repo.offset_page(self.query()?, number, size).await
    }

    /// The members one after the other, read in pages: [`Repo::stream`](crate::Repo::stream) of [`query`](Self::query). Loaded
    /// or not, each page of 1,000 costs 1 statement.
    ///
    /// # Errors
    /// As [`in_batches`](Self::in_batches).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&user, User::POSTS).stream()?;
    /// let mut stars = 0;
    /// while let Some(post) = posts.next().await? {
    ///     stars += post.stars;
    /// }
    /// assert_eq!(stars, 8);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn stream(&self) -> Result<RowStream<T>> {
        self.handle.repo.stream(self.query()?)
    }
}
