//! Keys of several columns, of all kinds of types, and keys that are not the primary one.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, KeyOrder, Level, cases};
use conformance_models::atlas::{self, Sheet, Tile};

use conformance_models::keys::{
    self, Account, AccountId, Book, Booking, Client, Firm, Name, Object, Reading, Seat, Shelf, Ticket,
};

cases! { "composite_keys", Level::Kind;
    integer_and_text,
    two_integers,
    partly_null_refers_to_nothing,
    get_update_delete,
    bytes,
    newtype,
    not_the_primary_key,
    no_primary_key,
    many_of_them,
    ordered_beyond_one_statement,
}

async fn shelves(cx: &Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    let shelf = |room: i64, code: &str| {
        Shelf::build().set(Shelf::ROOM, room).set(Shelf::CODE, code).set(Shelf::LABEL, format!("{room}{code}"))
    };
    // Crossing values: (1,b) and (2,a) must not be taken for (1,a) or (2,b).
    repo.insert_all([shelf(1, "a"), shelf(1, "b"), shelf(2, "a"), shelf(3, "c")]).await?;
    let book = |room: Option<i64>, code: Option<&str>, title| {
        Book::build().set(Book::ROOM, room).set(Book::SHELF_CODE, code.map(str::to_owned)).set(Book::TITLE, title)
    };
    repo.insert_all([
        book(Some(1), Some("a"), "A"),
        book(Some(2), Some("a"), "B"),
        book(Some(1), Some("a"), "C"),
        book(Some(2), Some("b"), "nowhere"),
        book(Some(1), None, "half"),
        book(None, Some("b"), "other half"),
    ])
    .await?;
    Ok(())
}

async fn integer_and_text(cx: &mut Context) -> Result<()> {
    shelves(cx).await?;
    let repo = cx.repo();
    let found = cx
        .step(
            "shelves preload books",
            repo.all(Query::preload(Shelf::BOOKS.with(Book::SHELF)).order_by(Shelf::ROOM.asc())),
        )
        .await?;
    cx.show("shelves", found);
    let found = cx
        .step("shelves preload first book", repo.all(Query::preload(Shelf::FIRST_BOOK).order_by(Shelf::ROOM.asc())))
        .await?;
    cx.show("shelves", found);
    Ok(())
}

async fn partly_null_refers_to_nothing(cx: &mut Context) -> Result<()> {
    shelves(cx).await?;
    let repo = cx.repo();
    let books = cx.step("books preload shelf", repo.all(Query::preload(Book::SHELF).order_by(Book::ID.asc()))).await?;
    cx.show("books", &books);
    let nothing =
        cx.step("the reader asks nothing", repo.get_association(&books[4], Book::SHELF, Query::new())).await?;
    cx.require(nothing.is_none(), "half a key is no key")
}

async fn two_integers(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    let seat = |hall: i32, number: u16| {
        Seat::build().set(Seat::HALL_ID, hall).set(Seat::NUMBER, number).set(Seat::NAME, format!("{hall}-{number}"))
    };
    repo.insert_all([seat(1, 1), seat(1, 2), seat(2, 1)]).await?;
    let ticket =
        |hall: i32, number: Option<u16>| Ticket::build().set(Ticket::HALL_ID, hall).set(Ticket::SEAT_NUMBER, number);
    repo.insert_all([ticket(1, Some(1)), ticket(2, Some(1)), ticket(1, Some(1)), ticket(2, Some(2)), ticket(1, None)])
        .await?;
    let seats = cx
        .step(
            "seats preload tickets",
            repo.all(Query::preload(Seat::TICKETS.with(Ticket::SEAT)).order_by(Seat::HALL_ID.asc())),
        )
        .await?;
    cx.show("seats", seats);
    let tickets =
        cx.step("tickets preload seat", repo.all(Query::preload(Ticket::SEAT).order_by(Ticket::ID.asc()))).await?;
    cx.show("tickets", tickets);
    Ok(())
}

async fn get_update_delete(cx: &mut Context) -> Result<()> {
    shelves(cx).await?;
    let repo = cx.repo();
    let key = (1i64, String::from("b"));
    let shelf = cx.step("get by both columns", repo.get_or_fail::<Shelf>(key.clone(), Query::new())).await?;
    cx.step("update", repo.update(shelf.change().set(Shelf::LABEL, "moved"))).await?;
    cx.step("delete", repo.delete(&shelf)).await?;
    let error = cx.fails("gone", repo.get_or_fail::<Shelf>(key, Query::new())).await?;
    cx.require(error.is_not_found(), "not found")?;
    cx.rows("shelves", "SELECT room, code, label FROM shelves ORDER BY room, code").await
}

async fn bytes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    let object = |hash: &[u8], size: u64| Object::build().set(Object::HASH, hash).set(Object::SIZE, size);
    repo.insert_all([object(&[0, 1], 10), object(&[0xff], 20), object(b"a", 30)]).await?;
    let name = |hash: &[u8], name| Name::build().set(Name::OBJECT_HASH, hash).set(Name::NAME, name);
    repo.insert_all([name(&[0xff], "x"), name(&[0, 1], "y"), name(&[0xff], "z"), name(b"A", "not a")]).await?;
    let objects = cx
        .step(
            "objects preload names",
            repo.all(Query::preload(Object::NAMES.with(Name::OBJECT)).order_by(Object::SIZE.asc())),
        )
        .await?;
    cx.show("objects", objects);
    let names =
        cx.step("names preload object", repo.all(Query::preload(Name::OBJECT).order_by(Name::ID.asc()))).await?;
    cx.show("names", names);
    Ok(())
}

