//! Writing rows: insert, insert in batches, update of what changed, delete, and SQL of one's own.

use std::sync::Arc;

use assoc_core::dialect::Capabilities;
use assoc_core::driver::{Access, Executed, TransactionMode};
use assoc_core::sql::{self, KeyedSelect, Select as SelectSpec};
use assoc_core::{Bind, Error, ErrorKind, Expr, KeySet, KeyTuple, Model, Result, RowKeys, Statement, Value, schema};

use crate::changeset::{Changeset, refuse_read_only};
use crate::repo::Repo;
use crate::session::Session;

impl Repo {
    /// Inserts a row and returns it as the database has it, with its key and defaults. 1 statement where the database
    /// returns inserted rows, otherwise 2.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] naming every column that must be set and is not; a constraint violation; a failing
    /// database.
    pub async fn insert<M: Model>(&self, changeset: Changeset<M>) -> Result<M> {
        let row = self.insert_all([changeset]).await?.pop();
        row.ok_or_else(|| Error::invalid_query(M::DEF.name, "the database accepted the row but returned none"))
    }

    /// Inserts rows, many a statement, all or none. Returns them in the given order, as the database has them.
    ///
    /// Rows that set the same columns share statements. Where the database does not return inserted rows and makes
    /// their keys itself, each row is a statement of its own: ids are never guessed.
    ///
    /// # Errors
    /// As [`insert`](Self::insert); nothing was inserted then.
    pub async fn insert_all<M: Model>(&self, changesets: impl IntoIterator<Item = Changeset<M>>) -> Result<Vec<M>> {
        self.require_here(M::DEF)?;
        let mut batches: Vec<Batch> = Vec::new();
        let capabilities = self.dialect().capabilities();
        for changeset in changesets {
            if changeset.base.is_some() {
                let message = "`insert` takes new rows (`build()`); an existing row's changes are saved with `update`";
                return Err(Error::invalid_query(M::DEF.name, message));
            }
            changeset.check()?;
            let row = changeset.into_values();
            match batches.last_mut() {
                Some(batch) if batch.takes(&row) => batch.push(row),
                _ => batches.push(Batch::new::<M>(row, capabilities)),
            }
        }
        if batches.is_empty() {
            return Ok(Vec::new());
        }
        let mut session = self.session(Access::Write).await?;
        if batches.len() == 1 && capabilities.insert_returning {
            // A single statement is all or nothing by itself.
            return insert_batches(&mut session, batches).await;
        }
        session.begin(TransactionMode::Write).await?;
        let result = insert_batches(&mut session, batches).await;
        session.finish(result).await
    }

    /// Writes the columns of a changeset that differ from its row, and returns the row as it is then. Associations
    /// that were loaded stay, except those that go by what changed. 1 statement; none if nothing differs.
    ///
    /// # Errors
    /// [`ErrorKind::ReadOnly`] if the row was loaded for reading only (before any SQL); [`ErrorKind::NotFound`] if it is no
    /// longer there; a constraint violation; a failing database.
    pub async fn update<M: Model>(&self, changeset: Changeset<M>) -> Result<M> {
        self.require_here(M::DEF)?;
        M::DEF.require_primary_key("`update`")?;
        changeset.check()?;
        let changes = changeset.changes();
        let Some(base) = &changeset.base else { return changeset.into_base() };
        if changes.is_empty() {
            return changeset.into_base();
        }
        let key = key_of(base)?;
        let statement = sql::update_by_key(self.dialect(), M::DEF, &changes, key.values());
        let executed = self.session(Access::Write).await?.execute(&statement).await?;
        if executed.affected == 0 {
            return Err(ErrorKind::NotFound { model: M::DEF.name, key: key.to_string() }.into());
        }
        changeset.apply()
    }

    /// Deletes a row and says whether it was there. 1 statement.
    ///
    /// # Errors
    /// When the model has no primary key; [`ErrorKind::ReadOnly`] if the row was loaded for reading only (before any SQL);
    /// when a constraint forbids it, or the database fails.
    pub async fn delete<M: Model>(&self, row: &M) -> Result<bool> {
        self.require_here(M::DEF)?;
        M::DEF.require_primary_key("`delete`")?;
        refuse_read_only(row)?;
        let keys = match key_of(row)?.values() {
            [Value::Int(key)] => KeySet::Ints([*key].into()),
            _ => KeySet::Tuples([key_of(row)?].into()),
        };
        let statement = sql::delete_by_keys(self.dialect(), M::DEF, &keys);
        Ok(self.session(Access::Write).await?.execute(&statement).await?.affected > 0)
    }

    /// Runs SQL of one's own that returns no rows. Each `?` takes a bind. 1 statement.
    ///
    /// # Errors
    /// When the number of `?` is not that of the binds, or the database fails.
    pub async fn execute_raw(&self, sql: &str, binds: impl IntoIterator<Item = Value<'static>>) -> Result<Executed> {
        let statement = self.raw_statement(sql, binds)?;
        self.session(Access::Write).await?.execute(&statement).await
    }

    /// Makes a model's table and the indexes of its foreign keys, for tests, examples and prototypes; a production
    /// schema belongs to a migration tool. 1 statement, and one an index.
    ///
    /// # Errors
    /// When the table exists or the database refuses.
    pub async fn create_table<M: Model>(&self) -> Result<()> {
        self.require_here(M::DEF)?;
        let mut session = self.session(Access::Write).await?;
        for statement in schema::create_table(M::DEF, self.dialect()) {
            session.execute(&statement).await?;
        }
        Ok(())
    }

