//! Keys that the database considers equal are equal for all code that compares keys: preload, join, reader, counts and
//! conditions give the same rows, whatever the column type and the database's rules.

use assoc_core::{DriverErrorKind, Result};
use assoc_repo::prelude::*;
use rust_decimal::Decimal;

use super::{Level, cases};
use crate::context::Context;

cases! { "equal_keys", Level::Kind; texts, bytes, decimals, dates, integers_in_other_columns }

macro_rules! models {
    ($module:ident, $key:ty) => {
        mod $module {
            use assoc_repo::prelude::*;

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "owners")]
            pub(super) struct Owner {
                pub(super) id: i64,
                pub(super) code: $key,
                #[has_many(primary_key = "code", foreign_key = "owner_code")]
                pub(super) items: HasMany<Item>,
                #[has_one(primary_key = "code", foreign_key = "owner_code")]
                pub(super) first: HasOne<Option<Item>>,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "items")]
            pub(super) struct Item {
                pub(super) id: i64,
                pub(super) owner_code: $key,
                #[belongs_to(foreign_key = "owner_code", primary_key = "code")]
                pub(super) owner: BelongsTo<Option<Owner>>,
            }

            /// Every kind of statement from owners to items finds the same rows; returns their number.
            pub(super) async fn agree(repo: &assoc_repo::Repo) -> assoc_core::Result<usize> {
                use std::collections::BTreeSet;

                let differ = |what: &str, one: &BTreeSet<(i64, i64)>, other: &BTreeSet<(i64, i64)>| {
                    if one == other {
                        return Ok(());
                    }
                    Err(Error::other(format!("{what} finds {one:?}, a preload {other:?}")))
                };
                let by_id = || Query::order_by(Owner::ID.asc());
                let owners = repo.all(by_id().preload((Owner::ITEMS, Owner::FIRST))).await?;
                let pairs = |owners: &[Owner]| -> assoc_core::Result<BTreeSet<(i64, i64)>> {
                    let mut pairs = BTreeSet::new();
                    for owner in owners {
                        pairs.extend(owner.items()?.iter().map(|item| (owner.id, item.id)));
                    }
                    Ok(pairs)
                };
                let preloaded = pairs(&owners)?;
                differ("a join", &pairs(&repo.all(by_id().eager_load(Owner::ITEMS)).await?)?, &preloaded)?;
                let joined = repo.pluck((Owner::ID, Owner::ITEMS.joined(Item::ID)), Query::join(Owner::ITEMS)).await?;
                differ("a joined column", &joined.into_iter().collect(), &preloaded)?;
                let mut read = BTreeSet::new();
                let mut any = BTreeSet::new();
                let mut limited = BTreeSet::new();
                let tops = repo.all(by_id().preload(Owner::ITEMS.order_by(Item::ID.asc()).limit(100))).await?;
                for (owner, top) in owners.iter().zip(&tops) {
                    let items = repo.get_association(owner, Owner::ITEMS, Query::new()).await?;
                    read.extend(items.iter().map(|item| (owner.id, item.id)));
                    limited.extend(top.items()?.iter().map(|item| (owner.id, item.id)));
                    for item in repo.all(Query::<Item>::new()).await? {
                        let filter = Owner::ID.eq(owner.id).and(Owner::ITEMS.any(Item::ID.eq(item.id)));
                        if repo.exists(Query::filter(filter)).await? {
                            any.insert((owner.id, item.id));
                        }
                    }
                    let first = preloaded.iter().find(|(id, _)| *id == owner.id).map(|(_, item)| *item);
                    if owner.first()?.map(|item| item.id) != first {
                        return Err(Error::other(format!("the first item of owner {} is another", owner.id)));
                    }
                }
                differ("a reader", &read, &preloaded)?;
                differ("a limit", &limited, &preloaded)?;
                differ("a condition", &any, &preloaded)?;
                let counts = repo.count_for(&owners, Owner::ITEMS).await?;
                if counts.iter().sum::<u64>() != preloaded.len() as u64 {
                    return Err(Error::other(format!("counts are {counts:?}, a preload finds {preloaded:?}")));
                }
                // The reverse direction: an item of an owner finds an owner that has it.
                for item in repo.all(Query::preload(Item::OWNER)).await? {
                    let owners: Vec<i64> =
                        preloaded.iter().filter(|(_, own)| *own == item.id).map(|(owner, _)| *owner).collect();
                    let found = item.owner()?.map(|owner| owner.id);
                    if found != owners.first().copied() {
                        return Err(Error::other(format!("item {} finds owner {found:?} of {owners:?}", item.id)));
                    }
                }
                Ok(preloaded.len())
            }
        }
    };
}

