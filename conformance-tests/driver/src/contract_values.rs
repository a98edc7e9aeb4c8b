//! Values at the bounds of their types: each is stored as it is, or refused with the class of a refused value. None is
//! stored as another one.

use assoc_core::{DriverErrorKind, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::kinds::{Bounded, Extreme};
use rust_decimal::Decimal;

cases! { "contract_values", Level::Driver;
    unsigned_integers,
    reals_at_their_bounds,
    reals_that_are_no_numbers,
    dates_and_times,
    zones,
    decimals_at_their_bounds,
    nul_in_text,
    lengths_around_16_mib,
    documents,
    uuids,
    sums_beyond_a_column,
}

// The row as it is stored; `None` if the value was refused.
async fn kept(cx: &Context, draft: Changeset<Extreme>) -> Result<Option<Extreme>> {
    let repo = cx.repo();
    let inserted = match repo.insert(draft).await {
        Ok(inserted) => inserted,
        Err(error) => {
            let kind = error.driver().map(|driver| driver.kind());
            if !matches!(kind, Some(DriverErrorKind::Value | DriverErrorKind::TooLarge)) {
                return Err(error);
            }
            // What was refused has left nothing, and has broken nothing.
            repo.count(Query::<Extreme>::new()).await?;
            return Ok(None);
        }
    };
    let read = repo.get_or_fail::<Extreme>(inserted.id, Query::new()).await?;
    cx.require(inserted == read, "what insert returns is what is read")?;
    Ok(Some(read))
}

async fn unsigned_integers(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Extreme>().await?;
    let end = i64::MAX.unsigned_abs();
    for whole in [0, 1, u64::from(u32::MAX), u64::from(u32::MAX) + 1, (1 << 53) + 1, end - 1, end] {
        let read = kept(cx, Extreme::build().set(Extreme::WHOLE, whole)).await?;
        cx.require(read.is_some_and(|read| read.whole == Some(whole)), "up to 2^63 - 1 all databases have them")?;
        let found = cx.repo().count(Query::filter(Extreme::WHOLE.eq(whole))).await?;
        cx.require(found == 1, "found by itself")?;
    }
    for whole in [end + 1, end + 2, u64::MAX - 1, u64::MAX] {
        let read = kept(cx, Extreme::build().set(Extreme::WHOLE, whole)).await?;
        cx.require(read.is_none_or(|read| read.whole == Some(whole)), "above it as well, or they are refused")?;
    }
    let negative = cx.repo().count(Query::filter(Extreme::WHOLE.lt(0u64))).await?;
    cx.require(negative == 0, "none is stored as a negative number")
}

async fn reals_at_their_bounds(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Extreme>().await?;
    for real in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, -f64::MIN_POSITIVE, 5e-324, -5e-324, 0.0, -0.0, 1e22, 1e23] {
        let read = kept(cx, Extreme::build().set(Extreme::REAL, real)).await?;
        cx.require(read.is_some_and(|read| read.real == Some(real)), "of double precision")?;
    }
    for single in [f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::EPSILON, 0.1, 16_777_216.0, -16_777_215.0, 0.0] {
        let read = kept(cx, Extreme::build().set(Extreme::SINGLE, single)).await?;
        cx.require(read.is_some_and(|read| read.single == Some(single)), "of single precision")?;
    }
    Ok(())
}

async fn reals_that_are_no_numbers(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Extreme>().await?;
    for real in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        // NaN equals nothing, so rows are not compared.
        match repo.insert(Extreme::build().set(Extreme::REAL, real)).await {
            Ok(inserted) => {
                let read = repo.get_or_fail::<Extreme>(inserted.id, Query::new()).await?.real;
                let same = read.is_some_and(|read| read == real || read.is_nan() && real.is_nan());
                cx.require(same, "it is stored as it is")?;
            }
            Err(error) => {
                let kind = error.driver().map(|driver| driver.kind());
                cx.require(kind == Some(DriverErrorKind::Value), "or refused as a value")?;
            }
        }
    }
    let without = repo.count(Query::filter(Extreme::REAL.is_null())).await?;
    cx.require(without == 0, "it is not stored as NULL")
}

