//! `reload` reads all that it names: rows that it is about to replace stand for none of the rows of now.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use assoc_repo::prelude::*;
use backends::SqliteInMemory;
use conformance_tests::Backend;

#[allow(dead_code)]
mod backends;

#[derive(Model, Debug, Clone)]
#[model(table = "machines", auto_increment = false)]
struct Machine {
    id: i64,
    #[has_many]
    parts: HasMany<Part>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "parts", auto_increment = false)]
struct Part {
    id: i64,
    machine_id: i64,
    above_id: Option<i64>,
    #[column(length = 20)]
    name: String,
    #[belongs_to]
    above: BelongsTo<Option<Part>>,
}

#[test]
fn a_single_target_is_not_one_of_the_rows_before() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(reloaded());
}

async fn reloaded() {
    let database = SqliteInMemory.fresh().await.unwrap();
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    repo.create_table::<Machine>().await.unwrap();
    repo.create_table::<Part>().await.unwrap();
    repo.insert(Machine::build().set(Machine::ID, 1)).await.unwrap();
    let part = |id: i64, above: Option<i64>, name: &str| {
        let part = Part::build().set(Part::ID, id).set(Part::MACHINE_ID, 1).set(Part::NAME, name);
        part.set(Part::ABOVE_ID, above)
    };
    repo.insert_all([part(1, None, "gone"), part(2, None, "old"), part(3, Some(1), "a"), part(4, Some(2), "b")])
        .await
        .unwrap();
    let mut machine = repo.get_or_fail::<Machine>(1, Query::preload(Machine::PARTS)).await.unwrap();

    repo.execute_raw("DELETE FROM parts WHERE id = 1", []).await.unwrap();
    repo.execute_raw("UPDATE parts SET name = 'new' WHERE id = 2", []).await.unwrap();
    let reload = repo.reload(&mut machine, Machine::PARTS.with(Part::ABOVE));
    let (done, statements) = repo.count_statements(reload).await;
    done.unwrap();
    let parts = machine.parts().unwrap();
    let above: Vec<Option<&str>> = parts.iter().map(|part| part.above().unwrap().map(|above| &*above.name)).collect();
    assert_eq!(above, [None, None, Some("new")]);
    // The parts, and the one above that is not among them.
    assert_eq!(statements, 2);
}
