//! Handles of single targets: read, loaded, set, cleared and created, of every kind.

use assoc_core::{LoadState, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::firms::{self, Club, Person};
use conformance_written_models::guild::{self, Account, Company, Picture, Post, Subject, User};
use conformance_written_models::removals::{self, Album, Cover};

cases! { "handles_one", Level::Collection;
    f37_f38_read,
    f40_f42_belongs_to,
    f43_f45_has_one,
    f46_by_dependent,
    f47_f53_refused_or_the_same,
    f48_f50_build_and_create,
    f52_polymorphic,
    f54_has_one_through,
    fails_at_each_statement,
}

fn user(name: &str) -> Changeset<User> {
    User::build().set(User::NAME, name)
}

fn account(number: &str) -> Changeset<Account> {
    Account::build().set(Account::NUMBER, number)
}

async fn accounts(cx: &mut Context) -> Result<()> {
    cx.rows("accounts", "SELECT number, user_id FROM accounts ORDER BY id").await
}

async fn f37_f38_read(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let company = Company::build().set(Company::NAME, "Analytical");
    let ada = repo.insert(user("Ada").set_one(User::ACCOUNT, account("1")).associate(User::COMPANY, company)).await?;
    let bob = repo.insert(user("Bob")).await?;
    for owner in [ada.id, bob.id] {
        let mut owner = repo.get_or_fail::<User>(owner, Query::new()).await?;
        cx.note("of", &owner.name);
        let has = owner.name == "Ada";
        let single = repo.association(&owner, User::ACCOUNT);
        let holds = cx.step("get", single.get()).await?.is_some() == has;
        cx.require(holds, "get")?;
        let holds = cx.step("exists", single.exists()).await? == has;
        cx.require(holds, "exists")?;
        let mut single = repo.association(&mut owner, User::ACCOUNT);
        cx.require(single.target().is_none(), "nothing is kept")?;
        let holds = cx.step("load", single.load()).await?.is_some() == has;
        cx.require(holds, "load")?;
        cx.step("load again", single.load()).await?;
        let holds = cx.step("get of what is loaded", single.get()).await?.is_some() == has;
        cx.require(holds, "get")?;
        cx.step("exists of what is loaded", single.exists()).await?;
        let holds = cx.step("reload", single.reload()).await?.is_some() == has;
        cx.require(holds, "reload")?;
        single.reset();
        cx.require(single.state() == LoadState::NotLoaded, "forgotten")?;
        let mut single = repo.association(&mut owner, User::COMPANY);
        let holds = cx.step("belongs_to: get", single.get()).await?.is_some() == has;
        cx.require(holds, "get")?;
        let holds = cx.step("load", single.load()).await?.is_some() == has;
        cx.require(holds, "load")?;
        cx.require(single.target().is_some_and(|target| target.is_some() == has), "kept")?;
    }
    Ok(())
}

async fn f40_f42_belongs_to(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada")).await?;
    let company = repo.insert(Company::build().set(Company::NAME, "one")).await?;
    let mut single = repo.association(&mut ada, User::COMPANY);
    cx.step("a row", single.set(&company)).await?;
    cx.require(single.target().flatten().is_some_and(|target| target.id == company.id), "it is loaded")?;
    cx.step("the same", single.set(&company)).await?;
    let new = cx.step("a new one", single.create(Company::build().set(Company::NAME, "two"))).await?;
    cx.require(single.owner().company_id == Some(new.id), "its key")?;
    cx.require(single.target().flatten().is_some_and(|target| target.name == "two"), "it is loaded")?;
    cx.rows("users", "SELECT name, company_id FROM users").await?;
    cx.step("none", single.clear()).await?;
    cx.require(single.owner().company_id.is_none(), "no key")?;
    let holds = cx.step("get", single.get()).await?.is_none();
    cx.require(holds, "none")?;
    cx.step("none again", single.clear()).await?;
    cx.rows("users", "SELECT name, company_id FROM users").await?;
    cx.show("built", [repo.association(&ada, User::COMPANY).build()?]);
    Ok(())
}

async fn f43_f45_has_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada")).await?;
    let loose = repo.insert(account("1")).await?;
    let mut single = repo.association(&mut ada, User::ACCOUNT);
    cx.step("a row", single.set(&loose)).await?;
    cx.require(single.target().flatten().is_some_and(|target| target.number == "1"), "it is loaded")?;
    cx.step("a new one, not loaded before", single.set(account("2"))).await?;
    accounts(cx).await?;
    // A second one, which the schema does not prevent.
    repo.insert(account("3").set(Account::USER_ID, ada.id)).await?;
    let mut single = repo.association(&mut ada, User::ACCOUNT);
    cx.step("all others are let go", single.set(&loose)).await?;
    accounts(cx).await?;
    cx.step("none", single.clear()).await?;
    cx.require(single.target() == Some(None), "loaded, and none")?;
    accounts(cx).await
}

async fn f46_by_dependent(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    removals::fixture(&repo).await?;
    let mut album = repo.get_or_fail::<Album>(1, Query::new()).await?;
    let mut cover = repo.association(&mut album, Album::COVER);
    let new = cx.step("the old one is destroyed", cover.create(Cover::build())).await?;
    cx.require(cover.get().await? == Some(new), "the new one")?;
    cx.step("deleted", repo.association(&mut album, Album::BACK).clear()).await?;
    cx.rows("covers", "SELECT album_id FROM covers ORDER BY id").await?;
    cx.rows("stickers", "SELECT id, cover_id FROM stickers ORDER BY id").await?;
    cx.rows("backs", "SELECT id, album_id FROM backs ORDER BY id").await
}

