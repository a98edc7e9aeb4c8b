//! The way from one owner to its targets as one statement: the targets' table, joined to those on the way back to the
//! owner, whose key is a condition. What a reader of an association that goes through others runs.
//!
//! Which row a `has_one` on the way chooses is a condition. Where the association chooses in another way (a limit or group
//! of a part), there is no such statement, and the parts are loaded one after the other.

use super::{Edge, EdgeId, Finish, Plan, Source};
use crate::association::{Cardinality, Hop};
use crate::column_type::SqlType;
use crate::error::Result;
use crate::expr::{Direction, Expr, Operand, OrderTerm};
use crate::filter_hook::{FilterHook, filtered};
use crate::joins::{JoinHop, Joins, chosen_rows};
use crate::model::{Discriminator, ModelDef};
use crate::sql::{KeyedSelect, RowOrder};
use crate::value::Value;

/// Names of the tables on a way among a statement's joins: paths that no association can have.
const PLACES: [&str; 12] = ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)", "(9)", "(10)", "(11)", "(12)"];

/// The way from an owner to the targets of one association.
#[derive(Debug, Clone)]
pub struct Way {
    /// The targets' model.
    pub target: &'static ModelDef,
    /// Which of them, whoever the owner is.
    pub filter: Expr,
    /// In which order.
    pub order: Vec<OrderTerm>,
    /// The columns that are read of them, if not all are.
    pub selected: Option<Vec<usize>>,
    /// What is done with them then.
    pub finish: Finish,
    /// Whether there is one at most.
    pub cardinality: Cardinality,
    /// The owner's columns the way begins with.
    pub owner_columns: &'static [usize],
    /// The type that a column of the owner must name.
    pub owner_type: Option<Discriminator>,
    // From the target back: each table's join, and what it is called where its own name is taken.
    back: Vec<(JoinHop, String)>,
    // The columns of the last table that hold the owner's key.
    key_columns: &'static [usize],
}

struct Part<'p> {
    edge: &'p Edge,
    owner: &'static ModelDef,
    select: &'p KeyedSelect,
    hop: Hop,
}

impl Part<'_> {
    // Which of an owner's rows is the one, where there may be several.
    fn chosen(&self) -> Option<Expr> {
        let Part { edge, select, hop, .. } = self;
        let single = edge.cardinality == Cardinality::One;
        let order = select.order.clone();
        chosen_rows(edge.association, *hop, select.model, &select.filter, order, single, None, 0)
    }
}

impl Plan {
    /// The way of the plan's only association, if one statement can go it and leaves nothing to be done.
    #[must_use]
    pub fn way(&self) -> Option<Way> {
        let way = self.way_of_stored()?;
        // Distinct rows are sorted by what is selected only.
        let unsorted = way.finish.distinct && (!way.finish.ranked || way.selected.is_some());
        (!unsorted).then_some(way)
    }

    /// The same to count the targets of owners, in whatever order they are.
    #[must_use]
    pub fn way_to_count(&self) -> Option<Way> {
        let way = self.way_of_stored()?;
        let countable = !way.finish.distinct || !way.target.primary_key.is_empty();
        (countable && way.owner_type.is_none()).then_some(way)
    }

    /// Whether a statement that joins the tables on a way has a condition in SQL of the application's own, which a hook put
    /// there.
    #[must_use]
    pub fn joins_raw(&self) -> bool {
        self.steps.iter().filter_map(|step| step.way.as_ref()).any(|way| way.has_raw())
    }

    fn way_of_stored(&self) -> Option<Way> {
        let stored = (0..self.nodes[0].edges.len()).find(|edge| !self.nodes[0].edges[*edge].hidden)?;
        let id = EdgeId { node: 0, edge: stored };
        match self.edge(id).source {
            Source::Step { step, .. } => Some(*self.steps[step].way.clone()?),
            _ => self.way_of(id),
        }
    }

