//! Handles of owners that are their own members, or the members of their members: each write that changes the row of the
//! owner changes its struct.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use assoc_core::Result;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};

cases! { "handles_themselves", Level::Collection;
    own_members,
    own_targets,
    members_of_members,
    destroyed_by_themselves,
}

/// Counted and touched with what it belongs to, which may be itself.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "nodes")]
struct Node {
    id: i64,
    name: String,
    parent_id: Option<i64>,
    #[column(counter_cache)]
    nodes_count: i64,
    #[column(updated_at)]
    updated_at: chrono::NaiveDateTime,
    #[belongs_to(counter_cache, touch)]
    parent: BelongsTo<Option<Node>>,
    #[has_many(foreign_key = "parent_id", dependent = "nullify")]
    nodes: HasMany<Node>,
    #[has_many(foreign_key = "parent_id", filter = Node::NAME.ne("x"))]
    known: HasMany<Node>,
    #[has_one(foreign_key = "parent_id")]
    first: HasOne<Option<Node>>,
}

// Each write has a time of its own.
async fn tables(cx: &Context) -> Result<Repo> {
    let second = AtomicU64::new(0);
    let now = move || SystemTime::UNIX_EPOCH + Duration::from_secs(second.fetch_add(1, Ordering::Relaxed));
    let repo = cx.repo().with_clock(now);
    repo.create_table::<Node>().await?;
    Ok(repo)
}

fn node(name: &str) -> Changeset<Node> {
    Node::build().set(Node::NAME, name)
}

// Ada with Bob and herself as members.
async fn own_member(repo: &Repo) -> Result<(Node, Node)> {
    let mut ada = repo.insert(node("Ada").push(Node::NODES, node("Bob"))).await?;
    let (own, bob) = (ada.clone(), ada.nodes()?[0].clone());
    repo.association(&mut ada, Node::NODES).push(&own).await?;
    Ok((ada, bob))
}

// The struct has what the row has, and a list that is whole has the members that there are.
async fn require_as_stored(cx: &mut Context, repo: &Repo, held: &Node, label: &str) -> Result<()> {
    let row = repo.get_or_fail::<Node>(held.id, Query::new()).await?;
    let own = |node: &Node| (node.name.clone(), node.parent_id, node.nodes_count, node.updated_at);
    cx.note(label, format!("{:?}, {} members", row.parent_id.map(|key| key - row.id), row.nodes_count));
    cx.require(own(held) == own(&row), &format!("{label}: {:?} is stored, {:?} is held", own(&row), own(held)))?;
    let sorted = |mut keys: Vec<i64>| {
        keys.sort_unstable();
        keys
    };
    let of_owner = Query::filter(Node::PARENT_ID.eq(held.id));
    let stored: Vec<i64> = sorted(repo.pluck(Node::ID, of_owner).await?);
    let is_right = match held.nodes.loaded() {
        Some(nodes) if !held.nodes.is_partial() => sorted(nodes.iter().map(|node| node.id).collect()) == stored,
        Some(nodes) => nodes.iter().all(|node| stored.contains(&node.id)),
        None => true,
    };
    cx.require(is_right, &format!("{label}: the members"))?;
    cx.require(repo.reset_counters(Node::NODES).await? == 0, &format!("{label}: the counters are true"))
}

macro_rules! follows {
    ($cx:ident, $repo:ident, $association:ident: $($label:literal |$handle:ident, $own:ident, $bob:ident| $call:expr;)+) => {$(
        for is_loaded in [false, true] {
            let (mut ada, $bob) = own_member(&$repo).await?;
            let $own = ada.clone();
            require_as_stored($cx, &$repo, &ada, "its own member").await?;
            let _ = (&$own, &$bob);
            let mut $handle = $repo.association(&mut ada, Node::$association);
            $handle.reset();
            if is_loaded {
                $handle.load().await?;
            }
            let label = format!("{}{}", $label, if is_loaded { ", loaded" } else { "" });
            $cx.step(&label, $call).await?;
            require_as_stored($cx, &$repo, &ada, &label).await?;
        }
    )+};
}

