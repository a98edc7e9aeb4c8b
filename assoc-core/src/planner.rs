//! From a tree of requested associations to the fewest statements that load it. Pure: no I/O, no database.
//!
//! # Nodes and steps
//!
//! The request is a tree: the root's rows, and under each [`Node`] one [`Edge`] per association. A node is a place for
//! rows in memory; a [`Step`] is a statement that fetches rows. The two are different things, because one statement can
//! serve several nodes: `posts → author` and `posts → comments → author` are two nodes and one step.
//!
//! ```text
//!   request                        nodes            steps
//!   Post ─┬─ author                1 User           1 comments by post_id   feeds 2
//!         └─ comments ── author    2 Comment        2 users by id           feeds 1 and 3
//!                                  3 User
//! ```
//!
//! Two nodes may share a step if they need the same rows of the same model by the same columns, under the same filter
//! and in the same order, and if neither waits for the other. The planner decides that greedily, parents before
//! children. A node joins the first step that loads the same rows and does not wait for the step of the node's parent;
//! otherwise it gets a new step. So steps never form a cycle, and running them in the order of [`Plan::steps`] finds
//! every step's keys ready.
//!
//! # Through associations
//!
//! A through association has no statement of its own. It consists of its parts, as *hidden* edges (which are not
//! stored), and one more edge that composes their links ([`Source::Through`]). So `memberships` and `groups` of a user
//! share the memberships' statement if both are requested, at any depth, and each part keeps its scope. A join table is
//! two hidden edges as well, over rows that consist of keys, unless the association keeps the join rows beside its
//! targets. Of a join model that is not requested, only the key columns are read. Targets are fetched once each and
//! shared.
//!
//! If a through association has a condition, and no other request needs the intermediate rows, one statement joins all
//! its tables instead ([`Fetch::JoinChain`]). It reads no links that the condition drops.
//!
//! # Rows from a function
//!
//! A request may contain a function that returns its rows ([`Loader`]). It is a step like any other, but runs no
//! statement and shares no rows: its rows do not replace rows of the database, nor the reverse, because their age is
//! unknown.
//!
//! # Joined associations
//!
//! `eager_load` loads by the root's statement, and so does `includes` where a condition names the association. Such
//! edges are planned like all others and then taken off their steps ([`Plan::joined`]). The rows of an owner, their
//! order and the composition of through associations are the same; only the statement differs. Edges below them may
//! have steps again.
//!
//! # Existing rows
//!
//! A look-up by primary key first takes the rows that earlier steps (or the root query) fetched. The inverse of a
//! `has_many` is always among them, so `users → posts → user` costs no third statement. The program's existing rows
//! (`repo.preload`) may be stale. They answer only the look-ups of their own inverse, unless the program declares them
//! [available](RootRequest::available). The executor does not look up intermediate rows of a through association that the
//! program's structs contain: it finds them there.
//!
//! # Deep requests
//!
//! A request may be deeper than its rows: `recursive(1_000_000)` over a tree of five levels, or a path through a
//! polymorphic association whose types each refer back to it, which doubles the nodes on each level. So a plan ends after
//! `LEVELS_AT_ONCE` levels, or at the level on which it has `NODES_AT_ONCE` nodes (`levels.rs`). The levels below are
//! [deferred](Plan::deferred): they are planned when the statements so far have run, for nodes that have rows. Each part
//! of a plan costs the same, so planning costs in proportion to the loaded rows. The look-ups of a part share no statement
//! with the parts before it.
//!
//! # Aggregates
//!
//! A request may ask for a count or a sum in place of rows. It makes no node: once all rows are there, each [`AggregateStep`] is
//! one grouped statement for the owners of all its nodes.
//!
//! Property 4 of the design requires the fewest statements. Finding the minimum for any tree is a hard problem. The
//! greedy assignment is the minimum for every case of the reference table, and never worse than one step per node.

mod aggregate;
mod build;
mod compile;
mod custom_sql;
mod distinct;
mod eager_load;
mod explain;
mod filters;
mod grouping;
mod hidden;
mod levels;
mod loader;
mod merge;
mod multi_db;
mod owner_scope;
mod recursion;
mod selection;
mod settle;
mod steps;
mod whole_chain;

pub use aggregate::{AggregateSource, AggregateStep, AggregatedField, Cut, counts_rows};
pub use compile::{CompiledQuery, PlanContext, QueryRequest, selected_columns};
pub use eager_load::JoinedEdge;
pub use multi_db::Databases;
pub use owner_scope::{Onward, OwnerScope};
pub use recursion::RecursionLevel;
pub use settle::settled;

