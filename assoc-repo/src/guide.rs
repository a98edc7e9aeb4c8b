//! The guide, a module per chapter. The same text is a book in the repository.
//!
//! The modules hold text only, and are not compiled into a program.
//!
//! * [Introduction](introduction)
//! * [Getting started](getting_started)
//! * [Recipes](recipes)
//!
//! **Models**
//!
//! * [Models](models)
//! * [Associations](associations)
//! * [Production schemas and migrations](schemas)
//!
//! **Reading**
//!
//! * [Reading](reading)
//! * [Pages](pages)
//! * [Preloading](preloading)
//! * [Joins](joins)
//! * [Load states](load_states)
//!
//! **Writing**
//!
//! * [Writing](writing)
//! * [Collections](collections)
//! * [Validation and input](validation)
//! * [Destroying](destroying)
//! * [Counters and touches](counters)
//! * [Callbacks](callbacks)
//! * [Transactions](transactions)
//!
//! **Running**
//!
//! * [Latency](latency)
//! * [Mistakes](mistakes)
//! * [Errors](errors)
//! * [Testing your application](testing)
//! * [A web application](web)
//!
//! **Databases**
//!
//! * [SQLite](sqlite)
//! * [MySQL and MariaDB](mysql)
//! * [PostgreSQL](postgres)
//! * [Beside Diesel](diesel)
//! * [Writing a backend](backends)
//! * [What a backend must do](contract)
//!
//! **Other libraries**
//!
//! * [Coming from another library](coming_from)
//! * [A Rails model, line by line](rails_model)

// Links, headings and code blocks of the chapters are checked where they are written: by the tests of the workspace's `docs`.

#[doc = include_str!("../guide/introduction.md")]
pub mod introduction {}

#[doc = include_str!("../guide/getting-started.md")]
pub mod getting_started {}

#[doc = include_str!("../guide/recipes.md")]
pub mod recipes {}

#[doc = include_str!("../guide/models.md")]
pub mod models {}

#[doc = include_str!("../guide/associations.md")]
pub mod associations {}

#[doc = include_str!("../guide/schemas.md")]
pub mod schemas {}

#[doc = include_str!("../guide/reading.md")]
pub mod reading {}

#[doc = include_str!("../guide/pages.md")]
pub mod pages {}

#[doc = include_str!("../guide/preloading.md")]
pub mod preloading {}

#[doc = include_str!("../guide/joins.md")]
pub mod joins {}

#[doc = include_str!("../guide/load-states.md")]
pub mod load_states {}

#[doc = include_str!("../guide/writing.md")]
pub mod writing {}

#[doc = include_str!("../guide/collections.md")]
pub mod collections {}

#[doc = include_str!("../guide/validation.md")]
pub mod validation {}

#[doc = include_str!("../guide/destroying.md")]
pub mod destroying {}

#[doc = include_str!("../guide/counters.md")]
pub mod counters {}

#[doc = include_str!("../guide/callbacks.md")]
pub mod callbacks {}

#[doc = include_str!("../guide/transactions.md")]
pub mod transactions {}

#[doc = include_str!("../guide/latency.md")]
pub mod latency {}

#[doc = include_str!("../guide/mistakes.md")]
pub mod mistakes {}

#[doc = include_str!("../guide/errors.md")]
pub mod errors {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/web.md")]
pub mod web {}

#[doc = include_str!("../guide/sqlite.md")]
pub mod sqlite {}

#[doc = include_str!("../guide/mysql.md")]
pub mod mysql {}

#[doc = include_str!("../guide/postgres.md")]
pub mod postgres {}

#[doc = include_str!("../guide/diesel.md")]
pub mod diesel {}

#[doc = include_str!("../guide/backends.md")]
pub mod backends {}

#[doc = include_str!("../guide/contract.md")]
pub mod contract {}

#[doc = include_str!("../guide/coming-from.md")]
pub mod coming_from {}

#[doc = include_str!("../guide/rails-model.md")]
pub mod rails_model {}
