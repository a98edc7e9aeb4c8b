//! Random conditions and orders, as the library takes them and as plain functions of rows in memory.

use std::cmp::Ordering;
use std::sync::Arc;

use assoc_core::dialect::NullOrder;
use assoc_core::{Column, ColumnType, Filter, IntoColumn, Sort};
use assoc_repo::prelude::*;

use crate::Random;
use crate::schema::{Item, Key, Note, Region, Shop, Sorted, Tag};

/// A column of a model.
pub(crate) struct Field<M: 'static> {
    pub(crate) name: &'static str,
    pub(crate) key: fn(&M) -> Key,
    pub(crate) sort: fn() -> Sort<M>,
    pub(crate) leaf: fn(&mut Random) -> Leaf<M>,
}

/// A condition on one column.
pub(crate) struct Leaf<M> {
    pub(crate) filter: Filter<M>,
    pub(crate) holds: Arc<dyn Fn(&Key) -> Option<bool> + Send + Sync>,
    pub(crate) shown: String,
}

fn leaf<M: Model, V: ColumnType + Sorted + IntoColumn<V>>(column: Column<M, V>, random: &mut Random) -> Leaf<M> {
    let (a, b, c) = (V::some(random), V::some(random), V::some(random));
    let (left, right, third) = (a.key(), b.key(), c.key());
    let what = random.below(11);
    let name = ["=", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "is null", "is not null"][what];
    let shown = format!("{} {name} ({left:?}, {right:?}, {third:?})", column.name());
    let filter = match what {
        0 => column.eq(a),
        1 => column.ne(a),
        2 => column.lt(a),
        3 => column.le(a),
        4 => column.gt(a),
        5 => column.ge(a),
        6 => column.is_in([a, b, c]),
        7 => column.not_in([a, b, c]),
        8 => column.between(a, b),
        9 => column.is_null(),
        _ => column.is_not_null(),
    };
    let holds = move |value: &Key| {
        let compared = value.compare(&left);
        let is_null = *value == Key::Null;
        let listed = || {
            let found = [&left, &right, &third]
                .into_iter()
                .any(|one| value.compare(one).is_some_and(Ordering::is_eq) || is_null && *one == Key::Null);
            if is_null && !found { None } else { Some(found) }
        };
        match what {
            0 if left == Key::Null => Some(is_null),
            1 if left == Key::Null => Some(!is_null),
            0 => compared.map(Ordering::is_eq),
            1 => compared.map(Ordering::is_ne),
            2 => compared.map(Ordering::is_lt),
            3 => compared.map(Ordering::is_le),
            4 => compared.map(Ordering::is_gt),
            5 => compared.map(Ordering::is_ge),
            6 => listed(),
            7 => listed().map(|found| !found),
            8 => both(compared.map(Ordering::is_ge), value.compare(&right).map(Ordering::is_le)),
            9 => Some(is_null),
            _ => Some(!is_null),
        }
    };
    Leaf { filter, holds: Arc::new(holds), shown }
}

fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

macro_rules! fields {
    ($($model:ident: $($column:ident $field:ident),+;)+) => {
        $(impl Fields for $model {
            fn fields() -> Vec<Field<Self>> {
                vec![$(Field {
                    name: stringify!($field),
                    key: |row| row.$field.key(),
                    sort: || $model::$column.asc(),
                    leaf: |random| leaf($model::$column, random),
                }),+]
            }
        })+
    };
}

pub(crate) trait Fields: Model {
    fn fields() -> Vec<Field<Self>>;
}

fields! {
    Region: CODE code, NAME name, RANK rank;
    Shop: ID id, REGION_CODE region_code, NAME name, RANK rank;
    Item: ID id, SHOP_ID shop_id, STATE state, LEVEL level, PRICE price, WEIGHT weight, RATIO ratio, NAME name,
        REMARK remark, DUE due, MADE made, SOLD sold, FLAG flag, RANK rank;
    Tag: ID id, WORD word, RANK rank;
    Note: ID id, ABOUT_ID about_id, BODY body, RANK rank;
}

impl Item {
    pub(crate) fn some_columns(random: &mut Random) -> Item {
        let mut item = Item {
            id: 0,
            shop_id: Sorted::some(random),
            parent_id: Sorted::some(random),
            state: Sorted::some(random),
            level: Sorted::some(random),
            price: Sorted::some(random),
            weight: Sorted::some(random),
            ratio: Sorted::some(random),
            name: Sorted::some(random),
            remark: Sorted::some(random),
            due: Sorted::some(random),
            made: Sorted::some(random),
            sold: Sorted::some(random),
            flag: Sorted::some(random),
            rank: Sorted::some(random),
            gone: random.once_in(5),
            shop: Default::default(),
            parent: Default::default(),
            children: Default::default(),
            tags: Default::default(),
            notes: Default::default(),
            number: Default::default(),
            total: Default::default(),
            prices: Default::default(),
        };
        if random.once_in(2) {
            item.parent_id = None;
        }
        item
    }
}

/// A condition on rows `L` in memory, and the same on rows of `M` in a database.
pub(crate) struct Test<M, L> {
    pub(crate) filter: Filter<M>,
    pub(crate) holds: Arc<dyn Fn(&L) -> Option<bool> + Send + Sync>,
    pub(crate) shown: String,
}

impl<M, L> Clone for Test<M, L> {
    fn clone(&self) -> Self {
        Test { filter: self.filter.clone(), holds: Arc::clone(&self.holds), shown: self.shown.clone() }
    }
}

