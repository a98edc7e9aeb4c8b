//! Members that take their foreign key from the inverse, conditions in JSON, and callbacks that write by handles, far below each
//! other.

use assoc_core::{ErrorKind, LoadState, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::orchard::{self, Basket, Bed, Deed, Nest, Orchard, Plot, Ring, Shoot, Stump, Tree};
use serde_json::json;

cases! { "orchards", Level::Collection;
    keys_of_inverses,
    keys_of_inverses_of_two_columns,
    counted_with_and_without_an_inverse,
    conditions_in_json,
    a_key_that_must_stay,
    callbacks_that_grow_others,
    callbacks_that_never_end,
    callbacks_of_a_tree_that_goes,
}

fn orchard(name: &str) -> Changeset<Orchard> {
    Orchard::build().set(Orchard::NAME, name)
}

fn tree(kind: &str) -> Changeset<Tree> {
    Tree::build().set(Tree::KIND, kind)
}

async fn trees(cx: &mut Context) -> Result<()> {
    cx.rows("trees", "SELECT t.kind, o.name FROM trees t LEFT JOIN orchards o ON o.id = t.home_id ORDER BY t.kind")
        .await?;
    cx.rows("orchards", "SELECT name, trees_count FROM orchards ORDER BY name").await
}

// Read in every way, and written.
async fn keys_of_inverses(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    orchard::tables(&repo).await?;
    let nest = |eggs: i32| Nest::build().set(Nest::EGGS, eggs);
    let draft =
        orchard("north").push(Orchard::TREES, [tree("apple").push(Tree::NESTS, [nest(2), nest(3)]), tree("pear")]);
    let north = cx.step("a new owner", repo.insert(draft)).await?;
    cx.require(north.trees()?.iter().all(|tree| tree.home_id == Some(north.id)), "its key")?;
    repo.insert(orchard("south").push(Orchard::TREES, tree("plum"))).await?;
    let all = || Query::<Orchard>::order_by(Orchard::ID.asc());
    let tree_of = (Orchard::TREES.with(Tree::HOME), Orchard::OLDEST, Orchard::NESTS);
    let read = cx.step("preloaded", repo.all(all().preload(tree_of))).await?;
    for orchard in &read {
        let kinds: Vec<_> = orchard.trees()?.iter().map(|tree| tree.kind.as_str()).collect();
        let oldest = orchard.oldest()?.map(|tree| tree.kind.as_str());
        let eggs: Vec<_> = orchard.nests()?.iter().map(|nest| nest.eggs).collect();
        cx.note(&orchard.name, format!("{kinds:?}, oldest {oldest:?}, eggs {eggs:?}"));
        let back = orchard.trees()?.iter().all(|tree| tree.home().is_ok_and(|home| home == Some(&orchard.bare())));
        cx.require(back, "each leads back")?;
    }
    let joined = repo.all(all().eager_load((Orchard::TREES.with(Tree::HOME), Orchard::OLDEST, Orchard::NESTS))).await?;
    cx.require(joined == read, "the same by a join")?;
    let found = cx.step("by a condition", repo.count(Query::filter(Orchard::TREES.any(Tree::KIND.eq("plum"))))).await?;
    cx.require(found == 1, "one has plums")?;
    let mut north = repo.get_or_fail::<Orchard>(north.id, Query::new()).await?;
    let mut handle = repo.association(&mut north, Orchard::TREES);
    cx.show("built", [handle.build()?]);
    let quince = cx.step("created", handle.create(tree("quince"))).await?;
    let loose = repo.insert(tree("medlar")).await?;
    cx.step("pushed", handle.push(&loose)).await?;
    cx.step("deleted", handle.delete(&quince)).await?;
    let kept = handle.find_or_create_by(Tree::KIND.eq("apple"), tree("apple")).await?;
    cx.step("replaced", handle.replace([&kept])).await?;
    trees(cx).await?;
    cx.step("the oldest", repo.association(&mut north, Orchard::OLDEST).set(&loose)).await?;
    trees(cx).await?;
    cx.step("the owner goes", repo.destroy(&north)).await?;
    trees(cx).await
}

async fn keys_of_inverses_of_two_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    orchard::tables(&repo).await?;
    let plot = |number: i32| Plot::build().set(Plot::REGION, 7).set(Plot::NUMBER, number);
    let mut one = repo.insert(plot(1)).await?;
    repo.insert(plot(2).push(Plot::BEDS, Bed::build())).await?;
    let mut beds = repo.association(&mut one, Plot::BEDS);
    cx.step("created", beds.create_all([Bed::build(), Bed::build()])).await?;
    let all = beds.all().await?;
    cx.require(
        all.len() == 2 && all.iter().all(|bed| (bed.in_region, bed.plot_number) == (Some(7), Some(1))),
        "its key",
    )?;
    cx.step("deleted", beds.delete(&all[0])).await?;
    let read = repo.all(Query::<Plot>::preload(Plot::BEDS.with(Bed::PLOT)).order_by(Plot::NUMBER.asc())).await?;
    cx.require(read.iter().all(|plot| plot.beds().is_ok_and(|beds| beds.len() == 1)), "one each")?;
    cx.step("the owner goes", repo.destroy(&one)).await?;
    cx.rows("beds", "SELECT in_region, plot_number FROM beds ORDER BY id").await
}

