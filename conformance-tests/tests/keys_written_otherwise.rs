//! Members whose foreign keys are written otherwise than their owner's key, which the database calls equal: they are members
//! for every write, as they are for every read.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Permit, on_conflict};
use conformance_tests::{Backend, Database};
use random::Random;

#[allow(dead_code)]
mod backends;
mod random;

#[derive(Model, Debug, Clone)]
#[model(table = "clubs", primary_key = "code")]
struct Club {
    code: String,
    #[column(counter_cache)]
    members_count: i64,
    #[has_many(foreign_key = "club_code")]
    members: HasMany<Member>,
    #[has_one(foreign_key = "club_code", order = Member::ID.desc())]
    newest: HasOne<Option<Member>>,
    #[has_and_belongs_to_many(
        join_table = "clubs_tags",
        foreign_key = "club_code",
        association_foreign_key = "tag_code"
    )]
    tags: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(
        join_table = "clubs_tags",
        foreign_key = "club_code",
        association_foreign_key = "tag_code",
        filter = Tag::SHOWN.eq(true)
    )]
    shown_tags: HasAndBelongsToMany<Tag>,
    #[has_many(foreign_key = "club_code")]
    labels: HasMany<Label>,
    #[has_many(through = "labels", source = "tag")]
    labelled: HasManyThrough<Tag>,
    #[has_many(foreign_key = "club_code")]
    passes: HasMany<Pass>,
    #[has_many(foreign_key = "club_code")]
    places: HasMany<Place>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "members", auto_increment = false)]
struct Member {
    id: i64,
    club_code: Option<String>,
    #[belongs_to(foreign_key = "club_code", counter_cache)]
    club: BelongsTo<Option<Club>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags", primary_key = "code")]
struct Tag {
    code: String,
    shown: bool,
}

#[derive(Model, Debug, Clone)]
#[model(table = "labels", auto_increment = false)]
struct Label {
    id: i64,
    club_code: String,
    tag_code: String,
    #[belongs_to(foreign_key = "tag_code")]
    tag: BelongsTo<Tag>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "passes", primary_key = "code")]
struct Pass {
    code: String,
    club_code: String,
    note: String,
}

/// A part of its key is its owner's.
#[derive(Model, Debug, Clone)]
#[model(table = "places", primary_key = "club_code, code")]
struct Place {
    club_code: String,
    code: String,
    note: String,
}

async fn filled(backend: &dyn Backend) -> (Database, Repo) {
    let database = backend.fresh().await.unwrap();
    let text = database.native_sql().text_ignoring_case.unwrap();
    filled_with(database, text).await
}

// With columns that ignore accents; `None` where there is no such type.
async fn without_accents(backend: &dyn Backend) -> Option<(Database, Repo)> {
    let database = backend.fresh().await.unwrap();
    if backend.name() != "postgres" {
        let text = database.native_sql().text_ignoring_accents?;
        return Some(filled_with(database, text).await);
    }
    let create = "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)";
    Repo::from_driver(Arc::clone(database.driver())).execute_raw(create, []).await.unwrap();
    Some(filled_with(database, "TEXT COLLATE loose").await)
}

