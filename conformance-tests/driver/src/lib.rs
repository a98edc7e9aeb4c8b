//! Cases of the conformance suite: the driver, and transactions with their faults. `conformance-tests` runs them.
//!
//! Levels `L0`, the driver, and `L5`, transactions and faults.

use conformance_harness::Case;

mod contract;
mod contract_claims;
mod contract_connections;
mod contract_errors;
mod contract_states;
mod contract_together;
mod contract_values;
mod errors;
mod nested_transactions;
mod row_locks;
mod steps;
mod transaction_options;
mod transactions;
mod values;

/// The cases, by what they prove.
#[must_use]
pub fn cases() -> &'static [&'static [Case]] {
    // A function, not a constant: a constant's cases would be compiled in the crate that reads it.
    &[
        contract::CASES,
        contract_values::CASES,
        contract_errors::CASES,
        contract_connections::CASES,
        values::CASES,
        errors::CASES,
        row_locks::CASES,
        transaction_options::CASES,
        steps::CASES,
        transactions::CASES,
        nested_transactions::CASES,
        contract_claims::CASES,
        contract_states::CASES,
        contract_together::CASES,
    ]
}
