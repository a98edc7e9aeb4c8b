//! Requests as clients and applications make them: allow-lists and paths of names, and trees of associations.
//!
//! An allow-list lets through exactly the paths on it and those they pass. Whatever was asked for can be copied, compared,
//! printed, planned and planned on, part by part, without much time, memory or stack, however deep it is.

// A target tells by a panic.
#![allow(clippy::panic)]

use std::borrow::Cow;

use assoc_core::dialect::{Capabilities, ColumnRole, Dialect};
use assoc_core::execution::RequestList;
use assoc_core::joins::{JoinKind, Joins};
use assoc_core::metadata::{ColumnDef, Request, Strategy};
use assoc_core::planner::{PlanContext, Root, RootRequest, settled};
use assoc_core::{BelongsTo, Error, ErrorKind, HasMany, HasManyThrough, IntoPreload, Model, Preload};
use assoc_macros::{Model, Polymorphic};
use assoc_repo::Include;

/// A node of a tree, with pictures.
#[derive(Model, Debug, Clone)]
#[allow(missing_docs)]
pub struct Node {
    pub id: i64,
    pub parent_id: Option<i64>,
    #[belongs_to]
    pub parent: BelongsTo<Option<Node>>,
    #[has_many(foreign_key = "parent_id")]
    pub children: HasMany<Node>,
    #[has_many(through = "children", source = "children")]
    pub grandchildren: HasManyThrough<Node>,
    #[has_many(as = "owner")]
    pub pictures: HasMany<Picture>,
}

/// An album of pictures.
#[derive(Model, Debug, Clone)]
#[allow(missing_docs)]
pub struct Album {
    pub id: i64,
    #[has_many(as = "owner")]
    pub pictures: HasMany<Picture>,
}

/// A picture of a node or an album.
#[derive(Model, Debug, Clone)]
#[allow(missing_docs)]
pub struct Picture {
    pub id: i64,
    pub owner_id: Option<i64>,
    pub owner_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub owner: BelongsTo<Option<Owner>>,
}

/// What has pictures.
#[derive(Polymorphic, Debug, Clone)]
#[allow(missing_docs)]
pub enum Owner {
    Node(Node),
    Album(Album),
}

/// Names that an input's paths have in all.
const MOST_NAMES: usize = 1_000;

/// Nodes that one part of a plan may have: 256, and those of one level more.
const MOST_NODES_OF_A_PART: usize = 256 * 8;

/// Standard SQL and nothing else.
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

/// Makes the requests that an input stands for: an allow-list and what is asked for, with `|` between them, and a tree
/// whose operations are the bytes.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (allowed, asked) = text.split_once('|').unwrap_or((&text, &text));
    let (allowed, asked) = (expanded(allowed), expanded(asked));
    include(&allowed, &asked);
    check(tree(data).into_requests(), data);
}

// Letters stand for names, and a number behind one repeats it: `c200,po` is two paths.
fn expanded(text: &str) -> String {
    let mut out = String::new();
    let mut names = 0;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        let name = match letter {
            'c' => "children",
            'p' => "parent",
            'g' => "grandchildren",
            'i' => "pictures",
            'o' => "owner",
            // Both are a step from a picture's owner to the next.
            'l' => "owner.pictures",
            other => {
                out.push(other);
                continue;
            }
        };
        let digits = rest.len() - rest.trim_start_matches(|next: char| next.is_ascii_digit()).len();
        let times: usize = rest[..digits.min(6)].parse().unwrap_or(1);
        rest = &rest[digits..];
        for _ in 0..times.min(MOST_NAMES - names.min(MOST_NAMES)) {
            if out.ends_with(|before: char| before.is_ascii_lowercase()) {
                out.push('.');
            }
            out.push_str(name);
            names += 1;
        }
    }
    out
}