async fn filled_with(database: Database, text: &str) -> (Database, Repo) {
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    for sql in [
        format!(
            "CREATE TABLE passes (code {text} NOT NULL PRIMARY KEY, club_code {text} NOT NULL, note {text} NOT NULL)"
        ),
        format!(
            "CREATE TABLE places (club_code {text} NOT NULL, code {text} NOT NULL, note {text} NOT NULL, PRIMARY KEY \
             (club_code, code))"
        ),
        format!("CREATE TABLE clubs (code {text} NOT NULL PRIMARY KEY, members_count BIGINT NOT NULL)"),
        format!("CREATE TABLE members (id BIGINT NOT NULL PRIMARY KEY, club_code {text})"),
        format!("CREATE TABLE tags (code {text} NOT NULL PRIMARY KEY, shown BOOLEAN NOT NULL)"),
        format!("CREATE TABLE clubs_tags (club_code {text} NOT NULL, tag_code {text} NOT NULL)"),
        format!(
            "CREATE TABLE labels (id BIGINT NOT NULL PRIMARY KEY, club_code {text} NOT NULL, tag_code {text} NOT NULL)"
        ),
    ] {
        repo.execute_raw(&sql, []).await.unwrap();
    }
    repo.insert_all(["ada", "bob"].map(|code| Club::build().set(Club::CODE, code))).await.unwrap();
    let tag = |code: &str| Tag::build().set(Tag::CODE, code).set(Tag::SHOWN, true);
    repo.insert_all(["t1", "t2", "t3"].map(tag)).await.unwrap();
    (database, repo)
}

fn member(id: i64, club: &str) -> Changeset<Member> {
    Member::build().set(Member::ID, id).set(Member::CLUB_CODE, Some(club.to_owned()))
}

async fn ada(repo: &Repo) -> Club {
    repo.get_or_fail::<Club>("ada".to_owned(), Query::new()).await.unwrap()
}

// The members of Ada as the database has them, and that both counters are true.
async fn members(repo: &Repo) -> Vec<i64> {
    assert_eq!(repo.reset_counters(Club::MEMBERS).await.unwrap(), 0);
    let of_ada = Query::filter(Member::CLUB_CODE.eq("ada")).order_by(Member::ID.asc());
    repo.pluck(Member::ID, of_ada).await.unwrap()
}

async fn of_has_many(backend: &dyn Backend) {
    let (_database, repo) = filled(backend).await;
    let rows = [(1, "ada"), (2, "ADA"), (3, "Ada"), (4, "aDA"), (5, "BOB")];
    repo.insert_all(rows.map(|(id, club)| member(id, club))).await.unwrap();
    let second = repo.get_or_fail::<Member>(2, Query::new()).await.unwrap();
    let third = repo.get_or_fail::<Member>(3, Query::new()).await.unwrap();
    let theirs = repo.get_or_fail::<Member>(5, Query::new()).await.unwrap();
    let mut club = ada(&repo).await;

    repo.association(&mut club, Club::MEMBERS).delete(&second).await.unwrap();
    assert_eq!((members(&repo).await, club.members_count), (vec![1, 3, 4], 3));
    let error = repo.association(&mut club, Club::MEMBERS).delete(&theirs).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotMember { .. }), "{error}");
    repo.association(&mut club, Club::MEMBERS).set_ids([3, 4]).await.unwrap();
    assert_eq!((members(&repo).await, club.members_count), (vec![3, 4], 2));
    let error = repo.association(&mut club, Club::MEMBERS).set_ids([3, 5]).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotMember { .. }), "{error}");
    repo.association(&mut club, Club::MEMBERS).replace([&third]).await.unwrap();
    assert_eq!((members(&repo).await, club.members_count), (vec![3], 1));
    let moved = third.change().set(Member::CLUB_CODE, Some("AdA".to_owned()));
    repo.update(moved).await.unwrap();
    assert_eq!(members(&repo).await, [3]);

    // Another one takes its place.
    let mut club = ada(&repo).await;
    repo.association(&mut club, Club::NEWEST).set(Member::build().set(Member::ID, 6)).await.unwrap();
    assert_eq!((members(&repo).await, club.members_count), (vec![6], 1));
}

