//! Behaviours that users of other association layers rely on when they write, as far as no other area has them.

use assoc_core::Result;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::counted::{self, Article, Firm, Worker, Writer};
use conformance_written_models::league::{self, Coach, Player};
use conformance_written_models::pirates::{self, Bird, Crew, Oath, Parrot, Pirate, Ship};

cases! { "acceptance", Level::Write;
    a_single_member_that_is_wrong,
    a_single_member_without_validation,
    members_without_validation,
    several_counters_at_once,
    unique_indexes_without_rules,
    by_a_column_that_is_no_primary_key,
    rows_between_that_refuse_to_go,
    links_under_foreign_keys,
    a_key_in_the_input_of_a_member,
    deleted_by_keys_of_any_kind,
    a_target_by_default,
}

fn pirate(name: &str) -> Changeset<Pirate> {
    Pirate::build().set(Pirate::NAME, name)
}

fn ship(name: &str) -> Changeset<Ship> {
    Ship::build().set(Ship::NAME, name).set(Ship::MASTS, 3)
}

async fn left(cx: &mut Context) -> Result<()> {
    cx.rows("pirates", "SELECT name FROM pirates ORDER BY name").await?;
    let ships = "SELECT s.name, p.name FROM ships s LEFT JOIN pirates p ON p.id = s.pirate_id ORDER BY s.name, p.name";
    cx.rows("ships", ships).await
}

// Rails saves the owner, and not the ship.
async fn a_single_member_that_is_wrong(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pirates::tables(&repo).await?;
    let error = cx.fails("with a new owner", repo.insert(pirate("Anne").set_one(Pirate::SHIP, ship("")))).await?;
    cx.require(error.field_errors().iter().any(|error| error.path == "ship.name"), "with its path")?;
    let mut mary = repo.insert(pirate("Mary").set_one(Pirate::SHIP, ship("Revenge"))).await?;
    cx.fails("in place of another", repo.update(mary.change().set_one(Pirate::SHIP, ship("")))).await?;
    let own = mary.ship()?.ok_or_else(|| Error::other("no ship"))?.clone();
    cx.fails("edited", repo.update(mary.change().edit(Pirate::SHIP, own.change().set(Ship::NAME, "")))).await?;
    cx.fails("by a handle", repo.association(&mut mary, Pirate::SHIP).create(ship(""))).await?;
    cx.require(mary.ship()?.is_some_and(|ship| ship.name == "Revenge"), "the handle's owner is as before")?;
    // A row that exists is not judged: nothing was said of it.
    repo.execute_raw("INSERT INTO ships (name, masts) VALUES ('', 1)", []).await?;
    let nameless = repo.one(Query::filter(Ship::NAME.eq(""))).await?.ok_or_else(|| Error::other("none"))?;
    cx.step("one that is wrong in the database", repo.update(mary.change().set_one(Pirate::SHIP, &nameless))).await?;
    left(cx).await
}

async fn a_single_member_without_validation(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pirates::tables(&repo).await?;
    let anne = cx.step("with a new owner", repo.insert(pirate("Anne").set_one(Pirate::ANY_SHIP, ship("")))).await?;
    cx.require(anne.any_ship()?.is_some_and(|ship| ship.pirate_id == Some(anne.id)), "it is stored, and loaded")?;
    let change = anne.change().set_one(Pirate::ANY_SHIP, ship(""));
    let anne = cx.step("in place of another", repo.update(change)).await?;
    let own = anne.any_ship()?.ok_or_else(|| Error::other("no ship"))?.change().set(Ship::MASTS, 1);
    cx.step("edited", repo.update(anne.change().edit(Pirate::ANY_SHIP, own))).await?;
    // What the database would refuse is refused before it is asked.
    let lacking = Ship::build().set(Ship::NAME, "x");
    cx.fails("a value is missing", repo.insert(pirate("Mary").set_one(Pirate::ANY_SHIP, lacking))).await?;
    left(cx).await
}

