//! A filtered repo filters writes: every writing call tries to reach another tenant's rows.

use assoc_core::Result;
use assoc_core::metadata::Expr;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::guild;
use conformance_written_models::registry::{self, Account, Entry, LogLine, Seat};

cases! { "filtered_writes", Level::Write;
    update_and_delete,
    bulk,
    insert,
    links,
    composite_keys,
    by_what_associations_lead_to,
    by_sql,
    in_transactions,
    saved_graphs,
}

fn tenant(repo: &Repo, id: i64) -> Repo {
    repo.filtered(move |model| Some(Expr::equals(model.column("tenant_id").ok()?.name, Value::from(id))))
}

const ACCOUNTS: &str = "SELECT id, tenant_id, name, parent_id FROM accounts ORDER BY id";
const ENTRIES: &str = "SELECT id, tenant_id, account_id, text FROM entries ORDER BY id";

fn is_outside(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::OutsideFilter { .. })
}

fn account(tenant: i64) -> assoc_repo::Changeset<Account> {
    Account::build()
        .set(Account::TENANT_ID, tenant)
        .set(Account::NAME, "new")
        .set(Account::BALANCE, rust_decimal::Decimal::ONE)
        .set(Account::LEVEL, 1)
        .set(Account::POINTS, 1)
        .set(Account::VISITS, 1)
        .set(Account::RATE, 1.0)
}

async fn update_and_delete(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let one = tenant(&repo, 1);
    let (own, other) =
        (one.get_or_fail::<Account>(1, Query::new()).await?, repo.get_or_fail::<Account>(4, Query::new()).await?);
    let error = cx.fails("update of another's", one.update(other.change().set(Account::NAME, "stolen"))).await?;
    cx.require(error.is_not_found(), "not found")?;
    let error = cx.fails("delete of another's", one.delete(&other)).await?;
    cx.require(error.is_not_found(), "not found")?;
    let error = cx.fails("taking another's", one.update(other.change().set(Account::TENANT_ID, 1))).await?;
    cx.require(error.is_not_found(), "not found")?;
    let error = cx.fails("giving away", one.update(own.change().set(Account::TENANT_ID, 2))).await?;
    cx.require(is_outside(&error), "outside")?;
    let renamed = cx.step("its own", one.update(own.change().set(Account::NAME, "mine"))).await?;
    cx.require(renamed.name == "mine", "written")?;
    cx.rows("accounts", ACCOUNTS).await?;
    cx.step("its own", one.delete(&renamed)).await?;
    cx.rows("accounts", ACCOUNTS).await
}

async fn bulk(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let one = tenant(&repo, 1);
    let written = cx.step("update_all", one.update_all(Query::new(), [Account::NAME.to("mine")])).await?;
    cx.note("rows", written);
    let reached = Query::unscoped().or_filter(Account::ID.gt(0)).or_filter(Account::TENANT_ID.eq(2));
    let written = cx.step("by an OR", one.update_all(reached.clone(), [Account::VISITS.to(0)])).await?;
    cx.note("rows", written);
    let error = cx.fails("giving away", one.update_all(Query::new(), [Account::TENANT_ID.to(2)])).await?;
    cx.require(is_outside(&error), "outside")?;
    let error = cx.fails("counting away", one.update_all(Query::new(), [Account::TENANT_ID.add(1)])).await?;
    cx.require(is_outside(&error), "outside")?;
    let written = cx.step("to its own", one.update_all(Query::new(), [Account::TENANT_ID.to(1)])).await?;
    cx.note("rows", written);
    // An association is looked into through the filter as well.
    let by_entries = Query::filter(Account::ENTRIES.any(Entry::TEXT.eq("e4")));
    let deleted = cx.step("by another's entries", one.delete_all(by_entries)).await?;
    cx.note("rows", deleted);
    let deleted = cx.step("delete_all", one.delete_all(reached)).await?;
    cx.note("rows", deleted);
    cx.rows("accounts", "SELECT id, tenant_id, name, visits FROM accounts ORDER BY id").await
}

async fn insert(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let one = tenant(&repo, 1);
    let error = cx.fails("for another", one.insert(account(2))).await?;
    cx.require(is_outside(&error), "outside")?;
    let error = cx.fails("one of several", one.insert_all([account(1), account(2)])).await?;
    cx.require(is_outside(&error), "outside")?;
    let own = cx.step("its own", one.insert(account(1))).await?;
    cx.require(own.tenant_id == 1, "written")?;
    cx.rows("accounts", ACCOUNTS).await
}

