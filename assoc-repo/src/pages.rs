//! Pages of a query's rows: by a cursor ([`Repo::page`]) or by a number ([`Repo::offset_page`]).
//!
//! A keyset page begins after the row of a cursor: `WHERE (name, id) > (last name, last id)`. The database seeks it in an
//! index, however far it is from the first, and rows that are inserted or deleted meanwhile shift no page. An offset page
//! has a number and a total, and reads all rows before it.
//!
//! The order of a keyset page is total. It is the query's, then the primary key, and where joins repeat a row the keys of the
//! joined rows. The page is read with one row more than it holds, which says whether there is a next one and is not decoded.
//! Pages before a cursor are read in the opposite order and turned around.
//!
//! The names are those of the field: "keyset pagination" for the method, `first`, `after`, `last` and `before` for where a
//! page is (as in GraphQL's cursor connections), "offset" and "total" for pages by number.

use assoc_core::driver::BoxFuture;
use assoc_core::driver::Capabilities;
use assoc_core::metadata::{ColumnRef, Direction, ModelDef, Operand, OrderTerm};
use assoc_core::planner::CompiledQuery;
use assoc_core::select::RootSelect;
use assoc_core::{Error, ErrorKind, Model, Result};

use crate::carried::Places;
use crate::keyset::{Equals, Keyset};
use crate::query::Select;
use crate::repo::Repo;

mod cursor;
mod keyset_page;
mod offset_page;

pub use cursor::Cursor;
pub use keyset_page::KeysetPage;
pub use offset_page::OffsetPage;

use cursor::{Place, Row};

/// Which page of a query [`Repo::page`] reads: where it is, and how many rows it has at most.
///
/// ```
/// use assoc_repo::{Cursor, Page};
///
/// // What a web application makes of `?after=…`.
/// fn requested(after: Option<&str>) -> Page {
///     after.map_or(Page::first(20), |cursor| Page::after(cursor, 20))
/// }
/// # requested(None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    start: Start,
    size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Start {
    First,
    Last,
    After(Cursor),
    Before(Cursor),
}

/// Which way a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Forwards,
    Backwards,
}

impl Page {
    /// The first `size` rows.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let by_title = Query::<Post>::order_by(Post::TITLE.asc());
    /// let page = repo.page(by_title, Page::first(2)).await?;
    /// assert!(page.rows[0].title == "Engines" && page.has_next);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub const fn first(size: u64) -> Self {
        Page { start: Start::First, size }
    }

    /// The last `size` rows, in the order of the query.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let by_title = Query::<Post>::order_by(Post::TITLE.asc());
    /// let page = repo.page(by_title, Page::last(2)).await?;
    /// assert!(page.rows[1].title == "Notes" && page.has_previous);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub const fn last(size: u64) -> Self {
        Page { start: Start::Last, size }
    }

    /// The first `size` rows after a cursor: the page that follows [`KeysetPage::next`].
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let by_title = Query::<Post>::order_by(Post::TITLE.asc());
    /// let page = repo.page(by_title.clone(), Page::first(2)).await?;
    /// let next = page.next().expect("a next page").to_string(); // the text of a link
    /// let page = repo.page(by_title, Page::after(next, 2)).await?;
    /// assert_eq!(page.rows[0].title, "Notes");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn after(cursor: impl Into<Cursor>, size: u64) -> Self {
        Page { start: Start::After(cursor.into()), size }
    }

    /// The last `size` rows before a cursor, in the order of the query: the page that [`KeysetPage::previous`] leads to.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let by_title = Query::<Post>::order_by(Post::TITLE.asc());
    /// let page = repo.page(by_title.clone(), Page::last(1)).await?;
    /// let previous = page.previous().expect("a page before it");
    /// let page = repo.page(by_title, Page::before(previous, 2)).await?;
    /// assert_eq!(page.rows[0].title, "Engines");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn before(cursor: impl Into<Cursor>, size: u64) -> Self {
        Page { start: Start::Before(cursor.into()), size }
    }

    const fn way(&self) -> Way {
        match self.start {
            Start::First | Start::After(_) => Way::Forwards,
            Start::Last | Start::Before(_) => Way::Backwards,
        }
    }
}

