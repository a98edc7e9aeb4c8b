//! Many-to-many over wide keys: few of them fit into one statement.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "sheets")]
pub struct Sheet {
    pub id: i64,
    #[has_many]
    pub placements: HasMany<Placement>,
    #[has_many(through = "placements", source = "tile", order = Tile::NAME.desc())]
    pub tiles_by_name: HasManyThrough<Tile>,
    #[has_many(through = "placements", source = "tile", order = Tile::GRADE.desc())]
    pub tiles_by_grade: HasManyThrough<Tile>,
    #[has_many(through = "placements", source = "tile", order = Tile::NAME.asc(), distinct, limit = 5, offset = 2)]
    pub few_tiles: HasManyThrough<Tile>,
    #[has_and_belongs_to_many(
        join_table = "placements",
        foreign_key = "sheet_id",
        association_foreign_key = "zoom, x, y, layer",
        order = Tile::NAME.asc()
    )]
    pub tiles: HasAndBelongsToMany<Tile>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "placements")]
pub struct Placement {
    pub id: i64,
    pub sheet_id: i64,
    pub zoom: i32,
    pub x: i32,
    pub y: i32,
    pub layer: i32,
    #[belongs_to(foreign_key = "zoom, x, y, layer")]
    pub tile: BelongsTo<Tile>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tiles", primary_key = "zoom, x, y, layer")]
pub struct Tile {
    pub zoom: i32,
    pub x: i32,
    pub y: i32,
    pub layer: i32,
    #[column(length = 20)]
    pub name: String,
    pub grade: i32,
}

/// 8,400 tiles, more than any database takes keys of four columns: all of them on the first sheet, two columns of them
/// twice on the second, none on the third. Names and grades repeat.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Sheet>().await?;
    repo.create_table::<Placement>().await?;
    repo.create_table::<Tile>().await?;
    repo.insert_all((1..=3).map(|id| Sheet::build().set(Sheet::ID, id))).await?;
    let digits: Vec<String> = (0..10).map(|digit| format!("SELECT {digit} AS d")).collect();
    let digits = format!("({})", digits.join(" UNION ALL "));
    let tiles = format!(
        "INSERT INTO tiles (zoom, x, y, layer, name, grade) SELECT 1, a.d + 10 * b.d, c.d + 10 * e.d, 2, \
         CAST((a.d * 7 + b.d * 31 + c.d * 11 + e.d * 3) % 100 AS CHAR), (a.d * 3 + c.d * 13 + e.d) % 50 \
         FROM {digits} AS a, {digits} AS b, {digits} AS c, {digits} AS e WHERE a.d + 10 * b.d < 84"
    );
    repo.execute_raw(&tiles, []).await?;
    for (sheet, which) in [(1, "1 = 1"), (2, "x IN (3, 70)"), (2, "x IN (3, 70)")] {
        let placements = format!(
            "INSERT INTO placements (sheet_id, zoom, x, y, layer) SELECT {sheet}, zoom, x, y, layer FROM tiles WHERE {which}"
        );
        repo.execute_raw(&placements, []).await?;
    }
    Ok(())
}