models!(text, Option<String>);
models!(blob, Option<Vec<u8>>);
models!(decimal, Option<rust_decimal::Decimal>);
models!(date, Option<chrono::NaiveDate>);
models!(date_time, Option<chrono::NaiveDateTime>);
models!(integer, Option<i64>);

/// Types of the owners' and of the items' key. A database knows some of them; what it does not know it refuses as a wrong
/// statement.
type Columns = (&'static str, &'static str);

// Whether the database has columns of these types.
async fn has_tables(repo: &assoc_repo::Repo, (owners, items): Columns) -> Result<bool> {
    for sql in [
        "DROP TABLE IF EXISTS owners".to_owned(),
        "DROP TABLE IF EXISTS items".to_owned(),
        format!("CREATE TABLE owners (id INTEGER PRIMARY KEY, code {owners})"),
        format!("CREATE TABLE items (id INTEGER PRIMARY KEY, owner_code {items})"),
    ] {
        if !is_taken(repo.execute_raw(&sql, []).await, DriverErrorKind::Statement)? {
            return Ok(false);
        }
    }
    Ok(true)
}

// Types of columns to try: on a database whose columns take values of any type, so that some have none, and on others.
async fn columns(cx: &Context, loose: &[Columns], strict: &[Columns]) -> Result<Vec<Columns>> {
    let is_loose = has_tables(&cx.repo(), ("", "")).await?;
    Ok(if is_loose { loose } else { strict }.to_vec())
}

// Whether something is not refused with an error of a class.
fn is_taken<T>(outcome: Result<T>, refusal: DriverErrorKind) -> Result<bool> {
    match outcome {
        Err(error) if error.driver().is_some_and(|driver| driver.kind() == refusal) => Ok(false),
        outcome => outcome.map(|_| true),
    }
}

async fn fill<O, I, V: Clone>(
    cx: &Context,
    codes: &[V],
    owner: impl Fn(i64, V) -> assoc_repo::Changeset<O>,
    item: impl Fn(i64, V) -> assoc_repo::Changeset<I>,
) -> Result<()>
where
    O: assoc_core::Model,
    I: assoc_core::Model,
{
    for (id, code) in (1..).zip(codes) {
        cx.repo().insert(owner(id, code.clone())).await?;
        cx.repo().insert(item(id, code.clone())).await?;
    }
    Ok(())
}

macro_rules! case {
    ($cx:ident, $module:ident, $loose:expr, $strict:expr, $codes:expr) => {
        let mut tried = 0;
        for columns in columns($cx, $loose, $strict).await? {
            if !has_tables(&$cx.repo(), columns).await? {
                continue;
            }
            let filled = fill(
                $cx,
                $codes,
                |id, code| $module::Owner::build().set($module::Owner::ID, id).set($module::Owner::CODE, Some(code)),
                |id, code| $module::Item::build().set($module::Item::ID, id).set($module::Item::OWNER_CODE, Some(code)),
            );
            if !is_taken(filled.await, DriverErrorKind::Value)? {
                continue;
            }
            let found = $module::agree(&$cx.repo())
                .await
                .map_err(|error| Error::other(format!("{} of {columns:?}: {error}", stringify!($module))))?;
            $cx.require(found >= $codes.len(), "every key finds itself")?;
            tried += 1;
        }
        $cx.require(tried > 0, "the database has one of these types of columns")?;
    };
}