    /// The way of an association that goes through others, part by part.
    pub(super) fn way_of(&self, id: EdgeId) -> Option<Way> {
        let edge = self.edge(id);
        let Source::Composed { finish, .. } = edge.source else { return None };
        let mut parts = Vec::new();
        self.parts(id, &mut parts)?;
        let mut order = OrderOfWay::default();
        self.order_of_way(id, parts.len(), &mut 0, &mut order)?;
        let order = match finish.distinct {
            true => order.terms,
            false => order.with_occurrences()?,
        };
        let (last, before) = parts.split_last()?;
        let first = before.first()?;
        if before.len() > PLACES.len() || finish.grouped {
            return None;
        }
        let variant = |part: &Part<'_>| part.edge.variant.map(|variant| variant.discriminator);
        let mut back = Vec::with_capacity(before.len());
        for (at, part) in before.iter().enumerate().rev() {
            let onward = &parts[at + 1];
            let model = part.select.model;
            let mut filter = part.select.filter.clone();
            if let Some(named) = variant(onward) {
                filter = Expr::tagged(&model.columns[named.column], named.tag).and(filter);
            }
            let hop = Hop {
                owner_columns: onward.hop.target_columns,
                target_columns: onward.hop.owner_columns,
                unique: model.primary_key == onward.hop.owner_columns,
                target_type: None,
            };
            let plural = part.edge.association.plural;
            let otherwise = format!("{plural}_{}_join", part.owner.table.name);
            back.push((JoinHop { plural, model, hop, owner_type: None, filter, chosen: part.chosen() }, otherwise));
        }
        let way = Way {
            target: last.select.model,
            filter: last.chosen().into_iter().fold(last.select.filter.clone(), Expr::and),
            order,
            selected: last.select.selected.clone(),
            finish,
            cardinality: edge.cardinality,
            owner_columns: first.hop.owner_columns,
            owner_type: variant(first),
            back,
            key_columns: first.hop.target_columns,
        };
        // SQL of the application's own was written for one table: among several its columns may be anybody's.
        (!way.has_raw()).then_some(way)
    }

    // The steps of the way, in its order; `None` if one of them chooses among its rows.
    fn parts<'p>(&'p self, id: EdgeId, out: &mut Vec<Part<'p>>) -> Option<()> {
        let edge = self.edge(id);
        match edge.source {
            Source::Step { step, hop } => {
                let step = &self.steps[step];
                let select = &step.select;
                // The one row of several is told by its key.
                let unknown =
                    edge.cardinality == Cardinality::One && !hop.unique && select.model.primary_key.is_empty();
                if unknown || select.per_owner.is_some() || !select.group.is_empty() || step.by_owner.is_some() {
                    return None;
                }
                out.push(Part { edge, owner: self.nodes[id.node].model, select: &step.select, hop });
                Some(())
            }
            Source::Composed { first, second, finish } => {
                let chooses = finish.distinct
                    || finish.grouped
                    || finish.offset > 0
                    || finish.limit.is_some()
                    || (edge.cardinality == Cardinality::One && !self.leads_to_one(first, second));
                if chooses && edge.hidden {
                    return None;
                }
                self.parts(first, out)?;
                self.parts(second, out)
            }
            Source::Joined { .. } => None,
        }
    }

    fn leads_to_one(&self, first: EdgeId, second: EdgeId) -> bool {
        self.edge(first).cardinality == Cardinality::One && self.edge(second).cardinality == Cardinality::One
    }

    // The order in which an owner's targets come: along the way, or by their own rank.
    fn order_of_way(&self, id: EdgeId, parts: usize, at: &mut usize, out: &mut OrderOfWay) -> Option<()> {
        let edge = self.edge(id);
        match edge.source {
            Source::Step { step, hop } => {
                *at += 1;
                let select = &self.steps[step].select;
                if select.row_order == RowOrder::Any {
                    return Some(());
                }
                // The target is the statement's own table; the others are counted from it.
                let place = match parts - *at {
                    0 => None,
                    back => Some(*PLACES.get(back - 1)?),
                };
                for OrderTerm { operand, direction } in select.total_order() {
                    let operand = match place {
                        Some(place) => operand.joined(place),
                        None => operand,
                    };
                    out.terms.push(OrderTerm { operand, direction });
                }
                if select.model.primary_key.is_empty() && !hop.unique {
                    out.equals.push(out.terms.len());
                }
                Some(())
            }
            Source::Composed { first, second, finish } => {
                let (start, before) = (out.terms.len(), out.equals.len());
                self.order_of_way(first, parts, at, out)?;
                let middle = out.terms.len();
                self.order_of_way(second, parts, at, out)?;
                if finish.ranked {
                    out.terms.drain(start..middle);
                    out.equals.truncate(before);
                    if edge.cardinality == Cardinality::Many {
                        out.equals.push(out.terms.len());
                    }
                }
                Some(())
            }
            Source::Joined { .. } => None,
        }
    }
}

