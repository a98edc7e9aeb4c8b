//! One save that drops rows by some associations and writes or keeps them by others: what is destroyed or deleted cannot be written as
//! well. Such a save is refused, the error says which association takes which row, and nothing is written. Any other save does all
//! that it says.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use assoc_core::FieldError;
use assoc_repo::prelude::*;
use conformance_tests::Backend;
use random::Random;

#[allow(dead_code)]
mod backends;
mod random;

#[derive(Model, Debug, Clone)]
#[model(table = "gardens")]
struct Garden {
    id: i64,
    #[has_many]
    beds: HasMany<Bed>,
    #[has_many]
    pots: HasMany<Pot>,
    #[has_many]
    rows: HasMany<Row>,
}

/// Destroys the plants that it drops.
#[derive(Model, Debug, Clone)]
#[model(table = "beds")]
struct Bed {
    id: i64,
    garden_id: i64,
    #[has_many(dependent = "destroy")]
    plants: HasMany<Plant>,
}

/// Deletes them.
#[derive(Model, Debug, Clone)]
#[model(table = "pots")]
struct Pot {
    id: i64,
    garden_id: i64,
    #[has_many(dependent = "delete")]
    plants: HasMany<Plant>,
}

/// Lets them go.
#[derive(Model, Debug, Clone)]
#[model(table = "rows_of_gardens")]
struct Row {
    id: i64,
    garden_id: i64,
    #[has_many]
    plants: HasMany<Plant>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "plants")]
struct Plant {
    id: i64,
    bed_id: Option<i64>,
    pot_id: Option<i64>,
    row_id: Option<i64>,
    name: String,
    #[has_many(dependent = "destroy")]
    leaves: HasMany<Leaf>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "leaves")]
struct Leaf {
    id: i64,
    plant_id: i64,
    name: String,
    #[has_many(dependent = "destroy")]
    veins: HasMany<Vein>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "veins")]
struct Vein {
    id: i64,
    leaf_id: i64,
}

/// What is said of one association.
#[derive(Debug, Clone)]
enum Said {
    Nothing,
    Remove(usize),
    Destroy(usize),
    Edit(usize),
    Push(usize),
    Replace(Vec<usize>),
}

const PLANTS: usize = 4;

fn said(random: &mut Random, members: &[usize]) -> Said {
    let member = (!members.is_empty()).then(|| members[random.below(members.len())]);
    match (random.below(6), member) {
        (0, Some(member)) => Said::Remove(member),
        (1, Some(member)) => Said::Destroy(member),
        (2, Some(member)) => Said::Edit(member),
        (3, _) => Said::Replace((0..PLANTS).filter(|_| random.once_in(2)).collect()),
        (4, _) => Said::Push(random.below(PLANTS)),
        _ => Said::Nothing,
    }
}

macro_rules! change {
    ($association:expr, $owner:expr, $said:expr, $plants:expr) => {{
        let (change, plants) = ($owner.change(), $plants);
        match $said {
            Said::Nothing => change,
            Said::Remove(at) => change.remove($association, &plants[*at]),
            Said::Destroy(at) => change.edit($association, plants[*at].change().mark_for_destruction()),
            Said::Edit(at) => change.edit($association, plants[*at].change().set(Plant::NAME, "edited")),
            Said::Push(at) => change.push($association, &plants[*at]),
            Said::Replace(all) => change.replace($association, all.iter().map(|at| &plants[*at])),
        }
    }};
}

/// Of each plant, its three owners and its name.
type Plants = BTreeMap<usize, ([bool; 3], String)>;

async fn stored(repo: &Repo, first: i64) -> Plants {
    let plants = repo.all(Query::<Plant>::new()).await.unwrap();
    let plant = |plant: Plant| {
        let owners = [plant.bed_id, plant.pot_id, plant.row_id].map(|owner| owner.is_some());
        (usize::try_from(plant.id - first).unwrap(), (owners, plant.name))
    };
    plants.into_iter().map(plant).collect()
}

/// What each association drops for good, and the plants that the save writes or keeps.
fn judge(before: &Plants, all: &[Said; 3]) -> (Plants, BTreeMap<usize, Vec<&'static str>>, BTreeSet<usize>) {
    let mut after = before.clone();
    let mut gone: BTreeMap<usize, Vec<&'static str>> = BTreeMap::new();
    let mut kept = BTreeSet::new();
    for (which, said) in all.iter().enumerate() {
        let members: Vec<usize> = before.iter().filter(|(_, (owners, _))| owners[which]).map(|(at, _)| *at).collect();
        let (mut dropped, mut added, mut is_destroyed) = (Vec::new(), Vec::new(), false);
        match said {
            Said::Nothing => {}
            Said::Remove(at) => dropped.push(*at),
            Said::Destroy(at) => {
                dropped.push(*at);
                is_destroyed = true;
            }
            Said::Edit(at) => {
                kept.insert(*at);
                after.get_mut(at).unwrap().1 = "edited".to_owned();
            }
            Said::Push(at) => added.push(*at),
            Said::Replace(all) => {
                dropped.extend(members.iter().copied().filter(|at| !all.contains(at)));
                added.extend(all);
            }
        }
        for at in added {
            kept.insert(at);
            after.get_mut(&at).unwrap().0[which] = true;
        }
        let how = match (which, is_destroyed) {
            (0, _) => Some("`Bed.plants` destroys"),
            (1, true) => Some("`Pot.plants` destroys"),
            (1, false) => Some("`Pot.plants` deletes"),
            (_, true) => Some("`Row.plants` destroys"),
            (_, false) => None,
        };
        for at in dropped {
            after.get_mut(&at).unwrap().0[which] = false;
            gone.entry(at).or_default().extend(how);
        }
    }
    gone.retain(|_, how| !how.is_empty());
    after.retain(|at, _| !gone.contains_key(at));
    (after, gone, kept)
}

