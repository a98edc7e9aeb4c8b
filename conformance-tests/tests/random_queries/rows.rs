//! Rows in random orders with random conditions and joins: all of them, by offset, and page by page in both directions
//! while rows come and go.

use std::cmp::Ordering;

use assoc_core::dialect::NullOrder;
use assoc_repo::prelude::*;
use assoc_repo::{Cursor, Page, Query, Select};

use crate::Random;
use crate::schema::{Item, Key, Region, Shop};
use crate::terms::{Fields, Term, Test, in_order, shown_terms};
use crate::world::World;

/// An item with what is joined to it.
#[derive(Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) item: Item,
    pub(crate) shop: Option<Shop>,
    pub(crate) region: Option<Region>,
    pub(crate) child: Option<Item>,
}

fn of<M, L>(of: fn(&L) -> Option<&M>, key: fn(&M) -> Key) -> impl Fn(&L) -> Key + Send + Sync + 'static
where
    M: 'static,
    L: 'static,
{
    move |line| of(line).map_or(Key::Null, key)
}

/// What a query asks for.
pub(crate) struct Asked {
    pub(crate) query: Select<Item>,
    inner: bool,
    shop: bool,
    region: bool,
    pub(crate) children: Option<bool>,
    pub(crate) distinct: bool,
    test: Option<Test<Item, Line>>,
    terms: Vec<Term<Item, Line>>,
    nulls: NullOrder,
    pub(crate) shown: String,
}

impl Asked {
    pub(crate) fn some(random: &mut Random, world: &World) -> Asked {
        let shop = random.once_in(2);
        let region = shop && random.once_in(2);
        let inner = random.once_in(3);
        let children = random.once_in(4).then(|| random.once_in(2));
        let distinct = random.once_in(3);
        let mut query = Query::<Item>::new();
        let shops = || if region { Item::SHOP.with(Shop::REGION) } else { Item::SHOP.preload() };
        if shop {
            query = if inner { query.join(shops()) } else { query.left_join(shops()) };
        }
        match children {
            Some(true) => query = query.join(Item::CHILDREN),
            Some(false) => query = query.left_join(Item::CHILDREN),
            None => {}
        }
        let test = random
            .once_in(2)
            .then(|| Test::some(random, 2, &|random| one_test(random, shop, region, children.is_some())));
        if let Some(test) = &test {
            query = query.filter(test.filter.clone());
        }
        if distinct {
            query = query.distinct();
        }
        let mut terms = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for _ in 0..random.below(4) {
            let term = one_term(random, world, shop, region, children.is_some() && !distinct);
            let name = term.shown.split(' ').next().unwrap().to_owned();
            if !names.contains(&name) {
                names.push(name);
                terms.push(term);
            }
        }
        let sorts: Vec<_> = terms.iter().map(|term| term.sort.clone()).collect();
        query = query.order_by(sorts);
        let tested = test.as_ref().map_or("", |test| &test.shown);
        let shown = format!(
            "shop {shop} region {region} inner {inner} children {children:?} distinct {distinct}\nwhere {tested}\norder {}",
            shown_terms(&terms)
        );
        Asked { query, inner, shop, region, children, distinct, test, terms, nulls: world.null_order, shown }
    }

    // Ties come by key, then by the keys of what is joined.
    fn compare(&self, a: &Line, b: &Line) -> Ordering {
        let largest = self.nulls == NullOrder::Largest;
        let child = |line: &Line| (line.child.is_none() == largest, line.child.as_ref().map(|child| child.id));
        in_order(&self.terms, a, b)
            .then_with(|| {
                if self.terms.iter().any(|term| term.shown.starts_with("id ")) {
                    Ordering::Equal
                } else {
                    a.item.id.cmp(&b.item.id)
                }
            })
            .then_with(|| child(a).cmp(&child(b)))
    }

    pub(crate) fn expected(&self, world: &World) -> Vec<Line> {
        let mut lines = Vec::new();
        for item in &world.items {
            let shop = world.shop(item).filter(|_| self.shop);
            let region = shop.and_then(|shop| world.region(shop)).filter(|_| self.region);
            if self.inner && (self.shop && shop.is_none() || self.region && region.is_none()) {
                continue;
            }
            let line = Line { item: item.clone(), shop: shop.cloned(), region: region.cloned(), child: None };
            let children = world.items.iter().filter(|child| child.parent_id == Some(item.id));
            let children: Vec<_> = children.filter(|_| self.children.is_some()).cloned().collect();
            if children.is_empty() && self.children != Some(true) {
                lines.push(line.clone());
            }
            lines.extend(children.into_iter().map(|child| Line { child: Some(child), ..line.clone() }));
        }
        lines.retain(|line| self.test.as_ref().is_none_or(|test| test.matches(line)));
        if self.distinct {
            lines.dedup_by(|a, b| a.item.id == b.item.id);
            // One of several children says nothing of a row that stands for all of them.
            lines.iter_mut().for_each(|line| line.child = None);
        }
        lines.sort_by(|a, b| self.compare(a, b));
        lines
    }
}

