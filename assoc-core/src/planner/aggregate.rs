//! Aggregates beside rows: which statement computes them for all owners at once.
//!
//! Requests over the same rows (the same association, the same scope) are one step, on whatever nodes their owners are: one
//! grouped statement selects all their aggregates. The rows of a limit are named by a condition where one table has them.
//! Where no statement says which rows an owner has, a plan of its own loads them for copies of the owners, and they are
//! aggregated in memory.

use super::{Plan, PlanContext, Root, RootRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::joins::{JoinChain, limited_rows};
use crate::metadata::aggregate_field::{AggregateFieldDef, RequestedAggregate};
use crate::metadata::association::{AssociationDef, Chain, ChainHop, ChainParts, CustomSql};
use crate::metadata::expr::{AggregateFunction, Expr, Operand};
use crate::metadata::request::Request;
use crate::metadata::request_list::RequestList;
use crate::select::KeyedAggregate;

/// Aggregates over the same rows of the owners on some nodes.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::metadata::Request;
/// use assoc_core::planner::PlanContext;
///
/// let context = PlanContext { dialect: &StandardSql::default(), filters: None, databases: None };
/// let step = context.aggregate_step(Request::new(User::POSTS.def()), Post::ID.max().into_operand())?;
/// assert_eq!((step.association, step.operands.len()), (User::POSTS.def(), 1));
/// // It goes to no field: the caller has asked for the value itself.
/// assert!(step.fields.is_empty() && step.nodes().is_empty());
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct AggregateStep {
    /// The association.
    pub association: &'static AssociationDef,
    /// What is computed, each once.
    pub operands: Vec<Operand>,
    /// The fields that it goes to.
    pub fields: Vec<AggregatedField>,
    /// What computes it.
    pub source: AggregateSource,
    // The rows: the request without its aggregate.
    request: Request,
}

/// A field of the owners on a node, and which of the step's operands goes to it.
#[derive(Debug, Clone, Copy)]
pub struct AggregatedField {
    /// The node.
    pub node: usize,
    /// The field.
    pub field: AggregateFieldDef,
    /// The operand's position.
    pub operand: usize,
}

/// What computes aggregates.
#[derive(Debug, Clone)]
pub enum AggregateSource {
    /// A statement on the rows' table, by the keys of all owners. Limits cut the counts afterwards.
    ByKey {
        /// The statement.
        select: KeyedAggregate,
        /// The columns of the owners that hold their keys.
        owner_columns: &'static [usize],
        /// How counts are cut.
        cut: Cut,
    },
    /// A statement that joins the tables between the owners and the rows.
    JoinChain {
        /// The tables.
        chain: Box<JoinChain>,
        /// How counts are cut.
        cut: Cut,
    },
    /// Counting statements of the owners, or their hand-written SQL counted.
    CustomSql {
        /// The SQL.
        custom_sql: CustomSql,
        /// A condition on its rows.
        filter: Expr,
    },
    /// The rows are loaded, by a plan whose root are the owners.
    Rows(Box<Plan>),
}

/// What a limit leaves of a count.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::IntoPreload;
/// use assoc_core::metadata::{AggregateFunction, Operand};
/// use assoc_core::planner::{AggregateSource, PlanContext};
///
/// let context = PlanContext { dialect: &StandardSql::default(), filters: None, databases: None };
/// let [posts] = User::POSTS.limit(3).offset(1).into_requests().try_into().unwrap();
/// let rows = Operand::Aggregate { function: AggregateFunction::Count, column: None, distinct: false };
/// let step = context.aggregate_step(posts, rows)?;
/// let AggregateSource::ByKey { cut, .. } = step.source else { panic!("one statement") };
/// // The statement counts all posts of a user.
/// assert_eq!([0, 1, 3, 9].map(|posts| cut.of(posts)), [0, 0, 2, 3]);
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    offset: u64,
    most: u64,
}

impl Cut {
    /// The count of the rows that are left.
    #[must_use]
    pub fn of(self, count: u64) -> u64 {
        count.saturating_sub(self.offset).min(self.most)
    }
}

impl Plan {
    /// The aggregates to compute once all rows are there.
    #[must_use]
    pub fn aggregates(&self) -> &[AggregateStep] {
        &self.aggregates
    }

