//! Text keys: the database decides what matches, not the bytes.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::keys::{self, City, Country};

cases! { "text_keys", Level::Kind;
    exact_matches,
    numeric_looking,
    quotes_and_unicode,
    empty_text_is_a_key,
    many_of_them,
}

async fn countries(cx: &Context, codes: &[&str], cities: &[(&str, Option<&str>)]) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    repo.insert_all(
        codes.iter().map(|code| Country::build().set(Country::CODE, *code).set(Country::NAME, format!("<{code}>"))),
    )
    .await?;
    repo.insert_all(
        cities
            .iter()
            .map(|(name, code)| City::build().set(City::NAME, *name).set(City::COUNTRY_CODE, code.map(str::to_owned))),
    )
    .await?;
    Ok(())
}

async fn both_ways(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let found = cx
        .step("countries preload cities", repo.all(Query::order_by(Country::CODE.asc()).preload(Country::CITIES)))
        .await?;
    cx.show("countries", found);
    let found = cx.step("cities preload country", repo.all_by_key(Query::preload(City::COUNTRY))).await?;
    cx.show("cities", found);
    Ok(())
}

async fn exact_matches(cx: &mut Context) -> Result<()> {
    countries(
        cx,
        &["de", "fr", "it"],
        &[("Berlin", Some("de")), ("Nowhere", None), ("Lyon", Some("fr")), ("Bonn", Some("de"))],
    )
    .await?;
    both_ways(cx).await
}

async fn numeric_looking(cx: &mut Context) -> Result<()> {
    countries(
        cx,
        &["1", "01", "1.0", "1e0"],
        &[("a", Some("1")), ("b", Some("01")), ("c", Some("1.0")), ("d", Some("001"))],
    )
    .await?;
    both_ways(cx).await
}

async fn quotes_and_unicode(cx: &mut Context) -> Result<()> {
    countries(
        cx,
        &["o'neil", "\"q\"", "ünï", "日本"],
        &[("a", Some("o'neil")), ("b", Some("\"q\"")), ("c", Some("日本"))],
    )
    .await?;
    both_ways(cx).await
}

async fn empty_text_is_a_key(cx: &mut Context) -> Result<()> {
    countries(cx, &["", "x"], &[("a", Some("")), ("b", None)]).await?;
    both_ways(cx).await
}

async fn many_of_them(cx: &mut Context) -> Result<()> {
    let codes: Vec<String> = (0..2_500).map(|n| format!("k{n}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let cities: Vec<(&str, Option<&str>)> =
        codes.iter().flat_map(|code| [("a", Some(*code)), ("b", Some(*code))]).collect();
    countries(cx, &codes, &cities).await?;
    let repo = cx.repo();
    let countries = repo.all(Query::preload(Country::CITIES)).await?;
    let right = countries.iter().all(|country| {
        country.cities().is_ok_and(|cities| {
            cities.len() == 2 && cities.iter().all(|city| city.country_code.as_ref() == Some(&country.code))
        })
    });
    cx.require(right, "each of 2,500 countries has its own two cities")
}
