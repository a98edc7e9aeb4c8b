//! A chain as one join: the targets' table, joined back to the intermediate tables. The last of these contains the
//! owners' keys, which are a condition. Readers of a through association run it, and so do counts and preloads with a
//! condition.
//!
//! The row that a `has_one` among the parts takes is a condition. A part with a limit, a group or a scope that depends
//! on the owner has no such condition, so there is no join chain, and the parts are loaded one after the other. The
//! same holds for parts whose conditions are raw SQL, which was written for one table.
//!
//! A preload usually loads part by part, because then shared targets come once and the intermediate rows can serve
//! other preloads. A condition that drops targets makes that read links in vain, so one statement joins all tables
//! then. If another preload loads the intermediate rows anyway, the parts cost no more and are used all the same.

use super::{JoinHop, Joins, limited_rows};
use crate::column_type::SqlType;
use crate::error::Result;
use crate::metadata::association::{Cardinality, Chain, ChainHop, ChainParts, KeyJoin};
use crate::metadata::expr::{Direction, Expr, Operand, OrderTerm};
use crate::metadata::filter_hook::{FilterHook, filtered};
use crate::metadata::model::{Discriminator, ModelDef, ascending_once};
use crate::metadata::request::ScopeDef;
use crate::value::Value;

/// The limits that apply to the rows that an owner reaches through a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnerLimits {
    /// The rows are put into the order in which they were fetched.
    pub globally_ordered: bool,
    /// Each is kept once.
    pub distinct: bool,
    /// The first row of each group is kept, by the groups of the step that fetched the rows.
    pub grouped: bool,
    /// The number of rows per owner to skip first.
    pub offset: u64,
    /// The largest number of rows per owner.
    pub limit: Option<u64>,
    /// The join row of each target is kept beside it.
    pub join_rows: bool,
}

/// Names of the intermediate tables among a statement's joins: paths that no association can have.
const PLACES: [&str; 12] = ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)", "(9)", "(10)", "(11)", "(12)"];

/// The joined tables from an owner to the targets of one association.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::SqlType;
/// use assoc_core::driver::KeySet;
/// use assoc_core::joins::{JoinChain, Joins};
/// use assoc_core::metadata::Chain;
/// use assoc_core::select::{KeyedSelect, Matching};
///
/// let (dialect, keys) = (StandardSql::default(), KeySet::Ints([7].into()));
/// let chain = JoinChain::of(&Chain::keys(User::COMMENTS.def())?).expect("posts are between");
/// assert!(chain.is_readable() && chain.is_countable() && !chain.numbers_rows());
/// assert!(!chain.repeats_targets(), "a comment has one post, and that one author");
/// assert_eq!((chain.key_types(), chain.matching(&dialect)), (vec![SqlType::Int(64)], Matching::ByValue));
/// assert!(chain.keys_per_statement(&dialect, 1) > keys.len());
///
/// let select = KeyedSelect::new(Comment::DEF, &[]);
/// let sql = chain.statement(&select, &dialect, &keys)?.sql().to_owned();
/// assert!(sql.starts_with("SELECT posts.user_id, comments.id, comments.post_id, comments.body FROM comments"));
/// let count = chain.aggregate_statement(&dialect, &keys, &[Comment::ID.count().into_operand()])?;
/// assert!(count.sql().starts_with("SELECT keys.ordinal, COUNT(comments.id) FROM"));
///
/// // In a query of the comments of one user.
/// let mut joins = Joins::default();
/// chain.join_into(&mut joins);
/// assert_eq!(joins.tables().len(), 1);
/// assert!(!chain.begins_at(&[7_i64.into()]).is_always());
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct JoinChain {
    /// The targets' model.
    pub target: &'static ModelDef,
    /// The condition on the targets, the same for every owner.
    pub filter: Expr,
    /// In which order.
    pub order: Vec<OrderTerm>,
    /// What associations and default scopes say of the order: the terms that are no key that only decides between equal rows.
    pub said_order: Vec<OrderTerm>,
    /// The columns that are read of them, if not all are.
    pub selected: Option<Vec<usize>>,
    /// What is done with them then.
    pub limits: OwnerLimits,
    /// Whether an owner has at most one target.
    pub cardinality: Cardinality,
    /// The columns of the owner that the chain begins with.
    pub owner_columns: &'static [usize],
    /// The type that a column of the owner must name.
    pub owner_type: Option<Discriminator>,
    // From the target back to the owner: each table's join, and the name to use if the name of the table is taken.
    back: Vec<(JoinHop, String)>,
    // The columns of the last table that hold the owner's key.
    key_columns: &'static [usize],
}

