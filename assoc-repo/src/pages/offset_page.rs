//! A page with a number, of a known number of rows.

/// A page of rows by its number: [`Repo::offset_page`](crate::Repo::offset_page).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OffsetPage<M> {
    /// The rows.
    pub rows: Vec<M>,
    /// The number of the page, from 1.
    pub number: u64,
    /// How many rows a page has; the last one may have fewer.
    pub size: u64,
    /// How many rows the query has.
    pub total: u64,
}

impl<M> OffsetPage<M> {
    /// How many pages there are; none if there are no rows.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let page = repo.offset_page(Query::<Post>::new(), 1, 2).await?; // of 3 posts
    /// assert_eq!(page.pages(), 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub const fn pages(&self) -> u64 {
        self.total.div_ceil(self.size)
    }

    /// Whether there is a page after this one.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let page = repo.offset_page(Query::<Post>::new(), 1, 2).await?;
    /// assert!(page.has_next() && !page.has_previous());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub const fn has_next(&self) -> bool {
        self.number < self.pages()
    }

    /// Whether there is a page before this one. A page behind the last has one as well.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let page = repo.offset_page(Query::<Post>::new(), 9, 2).await?; // behind the last
    /// assert!(page.rows.is_empty() && page.has_previous() && !page.has_next());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub const fn has_previous(&self) -> bool {
        self.number > 1 && self.total > 0
    }
}