async fn dates_and_times(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Extreme>().await?;
    let days = [
        (-4713, 11, 24, false),
        (-1, 12, 31, false),
        (0, 1, 1, false),
        (1, 1, 1, false),
        (999, 12, 31, false),
        (1000, 1, 1, true),
        // Around the change of calendars, for what reckons with the old one.
        (1582, 10, 4, true),
        (1582, 10, 10, true),
        (1582, 10, 15, true),
        (1899, 12, 31, true),
        (1900, 3, 1, true),
        (1969, 12, 31, true),
        (1970, 1, 1, true),
        (2000, 2, 29, true),
        (2024, 2, 29, true),
        (2038, 1, 19, true),
        (2038, 1, 20, true),
        (2106, 2, 8, true),
        (9999, 12, 31, true),
        (10_000, 1, 1, false),
        (262_142, 12, 31, false),
    ];
    let times = [(0, 0, 0, 0), (0, 0, 0, 1), (3, 14, 8, 0), (12, 0, 0, 500_000), (23, 59, 59, 999_999)];
    for (year, month, day, everywhere) in days {
        let day = chrono::NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| Error::other("no such day"))?;
        for (hour, minute, second, micros) in times {
            let clock = chrono::NaiveTime::from_hms_micro_opt(hour, minute, second, micros);
            let clock = clock.ok_or_else(|| Error::other("no such time"))?;
            let local = day.and_time(clock);
            let draft = Extreme::build().set(Extreme::DAY, day).set(Extreme::CLOCK, clock).set(Extreme::LOCAL, local);
            let read = kept(cx, draft.set(Extreme::INSTANT, local.and_utc())).await?;
            let same = |read: &Extreme| {
                (read.day, read.clock, read.local) == (Some(day), Some(clock), Some(local))
                    && read.instant == Some(local.and_utc())
            };
            cx.require(read.as_ref().map_or(!everywhere, same), "to the microsecond")?;
        }
    }
    // Those that are stored compare as days and times.
    let repo = cx.repo();
    let rows = repo.all(Query::<Extreme>::order_by(Extreme::DAY.asc())).await?;
    cx.require(rows.is_sorted_by_key(|row| row.day), "days sort by time")?;
    let rows = repo.all(Query::<Extreme>::order_by(Extreme::INSTANT.asc())).await?;
    cx.require(rows.is_sorted_by_key(|row| row.instant), "instants sort by time")?;
    let today = chrono::NaiveDate::from_ymd_opt(2024, 2, 29).ok_or_else(|| Error::other("no such day"))?;
    let later = rows.iter().filter(|row| row.day > Some(today)).count() as u64;
    cx.require(repo.count(Query::filter(Extreme::DAY.gt(today))).await? == later, "days compare by time")
}

// An instant is stored as UTC, whatever the zone of the value, of the session and of the machine.
async fn zones(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Extreme>().await?;
    for stamp in [0, -1, 1_711_846_800, 1_729_990_800, 1_704_067_199, 4_102_444_800] {
        let instant = chrono::DateTime::from_timestamp(stamp, 0).ok_or_else(|| Error::other("no such instant"))?;
        for minutes in [-12 * 60, -210, 0, 60, 345, 14 * 60] {
            let zone = time::UtcOffset::from_whole_seconds(minutes * 60).map_err(Error::other)?;
            let zoned = time::OffsetDateTime::from_unix_timestamp(stamp).map_err(Error::other)?.to_offset(zone);
            let jiff = jiff::Timestamp::from_second(stamp).map_err(Error::other)?;
            let draft = Extreme::build().set(Extreme::INSTANT, instant).set(Extreme::ZONED, zoned);
            let draft = draft.set(Extreme::LOCAL, instant.naive_utc()).set(Extreme::STAMP, jiff);
            let read = kept(cx, draft).await?.ok_or_else(|| Error::other("an instant is refused"))?;
            let same = read.zoned == Some(zoned) && read.instant == Some(instant) && read.stamp == Some(jiff);
            cx.require(same, "the same instant")?;
            let found = Query::filter(Extreme::ID.eq(read.id).and(Extreme::ZONED.eq(zoned)));
            cx.require(repo.count(found).await? == 1, "found by the instant in its zone")?;
        }
    }
    Ok(())
}