fn one_test(random: &mut Random, shop: bool, region: bool, children: bool) -> Test<Item, Line> {
    match random.below(6) {
        0 if shop => {
            let field = &Shop::fields()[random.below(4)];
            let mut leaf = (field.leaf)(random);
            leaf.shown = format!("shop.{}", leaf.shown);
            let leaf =
                crate::terms::Leaf { filter: Item::SHOP.joined(leaf.filter), holds: leaf.holds, shown: leaf.shown };
            Test::of_leaf(leaf, of(|line: &Line| line.shop.as_ref(), field.key))
        }
        1 if region => {
            let field = &Region::fields()[random.below(3)];
            let leaf = (field.leaf)(random);
            let filter = Item::SHOP.joined(Shop::REGION.joined(leaf.filter));
            let leaf = crate::terms::Leaf { filter, holds: leaf.holds, shown: format!("region.{}", leaf.shown) };
            Test::of_leaf(leaf, of(|line: &Line| line.region.as_ref(), field.key))
        }
        2 if children => {
            let fields = Item::fields();
            let field = &fields[random.below(fields.len())];
            let leaf = (field.leaf)(random);
            let filter = Item::CHILDREN.joined(leaf.filter);
            let leaf = crate::terms::Leaf { filter, holds: leaf.holds, shown: format!("child.{}", leaf.shown) };
            Test::of_leaf(leaf, of(|line: &Line| line.child.as_ref(), field.key))
        }
        _ => {
            let fields = Item::fields();
            let field = &fields[random.below(fields.len())];
            Test::of_leaf((field.leaf)(random), of(|line: &Line| Some(&line.item), field.key))
        }
    }
}

fn one_term(random: &mut Random, world: &World, shop: bool, region: bool, children: bool) -> Term<Item, Line> {
    let nulls = world.null_order;
    match random.below(6) {
        0 if shop => {
            let field = &Shop::fields()[random.below(4)];
            let name = format!("shop.{}", field.name);
            let sort = Item::SHOP.joined((field.sort)());
            Term::some(random, nulls, &name, sort, of(|line: &Line| line.shop.as_ref(), field.key))
        }
        1 if region => {
            let field = &Region::fields()[random.below(3)];
            let name = format!("region.{}", field.name);
            let sort = Item::SHOP.joined(Shop::REGION.joined((field.sort)()));
            Term::some(random, nulls, &name, sort, of(|line: &Line| line.region.as_ref(), field.key))
        }
        2 if children => {
            let fields = Item::fields();
            let field = &fields[random.below(fields.len())];
            let name = format!("child.{}", field.name);
            let sort = Item::CHILDREN.joined((field.sort)());
            Term::some(random, nulls, &name, sort, of(|line: &Line| line.child.as_ref(), field.key))
        }
        _ => {
            let fields = Item::fields();
            let field = &fields[random.below(fields.len())];
            Term::some(random, nulls, field.name, (field.sort)(), of(|line: &Line| Some(&line.item), field.key))
        }
    }
}

fn same(what: &str, found: &[Item], expected: &[Line]) -> Result<(), String> {
    if found.len() == expected.len() && found.iter().zip(expected).all(|(found, line)| *found == line.item) {
        return Ok(());
    }
    let found: Vec<_> = found.iter().map(|item| item.id).collect();
    let expected: Vec<_> = expected.iter().map(|line| line.item.id).collect();
    Err(format!("{what}: found {found:?}, expected {expected:?}"))
}

async fn counted<T>(repo: &Repo, most: usize, work: impl Future<Output = Result<T>>) -> Result<T, String> {
    let (done, statements) = repo.count_statements(work).await;
    let done = done.map_err(|error| error.to_string())?;
    if statements == most { Ok(done) } else { Err(format!("{statements} statements in place of {most}")) }
}

pub(crate) async fn rows(world: &mut World, random: &mut Random) -> Result<usize, String> {
    let asked = Asked::some(random, world);
    let sql = asked.query.explain(&world.repo).unwrap_or_default();
    let all = read_all(world, random, &asked).await;
    all.map_err(|what| format!("{what}\n{}\n{sql}", asked.shown))?;
    let walked = walk(world, random, &asked).await;
    walked.map_err(|what| format!("{what}\n{}\n{sql}", asked.shown))?;
    Ok(1)
}

