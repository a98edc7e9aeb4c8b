//! Models with every rule of `dependent`, counters of every kind of key, and moves between parents.

use std::collections::BTreeMap;

use assoc_repo::prelude::*;

use crate::reference::{Counters, Tables};

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "users", auto_increment = false)]
pub(crate) struct User {
    pub(crate) id: i64,
    #[column(counter_cache)]
    pub(crate) folders_count: i64,
    #[column(counter_cache)]
    pub(crate) files_count: u32,
    #[column(counter_cache)]
    pub(crate) shares_count: i64,
    #[has_many(foreign_key = "owner_id", dependent = "nullify")]
    pub(crate) folders: HasMany<Folder>,
    #[has_many(foreign_key = "owner_id", dependent = "delete")]
    pub(crate) files: HasMany<File>,
    #[has_many(dependent = "delete")]
    pub(crate) shares: HasMany<Share>,
    #[has_many(dependent = "restrict_with_error")]
    pub(crate) locks: HasMany<Lock>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "folders", auto_increment = false)]
pub(crate) struct Folder {
    pub(crate) id: i64,
    pub(crate) parent_id: Option<i64>,
    pub(crate) owner_id: Option<i64>,
    #[column(counter_cache)]
    pub(crate) folders_count: i64,
    #[column(counter_cache)]
    pub(crate) files_count: i64,
    #[column(counter_cache)]
    pub(crate) stars_count: Option<i32>,
    #[column(counter_cache)]
    pub(crate) shares_count: i64,
    #[belongs_to(counter_cache)]
    pub(crate) parent: BelongsTo<Option<Folder>>,
    #[belongs_to(counter_cache)]
    pub(crate) owner: BelongsTo<Option<User>>,
    #[has_many(foreign_key = "parent_id", dependent = "destroy")]
    pub(crate) folders: HasMany<Folder>,
    #[has_many(dependent = "destroy")]
    pub(crate) files: HasMany<File>,
    #[has_many(as = "starrable", dependent = "delete")]
    pub(crate) stars: HasMany<Star>,
    #[has_many(dependent = "delete")]
    pub(crate) shares: HasMany<Share>,
    #[has_many(dependent = "restrict_with_exception")]
    pub(crate) locks: HasMany<Lock>,
    #[has_and_belongs_to_many(join_table = "folders_tags")]
    pub(crate) tags: HasAndBelongsToMany<Tag>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "files", auto_increment = false)]
pub(crate) struct File {
    pub(crate) id: i64,
    pub(crate) folder_id: Option<i64>,
    pub(crate) owner_id: i64,
    #[column(counter_cache)]
    pub(crate) stars_count: i64,
    #[belongs_to(counter_cache)]
    pub(crate) folder: BelongsTo<Option<Folder>>,
    #[belongs_to(counter_cache)]
    pub(crate) owner: BelongsTo<User>,
    #[has_many(as = "starrable", dependent = "nullify")]
    pub(crate) stars: HasMany<Star>,
    #[has_many(dependent = "destroy")]
    pub(crate) locks: HasMany<Lock>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub(crate) enum Starrable {
    Folder(Folder),
    File(File),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stars", auto_increment = false)]
pub(crate) struct Star {
    pub(crate) id: i64,
    pub(crate) starrable_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) starrable_type: Option<String>,
    #[belongs_to(polymorphic, counter_cache)]
    pub(crate) starrable: BelongsTo<Option<Starrable>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "locks", auto_increment = false)]
pub(crate) struct Lock {
    pub(crate) id: i64,
    pub(crate) user_id: Option<i64>,
    pub(crate) folder_id: Option<i64>,
    pub(crate) file_id: Option<i64>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags", auto_increment = false)]
pub(crate) struct Tag {
    pub(crate) id: i64,
    #[has_and_belongs_to_many(join_table = "folders_tags")]
    pub(crate) folders: HasAndBelongsToMany<Folder>,
}

/// What the join table holds.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "folders_tags")]
struct Link {
    folder_id: i64,
    tag_id: i64,
}

/// A row between without a key, counted on both sides.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shares")]
pub(crate) struct Share {
    pub(crate) user_id: i64,
    pub(crate) folder_id: i64,
    #[belongs_to(counter_cache)]
    pub(crate) user: BelongsTo<User>,
    #[belongs_to(counter_cache)]
    pub(crate) folder: BelongsTo<Folder>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "houses", primary_key = "tenant, number")]
