//! Access to the owner's field behind a vtable: it reads loaded rows and stores fetched ones.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use crate::error::HiddenBy;
use crate::key::KeyMark;
use crate::metadata::rows::{Owners, Rows};

/// How much of an association is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LoadState {
    /// The association is not loaded.
    #[default]
    NotLoaded,
    /// All rows are in memory. There may be none.
    Loaded,
    /// Some rows are in memory, loaded through a filter or limit.
    Partial,
}

/// Which rows belong to which owner: each owner has a run of positions.
///
/// ```
/// use assoc_core::execution::Links;
///
/// // Of three owners the first has two rows, the second none, and the third shares one of them.
/// let links = Links::Many { rows: vec![0, 1, 1], ends: vec![2, 2, 3] };
/// assert_eq!((links.owners(), links.rows()), (3, 3));
/// assert_eq!(links.positions(), [vec![0, 1], vec![], vec![1]]);
/// assert!(links.by_owner().map(|(owner, own)| (owner, own.len())).eq([(0, 2), (1, 0), (2, 1)]));
/// assert!(!links.is_exclusive(2), "the shared row is copied");
/// assert_eq!(Links::first_of(&[0, 1, 1], &[2, 2, 3]), Links::One(vec![Some(0), None, Some(1)]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Links {
    /// The rows lie in the owners' order, and each belongs to one owner: one run length per owner.
    Runs(Vec<u32>),
    /// At most one row per owner.
    One(Vec<Option<u32>>),
    /// Any rows, also shared ones: the positions, and the end of each owner's run in them.
    Many {
        /// Positions of rows.
        rows: Vec<u32>,
        /// The end of each owner's run in `rows`.
        ends: Vec<u32>,
    },
}

impl Links {
    /// The first row of each owner, from positions and the end of each owner's run.
    #[must_use]
    pub fn first_of(rows: &[u32], ends: &[u32]) -> Self {
        let mut start = 0;
        let first = |end: &u32| {
            let own = rows.get(start as usize).copied().filter(|_| *end > start);
            start = *end;
            own
        };
        Links::One(ends.iter().map(first).collect())
    }

    /// The number of owners.
    #[must_use]
    pub fn owners(&self) -> usize {
        match self {
            Links::Runs(runs) => runs.len(),
            Links::One(ones) => ones.len(),
            Links::Many { ends, .. } => ends.len(),
        }
    }

    /// The total number of rows of all owners. A shared row counts once per owner.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Links::Runs(runs) => runs.iter().map(|run| *run as usize).sum(),
            Links::One(ones) => ones.iter().flatten().count(),
            Links::Many { rows, .. } => rows.len(),
        }
    }

    /// Each owner with the positions of its rows, in the order of the owners.
    #[must_use]
    pub fn by_owner(&self) -> ByOwner<'_> {
        ByOwner { links: self, at: 0, start: 0 }
    }

    /// The rows of every owner, as positions, owner by owner.
    #[must_use]
    pub fn positions(&self) -> Vec<Vec<usize>> {
        self.by_owner().map(|(_, own)| own.collect()).collect()
    }

    /// Whether no row belongs to two owners, so that rows can be moved to them.
    #[must_use]
    pub fn is_exclusive(&self, rows: usize) -> bool {
        match self {
            Links::Runs(_) => true,
            Links::One(ones) => once(rows, ones.iter().flatten().copied()),
            Links::Many { rows: all, .. } => once(rows, all.iter().copied()),
        }
    }
}

/// Owners with the positions of their rows: what [`Links::by_owner`] gives. It is an iterator, because a method with a
/// closure would be compiled for each closure of each association.
#[derive(Debug, Clone)]
pub struct ByOwner<'l> {
    links: &'l Links,
    at: usize,
    start: usize,
}

