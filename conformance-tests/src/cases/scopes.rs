//! Scopes of associations and models: conditions, orders, limits per owner, includes, default scopes, discriminators.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::blog::{self, Columnist};
use crate::models::clinic::{self, Doctor, Patient};
use crate::models::options::{self, Buyer, Customer, LastNote, Note, NoteTaker, Order, Pointer, Purchase, SpecialNote};

cases! { "scopes", Level::Read;
    conditions,
    limit_per_owner,
    limit_by_request,
    has_one_in_an_order,
    include,
    includes_in_a_circle,
    default_scope,
    default_scope_with_limit_and_preload,
    default_scope_of_a_single_target,
    discriminator,
    readers_agree,
    by_owner,
    by_owner_and_request,
    by_owner_through_others,
    side_loads,
    counts,
    singular,
    includes_by_name,
    budget,
    filters_of_a_repo,
    reaching_into_other_tables,
    order_of_a_default_scope,
}

async fn conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let customers =
        cx.step("C30, F102: confirmed orders", repo.all_by_key(Query::preload(Customer::CONFIRMED_ORDERS))).await?;
    cx.require(
        customers.iter().all(|customer| !customer.confirmed_orders.is_partial()),
        "the whole of the association",
    )?;
    cx.show("customers", customers);
    Ok(())
}

async fn limit_per_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let customers = cx.step("D1: two largest each", repo.all_by_key(Query::preload(Customer::LARGEST_ORDERS))).await?;
    cx.show("customers", customers);
    let customers =
        cx.step("F108: second and third each", repo.all_by_key(Query::preload(Customer::SECOND_AND_THIRD))).await?;
    cx.show("customers", customers);
    let query = Query::preload(Customer::LARGEST_ORDERS.unlimited());
    let customers = cx.step("F167: unlimited", repo.all_by_key(query)).await?;
    cx.note(
        "orders",
        format!(
            "{:?}",
            customers.iter().map(|customer| customer.largest_orders.loaded().map(<[_]>::len)).collect::<Vec<_>>()
        ),
    );
    Ok(())
}

async fn limit_by_request(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let query = Query::preload(
        Customer::ORDERS.filter(Order::CONFIRMED.eq(true)).order_by(Order::TOTAL.desc()).limit(1).with(Order::CUSTOMER),
    );
    let customers = cx.step("the largest confirmed, with its customer", repo.all_by_key(query)).await?;
    cx.require(customers.iter().all(|customer| customer.orders.is_partial()), "partial")?;
    cx.show("customers", customers);
    let query = Query::preload(Customer::ORDERS.offset(2));
    let customers = cx.step("all but the first two", repo.all_by_key(query)).await?;
    cx.show("customers", customers);
    Ok(())
}

async fn has_one_in_an_order(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let customers = cx.step("D2: the largest order", repo.all_by_key(Query::preload(Customer::LARGEST_ORDER))).await?;
    cx.show("customers", customers);
    Ok(())
}

async fn include(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let customers = cx
        .step("F111: orders bring their customer", repo.all_by_key(Query::preload(Customer::ORDERS_WITH_CUSTOMER)))
        .await?;
    cx.show("customers", customers);
    Ok(())
}

// Below a requested association, the chain of includes contains each include once.
async fn includes_in_a_circle(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let in_order = || Query::<Buyer>::order_by(Buyer::ID.asc());
    let buyers = cx.step("buyers: purchases: buyer", repo.all(in_order())).await?;
    cx.show("buyers", &buyers);
    let buyers = cx.step("asked for: one more", repo.all(in_order().preload(Buyer::PURCHASES))).await?;
    cx.show("buyers", &buyers[1..2]);
    for buyer in &buyers {
        let read = repo.get_association(buyer, Buyer::PURCHASES, Query::new()).await?;
        cx.require(buyer.purchases()? == read, "the reader's")?;
    }
    let deeper = Buyer::PURCHASES.with(Purchase::BUYER.with(Buyer::PURCHASES));
    let buyers = cx.step("asked for: as deep as one likes", repo.all(in_order().preload(deeper))).await?;
    let depth = buyers[1].purchases()?[0].buyer()?.map(|buyer| buyer.purchases().map(<[_]>::len)).transpose()?;
    cx.note("purchases down there", format!("{depth:?}"));
    Ok(())
}