async fn members_without_validation(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pirates::tables(&repo).await?;
    let birds = || ["Polly", ""].map(|name| Bird::build().set(Bird::NAME, name));
    let error = cx.fails("judged", repo.insert(pirate("Anne").push(Pirate::BIRDS, birds()))).await?;
    cx.require(error.field_errors().iter().any(|error| error.path == "birds[1].name"), "with its place")?;
    cx.step("not judged", repo.insert(pirate("Mary").push(Pirate::ANY_BIRDS, birds()))).await?;
    // Its own rules hold where it is saved by itself.
    cx.fails("by itself", repo.insert(Bird::build().set(Bird::NAME, ""))).await?;
    cx.rows(
        "birds",
        "SELECT b.name, p.name, p.birds_count FROM birds b JOIN pirates p ON p.id = b.pirate_id ORDER BY b.name",
    )
    .await
}

async fn several_counters_at_once(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&repo).await?;
    for sql in [
        "INSERT INTO comments (article_id, author_id, body) VALUES (1, 1, 'a'), (1, 2, 'b'), (2, 2, 'c')",
        "INSERT INTO marks (markable_id, markable_type) VALUES (1, 'Writer'), (1, 'essay'), (3, 'essay')",
        "UPDATE articles SET comments_count = NULL, marks_count = 7 WHERE id = 3",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    let all = (Writer::ARTICLES, Writer::MARKS, Writer::COMMENTS);
    let wrong = cx.step("three of writers", repo.reset_counters(all)).await?;
    cx.note("wrong", wrong);
    cx.rows("writers", "SELECT name, articles_count, marks_count, said_count FROM writers ORDER BY id").await?;
    let two = (Article::COMMENTS, Article::MARKS);
    let wrong = cx.step("two of one article", repo.reset_counters_of(two, [1])).await?;
    cx.note("wrong", wrong);
    let wrong = cx.step("two of all", repo.reset_counters(two)).await?;
    cx.note("wrong", wrong);
    cx.rows("articles", "SELECT title, comments_count, marks_count FROM articles ORDER BY id").await?;
    let wrong = cx.step("nothing is wrong", repo.reset_counters(all)).await?;
    cx.note("wrong", wrong);
    repo.execute_raw("UPDATE writers SET said_count = 9 WHERE id = 2", []).await?;
    let wrong = cx.step("one of three is wrong", repo.reset_counters(all)).await?;
    cx.note("wrong", wrong);
    let wrong = cx.step("the same one twice", repo.reset_counters((Writer::MARKS, Writer::MARKS))).await?;
    cx.note("wrong", wrong);
    Ok(())
}

// Every database names the fields, whatever it calls the index.
async fn unique_indexes_without_rules(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    repo.execute_raw("CREATE UNIQUE INDEX called_by_another_name ON coaches (name)", []).await?;
    let coach = |id: i64, name: &str| Coach::build().set(Coach::ID, id).set(Coach::NAME, name.to_owned());
    repo.insert(coach(71, "Zoe")).await?;
    let shown = |cx: &mut Context, label: &str, error: Option<Error>| -> Result<()> {
        let error = error.ok_or_else(|| Error::other("saved"))?;
        cx.require(error.is_unique_violation(), "it says so")?;
        let fields =
            error.field_errors().iter().map(|error| format!("{} {} ({})", error.path, error.message, error.code));
        cx.note(label, fields.collect::<Vec<_>>().join(", "));
        Ok(())
    };
    let error = repo.insert(coach(72, "Zoe")).await.err();
    shown(cx, "inserted", error)?;
    let error = repo.insert_all([coach(72, "Yan"), coach(73, "Zoe")]).await.err();
    shown(cx, "one of several", error)?;
    let sam = repo.insert(coach(74, "Yan")).await?;
    let error = repo.update(sam.change().set(Coach::NAME, "Zoe".to_owned())).await.err();
    shown(cx, "updated", error)?;
    let player = Player::build().set(Player::ID, 90).set(Player::NUMBER, 90).set(Player::NAME, "x");
    let error = repo.insert(player.associate(Player::COACH, coach(75, "Zoe"))).await.err();
    shown(cx, "above another", error)?;
    let error = repo.insert(coach(71, "Xia")).await.err();
    shown(cx, "the primary key", error)?;
    // The transaction around it goes on, because of the savepoint.
    repo.transaction(async |tx| {
        let error = tx.transaction(async |inner| inner.insert(coach(76, "Zoe")).await).await.err();
        shown(cx, "in a transaction", error)?;
        tx.insert(coach(77, "Xia")).await.map(drop)
    })
    .await?;
    cx.rows("coaches", "SELECT id, name FROM coaches WHERE id > 70 ORDER BY id").await
}

