//! A workshop whose lists say of what they are the whole: conditions on rows that others lead to, both sides of a join table,
//! keys that are not unique, scopes that depend on the owner.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "makers")]
pub struct Maker {
    pub id: i64,
    pub name: String,
    #[column(length = 20)]
    pub code: Option<String>,
    #[has_many]
    pub pieces: HasMany<Piece>,
    #[has_one]
    pub bench: HasOne<Option<Bench>>,
    #[has_many]
    pub shifts: HasMany<Shift>,
    #[has_many(foreign_key = "maker_id", filter = Shift::ROLE.eq("lead"))]
    pub led_shifts: HasMany<Shift>,
    #[has_many(through = "led_shifts", source = "room")]
    pub led_rooms: HasManyThrough<Room>,
    #[has_many(through = "shifts", source = "room", filter = Room::OPEN.eq(true))]
    pub open_rooms: HasManyThrough<Room>,
    // By a column that several makers may share.
    #[has_many(foreign_key = "maker_code", primary_key = "code")]
    pub orders: HasMany<Order>,
    #[has_and_belongs_to_many]
    pub tools: HasAndBelongsToMany<Tool, MakerTool>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pieces")]
pub struct Piece {
    pub id: i64,
    pub name: String,
    pub maker_id: Option<i64>,
    #[has_and_belongs_to_many]
    pub marks: HasAndBelongsToMany<Mark>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "marks")]
pub struct Mark {
    pub id: i64,
    pub name: String,
    #[has_and_belongs_to_many]
    pub pieces: HasAndBelongsToMany<Piece>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "benches")]
pub struct Bench {
    pub id: i64,
    pub name: String,
    pub maker_id: Option<i64>,
    #[belongs_to]
    pub maker: BelongsTo<Option<Maker>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shifts")]
pub struct Shift {
    pub id: i64,
    pub maker_id: i64,
    pub room_id: i64,
    #[column(length = 20)]
    pub role: Option<String>,
    #[belongs_to]
    pub room: BelongsTo<Room>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "rooms")]
pub struct Room {
    pub id: i64,
    pub name: String,
    #[column(default = "FALSE")]
    pub open: bool,
    #[has_many]
    pub shifts: HasMany<Shift>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "piece_orders")]
pub struct Order {
    pub id: i64,
    #[column(length = 20)]
    pub maker_code: Option<String>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tools")]
pub struct Tool {
    pub id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "makers_tools")]
pub struct MakerTool {
    pub maker_id: i64,
    pub tool_id: i64,
    pub level: Option<i64>,
}

/// Makes the tables.
pub async fn tables(repo: &Repo) -> Result<()> {
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