async fn default_scope(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let notes = cx.step("visible notes, last first", repo.all(Query::<Note>::new())).await?;
    cx.show("notes", notes);
    let notes = cx.step("unscoped", repo.all_by_key(Query::<Note>::unscoped())).await?;
    cx.note("notes", notes.len());
    let hidden = cx.step("get goes by it too", repo.get::<Note>(2, Query::new())).await?;
    cx.require(hidden.is_none(), "not visible")?;
    let count = cx.step("and count", repo.count(Query::<Note>::new())).await?;
    cx.note("count", count);
    let customers = cx
        .step("associations go by it", repo.all_by_key(Query::preload((Customer::NOTES, Customer::ALL_NOTES))))
        .await?;
    cx.show("customers", customers);
    Ok(())
}

async fn default_scope_with_limit_and_preload(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let notes = cx.step("the last note, with who took it", repo.all_by_key(Query::<LastNote>::new())).await?;
    cx.show("notes", notes);
    let takers = cx.step("the last note of each", repo.all_by_key(Query::preload(NoteTaker::LAST_NOTES))).await?;
    cx.show("takers", &takers);
    for taker in &takers {
        let read = repo.get_association(taker, NoteTaker::LAST_NOTES, Query::new()).await?;
        cx.require(taker.last_notes()? == read, "the reader's")?;
    }
    let counts = cx.step("counted", repo.count_for(&takers, NoteTaker::LAST_NOTES)).await?;
    cx.note("counts", format!("{counts:?}"));
    let all = cx.step("unscoped", repo.load_separately(&takers, NoteTaker::LAST_NOTES.unscoped())).await?;
    cx.note("notes", format!("{:?}", all.iter().map(Vec::len).collect::<Vec<_>>()));
    cx.require(all.iter().flatten().all(|note| !note.taker.is_loaded()), "nothing below them")
}

// A default scope's limit counts the rows of each owner, also where there is only one: the first is there, a second is not.
async fn default_scope_of_a_single_target(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let query = || Query::order_by(Pointer::ID.asc());
    let both = (Pointer::LAST.unscoped(), Pointer::LATER);
    let pointers = cx.step("none is the second of its key", repo.all(query().preload(both))).await?;
    cx.require(pointers.iter().all(|pointer| pointer.later.loaded() == Some(None)), "none")?;
    let pointers = cx.step("each is the first", repo.all(query().preload((Pointer::LAST, Pointer::LATER)))).await?;
    for pointer in &pointers {
        let last = repo.get_association(pointer, Pointer::LAST, Query::new()).await?;
        cx.require(pointer.last()?.is_some() && pointer.last()?.cloned() == last, "the reader's")?;
        let later = repo.get_association(pointer, Pointer::LATER, Query::new()).await?;
        cx.require(later.is_none(), "the reader's")?;
    }
    let any = repo.count(Query::filter(Pointer::LATER.associated()));
    let any = cx.step("and by a condition", any).await?;
    cx.note("with a later one", any);
    let unscoped = cx.step("unscoped", repo.load_separately(&pointers, Pointer::LATER.unscoped())).await?;
    cx.require(unscoped.iter().all(|notes| notes.len() == 1), "all are there")
}

async fn discriminator(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let special =
        cx.step("C29, C30: one model of the table", repo.all_by_key(Query::preload(SpecialNote::CUSTOMER))).await?;
    cx.show("special notes", special);
    let made = cx
        .step(
            "a new one is tagged",
            repo.insert(SpecialNote::build().set(SpecialNote::CUSTOMER_ID, 3).set(SpecialNote::HIDDEN, false)),
        )
        .await?;
    cx.require(made.kind.as_deref() == Some("special"), "by itself")?;
    let wrong = made.change().set(SpecialNote::KIND, "plain");
    cx.fails("and stays so", repo.update(wrong)).await?;
    // A row of the table that is another model's: its key in a struct of this one.
    let foreign = SpecialNote { id: 1, ..made.clone() };
    let error = cx.fails("rows of other models are not deleted", repo.delete(&foreign)).await?;
    cx.require(error.is_not_found(), "nothing of this model has that key")?;
    cx.fails("nor updated", repo.update(foreign.change().set(SpecialNote::HIDDEN, true))).await?;
    let customers =
        cx.step("customers preload special notes", repo.all_by_key(Query::preload(Customer::SPECIAL_NOTES))).await?;
    cx.show("customers", customers);
    Ok(())
}

