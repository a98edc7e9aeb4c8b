//! What hangs on rows: trees of preloads with conditions, orders and limits for each owner, with aggregates at every node,
//! as one query, as the part of it that a client includes, on rows that are loaded already, and reloaded.

use std::collections::BTreeSet;
use std::sync::Arc;

use assoc_core::metadata::Request;
use assoc_core::{Association, IntoPreload};
use assoc_repo::prelude::*;
use assoc_repo::{Include, Query};
use rust_decimal::Decimal;

use crate::Random;
use crate::schema::{Item, Key, Note, Region, Shop, Sorted, Tag};
use crate::terms::{Fields, Term, Test, in_order, own_order, shown_terms};
use crate::world::World;

pub(crate) struct Tree(pub(crate) Vec<Request>);

impl<M: Model> IntoPreload<M> for Tree {
    fn into_requests(self) -> Vec<Request> {
        self.0
    }
}

type Checked = Result<(), String>;
type Paths = BTreeSet<String>;
type Check<M> = Arc<dyn Fn(&World, &M, &Paths) -> Checked>;

/// Requests of one model, what they load, and their paths.
struct Level<M> {
    requests: Vec<Request>,
    checks: Vec<Check<M>>,
    paths: Vec<String>,
    shown: String,
}

/// What is asked of a list.
struct Wish<T> {
    test: Option<Test<T, T>>,
    terms: Vec<Term<T, T>>,
    limit: Option<usize>,
    offset: usize,
}

impl<T: Fields + Clone> Wish<T> {
    fn some(random: &mut Random, world: &World) -> Self {
        let test = random.once_in(2).then(|| Test::on_rows(random));
        let mut terms = own_order(random, world.null_order, 2);
        let limit = random.once_in(3).then(|| random.below(4));
        let offset = if limit.is_some() && random.once_in(2) { random.below(3) } else { 0 };
        if limit.is_some() && terms.is_empty() {
            // Without one, the first rows of a list behind others are a matter of the plan.
            let field = &T::fields()[0];
            terms.push(Term::ascending(world.null_order, field.name, (field.sort)(), field.key));
        }
        Wish { test, terms, limit, offset }
    }

    fn of<O: Model>(&self, mut preload: Preload<O, T>) -> Preload<O, T> {
        if let Some(test) = &self.test {
            preload = preload.filter(test.filter.clone());
        }
        if !self.terms.is_empty() {
            preload = preload.order_by(self.terms.iter().map(|term| term.sort.clone()).collect::<Vec<_>>());
        }
        if let Some(limit) = self.limit {
            preload = preload.limit(limit as u64);
        }
        if self.offset > 0 { preload.offset(self.offset as u64) } else { preload }
    }

    fn shown(&self) -> String {
        let tested = self.test.as_ref().map_or("", |test| &test.shown);
        format!("where {tested} order {} limit {:?} offset {}", shown_terms(&self.terms), self.limit, self.offset)
    }

    fn expected(&self, mut targets: Vec<T>) -> Vec<T> {
        targets.retain(|target| self.test.as_ref().is_none_or(|test| test.matches(target)));
        let key = T::fields()[0].key;
        targets.sort_by(|a, b| in_order(&self.terms, a, b).then_with(|| key(a).compare(&key(b)).unwrap()));
        targets.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect()
    }

    fn compare(&self, what: &str, found: &[T], targets: Vec<T>) -> Checked {
        let keys = |rows: &[T]| rows.iter().map(T::fields()[0].key).collect::<Vec<Key>>();
        let (mut found, expected) = (keys(found), keys(&self.expected(targets)));
        if self.terms.is_empty() {
            found.sort_by(|a, b| a.compare(b).unwrap());
        }
        if found == expected { Ok(()) } else { Err(format!("{what}: found {found:?}, expected {expected:?}")) }
    }
}

/// The targets of an owner, each as often as it is reached.
type Targets<O, T> = fn(&World, &O) -> Vec<T>;