/// One table of the chain, and whether the association takes one of several rows with the same key.
struct Table<'c> {
    hop: &'c ChainHop,
    single: bool,
}

impl Table<'_> {
    // Which of the rows with one key is the one, where there may be several.
    fn limited(&self) -> Option<Expr> {
        let ChainHop { association, key, model, scope, .. } = self.hop;
        limited_rows(association, *key, model, &self.hop.condition(), scope.order.clone(), self.single, None, 0)
    }

    // Whether a condition can express the rows of the table: not with a limit or a group.
    fn is_conditional(&self) -> bool {
        let ChainHop { key, model, scope, .. } = self.hop;
        let offset = scope.offset.is_some_and(|offset| offset > 0);
        let limited = if key.unique { scope.limit == Some(0) } else { scope.limit.is_some() };
        // The one row of several is told by its key.
        let unknown = self.single && !key.unique && model.primary_key.is_empty();
        !(unknown || limited || offset || scope.distinct || !scope.group.is_empty())
    }
}

impl JoinChain {
    /// The join chain of a through association or of a join table. `None` where no condition can express the rows of a
    /// part, or the condition of a part is raw SQL, which was written for one table.
    #[must_use]
    pub fn of(chain: &Chain) -> Option<JoinChain> {
        let mut tables = Vec::new();
        collect(chain, true, &mut tables)?;
        let ScopeDef { distinct, limit, offset, .. } = chain.scope;
        let (last, before) = tables.split_last()?;
        let first = before.first()?;
        if before.len() > PLACES.len() {
            return None;
        }
        let mut order = OrderOfChain::default();
        order.of(chain, false, &mut (1..=tables.len()).rev());
        let said_order: Vec<OrderTerm> =
            order.terms.iter().filter(|term| !order.keys.contains(&term.operand)).cloned().collect();
        let order = if distinct { order.terms } else { order.with_occurrences()? };
        let mut back = Vec::with_capacity(before.len());
        for (table, onward) in before.iter().zip(&tables[1..]).rev() {
            let ChainHop { association, owner, model, .. } = table.hop;
            let mut filter = table.hop.condition();
            if let Some(named) = onward.hop.owner_type {
                filter = Expr::tagged(&model.columns[named.column], named.tag).and(filter);
            }
            let hop = KeyJoin {
                owner_columns: onward.hop.key.target_columns,
                target_columns: onward.hop.key.owner_columns,
                unique: model.primary_key == onward.hop.key.owner_columns,
                target_type: None,
            };
            let plural = association.plural;
            let otherwise = format!("{plural}_{}_join", owner.table.name);
            back.push((JoinHop { plural, model, hop, owner_type: None, filter, limited: table.limited() }, otherwise));
        }
        let globally_ordered = !chain.scope.order.is_empty();
        let join_chain = JoinChain {
            target: last.hop.model,
            filter: last.limited().into_iter().fold(last.hop.condition(), Expr::and),
            order,
            said_order,
            selected: last.hop.scope.select.as_deref().map(ascending_once),
            limits: OwnerLimits {
                globally_ordered,
                distinct,
                offset: offset.unwrap_or(0),
                limit,
                ..OwnerLimits::default()
            },
            cardinality: chain.association.kind.cardinality(),
            owner_columns: first.hop.key.owner_columns,
            owner_type: first.hop.owner_type,
            back,
            key_columns: first.hop.key.target_columns,
        };
        (!join_chain.has_raw()).then_some(join_chain)
    }