async fn own_members(cx: &mut Context) -> Result<()> {
    let repo = tables(cx).await?;
    follows! { cx, repo, NODES:
        "deleted" |nodes, own, bob| nodes.delete(&own);
        "both deleted" |nodes, own, bob| nodes.delete([&bob, &own]);
        "deleted by key" |nodes, own, bob| nodes.delete_ids([own.id]);
        "the other deleted" |nodes, own, bob| nodes.delete(&bob);
        "the other destroyed" |nodes, own, bob| nodes.destroy(&bob);
        "replaced" |nodes, own, bob| nodes.replace(&bob);
        "replaced by a new one" |nodes, own, bob| nodes.replace(node("Eve"));
        "replaced by itself" |nodes, own, bob| nodes.replace(&own);
        "replaced by itself with a name" |nodes, own, bob| nodes.replace(own.change().set(Node::NAME, "Ida"));
        "set by keys" |nodes, own, bob| nodes.set_ids([bob.id]);
        "set to its own key" |nodes, own, bob| nodes.set_ids([own.id]);
        "all deleted" |nodes, own, bob| nodes.delete_all();
        "cleared" |nodes, own, bob| nodes.clear();
        "pushed again" |nodes, own, bob| nodes.push(&own);
        "pushed with a name" |nodes, own, bob| nodes.push(own.change().set(Node::NAME, "Ida"));
        "created beside it" |nodes, own, bob| nodes.create(node("Eve"));
    }
    follows! { cx, repo, KNOWN:
        "deleted, of some" |nodes, own, bob| nodes.delete(&own);
        "cleared, of some" |nodes, own, bob| nodes.clear();
    }
    let (ada, _) = own_member(&repo).await?;
    let change = ada.change().set(Node::NAME, "Ida").remove(Node::NODES, &ada);
    let ada = cx.step("deleted and changed", repo.update(change)).await?;
    require_as_stored(cx, &repo, &ada, "deleted and changed").await?;
    // A member that a save removes and adds again stays a member.
    let (ada, bob) = own_member(&repo).await?;
    let change = ada.change().remove(Node::NODES, &bob).push(Node::NODES, &ada);
    let ada = cx.step("pushed beside one that is deleted", repo.update(change)).await?;
    require_as_stored(cx, &repo, &ada, "pushed beside one that is deleted").await?;
    // A call that is refused changes nothing.
    let (mut ada, _) = own_member(&repo).await?;
    let (before, other) = (ada.clone(), repo.insert(node("Eve")).await?);
    let mut nodes = repo.association(&mut ada, Node::NODES);
    cx.require(nodes.delete([&before, &other]).await.is_err(), "one is no member")?;
    cx.require(ada == before, "as before")
}

async fn own_targets(cx: &mut Context) -> Result<()> {
    let repo = tables(cx).await?;
    for label in ["set", "cleared", "created"] {
        let mut ada = repo.insert(node("Ada")).await?;
        let own = ada.clone();
        let bob = repo.insert(node("Bob")).await?;
        let mut first = repo.association(&mut ada, Node::FIRST);
        cx.step("itself", first.set(&own)).await?;
        require_as_stored(cx, &repo, &ada, "itself").await?;
        let mut first = repo.association(&mut ada, Node::FIRST);
        match label {
            "set" => cx.step(label, first.set(&bob)).await?,
            "cleared" => cx.step(label, first.clear()).await?,
            _ => cx.step(label, first.create(node("Eve"))).await.map(drop)?,
        }
        require_as_stored(cx, &repo, &ada, label).await?;
    }
    for label in ["set", "cleared"] {
        let (mut ada, bob) = own_member(&repo).await?;
        let mut parent = repo.association(&mut ada, Node::PARENT);
        match label {
            "set" => cx.step("another parent", parent.set(&bob)).await?,
            _ => cx.step("no parent", parent.clear()).await?,
        }
        require_as_stored(cx, &repo, &ada, label).await?;
    }
    Ok(())
}

