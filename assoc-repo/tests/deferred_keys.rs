//! Rows that need each other, none of whose keys can be `NULL`: a database that checks foreign keys at the end of the
//! transaction takes them, and lets them go.

#![allow(clippy::unwrap_used)]

use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;

#[derive(Model, Debug, Clone)]
#[model(auto_increment = false)]
struct Bolt {
    id: i64,
    nut_id: i64,
    #[belongs_to]
    nut: BelongsTo<Nut>,
    #[has_one(dependent = "destroy")]
    other: HasOne<Option<Nut>>,
}

#[derive(Model, Debug, Clone)]
#[model(auto_increment = false)]
struct Nut {
    id: i64,
    bolt_id: i64,
    #[belongs_to]
    bolt: BelongsTo<Bolt>,
}

#[derive(Model, Debug, Clone)]
#[model(auto_increment = false)]
struct Link {
    id: i64,
    next_id: i64,
    #[belongs_to]
    next: BelongsTo<Link>,
    #[has_one(foreign_key = "next_id", dependent = "destroy")]
    before: HasOne<Option<Link>>,
}

#[test]
fn a_ring_is_saved_and_destroyed() {
    pollster::block_on(async {
        let repo = Repo::new(Sqlite::memory()?);
        for sql in [
            "CREATE TABLE bolts (id BIGINT PRIMARY KEY, nut_id BIGINT NOT NULL REFERENCES nuts (id) DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TABLE nuts (id BIGINT PRIMARY KEY, bolt_id BIGINT NOT NULL REFERENCES bolts (id) DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TABLE links (id BIGINT PRIMARY KEY, next_id BIGINT NOT NULL REFERENCES links (id) DEFERRABLE INITIALLY DEFERRED)",
        ] {
            repo.execute_raw(sql, []).await?;
        }
        let nut = Nut::build().set(Nut::ID, 7).set(Nut::BOLT_ID, 3).shared();
        let bolt = Bolt::build().set(Bolt::ID, 3).associate(Bolt::NUT, &nut).set_one(Bolt::OTHER, &nut);
        let bolt = repo.insert(bolt).await?;
        assert_eq!((bolt.nut_id, bolt.nut()?.bolt_id), (7, 3));
        assert_eq!(repo.destroy(&bolt).await?.to_string(), "Bolt: 1 destroyed; Nut: 1 destroyed");

        let link = |id: i64| Link::build().set(Link::ID, id);
        let last = link(9).set(Link::NEXT_ID, 1).shared();
        let ring = link(1).associate(Link::NEXT, link(5).associate(Link::NEXT, &last)).set_one(Link::BEFORE, &last);
        let first = repo.insert(ring).await?;
        assert_eq!(repo.count(Query::<Link>::new()).await?, 3);
        assert_eq!(repo.destroy(&first).await?.to_string(), "Link: 3 destroyed");
        Ok::<(), Error>(())
    })
    .unwrap();
}