    /// Whether one statement reads the targets of one owner exactly as the association has them.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        // Distinct rows are sorted by what is selected only.
        !self.limits.distinct || (self.limits.globally_ordered && self.selected.is_none())
    }

    /// Whether one statement can count the targets of several owners.
    #[must_use]
    pub fn is_countable(&self) -> bool {
        self.owner_type.is_none() && (!self.limits.distinct || !self.target.primary_key.is_empty())
    }

    /// Whether one statement can load the targets of several owners. Without a key, repeated rows could not be
    /// distinguished from equal ones. The numbers of equal rows count within one owner, and not every database can
    /// compute them.
    pub(crate) fn is_by_keys(&self) -> bool {
        !self.target.primary_key.is_empty() && !self.numbers_rows() && self.owner_type.is_none()
    }
}

// The tables of a chain, in its order; `None` if a part of it chooses among its rows.
fn collect<'c>(chain: &'c Chain, outermost: bool, tables: &mut Vec<Table<'c>>) -> Option<()> {
    let ScopeDef { distinct, limit, offset, ref group, .. } = chain.scope;
    let cuts = distinct || limit.is_some() || offset.is_some_and(|offset| offset > 0);
    if chain.owner_scoped || !group.is_empty() {
        return None;
    }
    let mut add = |hop, single| {
        let table = Table { hop, single };
        table.is_conditional().then(|| tables.push(table))
    };
    match &chain.parts {
        ChainParts::CustomSql(_) => None,
        ChainParts::Key(hop) if !outermost => add(hop, hop.is_single()),
        ChainParts::ByType { hops, .. } if !outermost => match &hops[..] {
            [hop] => add(hop, hop.is_single()),
            _ => None,
        },
        // There are no tables between.
        ChainParts::Key(_) | ChainParts::ByType { .. } => None,
        ChainParts::Through { through, source } => {
            let limits_rows = cuts || chain.is_single() && !(through.is_single() && source.is_single());
            if limits_rows && !outermost {
                return None;
            }
            collect(through, false, tables)?;
            collect(source, false, tables)
        }
        ChainParts::JoinTable { rows, targets } => {
            if cuts && !outermost {
                return None;
            }
            add(rows, rows.is_single())?;
            // A row of the join table refers to one target.
            add(targets, true)
        }
    }
}

impl OrderOfChain {
    // The order of an owner's targets: along the chain, or by the targets' order. `back` counts the tables from the
    // targets' table, which is the statement's own.
    fn of(&mut self, chain: &Chain, globally_ordered: bool, back: &mut impl Iterator<Item = usize>) {
        let globally_ordered = globally_ordered || !chain.scope.order.is_empty();
        let start = (self.terms.len(), self.equals.len());
        let middle = match &chain.parts {
            ChainParts::CustomSql(_) => return,
            ChainParts::Key(hop) => return self.add(hop, globally_ordered, back.next()),
            ChainParts::ByType { hops, .. } => {
                return hops.iter().for_each(|hop| self.add(hop, globally_ordered, back.next()));
            }
            ChainParts::Through { through, source } => {
                self.of(through, false, back);
                let middle = self.terms.len();
                self.of(source, globally_ordered, back);
                middle
            }
            ChainParts::JoinTable { rows, targets } => {
                self.add(rows, false, back.next());
                let middle = self.terms.len();
                self.add(targets, globally_ordered, back.next());
                middle
            }
        };
        if globally_ordered {
            self.terms.drain(start.0..middle);
            self.equals.truncate(start.1);
            if !chain.is_single() {
                self.equals.push(self.terms.len());
            }
        }
    }

    fn add(&mut self, hop: &ChainHop, globally_ordered: bool, back: Option<usize>) {
        if hop.key.unique && !globally_ordered {
            return;
        }
        let place = back.and_then(|back| PLACES.get(back.checked_sub(2)?));
        let mut order = hop.scope.order.clone();
        let said = order.len();
        hop.model.append_primary_key(&mut order);
        for (at, OrderTerm { operand, direction, nulls }) in order.into_iter().enumerate() {
            let operand = match place {
                Some(place) => operand.joined(place),
                None => operand,
            };
            if at >= said {
                self.keys.push(operand.clone());
            }
            self.terms.push(OrderTerm { operand, direction, nulls });
        }
        if hop.model.primary_key.is_empty() && !hop.key.unique {
            self.equals.push(self.terms.len());
        }
    }
}

