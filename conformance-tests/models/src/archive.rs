//! Models whose rows can be loaded for reading only (F112), by every kind of association.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "desks")]
pub struct Desk {
    pub id: i64,
    pub name: String,
    pub origin: RowOrigin,
    #[has_many]
    pub papers: HasMany<Paper>,
    // The same rows, so that one statement serves both.
    #[has_many(readonly)]
    pub filed: HasMany<Paper>,
    #[has_one(readonly, order = Paper::ID.desc())]
    pub last: HasOne<Option<Paper>>,
    #[has_many(through = "papers", source = "fixed_labels")]
    pub fixed_labels: HasManyThrough<Label>,
    #[has_many(through = "papers", source = "labels")]
    pub labels: HasManyThrough<Label>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "papers")]
pub struct Paper {
    pub id: i64,
    pub desk_id: i64,
    pub title: String,
    pub origin: RowOrigin,
    #[belongs_to]
    pub desk: BelongsTo<Desk>,
    #[belongs_to(foreign_key = "desk_id", readonly)]
    pub fixed_desk: BelongsTo<Desk>,
    #[has_and_belongs_to_many]
    pub labels: HasAndBelongsToMany<Label>,
    #[has_and_belongs_to_many(readonly)]
    pub fixed_labels: HasAndBelongsToMany<Label>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "labels", primary_key = "code")]
pub struct Label {
    #[column(length = 10)]
    pub code: String,
    pub origin: RowOrigin,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Subject {
    Desk(Desk),
    Paper(Paper),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stamps")]
pub struct Stamp {
    pub id: i64,
    pub subject_id: i64,
    #[column(length = 10)]
    pub subject_type: String,
    #[belongs_to(polymorphic, readonly)]
    pub subject: BelongsTo<Option<Subject>>,
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Desk>().await?;
    repo.create_table::<Paper>().await?;
    repo.create_table::<Label>().await?;
    repo.create_table::<Stamp>().await?;
    repo.execute_raw("CREATE TABLE labels_papers (paper_id BIGINT NOT NULL, label_id VARCHAR(10) NOT NULL)", [])
        .await?;
    repo.insert_all(["D1", "D2"].map(|name| Desk::build().set(Desk::NAME, name))).await?;
    let paper = |desk: i64, title| Paper::build().set(Paper::DESK_ID, desk).set(Paper::TITLE, title);
    repo.insert_all([paper(1, "a"), paper(1, "b"), paper(2, "c")]).await?;
    repo.insert_all(["new", "old"].map(|code| Label::build().set(Label::CODE, code))).await?;
    repo.execute_raw("INSERT INTO labels_papers VALUES (1, 'new'), (1, 'old'), (2, 'old')", []).await?;
    let stamp = |id: i64, kind| Stamp::build().set(Stamp::SUBJECT_ID, id).set(Stamp::SUBJECT_TYPE, kind);
    repo.insert_all([stamp(1, "Desk"), stamp(3, "Paper")]).await?;
    Ok(())
}