async fn at_random(backend: &dyn Backend) {
    let (mut done, mut refused) = (0, 0);
    let database = backend.fresh().await.unwrap();
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    repo.create_table::<Garden>().await.unwrap();
    repo.create_table::<Bed>().await.unwrap();
    repo.create_table::<Pot>().await.unwrap();
    repo.create_table::<Row>().await.unwrap();
    repo.create_table::<Plant>().await.unwrap();
    repo.create_table::<Leaf>().await.unwrap();
    repo.create_table::<Vein>().await.unwrap();
    let garden = Garden::build().push(Garden::BEDS, Bed::build()).push(Garden::POTS, Pot::build());
    let garden = repo.insert(garden.push(Garden::ROWS, Row::build())).await.unwrap();
    let (bed, pot, row) = (&garden.beds().unwrap()[0], &garden.pots().unwrap()[0], &garden.rows().unwrap()[0]);
    for seed in 0..150 {
        let mut random = Random::new(seed);
        repo.execute_raw("DELETE FROM leaves", []).await.unwrap();
        repo.execute_raw("DELETE FROM plants", []).await.unwrap();
        let mut plants = Vec::new();
        for _ in 0..PLANTS {
            let plant = Plant::build().set(Plant::NAME, "new").set(Plant::BED_ID, random.once_in(2).then_some(bed.id));
            let plant = plant.set(Plant::POT_ID, random.once_in(2).then_some(pot.id));
            let plant = plant.set(Plant::ROW_ID, random.once_in(2).then_some(row.id));
            plants.push(repo.insert(plant).await.unwrap());
        }
        let first = plants[0].id;
        let before = stored(&repo, first).await;
        let members = |which: usize| -> Vec<usize> {
            before.iter().filter(|(_, (owners, _))| owners[which]).map(|(at, _)| *at).collect()
        };
        let all = [0, 1, 2].map(|which| said(&mut random, &members(which)));
        let change = garden
            .change()
            .edit(Garden::BEDS, change!(Bed::PLANTS, bed, &all[0], &plants))
            .edit(Garden::POTS, change!(Pot::PLANTS, pot, &all[1], &plants))
            .edit(Garden::ROWS, change!(Row::PLANTS, row, &all[2], &plants));
        let result = repo.update(change).await;
        let after = stored(&repo, first).await;
        let (expected, gone, kept) = judge(&before, &all);
        let told = format!("seed {seed}: {all:?} of {before:?}: {:?}", result.as_ref().err());
        if !gone.keys().any(|at| kept.contains(at)) {
            assert!(result.is_ok(), "{told}");
            assert_eq!(after, expected, "{told}");
            done += 1;
            continue;
        }
        let Err(error) = result else { panic!("{told}") };
        let [problem] = error.field_errors() else { panic!("{told}") };
        assert!(problem.code == FieldError::DESTROYED && problem.param("model") == Some("Plant"), "{told}");
        let key: i64 = problem.param("key").unwrap().parse().unwrap();
        let at = usize::try_from(key - first).unwrap();
        assert!(kept.contains(&at), "{told}");
        assert!(gone[&at].iter().any(|how| problem.message.contains(how)), "{told}");
        assert_eq!(after, before, "nothing is written: {told}");
        refused += 1;
    }
    assert!(done > 30 && refused > 30, "{done} and {refused}");
}

// What depends on a dropped row goes with it.
async fn below(backend: &dyn Backend) {
    let database = backend.fresh().await.unwrap();
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    repo.create_table::<Bed>().await.unwrap();
    repo.create_table::<Plant>().await.unwrap();
    repo.create_table::<Leaf>().await.unwrap();
    repo.create_table::<Vein>().await.unwrap();
    let plant = |name: &str| Plant::build().set(Plant::NAME, name);
    let old = plant("old").push(Plant::LEAVES, Leaf::build().set(Leaf::NAME, "leaf"));
    let bed = Bed::build().set(Bed::GARDEN_ID, 1).push(Bed::PLANTS, [old, plant("other")]);
    let bed = repo.insert(bed).await.unwrap();
    let (old, other) = (&bed.plants().unwrap()[0], &bed.plants().unwrap()[1]);
    let leaf = &old.leaves().unwrap()[0];
    let change = bed.change().remove(Bed::PLANTS, old).edit(Bed::PLANTS, other.change().push(Plant::LEAVES, leaf));
    let error = repo.update(change).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "Plant cannot be saved: leaves cannot write Leaf {}, which depends on a row that is destroyed in the same save: \
             leave it out of one of the two",
            leaf.id
        )
    );
    assert_eq!(repo.count(Query::<Plant>::new()).await.unwrap(), 2);
    // Moved before, it stays.
    repo.update(other.change().push(Plant::LEAVES, leaf)).await.unwrap();
    repo.update(bed.change().remove(Bed::PLANTS, old)).await.unwrap();
    assert_eq!(repo.count(Query::<Leaf>::new()).await.unwrap(), 1);
}

backends::on_each_database!(at_random, below);
