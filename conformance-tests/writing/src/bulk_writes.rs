//! `update_all` and `delete_all`: the rows of a query by one statement.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::registry::{self, Account, Animal, Dog, Entry, Seat};
use rust_decimal::Decimal;

cases! { "bulk_writes", Level::Write;
    assigns,
    sums_are_exact,
    sums_that_do_not_fit,
    by_associations,
    by_joins_limits_and_orders,
    composite_keys,
    scopes_and_discriminators,
    what_is_refused,
    deletes,
    in_a_transaction,
}

const NAMES: &str = "SELECT id, name FROM accounts ORDER BY id";
const NUMBERS: &str = "SELECT id, level, points, visits, rate, maybe FROM accounts ORDER BY id";

async fn assigns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let query = || Query::filter(Account::TENANT_ID.eq(1));
    let assigned = [Account::NAME.to("x'?"), Account::MAYBE.to(None), Account::LEVEL.subtract(3)];
    let written = cx.step("several columns", repo.update_all(query(), assigned)).await?;
    cx.note("rows", written);
    let written =
        cx.step("rows that hold it already count", repo.update_all(query(), [Account::NAME.to("x'?")])).await?;
    cx.note("rows", written);
    let none = Query::filter(Account::ID.is_in(Vec::<i64>::new()));
    let written = cx.step("no row", repo.update_all(none, [Account::NAME.to("no")])).await?;
    cx.note("rows", written);
    let written = cx.step("every row", repo.update_all(Query::new(), [Account::RATE.add(0.25)])).await?;
    cx.note("rows", written);
    cx.rows("names", NAMES).await?;
    cx.rows("numbers", NUMBERS).await
}

async fn sums_are_exact(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let tenth = || [Account::BALANCE.add(Decimal::new(10, 2)), Account::FINE.add(Decimal::new(20, 10))];
    for _ in 0..3 {
        repo.update_all(Query::new(), tenth()).await?;
    }
    let sums = [Account::BALANCE.subtract(Decimal::new(5_000, 2)), Account::FINE.subtract(Decimal::new(1, 28))];
    repo.update_all(Query::filter(Account::ID.eq(2)), sums).await?;
    let accounts = repo.all(Query::order_by(Account::ID.asc())).await?;
    for account in &accounts {
        cx.note(
            "balance and fine",
            format!("{} {:?}", account.balance.normalize(), account.fine.map(|fine| fine.normalize())),
        );
    }
    // NULL stays NULL.
    cx.require(accounts[0].fine.is_none(), "NULL plus something is NULL")?;
    let found = repo.count(Query::filter(Account::BALANCE.eq(Decimal::new(108, 1)))).await?;
    cx.note("found by the sum", found);
    Ok(())
}

async fn sums_that_do_not_fit(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let all = Query::<Account>::new;
    cx.fails("i8 above its end", repo.update_all(all(), [Account::LEVEL.add(28)])).await?;
    cx.fails("u16 below zero", repo.update_all(all(), [Account::POINTS.subtract(11)])).await?;
    cx.fails("u16 above its end", repo.update_all(all(), [Account::POINTS.add(u16::MAX)])).await?;
    cx.fails("i64 above its end", repo.update_all(all(), [Account::VISITS.add(11)])).await?;
    let most =
        cx.step("up to their ends", repo.update_all(all(), [Account::LEVEL.add(27), Account::VISITS.add(10)])).await?;
    cx.note("rows", most);
    cx.rows("numbers", NUMBERS).await?;
    cx.require(repo.all(all()).await?.len() == 5, "every row can be read")
}

async fn by_associations(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let with_entries = Query::filter(Account::ENTRIES.any(Entry::TEXT.ne("e1")));
    let written = cx.step("another table", repo.update_all(with_entries, [Account::NAME.to("entries")])).await?;
    cx.note("rows", written);
    // The table that is written is looked into.
    let below_first = Query::filter(Account::PARENT.any(Account::VISITS.gt(0)));
    let written = cx.step("the same table", repo.update_all(below_first, [Account::VISITS.to(0)])).await?;
    cx.note("rows", written);
    let parents = Query::filter(Account::CHILDREN.any(Account::VISITS.eq(0)));
    let written = cx.step("the same table, the other way", repo.update_all(parents, [Account::VISITS.to(1)])).await?;
    cx.note("rows", written);
    cx.rows("accounts", "SELECT id, name, visits FROM accounts ORDER BY id").await?;
    let deleted = cx.step("delete", repo.delete_all(Query::filter(Account::PARENT.any(Account::ID.eq(1))))).await?;
    cx.note("rows", deleted);
    cx.rows("accounts", NAMES).await
}

