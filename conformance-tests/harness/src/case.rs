//! A case, its level, and tables of cases.

use std::pin::Pin;

use assoc_core::Result;
use assoc_core::driver::Dialect;

use crate::context::Context;

/// What a case is about. Each level stands on those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The driver.
    Driver,
    /// Reading.
    Read,
    /// Kinds of associations, and the planner.
    Kind,
    /// Writing.
    Write,
    /// Collections and single targets.
    Collection,
    /// Transactions, concurrency and faults.
    Transaction,
}

impl Level {
    /// All levels, the lowest first.
    pub const ALL: [Level; 6] =
        [Level::Driver, Level::Read, Level::Kind, Level::Write, Level::Collection, Level::Transaction];

    /// `L0` to `L5`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Level::Driver => "L0",
            Level::Read => "L1",
            Level::Kind => "L2",
            Level::Write => "L3",
            Level::Collection => "L4",
            Level::Transaction => "L5",
        }
    }

    /// Its name in a report: `kinds and planner`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Level::Driver => "driver",
            Level::Read => "reading",
            Level::Kind => "kinds and planner",
            Level::Write => "writing",
            Level::Collection => "collections",
            Level::Transaction => "transactions and faults",
        }
    }
}

/// What a case does. A case runs on the thread that starts it, so the compiler need not prove for each of a thousand
/// futures that it is `Send`, which takes a third of the time of building the suite.
pub type CaseFuture<'c> = Pin<Box<dyn Future<Output = Result<()>> + 'c>>;

/// One case: a name that never changes, what it needs, and what it does.
pub struct Case {
    /// Its name: `preload_has_many.skips_null_keys`.
    pub id: &'static str,
    /// What it is about.
    pub level: Level,
    /// Whether the case needs two databases.
    pub two_databases: bool,
    /// What a backend lacks for it, if it does, by its capabilities.
    pub lacking: fn(&dyn Dialect) -> Option<&'static str>,
    /// What it does.
    pub run: for<'c> fn(&'c mut Context) -> CaseFuture<'c>,
}

/// A table of cases of one area: `cases! { "area", Level::Read; name, other_name }` names functions of this module.
/// `"area", Level::Read, two databases; …` gives each two of them.
#[macro_export]
macro_rules! cases {
    ($area:literal, $level:expr; $($cases:tt)+) => {
        $crate::cases! { @table $area, $level, false; $($cases)+ }
    };
    ($area:literal, $level:expr, two databases; $($cases:tt)+) => {
        $crate::cases! { @table $area, $level, true; $($cases)+ }
    };
    (@table $area:literal, $level:expr, $two:literal; $($name:ident $(lacks $lacking:expr)?),+ $(,)?) => {
        pub(crate) const CASES: &[$crate::Case] = &[$(
            $crate::Case {
                id: concat!($area, ".", stringify!($name)),
                level: $level,
                two_databases: $two,
                lacking: $crate::cases!(@lacking $($lacking)?),
                run: |context| Box::pin($name(context)),
            }
        ),+];
    };
    (@lacking) => { |_| None };
    (@lacking $lacking:expr) => { $lacking };
}
