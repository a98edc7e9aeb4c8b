//! Values, written and read.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::models::kinds::{Moment, Sample};

cases! { "values", Level::Driver; types_of_features, uuid_keys, every_kind, extremes, none, long_text_and_bytes, as_conditions }

fn sample() -> assoc_repo::Changeset<Sample> {
    Sample::build()
        .set(Sample::TINY, 1i8)
        .set(Sample::SMALL, 2i16)
        .set(Sample::MEDIUM, 3)
        .set(Sample::BIG, 4)
        .set(Sample::BYTE, 5u8)
        .set(Sample::WORD, 6u16)
        .set(Sample::LONG, 7u32)
        .set(Sample::REAL, 8.5)
        .set(Sample::SINGLE, 9.25f32)
        .set(Sample::FLAG, true)
        .set(Sample::TEXT, "ten")
        .set(Sample::BYTES, &[0u8, 11, 255][..])
        .set(Sample::RESERVED_WORD, 12)
}

async fn written_and_read(cx: &mut Context, title: &str, changeset: assoc_repo::Changeset<Sample>) -> Result<()> {
    let repo = cx.repo();
    let inserted = cx.step(title, repo.insert(changeset)).await?;
    let read = repo.get_or_fail::<Sample>(inserted.id, Query::new()).await?;
    cx.require(inserted == read, "what insert returns is what is read")?;
    cx.show("row", [read]);
    Ok(())
}

async fn every_kind(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Sample>().await?;
    let full = sample()
        .set(Sample::MAYBE_NUMBER, -1)
        .set(Sample::MAYBE_FLAG, false)
        .set(Sample::MAYBE_TEXT, "maybe")
        .set(Sample::MAYBE_BYTES, vec![1u8]);
    written_and_read(cx, "everything set", full).await
}

async fn extremes(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Sample>().await?;
    let low = sample()
        .set(Sample::TINY, i8::MIN)
        .set(Sample::SMALL, i16::MIN)
        .set(Sample::MEDIUM, i32::MIN)
        .set(Sample::BIG, i64::MIN);
    written_and_read(cx, "smallest", low.set(Sample::REAL, f64::MIN).set(Sample::TEXT, "")).await?;
    let high = sample()
        .set(Sample::TINY, i8::MAX)
        .set(Sample::SMALL, i16::MAX)
        .set(Sample::MEDIUM, i32::MAX)
        .set(Sample::BIG, i64::MAX);
    let high = high
        .set(Sample::BYTE, u8::MAX)
        .set(Sample::WORD, u16::MAX)
        .set(Sample::LONG, u32::MAX)
        .set(Sample::REAL, f64::MAX);
    written_and_read(cx, "largest", high.set(Sample::BYTES, Vec::new())).await
}

async fn none(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Sample>().await?;
    written_and_read(cx, "left out is NULL", sample()).await?;
    let cleared = sample().set(Sample::MAYBE_NUMBER, None).set(Sample::MAYBE_TEXT, None);
    written_and_read(cx, "None is NULL", cleared).await
}

async fn long_text_and_bytes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Sample>().await?;
    let text = "äöü€𝄞'\"\\%_\n".repeat(10_000);
    let bytes: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
    let inserted = repo.insert(sample().set(Sample::TEXT, text.clone()).set(Sample::BYTES, bytes.clone())).await?;
    let read = repo.get_or_fail::<Sample>(inserted.id, Query::new()).await?;
    cx.require(read.text == text && read.bytes == bytes, "nothing is cut or changed")
}

async fn as_conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Sample>().await?;
    repo.insert(sample()).await?;
    for (title, filter) in [
        ("boolean", Sample::FLAG.eq(true)),
        ("real", Sample::REAL.gt(8.25)),
        ("text", Sample::TEXT.eq("ten")),
        ("bytes", Sample::BYTES.eq(vec![0u8, 11, 255])),
        ("reserved word", Sample::RESERVED_WORD.eq(12)),
        ("unsigned", Sample::LONG.is_in([6u32, 7])),
    ] {
        let count = cx.step(title, repo.count(Query::filter(filter))).await?;
        cx.note("rows", count);
    }
    Ok(())
}

fn moment(id: u128, parent: Option<u128>) -> Result<assoc_repo::Changeset<Moment>> {
    let stamp = 1_700_000_000_123_456;
    let instant = chrono::DateTime::from_timestamp_micros(stamp).ok_or_else(|| Error::other("no such instant"))?;
    let seconds = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(stamp) * 1_000).map_err(Error::other)?;
    Ok(Moment::build()
        .set(Moment::ID, uuid::Uuid::from_u128(id))
        .set(Moment::DAY, instant.date_naive())
        .set(Moment::CLOCK, instant.time())
        .set(Moment::LOCAL, instant.naive_utc())
        .set(Moment::INSTANT, instant)
        .set(Moment::TIME_INSTANT, seconds)
        .set(Moment::JIFF_INSTANT, jiff::Timestamp::from_microsecond(stamp).map_err(Error::other)?)
        .set(Moment::AMOUNT, rust_decimal::Decimal::new(-123_456_789_012_345, 4))
        .set(Moment::DOCUMENT, serde_json::json!({ "list": [1, null, "ä\"'"], "deep": { "x": 1.5 } }))
        .set(Moment::PARENT_ID, parent.map(uuid::Uuid::from_u128)))
}

async fn types_of_features(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Moment>().await?;
    let inserted = cx.step("dates, UUIDs, decimals, JSON", repo.insert(moment(7, None)?)).await?;
    let read = repo.get_or_fail::<Moment>(uuid::Uuid::from_u128(7), Query::new()).await?;
    cx.require(inserted == read, "what insert returns is what is read")?;
    // Databases that store decimals by a scale answer with it: zeros at the end.
    cx.show("moment", [&Moment { amount: read.amount.normalize(), ..read.clone() }]);
    for (title, filter) in [
        ("by date", Moment::DAY.eq(read.day)),
        ("by time", Moment::CLOCK.ge(read.clock)),
        ("by instant", Moment::INSTANT.between(read.instant, read.instant)),
        ("by another library's", Moment::JIFF_INSTANT.le(read.jiff_instant)),
        ("by decimal", Moment::AMOUNT.eq(read.amount)),
    ] {
        let count = cx.step(title, repo.count(Query::filter(filter))).await?;
        cx.note("rows", count);
    }
    let later = read.day.succ_opt().ok_or_else(|| Error::other("no next day"))?;
    let changed = cx.step("update", repo.update(read.change().set(Moment::MAYBE_DAY, later))).await?;
    cx.require(repo.get::<Moment>(changed.id, Query::new()).await? == Some(changed), "written")
}

async fn uuid_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Moment>().await?;
    repo.insert_all([moment(1, None)?, moment(2, Some(1))?, moment(3, Some(1))?, moment(4, Some(9))?]).await?;
    let query = Query::order_by(Moment::ID.asc()).preload((Moment::PARENT, Moment::CHILDREN.with(Moment::PARENT)));
    let moments = cx.step("parents and children", repo.all(query)).await?;
    for moment in moments {
        let parent = moment.parent()?.map(|parent| parent.id.as_u128());
        let children: Vec<u128> = moment.children()?.iter().map(|child| child.id.as_u128()).collect();
        cx.note(&format!("moment {}", moment.id.as_u128()), format!("parent {parent:?} children {children:?}"));
    }
    Ok(())
}