async fn readers_agree(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let all = (
        Customer::CONFIRMED_ORDERS,
        Customer::LARGEST_ORDERS,
        Customer::SECOND_AND_THIRD,
        Customer::LARGEST_ORDER,
        Customer::NOTES,
        Customer::ALL_NOTES,
    );
    for customer in repo.all(Query::preload(all)).await? {
        let read = repo.get_association(&customer, Customer::CONFIRMED_ORDERS, Query::new()).await?;
        cx.require(customer.confirmed_orders()? == read, "confirmed")?;
        let read = repo.get_association(&customer, Customer::LARGEST_ORDERS, Query::new()).await?;
        cx.require(customer.largest_orders()? == read, "largest")?;
        let read = repo.get_association(&customer, Customer::SECOND_AND_THIRD, Query::new()).await?;
        cx.require(customer.second_and_third()? == read, "second and third")?;
        let read = repo.get_association(&customer, Customer::LARGEST_ORDER, Query::new()).await?;
        cx.require(customer.largest_order()? == read.as_ref(), "the largest")?;
        let read = repo.get_association(&customer, Customer::NOTES, Query::new()).await?;
        cx.require(customer.notes()? == read, "notes")?;
        let read = repo.get_association(&customer, Customer::ALL_NOTES, Query::new()).await?;
        cx.require(customer.all_notes()? == read, "all notes")?;
    }
    Ok(())
}

async fn by_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    for customer in repo.all_by_key(Query::<Customer>::new()).await? {
        let title = format!("F106: orders of {} above their own threshold", customer.name);
        let orders = cx.step(&title, repo.get_association(&customer, Customer::VIP_ORDERS, Query::new())).await?;
        cx.show("orders", orders);
    }
    let customers = cx
        .step("preloaded: one statement a distinct scope", repo.all_by_key(Query::preload(Customer::VIP_ORDERS)))
        .await?;
    for customer in &customers {
        let read = repo.get_association(customer, Customer::VIP_ORDERS, Query::new()).await?;
        cx.require(customer.vip_orders()? == read, "preload and reader agree")?;
    }
    let mut alike: Vec<Customer> =
        customers.iter().map(|customer| Customer { vip_from: 30, ..customer.clone() }).collect();
    cx.step("equal scopes share it", repo.reload(&mut alike, Customer::VIP_ORDERS)).await?;
    cx.show("customers", alike);
    Ok(())
}

// The requested scope is on top of the owner's scope.
async fn by_owner_and_request(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let customers = repo.all(Query::<Customer>::order_by(Customer::ID.asc())).await?;
    let asked = Customer::VIP_ORDERS.order_by(Order::TOTAL.asc()).limit(1);
    let loaded = cx.step("the smallest of each", repo.load_separately(&customers, asked)).await?;
    for (customer, orders) in customers.iter().zip(&loaded) {
        let query = Query::order_by(Order::TOTAL.asc()).limit(1);
        let read = repo.get_association(customer, Customer::VIP_ORDERS, query).await?;
        cx.require(*orders == read, "the reader's")?;
    }
    cx.show("orders", loaded);
    Ok(())
}

async fn by_owner_through_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let both = (Doctor::PATIENTS_ELSEWHERE, Doctor::PATIENTS_IN_TURN.with(Patient::APPOINTMENTS));
    let query = || Query::order_by(Doctor::ID.asc());
    let doctors = cx.step("one look-up of each distinct scope", repo.all(query().preload(both.clone()))).await?;
    for doctor in &doctors {
        let read = repo.get_association(doctor, Doctor::PATIENTS_ELSEWHERE, Query::new()).await?;
        cx.require(doctor.patients_elsewhere()?.iter().map(|row| &**row).eq(&read), "the reader's")?;
        let read =
            repo.get_association(doctor, Doctor::PATIENTS_IN_TURN, Query::preload(Patient::APPOINTMENTS)).await?;
        cx.require(doctor.patients_in_turn()?.iter().map(|row| &**row).eq(&read), "the reader's")?;
    }
    cx.show("doctors", &doctors);
    let mut held = repo.all(query().preload(Doctor::PATIENTS_IN_TURN)).await?;
    cx.step("in hand", repo.preload(&mut held, both)).await?;
    cx.require(held == doctors, "the same")?;
    let through = Query::preload(Doctor::APPOINTMENTS_IN_TURN);
    cx.fails("another cannot go through it", repo.all(through)).await?;
    let sorted = Query::preload(Doctor::PATIENTS_ELSEWHERE.order_by(Patient::NAME.asc()));
    cx.step("sorting what lies behind is fine", repo.all(sorted)).await?;
    Ok(())
}

async fn side_loads(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let customers = repo.all_by_key(Query::<Customer>::new()).await?;
    let confirmed = cx
        .step("confirmed orders", repo.load_separately(&customers, Customer::ORDERS.filter(Order::CONFIRMED.eq(true))))
        .await?;
    let latest = cx
        .step("the latest", repo.load_separately(&customers, Customer::ORDERS.order_by(Order::ID.desc()).limit(1)))
        .await?;
    for (customer, (confirmed, latest)) in customers.iter().zip(confirmed.iter().zip(&latest)) {
        let ids = |orders: &[Order]| orders.iter().map(|order| order.id.to_string()).collect::<Vec<_>>().join(" ");
        cx.note(&customer.name, format!("confirmed {} latest {}", ids(confirmed), ids(latest)));
    }
    cx.require(customers.iter().all(|customer| !customer.orders.is_loaded()), "the owners are as they were")
}

