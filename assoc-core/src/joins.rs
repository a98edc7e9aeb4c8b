//! The tables that a statement joins to its own: which tables, on which condition, under which name.
//!
//! A path of associations (`posts.comments`) is a chain of tables: one table for an association by a key, several for a
//! through association. The same path is joined once, however many parts of the query name it; once it is an inner
//! join, it stays one. Outer joins also share the common beginning of two paths (`memberships`, and `groups` through
//! `memberships`), so that their rows are not multiplied with themselves. Two associations that choose differently among the
//! same rows share a table only where nothing in the statement refers to a joined table.
//!
//! An association's condition goes into `ON`, with the target's discriminator and default scope. A `has_one`, or an
//! association by a key with a limit, takes only the first rows; `ON` then contains the condition that says which. An
//! eager load takes the first rows in memory, so it needs that condition only where a condition or order of the query
//! names the association. A through association with a limit joins all its rows, because no join condition can express
//! that limit. A join cannot express groups either.
//!
//! Building the joins and naming the tables are two steps: [`Joins::assign_names`] applies the rules of
//! [`AliasTracker`] when all tables are known.

mod alias;
mod join_chain;

pub use alias::AliasTracker;
pub use join_chain::{JoinChain, OwnerLimits};

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};
use crate::metadata::association::{AssociationDef, Chain, ChainHop, ChainParts, KeyJoin};
use crate::metadata::expr::{Expr, LimitedRows, OrderTerm};
use crate::metadata::filter_hook::{FilterHook, filtered};
use crate::metadata::model::{Discriminator, ModelDef};
use crate::metadata::request::{Request, ScopeDef};
use crate::value::Value;

/// Tables that one statement joins to its own: no database that this project knows takes as many (SQLite 64 with it, MySQL
/// and MariaDB 61), and what a request can make of a path has to end somewhere.
pub(crate) const MOST_JOINED_TABLES: usize = 64;

/// The error of a statement that would join more tables.
#[cold]
pub(crate) fn too_many_tables(owner: &ModelDef, association: &AssociationDef) -> Error {
    let message = format!(
        "a statement joins at most {MOST_JOINED_TABLES} tables, and `{}` would be one more: load it with `preload`",
        association.name
    );
    Error::invalid_query(owner.name, message)
}

/// With which tables a path shares a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// With one of the same rows, however the associations choose among them: nothing is asked of the table in SQL, and what
    /// was read is chosen from in memory.
    WhateverIsChosen,
    /// With one of which the same rows are chosen.
    OfOneChoice,
}

/// The kind of join: whether owners without a joined row stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// They do not: `INNER JOIN`.
    Inner,
    /// They do: `LEFT OUTER JOIN`.
    Left,
}

/// One step of a path: a table by the key of the one before.
#[derive(Debug, Clone)]
pub struct JoinHop {
    /// The association it is a step of, in the plural.
    pub plural: &'static str,
    /// Its model.
    pub model: &'static ModelDef,
    /// The key, from the table before to this one.
    pub hop: KeyJoin,
    /// The column of the table before that must name this type: a polymorphic association of which one type is
    /// followed.
    pub owner_type: Option<Discriminator>,
    /// A condition on its rows.
    pub filter: Expr,
    /// The condition that the association chooses the row, where it chooses among its rows.
    pub limited: Option<Expr>,
}

impl JoinHop {
    /// Puts a hook's filters on the rows, and on those among which the association chooses.
    pub(crate) fn with_filters(&mut self, hook: &FilterHook) -> Result<()> {
        let filter = std::mem::take(&mut self.filter);
        self.filter = filtered(hook, self.model, filter)?;
        self.limited = self.limited.take().map(|limited| limited.with_filters(hook)).transpose()?;
        Ok(())
    }
}

/// Two hops are equal if they join the same rows, whatever the names of the associations and however they limit the
/// rows.
impl PartialEq for JoinHop {
    fn eq(&self, other: &Self) -> bool {
        (self.model, self.hop, self.owner_type, &self.filter)
            == (other.model, other.hop, other.owner_type, &other.filter)
    }
}

