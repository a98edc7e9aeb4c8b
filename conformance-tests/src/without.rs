//! A backend that lacks capabilities another one has: its dialect says so, and its driver refuses the statements that would
//! need them.

use std::path::PathBuf;
use std::sync::Arc;

use assoc_core::dialect::{NullPlacement, PerOwnerLimit, Recursions, RowLocks, Upsert};
use assoc_core::driver::{BoxFuture, Capabilities, Dialect, Driver, Statement, StatementKind};
use assoc_core::{DriverError, DriverErrorKind, Result};

use crate::altered_dialect::AlteredDialect;
use conformance_harness::{Backend, Database};
use conformance_harness::{Interceptor, Wrapped};

/// What a database may have or lack. Each is a field of [`Capabilities`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// `INSERT … RETURNING`.
    InsertReturning,
    /// `UPDATE … RETURNING`.
    UpdateReturning,
    /// `DELETE … RETURNING`.
    DeleteReturning,
    /// Keys that ascend in the order of the rows of an insert.
    AscendingKeys,
    /// Inserts that store what was given.
    InsertsAsGiven,
    /// BEGIN and COMMIT that cost next to nothing.
    CheapTransactions,
    /// More than 999 binds in a statement.
    ManyBinds,
    /// More than one row in an insert.
    ManyRows,
    /// Identifiers of more than 30 bytes.
    LongIdentifiers,
    /// Snapshots that cost next to nothing.
    FreeSnapshot,
    /// Row values.
    RowValues,
    /// Long lists of row values that are planned well.
    LongRowLists,
    /// Rows of a look-up that come in the order of their keys at no cost.
    ReadsInKeyOrder,
    /// Look-ups by a range of keys.
    Ranges,
    /// Recursions whose levels one statement reads.
    RecursiveSelects,
    /// A limit per owner.
    PerOwnerLimit,
    /// Locks on rows that are only read.
    RowLocks,
    /// Inserts of rows that may be there already.
    Upsert,
    /// Window functions.
    WindowFunctions,
    /// `NULLS FIRST` and `NULLS LAST`.
    NullClause,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 20] = [
        Capability::InsertReturning,
        Capability::UpdateReturning,
        Capability::DeleteReturning,
        Capability::AscendingKeys,
        Capability::InsertsAsGiven,
        Capability::CheapTransactions,
        Capability::ManyBinds,
        Capability::ManyRows,
        Capability::LongIdentifiers,
        Capability::FreeSnapshot,
        Capability::RowValues,
        Capability::LongRowLists,
        Capability::ReadsInKeyOrder,
        Capability::Ranges,
        Capability::RecursiveSelects,
        Capability::PerOwnerLimit,
        Capability::RowLocks,
        Capability::Upsert,
        Capability::WindowFunctions,
        Capability::NullClause,
    ];

    /// Takes it away.
    pub fn switch_off(self, capabilities: &mut Capabilities) {
        match self {
            Capability::InsertReturning => capabilities.insert_returning = false,
            Capability::UpdateReturning => capabilities.update_returning = false,
            Capability::DeleteReturning => capabilities.delete_returning = false,
            Capability::AscendingKeys => capabilities.ascending_keys = false,
            Capability::InsertsAsGiven => capabilities.inserts_as_given = false,
            Capability::CheapTransactions => capabilities.cheap_transactions = false,
            Capability::ManyBinds => capabilities.max_binds = capabilities.max_binds.min(999),
            Capability::ManyRows => capabilities.insert_rows = 1,
            Capability::LongIdentifiers => capabilities.max_identifier = capabilities.max_identifier.min(30),
            Capability::FreeSnapshot => capabilities.free_snapshot = false,
            Capability::RowValues => capabilities.row_values = false,
            Capability::LongRowLists => capabilities.long_row_lists = false,
            Capability::ReadsInKeyOrder => capabilities.reads_in_key_order = false,
            Capability::Ranges => capabilities.key_ranges = None,
            Capability::RecursiveSelects => capabilities.recursions = Recursions::LevelByLevel,
            Capability::PerOwnerLimit => capabilities.per_owner_limit = PerOwnerLimit::Unsupported,
            Capability::RowLocks => capabilities.row_locks = RowLocks::Unsupported,
            Capability::Upsert => capabilities.upsert = Upsert::Unsupported,
            Capability::NullClause => capabilities.null_placement = NullPlacement::Condition,
            Capability::WindowFunctions => {
                capabilities.window_functions = false;
                // Both of these are written with them.
                if matches!(capabilities.per_owner_limit, PerOwnerLimit::Window | PerOwnerLimit::Lateral) {
                    capabilities.per_owner_limit = PerOwnerLimit::Unsupported;
                }
            }
        }
    }
}

