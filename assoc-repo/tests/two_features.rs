//! Two features that chapters of the guide describe apart, used together.

use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
use assoc_sqlite::Sqlite;

#[derive(Model, Debug, Clone)]
#[model(callbacks)]
struct Owner {
    id: i64,
    tenant: i64,
    name: String,
    #[has_many]
    visits: HasMany<Visit>,
    #[has_many(through = "visits", distinct)]
    places: HasManyThrough<Place>,
    #[has_many(through = "visits", source = "place", distinct, order = Place::NAME.asc())]
    sorted_places: HasManyThrough<Place>,
}

#[callbacks]
impl Callbacks for Owner {
    async fn before_save(_: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }
}

#[derive(Model, Debug, Clone)]
struct Visit {
    id: i64,
    owner_id: i64,
    place_id: i64,
    day: i64,
    #[belongs_to]
    place: BelongsTo<Place>,
}

#[derive(Model, Debug, Clone)]
struct Place {
    id: i64,
    name: String,
}

async fn database() -> Result<Repo> {
    let repo = Repo::new(Sqlite::memory()?);
    repo.create_table::<Owner>().await?;
    repo.create_table::<Visit>().await?;
    repo.create_table::<Place>().await?;
    let owner = |tenant: i64| Owner::build().set(Owner::TENANT, tenant).set(Owner::NAME, "o");
    repo.insert_all([owner(1), owner(2)]).await?;
    repo.insert_all(["b", "a"].map(|name| Place::build().set(Place::NAME, name))).await?;
    let visit = |place: i64| Visit::build().set(Visit::OWNER_ID, 1).set(Visit::PLACE_ID, place).set(Visit::DAY, 1);
    repo.insert_all([visit(1), visit(2), visit(1)]).await?;
    Ok(repo)
}

// A filtered repo finds no hidden row to update, whether its model has callbacks, or something is said of its members.
#[test]
fn another_tenants_row_is_not_found_by_any_save() {
    pollster::block_on(async {
        let repo = database().await?;
        let tenant = repo.filtered(|model| (model == Owner::DEF).then(|| Owner::TENANT.eq(1).into_expr()));
        let other = repo.get_or_fail::<Owner>(2, Query::new()).await?;
        let visit = || Visit::build().set(Visit::PLACE_ID, 1).set(Visit::DAY, 2);
        let renamed = tenant.update(other.change().set(Owner::NAME, "x")).await.unwrap_err();
        assert!(renamed.is_not_found(), "{renamed}");
        let pushed = tenant.update(other.change().push(Owner::VISITS, visit())).await.unwrap_err();
        assert!(pushed.is_not_found(), "{pushed}");
        let mut owner = other.clone();
        let created = tenant.association(&mut owner, Owner::VISITS).create(visit()).await.unwrap_err();
        assert!(created.is_not_found(), "{created}");
        // A row that is only linked is not what was to be found.
        let own = tenant.get_or_fail::<Owner>(1, Query::new()).await?;
        let places = repo.filtered(|model| (model == Place::DEF).then(|| Place::ID.eq(1).into_expr()));
        let hidden = repo.get_or_fail::<Place>(2, Query::new()).await?;
        let change = visit().associate(Visit::PLACE, &hidden);
        let linked = places.update(own.change().push(Owner::VISITS, change)).await.unwrap_err();
        assert!(matches!(linked.kind(), ErrorKind::OutsideFilter { .. }), "{linked}");
        assert_eq!(repo.count(Query::<Visit>::new()).await?, 3);
        Ok::<(), Error>(())
    })
    .unwrap();
}

// The handle of a distinct association says what it needs for SQL of its own.
#[test]
fn a_distinct_collection_without_an_order_says_why_it_is_no_query() {
    pollster::block_on(async {
        let repo = database().await?;
        let owner = repo.get_or_fail::<Owner>(1, Query::new()).await?;
        let error = repo.association(&owner, Owner::PLACES).page(Page::first(1)).await.unwrap_err().to_string();
        assert!(error.contains("`distinct` and has no order by the members' own columns"), "{error}");
        let page = repo.association(&owner, Owner::SORTED_PLACES).page(Page::first(1)).await?;
        assert_eq!((&*page.rows[0].name, page.has_next), ("a", true));
        Ok::<(), Error>(())
    })
    .unwrap();
}

#[derive(Model, Debug, Clone)]
struct Stop {
    id: i64,
    line_id: Option<i64>,
    #[belongs_to]
    line: BelongsTo<Option<Line>>,
    #[has_one(through = "line", source = "city")]
    city: HasOne<Option<City>>,
    city_name: Aggregated<Option<String>>,
    cities: Aggregated<i64>,
}

#[derive(Model, Debug, Clone)]
struct Line {
    id: i64,
    city_id: Option<i64>,
    #[belongs_to]
    city: BelongsTo<Option<City>>,
}

#[derive(Model, Debug, Clone)]
struct City {
    id: i64,
    name: String,
}

// A single row behind a single row is aggregated by the database as a list is: also texts, which memory does not compare.
#[test]
fn aggregates_of_a_single_row_behind_a_single_row() {
    pollster::block_on(async {
        let repo = Repo::new(Sqlite::memory()?);
        repo.create_table::<Stop>().await?;
        repo.create_table::<Line>().await?;
        repo.create_table::<City>().await?;
        let city = repo.insert(City::build().set(City::NAME, "Ghent")).await?;
        let line = repo.insert(Line::build().associate(Line::CITY, &city)).await?;
        let elsewhere = repo.insert(Line::build()).await?;
        let stop = |line: Option<i64>| Stop::build().set(Stop::LINE_ID, line);
        repo.insert_all([stop(Some(line.id)), stop(Some(elsewhere.id)), stop(None)]).await?;
        let query = Query::preload((
            Stop::CITY.aggregate_into(Stop::CITY_NAME, City::NAME.min()),
            Stop::CITY.count_into(Stop::CITIES),
        ));
        let (stops, statements) = repo.count_statements(repo.all(query.order_by(Stop::ID.asc()))).await;
        let told: Vec<(Option<String>, i64)> =
            stops?.iter().map(|stop| Ok((stop.city_name()?.clone(), *stop.cities()?))).collect::<Result<_>>()?;
        assert_eq!(told, [(Some("Ghent".to_owned()), 1), (None, 0), (None, 0)]);
        // The stops, and both aggregates.
        assert_eq!(statements, 2);
        Ok::<(), Error>(())
    })
    .unwrap();
}