async fn of_links(backend: &dyn Backend) {
    let (_database, repo) = filled(backend).await;
    let link = async |links: &str| {
        repo.execute_raw("DELETE FROM clubs_tags", []).await.unwrap();
        repo.execute_raw(&format!("INSERT INTO clubs_tags (club_code, tag_code) VALUES {links}"), []).await.unwrap();
    };
    let tags = async || repo.association(&ada(&repo).await, Club::TAGS).ids().await.unwrap();
    let tag = async |code: &str| repo.get_or_fail::<Tag>(code.to_owned(), Query::new()).await.unwrap();
    let (first, second) = (tag("t1").await, tag("t2").await);
    let mut club = ada(&repo).await;

    link("('ADA', 'T1'), ('ada', 't2'), ('Bob', 'T1')").await;
    repo.association(&mut club, Club::TAGS).delete(&first).await.unwrap();
    assert_eq!(tags().await, ["t2"]);
    link("('ADA', 'T1'), ('ada', 'T2')").await;
    repo.association(&mut club, Club::TAGS).replace([&first]).await.unwrap();
    assert_eq!(tags().await, ["t1"]);
    link("('ADA', 'T1'), ('ada', 't1'), ('ada', 'T3')").await;
    repo.association(&mut club, Club::SHOWN_TAGS).replace([&second]).await.unwrap();
    assert_eq!(tags().await, ["t2"]);
    link("('ADA', 'T1'), ('ADA', 'T2')").await;
    repo.association(&mut club, Club::SHOWN_TAGS).clear().await.unwrap();
    assert!(tags().await.is_empty());

    // Rows between keep what they are, and go with what they link.
    let label =
        |id: i64, code: &str| Label::build().set(Label::ID, id).set(Label::CLUB_CODE, "ADA").set(Label::TAG_CODE, code);
    repo.insert_all([label(1, "T1"), label(2, "T2")]).await.unwrap();
    repo.association(&mut club, Club::LABELLED).replace([&first]).await.unwrap();
    assert_eq!(repo.pluck(Label::ID, Query::new()).await.unwrap(), [1]);
    repo.association(&mut club, Club::LABELLED).delete(&first).await.unwrap();
    assert_eq!(repo.count(Query::<Label>::new()).await.unwrap(), 0);
}

async fn found_by_key(backend: &dyn Backend) {
    let (_database, repo) = filled(backend).await;
    let links = "INSERT INTO clubs_tags (club_code, tag_code) VALUES ('ADA', 'T1'), ('ada', 't2')";
    repo.execute_raw(links, []).await.unwrap();
    let mut club = ada(&repo).await;
    let codes = |tags: Vec<Tag>| tags.into_iter().map(|tag| tag.code).collect::<Vec<_>>();
    // In the database, and in memory.
    for _ in 0..2 {
        let mut tags = repo.association(&mut club, Club::TAGS);
        assert_eq!(tags.find("T1".to_owned()).await.unwrap().code, "t1");
        let found = tags.find_all(["T2", "t1", "T1"].map(str::to_owned)).await.unwrap();
        assert_eq!(codes(found), ["t2", "t1", "t1"]);
        assert!(tags.find("T3".to_owned()).await.unwrap_err().is_not_found());
        assert!(tags.find_all(["T3".to_owned()]).await.unwrap_err().is_not_found());
        tags.load().await.unwrap();
    }
    repo.association(&mut club, Club::TAGS).set_ids(["T3", "T1"].map(str::to_owned)).await.unwrap();
    let mut ids = repo.association(&ada(&repo).await, Club::TAGS).ids().await.unwrap();
    ids.sort();
    assert_eq!(ids, ["t1", "t3"]);
    repo.association(&mut club, Club::TAGS).delete_ids(["T3".to_owned()]).await.unwrap();
    assert_eq!(repo.association(&ada(&repo).await, Club::TAGS).ids().await.unwrap(), ["t1"]);
}

// A text, written in one of the ways that the columns call equal.
fn spelled(random: &mut Random, text: &str) -> String {
    text.chars().map(|char| if random.once_in(2) { char.to_ascii_uppercase() } else { char }).collect()
}