async fn read_all(world: &World, random: &mut Random, asked: &Asked) -> Result<(), String> {
    let repo = &world.repo;
    let expected = asked.expected(world);
    // Without an order any is as good.
    let by_key = asked.query.clone().order_by(Item::ID.asc());
    let rows = counted(repo, 1, repo.all(by_key.clone())).await?;
    same("all", &rows, &expected)?;
    let count = counted(repo, 1, repo.count(by_key.clone())).await?;
    if count != expected.len() as u64 {
        return Err(format!("{count} are counted, of {}", expected.len()));
    }
    let exists = counted(repo, 1, repo.exists(by_key.clone())).await?;
    if exists == expected.is_empty() {
        return Err("exists".to_owned());
    }
    let (limit, offset) = (random.below(5), random.below(4));
    let rows = counted(repo, 1, repo.all(asked.query.clone().limit(limit as u64).offset(offset as u64))).await?;
    let part: Vec<_> = expected.iter().skip(offset).take(limit).cloned().collect();
    same(&format!("limit {limit} offset {offset}"), &rows, &part)?;
    let limited = asked.query.clone().limit(limit as u64).offset(offset as u64);
    let count = counted(repo, 1, repo.count(limited)).await?;
    if count != part.len() as u64 {
        return Err(format!("{count} are counted, of {}, limit {limit} offset {offset}", part.len()));
    }
    let (number, size) = (1 + random.below(3), 1 + random.below(4));
    let page = counted(repo, 2, repo.offset_page(asked.query.clone(), number as u64, size as u64)).await?;
    let part: Vec<_> = expected.iter().skip((number - 1) * size).take(size).cloned().collect();
    same(&format!("page {number} of {size}"), &page.rows, &part)?;
    if page.total != expected.len() as u64 || page.has_next() != (expected.len() > number * size) {
        return Err(format!("a total of {}, of {}", page.total, expected.len()));
    }
    let mut batches = repo.in_batches(asked.query.clone(), size as u64).map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    while let Some(batch) = batches.next().await.map_err(|error| error.to_string())? {
        rows.extend(batch);
    }
    same("in batches", &rows, &expected)
}

// Pages from any cursor in any direction, while rows come and go.
async fn walk(world: &mut World, random: &mut Random, asked: &Asked) -> Result<(), String> {
    let mut cursors: Vec<(Cursor, Line)> = Vec::new();
    for _ in 0..6 {
        let repo = world.repo.clone();
        match random.below(4) {
            0 => world.delete_item(random).await.map_err(|error| error.to_string())?,
            1 => world.insert_item(random, &repo).await.map_err(|error| error.to_string())?,
            _ => {}
        }
        let expected = asked.expected(world);
        let size = 1 + random.below(4);
        let from = (!cursors.is_empty() && !random.once_in(4)).then(|| cursors[random.below(cursors.len())].clone());
        let (page, part, more, what) = match (from, random.once_in(2)) {
            (None, true) => {
                let part: Vec<_> = expected.iter().take(size).cloned().collect();
                (Page::first(size as u64), part, expected.len() > size, "first".to_owned())
            }
            (None, false) => {
                let part: Vec<_> = expected.iter().skip(expected.len().saturating_sub(size)).cloned().collect();
                (Page::last(size as u64), part, expected.len() > size, "last".to_owned())
            }
            (Some((cursor, line)), true) => {
                let rest: Vec<_> = expected.iter().filter(|one| asked.compare(one, &line).is_gt()).cloned().collect();
                let part = rest.iter().take(size).cloned().collect();
                (Page::after(cursor, size as u64), part, rest.len() > size, format!("after {}", line.item.id))
            }
            (Some((cursor, line)), false) => {
                let rest: Vec<_> = expected.iter().filter(|one| asked.compare(one, &line).is_lt()).cloned().collect();
                let part = rest.iter().skip(rest.len().saturating_sub(size)).cloned().collect();
                (Page::before(cursor, size as u64), part, rest.len() > size, format!("before {}", line.item.id))
            }
        };
        let what = format!("{what}, {size}");
        let forwards = what.starts_with("first") || what.starts_with("after");
        let page = counted(&repo, 1, repo.page(asked.query.clone(), page)).await.map_err(|e| format!("{what}: {e}"))?;
        same(&what, &page.rows, &part)?;
        let said = if forwards { page.has_next } else { page.has_previous };
        if said != more {
            return Err(format!("{what}: says more {said}"));
        }
        for (at, line) in part.iter().enumerate() {
            let cursor = page.cursor(at).ok_or("a row without cursor")?;
            let cursor = Cursor::from(cursor.to_string());
            cursors.push((cursor, line.clone()));
        }
    }
    Ok(())
}
