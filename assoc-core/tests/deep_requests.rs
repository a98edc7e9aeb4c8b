//! Requests of any depth, on a stack of 512 KiB: built, copied, compared, printed, planned, explained and dropped.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::borrow::Cow;
use std::thread;

use assoc_core::dialect::{Capabilities, ColumnRole, Dialect};
use assoc_core::execution::{FilterHook, RequestList};
use assoc_core::joins::{JoinKind, Joins};
use assoc_core::metadata::{ColumnDef, Request, ScopeDef, Strategy};
use assoc_core::planner::{self, Plan, PlanContext, Root};
use assoc_core::{BelongsTo, ErrorKind, HasMany, IntoPreload, Model, Preload};
use assoc_macros::{Model, Polymorphic};

const DEEP: usize = 100_000;

#[derive(Debug, Default)]
struct Plain(Capabilities);

impl Dialect for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.0
    }

    fn quote(&self, identifier: &str, sql: &mut String) {
        sql.push_str(identifier);
    }

    fn column_type(&self, _: &ColumnDef, _: ColumnRole) -> Cow<'static, str> {
        "ANY".into()
    }
}

#[derive(Model, Debug, Clone)]
struct Node {
    id: i64,
    parent_id: Option<i64>,
    label: Option<String>,
    #[belongs_to]
    parent: BelongsTo<Option<Node>>,
    #[has_many(foreign_key = "parent_id")]
    children: HasMany<Node>,
    #[has_many(as = "owner")]
    pictures: HasMany<Picture>,
}

#[derive(Model, Debug, Clone)]
struct Album {
    id: i64,
    #[has_many(as = "owner")]
    pictures: HasMany<Picture>,
}

#[derive(Model, Debug, Clone)]
struct Picture {
    id: i64,
    owner_id: Option<i64>,
    owner_type: Option<String>,
    #[belongs_to(polymorphic)]
    owner: BelongsTo<Option<Owner>>,
}

#[derive(Polymorphic, Debug, Clone)]
enum Owner {
    Node(Node),
    Album(Album),
}

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Children of children, written out.
fn nested(levels: usize) -> Preload<Node, Node> {
    (1..levels).fold(Node::CHILDREN.preload(), |below, _| Node::CHILDREN.with(below))
}

fn plan(requests: impl IntoPreload<Node>) -> Plan {
    Plan::new(Node::DEF, Root::Fetched, requests.into_requests()).unwrap()
}

/// How many levels deep a plan's nodes are.
fn levels(plan: &Plan) -> usize {
    plan.nodes().iter().map(|node| node.level).max().unwrap()
}

#[test]
fn a_recursion_of_any_number_is_one_request() {
    on_a_small_stack(|| {
        for levels in [1_000_000, usize::MAX] {
            let all = Node::CHILDREN.filter(Node::LABEL.is_null()).recursive(levels);
            assert_eq!(all, all.clone());
            assert!(format!("{all:?} {all:#?}").len() < 20_000);
            let plan = plan(all);
            assert_eq!((self::levels(&plan), plan.steps().len(), plan.deferred().len()), (32, 32, 1));
            assert_eq!(plan.deferred()[0].requests[0].levels, levels - 32);
        }
        drop(Node::CHILDREN.recursive(usize::MAX).recursive(usize::MAX));
    });
}

#[test]
fn a_recursion_is_what_nesting_would_be() {
    for levels in 0..=32 {
        let (one, other) = (plan(Node::CHILDREN.recursive(levels)), plan(nested(levels)));
        assert_eq!(one.explain(&Plain::default(), None).unwrap(), other.explain(&Plain::default(), None).unwrap());
        assert!(one.deferred().is_empty());
    }
    // What is said afterwards is said of the first level.
    let both = (Node::CHILDREN.recursive(3).with(Node::PARENT), Node::CHILDREN.recursive(2).with(Node::PICTURES));
    let written_out = Node::CHILDREN.with((Node::PARENT, Node::PICTURES, Node::CHILDREN.with(Node::CHILDREN)));
    let steps = |plan: Plan| plan.steps().iter().map(|step| step.select.model.name).collect::<Vec<_>>();
    assert_eq!(steps(plan(both)).len(), steps(plan(written_out)).len());
    // A recursion of a recursion is as deep as both.
    assert_eq!(levels(&plan(Node::CHILDREN.recursive(3).recursive(2))), 4);
}