impl<'l> Iterator for ByOwner<'l> {
    type Item = (usize, Positions<'l>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (at, start) = (self.at, self.start);
        let own = match self.links {
            Links::Runs(runs) => {
                self.start += *runs.get(at)? as usize;
                Positions::Run(start..self.start)
            }
            Links::One(ones) => Positions::Listed(ones.get(at)?.as_slice().iter()),
            Links::Many { rows, ends } => {
                self.start = *ends.get(at)? as usize;
                Positions::Listed(rows.get(start..self.start).unwrap_or_default().iter())
            }
        };
        self.at += 1;
        Some((at, own))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.links.owners().saturating_sub(self.at);
        (left, Some(left))
    }
}

impl ExactSizeIterator for ByOwner<'_> {}

/// The positions of one owner's rows.
#[derive(Debug, Clone)]
pub enum Positions<'l> {
    /// A range of adjacent rows.
    Run(Range<usize>),
    /// Rows at any positions.
    Listed(std::slice::Iter<'l, u32>),
}

impl Iterator for Positions<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        match self {
            Positions::Run(run) => run.next(),
            #[allow(clippy::manual_map)] // In a build without optimisation a closure is one more function.
            Positions::Listed(listed) => match listed.next() {
                Some(row) => Some(*row as usize),
                None => None,
            },
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match self {
            Positions::Run(run) => run.len(),
            Positions::Listed(listed) => listed.len(),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Positions<'_> {}

fn once(rows: usize, positions: impl Iterator<Item = u32>) -> bool {
    let mut seen = vec![false; rows];
    for at in positions {
        match seen.get_mut(at as usize) {
            Some(mark) if !*mark => *mark = true,
            _ => return false,
        }
    }
    true
}

/// Fetched rows, to be attached to owners.
#[non_exhaustive]
pub enum Children<'r> {
    /// A `Vec<T>` that the owners may take apart, because only they need its rows.
    Owned(Box<dyn Rows>),
    /// A `Vec<T>` that others need as well, so its rows are copied.
    Lent(&'r dyn Rows),
    /// A `Vec<Arc<T>>`, for holders to share, or to copy from if they do not share.
    Shared(&'r dyn Any),
}

/// Rows of the join table that the links came from.
#[derive(Clone, Copy)]
pub struct JoinTableRows<'r> {
    /// A `Vec` of their model.
    pub rows: &'r dyn Any,
    /// For each link, owner by owner, the position of its join row.
    pub positions: &'r [u32],
}

/// A row that several owners may share.
pub type SharedRow = Arc<dyn Any + Send + Sync>;

/// Offers a shared row to `pick`, and takes the one that it returns.
pub(crate) fn share_row<T: Send + Sync + 'static>(
    row: &mut Arc<T>,
    pick: &mut dyn FnMut(SharedRow) -> Option<SharedRow>,
) {
    let own: SharedRow = Arc::<T>::clone(row);
    if let Some(other) = pick(own).and_then(|other| other.downcast::<T>().ok()) {
        *row = other;
    }
}

/// Access to the field that contains an association. [`FieldAccessor`](crate::execution::FieldAccessor) implements it for all
/// holders, with one instance per association.
///
/// ```
#[doc = include_str!("../../../docs/blog.txt")]
/// use assoc_core::LoadState;
/// use assoc_core::execution::{Children, Links};
///
/// let posts = User::POSTS.def().field_access;
/// let mut users = vec![user(1, "Ada", None), user(2, "Grace", None)];
/// assert_eq!(posts.state(&users[0]), LoadState::NotLoaded);
/// let rows = Children::Owned(Box::new(vec![post(7, 1, "On looms"), post(8, 1, "On engines")]));
/// posts.attach(&mut users, rows, &Links::Runs(vec![2, 0]), &|_| false, LoadState::Loaded);
///
/// let mut titles = Vec::new();
/// posts.visit_mut(&mut users[0], &mut |row| row.downcast_mut::<Post>().expect("a post").title.push('!'));
/// posts.visit(&users[0], &mut |row| titles.extend(row.downcast_ref::<Post>().map(|post| post.title.clone())));
/// assert_eq!((titles.len(), titles[0].as_str()), (2, "On looms!"));
/// assert_eq!(posts.state(&users[1]), LoadState::Loaded, "there are none");
/// posts.clear(&mut users[0]);
/// assert_eq!(posts.state(&users[0]), LoadState::NotLoaded);
/// // This holder owns its rows, and remembers neither a key nor rows of a join table.
/// assert!(!posts.is_shared() && posts.loaded_for(&users[0]).is_none() && !posts.keeps_join_rows());
/// ```
pub trait FieldAccess: Send + Sync {
    /// How much of the association one owner has in memory; not loaded for a value of another type.
    fn state(&self, owner: &dyn Any) -> LoadState;