async fn decimals_at_their_bounds(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Extreme>().await?;
    let amounts = [
        Decimal::MAX,
        Decimal::MIN,
        Decimal::new(1, 28),
        Decimal::new(-1, 28),
        Decimal::ZERO,
        Decimal::new(1, 0),
        Decimal::new(10, 1),
        Decimal::new(i64::MAX, 18),
        Decimal::new(9_007_199_254_740_993, 0),
        Decimal::new(9_007_199_254_740_993, 2),
    ];
    for amount in amounts {
        let read = kept(cx, Extreme::build().set(Extreme::AMOUNT, amount)).await?;
        cx.require(read.is_none_or(|read| read.amount == Some(amount)), "digit by digit")?;
    }
    Ok(())
}

async fn nul_in_text(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Extreme>().await?;
    for text in ["\0", "a\0b", "a\0", "\0a", "äöü€𝄞\0'\"\\%_\n"] {
        let read = kept(cx, Extreme::build().set(Extreme::TEXT, text)).await?;
        cx.require(read.is_none_or(|read| read.text.as_deref() == Some(text)), "the whole text, or it is refused")?;
    }
    Ok(())
}

async fn lengths_around_16_mib(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Extreme>().await?;
    const MIB: usize = 1 << 20;
    for length in [16 * MIB - 1, 16 * MIB, 16 * MIB + 1] {
        let text = "x".repeat(length);
        let read = kept(cx, Extreme::build().set(Extreme::TEXT, text.clone())).await?;
        cx.require(read.is_none_or(|read| read.text.is_some_and(|read| read == text)), "the whole text")?;
        let bytes = text.into_bytes();
        let read = kept(cx, Extreme::build().set(Extreme::BYTES, bytes.clone())).await?;
        cx.require(read.is_none_or(|read| read.bytes.is_some_and(|read| read == bytes)), "all bytes")?;
    }
    // A driver that lost its connection with such a value has another one.
    let small = kept(cx, Extreme::build().set(Extreme::TEXT, "small")).await?;
    cx.require(small.is_some(), "and goes on after it")
}

async fn documents(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Extreme>().await?;
    // Some databases refuse more than 32 levels.
    let deep = (0..30).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
    for document in [
        serde_json::json!(null),
        serde_json::json!(true),
        serde_json::json!(""),
        serde_json::json!("null"),
        serde_json::json!({}),
        serde_json::json!([]),
        serde_json::json!({ "": "", " ": [null, false, {}], "ä€𝄞": "\"\\\n\t\u{1}" }),
        serde_json::json!([i64::MIN, i64::MAX, 0.1, -1.5e-7, 9_007_199_254_740_993_i64]),
        deep,
    ] {
        let read = kept(cx, Extreme::build().set(Extreme::DOCUMENT, document.clone())).await?;
        let read = read.ok_or_else(|| Error::other("a document is refused"))?;
        cx.require(read.document == Some(document), "the same document")?;
    }
    Ok(())
}

