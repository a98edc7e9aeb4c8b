//! Single targets that are replaced: by every option, of keys of every kind, and behind a row that keeps its columns.

use assoc_core::Result;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::studio::{self, Account, Artist, Chair, Firm, Guild, Image, Membership, Ticket};

cases! { "handles_replaced", Level::Collection;
    f43_f46_of_several_types,
    f46_destroyed,
    f47_the_old_one_refuses,
    f87_f103_key_and_conditions,
    composite_keys,
    f54_rows_between_keep_their_columns,
    f54_fails_at_each_statement,
    f53_the_same,
}

fn account(number: &str) -> Changeset<Account> {
    Account::build().set(Account::NUMBER, number)
}

async fn accounts(cx: &mut Context) -> Result<()> {
    cx.rows("accounts", "SELECT number, firm_id, credit FROM accounts ORDER BY number").await
}

async fn firm(repo: &Repo) -> Result<Firm> {
    studio::tables(repo).await?;
    repo.insert(Firm::build().set(Firm::NAME, "one")).await
}

async fn f43_f46_of_several_types(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut firm = firm(&repo).await?;
    const IMAGES: &str = "SELECT name, subject_id, subject_type FROM images ORDER BY id";
    let image = |name: &str| Image::build().set(Image::NAME, name);
    // A row of the same key and another type is not touched.
    repo.insert(image("another type's").set(Image::SUBJECT_ID, 1).set(Image::SUBJECT_TYPE, "Style".to_owned())).await?;
    let mut logo = repo.association(&mut firm, Firm::LOGO);
    let first = cx.step("created, with key and type", logo.create(image("first"))).await?;
    let loose = repo.insert(image("second")).await?;
    cx.step("replaced: key and type of the old one are cleared", logo.set(&loose)).await?;
    cx.rows("images", IMAGES).await?;
    cx.step("and back", logo.set(&first)).await?;
    cx.rows("images", IMAGES).await?;
    cx.step("cleared", logo.clear()).await?;
    cx.require(logo.target() == Some(None), "loaded, and none")?;
    cx.rows("images", IMAGES).await
}

async fn f46_destroyed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut firm = firm(&repo).await?;
    let mut handle = repo.association(&mut firm, Firm::ACCOUNT);
    cx.step("created", handle.create(account("a"))).await?;
    cx.step("replaced: the old one is destroyed", handle.create(account("b"))).await?;
    accounts(cx).await?;
    // A unique value is free again, because the old one goes first.
    cx.step("by one with the same number", handle.create(account("b"))).await?;
    accounts(cx).await?;
    cx.step("cleared", handle.clear()).await?;
    accounts(cx).await
}

// Either both, or neither.
async fn f47_the_old_one_refuses(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut firm = firm(&repo).await?;
    repo.association(&mut firm, Firm::ACCOUNT).create(account("kept")).await?;
    repo.insert(account("taken")).await?;
    let before = firm.clone();
    let mut handle = repo.association(&mut firm, Firm::ACCOUNT);
    for (label, error) in [
        ("replaced", cx.fails("replaced", handle.create(account("new"))).await?),
        ("set", cx.fails("set", handle.set(account("new"))).await?),
        ("cleared", cx.fails("cleared", handle.clear()).await?),
    ] {
        cx.note(label, error);
    }
    cx.require(firm == before, "as before")?;
    accounts(cx).await?;
    // The new one is refused by the database, once the old one is destroyed.
    repo.execute_raw("UPDATE accounts SET number = 'a' WHERE number = 'kept'", []).await?;
    repo.association(&mut firm, Firm::ACCOUNT).reload().await?;
    let before = firm.clone();
    let error =
        cx.fails("a number that is taken", repo.association(&mut firm, Firm::ACCOUNT).create(account("taken"))).await?;
    let again = Changeset::<Firm>::refused_by(&error);
    cx.require(again.is_some() && firm == before, "as before, and the changes come back")?;
    accounts(cx).await
}

async fn f87_f103_key_and_conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut firm = firm(&repo).await?;
    let other = repo.insert(Firm::build().set(Firm::NAME, "other")).await?;
    let mut rich = repo.association(&mut firm, Firm::RICH_ACCOUNT);
    cx.show("built", [rich.build()?]);
    let stolen = account("a").set(Account::FIRM_ID, other.id);
    let created = cx.step("another's key does not count", rich.create(stolen)).await?;
    cx.require(created.firm_id == Some(1) && created.credit == 500, "its own, with the condition")?;
    let error = cx.fails("a contradicted condition", rich.create(account("b").set(Account::CREDIT, 3))).await?;
    cx.note("problem", error);
    let poor = repo.insert(account("c")).await?;
    cx.fails("of a row that exists", rich.set(&poor)).await?;
    cx.require(rich.target().flatten() == Some(&created), "the target stays")?;
    accounts(cx).await
}

async fn composite_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    studio::tables(&repo).await?;
    const TICKETS: &str = "SELECT hall, code, chair_number FROM tickets ORDER BY code";
    let chair = |hall: i64| Chair::build().set(Chair::HALL, hall).set(Chair::NUMBER, 7);
    let mut chair_of_one = repo.insert(chair(1)).await?;
    repo.insert(chair(2)).await?;
    let ticket = |code: &str| Ticket::build().set(Ticket::CODE, code);
    repo.insert(ticket("x").set(Ticket::HALL, 2).set(Ticket::CHAIR_NUMBER, 7)).await?;
    let mut handle = repo.association(&mut chair_of_one, Chair::TICKET);
    cx.step("created", handle.create(ticket("a"))).await?;
    // What is part of its own key stays.
    cx.step("replaced", handle.create(ticket("b"))).await?;
    cx.rows("tickets", TICKETS).await?;
    cx.step("cleared", handle.clear()).await?;
    cx.rows("tickets", TICKETS).await
}

