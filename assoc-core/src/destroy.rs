//! What destroying rows of a model leads to, as data: a [`DestroyPlan`]. Pure: no I/O, no database.
//!
//! # Nodes and edges
//!
//! A *node* is a model whose rows go, an *edge* one of its associations with what is done with the rows that depend on an
//! owner: they go (and lead to a node), they are cleared, or they refuse. Kinds of associations say what their edges are
//! ([`AssociationBehavior::dependents`](crate::metadata::AssociationBehavior::dependents)). The graph is one of models, so a tree of
//! categories is one node with an edge to itself; how deep it is, the rows say.
//!
//! ```text
//!   User ──posts──▶ Post ──comments──▶ Comment      destroyed, by keys; the last by the keys of its posts
//!    │                └──tags──▶ posts_tags         links, deleted
//!    ├──attachments: cleared
//!    └──invoices: refuse
//! ```
//!
//! # Two phases
//!
//! First everything is *read*: the keys of rows that something hangs on, and whether rows refuse. Then everything is
//! *written*: a refusal is found before the first row is touched, at whatever depth. Rows that nothing hangs on are not
//! read at all: one statement deletes them by the keys of their owners. Their keys are read all the same where only keys
//! tell what becomes of a row: where rows of the table refer to each other, where two associations disagree about them, or
//! where a condition looks into other tables ([`DestroyNode::read`]).
//!
//! # In which order rows go
//!
//! A row goes before those it refers to, as foreign keys want it, whatever the order of declaration. Tables that refer to
//! each other in a circle, and to themselves, are one [`Stage`], and their rows go in [waves](removal_order): first those
//! that no other refers to, which are the leaves of a tree. InnoDB checks row by row, so one statement over parent and
//! child passes or fails by the order of their ids. Where rows refer to each other in a ring, their keys are cleared
//! first, if they can be `NULL`.

mod build;
mod explain;
mod follow;
mod order;
mod removal_order;

use crate::counters::Children;
use crate::error::{RestrictRule, Result};
use crate::metadata::association::{AssociationDef, Dependent, DependentRows, KeySide, LinkSql, Linkage};
use crate::metadata::expr::Expr;
use crate::metadata::filter_hook::FilterHook;
use crate::metadata::model::{Discriminator, ModelDef, ascending_once};
use crate::select::KeyedSelect;
use crate::sql::KeyedRows;

pub use removal_order::{Referral, RemovalOrder, removal_order};

/// What destroying rows of a model leads to.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::destroy::{DestroyPlan, Effect, Reading};
/// use assoc_core::driver::KeySet;
///
/// let dialect = StandardSql::default();
/// let plan = DestroyPlan::new(User::DEF, Reading::Needed, None)?;
/// let edges: Vec<String> = plan.edges().iter().map(|edge| edge.association.qualified_name()).collect();
/// assert_eq!(edges, ["User.posts", "Post.comments", "Post.tags"]);
/// assert!(!plan.is_single() && !plan.has_callbacks() && plan.root_filter().is_always());
///
/// // The plan reads posts, because comments refer to them. It deletes comments without reading them.
/// let read = plan.nodes().iter().map(|node| (node.model.table.name, node.read));
/// assert_eq!(read.collect::<Vec<_>>(), [("users", true), ("posts", true), ("comments", false), ("posts_tags", false)]);
/// let posts = plan.select(&plan.edges()[0]).statement(&dialect, &KeySet::Ints([7].into()))?;
/// assert_eq!(posts.sql(), "SELECT id, user_id FROM posts WHERE user_id IN (?)");
/// assert!(plan.deletes_returning(Comment::DEF) && !plan.shows_keyless(&plan.edges()[1]));
///
/// // What refers to other rows goes before them. No table refers to itself, so a stage is one statement.
/// let last = plan.stages().last().expect("the users");
/// assert_eq!((last, plan.links()), (plan.stage_of(0), &[][..]));
/// assert!(plan.stages().iter().all(|stage| !stage.in_waves));
///
/// // The team counts its users, so it has to be known which team that was.
/// assert_eq!(plan.followed().iter().map(|children| children.model).collect::<Vec<_>>(), [User::DEF]);
/// assert!(plan.explain(&dialect)?.starts_with("User (destroyed)\n"));
/// assert_eq!(plan.without_touches().followed().len(), 1, "a counter is no time");
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DestroyPlan {
    nodes: Vec<DestroyNode>,
    edges: Vec<DestroyEdge>,
    links: Vec<RowLink>,
    stages: Vec<Stage>,
    root_filter: Expr,
    followed: Vec<Children>,
}