// Once for each row, whether or not the members lead back.
async fn counted_with_and_without_an_inverse(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    orchard::tables(&repo).await?;
    let mut north = repo.insert(orchard("north")).await?;
    let mut counts = Vec::new();
    macro_rules! each {
        ($association:expr) => {{
            let mut handle = repo.association(&mut north, $association);
            let created = handle.create(tree("a")).await?;
            counts.push(handle.owner().trees_count);
            handle.push([tree("b"), tree("c")]).await?;
            counts.push(handle.owner().trees_count);
            handle.delete(&created).await?;
            counts.push(handle.owner().trees_count);
            handle.push(&created).await?;
            counts.push(handle.owner().trees_count);
            handle.push(&created).await?;
            counts.push(handle.owner().trees_count);
            handle.destroy(&created).await?;
            counts.push(handle.owner().trees_count);
            handle.clear().await?;
            counts.push(handle.owner().trees_count);
        }};
    }
    each!(Orchard::TREES);
    each!(Orchard::PLANTS);
    cx.show("counted", [&counts]);
    cx.require(counts[..7] == [1, 3, 2, 3, 3, 2, 0] && counts[7..] == counts[..7], "once each")?;
    trees(cx).await
}

async fn conditions_in_json(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    orchard::tables(&repo).await?;
    let mut north = repo.insert(orchard("north")).await?;
    let basket = |weight: i32| Basket::build().set(Basket::WEIGHT, weight);
    let mut baskets = repo.association(&mut north, Orchard::BASKETS);
    cx.show("built", [baskets.build()?]);
    let created = cx.step("preset", baskets.create(basket(1))).await?;
    cx.require(created.label == Orchard::label(), "the label")?;
    // The same value in another order of its names.
    let same = json!({ "none": null, "kinds": ["apple", "O'Pear"], "grade": 1 });
    cx.step("said once more", baskets.push(basket(2).set(Basket::LABEL, same))).await?;
    for other in [json!({ "grade": 1 }), json!(null), json!({ "grade": 1, "kinds": ["O'Pear", "apple"], "none": null })]
    {
        let error = cx.fails("contradicted", baskets.push(basket(3).set(Basket::LABEL, other))).await?;
        cx.require(matches!(error.kind(), ErrorKind::Invalid { .. }), "refused")?;
    }
    let saved = cx.step("with a new owner", repo.insert(orchard("south").push(Orchard::BASKETS, basket(4)))).await?;
    cx.require(saved.baskets()?[0].label == Orchard::label(), "the label")?;
    // What was written is what the association sees.
    repo.insert(basket(5).set(Basket::LABEL, json!({})).set(Basket::ORCHARD_ID, 1)).await?;
    let fresh = repo.all(Query::<Orchard>::preload(Orchard::BASKETS).order_by(Orchard::ID.asc())).await?;
    let weights: Vec<Vec<i32>> = fresh
        .iter()
        .map(|orchard| orchard.baskets().map(|all| all.iter().map(|basket| basket.weight).collect()))
        .collect::<std::result::Result<_, _>>()?;
    cx.show("seen", [&weights]);
    cx.require(weights == [vec![1, 2], vec![4]], "its own, and no other")?;
    let mut baskets = repo.association(&mut north, Orchard::BASKETS);
    let count = baskets.count().await?;
    cx.require(count == 2, "two")?;
    let deleted = cx.step("delete_all", baskets.delete_all()).await?;
    cx.require(deleted == 2, "those with the label")?;
    cx.rows("baskets", "SELECT weight, orchard_id IS NULL FROM baskets ORDER BY weight").await
}

// A target whose key cannot be `NULL` cannot be let go: it stays linked, in the database and in memory.
async fn a_key_that_must_stay(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    orchard::tables(&repo).await?;
    let deed = |text: &str| Deed::build().set(Deed::TEXT, text);
    let mut north = repo.insert(orchard("north").set_one(Orchard::DEED, deed("old"))).await?;
    for loaded in [true, false] {
        let mut handle = repo.association(&mut north, Orchard::DEED);
        if !loaded {
            handle.reset();
        }
        let before = handle.owner().clone();
        for (title, error) in [
            ("create", cx.fails("create", handle.create(deed("new"))).await?),
            ("set", cx.fails("set", handle.set(deed("new"))).await?),
            ("clear", cx.fails("clear", handle.clear()).await?),
        ] {
            cx.note(title, &error);
            cx.require(error.field_errors().iter().any(|error| error.path == "deed"), "it names the association")?;
        }
        cx.require(handle.owner() == &before, "as before")?;
    }
    cx.rows("deeds", "SELECT orchard_id, text FROM deeds").await
}