async fn by_a_column_that_is_no_primary_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Firm>().await?;
    repo.create_table::<Worker>().await?;
    let firm = |code: &str| Firm::build().set(Firm::CODE, code);
    let acme = repo.insert(firm("acme")).await?;
    let worker = cx.step("a firm that exists", repo.insert(Worker::build().associate(Worker::FIRM, &acme))).await?;
    cx.require(worker.firm_code.as_deref() == Some("acme"), "its code, and not its id")?;
    let moved = cx.step("a new one", repo.update(worker.change().associate(Worker::FIRM, firm("bolt")))).await?;
    cx.require(moved.firm()?.is_some_and(|firm| firm.code == "bolt"), "loaded")?;
    let saved = cx
        .step("from above", repo.insert(firm("cord").push(Firm::WORKERS, [Worker::build(), Worker::build()])))
        .await?;
    cx.require(saved.workers()?.iter().all(|worker| worker.firm_code.as_deref() == Some("cord")), "linked by it")?;
    let none = cx.step("none", repo.update(moved.change().dissociate(Worker::FIRM))).await?;
    cx.require(none.firm_code.is_none(), "cleared")?;
    cx.rows("firms", "SELECT code, staff_count FROM firms ORDER BY code").await?;
    let done = cx.step("destroyed by it", repo.destroy(&saved)).await?;
    cx.note("done", done);
    cx.rows("workers", "SELECT firm_code FROM workers").await
}

async fn rows_between_that_refuse_to_go(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pirates::tables(&repo).await?;
    let crew = |name: &str| Crew::build().set(Crew::NAME, name);
    let (black, red) = (repo.insert(crew("black")).await?, repo.insert(crew("red")).await?);
    let anne = pirate("Anne");
    let anne = anne.push_with(Pirate::CREWS, &black, |oath| oath.set(Oath::IN_BLOOD, true));
    let anne = anne.push_with(Pirate::CREWS, &red, |oath| oath.set(Oath::IN_BLOOD, false));
    let mut anne = cx.step("sworn twice", repo.insert(anne)).await?;
    let counts = "SELECT 'crew', name, oaths_count FROM crews UNION ALL SELECT 'pirate', name, oaths_count FROM pirates ORDER BY 1, 2";
    cx.rows("counted", counts).await?;
    cx.fails("let go in a save", repo.update(anne.change().remove(Pirate::CREWS, &black))).await?;
    cx.fails("by a handle", repo.association(&mut anne, Pirate::CREWS).destroy(&black)).await?;
    cx.fails("both", repo.association(&mut anne, Pirate::CREWS).destroy_all()).await?;
    cx.fails("with the pirate", repo.destroy(&anne)).await?;
    cx.rows("nothing has changed", counts).await?;
    cx.step("the one that may go", repo.association(&mut anne, Pirate::CREWS).destroy(&red)).await?;
    cx.require(anne.crews()?.len() == 1 && anne.oaths_count == Some(1), "and is gone in memory")?;
    cx.rows("counted", counts).await?;
    cx.rows("crews stay", "SELECT name FROM crews ORDER BY name").await
}

