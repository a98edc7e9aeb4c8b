//! Handles over keys that are no primary keys, over links of several types, of owners that are one type of several of their
//! table, and of single targets whose rule or way gives no target.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::circus::{
    self, Acrobat, Act, Booking, Clown, Costume, Director, Notice, Poster, Prop, Review, Subject, Town, Troupe,
};

cases! { "handles_of_types", Level::Collection;
    over_other_keys,
    links_of_several_types,
    stored_types,
    members_of_new_owners,
    distinct_links,
    f140_f141_of_single_targets,
    behind_a_key_that_is_null,
}

async fn troupe(repo: &Repo, code: Option<&str>) -> Result<Troupe> {
    repo.insert(Troupe::build().set(Troupe::CODE, code.map(str::to_owned))).await
}

fn act(name: &str) -> assoc_repo::Changeset<Act> {
    Act::build().set(Act::NAME, name)
}

fn review(text: &str) -> assoc_repo::Changeset<Review> {
    Review::build().set(Review::TEXT, text)
}

async fn clown(repo: &Repo, name: &str) -> Result<Clown> {
    repo.insert(Clown::build().set(Clown::NAME, name)).await
}

// The link holds the code of its owner and the name of its target, and neither primary key.
async fn over_other_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circus::tables(&repo).await?;
    const BOOKINGS: &str = "SELECT troupe_code, act_name FROM bookings ORDER BY troupe_code, act_name";
    // Keys and codes of different rows are written alike.
    troupe(&repo, Some("3")).await?;
    let mut one = troupe(&repo, Some("1")).await?;
    let mut other = troupe(&repo, Some("other")).await?;
    let known = repo.insert_all(["2", "fire"].map(act)).await?;
    let mut acts = repo.association(&mut one, Troupe::ACTS);
    cx.step("pushed", acts.push(&known)).await?;
    cx.step("created", acts.create(act("1"))).await?;
    cx.step("inserted", acts.insert_all([act("ice")])).await?;
    cx.step("with columns of the link", acts.push_with::<Booking, _>(&known[0], |booking| booking)).await?;
    cx.rows("bookings", BOOKINGS).await?;
    acts.reset();
    let found = cx.step("read", acts.all()).await?;
    cx.show("acts", found.iter().map(|act| &act.name));
    cx.require(acts.size().await? == 5 && acts.contains(&known[1]).await?, "its own")?;
    let mut theirs = repo.association(&mut other, Troupe::ACTS);
    theirs.push(&known[1]).await?;
    cx.require(theirs.ids().await? == [known[1].id], "another's")?;
    let mut acts = repo.association(&mut one, Troupe::ACTS);
    cx.step("deleted: both links", acts.delete(&known[0])).await?;
    cx.step("deleted by key", acts.delete_ids([known[1].id])).await?;
    let error = cx.fails("no member any more", acts.delete(&known[1])).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotMember { .. }), "refused")?;
    cx.step("replaced", acts.replace([&known[0], &found[3]])).await?;
    cx.step("by keys", acts.set_ids([known[0].id, known[1].id])).await?;
    cx.rows("bookings", BOOKINGS).await?;
    cx.step("destroyed", acts.destroy(&known[0])).await?;
    let deleted = cx.step("delete_all", acts.delete_all()).await?;
    cx.require(deleted == 1, "one was left")?;
    cx.rows("bookings", BOOKINGS).await?;
    // Without a code it has no links.
    let mut bare = troupe(&repo, None).await?;
    let mut acts = repo.association(&mut bare, Troupe::ACTS);
    let none = cx.step("of an owner without the key", acts.all()).await?;
    cx.require(none.is_empty(), "none")?;
    cx.fails("pushed", acts.push(&known[0])).await?;
    cx.fails("deleted", acts.delete(&known[0])).await?;
    cx.rows("bookings", BOOKINGS).await
}

// A row of the same key and another type has links of its own.
async fn links_of_several_types(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circus::tables(&repo).await?;
    const MENTIONS: &str =
        "SELECT subject_id, subject_type, review_id FROM mentions ORDER BY subject_type, subject_id, review_id";
    let mut bozo = clown(&repo, "Bozo").await?;
    repo.execute_raw("INSERT INTO mentions (subject_id, subject_type, review_id) VALUES (1, 'Acrobat', 1)", []).await?;
    let mut reviews = repo.association(&mut bozo, Clown::REVIEWS);
    let all = cx.step("created", reviews.create_all(["a", "b", "c", "d"].map(review))).await?;
    cx.step("pushed again", reviews.push(&all[0])).await?;
    cx.rows("mentions", MENTIONS).await?;
    for loaded in [true, false] {
        cx.note("loaded", loaded);
        if !loaded {
            reviews.reset();
        }
        let row = if loaded { &all[0] } else { &all[1] };
        cx.step("delete_ids", reviews.delete_ids([row.id])).await?;
        let error = cx.fails("once more", reviews.delete_ids([row.id])).await?;
        cx.require(error.is_not_found(), "no member any more")?;
    }
    cx.step("destroy_ids", reviews.destroy_ids([all[2].id])).await?;
    cx.rows("mentions", MENTIONS).await?;
    cx.step("set_ids", reviews.set_ids([all[0].id, all[0].id, all[3].id])).await?;
    cx.rows("mentions", MENTIONS).await?;
    let deleted = cx.step("delete_all", reviews.delete_all()).await?;
    cx.require(deleted == 3, "three links")?;
    cx.rows("mentions", MENTIONS).await?;
    cx.rows("reviews", "SELECT text FROM reviews ORDER BY id").await
}