/// A model whose rows go. Node 0 is the one that is destroyed.
#[derive(Debug, Clone)]
pub struct DestroyNode {
    /// The model.
    pub model: &'static ModelDef,
    /// Its table, as a number: nodes of one table share rows.
    pub table: usize,
    /// Whether its rows are destroyed, with what depends on them. Otherwise they are deleted.
    pub cascades: bool,
    /// Whether the plan reads the keys of its rows. Otherwise statements find the rows by the keys of their owners.
    pub read: bool,
    /// Whether callbacks or SQL of its links must see its rows, so that all their columns are read.
    pub whole: bool,
    /// The columns to read of each row: its key, and the columns that its edges and [links](RowLink) refer to. In ascending
    /// order.
    pub columns: Vec<usize>,
    /// Its edges, in the order of declaration.
    pub edges: Vec<usize>,
    /// Nodes with a lower rank are followed first, so that each is followed once if no edges lead back.
    pub rank: usize,
    /// Whether rows are reached by the key that another row holds (a `belongs_to`), directly or further up.
    pub after: bool,
}

/// An association of a node's model, and what is done with the rows that depend on an owner.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::destroy::{DestroyPlan, Reading};
/// use assoc_core::driver::KeySet;
///
/// let plan = DestroyPlan::new(Post::DEF, Reading::Needed, None)?;
/// let comments = &plan.edges()[0];
/// assert_eq!(comments.owner_columns(), [Post::ID.index()]);
/// let delete = comments.keyed_rows().delete(&StandardSql::default(), &KeySet::Ints([7].into()))?;
/// assert_eq!(delete.sql(), "DELETE FROM comments WHERE post_id IN (?)");
/// // They go before the post. Neither callbacks nor hand-written SQL want to see them.
/// assert!(!comments.is_after() && !comments.tells() && comments.by_sql().is_none());
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DestroyEdge {
    /// The association.
    pub association: &'static AssociationDef,
    /// The node that it belongs to.
    pub from: usize,
    /// The rows.
    pub rows: DependentRows,
    /// What is done with them.
    pub effect: Effect,
}

/// What is done with the rows of an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// They refuse.
    Restrict(RestrictRule),
    /// They stay, and these columns become `NULL`.
    Clear {
        /// The columns.
        columns: Vec<usize>,
        /// Whether their keys are read first, because rows of their table go as well, or by what condition they are found.
        read: bool,
    },
    /// They go.
    Remove {
        /// To this node.
        node: usize,
    },
}

/// A key by which rows of one node refer to rows of another, or of the same, within one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowLink {
    /// The node whose rows hold the key.
    pub from: usize,
    /// The columns that hold it.
    pub columns: Vec<usize>,
    /// The node that it refers to.
    pub to: usize,
    /// The columns that it refers to.
    pub to_columns: Vec<usize>,
}

/// Tables whose rows go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The nodes.
    pub nodes: Vec<usize>,
    /// Whether rows may refer to each other, so that they go in waves.
    pub in_waves: bool,
}

/// How much of the rows is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    /// What has to be known to write.
    Needed,
    /// The keys of all rows that have keys, to count them.
    All,
}

impl DestroyPlan {
    /// Plans to destroy rows of a model. Rows that a filter hides are not touched and do not refuse.
    ///
    /// # Errors
    /// When a declaration does not hold together: a `dependent` association with a limit, a `nullify` of columns that
    /// cannot be `NULL`, rows without primary key that others depend on.
    pub fn new(model: &'static ModelDef, reading: Reading, filters: Option<&FilterHook>) -> Result<DestroyPlan> {
        build::plan(model, reading, filters)
    }

    /// The same, but no times follow.
    #[must_use]
    pub fn without_touches(mut self) -> DestroyPlan {
        for children in &mut self.followed {
            children.parents.iter_mut().for_each(|parent| parent.touched.clear());
            children.parents.retain(|parent| parent.counter.is_some());
        }
        self.followed.retain(|children| !children.parents.is_empty());
        self
    }

    /// The nodes; the first is the model that is destroyed.
    #[must_use]
    pub fn nodes(&self) -> &[DestroyNode] {
        &self.nodes
    }

    /// The edges.
    #[must_use]
    pub fn edges(&self) -> &[DestroyEdge] {
        &self.edges
    }

    /// By which keys rows refer to each other, for stages that go in waves.
    #[must_use]
    pub fn links(&self) -> &[RowLink] {
        &self.links
    }

    /// In which order tables lose their rows.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The models whose rows go, or are cleared, and belong to rows that stay and follow them.
    #[must_use]
    pub fn followed(&self) -> &[Children] {
        &self.followed
    }

    /// Which rows of the root's table are rows of the model, and visible.
    #[must_use]
    pub fn root_filter(&self) -> &Expr {
        &self.root_filter
    }