// Bob is a member of Ada, and Ada one of Bob.
async fn ring(repo: &Repo) -> Result<(Node, Node)> {
    let ada = repo.insert(node("Ada").push(Node::NODES, node("Bob"))).await?;
    let mut bob = repo.get_or_fail::<Node>(ada.nodes()?[0].id, Query::new()).await?;
    repo.association(&mut bob, Node::NODES).push(&ada).await?;
    let key = (ada.id, bob.id);
    Ok((repo.get_or_fail(key.0, Query::new()).await?, repo.get_or_fail(key.1, Query::new()).await?))
}

async fn members_of_members(cx: &mut Context) -> Result<()> {
    let repo = tables(cx).await?;
    // The key of the owner is cleared with the row that it refers to.
    let (mut ada, bob) = ring(&repo).await?;
    cx.step("destroyed", repo.association(&mut ada, Node::NODES).destroy(&bob)).await?;
    require_as_stored(cx, &repo, &ada, "destroyed").await?;
    let (mut ada, _) = ring(&repo).await?;
    cx.step("all destroyed", repo.association(&mut ada, Node::NODES).destroy_all()).await?;
    require_as_stored(cx, &repo, &ada, "all destroyed").await?;
    // A struct that is older than its row has what the row has.
    let (mut ada, bob) = ring(&repo).await?;
    let eve = repo.insert(node("Eve")).await?;
    repo.update_all(Query::filter(Node::ID.eq(ada.id)), [Node::PARENT_ID.to(Some(eve.id))]).await?;
    repo.association(&mut ada, Node::NODES).destroy(&bob).await?;
    cx.require(ada.parent_id == Some(eve.id), "the key that the row has")?;
    // `update_all` counts nothing.
    repo.reset_counters(Node::NODES).await?;
    // The owner goes to one of its members, by the same save.
    let mut ada = repo.insert(node("Ada").push(Node::NODES, node("Bob"))).await?;
    let bob = ada.nodes()?[0].clone();
    let change = ada.change().edit(Node::NODES, bob.change().push(Node::NODES, &ada));
    ada = cx.step("moved to a member", repo.update(change)).await?;
    require_as_stored(cx, &repo, &ada, "moved to a member").await?;
    // From itself to one of its members.
    let (ada, bob) = own_member(&repo).await?;
    let change = ada.change().edit(Node::NODES, bob.change().push(Node::NODES, &ada));
    let ada = cx.step("moved from itself", repo.update(change)).await?;
    require_as_stored(cx, &repo, &ada, "moved from itself").await?;
    // Then the save of another member removes it.
    let (ada, bob) = ring(&repo).await?;
    let change = ada.change().edit(Node::NODES, bob.change().remove(Node::NODES, &ada));
    let ada = cx.step("let go by a member", repo.update(change)).await?;
    require_as_stored(cx, &repo, &ada, "let go by a member").await
}

async fn destroyed_by_themselves(cx: &mut Context) -> Result<()> {
    let repo = tables(cx).await?;
    let (mut ada, bob) = own_member(&repo).await?;
    let (id, own) = (ada.id, ada.clone());
    let mut nodes = repo.association(&mut ada, Node::NODES);
    cx.step("destroyed by itself", nodes.destroy(&own)).await?;
    cx.require(repo.get::<Node>(id, Query::new()).await?.is_none(), "gone")?;
    let left = repo.get_or_fail::<Node>(bob.id, Query::new()).await?;
    cx.require(left.parent_id.is_none(), "the other has no owner any more")?;
    cx.note("held", format!("{:?}", ada.nodes.loaded().map(|nodes| nodes.len())));
    let again = repo.association(&mut ada, Node::NODES).push(node("Eve")).await;
    cx.note("pushed to a row that is gone", again.err().map_or_else(|| "done".to_owned(), |error| error.to_string()));
    Ok(())
}