// Owners of one table are stored by the name of their model, or of the model that the association names for all of them.
async fn stored_types(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circus::tables(&repo).await?;
    const POSTERS: &str = "SELECT text, subject_id, subject_type FROM posters ORDER BY text";
    let mut bozo = clown(&repo, "Bozo").await?;
    let mut fly = repo.insert(Acrobat::build().set(Acrobat::NAME, "Fly")).await?;
    let poster = |text: &str| Poster::build().set(Poster::TEXT, text);
    cx.step("of a clown", repo.association(&mut bozo, Clown::POSTERS).create(poster("a"))).await?;
    let last = cx.step("a single one", repo.association(&mut bozo, Clown::LAST_POSTER).create(poster("b"))).await?;
    cx.step("of an acrobat", repo.association(&mut fly, Acrobat::POSTERS).create(poster("c"))).await?;
    let mut of_none = repo.insert(poster("d")).await?;
    cx.step("by the poster", repo.association(&mut of_none, Poster::SUBJECT).set(&fly)).await?;
    cx.rows("posters", POSTERS).await?;
    let subject = repo.association(&last, Poster::SUBJECT).get().await?;
    cx.require(matches!(subject, Some(Subject::Clown(clown)) if clown.name == "Bozo"), "and back")?;
    // Both kinds of performers as one: what Rails stores.
    let notice = |text: &str| Notice::build().set(Notice::TEXT, text);
    cx.step("of all performers", repo.association(&mut bozo, Clown::NOTICES).create(notice("n"))).await?;
    cx.rows("notices", "SELECT text, performer_id, performer_type FROM notices").await?;
    let count = repo.association(&bozo, Clown::NOTICES).count().await?;
    cx.require(count == 1, "and read")
}

// Rows that are not saved, of an owner that is not saved: all of them by one save.
async fn members_of_new_owners(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circus::tables(&repo).await?;
    let poster = |text: &str| Poster::build().set(Poster::TEXT, text);
    let draft = Clown::build()
        .set(Clown::NAME, "Bozo")
        .push(Clown::POSTERS, ["a", "b"].map(poster))
        .push(Clown::REVIEWS, [review("x"), review("y")])
        .set_one(Clown::LAST_POSTER, poster("last"));
    let bozo = cx.step("inserted", repo.insert(draft)).await?;
    let own = bozo.posters()?.iter().all(|row| row.subject_id == Some(bozo.id));
    cx.require(own && bozo.reviews()?.len() == 2, "loaded, with key and type")?;
    cx.rows("posters", "SELECT text, subject_id, subject_type FROM posters ORDER BY text").await?;
    cx.rows("mentions", "SELECT subject_id, subject_type, review_id FROM mentions ORDER BY id").await?;
    // The other way round: a new poster of a new acrobat.
    let draft = poster("c").associate(Poster::SUBJECT, Acrobat::build().set(Acrobat::NAME, "Fly"));
    let saved = cx.step("of a new subject", repo.insert(draft)).await?;
    cx.require(saved.subject_type.as_deref() == Some("Acrobat"), "its type")?;
    // Over a key that is no primary key, which the same save sets.
    let draft = Troupe::build().set(Troupe::CODE, "new".to_owned()).push(Troupe::ACTS, [act("ice"), act("fire")]);
    cx.step("over other keys", repo.insert(draft)).await?;
    cx.rows("bookings", "SELECT troupe_code, act_name FROM bookings ORDER BY act_name").await
}

