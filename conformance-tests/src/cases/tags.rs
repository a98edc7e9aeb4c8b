//! Type tags are compared exactly, whatever the column's collation calls equal: a tag in another case is another tag, for
//! the database as for us.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::collations::text_ignoring_case;
use super::{Level, cases};
use crate::context::Context;

cases! { "tags", Level::Kind;
    of_polymorphic_associations,
    of_models_that_share_a_table,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
enum Subject {
    Film(Film),
    Play(Play),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "remarks")]
struct Remark {
    id: i64,
    subject_id: Option<i64>,
    subject_type: Option<String>,
    #[belongs_to(polymorphic, unknown_type = "not_loaded")]
    subject: BelongsTo<Option<Subject>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "films")]
struct Film {
    id: i64,
    #[has_many(as = "subject")]
    remarks: HasMany<Remark>,
    #[has_one(as = "subject", order = Remark::ID.desc())]
    last_remark: HasOne<Option<Remark>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "plays")]
struct Play {
    id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "accounts", discriminator = "kind", tag = "savings")]
struct Savings {
    id: i64,
    kind: String,
    name: String,
}

fn ids(remarks: &[Remark]) -> Vec<i64> {
    remarks.iter().map(|remark| remark.id).collect()
}

async fn of_polymorphic_associations(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Film>().await?;
    repo.create_table::<Play>().await?;
    let text = text_ignoring_case(cx)?;
    let table = format!("CREATE TABLE remarks (id INTEGER PRIMARY KEY, subject_id BIGINT, subject_type {text})");
    repo.execute_raw(&table, []).await?;
    let film = repo.insert(Film::build().set(Film::ID, 1)).await?;
    repo.insert(Play::build().set(Play::ID, 1)).await?;
    for (id, tag) in (1..).zip(["Film", "film", "FILM", "Film ", "Play", "play"]) {
        let remark = Remark::build().set(Remark::ID, id).set(Remark::SUBJECT_ID, 1).set(Remark::SUBJECT_TYPE, tag);
        repo.insert(remark).await?;
    }
    let films = cx.step("preload", repo.all(Query::preload((Film::REMARKS, Film::LAST_REMARK)))).await?;
    cx.require(ids(films[0].remarks()?) == [1], "one remark has this tag")?;
    cx.require(films[0].last_remark()?.map(|remark| remark.id) == Some(1), "the last of one")?;
    let joined = cx.step("join", repo.all(Query::eager_load(Film::REMARKS))).await?;
    cx.require(ids(joined[0].remarks()?) == [1], "by a join as well")?;
    let read = cx.step("reader", repo.get_association(&film, Film::REMARKS, Query::new())).await?;
    cx.require(ids(&read) == [1], "and alone")?;
    let counts = cx.step("count", repo.count_for(&films, Film::REMARKS)).await?;
    cx.require(counts == [1], "and counted")?;
    let any = cx.step("any", repo.count(Query::filter(Film::REMARKS.any(Remark::ID.gt(1))))).await?;
    cx.require(any == 0, "and in a condition")?;
    let all = Query::order_by(Remark::ID.asc());
    let remarks = cx.step("from the other side", repo.all(all.preload(Remark::SUBJECT))).await?;
    for remark in &remarks {
        let known = remark.id == 1 || remark.id == 5;
        let loaded = remark.subject().is_ok_and(|subject| subject.is_some());
        cx.require(loaded == known, "what is of no known type has no subject")?;
        let refers = repo.count(Query::filter(Remark::ID.eq(remark.id).and(Remark::SUBJECT.is(&film)))).await?;
        cx.require((refers == 1) == (remark.id == 1), "and refers to nothing")?;
    }
    Ok(())
}

async fn of_models_that_share_a_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let text = text_ignoring_case(cx)?;
    repo.execute_raw(
        &format!("CREATE TABLE accounts (id INTEGER PRIMARY KEY, kind {text} NOT NULL, name VARCHAR(9) NOT NULL)"),
        [],
    )
    .await?;
    for (id, kind) in (1..).zip(["savings", "SAVINGS", "savings "]) {
        let binds = [Value::Int(id), Value::from(kind)];
        repo.execute_raw("INSERT INTO accounts (id, kind, name) VALUES (?, ?, 'x')", binds).await?;
    }
    let rows = cx.step("all", repo.all(Query::<Savings>::new())).await?;
    cx.require(rows.len() == 1 && rows[0].id == 1, "one account has this kind")?;
    cx.require(repo.get::<Savings>(2, Query::new()).await?.is_none(), "the other is another model's")?;
    cx.step("update", repo.update(rows[0].change().set(Savings::NAME, "y"))).await?;
    cx.step("delete", repo.delete(&rows[0])).await?;
    cx.rows("what is left", "SELECT id, name FROM accounts ORDER BY id").await
}