async fn f47_f53_refused_or_the_same(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada").set_one(User::ACCOUNT, account("1"))).await?;
    let before = ada.clone();
    let own = ada.account()?.cloned();
    let mut single = repo.association(&mut ada, User::ACCOUNT);
    cx.fails("a new one that is wrong", single.create(Account::build())).await?;
    cx.require(single.target().flatten() == own.as_ref(), "the old one stays")?;
    if let Some(own) = &own {
        cx.step("the same", single.set(own)).await?;
    }
    cx.require(ada == before, "as before")?;
    accounts(cx).await
}

async fn f48_f50_build_and_create(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada").set_one(User::ACCOUNT, account("1"))).await?;
    let mut single = repo.association(&mut ada, User::ACCOUNT);
    let built = single.build()?.set(Account::NUMBER, "2");
    cx.show("built", [&built]);
    accounts(cx).await?;
    cx.step("and set", single.set(built)).await?;
    accounts(cx).await?;
    let created = cx.step("created", single.create(account("3"))).await?;
    cx.require(created.user_id == Some(ada.id), "hers")?;
    let existing = created.change().set(Account::NUMBER, "changed");
    cx.fails("a row that exists", repo.association(&mut ada, User::ACCOUNT).create(existing)).await?;
    accounts(cx).await
}

async fn f52_polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = repo.insert(user("Ada")).await?;
    let mut picture = repo.insert(Picture::build().set(Picture::NAME, "p")).await?;
    let mut subject = repo.association(&mut picture, Picture::SUBJECT);
    let holds = cx.step("none", subject.get()).await?.is_none();
    cx.require(holds, "none")?;
    cx.step("a row of one model", subject.set(&ada)).await?;
    cx.require(matches!(subject.target(), Some(Some(Subject::User(user))) if user.id == ada.id), "loaded")?;
    cx.step("a new row of another", subject.set(Post::build().set(Post::TITLE, "new"))).await?;
    cx.require(matches!(subject.target(), Some(Some(Subject::Post(post))) if post.title == "new"), "loaded")?;
    cx.rows("pictures", "SELECT name, subject_id, subject_type FROM pictures").await?;
    let value = Subject::User(ada);
    cx.step("a value", subject.set(&value)).await?;
    subject.reset();
    let holds = matches!(cx.step("get", subject.get()).await?, Some(Subject::User(_)));
    cx.require(holds, "the user")?;
    let holds = matches!(cx.step("load", subject.load()).await?, Some(Subject::User(_)));
    cx.require(holds, "the user")?;
    cx.step("none", subject.clear()).await?;
    cx.rows("pictures", "SELECT name, subject_id, subject_type FROM pictures").await
}

async fn f54_has_one_through(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    firms::tables(&repo).await?;
    let mut ada = repo.insert(Person::build().set(Person::NAME, "Ada")).await?;
    let poets = repo.insert(Club::build().set(Club::NAME, "Poets")).await?;
    let mut club = repo.association(&mut ada, Person::CLUB);
    let holds = cx.step("none", club.get()).await?.is_none();
    cx.require(holds, "none")?;
    cx.step("the row between is inserted", club.set(&poets)).await?;
    cx.require(club.target().flatten().is_some_and(|club| club.name == "Poets"), "loaded")?;
    cx.step("the same", club.set(&poets)).await?;
    cx.step("a new one", club.create(Club::build().set(Club::NAME, "Painters"))).await?;
    cx.rows("seats", "SELECT person_id, club_id FROM seats").await?;
    cx.step("none", club.clear()).await?;
    cx.require(club.target() == Some(None), "none")?;
    cx.rows("seats", "SELECT person_id, club_id FROM seats").await?;
    cx.rows("clubs", "SELECT name FROM clubs ORDER BY id").await
}

async fn fails_at_each_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let company = Company::build().set(Company::NAME, "one");
    let draft = user("Ada").set_one(User::ACCOUNT, account("1")).associate(User::COMPANY, company);
    let ada = repo.insert(draft).await?;
    let mut failures = 0;
    for call in 0..4 {
        for failed in 0..20 {
            let tx = repo.begin().await?;
            let mut owner = ada.clone();
            cx.recorder().fail_after(failed);
            let result = match call {
                0 => tx.association(&mut owner, User::ACCOUNT).set(account("2")).await,
                1 => tx.association(&mut owner, User::ACCOUNT).clear().await,
                2 => tx.association(&mut owner, User::COMPANY).set(Company::build().set(Company::NAME, "two")).await,
                _ => tx.association(&mut owner, User::COMPANY).clear().await,
            };
            cx.recorder().fail_after(usize::MAX);
            let done = result.is_ok();
            if !done {
                failures += 1;
                cx.require(owner == ada, "the owner stays as it is")?;
            }
            tx.rollback().await?;
            if done {
                break;
            }
        }
    }
    cx.require(failures >= 8, "each call fails at each statement")?;
    accounts(cx).await
}