use crate::error::Result;
use crate::joins::{JoinChain, OwnerLimits};
use crate::metadata::association::{AssociationDef, Cardinality, CustomSql, KeyJoin, LoadState, VariantDef};
use crate::metadata::filter_hook::RowFilters;
use crate::metadata::loader::Loader;
use crate::metadata::model::{Discriminator, ModelDef};
use crate::metadata::request::Request;
use crate::select::KeyedSelect;

/// Where a node's rows come from at the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Root {
    /// The root's query fetches them.
    Fetched,
    /// The application holds them.
    Existing,
}

/// A model whose rows are roots, and what to load for them.
#[derive(Debug, Clone)]
pub struct RootRequest {
    /// The model.
    pub model: &'static ModelDef,
    /// The associations.
    pub requests: Vec<Request>,
    /// Whether the rows replace rows of the database wherever a step looks one of them up by primary key. The program
    /// declares that.
    pub available: bool,
}

/// What to load, in which steps.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::IntoPreload;
/// use assoc_core::planner::{Plan, Root, RootRequest};
///
/// // The authors of the posts are users that are there already.
/// let requests = User::POSTS.with((Post::COMMENTS, Post::USER)).into_requests();
/// let plan = Plan::new(User::DEF, Root::Fetched, requests.clone())?;
/// let steps: Vec<&str> = plan.steps().iter().map(|step| step.select.model.name).collect();
/// assert_eq!(steps[0], "Post");
/// assert_eq!((plan.root(), plan.roots(), plan.nodes().len()), (Root::Fetched, 1, 4));
/// let posts = plan.edge(plan.steps()[0].serves[0]);
/// assert_eq!((posts.association, plan.key_of_owner(posts)), (User::POSTS.def(), vec![User::ID.index()]));
/// // No filter hides a row, no statement is joined to the root's, no aggregate is computed, and nothing waits for rows.
/// assert_eq!(plan.hidden_by(posts), None);
/// assert!(plan.joined().is_empty() && plan.aggregates().is_empty() && plan.deferred().is_empty());
/// // Comments need posts, so the first step runs alone.
/// assert_eq!(plan.independent_from(0), 1);
/// assert!(!plan.steps()[0].depends_on_owners());
/// let text = plan.explain(&StandardSql::default(), Some("SELECT …"))?;
/// assert!(text.starts_with("User [1]") && text.contains("SELECT …"));
///
/// // Rows of two models that the program holds.
/// let users = RootRequest { model: User::DEF, requests, available: false };
/// let teams = RootRequest { model: Team::DEF, requests: Team::USERS.into_requests(), available: true };
/// let both = Plan::of_roots(Root::Existing, vec![users, teams], false)?;
/// assert_eq!((both.roots(), both.root()), (2, Root::Existing));
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) root: Root,
    pub(crate) nodes: Vec<Node>,
    pub(crate) steps: Vec<Step>,
    pub(crate) joined: Vec<JoinedEdge>,
    // How many of the first nodes are roots, and which of them hold rows that may stand for others.
    pub(crate) roots: usize,
    pub(crate) available: Vec<usize>,
    // The filters of the repo that are on its statements.
    pub(crate) row_filters: Option<RowFilters>,
    // The first node of each part of the plan but the first.
    pub(crate) parts: Vec<usize>,
    // The requests to plan when their nodes have rows.
    pub(crate) deferred: Vec<Deferred>,
    // Whether the root's rows have only some of their columns.
    pub(crate) partial_root: bool,
    // Whether every statement reads one table only, because the tables may be in several databases.
    pub(crate) single_table_only: bool,
    // Associations that no statement joins as a whole.
    pub(crate) by_hops: Vec<&'static AssociationDef>,
    // Requests for aggregates, each with the node of its owners, which are no steps yet.
    pub(crate) asked: Vec<(usize, Request)>,
    pub(crate) aggregates: Vec<AggregateStep>,
}

/// What to load for the rows of a node, once there are any.
#[derive(Debug, Clone)]
pub struct Deferred {
    /// The node. It has no edges yet.
    pub node: usize,
    /// The associations.
    pub requests: Vec<Request>,
    // The chain of includes to it.
    pub(crate) included_by: Vec<&'static AssociationDef>,
}

/// A node and one of its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EdgeId {
    /// The node.
    pub node: usize,
    /// Which of its edges.
    pub edge: usize,
}