async fn counts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let mut customers = repo.all_by_key(Query::<Customer>::new()).await?;
    customers.reverse();
    customers.push(customers[0].clone());
    let all = cx.step("orders", repo.count_for(&customers, Customer::ORDERS)).await?;
    cx.note("counts", format!("{all:?}"));
    let confirmed = cx.step("confirmed", repo.count_for(&customers, Customer::CONFIRMED_ORDERS)).await?;
    cx.note("counts", format!("{confirmed:?}"));
    let largest = cx.step("of a limited association", repo.count_for(&customers, Customer::LARGEST_ORDERS)).await?;
    cx.note("counts", format!("{largest:?}"));
    let notes = cx.step("by the default scope", repo.count_for(&customers, Customer::NOTES)).await?;
    cx.note("counts", format!("{notes:?}"));
    let none = cx.step("of nobody", repo.count_for(&[] as &[Customer], Customer::ORDERS)).await?;
    cx.require(none.is_empty(), "no owners, no counts")
}

async fn singular(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let customers = repo.all_by_key(Query::<Customer>::new()).await?;
    let counts = cx.step("a has_one has one target", repo.count_for(&customers, Customer::LARGEST_ORDER)).await?;
    cx.note("counts", format!("{counts:?}"));
    let none = repo.get_association(&customers[0], Customer::LARGEST_ORDER, Query::limit(0));
    let none = cx.step("a limit of none, by the reader", none).await?;
    cx.require(none.is_none(), "none")?;
    let preloaded = repo.load_separately(&customers, Customer::LARGEST_ORDER.limit(0));
    let preloaded = cx.step("a limit of none, by a preload", preloaded).await?;
    cx.require(preloaded.iter().all(Vec::is_empty), "none")
}

async fn includes_by_name(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let allowed = assoc_repo::Include::<Customer>::allow(["orders.customer", "notes"])?;
    let customers = cx.step("orders and notes", repo.all(Query::preload(allowed.parse("orders, notes,")?))).await?;
    cx.require(customers.iter().all(|customer| customer.orders.is_loaded() && customer.notes.is_loaded()), "both")?;
    for list in ["orderz", "notes.customer", "special_notes"] {
        let refused = allowed.parse(list).map(|_| ());
        cx.fails(list, async { refused }).await?;
    }
    let refused = allowed.clone().at_most(1).parse("orders,notes").map(|_| ());
    cx.fails("too many", async { refused }).await?;
    let refused = allowed.clone().at_most_levels(1).parse("notes,orders.customer").map(|_| ());
    cx.fails("too deep", async { refused }).await?;
    let unknown = Query::<Customer>::preload_path("orders.customr").map(|_| ());
    cx.fails("C40: an unknown name, before any SQL", async { unknown }).await?;
    Ok(())
}

async fn budget(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let query = || Query::preload(Customer::ORDERS.with(Order::CUSTOMER));
    cx.step("two statements are allowed and enough", repo.max_statements(2).all(query())).await?;
    let error = cx.step("one is not", repo.all(query().max_statements(1))).await.err();
    let Some(error) = error else { return Err(Error::other("the budget was exceeded and nobody said so")) };
    let none = || Query::<Customer>::new().max_statements(0);
    cx.fails("get, none allowed", repo.get::<Customer>(1, none())).await?;
    cx.fails("count", repo.count(none())).await?;
    cx.fails("exists", repo.exists(none())).await?;
    cx.fails("pluck", repo.pluck(Customer::NAME, none())).await?;
    cx.fails("aggregate", repo.aggregate(Customer::VIP_FROM.max(), none())).await?;
    let one = cx.fails("one of a repo", repo.max_statements(0).count(Query::<Customer>::new())).await?;
    cx.require(one.to_string().contains("SELECT COUNT(*)"), "it shows the statement")?;
    let mut customers = repo.all(Query::<Customer>::new()).await?;
    let in_hand = cx.fails("in hand", repo.max_statements(0).preload(&mut customers, Customer::ORDERS)).await?;
    cx.require(in_hand.to_string().contains("Customer (existing rows)"), "it shows the plan")?;
    let by_parts = repo.get_association(&customers[0], Customer::ORDERS, Query::new().max_statements(0));
    cx.fails("a reader", by_parts).await?;
    cx.require(
        matches!(error.kind(), ErrorKind::TooManyStatements { limit: 1, plan } if plan.contains("orders")),
        "it shows the plan",
    )
}

