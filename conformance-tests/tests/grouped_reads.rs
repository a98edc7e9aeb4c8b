//! Groups, what is read of them, how they are sorted and which are kept: random ones, compared with an evaluation in memory.
//! What has one value in a group is read alike on every database. What has several is refused, and no statement is run.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of queries. A failure prints the seed of
//! its query.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use assoc_core::metadata::Operand;
use assoc_core::{ErrorKind, Filter, Selectable, Sort};
use assoc_repo::prelude::*;
use assoc_repo::{Columns, Selected};
use conformance_tests::Backend;

use random::{Random, number};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
mod random;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "grouped_shops", auto_increment = false)]
struct Shop {
    id: i64,
    name: String,
    city: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "grouped_items", primary_key = "row, place", auto_increment = false)]
struct Item {
    row: i64,
    place: i64,
    kind: String,
    stars: i64,
    shop_id: Option<i64>,
    #[belongs_to]
    shop: BelongsTo<Option<Shop>>,
}

type Row = (Item, Option<Shop>);

/// What a query reads, sorts by or groups by.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Term {
    Row,
    Place,
    Kind,
    Stars,
    ShopId,
    ShopKey,
    ShopName,
    ShopCity,
    Count,
    Best,
    Shops,
}

use Term::{Best, Count, Kind, Place, Row as RowOf, ShopCity, ShopId, ShopKey, ShopName, Shops, Stars};

const COLUMNS: [Term; 8] = [RowOf, Place, Kind, Stars, ShopId, ShopKey, ShopName, ShopCity];
const ALL: [Term; 11] = [RowOf, Place, Kind, Stars, ShopId, ShopKey, ShopName, ShopCity, Count, Best, Shops];

impl Term {
    fn is_aggregate(self) -> bool {
        matches!(self, Count | Best | Shops)
    }

    fn operand(self) -> Operand {
        match self {
            RowOf => Item::ROW.into_selected(),
            Place => Item::PLACE.into_selected(),
            Kind => Item::KIND.into_selected(),
            Stars => Item::STARS.into_selected(),
            ShopId => Item::SHOP_ID.into_selected(),
            ShopKey => Item::SHOP.joined(Shop::ID).into_selected(),
            ShopName => Item::SHOP.joined(Shop::NAME).into_selected(),
            ShopCity => Item::SHOP.joined(Shop::CITY).into_selected(),
            Count => Aggregate::<Item, i64>::count_all().into_selected(),
            Best => Item::STARS.max().into_selected(),
            Shops => Item::SHOP.joined(Shop::ID.count()).into_selected(),
        }
    }

    fn sort(self) -> Sort<Item> {
        match self {
            RowOf => Item::ROW.asc(),
            Place => Item::PLACE.asc(),
            Kind => Item::KIND.asc(),
            Stars => Item::STARS.asc(),
            ShopId => Item::SHOP_ID.asc(),
            ShopKey => Item::SHOP.joined(Shop::ID).asc(),
            ShopName => Item::SHOP.joined(Shop::NAME).asc(),
            ShopCity => Item::SHOP.joined(Shop::CITY).asc(),
            Count => Aggregate::<Item, i64>::count_all().asc(),
            Best => Item::STARS.max().asc(),
            Shops => Item::SHOP.joined(Shop::ID.count()).asc(),
        }
    }

    /// The value in a group: of a column that of its first row.
    fn value(self, group: &[Row]) -> String {
        let first = || &group[0];
        let shop = |of: fn(&Shop) -> String| first().1.as_ref().map_or("-".to_owned(), of);
        match self {
            RowOf => first().0.row.to_string(),
            Place => first().0.place.to_string(),
            Kind => first().0.kind.clone(),
            Stars => first().0.stars.to_string(),
            ShopId => first().0.shop_id.map_or("-".to_owned(), |id| id.to_string()),
            ShopKey => shop(|shop| shop.id.to_string()),
            ShopName => shop(|shop| shop.name.clone()),
            ShopCity => shop(|shop| shop.city.clone()),
            Count => group.len().to_string(),
            Best => group.iter().map(|(item, _)| item.stars).max().map_or("-".to_owned(), |best| best.to_string()),
            Shops => group.iter().filter(|(_, shop)| shop.is_some()).count().to_string(),
        }
    }
}

/// Whether all rows of a group are sure to have one value: it is grouped by that, or by the primary key of its table.
fn is_one(term: Term, groups: &[Term]) -> bool {
    let key: &[Term] = match term {
        RowOf | Place | Kind | Stars | ShopId => &[RowOf, Place],
        ShopKey | ShopName | ShopCity => &[ShopKey],
        Count | Best | Shops => &[],
    };
    groups.contains(&term) || key.iter().all(|part| groups.contains(part))
}

struct Chosen(Vec<Term>);