async fn newtype(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    let ada = cx.step("insert", repo.insert(Account::build().set(Account::OWNER, "Ada"))).await?;
    cx.require(ada.id == AccountId(1), "the database made the key")?;
    repo.insert(Booking::build().set(Booking::ACCOUNT_ID, ada.id).set(Booking::AMOUNT, -5)).await?;
    let found = cx
        .step("get", repo.get::<Account>(AccountId(1), Query::preload(Account::BOOKINGS.with(Booking::ACCOUNT))))
        .await?;
    cx.show("account", found);
    Ok(())
}

async fn not_the_primary_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    repo.insert_all(["Acme", "Bell", "Cyan"].map(|name| Firm::build().set(Firm::NAME, name))).await?;
    let client = |firm: Option<&str>, name| {
        Client::build().set(Client::FIRM_NAME, firm.map(str::to_owned)).set(Client::NAME, name)
    };
    repo.insert_all([
        client(Some("Bell"), "x"),
        client(Some("Acme"), "y"),
        client(None, "z"),
        client(Some("Bell"), "w"),
    ])
    .await?;
    let firms = cx.step("firms preload clients by name", repo.all_by_key(Query::preload(Firm::CLIENTS))).await?;
    cx.show("firms", firms);
    let clients = cx.step("clients preload firm by name", repo.all_by_key(Query::preload(Client::FIRM))).await?;
    cx.show("clients", clients);
    Ok(())
}

async fn no_primary_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    repo.execute_raw("INSERT INTO readings (sensor, level) VALUES (?, ?)", [Value::Int(1), Value::Real(0.5)]).await?;
    let readings = cx.step("reading works", repo.all(Query::<Reading>::new())).await?;
    cx.show("readings", readings);
    cx.fails("get needs a key", repo.get::<Reading>((), Query::new())).await?;
    let batches = repo.in_batches(Query::<Reading>::new(), 10).map(|_| ());
    cx.fails("so do batches", async { batches }).await?;
    Ok(())
}

async fn many_of_them(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    let shelves = (0..3_000)
        .map(|n| Shelf::build().set(Shelf::ROOM, n / 7).set(Shelf::CODE, format!("c{}", n % 7)).set(Shelf::LABEL, "l"));
    repo.insert_all(shelves).await?;
    let books = (0..3_000).map(|n| {
        Book::build()
            .set(Book::ROOM, Some(n / 7))
            .set(Book::SHELF_CODE, Some(format!("c{}", n % 7)))
            .set(Book::TITLE, format!("{n}"))
    });
    repo.insert_all(books).await?;
    let shelves = repo.all(Query::preload(Shelf::BOOKS)).await?;
    let right = shelves.iter().all(|shelf| {
        shelf.books().is_ok_and(|books| {
            books.len() == 1 && books[0].room == Some(shelf.room) && books[0].shelf_code.as_ref() == Some(&shelf.code)
        })
    });
    cx.require(right, "each of 3,000 shelves has its own book")
}

// In the database's order, although no statement sees all of the rows.
async fn ordered_beyond_one_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    atlas::fixture(&repo).await?;
    let dialect = repo.dialect();
    if dialect.most_keys(4) >= 8_400 {
        return Err(cx.lacks("limit of the keys in a statement"));
    }
    let by_name = repo.all(Query::order_by(Tile::NAME.asc())).await?;
    let by_name_down = repo.all(Query::order_by(Tile::NAME.desc())).await?;
    let by_grade = repo.all(Query::order_by(Tile::GRADE.desc())).await?;
    let all = (Sheet::TILES, Sheet::TILES_BY_NAME, Sheet::TILES_BY_GRADE, Sheet::FEW_TILES);
    let sheets = repo.all(Query::preload(all).order_by(Sheet::ID.asc())).await?;
    let [first, second, third] = &sheets[..] else { return cx.require(false, "three sheets") };
    let once = |tiles: &[Tile]| tiles.iter().filter(|tile| [3, 70].contains(&tile.x)).cloned().collect::<Vec<_>>();
    let twice = |tiles: &[Tile]| once(tiles).into_iter().flat_map(|tile| [tile.clone(), tile]).collect::<Vec<_>>();
    let same = |found: &[std::sync::Arc<Tile>], expected: &[Tile]| found.iter().map(|tile| &**tile).eq(expected);
    cx.require(same(first.tiles()?, &by_name) && same(second.tiles()?, &twice(&by_name)), "tiles by a join table")?;
    let found = (first.tiles_by_name()?, second.tiles_by_name()?);
    cx.require(same(found.0, &by_name_down) && same(found.1, &twice(&by_name_down)), "tiles by name")?;
    let found = (first.tiles_by_grade()?, second.tiles_by_grade()?);
    cx.require(same(found.0, &by_grade) && same(found.1, &twice(&by_grade)), "tiles by an integer")?;
    let few = (first.few_tiles()?, second.few_tiles()?);
    cx.require(same(few.0, &by_name[2..7]) && same(few.1, &once(&by_name)[2..7]), "some of the distinct tiles")?;
    let none = third.tiles()?.is_empty() && third.few_tiles()?.is_empty();
    cx.require(none, "a sheet without tiles has none")?;
    // Of existing rows, and part by part with rows below.
    let mut held = repo.all(Query::<Sheet>::new().order_by(Sheet::ID.asc())).await?;
    repo.preload(&mut held, Sheet::TILES).await?;
    cx.require(held.iter().zip(&sheets).all(|(one, other)| one.tiles().ok() == other.tiles().ok()), "tiles in hand")
}