pub(crate) struct House {
    pub(crate) tenant: i64,
    pub(crate) number: i64,
    #[column(counter_cache)]
    pub(crate) rooms_count: u16,
    #[has_many(foreign_key = "tenant, house_number", dependent = "nullify")]
    pub(crate) rooms: HasMany<Room>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "rooms", auto_increment = false)]
pub(crate) struct Room {
    pub(crate) id: i64,
    pub(crate) tenant: i64,
    pub(crate) house_number: Option<i64>,
    #[belongs_to(foreign_key = "tenant, house_number", counter_cache)]
    pub(crate) house: BelongsTo<Option<House>>,
}

pub(crate) async fn make_tables(repo: &Repo) -> Result<()> {
    repo.create_table::<User>().await?;
    repo.create_table::<Folder>().await?;
    repo.create_table::<File>().await?;
    repo.create_table::<Star>().await?;
    repo.create_table::<Lock>().await?;
    repo.create_table::<Tag>().await?;
    repo.create_table::<Share>().await?;
    repo.create_table::<House>().await?;
    repo.create_table::<Room>().await?;
    repo.execute_raw("CREATE TABLE folders_tags (folder_id BIGINT NOT NULL, tag_id BIGINT NOT NULL)", []).await?;
    Ok(())
}

/// What the tables hold, and what the counters say.
pub(crate) async fn read(repo: &Repo) -> Result<(Tables, Counters)> {
    let (mut tables, mut counters) = (Tables::default(), BTreeMap::new());
    let mut count = |of: &str, number: i64| _ = counters.insert(of.to_owned(), number);
    for row in repo.all(Query::<User>::new()).await? {
        tables.users.insert(row.id);
        count(&format!("user {} folders", row.id), row.folders_count);
        count(&format!("user {} files", row.id), i64::from(row.files_count));
        count(&format!("user {} shares", row.id), row.shares_count);
    }
    for row in repo.all(Query::<Folder>::new()).await? {
        tables.folders.insert(row.id, (row.parent_id, row.owner_id));
        count(&format!("folder {} folders", row.id), row.folders_count);
        count(&format!("folder {} files", row.id), row.files_count);
        count(&format!("folder {} stars", row.id), row.stars_count.map_or(-1, i64::from));
        count(&format!("folder {} shares", row.id), row.shares_count);
    }
    for row in repo.all(Query::<File>::new()).await? {
        tables.files.insert(row.id, (row.folder_id, row.owner_id));
        count(&format!("file {} stars", row.id), row.stars_count);
    }
    for row in repo.all(Query::<Star>::new()).await? {
        let kind = row.starrable_type.as_deref().map(|kind| if kind == "Folder" { "Folder" } else { "File" });
        tables.stars.insert(row.id, kind.zip(row.starrable_id));
    }
    for row in repo.all(Query::<Lock>::new()).await? {
        tables.locks.insert(row.id, [row.user_id, row.folder_id, row.file_id]);
    }
    for row in repo.all(Query::<House>::new()).await? {
        tables.houses.insert((row.tenant, row.number));
        count(&format!("house {} {} rooms", row.tenant, row.number), i64::from(row.rooms_count));
    }
    for row in repo.all(Query::<Room>::new()).await? {
        tables.rooms.insert(row.id, (row.tenant, row.house_number));
    }
    tables.tags.extend(repo.all(Query::<Tag>::new()).await?.iter().map(|tag| tag.id));
    tables.shares.extend(repo.all(Query::<Share>::new()).await?.iter().map(|share| (share.user_id, share.folder_id)));
    tables.shares.sort_unstable();
    tables.links = repo.pluck((Link::FOLDER_ID, Link::TAG_ID), Query::new()).await?;
    tables.links.sort_unstable();
    Ok((tables, counters))
}
