//! The repository applications call: explicit queries, preloads, changesets, transactions.
