//! Conditions on associations that choose among their rows look at those that loading gives.

use std::fmt::Debug;

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{ReadAssociation, Repo};
use conformance_harness::{Context, Level, cases};
use conformance_models::clinic::{self, Appointment, Doctor, Document, Paragraph, Patient, Physician, Section};
use conformance_models::keys::{self, Book, Hall, Seat, Shelf};
use conformance_models::options::{self, Customer, LastNote, NoteTaker, Order};

cases! { "chosen_rows", Level::Kind;
    has_one,
    a_limit_of_each_owner,
    an_offset,
    default_scope_with_a_limit,
    composite_keys,
    through_others,
    on_the_way,
    refused,
    filters_of_a_repo,
}

/// Owners by a condition, which are those for whom the reader's rows satisfy it.
async fn agrees<O, T, H>(
    cx: &mut Context,
    repo: &Repo,
    title: &str,
    token: Association<O, T, H>,
    filter: Filter<T>,
    holds: impl Fn(&T) -> bool,
) -> Result<()>
where
    O: Model + PartialEq + Debug,
    T: Model,
    Association<O, T, H>: ReadAssociation<O, T, Read: IntoIterator<Item = T>>,
{
    let found = cx.step(title, repo.all(Query::filter(token.any(filter.clone())))).await?;
    let none = cx.step("and the others", repo.all(Query::filter(token.none(filter)))).await?;
    let mut count = 0;
    for owner in repo.all(Query::<O>::new()).await? {
        let read = repo.get_association(&owner, token, Query::new()).await?;
        let any = read.into_iter().any(|row| holds(&row));
        count += usize::from(any);
        cx.require(found.contains(&owner) == any && none.contains(&owner) != any, &format!("{title}: {owner:?}"))?;
    }
    cx.note("found", count);
    Ok(())
}

async fn has_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let small = |order: &Order| order.total < 50;
    agrees(cx, &repo, "the largest order is small", Customer::LARGEST_ORDER, Order::TOTAL.lt(50), small).await?;
    let confirmed = Order::CONFIRMED.eq(true);
    agrees(cx, &repo, "equal ones: the last", Customer::LARGEST_ORDER, confirmed, |order| order.confirmed).await?;
    let count = cx.step("there is one", repo.count(Query::filter(Customer::LARGEST_ORDER.associated()))).await?;
    cx.note("count", count);
    let count = cx.step("there is none", repo.count(Query::filter(Customer::LARGEST_ORDER.missing()))).await?;
    cx.note("count", count);
    Ok(())
}

async fn a_limit_of_each_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let small = |order: &Order| order.total < 35;
    agrees(cx, &repo, "one of the two largest is small", Customer::LARGEST_ORDERS, Order::TOTAL.lt(35), small).await?;
    let any = cx.step("there are any", repo.count(Query::filter(Customer::LARGEST_ORDERS.associated()))).await?;
    cx.note("count", any);
    Ok(())
}

async fn an_offset(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let large = |order: &Order| order.total > 100;
    agrees(cx, &repo, "the second or third is large", Customer::SECOND_AND_THIRD, Order::TOTAL.gt(100), large).await?;
    repo.insert(Order::build().set(Order::CUSTOMER_ID, 3).set(Order::TOTAL, 1).set(Order::CONFIRMED, true)).await?;
    let second = Query::filter(Customer::SECOND_AND_THIRD.associated()).order_by(Customer::ID.asc());
    let names = cx.step("whoever has a second order", repo.pluck(Customer::NAME, second)).await?;
    cx.note("names", names.join(", "));
    Ok(())
}

async fn default_scope_with_a_limit(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let hidden = |note: &LastNote| note.hidden;
    agrees(cx, &repo, "the last note is hidden", NoteTaker::LAST_NOTES, LastNote::HIDDEN.eq(true), hidden).await
}