async fn texts(cx: &mut Context) -> Result<()> {
    let codes: Vec<String> = ["a", "A", "a ", "ä", "b", "ss", "ß", "1", "01", ""].map(str::to_owned).to_vec();
    case!(
        cx,
        text,
        &[("TEXT", "TEXT"), ("TEXT COLLATE NOCASE", "TEXT COLLATE NOCASE"), ("", "TEXT"), ("CHAR(5)", "")],
        &[
            ("VARCHAR(20)", "VARCHAR(20)"),
            ("CHAR(5)", "CHAR(5)"),
            ("TEXT", "VARCHAR(20)"),
            (
                "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            ),
            ("VARCHAR(20) CHARACTER SET latin1", "VARCHAR(20) CHARACTER SET latin1"),
            (
                "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_german2_ci",
                "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_german2_ci"
            ),
        ],
        &codes
    );
    let few: Vec<String> = ["x", "y"].map(str::to_owned).to_vec();
    case!(
        cx,
        text,
        &[("TEXT", "TEXT")],
        &[
            ("VARCHAR(5)", "VARCHAR(5)"),
            ("ENUM('y', 'x')", "ENUM('x', 'y')"),
            ("SET('y', 'x')", "SET('x', 'y')"),
            ("ENUM('x', 'y')", "VARCHAR(5)"),
        ],
        &few
    );
    Ok(())
}

async fn bytes(cx: &mut Context) -> Result<()> {
    let codes: Vec<Vec<u8>> = [&b"a"[..], b"A", b"a ", b"b"].map(<[u8]>::to_vec).to_vec();
    case!(
        cx,
        blob,
        &[("BLOB", "BLOB"), ("", "")],
        &[("BYTEA", "BYTEA"), ("VARBINARY(20)", "VARBINARY(20)"), ("VARCHAR(20)", "VARCHAR(20)")],
        &codes
    );
    let padded: Vec<Vec<u8>> = [&b"abcd"[..], b"ABCD"].map(<[u8]>::to_vec).to_vec();
    case!(
        cx,
        blob,
        &[("BLOB", "BLOB")],
        &[("BYTEA", "BYTEA"), ("BINARY(4)", "BINARY(4)"), ("BINARY(4)", "VARBINARY(8)")],
        &padded
    );
    Ok(())
}

async fn decimals(cx: &mut Context) -> Result<()> {
    let codes = [Decimal::new(95, 1), Decimal::new(950, 2), Decimal::new(10, 0), Decimal::new(-10, 0), Decimal::ZERO];
    case!(
        cx,
        decimal,
        &[("TEXT", "TEXT"), ("NUMERIC", "NUMERIC"), ("REAL", "TEXT"), ("", "INTEGER")],
        &[("DECIMAL(12,2)", "DECIMAL(12,2)"), ("DECIMAL(57,28)", "DECIMAL(12,2)"), ("DOUBLE", "DOUBLE")],
        &codes
    );
    Ok(())
}

async fn dates(cx: &mut Context) -> Result<()> {
    let day = |day| chrono::NaiveDate::from_ymd_opt(2024, 2, day).unwrap_or_default();
    let days = [day(28), day(29), day(28)];
    case!(cx, date, &[("DATE", "TEXT"), ("", "")], &[("DATE", "DATE"), ("DATE", "DATETIME")], &days);
    let at = |hour, micros| day(29).and_hms_micro_opt(hour, 0, 0, micros).unwrap_or_default();
    let times = [at(0, 0), at(1, 500_000), at(1, 0), at(1, 0)];
    case!(
        cx,
        date_time,
        &[("DATETIME", "TEXT"), ("TEXT", "TEXT")],
        &[("TIMESTAMP(6)", "TIMESTAMP(6)"), ("DATETIME(6)", "DATETIME(6)"), ("DATETIME(6)", "TIMESTAMP(6)"),],
        &times
    );
    Ok(())
}

// A number that is stored as text is no number for a preload, and so it is none for a condition.
async fn integers_in_other_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    for types in columns(cx, &[("INTEGER", ""), ("INTEGER", "BLOB")], &[("INTEGER", "BIGINT")]).await? {
        cx.require(has_tables(&repo, types).await?, "the database has columns of these types")?;
        repo.execute_raw("INSERT INTO owners (id, code) VALUES (1, 1)", []).await?;
        repo.execute_raw("INSERT INTO items (id, owner_code) VALUES (1, '1')", []).await?;
        let loaded = repo.all(Query::preload(integer::Owner::ITEMS)).await?;
        let associated = repo.count(Query::filter(integer::Owner::ITEMS.associated())).await?;
        cx.require(loaded[0].items()?.len() as u64 == associated, "a condition finds what a preload finds")?;
        let first = repo.count(Query::filter(integer::Owner::FIRST.any(integer::Item::ID.eq(1)))).await?;
        cx.require(first == associated, "the first of them too")?;
    }
    let codes = [1, 2, 1, i64::MAX, i64::MIN];
    case!(
        cx,
        integer,
        &[("INTEGER", "INTEGER"), ("", ""), ("INTEGER", "")],
        &[("BIGINT", "BIGINT"), ("BIGINT", "DECIMAL(20,0)")],
        &codes
    );
    Ok(())
}