impl Repo {
    /// A page of a query's rows, with its preloads: keyset pagination. The page says whether there is a next and a previous
    /// one, and the cursors that lead there. It costs 1 statement, which reads one row more than the page has, and the
    /// statements of the query's preloads.
    ///
    /// The query says the order, in any directions and with `NULL` in any place; columns of joined single targets can be part
    /// of it. The primary key decides between equals and is added at the end. The database reads a page fast if an index has
    /// the columns of the order and then the primary key. Pages of a collection are
    /// [`Collection::page`](crate::Collection::page).
    ///
    /// Rows that are inserted or deleted between two pages do not shift the rows of the second. A row whose sort key changes
    /// may be on both or on none.
    ///
    /// # Errors
    /// * [`ErrorKind::InvalidCursor`] if the cursor is changed text, or of a query in another order
    ///   ([`Error::is_invalid_cursor`]).
    /// * [`ErrorKind::InvalidQuery`], before any SQL, if the query has a limit or an offset, is grouped, or sorts by an
    ///   aggregate or hand-written SQL; if it joins a collection that leaves equal rows; or if the page has no rows.
    /// * When the model has no primary key, the query cannot run, a row cannot be read, or the database fails.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let by_stars = Query::order_by((Post::STARS.desc(), Post::TITLE.asc())).preload(Post::USER);
    /// let page = repo.page(by_stars.clone(), Page::first(2)).await?;
    /// assert_eq!(page.rows.iter().map(|post| &*post.title).collect::<Vec<_>>(), ["Looms", "Engines"]);
    /// assert!(page.has_next && !page.has_previous);
    ///
    /// let cursor = page.next().expect("a next page").to_string(); // for a link: `?after=…`
    /// let page = repo.page(by_stars.clone(), Page::after(cursor, 2)).await?;
    /// assert_eq!(page.rows[0].title, "Notes");
    /// assert!(!page.has_next);
    ///
    /// let error = repo.page(by_stars, Page::after("changed", 2)).await.unwrap_err();
    /// assert!(error.is_invalid_cursor());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn page<M: Model>(&self, query: Select<M>, page: Page) -> BoxFuture<'_, Result<KeysetPage<M>>> {
        Box::pin(async move {
            let repo = self.in_database_of(M::DEF);
            let Page { start, size } = &page;
            let (mut query, keyset) = repo.page_query(query, &page)?;
            let fingerprint = keyset.of_query.fingerprint();
            let place = match start {
                Start::First | Start::Last => None,
                Start::After(cursor) | Start::Before(cursor) => {
                    let width = keyset.of_query.carried().len();
                    let place = Place::read(cursor, fingerprint, width);
                    Some(place.map_err(|problem| ErrorKind::InvalidCursor { model: M::DEF.name, problem })?)
                }
            };
            if let Some(place) = &place {
                let equals = if place.row == Row::Included { Equals::Included } else { Equals::LeftOut };
                query.parts.spec.after = Some(keyset.as_read.after(repo.dialect(), &place.values, equals)?);
            }
            query.parts.spec.carried = keyset.as_read.carried();
            // Numbers beyond this are none of SQL's.
            query.parts.spec.limit = Some((*size).min(i64::MAX as u64 - 1) + 1);
            let mut places = Places::of_first(*size);
            let mut rows = repo.all_carrying(query, &mut places).await?;
            if page.way() == Way::Backwards {
                rows.reverse();
                places.places.reverse();
            }
            let (has_next, has_previous) = match start {
                Start::First => (places.more, false),
                Start::After(_) => (places.more, true),
                Start::Last => (false, places.more),
                Start::Before(_) => (true, places.more),
            };
            let places = keyset_page::Places { fingerprint, rows: places.places, requested: place, way: page.way() };
            Ok(KeysetPage { rows, has_next, has_previous, places })
        })
    }

    /// A page of a query's rows by its number, counted from 1, with its preloads and the total number of rows. It costs 2
    /// statements, one of which counts, and the statements of the query's preloads.
    ///
    /// The database reads all rows before the page, and rows that are inserted or deleted meanwhile shift it. Where no page
    /// number is shown, use [`page`](Self::page). A page behind the last has no rows. The rows and the total are two
    /// statements, so another program can write between them: use a transaction where that matters.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`], before any SQL, if the number or the size is 0, or the query has a limit or an offset;
    /// when the query cannot run, a row cannot be read, or the database fails.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let page = repo.offset_page(Query::<Post>::order_by(Post::TITLE.asc()), 2, 2).await?;
    /// assert_eq!(page.rows.iter().map(|post| &*post.title).collect::<Vec<_>>(), ["Notes"]);
    /// assert_eq!((page.number, page.total, page.pages()), (2, 3, 2));
    /// assert!(page.has_previous() && !page.has_next());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn offset_page<M: Model>(
        &self,
        query: Select<M>,
        number: u64,
        size: u64,
    ) -> BoxFuture<'_, Result<OffsetPage<M>>> {
        Box::pin(async move {
            let model = M::DEF;
            if number == 0 {
                return Err(Error::invalid_query(model.name, "pages are counted from 1: there is no page 0"));
            }
            refuse_empty(model, size)?;
            query.refuse_lock("offset_page")?;
            let repo = self.in_database_of(model);
            let CompiledQuery { select, .. } = query.clone().into_request().compile(&repo.context())?;
            refuse_limit(model, &select, query.parts.spec.limit.is_some() || query.parts.spec.offset.is_some())?;
            select.require_grouped()?;
            let total = repo.count(query.clone()).await?;
            let before = (number - 1).saturating_mul(size).min(i64::MAX as u64);
            let rows = repo.all(query.limit(size.min(i64::MAX as u64)).offset(before)).await?;
            Ok(OffsetPage { rows, number, size, total })
        })
    }

    // The query in the order in which a page is read, and its columns.
    fn page_query<M: Model>(&self, mut query: Select<M>, page: &Page) -> Result<(Select<M>, Keysets)> {
        let model = M::DEF;
        model.require_primary_key("a page by a cursor")?;
        refuse_empty(model, page.size)?;
        query.refuse_lock("page")?;
        if !query.parts.spec.group.is_empty() || !query.parts.spec.having.is_always() {
            let message = "a page by a cursor is of rows, and a grouped query has none: read a page of groups with \
                           `repo.pluck`, `limit` and `offset`";
            return Err(Error::invalid_query(model.name, message));
        }
        let CompiledQuery { select, load, .. } = query.clone().into_request().compile(&self.context())?;
        refuse_limit(model, &select, query.parts.spec.limit.is_some() || query.parts.spec.offset.is_some())?;
        if select.distinct && load.is_none() && !select.selects_key() {
            let message = "a distinct query of some columns has no page by a cursor: add the primary key to `select`";
            return Err(Error::invalid_query(model.name, message));
        }
        if load.is_some() && select.is_sorted_by_collection() {
            let message = "a page by a cursor cannot be sorted by a collection that the query loads by a join: sort the \
                           collection by `order_by` on the association, or load it with `preload`";
            return Err(Error::invalid_query(model.name, message));
        }
        // Scopes may have added an order.
        query.sort_by(&select.order);
        let mut query = query.in_total_order();
        if load.is_none() && !select.distinct {
            add_keys_of_repeating(&select, &mut query.parts.spec.order)?;
        }
        let capabilities = self.dialect().capabilities();
        let of_query = keyset_of(model, &query.parts.spec.order, capabilities)?;
        let as_read = match page.way() {
            Way::Forwards => of_query.clone(),
            Way::Backwards => {
                let order = std::mem::take(&mut query.parts.spec.order);
                query.parts.spec.order = order.into_iter().map(OrderTerm::reversed).collect();
                keyset_of(model, &query.parts.spec.order, capabilities)?
            }
        };
        Ok((query, Keysets { of_query, as_read }))
    }
}