    // Notes requests for aggregates of the rows of a node.
    pub(super) fn ask(&mut self, node: usize, requests: Vec<Request>) -> Result<()> {
        for request in requests {
            check(&request)?;
            let field = |request: &Request| request.aggregate.as_ref().and_then(|asked| asked.field);
            let mut known = self.asked.iter().filter(|(at, _)| *at == node).map(|(_, known)| known);
            match known.find(|known| field(known) == field(&request)) {
                Some(known) if *known == request => {}
                Some(known) => {
                    return Err(ErrorKind::ConflictingPreload {
                        model: (known.association.owner)().name,
                        association: field(known).map_or(known.association.name, |field| field.name),
                        what: "aggregates",
                    }
                    .into());
                }
                None => self.asked.push((node, request)),
            }
        }
        Ok(())
    }
}

// That a request for an aggregate has a meaning.
fn check(request: &Request) -> Result<()> {
    let Request { association, aggregate, .. } = request;
    let owner = (association.owner)().name;
    let of_joined = aggregate.iter().flat_map(|asked| asked.operand.columns()).find(|column| !column.path.is_empty());
    let message = if !request.children.is_empty() || request.levels > 1 {
        format!(
            "an aggregate of `{}` loads no rows, so there is nothing to load below them: leave out `with` and `recursive`, \
             or preload the association beside the aggregate",
            association.name
        )
    } else if let Some(column) = of_joined {
        format!(
            "an aggregate of `{}` beside rows is over columns of {}, and `{}.{}` is not one: declare an association `through` \
             that leads to it",
            association.name,
            (association.target)().name,
            column.path.join("."),
            column.name
        )
    } else {
        return Ok(());
    };
    Err(Error::invalid_query(owner, message))
}

impl AggregateStep {
    fn new(request: Request) -> Self {
        let rows = Box::new(Plan::of_root(Root::Existing, (request.association.owner)()));
        AggregateStep {
            association: request.association,
            operands: Vec::new(),
            fields: Vec::new(),
            source: AggregateSource::Rows(rows),
            request,
        }
    }

    fn add(&mut self, node: usize, RequestedAggregate { operand, field }: RequestedAggregate) {
        let at = self.operands.iter().position(|known| *known == operand).unwrap_or(self.operands.len());
        if at == self.operands.len() {
            self.operands.push(operand);
        }
        self.fields.extend(field.map(|field| AggregatedField { node, field, operand: at }));
    }

    /// The nodes whose rows are owners, each once.
    #[must_use]
    pub fn nodes(&self) -> Vec<usize> {
        let mut nodes: Vec<usize> = Vec::new();
        for field in &self.fields {
            if !nodes.contains(&field.node) {
                nodes.push(field.node);
            }
        }
        nodes
    }
}

/// Whether an operand is the number of rows.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::metadata::{AggregateFunction, Operand};
/// use assoc_core::planner::counts_rows;
///
/// assert!(counts_rows(&Operand::Aggregate { function: AggregateFunction::Count, column: None, distinct: false }));
/// assert!(!counts_rows(&Post::ID.max().into_operand()));
/// ```
#[must_use]
pub fn counts_rows(operand: &Operand) -> bool {
    matches!(operand, Operand::Aggregate { function: AggregateFunction::Count, column: None, .. })
}