fn include(allowed: &str, asked: &str) {
    let paths =
        |list: &str| list.split(',').map(str::trim).filter(|path| !path.is_empty()).map(str::to_owned).collect();
    let (allowed, asked_paths): (Vec<String>, Vec<String>) = (paths(allowed), paths(asked));
    let allowed: Vec<String> =
        allowed.into_iter().filter(|path| Include::<Node>::allow([path.as_str()]).is_ok()).collect();
    let include = match Include::<Node>::allow(allowed.clone()) {
        Ok(include) => include.at_most(asked_paths.len()),
        Err(error) => panic!("each path is allowed, and all are not: {error}"),
    };
    let passes = |path: &String| {
        let passed = |allowed: &String| *allowed == *path || allowed.starts_with(&format!("{path}."));
        allowed.iter().any(passed)
    };
    match include.parse(asked) {
        Ok(included) => {
            assert!(asked_paths.iter().all(passes), "{asked_paths:?} of {allowed:?}");
            check(included.into_requests(), asked.as_bytes());
        }
        Err(error) => {
            assert!(!asked_paths.iter().all(passes), "{error}: {asked_paths:?} of {allowed:?}");
            assert!(matches!(error.kind(), ErrorKind::InvalidInclude(_)), "{error}");
            assert!(error.to_string().len() < 1_000, "{error}");
        }
    }
}

// A tree of associations, an operation for each byte.
fn tree(data: &[u8]) -> Preload<Node, Node> {
    let mut tree = Node::CHILDREN.preload();
    for byte in data.iter().take(60) {
        let levels = usize::from(*byte).pow(2);
        tree = match byte % 11 {
            0 => Node::CHILDREN.with(tree),
            1 => Node::PARENT.with(tree),
            2 => Node::GRANDCHILDREN.with(tree),
            3 => tree.with(Node::PARENT),
            4 => tree.with(Node::PICTURES.with(Picture::OWNER)),
            5 => tree.recursive(levels),
            6 => tree.recursive(usize::MAX),
            // Both twice as large in words.
            7 => tree.clone().with(tree),
            8 => Node::CHILDREN.with((tree.clone(), Node::PARENT.with(tree))),
            9 => tree.filter(Node::ID.gt(i64::from(*byte))),
            _ => (0..levels.min(MOST_NAMES)).fold(tree, |below, _| Node::CHILDREN.with(below)),
        };
    }
    tree
}

fn check(requests: Vec<Request>, data: &[u8]) {
    let requests: RequestList = requests.into();
    let copy = requests.clone();
    assert!(requests == copy, "a copy differs");
    if data.len().is_multiple_of(8) {
        // Writing takes longer than all else.
        assert!(format!("{requests:?}").len() < 8_000_000, "too much is printed");
    }
    let with = |strategy| requests.iter().map(|request| request.clone().with_strategy(strategy)).collect();
    plan(requests.to_vec(), data);
    plan(with(Strategy::Joined), data);
    let paths: [&[&str]; 2] = [&["children", "parent", "children"], &["pictures"]];
    if let Some(settled) = expected(settled(with(Strategy::Auto), &paths)) {
        // Along the paths no association comes twice.
        let ways = settled.iter().filter(|request| request.association.name == "children");
        assert!(ways.count() <= 1, "not merged");
    }
    for request in &requests {
        expected(Joins::default().join(request, JoinKind::Left, None));
    }
}

fn plan(requests: Vec<Request>, data: &[u8]) {
    let dialect = Plain::default();
    let context = PlanContext { dialect: &dialect, filters: None, databases: None };
    let root = RootRequest { model: Node::DEF, requests, available: false };
    let Some(mut plan) = expected(context.plan(Root::Fetched, vec![root])) else { return };
    expected(plan.explain(&dialect, None));
    for part in 1..3 {
        assert!(plan.nodes().len() <= part * MOST_NODES_OF_A_PART, "{} nodes", plan.nodes().len());
        let steps = plan.steps().len();
        // Some of the nodes have rows.
        let has_rows = |node: usize| data.get(node % data.len().max(1)).is_none_or(|byte| byte % 3 != 0);
        if expected(context.plan_deferred(&mut plan, &has_rows)) != Some(true) {
            return;
        }
        assert!(plan.steps().len() >= steps, "steps are gone");
    }
}

// What a request may be refused for.
fn expected<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(done) => Some(done),
        Err(error) => {
            let known = matches!(
                error.kind(),
                ErrorKind::ConflictingPreload { .. } | ErrorKind::InvalidQuery { .. } | ErrorKind::CannotJoin { .. }
            );
            assert!(known, "{error}");
            None
        }
    }
}
