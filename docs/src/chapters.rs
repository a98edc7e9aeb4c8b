//! The README and the chapters, each with its examples.

#[doc = include_str!("../../README.md")]
struct Readme;
#[doc = include_str!("../guide/introduction.md")]
struct Introduction;
#[doc = include_str!("../guide/getting-started.md")]
struct GettingStarted;
#[doc = include_str!("../guide/models.md")]
struct Models;
#[doc = include_str!("../guide/associations.md")]
struct Associations;
#[doc = include_str!("../guide/reading.md")]
struct Reading;
#[doc = include_str!("../guide/pages.md")]
struct Pages;
#[doc = include_str!("../guide/preloading.md")]
struct Preloading;
#[doc = include_str!("../guide/joins.md")]
struct Joins;
#[doc = include_str!("../guide/load-states.md")]
struct LoadStates;
#[doc = include_str!("../guide/writing.md")]
struct Writing;
#[doc = include_str!("../guide/collections.md")]
struct Collections;
#[doc = include_str!("../guide/validation.md")]
struct Validation;
#[doc = include_str!("../guide/destroying.md")]
struct Destroying;
#[doc = include_str!("../guide/counters.md")]
struct Counters;
#[doc = include_str!("../guide/callbacks.md")]
struct Callbacks;
#[doc = include_str!("../guide/transactions.md")]
struct Transactions;
#[doc = include_str!("../guide/latency.md")]
struct Latency;
#[doc = include_str!("../guide/mistakes.md")]
struct Mistakes;
#[doc = include_str!("../guide/errors.md")]
struct Errors;
#[doc = include_str!("../guide/sqlite.md")]
struct Sqlite;
#[doc = include_str!("../guide/mysql.md")]
struct Mysql;
#[doc = include_str!("../guide/postgres.md")]
struct Postgres;
#[doc = include_str!("../guide/diesel.md")]
struct Diesel;
#[doc = include_str!("../guide/testing.md")]
struct Testing;
#[doc = include_str!("../guide/web.md")]
struct Web;
#[doc = include_str!("../guide/recipes.md")]
struct Recipes;
#[doc = include_str!("../guide/contract.md")]
struct Contract;
#[doc = include_str!("../guide/backends.md")]
struct Backends;
#[doc = include_str!("../guide/coming-from.md")]
struct ComingFrom;
#[doc = include_str!("../guide/rails-model.md")]
struct RailsModel;
#[doc = include_str!("../guide/schemas.md")]
struct Schemas;
