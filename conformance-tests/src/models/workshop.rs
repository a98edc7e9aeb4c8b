//! A workshop whose lists say of what they are the whole: conditions on rows that others lead to, both sides of a join table,
//! keys that are not unique, scopes that depend on the owner.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "makers")]
pub(crate) struct Maker {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[column(length = 20)]
    pub(crate) code: Option<String>,
    #[has_many]
    pub(crate) pieces: HasMany<Piece>,
    #[has_one]
    pub(crate) bench: HasOne<Option<Bench>>,
    #[has_many]
    pub(crate) shifts: HasMany<Shift>,
    #[has_many(foreign_key = "maker_id", filter = Shift::ROLE.eq("lead"))]
    pub(crate) led_shifts: HasMany<Shift>,
    #[has_many(through = "led_shifts", source = "room")]
    pub(crate) led_rooms: HasManyThrough<Room>,
    #[has_many(through = "shifts", source = "room", filter = Room::OPEN.eq(true))]
    pub(crate) open_rooms: HasManyThrough<Room>,
    // By a column that several makers may share.
    #[has_many(foreign_key = "maker_code", primary_key = "code")]
    pub(crate) orders: HasMany<Order>,
    #[has_and_belongs_to_many]
    pub(crate) tools: HasAndBelongsToMany<Tool, MakerTool>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pieces")]
pub(crate) struct Piece {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) maker_id: Option<i64>,
    #[has_and_belongs_to_many]
    pub(crate) marks: HasAndBelongsToMany<Mark>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "marks")]
pub(crate) struct Mark {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_and_belongs_to_many]
    pub(crate) pieces: HasAndBelongsToMany<Piece>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "benches")]
pub(crate) struct Bench {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) maker_id: Option<i64>,
    #[belongs_to]
    pub(crate) maker: BelongsTo<Option<Maker>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shifts")]
pub(crate) struct Shift {
    pub(crate) id: i64,
    pub(crate) maker_id: i64,
    pub(crate) room_id: i64,
    #[column(length = 20)]
    pub(crate) role: Option<String>,
    #[belongs_to]
    pub(crate) room: BelongsTo<Room>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "rooms")]
pub(crate) struct Room {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[column(default = "FALSE")]
    pub(crate) open: bool,
    #[has_many]
    pub(crate) shifts: HasMany<Shift>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "piece_orders")]
pub(crate) struct Order {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) maker_code: Option<String>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tools")]
pub(crate) struct Tool {
    pub(crate) id: i64,
    pub(crate) name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "makers_tools")]
pub(crate) struct MakerTool {
    pub(crate) maker_id: i64,
    pub(crate) tool_id: i64,
    pub(crate) level: Option<i64>,
}

/// Makes the tables.
pub(crate) async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Maker>().await?;
    repo.create_table::<Piece>().await?;
    repo.create_table::<Mark>().await?;
    repo.create_table::<Bench>().await?;
    repo.create_table::<Shift>().await?;
    repo.create_table::<Room>().await?;
    repo.create_table::<Order>().await?;
    repo.create_table::<Tool>().await?;
    for sql in [
        "CREATE TABLE marks_pieces (mark_id BIGINT NOT NULL, piece_id BIGINT NOT NULL)",
        "CREATE TABLE makers_tools (maker_id BIGINT NOT NULL, tool_id BIGINT NOT NULL, level BIGINT NULL)",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    Ok(())
}