/// A backend without some capabilities of another one, or with others.
pub struct Without<B> {
    inner: B,
    change: Change,
}

#[derive(Clone)]
enum Change {
    Lacking(Vec<Capability>),
    To(Capabilities),
}

impl<B: Backend> Without<B> {
    /// A backend that lacks these.
    #[must_use]
    pub fn new(inner: B, lacking: impl Into<Vec<Capability>>) -> Self {
        Without { inner, change: Change::Lacking(lacking.into()) }
    }

    /// A backend with other capabilities, which its database has.
    #[must_use]
    pub fn with(inner: B, capabilities: Capabilities) -> Self {
        Without { inner, change: Change::To(capabilities) }
    }
}

impl<B: Backend> Backend for Without<B> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn version(&self) -> String {
        match &self.change {
            Change::Lacking(lacking) => format!("{} without {lacking:?}", self.inner.version()),
            Change::To(_) => format!("{} with other capabilities", self.inner.version()),
        }
    }

    /// None: the SQL of a database without a capability is another one.
    fn overlay(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/nonexistent"))
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async {
            let database = self.inner.fresh().await?;
            let change = self.change.clone();
            Ok(database.wrapped(move |driver| {
                let limited = Limited::new(Arc::clone(&driver), &change);
                Arc::new(Wrapped::new(driver, limited))
            }))
        })
    }
}

/// The dialect, and what refuses the statements.
#[derive(Debug)]
struct Limited {
    dialect: AlteredDialect,
}

impl Limited {
    fn new(driver: Arc<dyn Driver>, change: &Change) -> Self {
        let capabilities = match change {
            Change::Lacking(lacking) => {
                let mut capabilities = driver.dialect().capabilities().clone();
                lacking.iter().for_each(|capability| capability.switch_off(&mut capabilities));
                capabilities
            }
            Change::To(capabilities) => capabilities.clone(),
        };
        Limited { dialect: AlteredDialect::new(driver, capabilities, None) }
    }

    // What a statement needs and the database lacks. Statements that the program wrote are not looked at.
    fn refuse(&self, statement: &Statement) -> Result<()> {
        let (sql, capabilities) = (statement.sql(), self.dialect.capabilities());
        let returning = sql.contains(" RETURNING ");
        let needs = match statement.kind() {
            StatementKind::Raw => None,
            StatementKind::Insert if returning && !capabilities.insert_returning => Some("INSERT … RETURNING"),
            StatementKind::Update if returning && !capabilities.update_returning => Some("UPDATE … RETURNING"),
            StatementKind::Delete if returning && !capabilities.delete_returning => Some("DELETE … RETURNING"),
            _ if sql.contains(" ON CONFLICT ") && capabilities.upsert == Upsert::Unsupported => Some("upserts"),
            _ if has_null_clause(sql) && capabilities.null_placement != NullPlacement::Clause => Some("NULLS FIRST"),
            _ if sql.starts_with("WITH RECURSIVE ") && capabilities.recursions != Recursions::AtOnce => {
                Some("recursive statements")
            }
            _ if sql.contains(" OVER (") && !capabilities.window_functions => Some("window functions"),
            _ if !capabilities.row_values && compares_rows(sql) => Some("row values"),
            _ => None,
        };
        if let Some(needs) = needs {
            return Err(syntax(format!("a statement needs {needs}: {sql}")));
        }
        if statement.kind() != StatementKind::Raw && statement.binds().len() > capabilities.max_binds {
            return Err(syntax(format!("a statement has {} binds", statement.binds().len())));
        }
        Ok(())
    }
}

fn has_null_clause(sql: &str) -> bool {
    sql.contains(" NULLS FIRST") || sql.contains(" NULLS LAST")
}

// Whether a text has `(a, b) IN (`.
fn compares_rows(sql: &str) -> bool {
    sql.match_indices(") IN (").any(|(end, _)| {
        let mut depth = 0;
        let mut commas = 0;
        let begin = sql[..end].char_indices().rev().find(|(_, character)| {
            match character {
                ')' => depth += 1,
                ',' if depth == 0 => commas += 1,
                '(' if depth == 0 => return true,
                '(' => depth -= 1,
                _ => {}
            }
            false
        });
        // Not the arguments of a function.
        let is_row = |at: usize| !sql[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        commas > 0 && begin.is_some_and(|(at, _)| is_row(at))
    })
}

fn syntax(message: String) -> assoc_core::Error {
    DriverError::new(DriverErrorKind::Statement, message).into()
}

impl Interceptor for Limited {
    fn dialect<'d>(&'d self, _: &'d dyn Dialect) -> &'d dyn Dialect {
        &self.dialect
    }

    fn admit(&self, statement: &Statement) -> Result<()> {
        self.refuse(statement)
    }
}