/// A joined table.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::joins::{JoinKind, Joins};
/// use assoc_core::metadata::Request;
///
/// let mut joins = Joins::default();
/// joins.join(&Request::new(Post::USER.def()), JoinKind::Inner, None)?;
/// assert!(!joins.tables()[0].multiplies(), "a post has one author");
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct JoinedTable {
    /// The table that it joins to; `None` for the statement's own table.
    pub from: Option<usize>,
    /// How.
    pub hop: JoinHop,
    /// The kind of join.
    pub kind: JoinKind,
    /// Whether the condition joins only the rows within the association's limit.
    pub limits_rows: bool,
    /// Its name in the statement; empty until names are assigned.
    pub name: String,
    // The name to use if the name of the table is taken.
    otherwise: String,
}

impl JoinedTable {
    /// Whether one row of the table before may match several rows of this one.
    #[must_use]
    pub fn multiplies(&self) -> bool {
        !self.hop.hop.unique
    }
}

/// A join as hand-written SQL.
#[derive(Debug, Clone, PartialEq)]
pub struct RawJoin {
    /// The text; each `?` outside quotes is a bind.
    pub sql: String,
    /// Its binds.
    pub binds: Vec<Value<'static>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Path {
    names: Vec<&'static str>,
    // Its tables, the target's last.
    tables: Vec<usize>,
}

/// The joins of a statement. They are plain data, which compares, clones and prints.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::IntoPreload;
/// use assoc_core::joins::{JoinKind, Joins, RawJoin};
///
/// let mut joins = Joins::default();
/// assert!(joins.is_empty());
/// let [posts] = User::POSTS.with(Post::COMMENTS).into_requests().try_into().unwrap();
/// joins.join(&posts, JoinKind::Left, None)?;
/// assert_eq!((joins.find(&["posts"]), joins.find(&["posts", "comments"])), (Some(0), Some(1)));
/// assert_eq!(joins.paths().count(), 2);
/// assert!(joins.is_below(1, 0) && !joins.is_below(0, 1));
/// assert!(joins.tables()[1].multiplies(), "a post has several comments");
///
/// // A query that only asks which users there are joins no comments.
/// assert_eq!(joins.only(&[0]).tables().len(), 1);
///
/// // Hand-written joins come last, and their names are taken.
/// joins.push_raw(RawJoin { sql: "JOIN logins AS comments ON true".into(), binds: vec![] });
/// joins.assign_names(User::DEF, 63);
/// let names: Vec<&str> = joins.tables().iter().map(|table| table.name.as_str()).collect();
/// assert_eq!((names, joins.raw().len()), (vec!["posts", "comments_posts"], 1));
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Joins {
    tables: Vec<JoinedTable>,
    paths: Vec<Path>,
    raw: Vec<RawJoin>,
}

