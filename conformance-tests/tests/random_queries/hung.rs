//! Pages of rows with what hangs on them: loaded by key, by join, or as the library chooses, below random conditions, joins and
//! orders. All pages together are the rows of the query, and each row has what it has in memory.

use assoc_repo::prelude::*;
use assoc_repo::{Page, Select};

use crate::Random;
use crate::rows::{Asked, Line};
use crate::schema::{Item, Shop};
use crate::world::World;

// A query with something to load, and what it is.
fn some(random: &mut Random, asked: &Asked) -> (Select<Item>, &'static str) {
    // A row that a join repeats, or that stands for several, has no single row of a page.
    let single = asked.children.is_none();
    let query = asked.query.clone();
    match random.below(6) {
        0 => (query.preload((Item::NOTES, Item::TAGS, Item::SHOP)), "preload"),
        1 => (query.includes((Item::SHOP.with(Shop::REGION), Item::NOTES, Item::TAGS)), "includes"),
        2 if single => (query.eager_load(Item::SHOP).preload((Item::NOTES, Item::TAGS)), "eager shop"),
        3 if single => (query.eager_load(Item::SHOP.with(Shop::NOTES)).preload(Item::NOTES), "eager shop with notes"),
        4 if single && !asked.distinct => (query.eager_load(Item::NOTES).preload(Item::SHOP), "eager notes"),
        5 if single && !asked.distinct => (query.eager_load((Item::TAGS, Item::SHOP)), "eager tags and shop"),
        _ => (query.preload(Item::NOTES), "preload notes"),
    }
}

// What a row has loaded is what it has.
fn check(world: &World, row: &Item) -> Result<(), String> {
    let sorted = |mut ids: Vec<i64>| {
        ids.sort_unstable();
        ids
    };
    let notes_of = |kind: &str, id: i64| {
        let notes = world.notes.iter().filter(|note| note.about_type.as_deref() == Some(kind) && !note.hidden);
        sorted(notes.filter(|note| note.about_id == Some(id)).map(|note| note.id).collect())
    };
    if let Ok(shop) = row.shop() {
        let expected = world.shop(row).map(|shop| shop.id);
        if shop.map(|shop| shop.id) != expected {
            return Err(format!("item {} has the shop {:?}, not {expected:?}", row.id, shop.map(|shop| shop.id)));
        }
        if let Some(shop) = shop
            && let Ok(region) = shop.region()
        {
            let expected = world.region(shop).map(|region| region.code);
            if region.map(|region| region.code) != expected {
                return Err(format!("shop {} has another region than {expected:?}", shop.id));
            }
        }
        if let Some(shop) = shop
            && let Ok(notes) = shop.notes()
        {
            let (found, expected) = (sorted(notes.iter().map(|note| note.id).collect()), notes_of("Shop", shop.id));
            if found != expected {
                return Err(format!("shop {} has the notes {found:?}, not {expected:?}", shop.id));
            }
        }
    }
    if let Ok(notes) = row.notes() {
        let (found, expected) = (sorted(notes.iter().map(|note| note.id).collect()), notes_of("Item", row.id));
        if found != expected {
            return Err(format!("item {} has the notes {found:?}, not {expected:?}", row.id));
        }
    }
    if let Ok(tags) = row.tags() {
        let found = sorted(tags.iter().map(|tag| tag.id).collect());
        let known = |tag: &i64| world.tags.iter().any(|one| one.id == *tag);
        let linked = world.links.iter().filter(|(item, tag)| *item == row.id && known(tag)).map(|(_, tag)| *tag);
        let expected = sorted(linked.collect());
        if found != expected {
            return Err(format!("item {} has the tags {found:?}, not {expected:?}", row.id));
        }
    }
    Ok(())
}

fn same(world: &World, what: &str, rows: &[Item], expected: &[Line]) -> Result<(), String> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let wanted: Vec<i64> = expected.iter().map(|line| line.item.id).collect();
    if ids != wanted {
        return Err(format!("{what}: found {ids:?}, expected {wanted:?}"));
    }
    rows.iter().try_for_each(|row| check(world, row)).map_err(|wrong| format!("{what}: {wrong}"))
}

pub(crate) async fn hung(world: &mut World, random: &mut Random) -> Result<usize, String> {
    // Several walks through all pages take their time.
    if !random.once_in(5) {
        return Ok(0);
    }
    let asked = Asked::some(random, world);
    let (query, how) = some(random, &asked);
    let sql = query.explain(&world.repo).unwrap_or_else(|error| error.to_string());
    match pages(world, random, &asked, query).await {
        Ok(()) => Ok(1),
        // Where the query loads by a join, each row comes once, which no page by a column of a collection can tell.
        Err(what) if what.contains("cannot be sorted by a collection") && asked.children.is_some() => Ok(0),
        Err(what) => Err(format!("{how}: {what}\n{}\n{sql}", asked.shown)),
    }
}

async fn pages(world: &World, random: &mut Random, asked: &Asked, query: Select<Item>) -> Result<(), String> {
    let (repo, expected) = (&world.repo, asked.expected(world));
    let said = |error: Error| error.to_string();
    let all = repo.all(query.clone().order_by(Item::ID.asc())).await.map_err(said)?;
    same(world, "all", &all, &expected)?;
    let size = 1 + random.below(4);
    let mut batches = repo.in_batches(query.clone(), size as u64).map_err(said)?;
    let mut rows = Vec::new();
    while let Some(batch) = batches.next().await.map_err(said)? {
        rows.extend(batch);
    }
    same(world, "in batches", &rows, &expected)?;
    for backwards in [false, true] {
        let (mut rows, mut page) =
            (Vec::new(), if backwards { Page::last(size as u64) } else { Page::first(size as u64) });
        loop {
            let read = repo.page(query.clone(), page).await.map_err(said)?;
            let next = if backwards { read.previous() } else { read.next() };
            let next = next.map(|cursor| cursor.to_string());
            if backwards {
                rows.splice(0..0, read.rows);
            } else {
                rows.extend(read.rows);
            }
            match next {
                Some(cursor) if backwards => page = Page::before(cursor, size as u64),
                Some(cursor) => page = Page::after(cursor, size as u64),
                None => break,
            }
            if rows.len() > expected.len() {
                return Err("the pages have more rows than there are".to_owned());
            }
        }
        same(world, if backwards { "pages backwards" } else { "pages" }, &rows, &expected)?;
    }
    Ok(())
}