// What input says of a member that it names, and the same of the handles: they find it, or they do not.
async fn named_by_input(backend: &dyn Backend) {
    let (_database, repo) = filled(backend).await;
    let note = |notes: Vec<String>| notes.into_iter().collect::<String>();
    let (mut edited, mut refused) = (0, 0);
    for seed in 0..60 {
        let mut random = Random::new(seed);
        for table in ["passes", "places", "clubs_tags"] {
            repo.execute_raw(&format!("DELETE FROM {table}"), []).await.unwrap();
        }
        for code in ["p1", "p2", "p3"] {
            let owner = if random.once_in(3) { "bob" } else { "ada" };
            let (owner, code) = (spelled(&mut random, owner), spelled(&mut random, code));
            let pass = Pass::build().set(Pass::CODE, &*code).set(Pass::CLUB_CODE, &*owner).set(Pass::NOTE, "-");
            repo.insert(pass).await.unwrap();
            let place = Place::build().set(Place::CODE, &*code).set(Place::CLUB_CODE, &*owner).set(Place::NOTE, "-");
            repo.insert(place).await.unwrap();
            // The other one has a place of that name as well, written otherwise.
            let other = if owner.eq_ignore_ascii_case("ada") { "bob" } else { "ada" };
            let place = Place::build().set(Place::CODE, spelled(&mut random, &code.to_ascii_lowercase()));
            if random.once_in(2) {
                repo.insert(place.set(Place::CLUB_CODE, other).set(Place::NOTE, "-")).await.unwrap();
            }
            let link = format!("INSERT INTO clubs_tags VALUES ('{owner}', '{}')", code.replace(['p', 'P'], "T"));
            repo.execute_raw(&link, []).await.unwrap();
        }
        let mut club = ada(&repo).await;
        let load = random.once_in(3);
        if load {
            repo.association(&mut club, Club::PASSES).load().await.unwrap();
            repo.association(&mut club, Club::PLACES).load().await.unwrap();
            repo.association(&mut club, Club::TAGS).load().await.unwrap();
        }
        // One of them, at times in two forms.
        let code = ["p1", "p2", "p3", "p4"][random.below(4)];
        let destroys = random.once_in(3);
        let mut named = vec![spelled(&mut random, code)];
        if !destroys && random.once_in(3) {
            named.push(spelled(&mut random, code));
        }
        let is_found = repo.association(&club, Club::PASSES).find(named[0].clone()).await.is_ok();
        let mut fields: Vec<(String, String)> = Vec::new();
        for (at, code) in named.iter().enumerate() {
            let said = if destroys { ("_destroy", "1") } else { ("note", "edited") };
            for of in ["passes", "places"] {
                fields.push((format!("{of}[{at}][code]"), code.clone()));
                fields.push((format!("{of}[{at}][{}]", said.0), said.1.to_owned()));
            }
        }
        let permit = Permit::new()
            .nested(Club::PASSES, Permit::new().column(Pass::NOTE).allow_destroy())
            .nested(Club::PLACES, Permit::new().column(Place::NOTE).allow_destroy());
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let said = format!("seed {seed}, loaded {load}: {fields:?}");
        let place = Query::filter(Place::CLUB_CODE.eq("ada")).filter(Place::CODE.eq(code));
        let has_place = repo.exists(place.clone()).await.unwrap();
        if !is_found && has_place {
            continue;
        }
        let result = repo.update(club.change().cast(fields, &permit)).await;
        let notes = note(repo.pluck(Pass::NOTE, Query::filter(Pass::CODE.eq(code))).await.unwrap());
        let of_place = note(repo.pluck(Place::NOTE, place).await.unwrap());
        let others = repo.count(Query::<Place>::filter(Place::NOTE.eq("edited"))).await.unwrap();
        if !is_found {
            let error = result.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::NotMember { .. }), "{error}: {said}");
            assert!(notes != "edited" && others == 0, "{said}");
            refused += 1;
            continue;
        }
        result.unwrap_or_else(|error| panic!("{error}: {said}"));
        let expected = if destroys { "" } else { "edited" };
        assert_eq!((notes.as_str(), of_place.as_str()), (expected, expected), "{said}");
        assert_eq!(others, u64::from(!destroys), "no other's place: {said}");
        edited += 1;

        // Behind rows between.
        let tag = code.replace('p', "T");
        let (name, destroy) = ("tags[0][code]", "tags[0][_destroy]");
        let permit = Permit::new().nested(Club::TAGS, Permit::new().allow_destroy());
        let before = repo.association(&ada(&repo).await, Club::TAGS).ids().await.unwrap();
        let has = before.iter().any(|own| own.eq_ignore_ascii_case(&tag));
        let mut club = ada(&repo).await;
        if load {
            repo.association(&mut club, Club::TAGS).load().await.unwrap();
        }
        let result = repo.update(club.change().cast([(name, &*tag), (destroy, "1")], &permit)).await;
        let after = repo.association(&ada(&repo).await, Club::TAGS).ids().await.unwrap();
        assert_eq!((result.is_ok(), after.len()), (has, before.len() - usize::from(has)), "{result:?}: {said}");
    }
    assert!(edited > 10 && refused > 5, "{edited} and {refused}");
}

