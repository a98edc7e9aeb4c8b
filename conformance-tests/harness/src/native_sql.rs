//! SQL that only one database understands, for what a model cannot ask for.

use assoc_core::DriverErrorKind;

/// SQL of a database for what no SQL says that all databases understand. A case that needs something which is not here is
/// reported as not run, with the reason.
///
/// ```
/// use conformance_harness::NativeSql;
///
/// let sql = NativeSql::default()
///     .text_ignoring_case("VARCHAR(20) COLLATE NOCASE")
///     .ending_a_connection("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})");
/// ```
#[derive(Debug, Clone, Default)]
pub struct NativeSql {
    /// What [`NativeSql::text_ignoring_case`] was given.
    pub text_ignoring_case: Option<&'static str>,
    /// What [`NativeSql::text_ignoring_accents`] was given.
    pub text_ignoring_accents: Option<&'static str>,
    /// What [`NativeSql::changed_by_updates`] was given.
    pub changed_by_updates: Option<&'static str>,
    /// What [`NativeSql::declared_words`] was given.
    pub declared_words: Option<&'static str>,
    /// What [`NativeSql::versioning`] was given.
    pub versioning: &'static [&'static str],
    /// What [`NativeSql::ending_a_connection`] was given.
    pub ending_a_connection: Option<(&'static str, &'static str)>,
    /// What [`NativeSql::ending_a_transaction`] was given.
    pub ending_a_transaction: &'static [&'static str],
    /// What [`NativeSql::leaving_a_transaction`] was given.
    pub leaving_a_transaction: &'static [&'static str],
    /// What [`NativeSql::continuing_keys`] was given.
    pub continuing_keys: Option<&'static str>,
    /// What [`NativeSql::failing`] was given.
    pub failing: &'static [(&'static str, DriverErrorKind)],
    /// What [`NativeSql::failing_in_states`] was given.
    pub failing_states: &'static [FailingState],
    /// What [`NativeSql::interrupting`] was given.
    pub interrupting: Option<(&'static str, &'static str, &'static str)>,
    /// What [`NativeSql::hiding_question_marks`] was given.
    pub hiding_question_marks: &'static [&'static str],
}

/// A statement that fails in a state of its connection, which other statements bring about and end.
///
/// ```
/// use assoc_core::DriverErrorKind;
/// use conformance_harness::{FailingState, NativeSql};
///
/// const READ_ONLY: FailingState = FailingState::new(
///     &["PRAGMA query_only = ON"],
///     "DELETE FROM kids",
///     DriverErrorKind::ReadOnly,
///     &["PRAGMA query_only = OFF"],
/// );
/// let sql = NativeSql::default().failing_in_states(&[READ_ONLY]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FailingState {
    /// What brings the state about.
    pub before: &'static [&'static str],
    /// What fails in it.
    pub statement: &'static str,
    /// The class of its error.
    pub kind: DriverErrorKind,
    /// What ends the state.
    pub after: &'static [&'static str],
}

impl FailingState {
    /// A statement, the class of its error, and the statements that run before and after it, outside of transactions.
    #[must_use]
    pub const fn new(
        before: &'static [&'static str],
        statement: &'static str,
        kind: DriverErrorKind,
        after: &'static [&'static str],
    ) -> Self {
        FailingState { before, statement, kind, after }
    }
}

impl NativeSql {
    /// The type of a column of up to 20 characters that calls texts equal which differ in case alone.
    #[must_use]
    pub fn text_ignoring_case(mut self, column_type: &'static str) -> Self {
        self.text_ignoring_case = Some(column_type);
        self
    }

    /// The type of a column of up to 20 characters that also ignores accents and trailing blanks, and for which `ß` is `s`.
    #[must_use]
    pub fn text_ignoring_accents(mut self, column_type: &'static str) -> Self {
        self.text_ignoring_accents = Some(column_type);
        self
    }

    /// The type of a column without a value whose value becomes the time whenever its row is updated.
    #[must_use]
    pub fn changed_by_updates(mut self, column_type: &'static str) -> Self {
        self.changed_by_updates = Some(column_type);
        self
    }

    /// The type of a column that holds one of the words `new` and `old` and gives them back as they are declared, also where
    /// they were written in capitals: `ENUM('new', 'old')`.
    #[must_use]
    pub fn declared_words(mut self, column_type: &'static str) -> Self {
        self.declared_words = Some(column_type);
        self
    }

    /// Triggers of the table `versioned (id, name, version)`: a row that is inserted has the version 1 and a `!` behind its
    /// name, and each update of its name counts the version up.
    #[must_use]
    pub fn versioning(mut self, triggers: &'static [&'static str]) -> Self {
        self.versioning = triggers;
        self
    }

    /// A query for the number of the connection that it runs on, and the statement that ends the connection with the number
    /// `{}`.
    #[must_use]
    pub fn ending_a_connection(mut self, number: &'static str, end: &'static str) -> Self {
        self.ending_a_connection = Some((number, end));
        self
    }

    /// Statements that end the transaction which they run in, and of which the database tells the driver so.
    #[must_use]
    pub fn ending_a_transaction(mut self, statements: &'static [&'static str]) -> Self {
        self.ending_a_transaction = statements;
        self
    }

    /// Statements that leave a transaction open where there was none, and of which the database tells the driver so.
    #[must_use]
    pub fn leaving_a_transaction(mut self, statements: &'static [&'static str]) -> Self {
        self.leaving_a_transaction = statements;
        self
    }

    /// The statement after which the keys that the database makes for the column `id` of the table `{}` are larger than all that
    /// are there, on a database where keys that were given do not count.
    #[must_use]
    pub fn continuing_keys(mut self, statement: &'static str) -> Self {
        self.continuing_keys = Some(statement);
        self
    }

    /// Statements that fail, each with the class of its error: for classes that no statement has everywhere. There is a
    /// table `parents (id INTEGER, name VARCHAR(20), code INTEGER)` of one row.
    #[must_use]
    pub fn failing(mut self, statements: &'static [(&'static str, DriverErrorKind)]) -> Self {
        self.failing = statements;
        self
    }

    /// Statements that fail in a state of their connection, of the classes [`ReadOnly`](DriverErrorKind::ReadOnly),
    /// [`TimeLimit`](DriverErrorKind::TimeLimit) and [`DiskFull`](DriverErrorKind::DiskFull). There are the table of
    /// [`failing`](Self::failing), and `kids (id INTEGER, parent_id INTEGER, age INTEGER)` of one row.
    #[must_use]
    pub fn failing_in_states(mut self, states: &'static [FailingState]) -> Self {
        self.failing_states = states;
        self
    }

    /// A query for the number of the connection that it runs on, the statement that interrupts what the connection with the
    /// number `{}` runs, and a query that takes many seconds. There is the table `kids` of one row.
    #[must_use]
    pub fn interrupting(mut self, number: &'static str, interrupt: &'static str, long: &'static str) -> Self {
        self.interrupting = Some((number, interrupt, long));
        self
    }

    /// Conditions with one placeholder, which `name` is equal to, and with question marks that are none: in quotes and
    /// comments that standard SQL does not have. They hold for each row with that name.
    #[must_use]
    pub fn hiding_question_marks(mut self, conditions: &'static [&'static str]) -> Self {
        self.hiding_question_marks = conditions;
        self
    }
}