async fn links(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let one = tenant(&repo, 1);
    let (own, other) =
        (one.get_or_fail::<Account>(2, Query::new()).await?, repo.get_or_fail::<Account>(4, Query::new()).await?);
    let entry = || Entry::build().set(Entry::TENANT_ID, 1).set(Entry::TEXT, "new");
    let error = cx.fails("a new row", one.insert(entry().associate(Entry::ACCOUNT, &other))).await?;
    let named = matches!(error.kind(), ErrorKind::OutsideFilter { model: "Entry", association: Some(name), .. } if name == "Entry.account");
    cx.require(named, "it names the association")?;
    cx.fails("by its key", one.insert(entry().set(Entry::ACCOUNT_ID, 5))).await?;
    cx.fails("a row that is not there", one.insert(entry().set(Entry::ACCOUNT_ID, 77))).await?;
    cx.fails(
        "of several one",
        one.insert_all([entry().associate(Entry::ACCOUNT, &own), entry().set(Entry::ACCOUNT_ID, 4)]),
    )
    .await?;
    let first = one.get_or_fail::<Entry>(1, Query::new()).await?;
    cx.fails("an existing row", one.update(first.change().associate(Entry::ACCOUNT, &other))).await?;
    let first = cx.step("to a row that is seen", one.update(first.change().associate(Entry::ACCOUNT, &own))).await?;
    cx.step("to none", one.update(first.change().dissociate(Entry::ACCOUNT))).await?;
    cx.fails("of the same table", one.update(own.change().associate(Account::PARENT, &other))).await?;
    let tree = [account(1).set(Account::ID, 50), account(1).set(Account::ID, 51).set(Account::PARENT_ID, 50)];
    cx.step("to a row of the same call", one.insert_all(tree)).await?;
    cx.rows("accounts", ACCOUNTS).await?;
    cx.rows("entries", ENTRIES).await
}

async fn composite_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let one = tenant(&repo, 1);
    let other = repo.get_or_fail::<Seat>((2, 1), Query::new()).await?;
    cx.fails("update", one.update(other.change().set(Seat::PRICE, 0))).await?;
    cx.fails("delete", one.delete(&other)).await?;
    let written = cx
        .step("update_all", one.update_all(Query::order_by(Seat::PRICE.asc()).limit(10), [Seat::PRICE.to(1)]))
        .await?;
    cx.note("rows", written);
    cx.rows("seats", "SELECT hall_id, number, tenant_id, price FROM hall_seats ORDER BY hall_id, number").await
}

// Entries are seen by the tenant of their account.
async fn by_what_associations_lead_to(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    repo.create_table::<LogLine>().await?;
    let one = repo.filtered(|model| {
        let own = || Account::TENANT_ID.eq(1);
        match model.name {
            "Account" => Some(own().into_expr()),
            "Entry" => Some(Entry::ACCOUNT.any(own()).into_expr()),
            "LogLine" => Some(LogLine::ACCOUNT.any(own()).into_expr()),
            _ => None,
        }
    });
    let entry = || Entry::build().set(Entry::TENANT_ID, 9).set(Entry::TEXT, "new");
    cx.fails("insert without account", one.insert(entry())).await?;
    cx.fails("insert into another's", one.insert(entry().set(Entry::ACCOUNT_ID, 4))).await?;
    cx.step("insert", one.insert(entry().set(Entry::ID, 50).set(Entry::ACCOUNT_ID, 2))).await?;
    let (own, other) =
        (repo.get_or_fail::<Entry>(1, Query::new()).await?, repo.get_or_fail::<Entry>(4, Query::new()).await?);
    cx.fails("update of another's", one.update(other.change().set(Entry::TEXT, "stolen"))).await?;
    cx.fails("giving away", one.update(own.change().set(Entry::ACCOUNT_ID, 4))).await?;
    cx.step("update", one.update(own.change().set(Entry::TEXT, "changed"))).await?;
    cx.fails("giving all away", one.update_all(Query::new(), [Entry::ACCOUNT_ID.to(4)])).await?;
    let written = cx.step("update_all", one.update_all(Query::new(), [Entry::TENANT_ID.to(8)])).await?;
    cx.note("rows", written);
    cx.rows("entries", ENTRIES).await?;
    let deleted = cx.step("delete_all", one.delete_all(Query::<Entry>::new())).await?;
    cx.note("rows", deleted);
    let line = LogLine::build().set(LogLine::TEXT, "new").set(LogLine::ACCOUNT_ID, 1);
    cx.fails("without a key the database cannot be asked", one.insert(line)).await?;
    cx.rows("entries", ENTRIES).await
}