#[test]
fn paths_of_any_length_need_no_stack() {
    on_a_small_stack(|| {
        let deep = nested(DEEP);
        let copy = deep.clone();
        assert_eq!(deep, copy);
        // Not the same requests, but equal ones.
        assert_eq!(deep, nested(DEEP));
        assert_ne!(deep, nested(DEEP - 1));
        assert!(format!("{deep:?} {deep:#?}").len() < 500_000);
        let plan = plan(copy);
        assert_eq!((levels(&plan), plan.deferred().len()), (32, 1));
        assert!(plan.explain(&Plain::default(), None).unwrap().contains("goes on from here if there are rows"));
        let merged = self::plan((deep.clone(), nested(DEEP)));
        assert_eq!(levels(&merged), 32);
        drop(deep);
        drop(plan);
    });
}

#[test]
fn scopes_that_include_need_no_stack() {
    on_a_small_stack(|| {
        let mut request = Request::new(Node::CHILDREN.def());
        for _ in 0..DEEP {
            let mut scope = ScopeDef::default();
            scope.includes = vec![request].into();
            request = Request { scope, ..Request::new(Node::CHILDREN.def()) };
        }
        assert_eq!(request, request.clone());
        assert!(format!("{request:?}").len() < 100_000);
        assert!(Plan::new(Node::DEF, Root::Fetched, vec![request.clone()]).is_ok());
    });
}

#[test]
fn a_copy_can_change_by_itself() {
    let mut list: RequestList = nested(3).into_requests().into();
    let copy = list.clone();
    list.push(Request::new(Node::PARENT.def()));
    assert_eq!((list.len(), copy.len()), (2, 1));
    assert_ne!(list, copy);
}

#[test]
fn wide_requests() {
    on_a_small_stack(|| {
        let wide: Vec<Preload<Node, Node>> = (0..10_000).map(|_| Node::CHILDREN.with(Node::PARENT)).collect();
        let plan = plan(wide);
        assert_eq!(plan.steps().len(), 2);
    });
}

#[test]
fn cycles_of_polymorphic_associations_do_not_double() {
    on_a_small_stack(|| {
        // Each step has two types; what lies below them is one list, as a path by name makes it.
        let mut pictures: (Request, Request) =
            (Request::new(Node::PICTURES.def()), Request::new(Album::PICTURES.def()));
        for _ in 0..DEEP / 10 {
            let children: RequestList = vec![pictures.0.clone(), pictures.1.clone()].into();
            let owner = Request { children, ..Request::new(Picture::OWNER.def()) };
            let of = |pictures: &Request| {
                let mut children = RequestList::new();
                children.push(owner.clone());
                Request { children, ..Request::new(pictures.association) }
            };
            pictures = (of(&pictures.0), of(&pictures.1));
        }
        let request = pictures.0;
        assert_eq!(request, request.clone());
        assert!(format!("{request:?}").len() < 4_000_000);
        assert!(!request.is_to_be_settled());
        let plan = Plan::new(Node::DEF, Root::Fetched, vec![request]).unwrap();
        assert!(plan.nodes().len() < 1_024, "{}", plan.nodes().len());
    });
}

#[test]
fn trees_that_double_on_each_level_are_merged_once() {
    on_a_small_stack(|| {
        // Written out it would be 2^40 requests.
        let doubled = (0..40).fold(Node::CHILDREN.preload(), |tree, _| tree.clone().with(tree));
        assert_eq!(doubled, doubled.clone());
        assert!(format!("{doubled:?}").len() < 4_000_000);
        let plan = plan((doubled.clone(), doubled.clone()));
        assert_eq!((levels(&plan), plan.steps().len(), plan.deferred().len()), (32, 32, 1));
        let recursions =
            (0..12).fold(Node::CHILDREN.preload(), |tree, _| tree.clone().with(tree).recursive(usize::MAX));
        assert_eq!(levels(&self::plan(recursions.clone())), 32);
        for tree in [doubled, recursions] {
            let tree = tree.into_requests().remove(0);
            assert!(!tree.is_to_be_settled());
            // It has more levels than a statement joins tables, or not.
            let _ = Joins::default().join(&tree, JoinKind::Left, None);
            let deep = vec!["children"; 64];
            assert!(planner::settled(vec![tree.with_strategy(Strategy::Auto)], &[&deep]).is_ok());
        }
    });
}