/// Rows of one model at one place of the request. Node 0 is the root, or the first of several.
#[derive(Debug, Clone)]
pub struct Node {
    /// The model.
    pub model: &'static ModelDef,
    /// The edge that stores these rows in their owners; `None` for the root and for hidden rows.
    pub stored_by: Option<EdgeId>,
    /// The edge whose step fetches these rows; `None` for the root.
    pub fetched_by: Option<EdgeId>,
    /// Whether only keys of these rows are read.
    pub links_only: bool,
    /// In how many rows one of these lies; of hidden rows, one in whose place they stand.
    pub level: usize,
    /// The associations to load for these rows.
    pub edges: Vec<Edge>,
}

/// An association to load for the rows of a node.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The association.
    pub association: &'static AssociationDef,
    /// How many targets an owner has.
    pub cardinality: Cardinality,
    /// Where the rows come from.
    pub source: Source,
    /// The node its rows go to.
    pub child: usize,
    /// The state it leaves the association in.
    pub state: LoadState,
    /// Whether the request names an order, in which an owner's existing rows may not be.
    pub reordered: bool,
    /// Whether the edge only serves other edges and is not stored.
    pub hidden: bool,
    /// For the first hidden edge of a through association: that association's edge of the same node.
    pub serves: Option<usize>,
    /// Of a polymorphic association: the owners that name this type, and how its rows are wrapped.
    pub variant: Option<VariantEdge>,
}

/// One type of a polymorphic association.
#[derive(Debug, Clone, Copy)]
pub struct VariantEdge {
    /// The owner's column that names the type, and the tag.
    pub discriminator: Discriminator,
    /// The type.
    pub def: &'static VariantDef,
    /// All types of the association.
    pub all: &'static [VariantDef],
    /// Whether this edge also stores "no target" for owners that name no type.
    pub stores_absent: bool,
}

/// Where the rows of an edge come from.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// A step that looks up rows by a key.
    Step {
        /// The step.
        step: usize,
        /// The key.
        hop: KeyJoin,
    },
    /// A step that depends on each owner: on its scope or its SQL.
    OwnerStep {
        /// The step.
        step: usize,
        /// For a through association: the hidden edge to the intermediate rows, from which its look-ups begin.
        behind: Option<EdgeId>,
    },
    /// The root's statement, which joins the table.
    Joined {
        /// Which of the plan's [joined edges](Plan::joined).
        joined: usize,
    },
    /// Two other edges one after the other: from the owner to links, and on from there.
    Through {
        /// The first, of the same node.
        first: EdgeId,
        /// The second edge, from the node of the first.
        second: EdgeId,
        /// What is done with each owner's rows then.
        limits: OwnerLimits,
        /// Whether they are all rows that the second leads to, in its order: the association adds no condition, order,
        /// group or selection.
        plain: bool,
    },
}

/// One statement (or one per chunk of keys) and what it serves.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::IntoPreload;
/// use assoc_core::planner::{Fetch, Plan, Root};
///
/// let plan = Plan::new(User::DEF, Root::Fetched, User::POSTS.into_requests())?;
/// let step = &plan.steps()[0];
/// assert!(matches!(step.fetch, Fetch::ByKey) && !step.depends_on_owners());
/// assert_eq!((step.select.columns, step.serves.len()), (&[Post::USER_ID.index()][..], 1));
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Step {
    /// What is selected.
    pub select: KeyedSelect,
    /// The edges it serves.
    pub serves: Vec<EdgeId>,
    /// Nodes in whose rows keys are looked for before asking the database.
    pub memory: Vec<usize>,
    /// By what kind of look-up its rows are fetched.
    pub fetch: Fetch,
    /// Where it stands in a recursion, whose levels one statement can read.
    pub recursion: Option<RecursionLevel>,
}

/// By what kind of look-up a step fetches its rows.
#[derive(Debug, Clone)]
pub enum Fetch {
    /// A statement on the rows' table, by the keys of all owners.
    ByKey,
    /// A statement that joins the tables between the owners and the rows: the keys are in the first of them.
    JoinChain(Box<JoinChain>),
    /// By key, one look-up for each distinct scope of the owners.
    OwnerScope(OwnerScope),
    /// From the intermediate rows, one look-up per distinct scope of the owners. Such a step is never shared.
    OwnerScopeThrough(OwnerScope),
    /// Each distinct statement of the owners.
    CustomSql(CustomSql),
    /// No statement: a function of the program returns the rows. Such a step is never shared.
    Function(Loader),
}

impl Plan {
    /// Plans a request: the associations to load for rows of `model`.
    ///
    /// # Errors
    /// When a request contains an association twice with different options, or a declaration contradicts itself. Both
    /// are found before any SQL runs.
    pub fn new(model: &'static ModelDef, root: Root, requests: Vec<Request>) -> Result<Plan> {
        Plan::of_roots(root, vec![RootRequest { model, requests, available: false }], false)
    }