async fn filters_of_a_repo(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    // Orders that are not confirmed are out of sight, and so is Bob.
    let some = repo.filtered(|model| match model.name {
        "Order" => Some(Order::CONFIRMED.eq(true).into_expr()),
        "Customer" => Some(Customer::NAME.ne("Bob").into_expr()),
        _ => None,
    });
    let customers =
        cx.step("root and preload", some.all_by_key(Query::preload(Customer::ORDERS.with(Order::CUSTOMER)))).await?;
    cx.show("customers", customers);
    let bob = cx.step("get", some.get::<Customer>(2, Query::new())).await?;
    cx.require(bob.is_none(), "out of sight")?;
    let orders = cx.step("belongs_to", some.all_by_key(Query::preload(Order::CUSTOMER))).await?;
    cx.show("orders", orders);
    let query = || Query::filter(Customer::ORDERS.any(Order::TOTAL.ge(120))).order_by(Customer::ID.asc());
    let names = cx.step("conditions on associations", some.pluck(Customer::NAME, query())).await?;
    cx.show("names", names);
    let count = cx.step("count", some.count(Query::<Order>::new())).await?;
    cx.note("count", count);
    let customers = some.all_by_key(Query::<Customer>::new()).await?;
    let counts = cx.step("counts by owner", some.count_for(&customers, Customer::ORDERS)).await?;
    cx.note("counts", format!("{counts:?}"));
    let mut customers = repo.all_by_key(Query::preload(Customer::ORDERS)).await?;
    cx.step("what is in hand stays", some.preload(&mut customers, Customer::ORDERS)).await?;
    let inside = some.transaction(async |tx| tx.count(Query::<Customer>::new()).await).await?;
    cx.note("inside a transaction", inside);
    cx.note("without", repo.count(Query::<Customer>::new()).await?);
    Ok(())
}

async fn reaching_into_other_tables(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let in_order = || Query::<Columnist>::order_by(Columnist::ID.asc());
    let columnists = repo.all(in_order().preload(Columnist::DISCUSSED_POSTS));
    let columnists = cx.step("posts with an approved comment, and all of theirs", columnists).await?;
    let joined = repo.all(in_order().eager_load(Columnist::DISCUSSED_POSTS)).await?;
    cx.require(joined == columnists, "the same by a join")?;
    for columnist in &columnists {
        let read = repo.get_association(columnist, Columnist::DISCUSSED_POSTS, Query::new()).await?;
        cx.require(columnist.discussed_posts()? == read, "preload and reader agree")?;
        let comments = read.iter().map(|post| post.comments().map(<[_]>::len)).collect::<Result<Vec<_>, _>>()?;
        cx.note(&columnist.name, format!("{comments:?}"));
    }
    Ok(())
}

// It is the order of a request without an order, and has no effect on a single target.
async fn order_of_a_default_scope(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let ids = |notes: &[Note]| notes.iter().map(|note| note.id.to_string()).collect::<Vec<_>>().join(" ");
    let notes = cx.step("its own", repo.all(Query::<Note>::new())).await?;
    cx.note("notes", ids(&notes));
    let notes = cx.step("another", repo.all(Query::order_by(Note::ID.asc()))).await?;
    cx.note("notes", ids(&notes));
    let customer = repo.get_or_fail::<Customer>(1, Query::new()).await?;
    let read = repo.get_association(&customer, Customer::NOTES, Query::order_by(Note::ID.asc()));
    let notes = cx.step("of a reader", read).await?;
    cx.note("notes", ids(&notes));
    let preload = repo.load_separately(std::slice::from_ref(&customer), Customer::NOTES.order_by(Note::ID.asc()));
    let notes = cx.step("of a preload", preload).await?;
    cx.note("notes", ids(&notes[0]));
    let query = Query::preload(Pointer::VISIBLE).order_by(Pointer::ID.asc());
    let pointers = cx.step("a single target", repo.all(query)).await?;
    for pointer in &pointers {
        let read = repo.get_association(pointer, Pointer::VISIBLE, Query::new()).await?;
        cx.require(pointer.visible()? == read.as_ref(), "preload and reader agree")?;
        cx.note(&pointer.id.to_string(), read.is_some());
    }
    let read = repo.get_association(&pointers[0], Pointer::VISIBLE, Query::new());
    cx.step("by the reader", read).await?;
    Ok(())
}