impl<M: Model, L: 'static> Test<M, L> {
    pub(crate) fn of_leaf(leaf: Leaf<M>, key: impl Fn(&L) -> Key + Send + Sync + 'static) -> Self {
        let holds = leaf.holds;
        Test { filter: leaf.filter, holds: Arc::new(move |row| holds(&key(row))), shown: leaf.shown }
    }

    pub(crate) fn matches(&self, row: &L) -> bool {
        (self.holds)(row) == Some(true)
    }

    /// A tree of conditions.
    pub(crate) fn some(random: &mut Random, depth: usize, one: &dyn Fn(&mut Random) -> Self) -> Self {
        if depth == 0 || random.once_in(3) {
            return one(random);
        }
        let a = Self::some(random, depth - 1, one);
        if random.once_in(4) {
            let holds = a.holds;
            let shown = format!("not ({})", a.shown);
            return Test { filter: !a.filter, holds: Arc::new(move |row| holds(row).map(|held| !held)), shown };
        }
        let b = Self::some(random, depth - 1, one);
        let (left, right) = (a.holds, b.holds);
        if random.once_in(2) {
            let shown = format!("({}) and ({})", a.shown, b.shown);
            Test { filter: a.filter & b.filter, holds: Arc::new(move |row| both(left(row), right(row))), shown }
        } else {
            let shown = format!("({}) or ({})", a.shown, b.shown);
            let negated = |held: Option<bool>| held.map(|held| !held);
            let holds = move |row: &L| negated(both(negated(left(row)), negated(right(row))));
            Test { filter: a.filter | b.filter, holds: Arc::new(holds), shown }
        }
    }
}

impl<M: Fields> Test<M, M> {
    pub(crate) fn on_rows(random: &mut Random) -> Self {
        Test::some(random, 2, &|random| {
            let fields = M::fields();
            let field = &fields[random.below(fields.len())];
            Test::of_leaf((field.leaf)(random), field.key)
        })
    }
}

/// A term of an order.
pub(crate) struct Term<M, L> {
    pub(crate) sort: Sort<M>,
    pub(crate) key: Arc<dyn Fn(&L) -> Key + Send + Sync>,
    descends: bool,
    nulls_last: bool,
    pub(crate) shown: String,
}

impl<M, L> Clone for Term<M, L> {
    fn clone(&self) -> Self {
        let Term { sort, key, descends, nulls_last, shown } = self;
        let (sort, key) = (sort.clone(), Arc::clone(key));
        Term { sort, key, descends: *descends, nulls_last: *nulls_last, shown: shown.clone() }
    }
}

impl<M: Model, L: 'static> Term<M, L> {
    /// An ascending order, turned around and with its `NULL`s somewhere.
    pub(crate) fn some(
        random: &mut Random,
        nulls: NullOrder,
        name: &str,
        sort: Sort<M>,
        key: impl Fn(&L) -> Key + Send + Sync + 'static,
    ) -> Self {
        let mut term = Term::ascending(nulls, name, sort, key);
        if random.once_in(2) {
            term.sort = term.sort.reversed();
            term.descends = true;
            term.nulls_last = !term.nulls_last;
        }
        match random.below(4) {
            0 => (term.sort, term.nulls_last) = (term.sort.nulls_first(), false),
            1 => (term.sort, term.nulls_last) = (term.sort.nulls_last(), true),
            _ => {}
        }
        let way = if term.descends { "desc" } else { "asc" };
        let nulls = if term.nulls_last { "last" } else { "first" };
        term.shown = format!("{name} {way} nulls {nulls}");
        term
    }

    pub(crate) fn ascending(
        nulls: NullOrder,
        name: &str,
        sort: Sort<M>,
        key: impl Fn(&L) -> Key + Send + Sync + 'static,
    ) -> Self {
        let nulls_last = nulls == NullOrder::Largest;
        Term { sort, key: Arc::new(key), descends: false, nulls_last, shown: name.to_owned() }
    }

    pub(crate) fn compare(&self, a: &L, b: &L) -> Ordering {
        let (a, b) = ((self.key)(a), (self.key)(b));
        match (a == Key::Null, b == Key::Null) {
            (true, true) => Ordering::Equal,
            (true, false) if self.nulls_last => Ordering::Greater,
            (false, true) if !self.nulls_last => Ordering::Greater,
            (true, false) | (false, true) => Ordering::Less,
            (false, false) => {
                let compared = a.compare(&b).unwrap();
                if self.descends { compared.reverse() } else { compared }
            }
        }
    }
}

pub(crate) fn in_order<M: Model, L: 'static>(terms: &[Term<M, L>], a: &L, b: &L) -> Ordering {
    terms.iter().map(|term| term.compare(a, b)).find(|found| found.is_ne()).unwrap_or(Ordering::Equal)
}

pub(crate) fn shown_terms<M, L>(terms: &[Term<M, L>]) -> String {
    terms.iter().map(|term| term.shown.as_str()).collect::<Vec<_>>().join(", ")
}

/// An order of a model's own columns.
pub(crate) fn own_order<M: Fields>(random: &mut Random, nulls: NullOrder, most: usize) -> Vec<Term<M, M>> {
    let mut terms: Vec<Term<M, M>> = Vec::new();
    let mut names = Vec::new();
    for _ in 0..random.below(most + 1) {
        let fields = M::fields();
        let field = &fields[random.below(fields.len())];
        if !names.contains(&field.name) {
            names.push(field.name);
            terms.push(Term::some(random, nulls, field.name, (field.sort)(), field.key));
        }
    }
    terms
}
