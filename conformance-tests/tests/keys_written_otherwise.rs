//! Members whose foreign keys are written otherwise than their owner's key, which the database calls equal: they are members
//! for every write, as they are for every read.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use conformance_tests::{Backend, Database};

#[allow(dead_code)]
mod backends;

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

async fn filled(backend: &dyn Backend) -> (Database, Repo) {
    let database = backend.fresh().await.unwrap();
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    let text = database.native_sql().text_ignoring_case.unwrap();
    for sql in [
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

macro_rules! on {
    ($module:ident, $backend:ident) => {
        mod $module {
            on!($backend: of_has_many, of_links, found_by_key);
        }
    };
    ($backend:ident: $($test:ident),+) => {
        $(#[test]
        fn $test() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(super::$test(&super::$backend));
        })+
    };
}

on!(sqlite, SqliteInMemory);
on!(mariadb, MariaDb);
on!(postgres, PostgreSql);
