//! What can fail, as data, and the message of each.

use std::borrow::Cow;

use super::{
    AssociationNotLoaded, CursorProblem, DriverError, Error, FieldError, GroupedUse, InvalidInclude, Restricted,
    excerpt, field,
};

/// What failed, as data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The program read an association that is not loaded.
    #[error(transparent)]
    NotLoaded(AssociationNotLoaded),
    /// The database or the driver failed.
    #[error(transparent)]
    Driver(DriverError),
    /// No row with that key.
    #[error("no {model} with key {key}")]
    NotFound {
        /// The requested model.
        model: &'static str,
        /// The key, as shown in messages.
        key: String,
    },
    /// A row that was to be edited or let go is no member of its owner's association.
    #[error("{target} {key} is none of `{association}` of {model} {owner}: it is another owner's, or gone")]
    NotMember {
        /// The owner's model.
        model: &'static str,
        /// The owner's key, as shown in messages.
        owner: String,
        /// The association.
        association: &'static str,
        /// The model of the row.
        target: &'static str,
        /// The row's key.
        key: String,
    },
    /// `one` or `get_by` found several rows in place of a single one.
    #[error("more than one {model} matches: make the filter unique, or add `limit(1)` if any of them will do")]
    NotUnique {
        /// The requested model.
        model: &'static str,
    },
    /// A preload went deeper than it may: a recursion that comes by a row it lies in, or more levels than can be loaded.
    #[error(
        "preloading `{model}.{association}`: {} Ask for fewer levels",
        match cycle {
            Some(row) => format!(
                "{levels} levels down {row} lies in itself, so the rows are a cycle and the recursion has no end."
            ),
            None => format!("{levels} levels are loaded, and no more can be."),
        }
    )]
    PreloadTooDeep {
        /// The owner model.
        model: &'static str,
        /// The association.
        association: &'static str,
        /// How many levels were loaded.
        levels: usize,
        /// A row that was found below itself, with its key; `None` where the limit of levels is reached.
        cycle: Option<String>,
    },
    /// The value of a column does not fit its Rust type.
    #[error("column `{model}.{column}` cannot be read as {expected}: the database holds {found}")]
    Decode {
        /// The model being read.
        model: &'static str,
        /// The column; for an aggregate its expression, `SUM(stars)`; for a joined column its path, `posts.title`.
        column: Cow<'static, str>,
        /// The values that the field's type takes.
        expected: &'static str,
        /// The value in the row.
        found: String,
    },
    /// A row has another number of columns than the model.
    #[error(
        "a row of {found} columns cannot be read as {model}, which has {expected}: select exactly its columns, in their order"
    )]
    RowWidth {
        /// The model being read.
        model: &'static str,
        /// Its number of columns.
        expected: usize,
        /// The row's number of columns.
        found: usize,
    },
    /// Raw SQL selects other columns than the model's, or the same columns in another order.
    #[error(
        "the statement selects ({}), and {model} is read from ({}): select exactly its columns, in their order, and name \
         expressions after them (`… AS name`)",
        found.join(", "), list(expected)
    )]
    ColumnNames {
        /// The model being read.
        model: &'static str,
        /// Its columns.
        expected: Vec<&'static str>,
        /// Those of the statement.
        found: Vec<String>,
    },
    /// An association name that the model does not have.
    #[error("model {model} has no association `{name}`; it has: {}", list(known))]
    UnknownAssociation {
        /// The model.
        model: &'static str,
        /// The requested name.
        name: String,
        /// The names that exist.
        known: Vec<&'static str>,
    },
    /// A column name that the model does not have.
    #[error("model {model} has no column `{name}`; it has: {}", list(known))]
    UnknownColumn {
        /// The model.
        model: &'static str,
        /// The requested name.
        name: String,
        /// The names that exist.
        known: Vec<&'static str>,
    },
    /// One request contains the same association twice, with different options.
    #[error(
        "association `{model}.{association}` is requested twice with different {what}: one request can fill it only one way"
    )]
    ConflictingPreload {
        /// The owner model.
        model: &'static str,
        /// The association.
        association: &'static str,
        /// What differs: "filters", "orders", "columns", "groups", "limits".
        what: &'static str,
    },
    /// A condition or order names a column of an association that the query does not join.
    #[error(
        "{model}: the query names a column of `{path}` and does not join it: add `join`, `left_join`, `includes` or `eager_load` of `{path}`"
    )]
    NotJoined {
        /// The query's model.
        model: &'static str,
        /// The association's path: `posts.comments`.
        path: String,
    },
    /// A query joins an association, or loads it by a join, that no join can express.
    #[error("`{model}.{association}` cannot be joined: it {why}; load it with `preload`")]
    CannotJoin {
        /// The owner model.
        model: &'static str,
        /// The association.
        association: &'static str,
        /// Why: "is polymorphic: …".
        why: String,
    },
    /// A function or statement returned a row that matches none of the requested keys.
    #[error(
        "association `{model}.{association}`: a {target} row came back (key {key}) that matches none of the owners asked for"
    )]
    UnmatchedRow {
        /// The owner model.
        model: &'static str,
        /// The association.
        association: &'static str,
        /// The model of the row.
        target: &'static str,
        /// Its key.
        key: String,
    },
    /// The type column of a polymorphic association contains a tag that is none of its variants.
    #[error("`{model}` {key}: `{association}` names the type `{tag}`, which is none of: {}", list(known))]
    UnknownType {
        /// The owner model.
        model: &'static str,
        /// The owner's key.
        key: String,
        /// The association.
        association: &'static str,
        /// The tag in its type column.
        tag: String,
        /// The tags of its variants.
        known: Vec<&'static str>,
    },
    /// The query contradicts itself, so no statement is built.
    #[error("{model}: {message}")]
    InvalidQuery {
        /// The model the query is about.
        model: &'static str,
        /// What is wrong and what to do instead.
        message: String,
    },
    /// A query of groups (`group_by`, `having`, aggregates) reads, compares or sorts by a column of which a group may have
    /// several values, so no statement is run.
    #[error("{model}: a group has no single value of `{column}`: {}", asked.remedy())]
    NotGrouped {
        /// The model the query is about.
        model: &'static str,
        /// The column; for a joined column its path, `posts.title`.
        column: String,
        /// What the query asks of it.
        asked: GroupedUse,
    },
    /// The cursor of a page says no place in the query's order, so no statement is run.
    #[error("{model}: {}; begin at the first page (`Page::first`), or use the cursor with the query that made it", problem.says())]
    InvalidCursor {
        /// The model the query is about.
        model: &'static str,
        /// What is wrong.
        problem: CursorProblem,
    },
    /// A client asked for associations by names that it may not have (`Include` of `assoc-repo`), so no statement is run.
    #[error("{_0}")]
    InvalidInclude(InvalidInclude),
    /// The changeset is not valid, so nothing is written.
    #[error("{model} cannot be saved: {}", field::listed(errors))]
    Invalid {
        /// The model.
        model: &'static str,
        /// One entry per problem.
        errors: Vec<FieldError>,
    },
    /// One statement would have to read two databases.
    #[error(
        "`{association}`: rows of {model} and of {other} are in different databases, and no statement reaches both: load the \
         association with `preload`, or take the keys from one and filter the other by them"
    )]
    AcrossDatabases {
        /// The model of the statement.
        model: &'static str,
        /// The model whose table is in the other database.
        other: &'static str,
        /// The association between the two.
        association: String,
    },
    /// A write to a row whose table is in another database than the handle writes to.
    #[error(
        "rows of {model} are in another database, which this handle only reads: write them with that database's repo"
    )]
    InAnotherDatabase {
        /// The model.
        model: &'static str,
    },
    /// A row was to be updated or deleted that another update has changed since it was read: its `lock_version` is
    /// another one.
    #[error("{model} {key} was changed since it was read: read it again, and make the changes on that")]
    Stale {
        /// The row's model.
        model: &'static str,
        /// Its key, as shown in messages.
        key: String,
    },
    /// Two rows that were given to one upsert are the same row: the database calls their values in the conflicting columns
    /// equal. Nothing was written.
    #[error(
        "{model}: rows {} and {} are the same row by `{}`: {}; give each row once",
        rows[0], rows[1], columns.join(", "),
        if keys[0] == keys[1] {
            format!("both are {}", keys[0])
        } else {
            format!("{} and {} are one key for the database", keys[0], keys[1])
        }
    )]
    SameRow {
        /// The rows' model.
        model: &'static str,
        /// The fields of the conflicting columns.
        columns: Vec<&'static str>,
        /// Which of the given rows they are, counted from 0.
        rows: [usize; 2],
        /// What they were given in these columns, as shown in messages.
        keys: [String; 2],
    },
    /// A filtered repo was to write a row that it would not see afterwards, or that it could not know to see, or to link a
    /// row to one that it does not see.
    #[error("{model}: {}", field::outside_filter(association.as_deref(), reason))]
    OutsideFilter {
        /// The row's model.
        model: &'static str,
        /// The association whose target is not seen; `None` if it is the row itself.
        association: Option<String>,
        /// What is wrong, and what to do about it.
        reason: &'static str,
    },
    /// A row was to belong to a row that is not there, in which a counter or a time was to follow. Nothing was written.
    #[error("{model}: `{association}` leads to {parent} {key}, which does not exist")]
    ParentMissing {
        /// The row's model.
        model: &'static str,
        /// The association with `counter_cache` or `touch`.
        association: &'static str,
        /// The model of the missing row.
        parent: &'static str,
        /// Its key, as shown in messages.
        key: String,
    },
    /// A write or delete of a row that was loaded as read-only.
    #[error("{model} {key} cannot be saved or deleted: {}", loaded_for_reading(association.as_deref()))]
    ReadOnly {
        /// The row's model.
        model: &'static str,
        /// Its key, as shown in messages.
        key: String,
        /// The `readonly` association that loaded it, as `User.drafts`; `None` if a `readonly` query did.
        association: Option<String>,
    },
    /// A row was to be destroyed while an association that restricts it has rows. Nothing was written.
    #[error(transparent)]
    Restricted(Restricted),
    /// A call, or a future with a budget, needs more statements than its limit.
    #[error("more than {limit} statements are needed, the most that were allowed; the plan:\n{}", excerpt(plan))]
    TooManyStatements {
        /// The limit.
        limit: usize,
        /// The planned statements, as `explain` prints them, or the first statement beyond the limit.
        plan: String,
    },
    /// A statement would have more values than the database takes.
    #[error(
        "a statement has {given} values and {backend} takes {limit}: ask for a part of them at a time, or describe the rows \
         by a condition instead of listing them"
    )]
    TooManyBinds {
        /// The backend's name.
        backend: &'static str,
        /// The number of values in the statement.
        given: usize,
        /// The largest number that the database takes.
        limit: usize,
    },
    /// The backend lacks a feature that the request needs.
    #[error("{backend} does not support {what}")]
    Unsupported {
        /// The backend's name.
        backend: &'static str,
        /// The missing feature.
        what: String,
    },
    /// No driver in this program serves this URL.
    #[error("no driver for `{scheme}:` URLs: {remedy}")]
    NoDriver {
        /// The scheme of the URL; the rest may contain a password.
        scheme: String,
        /// The remedy.
        remedy: &'static str,
    },
    /// The function given to `load_with` failed.
    #[error("association `{model}.{association}`: the function given to `load_with` failed: {source}")]
    Loader {
        /// The owner model.
        model: &'static str,
        /// The association.
        association: &'static str,
        /// The error of the function.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Callbacks write rows whose callbacks write rows in turn, too deep: as a rule a callback that saves its own row again.
    #[error(
        "callbacks of `{model}` run inside each other more than {limit} levels deep: a callback that saves its own row again \
         must stop doing so at some point, or write the row with `update_all`"
    )]
    CallbackDepth {
        /// The model whose callback would have been the next.
        model: &'static str,
        /// How deep they may be.
        limit: u16,
    },
    /// A transaction has ended as it should, and a function that was to run afterwards failed.
    #[error(
        "the transaction was {}, and after that {failed} of its functions failed: {source}",
        if *committed { "committed" } else { "rolled back" }
    )]
    AfterTransaction {
        /// Whether the transaction was committed. It is not undone.
        committed: bool,
        /// How many functions failed. All have run.
        failed: usize,
        /// The first failure.
        source: Box<Error>,
    },
    /// A step of several that are run together failed, and all of them were undone.
    #[error("step `{step}`: {source}")]
    Step {
        /// The step's name.
        step: String,
        /// What went wrong.
        source: Box<Error>,
    },
    /// The program used a transaction after its end, or the transaction ended while still in use.
    #[error("transaction: {0}")]
    Transaction(&'static str),
    /// An error of the program, raised inside a callback or a transaction.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

fn list(names: &[&'static str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn loaded_for_reading(association: Option<&str>) -> String {
    match association {
        Some(name) => format!(
            "it was loaded through `{name}`, which is read-only; to change it, load it by its key or through another \
             association"
        ),
        None => "it was loaded by a query that said `readonly`; to change it, load it by another".to_owned(),
    }
}
