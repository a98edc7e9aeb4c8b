//! A studio of handles: single targets of every kind, and links with columns, without keys, and over keys of text.

use assoc_core::{Error, RawSql, Result, Value};
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, callbacks};

/// An account is destroyed when it is let go, an image loses key and type.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "firms")]
pub struct Firm {
    pub id: i64,
    pub name: String,
    #[has_one(dependent = "destroy")]
    pub account: HasOne<Option<Account>>,
    #[has_one(foreign_key = "firm_id", filter = Account::CREDIT.eq(500))]
    pub rich_account: HasOne<Option<Account>>,
    #[has_one(as = "subject")]
    pub logo: HasOne<Option<Image>>,
    #[has_many]
    pub accounts: HasMany<Account>,
    #[has_many(foreign_key = "firm_id", filter = Account::CREDIT.gt(100))]
    pub good_accounts: HasMany<Account>,
    #[has_many(foreign_key = "firm_id", order = Account::ID.asc(), limit = 2)]
    pub two_accounts: HasMany<Account>,
}

/// One whose number is `kept` refuses to be destroyed.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "accounts", callbacks)]
pub struct Account {
    pub id: i64,
    pub firm_id: Option<i64>,
    #[column(length = 20)]
    pub number: String,
    #[column(default = "0")]
    pub credit: i64,
}

#[callbacks]
impl Callbacks for Account {
    async fn before_destroy(account: &Self, _: &CallbackContext<'_>) -> Result<()> {
        if account.number == "kept" { Err(Error::other("it stays")) } else { Ok(()) }
    }
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Subject {
    Firm(Firm),
    Style(Style),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "images")]
pub struct Image {
    pub id: i64,
    pub name: String,
    pub subject_id: Option<i64>,
    #[column(length = 20)]
    pub subject_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub subject: BelongsTo<Option<Subject>>,
}

/// A key of two columns, of which its ticket has one in its own key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "chairs", primary_key = "hall, number")]
pub struct Chair {
    pub hall: i64,
    pub number: i64,
    #[has_one(foreign_key = "hall, chair_number")]
    pub ticket: HasOne<Option<Ticket>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tickets", primary_key = "hall, code")]
pub struct Ticket {
    pub hall: i64,
    #[column(length = 20)]
    pub code: String,
    pub chair_number: Option<i64>,
}

/// Its key is text, and so is that of its guild.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "artists", primary_key = "name")]
pub struct Artist {
    #[column(length = 40)]
    pub name: String,
    #[has_one(foreign_key = "artist_name")]
    pub membership: HasOne<Option<Membership>>,
    #[has_one(through = "membership")]
    pub guild: HasOne<Option<Guild>>,
    #[has_many(foreign_key = "fan_name")]
    pub follows: HasMany<Follow>,
    // Back to artists.
    #[has_many(through = "follows", source = "star")]
    pub stars: HasManyThrough<Artist>,
    #[has_many(through = "follows", source = "star", distinct)]
    pub different_stars: HasManyThrough<Artist>,
    #[has_many(foreign_key = "fan_name", filter = Follow::SKIMS.eq(true))]
    pub skimmed: HasMany<Follow>,
    #[has_many(through = "skimmed", source = "star")]
    pub skimmed_stars: HasManyThrough<Artist>,
    #[has_and_belongs_to_many(foreign_key = "artist_name")]
    pub styles: HasAndBelongsToMany<Style>,
    #[has_and_belongs_to_many(
        join_table = "artists_styles",
        foreign_key = "artist_name",
        insert_sql = link_style,
        delete_sql = unlink_style
    )]
    pub noted_styles: HasAndBelongsToMany<Style>,
}

fn link_style(artist: &Artist, style: &Style) -> RawSql {
    let sql = "INSERT INTO artists_styles (artist_name, style_id, note) VALUES (?, ?, ?)";
    RawSql::new(sql, [Value::from(artist.name.clone()), Value::from(style.id), Value::from(style.name.clone())])
}

// The row stays, and leads nowhere.
fn unlink_style(artist: &Artist, style: &Style) -> RawSql {
    let sql = "UPDATE artists_styles SET style_id = 0 WHERE artist_name = ? AND style_id = ?";
    RawSql::new(sql, [Value::from(artist.name.clone()), Value::from(style.id)])
}

/// With columns beside the two keys.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "memberships")]
pub struct Membership {
    pub id: i64,
    #[column(length = 40)]
    pub artist_name: String,
    #[column(length = 20)]
    pub guild_code: String,
    #[column(length = 20)]
    pub role: Option<String>,
    #[belongs_to(foreign_key = "guild_code", primary_key = "code", counter_cache)]
    pub guild: BelongsTo<Guild>,
}

/// Members know it by its code, which is not its primary key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "guilds")]
pub struct Guild {
    pub id: i64,
    #[column(length = 20)]
    pub code: String,
    #[column(counter_cache)]
    pub memberships_count: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "follows")]
pub struct Follow {
    pub id: i64,
    #[column(length = 40)]
    pub fan_name: String,
    #[column(length = 40)]
    pub star_name: String,
    #[column(default = "FALSE")]
    pub skims: bool,
    #[belongs_to(foreign_key = "star_name", primary_key = "name")]
    pub star: BelongsTo<Artist>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "styles")]
pub struct Style {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
}

/// Makes the tables.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Firm>().await?;
    repo.create_table::<Account>().await?;
    repo.create_table::<Image>().await?;
    repo.create_table::<Chair>().await?;
    repo.create_table::<Ticket>().await?;
    repo.create_table::<Artist>().await?;
    repo.create_table::<Membership>().await?;
    repo.create_table::<Guild>().await?;
    repo.create_table::<Follow>().await?;
    repo.create_table::<Style>().await?;
    for sql in [
        "CREATE TABLE artists_styles (artist_name VARCHAR(40) NOT NULL, style_id BIGINT NOT NULL, note VARCHAR(20))",
        "CREATE UNIQUE INDEX one_number ON accounts (number)",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    Ok(())
}