async fn composite_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    let shelf = |room: i64, code| Shelf::build().set(Shelf::ROOM, room).set(Shelf::CODE, code).set(Shelf::LABEL, "");
    repo.insert_all([shelf(1, "a"), shelf(1, "b"), shelf(2, "a")]).await?;
    let book = |room: Option<i64>, code: &str, title| {
        Book::build().set(Book::ROOM, room).set(Book::SHELF_CODE, Some(code.to_owned())).set(Book::TITLE, title)
    };
    repo.insert_all([book(Some(1), "a", "x"), book(Some(1), "a", "y"), book(Some(2), "a", "y"), book(None, "b", "y")])
        .await?;
    agrees(cx, &repo, "of the owner", Shelf::FIRST_BOOK, Book::TITLE.eq("y"), |book| book.title == "y").await?;
    repo.insert_all([1, 2].map(|id| Hall::build().set(Hall::ID, id))).await?;
    let seat = |hall: i32, number: u16, name| {
        Seat::build().set(Seat::HALL_ID, hall).set(Seat::NUMBER, number).set(Seat::NAME, name)
    };
    repo.insert_all([seat(1, 1, "A"), seat(1, 2, "C"), seat(1, 3, "B"), seat(2, 1, "B"), seat(2, 2, "A")]).await?;
    agrees(cx, &repo, "of the target", Hall::LAST_SEAT, Seat::NUMBER.eq(2_u16), |seat| seat.number == 2).await?;
    agrees(cx, &repo, "and several", Hall::FIRST_SEATS, Seat::NUMBER.eq(2_u16), |seat| seat.number == 2).await
}

async fn through_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let named = |name: &'static str| (Patient::NAME.eq(name), move |patient: &Patient| patient.name == name);
    for patient in repo.all(Query::<Patient>::order_by(Patient::ID.asc())).await? {
        let name: &'static str = patient.name.leak();
        let (filter, holds) = named(name);
        agrees(cx, &repo, name, Physician::FIRST_PATIENTS, filter.clone(), holds).await?;
        agrees(cx, &repo, "among two", Doctor::TWO_PATIENTS, filter.clone(), holds).await?;
        agrees(cx, &repo, "among the last two", Doctor::LAST_PATIENTS, filter, holds).await?;
    }
    for room in repo.pluck(Appointment::ROOM, Query::order_by(Appointment::ID.asc())).await? {
        let is = move |appointment: &Appointment| appointment.room == room;
        let title = format!("an appointment in room {room} among the first of the last patients");
        agrees(cx, &repo, &title, Doctor::THEIR_LOW_APPOINTMENTS, Appointment::ROOM.eq(room), is).await?;
    }
    Ok(())
}

async fn on_the_way(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    for id in repo.pluck(Paragraph::ID, Query::order_by(Paragraph::ID.asc())).await? {
        let is = move |paragraph: &Paragraph| paragraph.id == id;
        let title = format!("paragraph {id} is the first of a section");
        agrees(cx, &repo, &title, Document::FIRST_PARAGRAPHS, Paragraph::ID.eq(id), is).await?;
        let title = format!("paragraph {id} is the section's first");
        agrees(cx, &repo, &title, Section::FIRST_PARAGRAPH, Paragraph::ID.eq(id), is).await?;
    }
    Ok(())
}

async fn refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let vip = Query::filter(Customer::VIP_ORDERS.any(Order::TOTAL.gt(1)));
    cx.fails("a scope that depends on the owner", repo.all(vip)).await?;
    Ok(())
}

// A row that the filter hides does not count towards the limit.
async fn filters_of_a_repo(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let some = repo.filtered(|model| match model.name {
        "Order" => Some(Order::TOTAL.ne(40).into_expr()),
        _ => None,
    });
    let small = |order: &Order| order.total < 35;
    agrees(cx, &some, "the largest order is small", Customer::LARGEST_ORDER, Order::TOTAL.lt(35), small).await?;
    agrees(cx, &some, "one of the largest is small", Customer::LARGEST_ORDERS, Order::TOTAL.lt(35), small).await
}
