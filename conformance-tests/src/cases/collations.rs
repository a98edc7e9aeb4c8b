//! Text keys in columns that do not compare byte by byte: what the database calls equal belongs together.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::models::keys::{Book, City, Country, Shelf};

cases! { "collations", Level::Read;
    ignoring_case,
    owners_differ_by_more_than_case,
    composite_keys_ignoring_case,
    in_hand_ignoring_case,
    accents_and_trailing_spaces,
}

/// The type of a text column that ignores case, which a model cannot ask for.
pub(super) fn text_ignoring_case(cx: &mut Context) -> Result<&'static str> {
    cx.native_sql("text column that ignores case", |sql| sql.text_ignoring_case)
}

async fn tables(cx: &Context, text: &str) -> Result<()> {
    let repo = cx.repo();
    // The model's own tables, made anew with other types of the keys.
    for sql in [
        format!("CREATE TABLE countries (code {text} NOT NULL, name VARCHAR(40) NOT NULL, PRIMARY KEY (code))"),
        format!(
            "CREATE TABLE cities (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, country_code {text})"
        ),
        format!(
            "CREATE TABLE shelves (room INTEGER NOT NULL, code {text} NOT NULL, label VARCHAR(40) NOT NULL, \
             PRIMARY KEY (room, code))"
        ),
        format!(
            "CREATE TABLE books (id INTEGER NOT NULL PRIMARY KEY, room INTEGER, shelf_code {text}, \
             title VARCHAR(40) NOT NULL)"
        ),
    ] {
        repo.execute_raw(&sql, []).await?;
    }
    Ok(())
}

// Names and labels are in one case, because they are what is sorted by.
fn country(code: &str) -> assoc_repo::Changeset<Country> {
    Country::build().set(Country::CODE, code).set(Country::NAME, code.to_lowercase())
}

async fn filled(cx: &Context, text: &str, codes: &[&str], cities: &[(&str, &str)]) -> Result<()> {
    tables(cx, text).await?;
    let repo = cx.repo();
    repo.insert_all(codes.iter().map(|code| country(code))).await?;
    repo.insert_all((1..).zip(cities).map(|(id, (name, code))| {
        City::build().set(City::ID, id).set(City::NAME, *name).set(City::COUNTRY_CODE, Some((*code).to_owned()))
    }))
    .await?;
    Ok(())
}

async fn both_ways(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let tree = || Query::preload(Country::CITIES.with(City::COUNTRY)).order_by(Country::NAME.asc());
    let countries = cx.step("countries preload cities: country", repo.all(tree())).await?;
    cx.show("countries", &countries);
    let query = || Query::preload(City::COUNTRY).order_by(City::ID.asc());
    let cities = cx.step("cities preload country", repo.all(query())).await?;
    cx.show("cities", &cities);
    for country in &countries {
        let read = repo.get_association(country, Country::CITIES, Query::preload(City::COUNTRY)).await?;
        cx.require(read == country.cities()?, "the reader of has_many gives the same")?;
    }
    for city in &cities {
        let read = repo.get_association(city, City::COUNTRY, Query::new()).await?;
        cx.require(read.as_ref() == city.country()?, "the reader of belongs_to gives the same")?;
    }
    Ok(())
}

const CODES: &[&str] = &["DE", "fr", "It"];
const CITIES: &[(&str, &str)] =
    &[("Berlin", "de"), ("Bonn", "DE"), ("Lyon", "FR"), ("Köln", "De"), ("Roma", "iT"), ("Atlantis", "at")];

async fn ignoring_case(cx: &mut Context) -> Result<()> {
    let text = text_ignoring_case(cx)?;
    filled(cx, text, CODES, CITIES).await?;
    both_ways(cx).await?;
    let repo = cx.repo();
    let found = cx.step("get", repo.get::<Country>("dE".to_owned(), Query::preload(Country::CITIES))).await?;
    cx.show("country", found);
    Ok(())
}

async fn owners_differ_by_more_than_case(cx: &mut Context) -> Result<()> {
    let text = text_ignoring_case(cx)?;
    filled(cx, text, CODES, &[]).await?;
    let repo = cx.repo();
    let error = cx.fails("the same key in another case", repo.insert(country("FR"))).await?;
    cx.require(error.is_unique_violation(), "classified")?;
    cx.note("countries", repo.count(Query::<Country>::new()).await?);
    Ok(())
}

async fn composite_keys_ignoring_case(cx: &mut Context) -> Result<()> {
    let text = text_ignoring_case(cx)?;
    tables(cx, text).await?;
    let repo = cx.repo();
    let shelf = |room: i64, code: &str| {
        Shelf::build()
            .set(Shelf::ROOM, room)
            .set(Shelf::CODE, code)
            .set(Shelf::LABEL, format!("{room}{code}").to_lowercase())
    };
    repo.insert_all([shelf(1, "a"), shelf(1, "B"), shelf(2, "A")]).await?;
    let book = |id: i64, room: i64, code: &str| {
        let key = Book::build().set(Book::ROOM, Some(room)).set(Book::SHELF_CODE, Some(code.to_owned()));
        key.set(Book::ID, id).set(Book::TITLE, format!("book {id}"))
    };
    repo.insert_all([book(1, 1, "A"), book(2, 2, "a"), book(3, 1, "b"), book(4, 1, "a"), book(5, 2, "B")]).await?;
    let shelves = cx.step("shelves preload books", repo.all(Query::preload(Shelf::BOOKS).order_by(Shelf::LABEL.asc())));
    let shelves = shelves.await?;
    cx.show("shelves", shelves);
    let books = cx.step("books preload shelf", repo.all(Query::preload(Book::SHELF).order_by(Book::ID.asc()))).await?;
    cx.show("books", books);
    Ok(())
}

async fn in_hand_ignoring_case(cx: &mut Context) -> Result<()> {
    let text = text_ignoring_case(cx)?;
    filled(cx, text, CODES, CITIES).await?;
    let repo = cx.repo();
    let mut cities = repo.all(Query::preload(City::COUNTRY).order_by(City::ID.asc())).await?;
    cities[0].country = BelongsTo::default();
    cx.step("one of six missing", repo.preload(&mut cities, City::COUNTRY.with(Country::CITIES))).await?;
    let fresh = Query::preload(City::COUNTRY.with(Country::CITIES)).order_by(City::ID.asc());
    cx.require(cities == repo.all(fresh).await?, "the same as loading everything at once")
}

async fn accents_and_trailing_spaces(cx: &mut Context) -> Result<()> {
    let text =
        cx.native_sql("text column that ignores accents and trailing blanks", |sql| sql.text_ignoring_accents)?;
    filled(
        cx,
        text,
        &["Straße", "A", "x  "],
        &[("a", "strase"), ("b", "STRASE "), ("c", "ä"), ("d", "a   "), ("e", "X"), ("f", "strasse")],
    )
    .await?;
    both_ways(cx).await
}