async fn by_sql(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let one = repo.filtered(|model| {
        let has_tenant = model.column("tenant_id").is_ok();
        has_tenant.then(|| Expr::Raw { sql: "tenant_id + 0 = ?".into(), binds: vec![Value::Int(1)] })
    });
    cx.fails("insert for another", one.insert(account(2))).await?;
    cx.step("insert", one.insert(account(1))).await?;
    let own = repo.get_or_fail::<Account>(1, Query::new()).await?;
    cx.fails("giving away", one.update(own.change().set(Account::TENANT_ID, 2))).await?;
    cx.fails("giving all away", one.update_all(Query::new(), [Account::TENANT_ID.to(2)])).await?;
    let written = cx.step("update_all", one.update_all(Query::new(), [Account::NAME.to("mine")])).await?;
    cx.note("rows", written);
    let deleted = cx.step("delete_all", one.delete_all(Query::<Account>::new())).await?;
    cx.note("rows", deleted);
    cx.rows("accounts", ACCOUNTS).await
}

async fn in_transactions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let one = tenant(&repo, 1);
    one.transaction(async |tx| {
        tx.insert(account(1)).await?;
        // What is refused leaves the rest of the transaction alone.
        let refused =
            tx.insert(Entry::build().set(Entry::TENANT_ID, 1).set(Entry::TEXT, "x").set(Entry::ACCOUNT_ID, 4)).await;
        assert!(refused.is_err_and(|error| is_outside(&error)));
        tx.filtered(|_| None).delete_all(Query::<Account>::new().filter(Account::ID.gt(2))).await
    })
    .await?;
    cx.rows("accounts", ACCOUNTS).await?;
    cx.rows("entries", ENTRIES).await
}

// Whatever a saved graph says of members, hidden rows stay as they are.
async fn saved_graphs(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let post = |title: &str| guild::Post::build().set(guild::Post::TITLE, title);
    let user = || guild::User::build().set(guild::User::NAME, "Ada");
    let hidden = repo.insert(post("hidden")).await?;
    let tag = repo.insert(guild::Tag::build().set(guild::Tag::NAME, "hidden")).await?;
    let some = repo.filtered(|model| match model.name {
        "Post" => Some(guild::Post::TITLE.ne("hidden").into_expr()),
        "Tag" => Some(guild::Tag::NAME.ne("hidden").into_expr()),
        _ => None,
    });
    let posts = guild::User::POSTS;
    let refused = [
        ("a new hidden member", some.insert(user().push(posts, post("hidden"))).await),
        ("a hidden row as a member", some.insert(user().push(posts, &hidden)).await),
        ("a link to a hidden row", some.insert(user().push(posts, post("a").push(guild::Post::TAGS, &tag))).await),
    ];
    for (title, result) in refused {
        cx.require(result.is_err_and(|error| is_outside(&error)), title)?;
    }
    cx.note("users", repo.count(Query::<guild::User>::new()).await?);
    let ada = some.insert(user().push(posts, post("a"))).await?;
    let hidden = repo.update(hidden.change().associate(guild::Post::USER, &ada)).await?;
    let edited = some.update(ada.change().edit(posts, hidden.change().set(guild::Post::TITLE, "seen"))).await;
    cx.require(edited.is_err(), "a hidden member is edited")?;
    let removed = some.update(ada.change().remove(posts, &hidden)).await;
    cx.require(removed.is_err(), "a hidden member is let go")?;
    let hiding =
        some.update(ada.change().edit(posts, ada.posts()?[0].change().set(guild::Post::TITLE, "hidden"))).await;
    cx.require(hiding.is_err_and(|error| is_outside(&error)), "a member is hidden")?;
    some.update(ada.change().replace(posts, [post("b")])).await?;
    // Without ids: MariaDB does not take back those of rows that were undone.
    let posts = "SELECT posts.title, users.name FROM posts LEFT JOIN users ON users.id = posts.user_id ORDER BY title";
    cx.rows("posts", posts).await
}
