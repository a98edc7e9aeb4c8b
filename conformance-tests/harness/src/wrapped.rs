//! A driver around another driver, for tests that see, change or fail what goes through it.

use std::sync::Arc;

use assoc_core::Result;
use assoc_core::driver::{
    Access, BoxFuture, Connection, Dialect, Driver, ExecResult, IndependentQuery, IsolationLevel, PoolStatus, RowSink,
    Statement, StatementWatch, TransactionMode,
};

/// What a [`Wrapped`] driver does with the calls of its connections. By default each call is passed on as it is.
pub trait Interceptor: Send + Sync + 'static {
    /// The dialect that the wrapped driver has.
    fn dialect<'d>(&'d self, inner: &'d dyn Dialect) -> &'d dyn Dialect {
        inner
    }

    /// Sees a statement before it runs. It does not run if this is an error.
    ///
    /// # Errors
    /// What the statement fails with.
    fn admit(&self, statement: &Statement) -> Result<()> {
        let _ = statement;
        Ok(())
    }

    /// Runs a statement that returns rows.
    fn query<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
        sink: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<()>> {
        match self.admit(statement) {
            Ok(()) => inner.query(statement, sink),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    /// Runs statements that do not depend on one another. By default, one after the other through [`query`](Self::query):
    /// [`admitted_together`](Self::admitted_together) passes them on as they are.
    fn query_together<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        queries: Vec<IndependentQuery<'a>>,
        watch: &'a mut dyn StatementWatch,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for (at, IndependentQuery { statement, sink }) in queries.into_iter().enumerate() {
                watch.begins(at)?;
                let result = self.query(&mut *inner, statement, sink).await;
                watch.ended(at, &result);
                result?;
            }
            Ok(())
        })
    }

    /// Passes on statements that do not depend on one another, up to the first that is not [admitted](Self::admit).
    fn admitted_together<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        queries: Vec<IndependentQuery<'a>>,
        watch: &'a mut dyn StatementWatch,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let statements = queries.iter().map(|query| query.statement).collect();
            let mut watch = Admitting { admit: &|statement: &Statement| self.admit(statement), statements, watch };
            // The sinks, for as long as the watch lives.
            let queries = queries.into_iter().map(|query| IndependentQuery::new(query.statement, query.sink)).collect();
            inner.query_together(queries, &mut watch).await
        })
    }

    /// Runs a statement that returns no rows.
    fn execute<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
    ) -> BoxFuture<'a, Result<ExecResult>> {
        match self.admit(statement) {
            Ok(()) => inner.execute(statement),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    /// Begins or ends a transaction, or a savepoint in it.
    fn control<'a>(&'a self, inner: &'a mut dyn Connection, call: Control) -> BoxFuture<'a, Result<()>> {
        call.run(inner)
    }

    /// Hands out a connection, or waits for it.
    fn acquire<'a>(&'a self, inner: &'a dyn Driver, access: Access) -> BoxFuture<'a, Result<Box<dyn Connection>>> {
        match inner.acquire_now(access) {
            Some(connection) => Box::pin(std::future::ready(Ok(connection))),
            None => inner.acquire(access),
        }
    }

    /// A connection is handed out.
    fn acquired<'a>(&'a self, inner: &'a mut dyn Connection) -> BoxFuture<'a, Result<()>> {
        let _ = inner;
        Box::pin(async { Ok(()) })
    }

    /// How the pool is doing.
    fn pool_status(&self, inner: Option<PoolStatus>) -> Option<PoolStatus> {
        inner
    }

    /// The connection is dropped.
    fn dropped(&self, inner: Box<dyn Connection>) {
        drop(inner);
    }
}

/// A watch that also asks whether a statement is admitted.
struct Admitting<'w> {
    admit: &'w (dyn Fn(&Statement) -> Result<()> + Sync),
    statements: Vec<&'w Statement>,
    watch: &'w mut dyn StatementWatch,
}

impl StatementWatch for Admitting<'_> {
    fn begins(&mut self, at: usize) -> Result<()> {
        self.watch.begins(at)?;
        let admitted = self.statements.get(at).map_or(Ok(()), |statement| (self.admit)(statement));
        if admitted.is_err() {
            // Outside of the wrapper it was sent, and failed.
            self.watch.ended(at, &admitted);
        }
        admitted
    }

    fn ended(&mut self, at: usize, result: &Result<()>) {
        self.watch.ended(at, result);
    }
}