fn shops(world: &World, region: &Region) -> Vec<Shop> {
    world.shops.iter().filter(|shop| shop.region_code == Some(region.code)).cloned().collect()
}

fn all_items(world: &World) -> impl Iterator<Item = &Item> {
    world.items.iter().filter(|item| !(world.hides && item.gone))
}

fn items(world: &World, shop: &Shop) -> Vec<Item> {
    all_items(world).filter(|item| item.shop_id == Some(shop.id)).cloned().collect()
}

fn children(world: &World, item: &Item) -> Vec<Item> {
    all_items(world).filter(|child| child.parent_id == Some(item.id)).cloned().collect()
}

fn tags(world: &World, item: &Item) -> Vec<Tag> {
    let linked = |tag: &&Tag| world.links.contains(&(item.id, tag.id));
    world.tags.iter().filter(linked).cloned().collect()
}

fn tagged(world: &World, tag: &Tag) -> Vec<Item> {
    all_items(world).filter(|item| world.links.contains(&(item.id, tag.id))).cloned().collect()
}

fn notes(world: &World, kind: &str, id: i64) -> Vec<Note> {
    let about = |note: &&Note| note.about_id == Some(id) && note.about_type.as_deref() == Some(kind) && !note.hidden;
    world.notes.iter().filter(about).cloned().collect()
}

fn behind<A, B>(owners: Vec<A>, of: impl Fn(&A) -> Vec<B>) -> Vec<B> {
    owners.iter().flat_map(of).collect()
}

fn item_notes(world: &World, shop: &Shop) -> Vec<Note> {
    behind(items(world, shop), |item| notes(world, "Item", item.id))
}

fn owned<T: Clone>(rows: Option<&[T]>) -> Option<Vec<T>> {
    rows.map(<[T]>::to_vec)
}

fn shared<T: Clone>(rows: Option<&[Arc<T>]>) -> Option<Vec<T>> {
    rows.map(|rows| rows.iter().map(|row| T::clone(row)).collect())
}

/// A builder of the requests of one level.
struct Builder<'a, M> {
    world: &'a World,
    prefix: String,
    level: Level<M>,
}

impl<'a, M: Fields + Clone> Builder<'a, M> {
    fn new(world: &'a World, prefix: &str) -> Self {
        let level = Level { requests: Vec::new(), checks: Vec::new(), paths: Vec::new(), shown: String::new() };
        Builder { world, prefix: prefix.to_owned(), level }
    }

    /// A list, with a level below it.
    fn list<T: Fields + Clone, H>(
        &mut self,
        random: &mut Random,
        association: Association<M, T, H>,
        name: &str,
        targets: Targets<M, T>,
        found: fn(&M) -> Option<Vec<T>>,
        below: impl FnOnce(&mut Random, &World, &str) -> Level<T>,
    ) {
        if random.once_in(2) {
            return;
        }
        let path = format!("{}{name}", self.prefix);
        let wish = Wish::<T>::some(random, self.world);
        let below = below(random, self.world, &format!("{path}."));
        self.level.shown += &format!("{path} {}\n{}", wish.shown(), below.shown);
        self.level.paths.push(path.clone());
        self.level.paths.extend(below.paths);
        let preload = wish.of(association.preload()).with(Tree(below.requests));
        self.level.requests.extend(preload.into_requests());
        let checks = below.checks;
        self.level.checks.push(Arc::new(move |world, row, paths| {
            let found = found(row);
            if !paths.contains(&path) {
                return if found.is_none() { Ok(()) } else { Err(format!("{path} is loaded")) };
            }
            let found = found.ok_or_else(|| format!("{path} is not loaded"))?;
            wish.compare(&path, &found, targets(world, row))?;
            found.iter().try_for_each(|row| checks.iter().try_for_each(|check| check(world, row, paths)))
        }));
    }