fn shoot(depth: i64) -> Changeset<Shoot> {
    Shoot::build().set(Shoot::DEPTH, depth)
}

async fn grown(cx: &mut Context) -> Result<()> {
    cx.rows("shoots", "SELECT depth, shoots_count, rings_count FROM shoots ORDER BY depth DESC").await?;
    cx.rows(
        "rings",
        "SELECT s.depth, r.width FROM rings r JOIN shoots s ON s.id = r.shoot_id ORDER BY s.depth DESC, r.width",
    )
    .await?;
    cx.rows("stumps", "SELECT depth, rings FROM stumps ORDER BY depth DESC, rings").await
}

// Each generation is inserted by a callback of the one before it, by a handle; what is added writes once more.
async fn callbacks_that_grow_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    orchard::tables(&repo).await?;
    let saved = cx.step("of a root", repo.insert(shoot(9))).await?;
    cx.require((saved.shoots_count, saved.rings_count) == (1, 1), "it comes back as it is stored")?;
    let fresh = repo.get_or_fail::<Shoot>(saved.id, Query::new()).await?;
    cx.require(fresh == saved.bare(), "which a fresh read gives as well")?;
    let mut root = fresh;
    cx.step("by a handle", repo.association(&mut root, Shoot::SHOOTS).push([shoot(1), shoot(0)])).await?;
    cx.require((root.shoots_count, root.rings_count) == (3, 3), "the owner follows what callbacks write")?;
    // The same counter moves by the save and by its callback.
    let both = root.change().push(Shoot::SHOOTS, shoot(0)).push(Shoot::RINGS, Ring::build().set(Ring::WIDTH, 1));
    root = cx.step("a shoot and a ring", repo.update(both)).await?;
    cx.require((root.shoots_count, root.rings_count) == (4, 5), "both are counted")?;
    let fresh = repo.get_or_fail::<Shoot>(root.id, Query::new()).await?;
    cx.require((root.shoots_count, root.rings_count) == (fresh.shoots_count, fresh.rings_count), "as it is stored")?;
    grown(cx).await?;
    cx.require(repo.reset_counters((Shoot::SHOOTS, Shoot::RINGS)).await? == 0, "the counters are true")
}

async fn callbacks_that_never_end(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    orchard::tables(&repo).await?;
    let mut root = repo.insert(shoot(0)).await?;
    let before = root.clone();
    let error = cx.fails("far too deep", repo.association(&mut root, Shoot::SHOOTS).create(shoot(1_000))).await?;
    cx.note("error", &error);
    cx.require(matches!(error.kind(), ErrorKind::CallbackDepth { .. }), "typed")?;
    cx.require(root == before, "the owner stays as it is")?;
    let error = cx
        .fails(
            "in a callback far below",
            repo.association(&mut root, Shoot::RINGS).create(Ring::build().set(Ring::WIDTH, -1)),
        )
        .await?;
    cx.note("error", &error);
    cx.require(root == before, "the owner stays as it is")?;
    cx.require(
        repo.count(Query::<Shoot>::new()).await? == 1 && repo.count(Query::<Ring>::new()).await? == 0,
        "nothing else",
    )?;
    // The transaction around it goes on.
    let tx = repo.begin().await?;
    let refused = tx.association(&mut root, Shoot::SHOOTS).create(shoot(1_000)).await;
    cx.require(refused.is_err(), "refused")?;
    tx.association(&mut root, Shoot::SHOOTS).create(shoot(1)).await?;
    tx.commit().await?;
    grown(cx).await
}

async fn callbacks_of_a_tree_that_goes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    orchard::tables(&repo).await?;
    let mut root = repo.insert(shoot(5)).await?;
    let mut shoots = repo.association(&mut root, Shoot::SHOOTS);
    shoots.push([shoot(2), shoot(0)]).await?;
    cx.require(shoots.state() == LoadState::Partial, "what was pushed is a part")?;
    let all = shoots.reload().await?.into_iter().cloned().collect::<Vec<_>>();
    let of = |depth: i64| all.iter().find(|shoot| shoot.depth == depth).ok_or_else(|| Error::other("no such shoot"));
    cx.step("one, with all below it", shoots.destroy(of(2)?)).await?;
    cx.require(shoots.owner().shoots_count == 2 && shoots.size().await? == 2, "two are left")?;
    grown(cx).await?;
    cx.step("by its rule", shoots.delete(of(0)?)).await?;
    cx.step("clear is silent, and goes no further down", shoots.clear()).await?;
    cx.require(root.shoots_count == 0 && root.shoots()?.is_empty(), "none is left")?;
    grown(cx).await?;
    cx.require(repo.count(Query::<Stump>::new()).await? == 4, "of those that were destroyed")?;
    cx.step("the root", repo.destroy(&root)).await?;
    grown(cx).await
}