    /// Whether nothing depends on the rows.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.edges.is_empty()
    }

    /// Whether a destroy by this plan runs callbacks, or SQL of links.
    #[must_use]
    pub fn has_callbacks(&self) -> bool {
        self.nodes.iter().any(|node| node.whole)
    }

    /// Whether callbacks see rows of an edge that have no primary key. They are read by the keys of their owners.
    #[must_use]
    pub fn shows_keyless(&self, edge: &DestroyEdge) -> bool {
        let shows = |node: usize| self.nodes[node].whole && !self.nodes[node].read;
        edge.by_sql().is_none() && matches!(edge.effect, Effect::Remove { node } if shows(node))
    }

    /// Whether more than the primary key has to be known of a single row that is destroyed.
    ///
    /// ```
    #[doc = include_str!("../docs/blog.txt")]
    /// use assoc_core::destroy::{DestroyPlan, Reading};
    ///
    /// // Posts refer to their user by its primary key.
    /// assert!(!DestroyPlan::new(Post::DEF, Reading::Needed, None)?.reads_root());
    /// // A filter may hide the row itself.
    /// let hook: assoc_core::execution::FilterHook = std::sync::Arc::new(|_| Some(Post::TITLE.ne("").into_expr()));
    /// assert!(DestroyPlan::new(Comment::DEF, Reading::Needed, Some(&hook))?.reads_root());
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub fn reads_root(&self) -> bool {
        let root = &self.nodes[0];
        let by_edges = self.edges.iter().filter(|edge| edge.from == 0).flat_map(DestroyEdge::owner_columns);
        let hidden = self.root_filter != root.model.base_scope(true).filter;
        // The row alone may refer to whatever it wants; only if others of its table go does it matter which.
        let reached = self.edges.iter().any(|edge| match edge.effect {
            Effect::Remove { node } => self.nodes[node].table == root.table,
            Effect::Restrict(_) | Effect::Clear { .. } => false,
        });
        hidden
            || root.whole
            || (root.model.lock_version().is_some() && !self.is_single())
            || reached
            || by_edges.into_iter().any(|column| !root.model.primary_key.contains(&column))
            || (self.stage_of(0).in_waves && self.stage_of(0).nodes.len() > 1)
    }

    /// The look-up of an edge's rows by the keys of their owners: of their keys and whatever else has to be known.
    #[must_use]
    pub fn select(&self, edge: &DestroyEdge) -> KeyedSelect {
        let DependentRows { model, key, filter, targets, .. } = &edge.rows;
        let mut only = match edge.effect {
            Effect::Remove { node } => self.nodes[node].columns.clone(),
            Effect::Restrict(_) | Effect::Clear { .. } => {
                let of_targets = targets.iter().flat_map(|targets| targets.key.owner_columns);
                model.primary_key.iter().chain(of_targets).copied().collect()
            }
        };
        only.extend(key.target_columns);
        // A preview asks to which targets links lead.
        if edge.by_sql().is_some()
            && let Ok(Linkage::JoinRecord(record)) = edge.association.linkage()
        {
            only.extend(record.target.owner_columns);
        }
        KeyedSelect {
            only: Some(ascending_once(&only)),
            filter: filter.clone(),
            ..KeyedSelect::new(model, key.target_columns)
        }
    }

    /// The stage of a node.
    #[must_use]
    pub fn stage_of(&self, node: usize) -> &Stage {
        // Every node is in one.
        self.stages.iter().find(|stage| stage.nodes.contains(&node)).unwrap_or(&self.stages[0])
    }
}

impl DestroyEdge {
    /// The owner's columns that find its rows: the key, and the type that the owner must name.
    #[must_use]
    pub fn owner_columns(&self) -> Vec<usize> {
        let named = self.rows.owner_type.map(|Discriminator { column, .. }| column);
        self.rows.key.owner_columns.iter().copied().chain(named).collect()
    }

    /// The rows, by the keys of their owners.
    #[must_use]
    pub fn keyed_rows(&self) -> KeyedRows<'_> {
        KeyedRows { model: self.rows.model, columns: self.rows.key.target_columns, filter: &self.rows.filter }
    }

    /// Whether callbacks of the association want to know which rows go: those that are destroyed as its members.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.association.has_remove_callbacks()
            && self.rows.rule == Dependent::Destroy
            && self.rows.model == (self.association.target)()
    }

    /// The SQL that takes its rows away, one statement for each target: they are links with `delete_sql`.
    #[must_use]
    pub fn by_sql(&self) -> Option<LinkSql> {
        self.association.options.delete_sql
    }

    /// Whether the rows are those that the owner refers to, which go after it.
    #[must_use]
    pub fn is_after(&self) -> bool {
        self.rows.foreign_key == KeySide::Owner
    }
}