async fn artist(repo: &Repo) -> Result<(Artist, Vec<Guild>)> {
    studio::tables(repo).await?;
    let artist = repo.insert(Artist::build().set(Artist::NAME, "Ada's")).await?;
    let guilds = repo.insert_all(["poets", "painters"].map(|code| Guild::build().set(Guild::CODE, code))).await?;
    Ok((artist, guilds))
}

const MEMBERSHIPS: &str = "SELECT id, artist_name, guild_code, role FROM memberships ORDER BY id";
const GUILDS: &str = "SELECT code, memberships_count FROM guilds ORDER BY id";

async fn f54_rows_between_keep_their_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut artist, guilds) = artist(&repo).await?;
    let draft = Membership::build().set(Membership::GUILD_CODE, "poets").set(Membership::ROLE, "chair");
    repo.association(&mut artist, Artist::MEMBERSHIP).create(draft).await?;
    let other = repo.insert(Artist::build().set(Artist::NAME, "Bob")).await?;
    repo.insert(Membership::build().set(Membership::ARTIST_NAME, other.name).set(Membership::GUILD_CODE, "poets"))
        .await?;
    let mut guild = repo.association(&mut artist, Artist::GUILD);
    cx.step("another target: the row between leads to it", guild.set(&guilds[1])).await?;
    cx.require(guild.target().flatten().is_some_and(|guild| guild.code == "painters"), "loaded")?;
    cx.require(guild.target().flatten().is_some_and(|guild| guild.memberships_count == 1), "and counted")?;
    cx.rows("memberships", MEMBERSHIPS).await?;
    cx.rows("guilds", GUILDS).await?;
    let new = Guild::build().set(Guild::CODE, "weavers");
    cx.step("a new target", guild.create(new)).await?;
    cx.require(guild.target().flatten().is_some_and(|guild| guild.code == "weavers"), "loaded")?;
    cx.rows("memberships", MEMBERSHIPS).await?;
    cx.rows("guilds", GUILDS).await?;
    cx.step("the same", {
        let same = guild.get().await?;
        let same = same.ok_or_else(|| Error::other("a guild"))?;
        guild.set(std::sync::Arc::new(same))
    })
    .await?;
    cx.rows("memberships", MEMBERSHIPS).await?;
    // In a changeset as by a handle.
    let change = artist.change().set_one(Artist::GUILD, &guilds[0]);
    cx.note("plan", repo.explain_save(&change)?);
    let mut artist = cx.step("by a changeset", repo.update(change)).await?;
    cx.rows("memberships", MEMBERSHIPS).await?;
    // Several rows between, which the schema does not prevent: one stays.
    repo.execute_raw("INSERT INTO memberships (artist_name, guild_code) VALUES ('Ada''s', 'weavers')", []).await?;
    cx.step("of several rows", repo.association(&mut artist, Artist::GUILD).set(&guilds[1])).await?;
    cx.rows("memberships", MEMBERSHIPS).await?;
    cx.step("none", repo.association(&mut artist, Artist::GUILD).clear()).await?;
    cx.rows("memberships", MEMBERSHIPS).await?;
    cx.step("and one again", repo.association(&mut artist, Artist::GUILD).set(&guilds[0])).await?;
    cx.rows("memberships", "SELECT artist_name, guild_code, role FROM memberships ORDER BY id").await
}

async fn f54_fails_at_each_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut artist, guilds) = artist(&repo).await?;
    let draft = Membership::build().set(Membership::GUILD_CODE, "poets").set(Membership::ROLE, "chair");
    repo.association(&mut artist, Artist::MEMBERSHIP).create(draft).await?;
    repo.association(&mut artist, Artist::GUILD).load().await?;
    let mut failures = 0;
    for new in [false, true] {
        for failed in 0..20 {
            let tx = repo.begin().await?;
            let mut owner = artist.clone();
            cx.recorder().fail_after(failed);
            let mut guild = tx.association(&mut owner, Artist::GUILD);
            let result = match new {
                true => guild.set(Guild::build().set(Guild::CODE, "weavers")).await,
                false => guild.set(&guilds[1]).await,
            };
            cx.recorder().fail_no_more();
            tx.rollback().await?;
            if result.is_ok() {
                break;
            }
            failures += 1;
            cx.require(owner == artist && failed < 19, "the owner stays as it is")?;
        }
    }
    cx.require(failures >= 5, "each call fails at each statement")?;
    cx.rows("memberships", MEMBERSHIPS).await?;
    cx.rows("guilds", GUILDS).await
}

// What is so already is looked up, and not written.
async fn f53_the_same(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut firm = firm(&repo).await?;
    let created = repo.association(&mut firm, Firm::ACCOUNT).create(account("a")).await?;
    let mut handle = repo.association(&mut firm, Firm::ACCOUNT);
    cx.step("the same", handle.set(&created)).await?;
    cx.step("the same with a change", handle.set(created.change().set(Account::CREDIT, 9))).await?;
    accounts(cx).await?;
    // In memory it is another's by now.
    repo.execute_raw("UPDATE accounts SET firm_id = NULL", []).await?;
    cx.step("the same, which it is no longer", handle.set(&created)).await?;
    accounts(cx).await
}
