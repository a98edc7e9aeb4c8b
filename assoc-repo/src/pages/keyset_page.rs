//! A page that begins and ends at cursors.

use assoc_core::Value;

use super::Way;
use super::cursor::{Cursor, Place, Row};

#[cfg(doc)]
use super::Page;

/// A page of rows with the cursors around it: [`Repo::page`](crate::Repo::page).
///
/// Whether there are rows in the direction that was read is known for sure. In the other direction there was the row of the
/// cursor when the cursor was made, so `has_previous` of a page after a cursor is `true` without a statement.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeysetPage<M> {
    /// The rows, in the order of the query, whichever way the page was read.
    pub rows: Vec<M>,
    /// Whether there are rows after the page.
    pub has_next: bool,
    /// Whether there are rows before the page.
    pub has_previous: bool,
    pub(super) places: Places,
}

/// What the rows of a page were sorted by.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) fingerprint: u64,
    pub(super) rows: Vec<Vec<Value<'static>>>,
    // The place that was asked for.
    pub(super) requested: Option<Place>,
    pub(super) way: Way,
}

impl<M> KeysetPage<M> {
    /// The cursor for the next page, [`Page::after`]; `None` if this is the last.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::Page;
    ///
    /// let by_title = Query::<Post>::order_by(Post::TITLE.asc());
    /// let page = repo.page(by_title.clone(), Page::first(2)).await?;
    /// let next = page.next().expect("a next page");
    /// let page = repo.page(by_title, Page::after(next, 2)).await?;
    /// assert!(page.rows[0].title == "Notes" && page.next().is_none());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn next(&self) -> Option<Cursor> {
        self.end().filter(|_| self.has_next)
    }

    /// The cursor for the previous page, [`Page::before`]; `None` if this is the first.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::Page;
    ///
    /// let by_title = Query::<Post>::order_by(Post::TITLE.asc());
    /// let page = repo.page(by_title.clone(), Page::last(2)).await?;
    /// let previous = page.previous().expect("a previous page");
    /// let page = repo.page(by_title, Page::before(previous, 2)).await?;
    /// assert!(page.rows[0].title == "Engines" && page.previous().is_none());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn previous(&self) -> Option<Cursor> {
        self.start().filter(|_| self.has_previous)
    }

    /// The cursor before which the page begins, also if there are no rows there yet. `None` if the whole query has no rows.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::Page;
    ///
    /// let by_title = Query::<Post>::order_by(Post::TITLE.asc());
    /// let page = repo.page(by_title.clone(), Page::last(2)).await?;
    /// let before = page.start().expect("a row");
    /// assert_eq!(repo.page(by_title, Page::before(before, 2)).await?.rows[0].title, "Engines");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn start(&self) -> Option<Cursor> {
        self.cursor(0).or_else(|| self.places.around_nothing(Way::Backwards))
    }

    /// The cursor after which rows come that are not on this page, also if there are none yet: a program that asks for new
    /// rows keeps it. `None` if the whole query has no rows.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::Page;
    ///
    /// let by_title = Query::<Post>::order_by(Post::TITLE.asc());
    /// let page = repo.page(by_title.clone(), Page::last(2)).await?;
    /// let seen = page.end().expect("a row"); // there is no next page yet
    /// repo.insert(Post::build().set(Post::TITLE, "Punches")).await?;
    /// assert_eq!(repo.page(by_title, Page::after(seen, 2)).await?.rows[0].title, "Punches");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn end(&self) -> Option<Cursor> {
        let last = self.places.rows.len().checked_sub(1).and_then(|last| self.cursor(last));
        last.or_else(|| self.places.around_nothing(Way::Forwards))
    }

    /// The cursor of a row of the page, by its position when the page was read.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::Page;
    ///
    /// let by_title = Query::<Post>::order_by(Post::TITLE.asc());
    /// let page = repo.page(by_title.clone(), Page::first(2)).await?;
    /// let first = page.cursor(0).expect("a row"); // of "Engines"
    /// assert_eq!(repo.page(by_title, Page::after(first, 1)).await?.rows[0].title, "Looms");
    /// assert!(page.cursor(2).is_none());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn cursor(&self, row: usize) -> Option<Cursor> {
        let place = Place { row: Row::LeftOut, values: self.places.rows.get(row)?.clone() };
        Some(place.cursor(self.places.fingerprint))
    }
}

impl Places {
    // The cursor of an empty page, made of the cursor that asked for it. The same way goes on from there; the opposite way begins
    // with the row of that cursor, if it was left out.
    fn around_nothing(&self, way: Way) -> Option<Cursor> {
        let requested = self.requested.as_ref()?;
        let row = if way == self.way { requested.row } else { requested.row.other() };
        Some(Place { row, values: requested.values.clone() }.cursor(self.fingerprint))
    }
}