#[test]
fn the_next_part_is_planned_below_rows_only() {
    let dialect = Plain::default();
    let hook: FilterHook = std::sync::Arc::new(|_| Some(Node::LABEL.is_null().into_expr()));
    for filters in [None, Some(&hook)] {
        let context = PlanContext { dialect: &dialect, filters, databases: None };
        let root = assoc_core::planner::RootRequest {
            model: Node::DEF,
            requests: Node::PARENT.recursive(1_000_000).into_requests(),
            available: false,
        };
        let mut plan = context.plan(Root::Fetched, vec![root]).unwrap();
        let mut before = plan.steps().len();
        for part in 2..=5 {
            assert!(context.plan_deferred(&mut plan, &|_| true).unwrap());
            assert_eq!((levels(&plan), plan.steps().len(), plan.deferred().len()), (32 * part, 32 * part, 1));
            let new = &plan.steps()[before..];
            assert!(new.iter().all(|step| step.select.filter.is_always() == filters.is_none()));
            // Each looks into the beginning and into the part before.
            let memory = new.iter().all(|step| filters.is_some() || (32..=96).contains(&step.memory.len()));
            assert!(memory, "{:?}", new.iter().map(|step| step.memory.len()).collect::<Vec<_>>());
            before = plan.steps().len();
        }
        assert!(!context.plan_deferred(&mut plan, &|_| false).unwrap());
        assert!(plan.deferred().is_empty());
    }
}

#[test]
fn one_statement_joins_so_many_tables() {
    on_a_small_stack(|| {
        let deep = |levels: usize| nested(levels).into_requests().remove(0);
        for request in [deep(DEEP), Node::CHILDREN.recursive(usize::MAX).into_requests().remove(0)] {
            let error = Joins::default().join(&request, JoinKind::Left, None).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidQuery { .. }), "{error}");
            let joined = vec![request.with_strategy(Strategy::Joined)];
            let error = Plan::new(Node::DEF, Root::Fetched, joined).unwrap_err();
            assert_eq!(
                error.to_string(),
                "Node: a statement joins at most 64 tables, and `children` would be one more: load it with `preload`"
            );
        }
        // What is joined is planned at once, however deep.
        let joined = vec![deep(60).with_strategy(Strategy::Joined)];
        let plan = Plan::new(Node::DEF, Root::Fetched, joined).unwrap();
        assert_eq!((plan.joined().len(), plan.deferred().len()), (60, 0));
    });
}

#[test]
fn what_is_left_to_choose_is_settled_along_the_paths_referred_to() {
    let auto = || Node::CHILDREN.recursive(usize::MAX).into_requests().remove(0).with_strategy(Strategy::Auto);
    assert!(auto().is_to_be_settled());
    let both: &[&[&str]] = &[&["children", "children"], &["parent"]];
    let mut settled = planner::settled(vec![auto()], both).unwrap().remove(0);
    let mut strategies = Vec::new();
    for _ in 0..4 {
        strategies.push(settled.strategy);
        settled = settled.take_children().remove(0);
    }
    // What is left is loaded by key.
    assert_eq!(strategies, [Strategy::Joined, Strategy::Joined, Strategy::Auto, Strategy::Auto]);
    let two = planner::settled(vec![auto()], &[&["children", "children"]]).unwrap();
    let plan = Plan::new(Node::DEF, Root::Fetched, two).unwrap();
    assert_eq!((plan.joined().len(), levels(&plan)), (2, 32));
}

#[test]
fn a_selection_needs_the_keys_of_what_is_planned_later() {
    let selecting = (Node::ID, Node::PARENT_ID);
    let below = |last: Preload<Node, Node>| (0..31).fold(last, |below, _| Node::CHILDREN.with(below));
    let fine = below(Node::CHILDREN.select(selecting).with(Node::PARENT));
    assert_eq!(plan(fine).deferred().len(), 1);
    let leaves_out = below(Node::PARENT.select(Node::ID).with(Node::PARENT));
    let error = Plan::new(Node::DEF, Root::Fetched, leaves_out.into_requests()).unwrap_err();
    assert!(error.to_string().contains("`parent_id`, the key that preloading `parent` goes by"), "{error}");
}