// Keys that differ by more than case.
async fn other_accents(backend: &dyn Backend) {
    let Some((_database, repo)) = without_accents(backend).await else {
        println!("skipped: a type that ignores accents");
        return;
    };
    for (number, foreign) in (0..).zip(["adá", "Âda", "ADA", "bób"]) {
        let pass =
            Pass::build().set(Pass::CODE, format!("é{number}")).set(Pass::CLUB_CODE, foreign).set(Pass::NOTE, "-");
        repo.insert(pass).await.unwrap();
    }
    let mut club = ada(&repo).await;
    let mut passes = repo.association(&mut club, Club::PASSES);
    let pass = |code: &str| Pass::build().set(Pass::CODE, code).set(Pass::NOTE, "now");
    let upserted = passes.upsert_all([pass("e0"), pass("È1"), pass("new")], on_conflict(Pass::CODE)).await.unwrap();
    let keys: Vec<&str> = upserted.iter().map(|pass| &*pass.club_code).collect();
    assert_eq!(keys, ["adá", "Âda", "ada"]);
    let error = passes.upsert_all([pass("e3")], on_conflict(Pass::CODE)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotMember { .. }), "{error}");
    assert_eq!(repo.count(Query::<Pass>::filter(Pass::NOTE.eq("now"))).await.unwrap(), 3);

    let found = passes.find_all(["E1", "é1", "È0"].map(str::to_owned)).await.unwrap();
    assert_eq!(found.iter().map(|pass| &*pass.code).collect::<Vec<_>>(), ["é1", "é1", "é0"]);
    let error = passes.find("e3".to_owned()).await.unwrap_err();
    assert!(error.is_not_found(), "{error}");

    let permit = Permit::new().nested(Club::PASSES, Permit::new().column(Pass::NOTE));
    let named = |code: &'static str| [("passes[0][code]", code), ("passes[0][note]", "input")];
    repo.update(ada(&repo).await.change().cast(named("E2"), &permit)).await.unwrap();
    let notes = repo.pluck(Pass::NOTE, Query::filter(Pass::CODE.eq("é2"))).await.unwrap();
    assert_eq!(notes, ["input"]);
    let error = repo.update(ada(&repo).await.change().cast(named("E3"), &permit)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotMember { .. }), "{error}");

    let rows = [(1, "adá"), (2, "ÀDA"), (3, "bób"), (4, "ada")].map(|(id, club)| member(id, club));
    repo.insert_all(rows).await.unwrap();
    let mut club = ada(&repo).await;
    let mut of_ada = repo.association(&mut club, Club::MEMBERS);
    let error = of_ada.set_ids([1, 3]).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotMember { .. }), "{error}");
    of_ada.set_ids([1, 2]).await.unwrap();
    assert_eq!((members(&repo).await, club.members_count), (vec![1, 2], 2));
}

backends::on_each_database!(of_has_many, of_links, found_by_key, named_by_input, other_accents);