// The columns of a query's order, and of that or the opposite one, in which a page is read.
struct Keysets {
    of_query: Keyset,
    as_read: Keyset,
}

fn keyset_of(model: &'static ModelDef, order: &[OrderTerm], capabilities: &Capabilities) -> Result<Keyset> {
    Keyset::of(model, order, capabilities).map_err(|operand| {
        let message = match operand {
            Operand::Occurrence(_) => {
                "a page by a cursor is not possible of rows that are reached through a table without a \
                                       primary key: say by a condition on the other side which rows are meant, or use \
                                       `offset_page`"
                    .to_owned()
            }
            other => format!(
                "a page by a cursor is sorted by columns, and `{}` is none: sort by a column, or use `offset_page`",
                other.shown()
            ),
        };
        Error::invalid_query(model.name, message)
    })
}

// Where joins repeat a row, the keys of the joined rows tell its repetitions apart.
fn add_keys_of_repeating(select: &RootSelect, order: &mut Vec<OrderTerm>) -> Result<()> {
    let joins = &select.joins;
    for (at, table) in joins.tables().iter().enumerate().filter(|(_, table)| table.multiplies()) {
        let path = joins.paths().find(|(_, target)| *target == at).map(|(path, _)| path);
        let joined = table.hop.model;
        let Some(path) = path.filter(|_| !joined.primary_key.is_empty()) else {
            return Err(repeats(select.model, joined.name));
        };
        for column in joined.primary_key {
            let column = ColumnRef { path: path.to_vec().into(), ..joined.columns[*column].column_ref() };
            let operand = Operand::Column(column);
            if !order.iter().any(|term| term.operand == operand) {
                order.push(OrderTerm::new(operand, Direction::Asc));
            }
        }
    }
    if joins.raw().is_empty() { Ok(()) } else { Err(repeats(select.model, "hand-written SQL")) }
}

#[cold]
fn repeats(model: &ModelDef, joined: &str) -> Error {
    let message = format!(
        "the query joins {joined}, which may repeat rows without a key that tells them apart, so a page by a cursor could not \
         end between them: use `distinct`, or a condition (`User::POSTS.any(…)`) in place of the join"
    );
    Error::invalid_query(model.name, message)
}

fn refuse_empty(model: &ModelDef, size: u64) -> Result<()> {
    if size > 0 { Ok(()) } else { Err(Error::invalid_query(model.name, "a page needs a size of at least 1")) }
}

fn refuse_limit(model: &ModelDef, select: &RootSelect, of_query: bool) -> Result<()> {
    if select.limit.is_none() && select.offset.is_none() {
        return Ok(());
    }
    let message = if of_query {
        "a page limits the rows itself: leave out `limit` and `offset`, and give the size with the page"
    } else {
        "a page limits the rows itself, and the default scope or the association has a limit already: use `unscoped`, or \
         read the rows with `repo.all`"
    };
    Err(Error::invalid_query(model.name, message))
}