impl Columns<Item> for Chosen {
    type Row = Vec<String>;

    fn operands(self) -> Vec<Operand> {
        self.0.into_iter().map(Term::operand).collect()
    }

    fn decode(values: &mut [Value<'_>], _: &Selected) -> Result<Vec<String>> {
        let shown = |value: &Value<'_>| match value {
            Value::Null => "-".to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Text(text) => text.to_string(),
            other => format!("{other:?}"),
        };
        Ok(values.iter().map(shown).collect())
    }
}

/// What is said of groups.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Having {
    Nothing,
    OfAColumn,
    OfAnAggregate,
    OfEither,
    OfAJoinedRow,
    OfAnAssociation,
}

const HAVINGS: [Having; 6] = [
    Having::Nothing,
    Having::OfAColumn,
    Having::OfAnAggregate,
    Having::OfEither,
    Having::OfAJoinedRow,
    Having::OfAnAssociation,
];

impl Having {
    fn filter(self) -> Option<Filter<Item>> {
        Some(match self {
            Having::Nothing => return None,
            Having::OfAColumn => Item::KIND.ne("b"),
            Having::OfAnAggregate => Item::STARS.max().ge(3),
            Having::OfEither => Item::KIND.eq("a").or(Item::STARS.max().ge(3)),
            Having::OfAJoinedRow => Item::SHOP.joined(Shop::CITY.is_not_null()),
            Having::OfAnAssociation => Item::SHOP.any(Shop::NAME.ne("North")).not(),
        })
    }

