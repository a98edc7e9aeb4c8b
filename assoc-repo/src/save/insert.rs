//! Inserting rows: in few statements, all or none, and returned in the order in which they were given.

use assoc_core::change::RowChange;
use assoc_core::driver::{Access, Bind, Lack, StatementRole, TransactionMode};
use assoc_core::execution::rows::Rows;
use assoc_core::execution::{KeyTuple, RowKeys};
use assoc_core::metadata::ModelDef;
use assoc_core::save::{self, CountedKeys, InsertBatch, InsertPlan};
use assoc_core::{Error, ErrorKind, Result, Value, sql};

use super::{graph, read_by_keys};
use crate::callbacks::Firing;
use crate::repo::Repo;
use crate::row_guard::RowGuard;
use crate::session::Session;
use crate::touched_rows::Written;

/// Inserts rows of a model and returns them in the given order, as the database has them.
pub(crate) async fn insert(
    repo: &Repo,
    model: &'static ModelDef,
    mut changes: Vec<RowChange>,
    firing: Firing,
) -> Result<Box<dyn Rows>> {
    if changes.iter().any(RowChange::wants) {
        Box::pin(super::find_wanted(repo, &mut changes)).await?;
    }
    if changes.iter().any(|change| firing.validates(change)) {
        return Ok(graph::save_validated(repo, model, changes, |changes| check(model, changes)).await?.rows);
    }
    check(model, &changes)?;
    if firing.concerns(model) || model.has_followed_parents() || changes.iter().any(RowChange::has_members) {
        return Ok(graph::save(repo, model, changes, firing).await?.rows);
    }
    let now = repo.now();
    changes.iter_mut().for_each(|change| change.fill(now));
    let guard = RowGuard::of(repo, model)?;
    if let Some(guard) = &guard {
        guard.check_new(&changes)?;
    }
    let dialect = repo.dialect();
    let capabilities = dialect.capabilities();
    let mut plan = InsertPlan::new(model, dialect).expecting(changes.len());
    // One statement is all or nothing by itself, as long as what it returns can be read.
    let may_be_alone = changes.len() == 1 && capabilities.insert_returning && !capabilities.cheap_transactions;
    let mut readable = false;
    for change in changes {
        let (_, mut row) = change.into_parts();
        readable = may_be_alone && save::is_surely_readable(model, dialect, &row);
        plan.push(&mut row);
    }
    let Some(first) = plan.batches.first() else { return Ok(model.rows.new_rows()) };
    // That the columns fit the table's is shown by the first such row, which is inserted in a transaction.
    let kind = (readable && guard.is_none()).then(|| (model.type_id(), first.columns.clone()));
    let mut session = repo.session(Access::Write).await?;
    if kind.as_ref().is_some_and(|kind| repo.has_inserted(kind)) {
        return run(&mut session, &mut plan).await?.ok_or_else(|| unproven(model));
    }
    session.begin(TransactionMode::Write).await?;
    let result = run(&mut session, &mut plan).await;
    match guarded(&mut session, guard.as_ref(), result).await {
        Ok(Some(rows)) => {
            let rows = session.finish(Ok(rows)).await?;
            if let Some(kind) = kind {
                repo.note_inserted(kind);
            }
            return Ok(rows);
        }
        Ok(None) => {}
        Err(error) => return session.finish(Err(error)).await,
    }
    // The database has changed rows so that several of one statement cannot be distinguished. They are undone and
    // inserted one by one, at the cost of one statement per row.
    let _ = session.finish::<()>(Err(unproven(model))).await;
    let mut plan = plan.one_by_one();
    session.begin(TransactionMode::Write).await?;
    let result = run(&mut session, &mut plan).await;
    let result = guarded(&mut session, guard.as_ref(), result).await;
    let result = result.and_then(|rows| rows.ok_or_else(|| unproven(model)));
    session.finish(result).await
}

// What was inserted, unless a filtered repo must not write it.
async fn guarded(
    session: &mut Session<'_>,
    guard: Option<&RowGuard<'_>>,
    result: Result<Option<Box<dyn Rows>>>,
) -> Result<Option<Box<dyn Rows>>> {
    if let (Some(guard), Ok(Some(rows))) = (guard, &result) {
        guard.check_written(session, &**rows, None).await?;
    }
    result
}

// Everything that is wrong with any of the rows; with several, each problem says which row has it.
pub(super) fn check(model: &'static ModelDef, changes: &[RowChange]) -> Result<()> {
    if changes.iter().any(|change| change.base().is_some()) {
        let message = "`insert` takes new rows (`build()`); an existing row's changes are saved with `update`";
        return Err(Error::invalid_query(model.name, message));
    }
    let mut errors = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let own = change.problems();
        if changes.len() == 1 {
            errors = own;
        } else {
            errors.extend(own.into_iter().map(|error| error.within(&format!("[{at}]"))));
        }
    }
    if !errors.is_empty() {
        return Err(ErrorKind::Invalid { model: model.name, errors }.into());
    }
    changes.iter().find_map(RowChange::stale).map_or(Ok(()), Err)
}

#[cold]
pub(super) fn unproven(model: &ModelDef) -> Error {
    Error::invalid_query(model.name, "the database accepted the row but gave back another number of rows")
}