/// In which order an owner reaches its targets.
#[derive(Default)]
struct OrderOfChain {
    terms: Vec<OrderTerm>,
    // Those of them that nothing says: primary keys, which decide between equal rows.
    keys: Vec<Operand>,
    // After how many of the terms there may be equal rows: links that are stored twice, or rows that are sorted by
    // themselves and were reached twice.
    equals: Vec<usize>,
}

impl OrderOfChain {
    // The targets of the first of several equal rows come before those of the second. Equal rows have the same targets,
    // so it is enough to number the rows that are equal in every column. If two tables may have equal rows, one number
    // cannot say how often each row occurs in each table, so there is no order.
    fn with_occurrences(self) -> Option<Vec<OrderTerm>> {
        let OrderOfChain { mut terms, mut equals, .. } = self;
        equals.retain(|at| *at < terms.len());
        match equals[..] {
            [] => {}
            [at] => {
                let column = |term: &OrderTerm| match &term.operand {
                    Operand::Column(column) => Some(column.clone()),
                    _ => None,
                };
                let occurrence = Operand::Occurrence(terms.iter().map(column).collect::<Option<_>>()?);
                terms.insert(at, OrderTerm::new(occurrence, Direction::Asc));
            }
            _ => return None,
        }
        Some(terms)
    }
}

/// Two chains are equal if they reach the same rows through the same tables, whatever columns are read.
impl PartialEq for JoinChain {
    fn eq(&self, other: &Self) -> bool {
        let hops = |join_chain: &Self| {
            join_chain.back.iter().map(|(hop, _)| (hop.clone(), hop.limited.clone())).collect::<Vec<_>>()
        };
        (self.target, &self.filter, &self.order, self.limits, self.cardinality)
            == (other.target, &other.filter, &other.order, other.limits, other.cardinality)
            && (self.owner_columns, self.owner_type, self.key_columns)
                == (other.owner_columns, other.owner_type, other.key_columns)
            && hops(self) == hops(other)
    }
}

impl JoinChain {
    /// Whether a condition on the targets or on the intermediate rows is raw SQL.
    pub(crate) fn has_raw(&self) -> bool {
        self.filter.has_raw()
            || self.order.iter().any(|term| term.operand.is_raw())
            || self.back.iter().any(|(hop, _)| hop.filter.has_raw())
    }

    /// Adds a hook's filters on every table.
    ///
    /// # Errors
    /// When a declaration contradicts itself.
    pub(crate) fn with_filters(&mut self, hook: &FilterHook) -> Result<()> {
        let filter = std::mem::take(&mut self.filter);
        self.filter = filtered(hook, self.target, filter)?;
        self.back.iter_mut().try_for_each(|(hop, _)| hop.with_filters(hook))
    }

    /// The model whose rows hold the owners' keys, the columns they are in, and its table among a statement's joins.
    pub(crate) fn key_table(&self) -> Option<(&'static ModelDef, &'static [usize], &'static str)> {
        let ((hop, _), place) = self.back.iter().zip(PLACES).next_back()?;
        Some((hop.model, self.key_columns, place))
    }

    /// Whether a target may be reached more than once, because a table of the chain has several rows for one row of the
    /// table before, seen from the target.
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

    /// Adds the intermediate tables to the joins of a statement on the targets.
    pub fn join_into(&self, joins: &mut Joins) {
        joins
            .push_chain(self.back.iter().cloned().zip(PLACES).map(|((hop, otherwise), place)| (place, hop, otherwise)));
    }

    /// The condition that the chain begins at the owner with this key.
    #[must_use]
    pub fn begins_at(&self, key: &[Value<'static>]) -> Expr {
        let Some((model, columns, place)) = self.key_table() else { return Expr::always() };
        let equal = columns.iter().zip(key).map(|(column, value)| {
            let column = model.columns[*column].column_ref().joined(place);
            Expr::Compare {
                left: Operand::Column(column),
                op: crate::metadata::expr::Comparison::Eq,
                right: Operand::Value(value.clone()),
            }
        });
        Expr::All(equal.collect())
    }
}