    /// Removes a model's table, if it exists. 1 statement.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn drop_table<M: Model>(&self) -> Result<()> {
        self.require_here(M::DEF)?;
        let statement = schema::drop_table(M::DEF, self.dialect());
        self.session(Access::Write).await?.execute(&statement).await?;
        Ok(())
    }
}

/// Rows that set the same columns, on their way into one statement.
struct Batch {
    columns: Vec<usize>,
    rows: usize,
    // How many rows the statement may have.
    most: usize,
    // The values, row by row.
    binds: Vec<Bind>,
}

impl Batch {
    /// A batch that begins with this row: one entry a column, `None` where nothing is set.
    fn new<M: Model>(row: Vec<Option<Value<'static>>>, capabilities: &Capabilities) -> Self {
        let columns: Vec<usize> = set_columns(&row).collect();
        let alone = columns.is_empty()
            || (!capabilities.insert_returning && !M::PRIMARY_KEY.iter().all(|key| columns.contains(key)));
        let most = capabilities.insert_rows.min(capabilities.max_binds / columns.len().max(1)).max(1);
        let most = if alone { 1 } else { most };
        let mut batch = Batch { columns, rows: 0, most, binds: Vec::new() };
        batch.push(row);
        batch
    }

    fn takes(&self, row: &[Option<Value<'static>>]) -> bool {
        self.rows < self.most && set_columns(row).eq(self.columns.iter().copied())
    }

    fn push(&mut self, row: Vec<Option<Value<'static>>>) {
        if self.rows == 1 {
            // There are several: most likely as many as fit.
            self.binds.reserve_exact(self.columns.len() * (self.most - 1).min(MOST_RESERVED));
        }
        self.rows += 1;
        self.binds.extend(row.into_iter().flatten().map(Bind::Value));
    }
}

// A database may take 1,000 rows a statement, and get two.
const MOST_RESERVED: usize = 64;

fn set_columns(row: &[Option<Value<'static>>]) -> impl Iterator<Item = usize> {
    row.iter().enumerate().filter(|(_, value)| value.is_some()).map(|(at, _)| at)
}

fn key_of<M: Model>(row: &M) -> Result<KeyTuple> {
    M::DEF.key_of(row).ok_or_else(|| Error::invalid_query(M::DEF.name, "the row's primary key is NULL"))
}

async fn insert_batches<M: Model>(session: &mut Session<'_>, batches: Vec<Batch>) -> Result<Vec<M>> {
    let mut rows: Vec<M> = Vec::with_capacity(batches.iter().map(|batch| batch.rows).sum());
    let returning = session.dialect().capabilities().insert_returning;
    // Full batches of the same columns have the same text: the last one's serves the next.
    let mut last: Option<(Vec<usize>, usize, Arc<str>)> = None;
    for Batch { columns, rows: count, binds, .. } in batches {
        let expected = rows.len() + count;
        let text = match last.take() {
            Some((same, rows, text)) if same == columns && rows == count => text,
            _ => sql::insert_text(session.dialect(), M::DEF, &columns, count, returning),
        };
        let statement = Statement::new(Arc::clone(&text), binds);
        if returning {
            session.query(&statement, &mut rows).await?;
        } else {
            let executed = session.execute(&statement).await?;
            read_back(session, &columns, statement.binds(), executed, &mut rows).await?;
        }
        last = Some((columns, count, text));
        if rows.len() != expected {
            let message = format!("{} rows were inserted and {} came back", count, rows.len() + count - expected);
            return Err(Error::invalid_query(M::DEF.name, message));
        }
    }
    Ok(rows)
}

// Reads inserted rows by their keys: those that were set, or the one that the database made for a single row.
async fn read_back<M: Model>(
    session: &mut Session<'_>,
    columns: &[usize],
    binds: &[Bind],
    executed: Executed,
    rows: &mut Vec<M>,
) -> Result<()> {
    M::DEF.require_primary_key("inserting on a database that does not return inserted rows")?;
    let column_of = |key: &usize| columns.iter().position(|column| column == key);
    let places: Option<Vec<usize>> = M::PRIMARY_KEY.iter().map(column_of).collect();
    let Some(places) = places else {
        let id = executed.last_insert_id.ok_or_else(|| {
            Error::invalid_query(M::DEF.name, "the database made no key for the inserted row: set the primary key")
        })?;
        let filter = Expr::All(M::DEF.primary_key_names().map(|name| Expr::equals(name, Value::Int(id))).collect());
        let select = SelectSpec { filter, ..SelectSpec::new(M::DEF) };
        return session.query(&select.statement(session.dialect())?, rows).await;
    };
    let value = |bind: &Bind| if let Bind::Value(value) = bind { value.clone() } else { Value::Null };
    let keys: Vec<Option<KeyTuple>> = binds
        .chunks(columns.len().max(1))
        .map(|row| KeyTuple::new(places.iter().map(|place| value(&row[*place]))))
        .collect();
    let set = KeySet::distinct([&RowKeys::Tuples(keys.clone())]);
    let select = KeyedSelect::new(M::DEF, M::PRIMARY_KEY);
    let mut found: Vec<M> = Vec::new();
    for chunk in set.chunks(session.dialect().keys_per_condition(set.width())) {
        // By value on purpose: these keys were just written, so they come back as they are.
        session.query(&select.statement_by_value(session.dialect(), &chunk)?, &mut found).await?;
    }
    for key in keys.into_iter().flatten() {
        let at = found.iter().position(|row| M::DEF.key_of(row).as_ref() == Some(&key));
        rows.push(found.swap_remove(at.ok_or_else(|| {
            Error::invalid_query(M::DEF.name, format!("the inserted row with key {key} cannot be read back"))
        })?));
    }
    Ok(())
}