    /// Whether the holder shares rows by `Arc`.
    fn is_shared(&self) -> bool;

    /// Calls `each` with each row in memory.
    fn visit<'a>(&self, owner: &'a dyn Any, each: &mut dyn FnMut(&'a dyn Any));

    /// Calls `each` with each row in memory, to change it. A row that other holders share is copied first.
    fn visit_mut<'a>(&self, owner: &'a mut dyn Any, each: &mut dyn FnMut(&'a mut dyn Any));

    /// Offers each row in memory that is shared by `Arc` to `pick`, and stores the row that `pick` returns, if it has
    /// the same type.
    ///
    /// ```
    #[doc = include_str!("../../../docs/blog.txt")]
    /// use std::sync::Arc;
    ///
    /// use assoc_core::LoadState;
    /// use assoc_core::execution::{Children, KeyMark, Links};
    ///
    /// let comments = User::COMMENTS.def().field_access;
    /// let mut users = vec![user(1, "Ada", None), user(2, "Grace", None)];
    /// let rows = vec![Arc::new(Comment { id: 4, post_id: 7, body: "!".into() })];
    /// // Both have the comment, and it is in memory once.
    /// let both = Links::Many { rows: vec![0, 0], ends: vec![1, 2] };
    /// comments.attach(&mut users, Children::Shared(&rows), &both, &|_| false, LoadState::Loaded);
    /// assert!(comments.is_shared());
    /// let mut offered = 0;
    /// comments.share(&mut users[0], &mut |row| {
    ///     offered += usize::from(row.is::<Comment>());
    ///     None // It stays as it is.
    /// });
    /// assert_eq!(offered, 1);
    ///
    /// // By which key of the owner they were loaded.
    /// comments.set_loaded_for(&mut users[0], KeyMark::of_int(1));
    /// assert_eq!(comments.loaded_for(&users[0]), Some(KeyMark::of_int(1)));
    /// ```
    fn share(&self, owner: &mut dyn Any, pick: &mut dyn FnMut(SharedRow) -> Option<SharedRow>) {
        let _ = (owner, pick);
    }

    /// The key of the owner by which the rows in memory were loaded. Holders of associations through others remember it,
    /// because neither the owner nor the rows show that the key is another one now.
    fn loaded_for(&self, owner: &dyn Any) -> Option<KeyMark> {
        let _ = owner;
        None
    }

    /// Remembers the key of the owner by which the rows in memory were loaded.
    ///
    /// See [`share`](Self::share), whose example does.
    ///
    /// ```
    #[doc = include_str!("../../../docs/blog.txt")]
    /// use assoc_core::execution::KeyMark;
    ///
    /// let mut users = [user(1, "Ada", None)];
    /// // A holder that finds its rows by one key needs no mark: the rows show the key.
    /// let posts = User::POSTS.def().field_access;
    /// posts.set_loaded_for(&mut users[0], KeyMark::of_int(1));
    /// assert_eq!(posts.loaded_for(&users[0]), None);
    /// ```
    fn set_loaded_for(&self, owner: &mut dyn Any, key: KeyMark) {
        let _ = (owner, key);
    }

    /// Notes that the row of an association to one may be hidden by a filter, if the association is loaded without a row.
    ///
    /// ```
    #[doc = include_str!("../../../docs/blog.txt")]
    /// use assoc_core::execution::{Children, Links};
    /// use assoc_core::{HiddenBy, LoadState};
    ///
    /// let author = Post::USER.def().field_access;
    /// let mut posts = vec![post(7, 1, "On looms")];
    /// let no_users = Children::Owned(Box::new(Vec::<User>::new()));
    /// author.attach(&mut posts, no_users, &Links::One(vec![None]), &|_| false, LoadState::Loaded);
    /// author.may_be_hidden(&mut posts[0], HiddenBy::FilteredRepo);
    /// // Reading it does not say that there is none.
    /// assert!(posts[0].user.get().is_err());
    /// ```
    fn may_be_hidden(&self, owner: &mut dyn Any, by: HiddenBy) {
        let _ = (owner, by);
    }

    /// Makes the association of one owner not loaded.
    fn clear(&self, owner: &mut dyn Any);

    /// Attaches rows to owners: owner `at` of `owners` takes the rows that `links` has for it, unless `skip` says so.
    /// The state becomes `state`.
    fn attach(
        &self,
        owners: &mut dyn Owners,
        children: Children<'_>,
        links: &Links,
        skip: &dyn Fn(usize) -> bool,
        state: LoadState,
    );

    /// Whether rows of a join table lie beside the targets: they are attached with them, or not at all.
    fn keeps_join_rows(&self) -> bool {
        false
    }

    /// Calls `each` with the row of the join table beside each row in memory.
    ///
    /// ```
    #[doc = include_str!("../../../docs/blog.txt")]
    /// // A join table without a model keeps none.
    /// let mut join_rows = 0;
    /// Post::TAGS.def().field_access.visit_join_rows(&post(7, 1, "On looms"), &mut |_| join_rows += 1);
    /// assert_eq!(join_rows, 0);
    /// ```
    fn visit_join_rows<'a>(&self, owner: &'a dyn Any, each: &mut dyn FnMut(&'a dyn Any)) {
        let _ = (owner, each);
    }

    /// As [`attach`](Self::attach), with the join row of each link, for holders with a join model.
    ///
    /// ```
    #[doc = include_str!("../../../docs/blog.txt")]
    /// use std::sync::Arc;
    ///
    /// use assoc_core::LoadState;
    /// use assoc_core::execution::{Children, JoinTableRows, Links};
    ///
    /// // A join table without a model: its rows consist of keys, and are not kept.
    /// let tags = Post::TAGS.def().field_access;
    /// assert!(!tags.keeps_join_rows());
    /// let (mut posts, rows) = (vec![post(7, 1, "On looms")], vec![Arc::new(Tag { id: 3, name: "rust".into() })]);
    /// let between = JoinTableRows { rows: &(), positions: &[0] };
    /// let links = Links::Many { rows: vec![0], ends: vec![1] };
    /// tags.attach_with_join_rows(&mut posts, Children::Shared(&rows), between, &links, &|_| false, LoadState::Loaded);
    /// let (mut targets, mut join_rows) = (0, 0);
    /// tags.visit(&posts[0], &mut |_| targets += 1);
    /// tags.visit_join_rows(&posts[0], &mut |_| join_rows += 1);
    /// assert_eq!((targets, join_rows), (1, 0));
    /// ```
    fn attach_with_join_rows(
        &self,
        owners: &mut dyn Owners,
        children: Children<'_>,
        join_rows: JoinTableRows<'_>,
        links: &Links,
        skip: &dyn Fn(usize) -> bool,
        state: LoadState,
    ) {
        let _ = join_rows;
        self.attach(owners, children, links, skip, state);
    }
}
