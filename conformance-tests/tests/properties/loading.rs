//! The properties of preloads: with a query, on rows in hand, and level by level.

use std::any::Any;

use assoc_core::metadata::{Expr, ModelDef, OrderTerm, Request, ScopeDef};
use assoc_core::planner::{Fetch, Plan, Root, RootRequest};
use assoc_core::{Error, ErrorKind, IntoSort, Model};
use assoc_repo::{Filter, Query};

use crate::data::{Random, World};
use crate::graphs::{compare_row, hops};
use crate::people::{Post, User};
use crate::reference::{Found, holds, in_order};
use crate::trees::{Tree, condition, order, show, tree};

struct Terms(Vec<OrderTerm>);

impl<M> IntoSort<M> for Terms {
    fn into_terms(self) -> Vec<OrderTerm> {
        self.0
    }
}

fn compare_all<M: Model>(
    world: &World,
    rows: &[M],
    expected: &[Found<'_>],
    requests: &[Request],
    fresh: bool,
) -> Result<(), String> {
    if rows.len() != expected.len() {
        return Err(format!("expected {} owners, found {}: {expected:?}", expected.len(), rows.len()));
    }
    rows.iter().zip(expected).try_for_each(|(row, expected)| {
        let row: &dyn Any = row;
        compare_row(world, row, *expected, requests, &[], fresh)
    })
}

impl World {
    fn plan(&self, model: &'static ModelDef, root: Root, requests: Vec<Request>) -> Result<Plan, Error> {
        Plan::of_roots(root, vec![RootRequest { model, requests, available: false }], self.is_apart)
    }
}

fn few(requests: &[Request], statements: usize, plan: &Plan, root: usize) -> Result<(), String> {
    // One look-up for each distinct scope, and nobody knows how many there are.
    if plan.steps().iter().any(|step| matches!(step.fetch, Fetch::OwnerScope(_) | Fetch::OwnerScopeThrough(_))) {
        return Ok(());
    }
    if statements > root + plan.steps().len() || statements > root + hops(requests, &[]) {
        return Err(format!("{statements} statements, {} steps, {} hops", plan.steps().len(), hops(requests, &[])));
    }
    Ok(())
}

/// A query with a random condition, order and limit, and a random tree below it.
pub(crate) async fn by_query<M: Model>(world: &World, random: &mut Random) -> Result<usize, String> {
    let requests = tree(random, world, M::DEF, 4, false);
    query_with::<M>(world, random, requests).await
}

/// The same with as much of the tree as can be joined to the query's own statement.
pub(crate) async fn by_join<M: Model>(world: &World, random: &mut Random) -> Result<usize, String> {
    let requests = tree(random, world, M::DEF, 4, false);
    let mut keyless = 0;
    let requests: Vec<Request> = if M::DEF.primary_key.is_empty() {
        requests
    } else {
        requests.into_iter().map(|request| crate::trees::joined(request, random, &mut keyless)).collect()
    };
    query_with::<M>(world, random, requests).await
}

async fn query_with<M: Model>(world: &World, random: &mut Random, requests: Vec<Request>) -> Result<usize, String> {
    let mut query = Query::<M>::new().preload(Tree(requests.clone()));
    let unscoped = random.once_in(4);
    let mut expected = world.all(M::DEF, unscoped);
    if unscoped {
        query = query.unscoped();
    }
    if random.once_in(3) {
        let filter = condition(random, world, M::DEF, 1);
        expected.retain(|found| holds(&filter, *found) == Some(true));
        query = query.filter(Filter::new(filter));
    }
    // Without an order the database's own is as good as any: the comparison needs one.
    let terms = order(random, M::DEF);
    expected.sort_by(|a, b| in_order(*a, *b, &terms));
    query = query.order_by(Terms(terms));
    if random.once_in(3) {
        let (limit, offset) = (random.below(5), random.below(3));
        expected = expected.into_iter().skip(offset).take(limit).collect();
        query = query.limit(limit as u64).offset(offset as u64);
    } else if let Some(limit) = M::DEF.base_scope(unscoped).limit {
        expected.truncate(limit as usize);
    }
    let context = |what: String| format!("{what}\n{}\n{}", M::DEF.name, show(&requests, 1));
    let failed = |error: assoc_core::Error| context(error.to_string());
    let mut requests = requests.clone();
    requests.extend(M::DEF.base_scope(unscoped).includes);
    let plan = world.plan(M::DEF, Root::Fetched, requests.clone()).map_err(failed)?;
    let (rows, statements) = world.repo.count_statements(world.repo.all(query.clone())).await;
    let rows = match rows {
        Err(error) if world.is_apart && matches!(error.kind(), ErrorKind::AcrossDatabases { .. }) => {
            return if statements == 0 { Ok(0) } else { Err(context(format!("{statements} before refusing"))) };
        }
        rows => rows.map_err(failed)?,
    };
    query.explain(&world.repo).map_err(failed)?;
    few(&requests, statements, &plan, 1).map_err(context)?;
    compare_all(world, &rows, &expected, &requests, true).map_err(context)?;
    if random.once_in(10) {
        let count = world.repo.count(query.clone()).await.map_err(failed)?;
        if count != rows.len() as u64 || world.repo.exists(query.clone()).await.map_err(failed)? == rows.is_empty() {
            return Err(context(format!("{count} rows are counted, and {} are there", rows.len())));
        }
        let again = world.repo.all(query).await.map_err(failed)?;
        compare_all(world, &again, &expected, &requests, true).map_err(|what| context(format!("again: {what}")))?;
    }
    Ok(1)
}

/// Owners in any order, some several times, each bare.
async fn owners<'w, M: Model>(world: &'w World, random: &mut Random) -> (Vec<M>, Vec<Found<'w>>) {
    let expected = world.all(M::DEF, true);
    let rows = world.repo.all(Query::<M>::unscoped()).await.unwrap();
    let key = |values: Vec<String>| values.join(",");
    let row_key = |row: &M| key((0..M::DEF.columns.len()).map(|column| row.value(column).to_string()).collect());
    let mut picked: Vec<(M, Found<'w>)> = Vec::new();
    for found in expected {
        let own = key(found.row.iter().map(ToString::to_string).collect());
        let row = rows.iter().find(|row| row_key(row) == own).unwrap();
        let times = *random.pick(&[0, 1, 1, 1, 2]);
        picked.extend((0..times).map(|_| (row.clone(), found)));
    }
    random.shuffle(&mut picked);
    picked.into_iter().unzip()
}

/// A tree on rows in hand, of which some have some of it, or something else, loaded already.
pub(crate) async fn in_hand<M: Model>(world: &World, random: &mut Random) -> Result<usize, String> {
    let (mut rows, expected) = owners::<M>(world, random).await;
    let mut before = String::new();
    for _ in 0..random.below(4) {
        if rows.is_empty() {
            break;
        }
        let start = random.below(rows.len());
        let end = start + 1 + random.below(rows.len() - start);
        let whole = !random.once_in(3);
        let depth = 1 + random.below(4);
        let requests = crate::trees::in_own_order(tree(random, world, M::DEF, depth, whole));
        before.push_str(&format!("  before, {start}..{end}:\n{}", show(&requests, 2)));
        world
            .repo
            .preload(&mut rows[start..end], Tree(requests))
            .await
            .map_err(|error| format!("{error}\n{}{before}", M::DEF.name))?;
    }
    let whole = random.once_in(3);
    let requests = tree(random, world, M::DEF, 4, whole);
    let context =
        |what: String| format!("{what}\n{} in hand {expected:?}\n{before}  then:\n{}", M::DEF.name, show(&requests, 2));
    let failed = |error: assoc_core::Error| context(error.to_string());
    world
        .plan(M::DEF, Root::Existing, requests.clone())
        .and_then(|plan| plan.explain(world.repo.dialect(), None))
        .map_err(failed)?;
    // Table by table, as it is where the rows between are in memory.
    let root = RootRequest { model: M::DEF, requests: requests.clone(), available: false };
    let plan = Plan::of_roots(Root::Existing, vec![root], true).map_err(failed)?;
    let work = world.repo.preload(&mut rows, Tree(requests.clone()));
    let (result, statements) = world.repo.count_statements(work).await;
    result.map_err(failed)?;
    few(&requests, statements, &plan, 0).map_err(context)?;
    compare_all(world, &rows, &expected, &requests, false).map_err(context)?;
    // The whole is there now: asking again costs nothing.
    let whole = crate::trees::only_whole(&requests);
    let work = world.repo.preload(&mut rows, Tree(whole.clone()));
    let (result, statements) = world.repo.count_statements(work).await;
    result.map_err(failed)?;
    // A key that refers to a row which is not there is looked up again.
    let dangles = rows.iter().any(|row| crate::graphs::dangles(M::DEF, row, &whole));
    if statements > 0 && !dangles {
        // The error names the statement.
        let refused = world.repo.max_statements(0).preload(&mut rows, Tree(whole.clone())).await.err();
        let refused = refused.map_or_else(String::new, |error| error.to_string());
        return Err(context(format!("{statements} statements for what is there: {refused}\n{}", show(&whole, 1))));
    }
    // The targets of such a key's association come back without what else was loaded below them.
    for (row, expected) in rows.iter().zip(&expected) {
        let asked = if crate::graphs::dangles(M::DEF, row, &whole) { &whole } else { &requests };
        compare_row(world, row, *expected, asked, &[], false).map_err(|what| context(format!("again: {what}")))?;
    }
    let fresh = before.is_empty();
    world.repo.reload(&mut rows, Tree(requests.clone())).await.map_err(failed)?;
    compare_all(world, &rows, &expected, &requests, fresh).map_err(|what| context(format!("reloaded: {what}")))?;
    Ok(1)
}

/// Whole trees on rows of which some have some of it already, and some of which have another foreign key now than when it
/// was loaded: each row has what its key of now leads to.
pub(crate) async fn changed_keys<M: Model>(world: &World, random: &mut Random) -> Result<usize, String> {
    let foreign_keys = crate::graphs::foreign_keys(M::DEF);
    let (mut rows, expected) = owners::<M>(world, random).await;
    if foreign_keys.is_empty() || rows.is_empty() {
        return Ok(0);
    }
    let whole = |random: &mut Random, depth: usize| {
        let mut requests = crate::trees::in_own_order(tree(random, world, M::DEF, depth, true));
        // What a function of the owner, or its SQL, says of it is not known to a row in memory.
        requests.retain(|request| crate::graphs::goes_by_keys(request.association));
        // An inverse is a copy of the struct as it is in memory.
        requests.retain(|request| !crate::graphs::includes_inverse(request.association));
        for request in &mut requests {
            let leads_to = request.association;
            let children = std::mem::take(&mut request.children).into_iter();
            request.children =
                children.filter(|child| !crate::graphs::begins_with_inverse(child.association, leads_to)).collect();
        }
        requests
    };
    let mut before = String::new();
    for _ in 0..1 + random.below(3) {
        let start = random.below(rows.len());
        let end = start + 1 + random.below(rows.len() - start);
        let depth = 1 + random.below(3);
        let requests = whole(random, depth);
        before.push_str(&format!("  before, {start}..{end}:\n{}", show(&requests, 2)));
        let loading = world.repo.preload(&mut rows[start..end], Tree(requests));
        loading.await.map_err(|error| format!("{error}\n{}{before}", M::DEF.name))?;
    }
    let others = world.all(M::DEF, true);
    let mut now: Vec<crate::data::Row> = expected.iter().map(|found| found.row.clone()).collect();
    for (row, now) in rows.iter_mut().zip(&mut now) {
        if random.once_in(2) {
            let column = *random.pick(&foreign_keys);
            let value = random.pick(&others).row[column].clone();
            M::DEF.rows.set_value(row, column, &mut value.clone()).map_err(|error| error.to_string())?;
            now[column] = value;
        }
    }
    let requests = whole(random, 3);
    let expected: Vec<Found<'_>> = expected.iter().zip(&now).map(|(found, row)| Found { row, ..*found }).collect();
    let context =
        |what: String| format!("{what}\n{} now {expected:?}\n{before}  then:\n{}", M::DEF.name, show(&requests, 2));
    let loading = world.repo.preload(&mut rows, Tree(requests.clone()));
    loading.await.map_err(|error| context(error.to_string()))?;
    compare_all(world, &rows, &expected, &requests, false).map_err(context)?;
    world.repo.reload(&mut rows, Tree(requests.clone())).await.map_err(|error| context(error.to_string()))?;
    compare_all(world, &rows, &expected, &requests, false).map_err(|what| context(format!("reloaded: {what}")))?;
    Ok(1)
}

/// Rows of two models in hand, each with a tree of its own, by one request: what each would get alone, and no more
/// statements. Once in a while all rows of a third are lent to it.
pub(crate) async fn together<M: Model>(world: &World, random: &mut Random) -> Result<usize, String> {
    let (mut rows, expected) = owners::<M>(world, random).await;
    let (mut posts, expected_posts) = owners::<Post>(world, random).await;
    let requests = tree(random, world, M::DEF, 3, false);
    let requests_of_posts = tree(random, world, Post::DEF, 3, false);
    let context = |what: String| {
        let (of_rows, of_posts) = (show(&requests, 1), show(&requests_of_posts, 1));
        format!("{what}\n{} {expected:?}\n{of_rows}Post {expected_posts:?}\n{of_posts}", M::DEF.name)
    };
    let users = match random.once_in(2) {
        true => world.repo.all(Query::<User>::unscoped()).await.unwrap(),
        false => Vec::new(),
    };
    let alone = [(M::DEF, requests.clone()), (Post::DEF, requests_of_posts.clone())];
    let mut most = Some(0);
    for (model, requests) in alone {
        let plan = world.plan(model, Root::Existing, requests).map_err(|error| context(error.to_string()))?;
        // One look-up for each distinct scope, and nobody knows how many there are.
        let counted =
            plan.steps().iter().all(|step| !matches!(step.fetch, Fetch::OwnerScope(_) | Fetch::OwnerScopeThrough(_)));
        most = most.filter(|_| counted).map(|most| most + plan.steps().len());
    }
    let loading = world
        .repo
        .together()
        .preload(&mut rows, Tree(requests.clone()))
        .available(&users)
        .preload(&mut posts, Tree(requests_of_posts.clone()));
    let (result, statements) = world.repo.count_statements(loading.run()).await;
    result.map_err(|error| context(error.to_string()))?;
    if most.is_some_and(|most| statements > most) {
        return Err(context(format!("{statements} statements together, {most:?} at most alone")));
    }
    compare_all(world, &rows, &expected, &requests, true).map_err(context)?;
    compare_all(world, &posts, &expected_posts, &requests_of_posts, true).map_err(context)?;
    Ok(1)
}

/// The levels of a tree one after the other, whole ones, so that each finds the one above in memory.
pub(crate) async fn level_by_level<M: Model>(world: &World, random: &mut Random) -> Result<usize, String> {
    let (mut rows, expected) = owners::<M>(world, random).await;
    let requests = tree(random, world, M::DEF, 4, true);
    let context = |what: String| format!("{what}\n{} {expected:?}\n{}", M::DEF.name, show(&requests, 1));
    for depth in 1..=4 {
        let level = crate::trees::upper(&requests, depth);
        world.repo.preload(&mut rows, Tree(level.clone())).await.map_err(|error| context(error.to_string()))?;
        compare_all(world, &rows, &expected, &level, true).map_err(|what| context(format!("level {depth}: {what}")))?;
    }
    Ok(1)
}

/// Owners with a target that satisfies a condition are those whose association has one.
pub(crate) async fn conditions<M: Model>(world: &World, random: &mut Random) -> Result<usize, String> {
    let mut compared = 0;
    for association in M::DEF.associations {
        // Neither has a condition in SQL.
        if crate::graphs::is_by_owner(association) || crate::graphs::is_grouped(association) {
            continue;
        }
        // The types of a polymorphic association have no column in common.
        let asked = match crate::trees::targets(association).len() > 1 || random.once_in(4) {
            true => Expr::always(),
            false => condition(random, world, (association.target)(), 1),
        };
        let filter = Expr::Related { association, filter: Box::new(asked.clone()), only_type: None, filters: None };
        let query = Query::<M>::unscoped().filter(Filter::new(filter));
        let rows = match world.repo.all(query).await {
            // One statement cannot reach both databases, and says so.
            Err(error) if world.is_apart && matches!(error.kind(), ErrorKind::AcrossDatabases { .. }) => continue,
            rows => rows.map_err(|error| error.to_string())?,
        };
        let shown = |row: &M| (0..M::DEF.columns.len()).map(|at| row.value(at).to_string()).collect::<Vec<_>>();
        let found: Vec<_> = rows.iter().map(shown).collect();
        for owner in world.all(M::DEF, true) {
            let targets = world.targets(owner, association, &ScopeDef::default(), None);
            let expected = targets.into_iter().any(|target| holds(&asked, target) == Some(true));
            let own: Vec<_> = owner.row.iter().map(ToString::to_string).collect();
            if found.contains(&own) != expected {
                let name = association.qualified_name();
                return Err(format!("{name} of {owner:?}: any is {}, filter {asked:?}", !expected));
            }
            compared += 1;
        }
    }
    Ok(compared)
}