async fn by_joins_limits_and_orders(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let joined =
        Query::new().join(Account::ENTRIES).filter(Account::ENTRIES.joined(Entry::TEXT.is_in(["e1", "e2", "e4"])));
    let written =
        cx.step("a row that is joined twice is one", repo.update_all(joined, [Account::VISITS.to(1)])).await?;
    cx.note("rows", written);
    let self_joined = Query::new().join(Account::PARENT).filter(Account::PARENT.joined(Account::NAME.eq("a1")));
    let written = cx.step("joined with itself", repo.update_all(self_joined, [Account::NAME.to("child")])).await?;
    cx.note("rows", written);
    let last_two = Query::order_by(Account::ID.desc()).limit(2);
    let written = cx.step("the last two", repo.update_all(last_two, [Account::VISITS.to(2)])).await?;
    cx.note("rows", written);
    let skipping = Query::order_by(Account::ID.asc()).offset(1).limit(1);
    let written = cx.step("after the first", repo.update_all(skipping, [Account::VISITS.to(3)])).await?;
    cx.note("rows", written);
    // The condition and the order look at a column that is written.
    let by_written = Query::filter(Account::VISITS.lt(3)).order_by(Account::VISITS.desc()).limit(2);
    let written = cx.step("by what is written", repo.update_all(by_written, [Account::VISITS.add(1)])).await?;
    cx.note("rows", written);
    let sorted = Query::filter(Account::ID.lt(3)).order_by(Account::NAME.desc());
    let written = cx.step("an order alone changes nothing", repo.update_all(sorted, [Account::MAYBE.to(1)])).await?;
    cx.note("rows", written);
    cx.rows("accounts", "SELECT id, name, visits, maybe FROM accounts ORDER BY id").await?;
    let sorted =
        Query::new().left_join(Account::ENTRIES).order_by(Account::ENTRIES.joined(Entry::TEXT).desc()).limit(1);
    let deleted = cx.step("delete the first by a joined column", repo.delete_all(sorted)).await?;
    cx.note("rows", deleted);
    cx.rows("accounts", NAMES).await
}

async fn composite_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let dear = Query::order_by((Seat::HALL_ID.desc(), Seat::NUMBER.asc())).limit(3);
    let written = cx.step("the first three", repo.update_all(dear, [Seat::PRICE.add(5)])).await?;
    cx.note("rows", written);
    cx.rows("seats", "SELECT hall_id, number, price FROM hall_seats ORDER BY hall_id, number").await?;
    let deleted = cx.step("delete all but one", repo.delete_all(Query::order_by(Seat::PRICE.asc()).offset(1))).await?;
    cx.note("rows", deleted);
    cx.rows("seats", "SELECT hall_id, number, price FROM hall_seats").await
}

async fn scopes_and_discriminators(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let written = cx.step("dogs that are not hidden", repo.update_all(Query::<Dog>::new(), [Dog::AGE.add(10)])).await?;
    cx.note("rows", written);
    let written = cx.step("all dogs", repo.update_all(Query::<Dog>::unscoped(), [Dog::AGE.add(100)])).await?;
    cx.note("rows", written);
    let error = cx.fails("a dog stays one", repo.update_all(Query::<Dog>::new(), [Dog::KIND.to("cat")])).await?;
    cx.require(
        matches!(error.kind(), ErrorKind::Invalid { errors, .. } if errors[0].code == "discriminator"),
        "its code",
    )?;
    cx.rows("animals", "SELECT id, kind, age FROM animals ORDER BY id").await?;
    let deleted = cx.step("delete dogs", repo.delete_all(Query::<Dog>::new())).await?;
    cx.note("rows", deleted);
    cx.rows("animals", "SELECT id, kind FROM animals ORDER BY id").await
}

async fn what_is_refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    cx.fails("nothing", repo.update_all(Query::<Account>::new(), [])).await?;
    let twice = [Account::VISITS.to(1), Account::NAME.to("x"), Account::VISITS.add(1)];
    cx.fails("twice", repo.update_all(Query::new(), twice)).await?;
    let set = || [Account::NAME.to("x")];
    cx.fails("preloads", repo.update_all(Query::preload(Account::ENTRIES), set())).await?;
    cx.fails("columns", repo.delete_all(Query::select(Account::ID))).await?;
    cx.fails("groups", repo.delete_all(Query::group_by(Account::TENANT_ID))).await?;
    cx.fails("not joined", repo.delete_all(Query::filter(Account::ENTRIES.joined(Entry::ID.eq(1))))).await?;
    cx.fails("a limit of statements", repo.delete_all(Query::<Account>::new().max_statements(0))).await?;
    cx.rows("untouched", NAMES).await
}

async fn deletes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let deleted = cx.step("some", repo.delete_all(Query::filter(Account::TENANT_ID.eq(2)))).await?;
    cx.note("rows", deleted);
    cx.rows("entries are not touched", "SELECT id, account_id FROM entries ORDER BY id").await?;
    let deleted = cx.step("all", repo.delete_all(Query::<Account>::new())).await?;
    cx.note("rows", deleted);
    let deleted = cx.step("none", repo.delete_all(Query::<Account>::new())).await?;
    cx.note("rows", deleted);
    Ok(())
}

async fn in_a_transaction(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let failed = repo
        .transaction(async |tx| {
            tx.update_all(Query::new(), [Account::NAME.to("x")]).await?;
            tx.delete_all(Query::<Animal>::new()).await?;
            Err::<(), _>(Error::other("no"))
        })
        .await;
    cx.require(failed.is_err(), "the error comes back")?;
    cx.rows("as before", NAMES).await?;
    cx.note("animals", repo.count(Query::<Animal>::new()).await?);
    Ok(())
}