    /// Plans a request for rows of one or several models. If models may be `single_table_only`, in several databases, no statement of
    /// a preload joins two of them.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_roots(root: Root, roots: Vec<RootRequest>, single_table_only: bool) -> Result<Plan> {
        Plan::of_roots_by_hops(root, roots, single_table_only, &[])
    }

    /// The same, where some associations through others are loaded table by table even if one statement could join their
    /// tables: the rows between are in memory.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// ```
    #[doc = include_str!("../docs/blog.txt")]
    /// use assoc_core::IntoPreload;
    /// use assoc_core::planner::{Plan, Root, RootRequest};
    ///
    /// let steps = |by_hops: &[_]| {
    ///     let requests = User::COMMENTS.filter(Comment::BODY.ne("")).into_requests();
    ///     let root = RootRequest { model: User::DEF, requests, available: false };
    ///     Plan::of_roots_by_hops(Root::Existing, vec![root], false, by_hops).map(|plan| plan.steps().len())
    /// };
    /// // A condition on the targets: one statement joins the posts, unless they are in memory.
    /// assert_eq!((steps(&[])?, steps(&[User::COMMENTS.def()])?), (1, 2));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn of_roots_by_hops(
        root: Root,
        roots: Vec<RootRequest>,
        single_table_only: bool,
        by_hops: &[&'static AssociationDef],
    ) -> Result<Plan> {
        let models = roots.iter().map(|root| Node::root(root.model)).collect();
        let available = (0..roots.len()).filter(|at| roots[*at].available).collect();
        let by_hops = by_hops.to_vec();
        let mut plan = Plan { single_table_only, available, by_hops, ..Plan::empty(root, models) };
        let requests = roots.into_iter().enumerate();
        plan.add_all(
            requests
                .map(|(node, root)| (0, Deferred { node, requests: root.requests, included_by: Vec::new() }))
                .collect(),
        )?;
        if plan.selects(0) {
            plan.check_selections(0)?;
        }
        plan.assign_steps(0);
        Ok(plan)
    }

    // Plans deferred requests: appends their nodes and steps to the existing ones.
    fn extend(&mut self, deferred: Vec<Deferred>) -> Result<()> {
        let steps = self.steps.len();
        self.parts.push(self.nodes.len());
        self.add_all(deferred.into_iter().map(|deferred| (0, deferred)).collect())?;
        if self.selects(steps) {
            self.check_selections(steps)?;
        }
        self.assign_steps(steps);
        Ok(())
    }

    // Whether some step from `from` on reads only some columns of its rows.
    fn selects(&self, from: usize) -> bool {
        let joined = self.joined.iter().map(|joined| &joined.select);
        self.steps[from..].iter().map(|step| &step.select).chain(joined).any(|select| select.selected.is_some())
    }

    fn empty(root: Root, nodes: Vec<Node>) -> Plan {
        let (roots, available) = (nodes.len(), Vec::new());
        Plan {
            root,
            roots,
            available,
            row_filters: None,
            nodes,
            steps: Vec::new(),
            joined: Vec::new(),
            parts: Vec::new(),
            deferred: Vec::new(),
            partial_root: false,
            single_table_only: false,
            by_hops: Vec::new(),
            asked: Vec::new(),
            aggregates: Vec::new(),
        }
    }

    fn of_root(root: Root, model: &'static ModelDef) -> Plan {
        Plan::empty(root, vec![Node::root(model)])
    }

    /// The nodes. [Roots](Self::roots) come first, and every other node follows the nodes of its owners.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// An edge.
    #[must_use]
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.nodes[id.node].edges[id.edge]
    }

    /// The steps, in an order in which they can run.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What is left to plan once the nodes have rows: below a level on which nothing is found there is nothing to plan.
    /// [`PlanContext::plan_deferred`] does.
    #[must_use]
    pub fn deferred(&self) -> &[Deferred] {
        &self.deferred
    }

    /// How many of the nodes are roots: one, or one for each model whose rows are loaded for together.
    #[must_use]
    pub fn roots(&self) -> usize {
        self.roots
    }

    /// Where the root's rows come from.
    #[must_use]
    pub fn root(&self) -> Root {
        self.root
    }
}

impl Node {
    fn root(model: &'static ModelDef) -> Self {
        Node { model, stored_by: None, fetched_by: None, links_only: false, level: 0, edges: Vec::new() }
    }
}
