//! Polymorphic associations to another key than the primary key of a model.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::parcels::{self, Citizen, Courier, Firm, Locker, Parcel, Recipient, Spot, Stranger};

cases! { "polymorphic_keys", Level::Kind;
    preload_and_reader,
    composite,
    the_other_side,
    through_one_type,
    joined,
    conditions,
    rows_in_memory,
    held_rows,
    both_sides_agree,
}

fn recipient(parcel: &Parcel) -> Result<String> {
    Ok(match parcel.to()? {
        Some(Recipient::Citizen(citizen)) => format!("{} ({})", citizen.name, citizen.id),
        Some(Recipient::Firm(firm)) => firm.name.clone(),
        None => "nobody".to_owned(),
    })
}

fn by_id() -> Select<Parcel> {
    Query::order_by(Parcel::ID.asc())
}

// Of several people with one passport, the first.
async fn preload_and_reader(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    parcels::fixture(&repo).await?;
    let parcels = cx.step("parcels preload to", repo.all(by_id().preload(Parcel::TO))).await?;
    for parcel in &parcels {
        cx.note(&parcel.id.to_string(), recipient(parcel)?);
        let read = repo.get_polymorphic(parcel, Parcel::TO).await?;
        cx.require(parcel.to()? == read.as_ref(), "preload and reader agree")?;
    }
    cx.step("one reader", repo.get_polymorphic(&parcels[1], Parcel::TO)).await?;
    Ok(())
}

async fn composite(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    parcels::fixture(&repo).await?;
    let parcels = cx.step("parcels preload spot", repo.all(by_id().preload(Parcel::SPOT))).await?;
    for parcel in &parcels {
        let spot = match parcel.spot()? {
            Some(Spot::Locker(locker)) => format!("locker {}", locker.id),
            Some(Spot::Rack(rack)) => format!("rack {} {}", rack.room, rack.code),
            None => "nowhere".to_owned(),
        };
        cx.note(&parcel.id.to_string(), spot);
        let read = repo.get_polymorphic(parcel, Parcel::SPOT).await?;
        cx.require(parcel.spot()? == read.as_ref(), "preload and reader agree")?;
    }
    let lockers = Query::preload(Locker::PARCELS).order_by(Locker::ID.asc());
    let lockers = cx.step("lockers preload parcels", repo.all(lockers)).await?;
    for locker in &lockers {
        let ids: Vec<i64> = locker.parcels()?.iter().map(|parcel| parcel.id).collect();
        cx.note(&format!("locker {}", locker.id), format!("{ids:?}"));
        let read = repo.get_association(locker, Locker::PARCELS, Query::new()).await?;
        cx.require(locker.parcels()? == read, "preload and reader agree")?;
    }
    Ok(())
}

async fn the_other_side(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    parcels::fixture(&repo).await?;
    let both = (Citizen::PARCELS, Citizen::LAST_PARCEL);
    let ordered = || Query::order_by(Citizen::ID.asc());
    let citizens = cx.step("citizens preload parcels", repo.all(ordered().preload(both))).await?;
    for citizen in &citizens {
        let ids: Vec<i64> = citizen.parcels()?.iter().map(|parcel| parcel.id).collect();
        let last = citizen.last_parcel()?.map(|parcel| parcel.id);
        cx.note(&citizen.name, format!("{ids:?}, last {last:?}"));
        let read = repo.get_association(citizen, Citizen::PARCELS, Query::new()).await?;
        cx.require(citizen.parcels()? == read, "preload and reader agree")?;
        let read = repo.get_association(citizen, Citizen::LAST_PARCEL, Query::new()).await?;
        cx.require(citizen.last_parcel()? == read.as_ref(), "preload and reader agree")?;
    }
    let joined = cx.step("by a join", repo.all(ordered().eager_load(both))).await?;
    cx.require(joined == citizens, "the same by a join")
}

async fn through_one_type(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    parcels::fixture(&repo).await?;
    let both = (Courier::CITIZENS, Courier::LOCKERS);
    let couriers = Query::preload(both).order_by(Courier::ID.asc());
    let couriers = cx.step("couriers preload citizens and lockers", repo.all(couriers)).await?;
    for courier in &couriers {
        let names: Vec<&str> = courier.citizens()?.iter().map(|citizen| citizen.name.as_str()).collect();
        let lockers: Vec<i64> = courier.lockers()?.iter().map(|locker| locker.id).collect();
        cx.note(&courier.id.to_string(), format!("{names:?}, lockers {lockers:?}"));
    }
    for (at, courier) in couriers.iter().enumerate() {
        let citizens = repo.get_association(courier, Courier::CITIZENS, Query::new());
        let citizens = if at == 0 { cx.step("reader", citizens).await? } else { citizens.await? };
        let loaded: Vec<&Citizen> = courier.citizens()?.iter().map(|citizen| &**citizen).collect();
        cx.require(loaded == citizens.iter().collect::<Vec<_>>(), "preload and reader agree")?;
    }
    Ok(())
}

