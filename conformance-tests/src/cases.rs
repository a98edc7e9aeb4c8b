//! The cases, by what they prove.

use std::pin::Pin;

use assoc_core::Result;
use assoc_core::driver::Dialect;

use crate::context::Context;

mod acceptance;
mod aggregates;
mod apart;
mod autosave;
mod batches;
mod bulk_writes;
mod by_way;
mod callbacks;
mod casts;
mod changed_targets;
mod changesets;
mod chosen_rows;
mod circles;
mod collations;
mod collections;
mod composite_keys;
mod contract;
mod contract_claims;
mod contract_connections;
mod contract_errors;
mod contract_states;
mod contract_values;
mod counters;
mod decimals;
mod deep_requests;
mod destroy;
mod destroy_graphs;
mod eager_load;
mod equal_keys;
mod errors;
mod extensions;
mod filled_columns;
mod filtered_writes;
mod filters;
mod finders;
mod form_versions;
mod groups;
mod handles;
mod handles_between;
mod handles_bulk;
mod handles_counted;
mod handles_extended;
mod handles_input;
mod handles_links;
mod handles_one;
mod handles_replaced;
mod handles_strained;
mod handles_write;
mod in_hand;
mod inverses;
mod join_rows;
mod join_tables;
mod joins;
mod known_keys;
mod links_by_sql;
mod load_states;
mod load_with;
mod member_callbacks;
mod merging;
mod nested_input;
mod nested_through;
mod nested_transactions;
mod owner_presets;
mod polymorphic;
mod polymorphic_keys;
mod preload_belongs_to;
mod preload_has_many;
mod preload_has_one;
mod queries;
mod read_back;
mod read_only;
mod removals;
mod row_locks;
mod rows_between;
mod save_changes;
mod save_graphs;
mod saved_join_rows;
mod saved_lists;
mod scopes;
mod selections;
mod steps;
mod strained_writes;
mod sums;
mod tags;
mod text_keys;
mod through;
mod together;
mod touch;
mod touch_once;
mod touch_one;
mod transaction_options;
mod transactions;
mod unjoinable;
mod upserts;
mod uuid_keys;
mod validation;
mod values;
mod ways;
mod writes;

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

/// All cases.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [
        contract::CASES,
        contract_values::CASES,
        contract_errors::CASES,
        contract_connections::CASES,
        contract_states::CASES,
        contract_claims::CASES,
        values::CASES,
        queries::CASES,
        filters::CASES,
        chosen_rows::CASES,
        acceptance::CASES,
        aggregates::CASES,
        sums::CASES,
        decimals::CASES,
        load_states::CASES,
        load_with::CASES,
        preload_belongs_to::CASES,
        preload_has_one::CASES,
        preload_has_many::CASES,
        deep_requests::CASES,
        merging::CASES,
        through::CASES,
        nested_through::CASES,
        by_way::CASES,
        ways::CASES,
        join_tables::CASES,
        join_rows::CASES,
        joins::CASES,
        eager_load::CASES,
        polymorphic::CASES,
        polymorphic_keys::CASES,
        saved_lists::CASES,
        scopes::CASES,
        selections::CASES,
        groups::CASES,
        unjoinable::CASES,
        finders::CASES,
        extensions::CASES,
        handles::CASES,
        handles_between::CASES,
        handles_input::CASES,
        handles_strained::CASES,
        links_by_sql::CASES,
        handles_extended::CASES,
        handles_write::CASES,
        handles_one::CASES,
        handles_replaced::CASES,
        handles_counted::CASES,
        handles_bulk::CASES,
        handles_links::CASES,
        in_hand::CASES,
        rows_between::CASES,
        together::CASES,
        inverses::CASES,
        apart::CASES,
        composite_keys::CASES,
        text_keys::CASES,
        uuid_keys::CASES,
        circles::CASES,
        collations::CASES,
        tags::CASES,
        equal_keys::CASES,
        collections::CASES,
        batches::CASES,
        errors::CASES,
        writes::CASES,
        changesets::CASES,
        bulk_writes::CASES,
        filled_columns::CASES,
        filtered_writes::CASES,
        upserts::CASES,
        row_locks::CASES,
        transaction_options::CASES,
        steps::CASES,
        save_graphs::CASES,
        autosave::CASES,
        owner_presets::CASES,
        saved_join_rows::CASES,
        callbacks::CASES,
        known_keys::CASES,
        strained_writes::CASES,
        member_callbacks::CASES,
        removals::CASES,
        save_changes::CASES,
        validation::CASES,
        casts::CASES,
        form_versions::CASES,
        nested_input::CASES,
        changed_targets::CASES,
        read_back::CASES,
        read_only::CASES,
        destroy::CASES,
        destroy_graphs::CASES,
        counters::CASES,
        touch::CASES,
        touch_one::CASES,
        touch_once::CASES,
        transactions::CASES,
        nested_transactions::CASES,
    ]
    .into_iter()
    .flatten()
}

/// A table of cases of one area: `cases! { "area", Level::Read; name, other_name }` names functions of this module.
/// `"area", Level::Read, two databases; …` gives each two of them.
macro_rules! cases {
    ($area:literal, $level:expr; $($cases:tt)+) => {
        $crate::cases::cases! { @table $area, $level, false; $($cases)+ }
    };
    ($area:literal, $level:expr, two databases; $($cases:tt)+) => {
        $crate::cases::cases! { @table $area, $level, true; $($cases)+ }
    };
    (@table $area:literal, $level:expr, $two:literal; $($name:ident $(lacks $lacking:expr)?),+ $(,)?) => {
        pub(super) const CASES: &[$crate::cases::Case] = &[$(
            $crate::cases::Case {
                id: concat!($area, ".", stringify!($name)),
                level: $level,
                two_databases: $two,
                lacking: $crate::cases::cases!(@lacking $($lacking)?),
                run: |context| Box::pin($name(context)),
            }
        ),+];
    };
    (@lacking) => { |_| None };
    (@lacking $lacking:expr) => { $lacking };
}
pub(crate) use cases;
