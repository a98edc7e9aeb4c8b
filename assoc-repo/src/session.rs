//! A connection for the length of one request: one of the pool's, or the transaction's.
//!
//! Everything a request runs goes through here, so this is where statements are logged and counted.

use std::collections::HashMap;
use std::sync::Arc;

use assoc_core::counters::ParentGroup;
use assoc_core::driver::{
    Access, Connection, Dialect, ExecResult, IndependentQuery, KeySet, RowSink, Statement, StatementRole,
    StatementWatch, TransactionMode,
};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::planner::PlanContext;
use assoc_core::select::KeyedSelect;
use assoc_core::value::DateTime;
use assoc_core::{Error, ErrorKind, Result, Value, sql};
use tokio::sync::MutexGuard;

use crate::destroy::stored;
use crate::levels::{Level, LevelHandle, OpenTransaction};
use crate::log::{Timer, too_many};
use crate::repo::Repo;
use crate::touched_rows::Written;

pub(crate) struct Session<'r> {
    repo: &'r Repo,
    source: Source<'r>,
    budget: Option<Budget>,
    // Whether the request reads from one state of the database, where a snapshot is free.
    in_snapshot: bool,
    // Why keyed look-ups are sent.
    role_of_lookups: StatementRole,
    // Whether a statement was sent.
    has_read: bool,
    // Sessions of other databases, begun when the first statement needed them.
    others: Vec<(&'r Repo, Session<'r>)>,
}

// How many statements a request may run, and how many it has run.
struct Budget {
    limit: usize,
    used: usize,
}

impl Budget {
    fn spend(budget: &mut Option<Budget>, statement: &Statement) -> Result<()> {
        if let Some(budget) = budget {
            if budget.used == budget.limit {
                // A request that has a plan shows that instead.
                return Err(too_many(budget.limit, statement));
            }
            budget.used += 1;
        }
        Ok(())
    }
}

enum Source<'r> {
    Own { connection: Box<dyn Connection>, access: Access, in_transaction: bool },
    // With the savepoint this request has open.
    Transaction { handle: &'r LevelHandle, transaction: MutexGuard<'r, OpenTransaction>, open: Option<Arc<Level>> },
    // There is none at the moment: a function of the program runs, which may need it.
    Away,
}

impl Source<'_> {
    async fn connection(&mut self) -> Result<&mut Box<dyn Connection>> {
        match self {
            Source::Own { connection, .. } => Ok(connection),
            Source::Transaction { handle, transaction, open } => {
                transaction.connection(open.as_ref().unwrap_or(handle.level())).await
            }
            Source::Away => Err(away()),
        }
    }
}

impl<'r> Session<'r> {
    pub(crate) fn own(repo: &'r Repo, connection: Box<dyn Connection>, access: Access) -> Self {
        Session::new(repo, Source::Own { connection, access, in_transaction: false })
    }

    pub(crate) async fn in_transaction(repo: &'r Repo, handle: &'r LevelHandle) -> Self {
        Session::new(repo, Source::Transaction { handle, transaction: handle.lock().await, open: None })
    }

    fn new(repo: &'r Repo, source: Source<'r>) -> Self {
        Session {
            repo,
            source,
            budget: None,
            in_snapshot: false,
            role_of_lookups: StatementRole::Requested,
            has_read: false,
            others: Vec::new(),
        }
    }