    fn aggregate<V: PartialEq + std::fmt::Debug + 'static, T: Fields + Clone>(
        &mut self,
        name: &str,
        wish: Wish<T>,
        request: impl IntoPreload<M>,
        targets: Targets<M, T>,
        found: fn(&M) -> Option<V>,
        expected: fn(&[T]) -> V,
    ) {
        let path = format!("{}{name}", self.prefix);
        self.level.shown += &format!("{path} {}\n", wish.shown());
        self.level.paths.push(path.clone());
        self.level.requests.extend(request.into_requests());
        self.level.checks.push(Arc::new(move |world, row, paths| {
            let found = found(row);
            let expected = paths.contains(&path).then(|| expected(&wish.expected(targets(world, row))));
            if found == expected { Ok(()) } else { Err(format!("{path}: found {found:?}, expected {expected:?}")) }
        }));
    }
}

fn sum<T>(rows: &[T], of: fn(&T) -> Option<i64>) -> Option<i64> {
    let values: Vec<i64> = rows.iter().filter_map(of).collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

fn prices(items: &[Item]) -> Option<Decimal> {
    let values: Vec<Decimal> = items.iter().filter_map(|item| item.price).collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

macro_rules! number {
    ($builder:ident, $random:ident, $model:ident :: $association:ident, $targets:expr) => {{
        let wish = Wish::some($random, $builder.world);
        let request = wish.of($model::$association.preload()).count_into($model::NUMBER);
        $builder.aggregate(
            "number",
            wish,
            request,
            $targets,
            |row| row.number.loaded().copied(),
            |rows| rows.len() as i64,
        );
    }};
}

macro_rules! total {
    ($builder:ident, $random:ident, $model:ident :: $association:ident, $target:ident, $targets:expr) => {{
        let wish = Wish::some($random, $builder.world);
        let request = wish.of($model::$association.preload()).aggregate_into($model::TOTAL, $target::RANK.sum());
        let expected = |rows: &[$target]| {
            sum(rows, |row| match row.rank.key() {
                Key::Int(rank) => Some(rank),
                _ => None,
            })
        };
        $builder.aggregate("total", wish, request, $targets, |row| row.total.loaded().copied(), expected);
    }};
}

macro_rules! prices {
    ($builder:ident, $random:ident, $model:ident :: $association:ident, $targets:expr) => {{
        let wish = Wish::some($random, $builder.world);
        let request = wish.of($model::$association.preload()).aggregate_into($model::PRICES, Item::PRICE.sum());
        $builder.aggregate("prices", wish, request, $targets, |row| row.prices.loaded().copied(), prices);
    }};
}

fn nothing<M: Fields + Clone>(_: &mut Random, world: &World, prefix: &str) -> Level<M> {
    Builder::new(world, prefix).level
}

fn region_level(random: &mut Random, world: &World, prefix: &str) -> Level<Region> {
    let mut builder = Builder::new(world, prefix);
    let items_of = |world: &World, region: &Region| behind(shops(world, region), |shop| items(world, shop));
    let notes_of = |world: &World, region: &Region| behind(shops(world, region), |shop| item_notes(world, shop));
    builder.list(random, Region::SHOPS, "shops", shops, |row| owned(row.shops.loaded()), shop_level);
    builder.list(random, Region::ITEMS, "items", items_of, |row| shared(row.items.loaded()), item_level);
    builder.list(random, Region::ITEM_NOTES, "item_notes", notes_of, |row| shared(row.item_notes.loaded()), nothing);
    match random.below(4) {
        0 => number!(builder, random, Region::SHOPS, shops),
        1 => number!(builder, random, Region::ITEMS, items_of),
        2 => number!(builder, random, Region::ITEM_NOTES, notes_of),
        _ => {}
    }
    match random.below(4) {
        0 => total!(builder, random, Region::SHOPS, Shop, shops),
        1 => total!(builder, random, Region::ITEMS, Item, items_of),
        2 => total!(builder, random, Region::ITEM_NOTES, Note, notes_of),
        _ => {}
    }
    builder.level
}

fn shop_level(random: &mut Random, world: &World, prefix: &str) -> Level<Shop> {
    let mut builder = Builder::new(world, prefix);
    let tags_of = |world: &World, shop: &Shop| behind(items(world, shop), |item| tags(world, item));
    let notes_of = |world: &World, shop: &Shop| notes(world, "Shop", shop.id);
    builder.list(random, Shop::ITEMS, "items", items, |row| owned(row.items.loaded()), item_level);
    builder.list(random, Shop::TAGS, "tags", tags_of, |row| shared(row.tags.loaded()), nothing);
    builder.list(random, Shop::ITEM_NOTES, "item_notes", item_notes, |row| shared(row.item_notes.loaded()), nothing);
    builder.list(random, Shop::NOTES, "notes", notes_of, |row| owned(row.notes.loaded()), nothing);
    match random.below(5) {
        0 => number!(builder, random, Shop::ITEMS, items),
        1 => number!(builder, random, Shop::TAGS, tags_of),
        2 => number!(builder, random, Shop::ITEM_NOTES, item_notes),
        3 => number!(builder, random, Shop::NOTES, notes_of),
        _ => {}
    }
    match random.below(5) {
        0 => total!(builder, random, Shop::ITEMS, Item, items),
        1 => total!(builder, random, Shop::TAGS, Tag, tags_of),
        2 => total!(builder, random, Shop::ITEM_NOTES, Note, item_notes),
        3 => total!(builder, random, Shop::NOTES, Note, notes_of),
        _ => {}
    }
    if random.once_in(2) {
        prices!(builder, random, Shop::ITEMS, items);
    }
    builder.level
}

fn item_level(random: &mut Random, world: &World, prefix: &str) -> Level<Item> {
    let mut builder = Builder::new(world, prefix);
    let notes_of = |world: &World, item: &Item| notes(world, "Item", item.id);
    if prefix.split('.').count() < 5 {
        builder.list(random, Item::CHILDREN, "children", children, |row| owned(row.children.loaded()), item_level);
        builder.list(random, Item::TAGS, "tags", tags, |row| shared(row.tags.loaded()), tag_level);
    }
    builder.list(random, Item::NOTES, "notes", notes_of, |row| owned(row.notes.loaded()), nothing);
    match random.below(4) {
        0 => number!(builder, random, Item::CHILDREN, children),
        1 => number!(builder, random, Item::TAGS, tags),
        2 => number!(builder, random, Item::NOTES, notes_of),
        _ => {}
    }
    match random.below(4) {
        0 => total!(builder, random, Item::CHILDREN, Item, children),
        1 => total!(builder, random, Item::TAGS, Tag, tags),
        2 => total!(builder, random, Item::NOTES, Note, notes_of),
        _ => {}
    }
    if random.once_in(2) {
        prices!(builder, random, Item::CHILDREN, children);
    }
    builder.level
}

fn tag_level(random: &mut Random, world: &World, prefix: &str) -> Level<Tag> {
    let mut builder = Builder::new(world, prefix);
    if prefix.split('.').count() < 5 {
        builder.list(random, Tag::ITEMS, "items", tagged, |row| shared(row.items.loaded()), item_level);
    }
    if random.once_in(2) {
        number!(builder, random, Tag::ITEMS, tagged);
        total!(builder, random, Tag::ITEMS, Item, tagged);
    }
    if random.once_in(2) {
        prices!(builder, random, Tag::ITEMS, tagged);
    }
    builder.level
}

pub(crate) async fn nodes(world: &mut World, random: &mut Random) -> Result<usize, String> {
    world.hides = random.once_in(2);
    match random.below(4) {
        0 => of_model::<Region>(world, random, region_level, |world| world.regions.clone()).await,
        1 => of_model::<Shop>(world, random, shop_level, |world| world.shops.clone()).await,
        2 => of_model::<Tag>(world, random, tag_level, |world| world.tags.clone()).await,
        _ => of_model::<Item>(world, random, item_level, |world| all_items(world).cloned().collect()).await,
    }
}

async fn of_model<M: Fields + Clone>(
    world: &World,
    random: &mut Random,
    level: fn(&mut Random, &World, &str) -> Level<M>,
    all: fn(&World) -> Vec<M>,
) -> Result<usize, String> {
    let repo = match world.hides {
        true => world.repo.filtered(|model| (model == Item::DEF).then(|| Item::GONE.eq(false).into_expr())),
        false => world.repo.clone(),
    };
    let level_of_query = level(random, world, "");
    let requests = level_of_query.requests.clone();
    let every: Paths = level_of_query.paths.iter().cloned().collect();
    let wish = Wish::<M>::some(random, world);
    let mut query = Query::<M>::new();
    if let Some(test) = &wish.test {
        query = query.filter(test.filter.clone());
    }
    query = query.order_by(wish.terms.iter().map(|term| term.sort.clone()).collect::<Vec<_>>());
    if let Some(limit) = wish.limit {
        query = query.limit(limit as u64).offset(wish.offset as u64);
    }
    let context = |what: String| {
        format!("{what}\n{} {} hides {}\n{}", M::DEF.name, wish.shown(), world.hides, level_of_query.shown)
    };
    let failed = |error: Error| context(error.to_string());
    let check = |rows: &[M], paths: &Paths| {
        let all: Result<(), String> = wish.compare("rows", rows, all(world));
        all.and_then(|()| {
            let checks = || level_of_query.checks.iter();
            rows.iter().try_for_each(|row| checks().try_for_each(|check| check(world, row, paths)))
        })
    };
    // The whole tree.
    let with_tree = query.clone().preload(Tree(requests.clone()));
    let (rows, statements) = repo.count_statements(repo.all(with_tree.clone())).await;
    let mut rows = rows.map_err(failed)?;
    let explained = with_tree.explain(&repo).map_err(failed)?;
    let most = explained.lines().filter(|line| line.starts_with('[')).count();
    if statements > most {
        return Err(context(format!("{statements} statements, planned are {most}\n{explained}")));
    }
    // The last line tells how many of those it lists are sent: all but the ones that a level before has answered.
    let told = explained.lines().find_map(|line| line.split_once(" statements, ")?.0.parse::<usize>().ok());
    if told.is_some_and(|told| told < statements) {
        return Err(context(format!("{statements} statements, other than told\n{explained}")));
    }
    check(&rows, &every).map_err(context)?;
    // The part that a client asks for.
    let part: Vec<&String> = level_of_query.paths.iter().filter(|_| random.once_in(3)).take(15).collect();
    let mut included = Paths::new();
    for path in &part {
        let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
        included.extend(ends.map(|end| path[..end].to_owned()));
    }
    let allowed = Include::<M>::of(Tree(requests.clone())).map_err(failed)?;
    let list = part.iter().map(|path| path.as_str()).collect::<Vec<_>>().join(",");
    let tree = allowed.parse(&list).map_err(failed)?;
    let some = repo.all(query.clone().preload(tree.clone())).await.map_err(failed)?;
    check(&some, &included).map_err(|what| context(format!("included {list}: {what}")))?;
    // The same on bare rows.
    let mut bare = repo.all(query.clone()).await.map_err(failed)?;
    repo.preload(&mut bare, tree).await.map_err(failed)?;
    check(&bare, &included).map_err(|what| context(format!("on loaded rows, {list}: {what}")))?;
    // Another tree over what is loaded.
    let other = level(random, world, "");
    let context = |what: String| context(format!("{what}\nreloaded by\n{}", other.shown));
    let reloading = repo.reload(&mut rows, Tree(other.requests.clone())).await;
    reloading.map_err(|error| context(error.to_string()))?;
    let every: Paths = other.paths.iter().cloned().collect();
    // What the other tree does not name stays, so only what it names is looked at.
    for row in &rows {
        for (check, path) in other.checks.iter().zip(other.tops()) {
            check(world, row, &every)
                .or_else(|what| if what.ends_with("is loaded") { Ok(()) } else { Err(what) })
                .map_err(|what| context(format!("{path}: {what}")))?;
        }
    }
    Ok(1)
}

impl<M> Level<M> {
    fn tops(&self) -> impl Iterator<Item = &String> {
        self.paths.iter().filter(|path| !path.contains('.'))
    }
}