impl PlanContext<'_> {
    /// The step of a single aggregate, for owners that the program holds.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn aggregate_step(&self, mut request: Request, operand: Operand) -> Result<AggregateStep> {
        // What is loaded below the rows does not change their number.
        (request.children, request.levels) = (RequestList::new(), 1);
        request.aggregate = Some(RequestedAggregate { operand, field: None });
        check(&request)?;
        let mut step = AggregateStep::new(Request { aggregate: None, ..request.clone() });
        if let Some(aggregate) = request.aggregate.take() {
            step.add(0, aggregate);
        }
        step.source = self.source_of(&step)?;
        Ok(step)
    }

    // Turns what a plan was asked for into its steps.
    pub(super) fn plan_aggregates(&self, plan: &mut Plan) -> Result<()> {
        let mut changed: Vec<usize> = Vec::new();
        for (node, mut request) in std::mem::take(&mut plan.asked) {
            let Some(aggregate) = request.aggregate.take() else { continue };
            let known = plan.aggregates.iter().position(|step| step.request == request);
            let at = known.unwrap_or(plan.aggregates.len());
            if known.is_none() {
                plan.aggregates.push(AggregateStep::new(request));
            }
            plan.aggregates[at].add(node, aggregate);
            changed.push(at);
        }
        changed.sort_unstable();
        changed.dedup();
        for at in changed {
            plan.aggregates[at].source = self.source_of(&plan.aggregates[at])?;
        }
        Ok(())
    }

    fn source_of(&self, step: &AggregateStep) -> Result<AggregateSource> {
        let AggregateStep { association, request, operands, .. } = step;
        let target = (association.target)();
        let chain = self.chain(association, request.scope.clone())?;
        let base = target.base_scope(chain.scope.unscoped);
        let limit = chain.scope.limit.or(base.limit);
        let offset = chain.scope.offset.or(base.offset).unwrap_or(0);
        let most = limit.unwrap_or(u64::MAX).min(if chain.is_single() { 1 } else { u64::MAX });
        let cut = Cut { offset, most };
        let only_counts = operands.iter().all(counts_rows);
        let is_grouped = !chain.scope.group.is_empty();
        // Loading refuses a group of single targets, so it gives the error here as well.
        if chain.owner_scoped || (is_grouped && chain.is_single()) || request.loader.is_some() {
            return self.by_rows(step, &chain);
        }
        match &chain.parts {
            ChainParts::CustomSql(custom_sql) if only_counts && limit.is_none() && offset == 0 => {
                if chain.scope.distinct || is_grouped {
                    // The plan refuses what loading would refuse.
                    return self.by_rows(step, &chain);
                }
                self.require_condition(step, &chain.scope.filter)?;
                Ok(AggregateSource::CustomSql { custom_sql: *custom_sql, filter: chain.scope.filter })
            }
            // Grouped single targets are refused as well.
            ChainParts::Key(hop) if !hop.scope.distinct => {
                let mut select = KeyedAggregate::new(hop, operands.clone());
                self.require_condition(step, &hop.scope.filter)?;
                let mut left = cut;
                if !only_counts {
                    match of_chosen_rows(hop, limit, offset) {
                        Some(_) if is_grouped => return self.by_rows(step, &chain),
                        Some(chosen) => select.filter = select.filter.and(chosen),
                        None => return self.by_rows(step, &chain),
                    }
                    left = Cut { offset: 0, most: u64::MAX };
                }
                Ok(AggregateSource::ByKey { select, owner_columns: hop.key.owner_columns, cut: left })
            }
            ChainParts::Through { .. } | ChainParts::JoinTable { .. } => {
                let takes_all = limit.is_none() && offset == 0 && !takes_first(&chain);
                match self.join_chain(&chain).filter(JoinChain::is_countable) {
                    Some(join_chain) if only_counts || takes_all => {
                        Ok(AggregateSource::JoinChain { chain: Box::new(join_chain), cut })
                    }
                    _ => self.by_rows(step, &chain),
                }
            }
            ChainParts::Key(_) | ChainParts::ByType { .. } | ChainParts::CustomSql(_) => self.by_rows(step, &chain),
        }
    }

    fn require_condition(&self, step: &AggregateStep, condition: &Expr) -> Result<()> {
        let target = (step.association.target)();
        self.databases.map_or(Ok(()), |databases| databases.require_condition(target, condition))
    }

    // By a plan that loads the rows.
    fn by_rows(&self, step: &AggregateStep, chain: &Chain) -> Result<AggregateSource> {
        let AggregateStep { association, request, operands, .. } = step;
        let mut request = request.clone();
        let columns = || operands.iter().flat_map(Operand::columns);
        let base = (association.target)().base_scope(chain.scope.unscoped);
        if (chain.scope.select.is_some() || base.select.is_some()) && columns().next().is_some() {
            // What the association leaves out may be what is asked for.
            request.scope.select = Some((0..(association.target)().columns.len()).collect());
        }
        let root = RootRequest { model: (association.owner)(), requests: vec![request], available: false };
        Ok(AggregateSource::Rows(Box::new(self.plan(Root::Existing, vec![root])?)))
    }
}

// Whether the association takes the first of several rows that its joined tables lead to. A single row behind a single row
// is one row: the joins choose it at each table.
fn takes_first(chain: &Chain) -> bool {
    let by_each_part = matches!(&chain.parts, ChainParts::Through { through, source }
        if through.is_single() && source.is_single());
    chain.takes_first() && !by_each_part
}

// The condition that says which of the rows with one key the association has; `None` if no condition can.
fn of_chosen_rows(hop: &ChainHop, limit: Option<u64>, offset: u64) -> Option<Expr> {
    let ChainHop { association, key, model, scope, .. } = hop;
    if key.unique {
        return (limit != Some(0) && offset == 0).then(Expr::always);
    }
    let among = hop.condition();
    match limited_rows(association, *key, model, &among, scope.order.clone(), hop.is_single(), limit, offset) {
        None => Some(Expr::always()),
        // Which rows are the first is told by the key; hand-written SQL was written for one table.
        Some(chosen) => (!model.primary_key.is_empty() && !among.has_raw() && limit != Some(0)).then_some(chosen),
    }
}