/// The calls of a connection that begin or end a transaction, or a savepoint in it.
#[derive(Debug, Clone, Copy)]
pub enum Control {
    /// BEGIN, perhaps with an isolation level.
    Begin(TransactionMode, Option<IsolationLevel>),
    /// COMMIT.
    Commit,
    /// ROLLBACK.
    Rollback,
    /// SAVEPOINT, at this depth.
    Savepoint(u32),
    /// RELEASE SAVEPOINT.
    ReleaseSavepoint(u32),
    /// ROLLBACK TO SAVEPOINT.
    RollbackToSavepoint(u32),
}

impl Control {
    /// Makes the call.
    pub fn run(self, connection: &mut dyn Connection) -> BoxFuture<'_, Result<()>> {
        match self {
            Control::Begin(mode, None) => connection.begin(mode),
            Control::Begin(mode, Some(level)) => connection.begin_isolated(mode, level),
            Control::Commit => connection.commit(),
            Control::Rollback => connection.rollback(),
            Control::Savepoint(depth) => connection.savepoint(depth),
            Control::ReleaseSavepoint(depth) => connection.release_savepoint(depth),
            Control::RollbackToSavepoint(depth) => connection.rollback_to_savepoint(depth),
        }
    }
}

/// A driver whose calls go through an [`Interceptor`].
pub struct Wrapped<I> {
    inner: Arc<dyn Driver>,
    interceptor: Arc<I>,
}

impl<I: Interceptor> Wrapped<I> {
    /// Wraps a driver.
    #[must_use]
    pub fn new(inner: Arc<dyn Driver>, interceptor: I) -> Self {
        Wrapped { inner, interceptor: Arc::new(interceptor) }
    }
}

impl<I: Interceptor> Driver for Wrapped<I> {
    fn dialect(&self) -> &dyn Dialect {
        self.interceptor.dialect(self.inner.dialect())
    }

    fn acquire(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let mut inner = self.interceptor.acquire(&*self.inner, access).await?;
            self.interceptor.acquired(&mut *inner).await?;
            let inner = Some(inner);
            let interceptor = Arc::clone(&self.interceptor);
            Ok(Box::new(WrappedConnection { inner, interceptor }) as Box<dyn Connection>)
        })
    }

    fn pool_status(&self) -> Option<PoolStatus> {
        self.interceptor.pool_status(self.inner.pool_status())
    }
}

struct WrappedConnection<I: Interceptor> {
    // Until it is dropped.
    inner: Option<Box<dyn Connection>>,
    interceptor: Arc<I>,
}

impl<I: Interceptor> WrappedConnection<I> {
    fn parts(&mut self) -> (&mut dyn Connection, &I) {
        #[allow(clippy::expect_used)] // Only `drop` takes it.
        let inner = self.inner.as_mut().expect("a connection that is in use");
        (&mut **inner, &self.interceptor)
    }

    fn control(&mut self, call: Control) -> BoxFuture<'_, Result<()>> {
        let (inner, interceptor) = self.parts();
        interceptor.control(inner, call)
    }
}

impl<I: Interceptor> Drop for WrappedConnection<I> {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            self.interceptor.dropped(inner);
        }
    }
}

impl<I: Interceptor> Connection for WrappedConnection<I> {
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>> {
        let (inner, interceptor) = self.parts();
        interceptor.query(inner, statement, sink)
    }

    fn query_together<'a>(
        &'a mut self,
        queries: Vec<IndependentQuery<'a>>,
        watch: &'a mut dyn StatementWatch,
    ) -> BoxFuture<'a, Result<()>> {
        let (inner, interceptor) = self.parts();
        interceptor.query_together(inner, queries, watch)
    }

    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
        let (inner, interceptor) = self.parts();
        interceptor.execute(inner, statement)
    }

    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Begin(mode, None))
    }

    fn begin_isolated(&mut self, mode: TransactionMode, level: IsolationLevel) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Begin(mode, Some(level)))
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Commit)
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Rollback)
    }

    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Savepoint(depth))
    }

    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.control(Control::ReleaseSavepoint(depth))
    }

    fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.control(Control::RollbackToSavepoint(depth))
    }
}