async fn joined(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    parcels::fixture(&repo).await?;
    let both = (Courier::CITIZENS, Courier::LOCKERS);
    let eager = Query::eager_load(both).order_by(Courier::ID.asc());
    let eager = cx.step("couriers eager_load citizens and lockers", repo.all(eager)).await?;
    let preloaded = repo.all(Query::preload(both).order_by(Courier::ID.asc())).await?;
    cx.require(eager == preloaded, "as preload gives them")?;
    let locker = Courier::LOCKERS.joined(Locker::ID);
    let query = Query::join(Courier::LOCKERS).order_by((Courier::ID.asc(), locker.clone().asc()));
    let rows = cx.step("join of two columns", repo.pluck((Courier::ID, locker), query)).await?;
    cx.show("courier and locker", rows);
    Ok(())
}

async fn conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    parcels::fixture(&repo).await?;
    let citizens = repo.all(Query::order_by(Citizen::ID.asc())).await?;
    let acme = repo.get_or_fail::<Firm>("P1".to_owned(), Query::new()).await?;
    let lockers = repo.all(Query::order_by(Locker::ID.asc())).await?;
    for (title, filter) in [
        ("to somebody", Parcel::TO.associated()),
        ("to nobody", Parcel::TO.missing()),
        ("to Ann", Parcel::TO.is(&citizens[0])),
        ("to one of them", Parcel::TO.is_any_of(&citizens)),
        ("to a firm", Parcel::TO.is(&acme)),
        ("somewhere", Parcel::SPOT.associated()),
        ("in one of two lockers", Parcel::SPOT.is_any_of(&lockers[1..])),
    ] {
        let found = cx.step(title, repo.pluck(Parcel::ID, by_id().filter(filter))).await?;
        cx.note("parcels", format!("{found:?}"));
    }
    for (title, filter) in [
        ("who get something", Citizen::PARCELS.associated()),
        ("whose last one is", Citizen::LAST_PARCEL.any(Parcel::ID.eq(8))),
        ("who get nothing", Citizen::PARCELS.missing()),
    ] {
        let query = Query::filter(filter).order_by(Citizen::ID.asc());
        let found = cx.step(title, repo.pluck(Citizen::NAME, query)).await?;
        cx.note("citizens", found.join(" "));
    }
    for (title, filter) in [
        ("who visit Ann", Courier::CITIZENS.any(Citizen::NAME.eq("Ann"))),
        ("who visit Ben, whose passport leads to another", Courier::CITIZENS.any(Citizen::NAME.eq("Ben"))),
        ("who go to no locker of room 2", Courier::LOCKERS.none(Locker::ROOM.eq(2))),
    ] {
        let query = Query::filter(filter).order_by(Courier::ID.asc());
        let found = cx.step(title, repo.pluck(Courier::ID, query)).await?;
        cx.note("couriers", format!("{found:?}"));
    }
    Ok(())
}

// A row in memory is known by its primary key: of people one look-up more, of firms none.
async fn rows_in_memory(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    parcels::fixture(&repo).await?;
    let citizens = Query::preload(Citizen::PARCELS.with(Parcel::TO)).order_by(Citizen::ID.asc());
    let citizens = cx.step("citizens: parcels: to", repo.all(citizens)).await?;
    for citizen in &citizens {
        let to = citizen.parcels()?.iter().map(recipient).collect::<Result<Vec<_>>>()?;
        cx.note(&citizen.name, to.join(", "));
    }
    let firms = Query::preload(Firm::PARCELS.with(Parcel::TO)).order_by(Firm::NAME.asc());
    cx.step("firms: parcels: to", repo.all(firms)).await?;
    let mut parcels = repo.all(by_id()).await?;
    let firms = repo.all(Query::<Firm>::new()).await?;
    let citizens = repo.all(Query::<Citizen>::new()).await?;
    let request = repo.together().preload(&mut parcels, Parcel::TO).available(&citizens).available(&firms);
    cx.step("rows at hand", request.run()).await?;
    let loaded = repo.all(by_id().preload(Parcel::TO)).await?;
    cx.require(parcels == loaded, "the same as without them")
}

async fn held_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    parcels::fixture(&repo).await?;
    let mut parcels = repo.all(by_id().preload((Parcel::TO, Parcel::SPOT))).await?;
    cx.step("all there", repo.preload(&mut parcels, Parcel::TO)).await?;
    parcels[0].to_number = Some("P4".to_owned());
    cx.step("another passport", repo.preload(&mut parcels, Parcel::TO)).await?;
    cx.note("to", recipient(&parcels[0])?);
    parcels[0].code = Some("b".to_owned());
    cx.step("another locker", repo.preload(&mut parcels, Parcel::SPOT)).await?;
    let other = matches!(parcels[0].spot()?, Some(Spot::Locker(locker)) if locker.id == 2);
    cx.require(other, "is there")?;
    let changed =
        parcels[1].change().set(Parcel::TO_NUMBER, Some("F1".to_owned())).set(Parcel::TO_KIND, Some("firm".to_owned()));
    let changed = repo.update(changed).await?;
    cx.require(!changed.to.is_loaded() && changed.spot.is_loaded(), "what goes by a changed key is forgotten")
}

async fn both_sides_agree(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    cx.fails("by another key than the notes", repo.all(Query::preload(Stranger::NOTES))).await?;
    Ok(())
}