/// Runs the statements. `None` if it cannot be proven which returned row is whose; the rows are inserted then, and the plan
/// still has all values. Otherwise values may have been moved into the rows.
pub(super) async fn run(session: &mut Session<'_>, plan: &mut InsertPlan) -> Result<Option<Box<dyn Rows>>> {
    let model = plan.model();
    session.note_written(model, Written::Inserted);
    let dialect = session.dialect();
    let returning = dialect.capabilities().insert_returning;
    let mut rows = model.rows.new_rows();
    rows.reserve(plan.rows());
    // Which of the given rows each row is.
    let mut inputs: Vec<u32> = Vec::with_capacity(plan.rows());
    let mut counted: Option<CountedKeys> = None;
    let mut written = WrittenKeys::default();
    let count = plan.batches.len();
    for at in 0..count {
        let batch = &plan.batches[at];
        let unread = counted.take().filter(|counted| returning && counted.cover(&batch.columns, &batch.binds));
        let text = plan.text(at, dialect, unread.is_none());
        let batch = &mut plan.batches[at];
        if let Some(mut keys) = unread {
            let statement = sql::insert_statement(text, std::mem::take(&mut batch.binds)).in_role(batch.role);
            let executed = session.execute(&statement).await?;
            batch.binds = statement.into_binds();
            let last = executed.last_of_several.or(executed.last_insert_id);
            if !keys.take(&mut batch.binds, executed.affected, last, &mut *rows)? {
                plan.restore(&*rows);
                return Ok(None);
            }
            inputs.extend(&batch.inputs);
            counted = Some(keys);
            continue;
        }
        let statement = sql::insert_statement(text, std::mem::take(&mut batch.binds)).in_role(batch.role);
        if !returning {
            let executed = session.execute(&statement).await?;
            let keys = keys_of(model, batch, statement.binds(), executed.last_insert_id)?;
            batch.binds = statement.into_binds();
            inputs.extend(&batch.inputs);
            // Other keys may come back in another form, by which rows of several statements are not told apart.
            if !are_integers(&keys) {
                written.read(session, model, &mut *rows).await?;
                written.keys.extend(keys);
                written.read(session, model, &mut *rows).await?;
            } else {
                written.keys.extend(keys);
            }
            continue;
        }
        let first = rows.len();
        session.query(&statement, &mut *rows).await?;
        // Needed again if the rows have to be inserted one by one.
        batch.binds = statement.into_binds();
        let goes_on = at + 1 < count;
        let (given, returned) = (batch.inputs.len(), rows.len() - first);
        if returned != given {
            let message = format!("{given} rows were inserted and {returned} came back");
            return Err(Error::invalid_query(model.name, message));
        }
        let order = save::inputs_of(model, dialect, &batch.columns, &batch.binds, &*rows, first);
        let Some(order) = order else {
            plan.restore(&*rows);
            return Ok(None);
        };
        // Rows that are inserted one by one are so because keys cannot be counted.
        if goes_on && batch.inputs.len() > 1 {
            counted = CountedKeys::shown_by(model, dialect, &batch.columns, &batch.binds, &*rows, first);
        }
        inputs.extend(order.into_iter().map(|input| batch.inputs[input as usize]));
    }
    written.read(session, model, &mut *rows).await?;
    if model.read_back && returning {
        rows = read_by_keys(session, model, rows.keys(model.primary_key, 0), StatementRole::Requested).await?;
    }
    let mut order = vec![0; inputs.len()];
    for (at, input) in inputs.into_iter().enumerate() {
        order[input as usize] = at as u32;
    }
    rows.reorder(&order);
    Ok(Some(rows))
}

/// The keys of rows that were written without RETURNING and not read back yet. Rows of several statements are read by one.
#[derive(Default)]
struct WrittenKeys {
    keys: Vec<Option<KeyTuple>>,
    was_read: bool,
}

impl WrittenKeys {
    async fn read(&mut self, session: &mut Session<'_>, model: &'static ModelDef, rows: &mut dyn Rows) -> Result<()> {
        if self.keys.is_empty() {
            return Ok(());
        }
        // A model that wants its rows read is read once elsewhere too.
        let role = match std::mem::replace(&mut self.was_read, true) {
            false if model.read_back => StatementRole::Requested,
            _ => StatementRole::StandIn(Lack::InsertReturning),
        };
        let back = read_by_keys(session, model, RowKeys::Tuples(std::mem::take(&mut self.keys)), role).await?;
        for row in 0..back.len() {
            rows.push_from(&*back, row);
        }
        Ok(())
    }
}

fn are_integers(keys: &[Option<KeyTuple>]) -> bool {
    let is_integer = |value: &Value<'_>| matches!(value, Value::Int(_) | Value::UInt(_));
    keys.iter().flatten().all(|key| key.values().iter().all(is_integer))
}

// The keys of rows that an INSERT without RETURNING has written: what was set, and the one number that the database made.
fn keys_of(
    model: &'static ModelDef,
    batch: &InsertBatch,
    binds: &[Bind],
    made: Option<i64>,
) -> Result<Vec<Option<KeyTuple>>> {
    model.require_primary_key("inserting on a database that does not return inserted rows")?;
    let places: Vec<Option<usize>> =
        model.primary_key.iter().map(|key| batch.columns.iter().position(|column| column == key)).collect();
    if places.iter().filter(|place| place.is_none()).count() > usize::from(made.is_some()) {
        let message = "the database made no key for the inserted row: set the primary key";
        return Err(Error::invalid_query(model.name, message));
    }
    let value = |row: &[Bind], place: &Option<usize>| match place.map(|place| &row[place]) {
        Some(Bind::Value(value)) => value.clone(),
        Some(_) => Value::Null,
        None => made.map_or(Value::Null, Value::Int),
    };
    if batch.columns.is_empty() {
        return Ok(vec![KeyTuple::new(places.iter().map(|place| value(&[], place)))]);
    }
    let rows = binds.chunks(batch.columns.len());
    Ok(rows.map(|row| KeyTuple::new(places.iter().map(|place| value(row, place)))).collect())
}