// A row is in a distinct list once, however often it is linked.
async fn distinct_links(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circus::tables(&repo).await?;
    let mut one = troupe(&repo, Some("one")).await?;
    let town = repo.insert(Town::build().set(Town::NAME, "Ulm")).await?;
    let row = repo.insert(act("fire")).await?;
    for loaded in [false, true] {
        cx.note("loaded", loaded);
        let mut towns = repo.association(&mut one, Troupe::TOWNS);
        if loaded {
            towns.reload().await?;
        }
        cx.step("a join table: pushed", towns.push(&town)).await?;
        cx.step("again", towns.push(&town)).await?;
        cx.step("twice at once", towns.push([&town, &town])).await?;
        cx.note("in memory", format!("{:?}, {}", towns.state(), towns.target().map_or(0, |rows| rows.len())));
        let (count, size, ids) = (towns.count().await?, towns.size().await?, towns.ids().await?);
        cx.require(count == 1 && size == 1 && ids == [town.id], "once")?;
        cx.rows("links", "SELECT COUNT(*) FROM towns_troupes").await?;
        let mut acts = repo.association(&mut one, Troupe::DIFFERENT_ACTS);
        if loaded {
            acts.reload().await?;
        }
        cx.step("a join model: pushed", acts.push(&row)).await?;
        cx.step("again", acts.push(&row)).await?;
        cx.step("twice at once", acts.push([&row, &row])).await?;
        cx.note("in memory", format!("{:?}, {}", acts.state(), acts.target().map_or(0, |rows| rows.len())));
        let (count, size, ids) = (acts.count().await?, acts.size().await?, acts.ids().await?);
        cx.require(count == 1 && size == 1 && ids == [row.id], "once")?;
        cx.rows("links", "SELECT COUNT(*) FROM bookings").await?;
    }
    let mut towns = repo.association(&mut one, Troupe::TOWNS);
    cx.step("deleted: all links to it", towns.delete(&town)).await?;
    cx.rows("links", "SELECT COUNT(*) FROM towns_troupes").await?;
    let mut acts = repo.association(&mut one, Troupe::DIFFERENT_ACTS);
    cx.step("replaced by two", acts.replace([&row, &row])).await?;
    cx.note("in memory", acts.target().map_or(0, |rows| rows.len()));
    cx.rows("links", "SELECT COUNT(*) FROM bookings").await
}

// A rule that restricts keeps the owner from being destroyed. A target that is replaced loses its key, as in Rails, or the call is
// refused.
async fn f140_f141_of_single_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circus::tables(&repo).await?;
    const PROPS: &str = "SELECT name, clown_id FROM props ORDER BY id";
    let mut bozo = clown(&repo, "Bozo").await?;
    let prop = |name: &str| Prop::build().set(Prop::NAME, name);
    let mut handle = repo.association(&mut bozo, Clown::PROP);
    let nose = cx.step("created", handle.create(prop("nose"))).await?;
    cx.step("the same", handle.set(&nose)).await?;
    cx.step("replaced by a new one", handle.create(prop("hat"))).await?;
    cx.rows("props", PROPS).await?;
    cx.step("replaced by one that exists", handle.set(&nose)).await?;
    cx.rows("props", PROPS).await?;
    let error = cx.fails("the owner is kept", repo.destroy(&bozo)).await?;
    cx.require(error.is_restricted(), "restricted")?;
    cx.step("cleared", repo.association(&mut bozo, Clown::PROP).clear()).await?;
    cx.rows("props", PROPS).await?;
    // One that cannot be without a clown.
    let costume = |name: &str| Costume::build().set(Costume::NAME, name);
    let mut handle = repo.association(&mut bozo, Clown::COSTUME);
    handle.create(costume("red")).await?;
    let before = handle.owner().clone();
    cx.fails("replaced", handle.create(costume("blue"))).await?;
    cx.fails("cleared", handle.clear()).await?;
    cx.require(handle.owner() == &before, "as before")?;
    cx.rows("costumes", "SELECT name, clown_id FROM costumes").await?;
    cx.fails("the owner is kept", repo.destroy(&bozo)).await?;
    repo.execute_raw("DELETE FROM costumes", []).await?;
    cx.step("and goes once nothing keeps it", repo.destroy(&bozo)).await.map(drop)
}

// A `has_one` behind a `belongs_to`: none if the key is `NULL`. No row between could be written.
async fn behind_a_key_that_is_null(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circus::tables(&repo).await?;
    let ada = Director::build().set(Director::NAME, "Ada");
    let one = repo.insert(Troupe::build().set(Troupe::CODE, "one".to_owned()).set_one(Troupe::DIRECTOR, ada)).await?;
    let mut bozo = clown(&repo, "Bozo").await?;
    let mut director = repo.association(&mut bozo, Clown::DIRECTOR);
    let got = cx.step("get", director.get()).await?;
    let exists = cx.step("exists", director.exists()).await?;
    let loaded = cx.step("load", director.load()).await?.is_some();
    cx.require(got.is_none() && !exists && !loaded, "none")?;
    cx.require(director.target() == Some(None), "loaded, and none")?;
    cx.step("get of what is loaded", director.get()).await?;
    let read = cx.step("preloaded", repo.one(Query::<Clown>::preload(Clown::DIRECTOR))).await?;
    cx.require(read.is_some_and(|clown| clown.director().is_ok_and(|row| row.is_none())), "none")?;
    cx.step("the way is set", repo.association(&mut bozo, Clown::TROUPE).set(&one)).await?;
    let mut director = repo.association(&mut bozo, Clown::DIRECTOR);
    let got = cx.step("reload", director.reload()).await?.map(|row| row.name.clone());
    cx.note("is", format!("{got:?}"));
    cx.require(got.as_deref() == Some("Ada"), "the director")?;
    cx.step("the way is cleared", repo.association(&mut bozo, Clown::TROUPE).clear()).await?;
    let director = repo.association(&bozo, Clown::DIRECTOR);
    cx.note("and what is loaded", format!("{:?}", director.state()));
    let got = repo.association(&bozo, Clown::DIRECTOR).get().await?;
    cx.note("is", got.is_some());
    Ok(())
}
