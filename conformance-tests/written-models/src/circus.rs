//! A circus: links whose keys are no primary keys, links of several types, a troupe whose director is behind it, and props that
//! keep their clown from going.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

/// Bookings know it by its code.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "troupes")]
pub struct Troupe {
    pub id: i64,
    #[column(length = 20)]
    pub code: Option<String>,
    #[has_many(primary_key = "code", foreign_key = "troupe_code")]
    pub bookings: HasMany<Booking>,
    #[has_many(through = "bookings")]
    pub acts: HasManyThrough<Act>,
    #[has_many(through = "bookings", source = "act", distinct)]
    pub different_acts: HasManyThrough<Act>,
    #[has_and_belongs_to_many(distinct)]
    pub towns: HasAndBelongsToMany<Town>,
    #[has_one]
    pub director: HasOne<Option<Director>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "directors")]
pub struct Director {
    pub id: i64,
    pub troupe_id: Option<i64>,
    pub name: String,
}

/// A link over two keys of text.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "bookings")]
pub struct Booking {
    pub id: i64,
    #[column(length = 20)]
    pub troupe_code: String,
    #[column(length = 20)]
    pub act_name: String,
    #[belongs_to(foreign_key = "act_name", primary_key = "name")]
    pub act: BelongsTo<Act>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "acts")]
pub struct Act {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "towns")]
pub struct Town {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
}

/// One type of several of its table.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "performers", discriminator = "kind", tag = "clown")]
pub struct Clown {
    pub id: i64,
    #[column(length = 20)]
    pub kind: String,
    pub name: String,
    pub troupe_id: Option<i64>,
    #[belongs_to]
    pub troupe: BelongsTo<Option<Troupe>>,
    #[has_one(through = "troupe", source = "director")]
    pub director: HasOne<Option<Director>>,
    #[has_many(as = "subject")]
    pub posters: HasMany<Poster>,
    #[has_one(as = "subject", order = Poster::ID.desc())]
    pub last_poster: HasOne<Option<Poster>>,
    // Notices know all performers as one model.
    #[has_many(as = "performer", tag = "Performer")]
    pub notices: HasMany<Notice>,
    #[has_many(as = "subject", dependent = "destroy")]
    pub mentions: HasMany<Mention>,
    #[has_many(through = "mentions")]
    pub reviews: HasManyThrough<Review>,
    #[has_one(foreign_key = "clown_id", dependent = "restrict_with_exception")]
    pub prop: HasOne<Option<Prop>>,
    #[has_one(foreign_key = "clown_id", dependent = "restrict_with_error")]
    pub costume: HasOne<Option<Costume>>,
}

/// The other type of this table.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "performers", discriminator = "kind", tag = "acrobat")]
pub struct Acrobat {
    pub id: i64,
    #[column(length = 20)]
    pub kind: String,
    pub name: String,
    #[has_many(as = "subject")]
    pub posters: HasMany<Poster>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "models of a test are as large as they are")]
pub enum Subject {
    Clown(Clown),
    Acrobat(Acrobat),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posters")]
pub struct Poster {
    pub id: i64,
    pub text: String,
    pub subject_id: Option<i64>,
    #[column(length = 20)]
    pub subject_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub subject: BelongsTo<Option<Subject>>,
}

/// All rows of the table.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "performers")]
pub struct Performer {
    pub id: i64,
    #[column(length = 20)]
    pub kind: String,
    pub name: String,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum AnyPerformer {
    Performer(Performer),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notices")]
pub struct Notice {
    pub id: i64,
    pub text: String,
    pub performer_id: Option<i64>,
    #[column(length = 20)]
    pub performer_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub performer: BelongsTo<Option<AnyPerformer>>,
}

/// A link of several types.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "mentions")]
pub struct Mention {
    pub id: i64,
    pub subject_id: i64,
    #[column(length = 20)]
    pub subject_type: String,
    pub review_id: i64,
    #[belongs_to(polymorphic)]
    pub subject: BelongsTo<Option<Subject>>,
    #[belongs_to]
    pub review: BelongsTo<Review>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "reviews")]
pub struct Review {
    pub id: i64,
    pub text: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "props")]
pub struct Prop {
    pub id: i64,
    pub clown_id: Option<i64>,
    pub name: String,
}

/// It is always somebody's.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "costumes")]
pub struct Costume {
    pub id: i64,
    pub clown_id: i64,
    pub name: String,
}

/// Makes the tables.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Troupe>().await?;
    repo.create_table::<Director>().await?;
    repo.create_table::<Booking>().await?;
    repo.create_table::<Act>().await?;
    repo.create_table::<Town>().await?;
    repo.create_table::<Clown>().await?;
    repo.create_table::<Poster>().await?;
    repo.create_table::<Notice>().await?;
    repo.create_table::<Mention>().await?;
    repo.create_table::<Review>().await?;
    repo.create_table::<Prop>().await?;
    repo.create_table::<Costume>().await?;
    repo.execute_raw("CREATE TABLE towns_troupes (town_id BIGINT NOT NULL, troupe_id BIGINT NOT NULL)", []).await?;
    Ok(())
}