    pub(crate) fn dialect(&self) -> &'r dyn Dialect {
        self.repo.dialect()
    }

    /// What planning has to know of the repo.
    pub(crate) fn plan_context(&self) -> PlanContext<'r> {
        self.repo.context()
    }

    /// The dialect of the database that has a model's rows.
    pub(crate) fn dialect_of(&self, model: &'static ModelDef) -> &'r dyn Dialect {
        self.repo.repo_for(model).dialect()
    }

    /// Limits the statements of this request.
    pub(crate) fn limit_statements(&mut self, limit: Option<usize>) {
        self.budget = limit.map(|limit| Budget { limit, used: 0 });
    }

    fn spend(&mut self, statement: &Statement) -> Result<()> {
        Budget::spend(&mut self.budget, statement)
    }

    async fn connection(&mut self, statement: &Statement) -> Result<&mut Box<dyn Connection>> {
        self.spend(statement)?;
        self.source.connection().await
    }

    fn note<T>(&mut self, result: &Result<T>) {
        if let Source::Transaction { transaction, .. } = &mut self.source {
            transaction.note(result);
        }
    }

    /// Leaves out times that this transaction has moved before.
    pub(crate) fn skip_touched(&self, group: &mut ParentGroup) {
        if let Source::Transaction { transaction, .. } = &self.source {
            transaction.touched().skip(group);
        }
    }

    /// Notes rows whose times this transaction has moved now.
    pub(crate) fn note_touched(&mut self, group: &ParentGroup, keys: &KeySet, now: DateTime) {
        if let Source::Transaction { transaction, .. } = &mut self.source {
            transaction.note_touched(group, keys, now);
        }
    }

    /// Notes that rows of a model are written in another way than by a touch.
    pub(crate) fn note_written(&mut self, model: &ModelDef, written: Written) {
        if let Source::Transaction { transaction, .. } = &mut self.source {
            transaction.touched_mut().forget(model, written);
        }
    }

    /// Notes that a statement of the program may have written anything.
    pub(crate) fn note_raw(&mut self) {
        if let Source::Transaction { transaction, .. } = &mut self.source {
            transaction.touched_mut().forget_all();
        }
    }

    pub(crate) async fn query(&mut self, statement: &Statement, sink: &mut dyn RowSink) -> Result<()> {
        let standing_in;
        let statement = match self.repo.lacks {
            Some(lack) if self.has_read => {
                standing_in = statement.clone().in_role(StatementRole::StandIn(lack));
                &standing_in
            }
            _ => statement,
        };
        self.has_read = true;
        let connection = self.connection(statement).await?;
        let timer = Timer::start(statement)?;
        let result = connection.query(statement, sink).await;
        timer.finish(statement, &result);
        self.note(&result);
        result
    }

    /// Runs statements that do not depend on one another, at once where the driver can. They are counted and logged in
    /// their order, and those after a failed one may have run or not.
    pub(crate) async fn query_together(&mut self, queries: Vec<IndependentQuery<'_>>) -> Result<()> {
        if queries.len() < 2 || self.repo.lacks.is_some() {
            for IndependentQuery { statement, sink } in queries {
                self.query(statement, sink).await?;
            }
            return Ok(());
        }
        self.has_read = true;
        let mut watch = Watched {
            budget: &mut self.budget,
            statements: queries.iter().map(|query| query.statement).collect(),
            timers: Vec::with_capacity(queries.len()),
        };
        let connection = self.source.connection().await?;
        // The sinks, for as long as the watch lives.
        let queries = queries.into_iter().map(|query| IndependentQuery::new(query.statement, query.sink)).collect();
        let result = connection.query_together(queries, &mut watch).await;
        self.note(&result);
        result
    }

    /// Whether a model's rows are in the database of this session.
    pub(crate) fn is_home_of(&self, model: &'static ModelDef) -> bool {
        self.repo.repo_for(model).is_at(self.repo)
    }

    /// Sends keyed look-ups in this role from now on.
    pub(crate) fn look_up_in_role(&mut self, role: StatementRole) {
        self.role_of_lookups = role;
    }

    /// Reads some columns of the rows that hold one of the keys in the columns `by`, and satisfy a condition. 1 statement for
    /// each chunk of keys.
    pub(crate) async fn query_keyed(
        &mut self,
        model: &ModelDef,
        columns: &[usize],
        by: &[usize],
        keys: &KeySet,
        filter: &Expr,
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        let statement =
            |dialect: &dyn Dialect, chunk: &KeySet| sql::select_by(dialect, model, columns, by, chunk, filter);
        self.query_chunks(keys, by.len(), &statement, sink).await
    }

    /// As [`query_keyed`](Self::query_keyed), and locks the rows until the transaction ends, where the database locks rows.
    pub(crate) async fn query_locked(
        &mut self,
        model: &ModelDef,
        columns: &[usize],
        by: &[usize],
        keys: &KeySet,
        filter: &Expr,
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        let statement =
            |dialect: &dyn Dialect, chunk: &KeySet| sql::select_locked(dialect, model, columns, by, chunk, filter);
        self.query_chunks(keys, by.len(), &statement, sink).await
    }

    /// As [`query_keyed`](Self::query_keyed), and gives each row with the key that the database has found it by: it may call
    /// keys equal that are written otherwise.
    pub(crate) async fn query_matched(
        &mut self,
        model: &ModelDef,
        columns: &[usize],
        by: &[usize],
        keys: &KeySet,
        filter: &Expr,
        sink: &mut (dyn FnMut(KeyTuple, &mut [Value<'_>]) -> Result<()> + Send),
    ) -> Result<()> {
        for (part, chunk) in keys.chunks(self.dialect().keys_per_statement(by.len())).iter().enumerate() {
            let statement = sql::select_matched(self.dialect(), model, columns, by, chunk, filter)?;
            let statement = statement.in_role(self.role_of_lookups).as_part(part);
            let tuples = chunk.tuples();
            let mut each = |values: &mut [Value<'_>]| {
                let (ordinal, values) = values.split_at_mut(values.len().min(1));
                let key = match ordinal {
                    [Value::Int(at)] => usize::try_from(*at).ok().and_then(|at| tuples.get(at)),
                    _ => None,
                };
                key.map_or(Ok(()), |key| sink(key.clone(), values))
            };
            self.query(&statement, &mut each).await?;
        }
        Ok(())
    }

    /// The keys that rows hold, by those of the given keys with which the database finds them.
    pub(crate) async fn stored_keys(
        &mut self,
        model: &'static ModelDef,
        columns: &[usize],
        keys: &KeySet,
        filter: &Expr,
    ) -> Result<HashMap<KeyTuple, KeyTuple>> {
        let mut found = HashMap::new();
        let mut sink = |key: KeyTuple, values: &mut [Value<'_>]| {
            found.insert(key, KeyTuple::of_row(stored(model, columns, values)));
            Ok(())
        };
        self.query_matched(model, columns, columns, keys, filter, &mut sink).await?;
        Ok(found)
    }

    async fn query_chunks(
        &mut self,
        keys: &KeySet,
        width: usize,
        statement: &(dyn Fn(&dyn Dialect, &KeySet) -> Result<Statement> + Sync),
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        for (part, chunk) in keys.chunks(self.dialect().keys_per_condition(width)).iter().enumerate() {
            let statement = statement(self.dialect(), chunk)?.in_role(self.role_of_lookups).as_part(part);
            self.query(&statement, sink).await?;
        }
        Ok(())
    }

    /// Checks that the conditions of a look-up concern no other database.
    pub(crate) fn require_condition(&self, select: &KeyedSelect) -> Result<()> {
        self.repo.require_condition(select.model, &select.filter)
    }

    /// Runs a statement about rows of a model, in the database of the model.
    pub(crate) async fn query_at(
        &mut self,
        model: &'static ModelDef,
        statement: &Statement,
        sink: &mut dyn RowSink,
    ) -> Result<()> {
        let home = self.repo.repo_for(model);
        if home.is_at(self.repo) {
            return self.query(statement, sink).await;
        }
        // All statements of a request are counted together.
        self.spend(statement)?;
        let open = self.others.iter().position(|(known, _)| known.is_at(home));
        let at = match open {
            Some(at) => at,
            None => {
                let mut other = home.session(Access::Read).await?;
                other.limit_statements(None);
                if self.in_snapshot {
                    other.begin_snapshot().await?;
                }
                self.others.push((home, other));
                self.others.len() - 1
            }
        };
        self.others[at].1.query(statement, sink).await
    }

    /// Reads everything until [`Session::finish`] from one state of each database, where a snapshot is free.
    pub(crate) async fn begin_snapshot(&mut self) -> Result<()> {
        self.in_snapshot = true;
        if self.dialect().capabilities().free_snapshot {
            self.begin(TransactionMode::Read).await?;
        }
        Ok(())
    }

    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<ExecResult> {
        let connection = self.connection(statement).await?;
        let timer = Timer::start(statement)?;
        let result = connection.execute(statement).await;
        timer.finish(statement, &result);
        self.note(&result);
        result
    }

    /// Makes everything until [`Session::finish`] one transaction, or one savepoint inside an open transaction.
    pub(crate) async fn begin(&mut self, mode: TransactionMode) -> Result<()> {
        match &mut self.source {
            Source::Own { connection, in_transaction, .. } => {
                connection.begin(mode).await?;
                *in_transaction = true;
                Ok(())
            }
            Source::Transaction { handle, transaction, open } if mode == TransactionMode::Write => {
                *open = Some(transaction.nest(handle.level()).await?);
                Ok(())
            }
            // Reading inside a transaction sees its snapshot as it is.
            Source::Transaction { .. } => Ok(()),
            Source::Away => Err(away()),
        }
    }

    /// Runs a function of the program in the middle of a request that reads. The function may use the repo, or the
    /// transaction, of the request, so the request lets go of the connection meanwhile: a task that waits for a
    /// connection while it keeps another may wait for ever.
    pub(crate) async fn aside<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        // So are those of other databases.
        for (_, mut other) in std::mem::take(&mut self.others) {
            other.end(true).await?;
        }
        match std::mem::replace(&mut self.source, Source::Away) {
            Source::Own { mut connection, access, in_transaction } => {
                if in_transaction {
                    connection.commit().await?;
                }
                drop(connection);
                let result = work.await?;
                let mut connection = self.repo.acquire(access).await?;
                if in_transaction {
                    connection.begin(TransactionMode::Read).await?;
                }
                self.source = Source::Own { connection, access, in_transaction };
                Ok(result)
            }
            Source::Transaction { handle, transaction, open: None } => {
                drop(transaction);
                handle.let_go();
                let result = work.await?;
                self.source = Source::Transaction { handle, transaction: handle.lock().await, open: None };
                Ok(result)
            }
            // Inside a savepoint nothing else may run.
            source => {
                self.source = source;
                work.await
            }
        }
    }

    /// Ends what [`Session::begin`] started: commits on success, undoes on failure.
    pub(crate) async fn finish<T>(&mut self, result: Result<T>) -> Result<T> {
        let mut result = result;
        for (_, mut other) in std::mem::take(&mut self.others) {
            let ended = other.end(result.is_ok()).await;
            if let (true, Err(error)) = (result.is_ok(), ended) {
                result = Err(error);
            }
        }
        let ended = self.end(result.is_ok()).await;
        // The first failure is the one to report; a connection that cannot roll back is thrown away by its driver.
        match (result, ended) {
            (Ok(value), Ok(())) => Ok(value),
            (Ok(_), Err(error)) | (Err(error), _) => Err(error),
        }
    }

    async fn end(&mut self, keep: bool) -> Result<()> {
        self.in_snapshot = false;
        match &mut self.source {
            Source::Own { connection, in_transaction, .. } if *in_transaction => {
                *in_transaction = false;
                if keep { connection.commit().await } else { connection.rollback().await }
            }
            // It stays open, and so is abandoned with the session, until its end was answered.
            Source::Transaction { transaction, open, .. } => {
                if let Some(level) = open {
                    transaction.end(level, keep).await?;
                }
                *open = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

// Counts, times and logs statements that run together.
struct Watched<'s> {
    budget: &'s mut Option<Budget>,
    statements: Vec<&'s Statement>,
    // Of the statements that have begun.
    timers: Vec<Option<Timer>>,
}

impl StatementWatch for Watched<'_> {
    fn begins(&mut self, at: usize) -> Result<()> {
        let Some(statement) = self.statements.get(at) else { return Ok(()) };
        Budget::spend(self.budget, statement)?;
        self.timers.resize_with(at, || None);
        self.timers.push(Some(Timer::start(statement)?));
        Ok(())
    }

    fn ended(&mut self, at: usize, result: &Result<()>) {
        let timer = self.timers.get_mut(at).and_then(Option::take);
        if let (Some(statement), Some(timer)) = (self.statements.get(at), timer) {
            timer.finish(statement, result);
        }
    }
}

#[cold]
fn away() -> Error {
    ErrorKind::Transaction("the request that uses it was given up").into()
}

// A cancelled request is undone before the transaction continues.
impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Source::Transaction { handle, transaction, open } = std::mem::replace(&mut self.source, Source::Away) {
            if let Some(level) = open {
                level.abandon();
            }
            drop(transaction);
            handle.let_go();
        }
    }
}