    fn terms(self) -> &'static [Term] {
        match self {
            Having::Nothing | Having::OfAnAggregate => &[],
            Having::OfAColumn | Having::OfEither => &[Kind],
            Having::OfAJoinedRow => &[ShopCity],
            Having::OfAnAssociation => &[ShopId],
        }
    }

    fn holds(self, group: &[Row]) -> bool {
        let best = || group.iter().any(|(item, _)| item.stars >= 3);
        match self {
            Having::Nothing => true,
            Having::OfAColumn => group[0].0.kind != "b",
            Having::OfAnAggregate => best(),
            Having::OfEither => group[0].0.kind == "a" || best(),
            Having::OfAJoinedRow => group[0].1.is_some(),
            Having::OfAnAssociation => group[0].1.as_ref().is_none_or(|shop| shop.name == "North"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Read {
    Rows,
    Page,
    Values,
    Count,
    Exists,
}

const READS: [Read; 5] = [Read::Rows, Read::Page, Read::Values, Read::Count, Read::Exists];

#[derive(Debug)]
struct Asked {
    groups: Vec<Term>,
    selected: Vec<Term>,
    order: Vec<Term>,
    having: Having,
    read: Read,
}

fn some_of(random: &mut Random, terms: &[Term], most: usize) -> Vec<Term> {
    let mut chosen = Vec::new();
    for _ in 0..random.below(most + 1) {
        let term = terms[random.below(terms.len())];
        if !chosen.contains(&term) {
            chosen.push(term);
        }
    }
    chosen
}

impl Asked {
    fn some(random: &mut Random) -> Asked {
        let mut groups = some_of(random, &COLUMNS, 3);
        if random.once_in(3) {
            groups.extend([RowOf, Place].into_iter().filter(|key| !groups.contains(key)).collect::<Vec<_>>());
        }
        let selected = match some_of(random, &ALL, 3) {
            none if none.is_empty() => vec![Count],
            some => some,
        };
        let order = some_of(random, if groups.is_empty() { &COLUMNS } else { &ALL }, 2);
        let having = HAVINGS[random.below(HAVINGS.len())];
        Asked { groups, selected, order, having, read: READS[random.below(READS.len())] }
    }

    fn query(&self) -> Select<Item> {
        let mut query = Query::left_join(Item::SHOP);
        if !self.groups.is_empty() {
            query = query.group_by(Chosen(self.groups.clone()));
        }
        if let Some(filter) = self.having.filter() {
            query = query.having(filter);
        }
        query.order_by(self.order.iter().map(|term| term.sort()).collect::<Vec<_>>())
    }

    fn makes_groups(&self) -> bool {
        let aggregates = self.read == Read::Values && self.selected.iter().any(|term| term.is_aggregate());
        aggregates || !self.groups.is_empty() || self.having != Having::Nothing
    }

    /// Whether each group has one value of everything that is asked for.
    fn is_determined(&self) -> bool {
        let row = [RowOf, Place, Kind, Stars, ShopId];
        let read: &[Term] = match self.read {
            Read::Rows | Read::Page => &row,
            Read::Values => &self.selected,
            Read::Count | Read::Exists => &[],
        };
        // A count has no order, nor has a single row.
        let sorts = !matches!(self.read, Read::Count | Read::Exists) && !self.groups.is_empty();
        let order: &[Term] = if sorts { &self.order } else { &[] };
        let mut asked = read.iter().chain(order).chain(self.having.terms());
        !self.makes_groups() || asked.all(|term| is_one(*term, &self.groups))
    }

    /// The groups that are kept; without groups, each row is one.
    fn found(&self, rows: &[Row]) -> Vec<Vec<Row>> {
        let mut groups: Vec<Vec<Row>> = Vec::new();
        for row in rows {
            let of =
                |row: &Row| self.groups.iter().map(|term| term.value(std::slice::from_ref(row))).collect::<Vec<_>>();
            let known = groups.iter_mut().find(|group| self.makes_groups() && of(&group[0]) == of(row));
            match known {
                Some(group) => group.push(row.clone()),
                None => groups.push(vec![row.clone()]),
            }
        }
        groups.retain(|group| self.having.holds(group));
        groups
    }

    /// What a repo answers, sorted.
    async fn answer(&self, repo: &Repo) -> Result<Vec<String>> {
        let query = self.query();
        let shown = |items: Vec<Item>| items.into_iter().map(|item| format!("{item:?}")).collect::<Vec<_>>();
        let mut answer = match self.read {
            Read::Rows => shown(repo.all(query).await?),
            Read::Page => shown(repo.offset_page(query, 1, 100).await?.rows),
            Read::Values => {
                let rows = repo.pluck(Chosen(self.selected.clone()), query).await?;
                rows.into_iter().map(|row| row.join(",")).collect()
            }
            Read::Count => vec![repo.count(query).await?.to_string()],
            Read::Exists => vec![repo.exists(query).await?.to_string()],
        };
        answer.sort_unstable();
        Ok(answer)
    }

    /// The same of rows in memory.
    fn expected(&self, rows: &[Row]) -> Vec<String> {
        let groups = self.found(rows);
        let mut answer: Vec<String> = match self.read {
            Read::Rows | Read::Page => groups.iter().map(|group| format!("{:?}", group[0].0)).collect(),
            Read::Values => {
                let row = |group: &Vec<Row>| self.selected.iter().map(|term| term.value(group)).collect::<Vec<_>>();
                groups.iter().map(|group| row(group).join(",")).collect()
            }
            Read::Count => vec![groups.len().to_string()],
            Read::Exists => vec![(!groups.is_empty()).to_string()],
        };
        answer.sort_unstable();
        answer
    }
}

async fn filled(repo: &Repo) -> Vec<Row> {
    repo.create_table::<Shop>().await.unwrap();
    repo.create_table::<Item>().await.unwrap();
    let shop = |id: i64, name: &str, city: &str| Shop { id, name: name.into(), city: city.into() };
    let shops = vec![shop(1, "North", "Turin"), shop(2, "South", "Turin"), shop(3, "North", "Graz")];
    for shop in &shops {
        let new = Shop::build().set(Shop::ID, shop.id).set(Shop::NAME, &*shop.name).set(Shop::CITY, &*shop.city);
        repo.insert(new).await.unwrap();
    }
    let mut rows = Vec::new();
    for at in 0..12_i64 {
        let shop = shops.get(at as usize % 4);
        let new = Item::build()
            .set(Item::ROW, at / 4)
            .set(Item::PLACE, at % 4)
            .set(Item::KIND, ["a", "b", "c"][(at * at) as usize % 3])
            .set(Item::STARS, at * 7 % 5)
            .set(Item::SHOP_ID, shop.map(|shop| shop.id));
        rows.push((repo.insert(new).await.unwrap(), shop.cloned()));
    }
    rows
}

async fn one_answer_or_none(backend: &dyn Backend) {
    let database = backend.fresh().await.unwrap();
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    let rows = filled(&repo).await;
    let (queries, first) = (number("ASSOC_PROPERTY_CASES", 600), number("ASSOC_PROPERTY_SEED", 1));
    let mut refused = 0;
    for seed in first..first + queries {
        let asked = Asked::some(&mut Random::new(seed));
        let (answer, statements) = repo.count_statements(asked.answer(&repo)).await;
        match (answer, asked.is_determined()) {
            (Ok(answer), true) => assert_eq!(answer, asked.expected(&rows), "{seed}: {asked:?}"),
            (Err(error), false) => {
                refused += 1;
                let kind = error.kind();
                assert!(matches!(kind, ErrorKind::NotGrouped { model: "Item", .. }), "{seed}: {asked:?} {error}");
                assert_eq!(statements, 0, "{seed}: {asked:?}");
            }
            (answer, determined) => panic!("{seed}: {asked:?} is determined: {determined}, and read as {answer:?}"),
        }
    }
    println!("{}: {refused} of {queries} refused", backend.name());
}

backends::on_each_database!(one_answer_or_none);