async fn links_under_foreign_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pirates::tables(&repo).await?;
    let parrots = ["Ara", "Kea", "Lory"].map(|name| Parrot::build().set(Parrot::NAME, name));
    let parrots = repo.insert_all(parrots).await?;
    let anne = repo.insert(pirate("Anne").push(Pirate::PARROTS, &parrots)).await?;
    let mary = pirate("Mary").push(Pirate::PARROTS, [&parrots[0], &parrots[0]]);
    let mary = repo.insert(mary.push(Pirate::PARROTS, Parrot::build().set(Parrot::NAME, "new"))).await?;
    cx.rows("links", "SELECT p.name, COUNT(*) FROM parrots_pirates l JOIN pirates p ON p.id = l.pirate_id GROUP BY p.name ORDER BY p.name").await?;
    cx.step("an owner goes after its links", repo.destroy(&anne)).await?;
    cx.step("the other side as well", repo.destroy(&parrots[0])).await?;
    let mary = repo.get_or_fail::<Pirate>(mary.id, Query::preload(Pirate::PARROTS)).await?;
    cx.require(mary.parrots()?.len() == 1, "one is left")?;
    let replaced = mary.change().replace(Pirate::PARROTS, [&parrots[1], &parrots[2], &parrots[1]]);
    let mary = cx.step("replaced", repo.update(replaced)).await?;
    cx.require(mary.parrots()?.len() == 3, "as often as each was given")?;
    cx.step("cleared", repo.update(mary.change().clear(Pirate::PARROTS))).await?;
    cx.rows("parrots stay", "SELECT name FROM parrots ORDER BY name").await?;
    cx.rows("links", "SELECT COUNT(*) FROM parrots_pirates").await
}

// The owner's key decides, and not what a member says.
async fn a_key_in_the_input_of_a_member(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pirates::tables(&repo).await?;
    let (anne, mary) = (repo.insert(pirate("Anne")).await?, repo.insert(pirate("Mary")).await?);
    let theirs = ship("Revenge").set(Ship::PIRATE_ID, mary.id);
    let anne =
        cx.step("another owner's does not count", repo.update(anne.change().set_one(Pirate::SHIP, theirs))).await?;
    cx.require(anne.ship()?.is_some_and(|ship| ship.pirate_id == Some(anne.id)), "it is its own")?;
    let own = ship("Ranger").set(Ship::PIRATE_ID, anne.id);
    cx.step("its own", repo.update(anne.change().set_one(Pirate::SHIP, own))).await?;
    left(cx).await
}

async fn deleted_by_keys_of_any_kind(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pirates::tables(&repo).await?;
    let birds = |names: [&str; 3]| names.map(|name| Bird::build().set(Bird::NAME, name));
    let mut anne = repo.insert(pirate("Anne").push(Pirate::BIRDS, birds(["a", "b", "c"]))).await?;
    let mary = repo.insert(pirate("Mary").push(Pirate::BIRDS, birds(["d", "e", "f"]))).await?;
    let theirs = mary.birds()?[0].clone();
    let own: Vec<Bird> = anne.birds()?.to_vec();
    cx.fails("another owner's", repo.association(&mut anne, Pirate::BIRDS).delete(&theirs)).await?;
    cx.fails("one of several is", repo.association(&mut anne, Pirate::BIRDS).delete([&own[0], &theirs])).await?;
    cx.step("one", repo.association(&mut anne, Pirate::BIRDS).delete(&own[0])).await?;
    cx.fails("once more", repo.association(&mut anne, Pirate::BIRDS).delete(&own[0])).await?;
    cx.require(anne.birds()?.len() == 2 && anne.birds_count == 2, "gone from memory, and counted")?;
    cx.step("all", repo.association(&mut anne, Pirate::BIRDS).delete_all()).await?;
    cx.rows(
        "birds",
        "SELECT b.name, p.name, p.birds_count FROM birds b JOIN pirates p ON p.id = b.pirate_id ORDER BY b.name",
    )
    .await?;
    cx.rows("pirates", "SELECT name, birds_count FROM pirates ORDER BY name").await
}

// A function of the model gives the target of rows that name none.
async fn a_target_by_default(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pirates::tables(&repo).await?;
    let anne = repo.insert(pirate("Anne")).await?;
    let oath = || Oath::build().set(Oath::PIRATE_ID, anne.id).set(Oath::IN_BLOOD, false);
    cx.fails("there is none yet", repo.insert(oath())).await?;
    let crews = repo.insert_all(["first", "second"].map(|name| Crew::build().set(Crew::NAME, name))).await?;
    let given = cx.step("one that names none", repo.insert(oath())).await?;
    cx.require(given.crew_id == crews[0].id, "the first")?;
    let own = cx.step("one that names its own", repo.insert(oath().associate(Oath::CREW, &crews[1]))).await?;
    cx.require(own.crew_id == crews[1].id, "its own")?;
    cx.rows("counted", "SELECT name, oaths_count FROM crews ORDER BY name").await
}