async fn uuids(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Extreme>().await?;
    for uuid in [0, 1, u128::MAX, u128::MAX - 1, 1 << 127, 0x2020_2020_2020_2020_2020_2020_2020_2020, 0x0100 << 112] {
        let uuid = uuid::Uuid::from_u128(uuid);
        let read = kept(cx, Extreme::build().set(Extreme::UUID, uuid)).await?;
        cx.require(read.is_some_and(|read| read.uuid == Some(uuid)), "byte by byte")?;
        cx.require(cx.repo().count(Query::filter(Extreme::UUID.eq(uuid))).await? == 1, "found by itself")?;
    }
    Ok(())
}

// A sum that the column does not hold is an error of the database, and nothing is written.
async fn sums_beyond_a_column(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Bounded>().await?;
    repo.insert(
        Bounded::build()
            .set(Bounded::TINY, i8::MAX)
            .set(Bounded::SMALL, i16::MIN)
            .set(Bounded::MEDIUM, i32::MAX)
            .set(Bounded::BIG, i64::MAX)
            .set(Bounded::BYTE, 0u8)
            .set(Bounded::LONG, u32::MAX),
    )
    .await?;
    for (what, sum) in [
        ("8 bits", Bounded::TINY.add(1i8)),
        ("16 bits", Bounded::SMALL.subtract(1i16)),
        ("32 bits", Bounded::MEDIUM.add(1)),
        ("64 bits", Bounded::BIG.add(1)),
        ("below 0", Bounded::BYTE.subtract(1)),
        ("32 bits without sign", Bounded::LONG.add(1)),
    ] {
        let kind = repo.update_all(Query::new(), [sum]).await.err();
        let kind = kind.as_ref().and_then(Error::driver).map(|driver| driver.kind());
        cx.require(kind == Some(DriverErrorKind::Value), what)?;
    }
    repo.update_all(Query::new(), [Bounded::TINY.subtract(1i8), Bounded::BIG.subtract(1), Bounded::BYTE.add(255)])
        .await?;
    cx.rows("the sums that fit", "SELECT tiny, small, medium, big, byte, long_one FROM bounded").await?;
    sums_of_reals(cx).await
}

// A sum is a number of the column: none that is beyond them, and none that no value of the field's type equals.
async fn sums_of_reals(cx: &Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Extreme>().await?;
    let largest = Extreme::build().set(Extreme::REAL, f64::MAX).set(Extreme::SINGLE, f32::MAX);
    let largest = repo.insert(largest).await?;
    for (what, sum) in [
        ("double precision", Extreme::REAL.add(f64::MAX)),
        ("double precision, below", Extreme::REAL.subtract(f64::MIN)),
        ("single precision", Extreme::SINGLE.add(f32::MAX)),
    ] {
        let kind = repo.update_all(Query::new(), [sum]).await.err();
        let kind = kind.as_ref().and_then(Error::driver).map(|driver| driver.kind());
        cx.require(kind == Some(DriverErrorKind::Value), what)?;
    }
    repo.update(largest.change().set(Extreme::REAL, 0.1).set(Extreme::SINGLE, 0.1)).await?;
    repo.update_all(Query::new(), [Extreme::REAL.add(0.2), Extreme::SINGLE.add(0.2)]).await?;
    let read = repo.get_or_fail::<Extreme>(largest.id, Query::new()).await?;
    cx.require(read.real == Some(0.1 + 0.2) && read.single == Some(0.1 + 0.2), "as Rust adds them")?;
    let same = Extreme::REAL.eq(read.real).and(Extreme::SINGLE.eq(read.single));
    cx.require(repo.count(Query::filter(same)).await? == 1, "found by the sums")?;
    repo.update_all(Query::new(), [Extreme::SINGLE.subtract(0.2)]).await?;
    let read = repo.get_or_fail::<Extreme>(largest.id, Query::new()).await?;
    cx.require(read.single == Some(0.1_f32 + 0.2 - 0.2), "and subtracts them")?;
    cx.require(repo.count(Query::filter(Extreme::SINGLE.eq(read.single))).await? == 1, "found by the difference")
}