impl Joins {
    /// None, as [`Joins::default`], in a constant.
    ///
    /// ```
    /// use assoc_core::joins::Joins;
    ///
    /// const NONE: Joins = Joins::new();
    /// assert!(NONE.is_empty());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Joins { tables: Vec::new(), paths: Vec::new(), raw: Vec::new() }
    }

    /// Whether there are no joins.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.raw.is_empty()
    }

    /// The tables, each after the one it hangs on.
    #[must_use]
    pub fn tables(&self) -> &[JoinedTable] {
        &self.tables
    }

    /// The hand-written joins, which follow all others.
    #[must_use]
    pub fn raw(&self) -> &[RawJoin] {
        &self.raw
    }

    /// Adds a hand-written join.
    pub fn push_raw(&mut self, join: RawJoin) {
        self.raw.push(join);
    }

    /// The table of a path's target.
    #[must_use]
    pub fn find(&self, path: &[&'static str]) -> Option<usize> {
        self.paths.iter().find(|known| known.names == path).and_then(|known| known.tables.last().copied())
    }

    /// Every joined path, with its target's table.
    pub fn paths(&self) -> impl Iterator<Item = (&[&'static str], usize)> {
        self.paths.iter().filter_map(|path| Some((&path.names[..], *path.tables.last()?)))
    }

    /// Joins an association and those below it.
    ///
    /// # Errors
    /// When an association cannot be joined, or is joined already with other options.
    pub fn join(&mut self, request: &Request, kind: JoinKind, hook: Option<&FilterHook>) -> Result<()> {
        let owner = (request.association.owner)();
        let mut waiting = vec![(None, owner, Vec::new(), request.clone())];
        // A tree of requests may hold one list of children in many places. Below one table it is joined once. The lists are
        // kept, so that no other one comes to lie where one is.
        let mut known = HashMap::new();
        while let Some((from, owner, prefix, mut request)) = waiting.pop() {
            let association = request.association;
            let list = (request.children.clone(), request.levels);
            let children = request.take_children();
            let scope = request.scope;
            let cuts = scope.limit.is_some() || scope.offset.is_some() || scope.distinct || !scope.group.is_empty();
            if !scope.order.is_empty() || cuts || scope.select.is_some() {
                let name = association.name;
                let message =
                    format!("`{name}` is joined with more than a condition: a join can neither sort nor cut its rows");
                return Err(Error::invalid_query(owner.name, message));
            }
            let mut hops = hops_of(&Chain::scoped(association, scope)?)?;
            if let Some(hook) = hook {
                hops.iter_mut().try_for_each(|hop| hop.with_filters(hook))?;
            }
            let path = [&prefix[..], &[association.name]].concat();
            let tables = self.add_path(from, owner, &path, association, hops, kind)?;
            tables.iter().for_each(|table| self.choose(*table));
            let (target, owner) = (tables.last().copied(), (association.target)());
            if known.insert((target, list.0.as_ptr(), list.1), list.0).is_some() {
                continue;
            }
            // What was asked for first is joined first, with all that lies below it.
            waiting.extend(children.into_iter().rev().map(|child| (target, owner, path.clone(), child)));
        }
        Ok(())
    }

    /// Joins the tables of a path to the target of another path. Returns the tables in the order of the chain.
    ///
    /// # Errors
    /// When the path is joined already with other options.
    ///
    /// ```
    #[doc = include_str!("../docs/blog.txt")]
    /// use assoc_core::joins::{JoinKind, Joins, hops_of};
    /// use assoc_core::metadata::Chain;
    ///
    /// let (comments, mut joins) = (User::COMMENTS.def(), Joins::default());
    /// let hops = hops_of(&Chain::keys(comments)?)?;
    /// // A through association has a table between.
    /// let tables = joins.add_path(None, User::DEF, &["comments"], comments, hops.clone(), JoinKind::Inner)?;
    /// assert_eq!(tables, [0, 1]);
    /// // The same path once more is the same tables.
    /// assert_eq!(joins.add_path(None, User::DEF, &["comments"], comments, hops, JoinKind::Inner)?, tables);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn add_path(
        &mut self,
        from: Option<usize>,
        owner: &'static ModelDef,
        names: &[&'static str],
        association: &'static AssociationDef,
        hops: Vec<JoinHop>,
        kind: JoinKind,
    ) -> Result<Vec<usize>> {
        self.add_sharing(from, owner, names, association, hops, kind, Sharing::OfOneChoice)
    }

    // The same, and with which tables it shares its own.
    #[allow(clippy::too_many_arguments)] // Where the path begins, the path, and how it is joined.
    pub(crate) fn add_sharing(
        &mut self,
        from: Option<usize>,
        owner: &'static ModelDef,
        names: &[&'static str],
        association: &'static AssociationDef,
        hops: Vec<JoinHop>,
        kind: JoinKind,
        sharing: Sharing,
    ) -> Result<Vec<usize>> {
        if let Some(known) = self.paths.iter().find(|known| known.names == names) {
            let tables = known.tables.clone();
            let same = tables.len() == hops.len()
                && tables.iter().zip(&hops).all(|(table, hop)| self.tables[*table].hop == *hop);
            if !same {
                let message = format!("`{}` is joined twice, with different conditions", names.join("."));
                return Err(Error::invalid_query(owner.name, message));
            }
            if kind == JoinKind::Inner {
                self.make_inner(&tables);
            }
            return Ok(tables);
        }
        if self.tables.len() + hops.len() > MOST_JOINED_TABLES {
            return Err(too_many_tables(owner, association));
        }
        let last = hops.len().saturating_sub(1);
        let mut before = from;
        let mut tables = Vec::with_capacity(hops.len());
        for (at, hop) in hops.into_iter().enumerate() {
            let is_same = |known: &JoinedTable| {
                let is_same = known.kind == kind && known.from == before && known.hop == hop;
                let is_chosen = sharing == Sharing::WhateverIsChosen || known.hop.limited == hop.limited;
                kind == JoinKind::Left && is_same && is_chosen
            };
            let table = match self.tables.iter().position(is_same) {
                Some(known) => known,
                None => {
                    let (plural, on_the_way) =
                        if at == last { (association.plural, "") } else { (hop.plural, "_join") };
                    let otherwise = format!("{plural}_{}{on_the_way}", owner.table.name);
                    let name = String::new();
                    self.tables.push(JoinedTable { from: before, hop, kind, limits_rows: false, name, otherwise });
                    self.tables.len() - 1
                }
            };
            tables.push(table);
            before = Some(table);
        }
        if kind == JoinKind::Inner {
            self.make_inner(&tables);
        }
        self.paths.push(Path { names: names.to_vec(), tables: tables.clone() });
        Ok(tables)
    }

    // Joins one table after the other, each to the table before, under their own paths.
    pub(crate) fn push_chain(&mut self, tables: impl Iterator<Item = (&'static str, JoinHop, String)>) {
        let mut before = None;
        for (place, hop, otherwise) in tables {
            let (kind, name) = (JoinKind::Inner, String::new());
            self.tables.push(JoinedTable { from: before, hop, kind, limits_rows: true, name, otherwise });
            let table = self.tables.len() - 1;
            self.paths.push(Path { names: vec![place], tables: vec![table] });
            before = Some(table);
        }
    }

    /// Joins only those rows of a table that its association chooses.
    pub(crate) fn choose(&mut self, table: usize) {
        self.tables[table].limits_rows = self.tables[table].hop.limited.is_some();
    }

    // An inner join below an outer one makes that an inner one as well.
    fn make_inner(&mut self, tables: &[usize]) {
        let mut next = tables.last().copied();
        while let Some(table) = next {
            self.tables[table].kind = JoinKind::Inner;
            next = self.tables[table].from;
        }
    }

    /// Gives every table its name in the statement. The root keeps the name of its table, and so do the tables of
    /// hand-written joins.
    pub fn assign_names(&mut self, root: &ModelDef, longest: usize) {
        let mut names = AliasTracker::new(longest);
        names.reserve(root.table.name);
        for raw in &self.raw {
            alias::names_in(&raw.sql).iter().for_each(|name| names.reserve(name));
        }
        for table in &mut self.tables {
            table.name = names.name(table.hop.model.table.name, &table.otherwise);
        }
    }

    /// Only the tables that are needed: those of some paths, inner ones, and what they hang on. For statements that only
    /// ask which of the root's rows there are.
    #[must_use]
    pub fn only(&self, needed: &[usize]) -> Joins {
        let mut kept: Vec<bool> = self.tables.iter().map(|table| table.kind == JoinKind::Inner).collect();
        // Where the application joins by itself, it may refer to any of them.
        if !self.raw.is_empty() {
            kept.iter_mut().for_each(|kept| *kept = true);
        }
        needed.iter().for_each(|table| kept[*table] = true);
        for at in (0..self.tables.len()).rev() {
            if let (true, Some(from)) = (kept[at], self.tables[at].from) {
                kept[from] = true;
            }
        }
        let mut places = vec![None; self.tables.len()];
        let mut tables = Vec::new();
        for (at, table) in self.tables.iter().enumerate().filter(|(at, _)| kept[*at]) {
            places[at] = Some(tables.len());
            tables.push(JoinedTable { from: table.from.and_then(|from| places[from]), ..table.clone() });
        }
        let paths = self.paths.iter().filter_map(|path| {
            let tables = path.tables.iter().map(|table| places[*table]).collect::<Option<Vec<usize>>>()?;
            Some(Path { names: path.names.clone(), tables })
        });
        Joins { tables, paths: paths.collect(), raw: self.raw.clone() }
    }

    /// Whether `table` is `above` or is joined to it, directly or through other tables.
    #[must_use]
    pub fn is_below(&self, table: usize, above: usize) -> bool {
        let mut next = Some(table);
        while let Some(at) = next {
            if at == above {
                return true;
            }
            next = self.tables[at].from;
        }
        false
    }
}

/// The tables of an association's chain, from its owner to its target.
///
/// # Errors
/// When the association has several target models, depends on the owner, is grouped, or is hand-written SQL.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::joins::hops_of;
/// use assoc_core::metadata::Chain;
///
/// let tables: Vec<&str> = hops_of(&Chain::keys(Post::TAGS.def())?)?.iter().map(|hop| hop.model.table.name).collect();
/// assert_eq!(tables, ["posts_tags", "tags"]);
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn hops_of(chain: &Chain) -> Result<Vec<JoinHop>> {
    let association = chain.association;
    if chain.owner_scoped {
        return Err(cannot_join(association, "has a scope that depends on its owner"));
    }
    if !chain.scope.group.is_empty() {
        return Err(cannot_join(association, GROUPED));
    }
    match &chain.parts {
        ChainParts::Key(hop) => Ok(vec![JoinHop::limiting(hop)]),
        ChainParts::ByType { hops, only_type, .. } => match (&hops[..], only_type) {
            ([hop], Some(_)) => Ok(vec![JoinHop::limiting(hop)]),
            _ => Err(cannot_join(association, "is polymorphic: which table to join differs from row to row")),
        },
        ChainParts::Through { through, source } => {
            let of_part = |error: Error| of_part(association, error);
            let mut hops = hops_of(through).map_err(of_part)?;
            hops.extend(hops_of(source).map_err(of_part)?);
            Ok(hops)
        }
        ChainParts::JoinTable { rows, targets } => Ok(vec![JoinHop::all(rows), JoinHop::all(targets)]),
        ChainParts::CustomSql(_) => Err(cannot_join(association, "has SQL of its own (`finder_sql`)")),
    }
}

impl JoinHop {
    // All rows with the key.
    fn all(hop: &ChainHop) -> JoinHop {
        JoinHop {
            plural: hop.association.plural,
            model: hop.model,
            // The type is part of the condition.
            hop: KeyJoin { target_type: None, ..hop.key },
            owner_type: hop.owner_type,
            filter: hop.condition(),
            limited: None,
        }
    }

    // Of the rows with one key those that the association chooses.
    fn limiting(hop: &ChainHop) -> JoinHop {
        let ScopeDef { limit, offset, ref order, .. } = hop.scope;
        let (among, order, offset) = (hop.condition(), order.clone(), offset.unwrap_or(0));
        let limited = limited_rows(hop.association, hop.key, hop.model, &among, order, hop.is_single(), limit, offset);
        JoinHop { limited, ..JoinHop::all(hop) }
    }
}

/// What an association chooses among the rows with the same key, if it does.
#[allow(clippy::too_many_arguments)] // All of them are parts of one choice.
pub(crate) fn limited_rows(
    association: &'static AssociationDef,
    hop: KeyJoin,
    model: &'static ModelDef,
    among: &Expr,
    order: Vec<OrderTerm>,
    single: bool,
    limit: Option<u64>,
    offset: u64,
) -> Option<Expr> {
    if hop.unique {
        return None;
    }
    let limit = if single { Some(limit.map_or(1, |limit| limit.min(1))) } else { limit };
    let limits_rows = limit.is_some() || offset > 0;
    limits_rows.then(|| {
        let (key, among) = (hop.target_columns, among.clone());
        Expr::Limited(Box::new(LimitedRows { association, model, key, among, order, limit, offset }))
    })
}

/// Why a join does not follow an association with a `group_by`.
pub(crate) const GROUPED: &str = "keeps the first row of each group, which a join cannot do";

// The error of a part names the association that the query requested.
fn of_part(association: &AssociationDef, error: Error) -> Error {
    match error.kind() {
        ErrorKind::CannotJoin { model, association: part, why } => {
            cannot_join(association, &format!("leads along `{model}.{part}`, which {why}"))
        }
        _ => error,
    }
}

/// The error of an association that no join can follow.
pub(crate) fn cannot_join(association: &AssociationDef, why: &str) -> Error {
    ErrorKind::CannotJoin { model: (association.owner)().name, association: association.name, why: why.to_owned() }
        .into()
}