/// In which order an owner reaches its targets.
#[derive(Default)]
struct OrderOfWay {
    terms: Vec<OrderTerm>,
    // After how many of the terms there may be equal rows: links that are stored twice, or rows that are sorted by
    // themselves and were reached twice.
    equals: Vec<usize>,
}

impl OrderOfWay {
    // What lies behind the first of several equal rows comes before what lies behind the second. They lead to the same, so
    // it is enough to number what is equal in everything. Where rows may be equal at two places, one number cannot tell
    // how often they are at each.
    fn with_occurrences(self) -> Option<Vec<OrderTerm>> {
        let OrderOfWay { mut terms, mut equals } = self;
        equals.retain(|at| *at < terms.len());
        match equals[..] {
            [] => {}
            [at] => {
                let column = |term: &OrderTerm| match &term.operand {
                    Operand::Column(column) => Some(column.clone()),
                    _ => None,
                };
                let occurrence = Operand::Occurrence(terms.iter().map(column).collect::<Option<_>>()?);
                terms.insert(at, OrderTerm { operand: occurrence, direction: Direction::Asc });
            }
            _ => return None,
        }
        Some(terms)
    }
}

/// Whether they lead the same way to the same rows, whatever columns are read of them.
impl PartialEq for Way {
    fn eq(&self, other: &Self) -> bool {
        let hops = |way: &Self| way.back.iter().map(|(hop, _)| (hop.clone(), hop.chosen.clone())).collect::<Vec<_>>();
        (self.target, &self.filter, &self.order, self.finish, self.cardinality)
            == (other.target, &other.filter, &other.order, other.finish, other.cardinality)
            && (self.owner_columns, self.owner_type, self.key_columns)
                == (other.owner_columns, other.owner_type, other.key_columns)
            && hops(self) == hops(other)
    }
}

impl Way {
    /// Whether a condition on the targets or on the rows between is SQL of the application's own.
    fn has_raw(&self) -> bool {
        self.filter.has_raw() || self.back.iter().any(|(hop, _)| hop.filter.has_raw())
    }

    /// The way with a hook's filters on every table.
    ///
    /// # Errors
    /// When a declaration does not hold together.
    pub(crate) fn with_filters(&mut self, hook: &FilterHook) -> Result<()> {
        let filter = std::mem::replace(&mut self.filter, Expr::always());
        self.filter = filtered(hook, self.target, filter)?;
        self.back.iter_mut().try_for_each(|(hop, _)| hop.with_filters(hook))
    }

    /// The model whose rows hold the owners' keys, the columns they are in, and its table among a statement's joins.
    pub(crate) fn key_table(&self) -> Option<(&'static ModelDef, &'static [usize], &'static str)> {
        let ((hop, _), place) = self.back.iter().zip(PLACES).next_back()?;
        Some((hop.model, self.key_columns, place))
    }

    /// Whether a target may be reached more than once: a table on the way back has several rows for one of the one before.
    #[must_use]
    pub fn repeats_targets(&self) -> bool {
        self.back.iter().any(|(hop, _)| !hop.hop.unique)
    }

    /// Whether its order takes window functions.
    #[must_use]
    pub fn numbers_rows(&self) -> bool {
        self.order.iter().any(|term| matches!(term.operand, Operand::Occurrence(_)))
    }

    /// The types of the columns that hold the owners' keys.
    #[must_use]
    pub fn key_types(&self) -> Vec<SqlType> {
        let of = |model: &ModelDef| self.key_columns.iter().map(|column| model.columns[*column].sql_type).collect();
        self.key_table().map_or_else(Vec::new, |(model, ..)| of(model))
    }

    /// Adds the tables on the way to the joins of a statement on the targets.
    pub fn join_into(&self, joins: &mut Joins) {
        joins.push_way(self.back.iter().cloned().zip(PLACES).map(|((hop, otherwise), place)| (place, hop, otherwise)));
    }

    /// The condition that the way begins at the owner with this key.
    #[must_use]
    pub fn begins_at(&self, key: &[Value<'static>]) -> Expr {
        let Some((model, columns, place)) = self.key_table() else { return Expr::always() };
        let equal = columns.iter().zip(key).map(|(column, value)| {
            let column = model.columns[*column].column_ref().joined(place);
            Expr::Compare {
                left: Operand::Column(column),
                op: crate::expr::Comparison::Eq,
                right: Operand::Value(value.clone()),
            }
        });
        Expr::All(equal.collect())
    }
}
