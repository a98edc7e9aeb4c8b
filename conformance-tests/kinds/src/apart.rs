//! Models in two databases: every hop is a statement where its model is, and nothing joins across.

use assoc_core::Result;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_repo::prelude::*;
use conformance_harness::{Context, KeyOrder, Level, cases};
use conformance_models::clinic::{self, Appointment, Doctor, Patient, Physician};
use conformance_models::dependents::{self, Destroying, Fee, Note};
use conformance_models::forum::{self, Member, Message};
use conformance_models::join_rows::{self as rows, Entry, Playlist, Song};
use conformance_models::library::{self, Loan, Reader, Volume};
use conformance_models::pictures::{self, Article, Category, Employee, Picture, Product};

cases! { "apart", Level::Kind, two databases;
    preload_hop_by_hop,
    through_readers,
    roots_elsewhere,
    rows_in_hand,
    polymorphic,
    join_tables,
    join_rows,
    sql_of_ones_own,
    counts,
    explained,
    budget,
    filters,
    transactions,
    refused,
    only_what_is_needed,
    order_of_the_way,
    one_table_name_in_both,
    destroys,
}

// Appointments are in the other database, everything else is here.
async fn clinic(cx: &Context) -> Result<(Repo, Repo)> {
    let (home, other) = (cx.repo(), cx.other_repo()?);
    clinic::fixture(&home).await?;
    clinic::fixture(&other).await?;
    home.drop_table::<Appointment>().await?;
    other.drop_table::<Physician>().await?;
    other.drop_table::<Patient>().await?;
    Ok((home.with_database_for(&other, |model| model == Appointment::DEF), other))
}

fn ids(patients: &[Patient]) -> Vec<i64> {
    patients.iter().map(|patient| patient.id).collect()
}

async fn preload_hop_by_hop(cx: &mut Context) -> Result<()> {
    let (repo, _) = clinic(cx).await?;
    let tree = (Physician::APPOINTMENTS.with(Appointment::PATIENT), Physician::PATIENTS, Physician::KNOWN_PATIENTS);
    let physicians = cx.step("there and back, one statement a hop", repo.all_by_key(Query::preload(tree))).await?;
    cx.show("physicians", physicians);
    let tree = (Physician::FIRST_PATIENTS, Physician::COLLEAGUES);
    let physicians = cx.step("a limit in memory; nested", repo.all_by_key(Query::preload(tree))).await?;
    cx.show("physicians", physicians);
    let tree = Physician::PATIENTS.order_by(Patient::NAME.desc()).limit(1).offset(1);
    let physicians = cx.step("an order and a page in memory", repo.all_by_key(Query::preload(tree))).await?;
    cx.show("physicians", physicians);
    Ok(())
}

async fn through_readers(cx: &mut Context) -> Result<()> {
    let (repo, _) = clinic(cx).await?;
    let physician = repo.get_or_fail::<Physician>(1, Query::new()).await?;
    let read = repo.get_association(&physician, Physician::PATIENTS, Query::new());
    let patients = cx.step("two hops, two statements", read).await?;
    cx.note("patients", format!("{:?}", ids(&patients)));
    let read = repo.get_association(&physician, Physician::KNOWN_PATIENTS, Query::new());
    let patients = cx.step("distinct and in an order", read).await?;
    cx.note("patients", format!("{:?}", ids(&patients)));
    let query = Query::order_by(Patient::NAME.desc()).limit(2);
    let patients = cx.step("the first by name", repo.get_association(&physician, Physician::PATIENTS, query)).await?;
    cx.note("patients", format!("{:?}", ids(&patients)));
    let read = repo.get_association(&physician, Physician::APPOINTMENTS, Query::filter(Appointment::ROOM.gt(1)));
    let appointments = cx.step("one hop, over there", read).await?;
    cx.show("appointments", &appointments);
    let patient = repo.get_association(&appointments[0], Appointment::PATIENT, Query::new());
    let patient = cx.step("and back", patient).await?;
    cx.show("patient", patient);
    let all = repo.all(Query::preload(Physician::PATIENTS)).await?;
    for physician in &all {
        let read = repo.get_association(physician, Physician::PATIENTS, Query::new()).await?;
        cx.require(physician.patients()?.iter().map(|row| &**row).eq(&read), "preload and reader agree")?;
    }
    Ok(())
}

async fn roots_elsewhere(cx: &mut Context) -> Result<()> {
    let (repo, other) = clinic(cx).await?;
    let tree = (Appointment::PATIENT, Appointment::PHYSICIAN.with(Physician::APPOINTMENTS));
    let query = Query::preload(tree).filter(Appointment::ROOM.gt(1)).order_by(Appointment::ID.asc());
    let appointments = cx.step("a query", repo.all(query)).await?;
    cx.show("appointments", appointments);
    let appointment = cx.step("by key", repo.get::<Appointment>(3, Query::new())).await?;
    cx.show("appointment", appointment);
    cx.note("count", number_of_appointments(&repo).await?);
    cx.require(number_of_appointments(&repo).await? == number_of_appointments(&other).await?, "the same rows")?;
    cx.require(repo.exists(Query::filter(Appointment::ROOM.eq(3))).await?, "one in room 3")?;
    let rooms: Vec<i64> = repo.pluck(Appointment::ROOM, Query::order_by(Appointment::ID.asc())).await?;
    cx.note("rooms", format!("{rooms:?}"));
    cx.note("last room", format!("{:?}", repo.aggregate(Appointment::ROOM.max(), Query::new()).await?));
    let mut pages = repo.in_batches(Query::preload(Appointment::PATIENT), 3)?;
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await? {
        sizes.push(page.len());
    }
    cx.note("pages", format!("{sizes:?}"));
    let sql = "SELECT id, physician_id, patient_id, room FROM appointments WHERE room = ? ORDER BY id";
    let raw = repo.query_raw::<Appointment>(sql, [Value::Int(2)]).await?;
    cx.require(raw.len() == 2, "SQL of one's own runs there as well")
}

async fn number_of_appointments(repo: &Repo) -> Result<u64> {
    repo.count(Query::<Appointment>::new()).await
}

async fn rows_in_hand(cx: &mut Context) -> Result<()> {
    let (repo, _) = clinic(cx).await?;
    let mut physicians = repo.all_by_key(Query::<Physician>::new()).await?;
    cx.step("of rows in hand", repo.preload(&mut physicians, Physician::APPOINTMENTS)).await?;
    cx.step("what is missing", repo.preload(&mut physicians, Physician::PATIENTS)).await?;
    cx.step("anew", repo.reload(&mut physicians[0], Physician::APPOINTMENTS.with(Appointment::PHYSICIAN))).await?;
    cx.show("physicians", &physicians);
    let beside = cx.step("beside", repo.load_separately(&physicians, Physician::PATIENTS.limit(1))).await?;
    cx.note("patients", format!("{:?}", beside.iter().map(|own| ids(own)).collect::<Vec<_>>()));
    Ok(())
}

async fn polymorphic(cx: &mut Context) -> Result<()> {
    let (home, other) = (cx.repo(), cx.other_repo()?);
    pictures::fixture(&home).await?;
    pictures::fixture(&other).await?;
    home.drop_table::<Product>().await?;
    other.drop_table::<Employee>().await?;
    let repo = home.with_database_for(&other, |model| model == Product::DEF);
    let mut pictures = cx.step("each type where it is", repo.all_by_key(Query::preload(Picture::IMAGEABLE))).await?;
    // Without an order the database may read them by its index over type and key.
    pictures.sort_by_key(|picture: &Picture| picture.id);
    cx.show("pictures", pictures);
    let products =
        cx.step("the other side", repo.all_by_key(Query::preload((Product::PICTURES, Product::TAGS)))).await?;
    cx.show("products", products);
    Ok(())
}

async fn join_tables(cx: &mut Context) -> Result<()> {
    let (home, other) = (cx.repo(), cx.other_repo()?);
    pictures::fixture(&home).await?;
    pictures::fixture(&other).await?;
    home.drop_table::<Category>().await?;
    other.drop_table::<Article>().await?;
    home.execute_raw("DROP TABLE articles_categories", []).await?;
    // The links are where the categories are.
    let there = |model: &'static ModelDef| model == Category::DEF || model.table.name == "articles_categories";
    let repo = home.with_database_for(&other, there);
    let articles =
        cx.step("from here", repo.all_by_key(Query::preload((Article::CATEGORIES, Article::LAST_CATEGORY)))).await?;
    cx.show("articles", articles);
    let categories = cx.step("from there", repo.all_by_key(Query::preload(Category::ARTICLES))).await?;
    cx.show("categories", categories);
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let read = repo.get_association(&article, Article::CATEGORIES, Query::order_by(Category::NAME.asc()));
    let categories = cx.step("of one", read).await?;
    cx.show("categories", categories);
    Ok(())
}

async fn join_rows(cx: &mut Context) -> Result<()> {
    let (home, other) = (cx.repo(), cx.other_repo()?);
    rows::fixture(&home).await?;
    rows::fixture(&other).await?;
    // Only the links are in another database; both models are in the main one.
    home.drop_table::<Entry>().await?;
    other.drop_table::<Playlist>().await?;
    other.drop_table::<Song>().await?;
    let repo = home.with_database_for(&other, |model| model.table.name == Entry::DEF.table.name);
    let playlists = cx.step("links over there", repo.all_by_key(Query::preload(Playlist::IN_ORDER))).await?;
    cx.show("playlists", playlists);
    cx.fails("a condition", repo.all_by_key(Query::filter(Playlist::IN_ORDER.associated()))).await?;
    Ok(())
}

async fn sql_of_ones_own(cx: &mut Context) -> Result<()> {
    let (home, other) = (cx.repo(), cx.other_repo()?);
    forum::fixture(&home).await?;
    forum::fixture(&other).await?;
    home.drop_table::<Message>().await?;
    let repo = home.with_database_for(&other, |model| model == Message::DEF);
    let members = cx.step("found over there", repo.all_by_key(Query::preload(Member::POPULAR))).await?;
    cx.show("members", &members);
    let counts = cx.step("counted over there", repo.count_for(&members, Member::POPULAR)).await?;
    cx.note("counts", format!("{counts:?}"));
    let counts = repo.count_for(&members, Member::POPULAR.filter(Message::SCORE.gt(1)));
    let counts = cx.step("of what is found", counts).await?;
    cx.note("counts", format!("{counts:?}"));
    let read = repo.get_association(&members[0], Member::POPULAR, Query::new());
    let messages = cx.step("read over there", read).await?;
    cx.show("messages", messages);
    Ok(())
}

async fn counts(cx: &mut Context) -> Result<()> {
    let (repo, _) = clinic(cx).await?;
    let physicians = repo.all_by_key(Query::<Physician>::new()).await?;
    let direct = cx.step("grouped over there", repo.count_for(&physicians, Physician::APPOINTMENTS)).await?;
    cx.note("appointments", format!("{direct:?}"));
    let through = cx.step("loaded and counted", repo.count_for(&physicians, Physician::PATIENTS)).await?;
    cx.note("patients", format!("{through:?}"));
    let rooms = repo.aggregate_for(&physicians, Physician::APPOINTMENTS, Appointment::ROOM.sum());
    let rooms = cx.step("summed over there", rooms).await?;
    cx.note("rooms", format!("{rooms:?}"));
    let ids = repo.aggregate_for(&physicians, Physician::PATIENTS, Patient::ID.max());
    let ids = cx.step("loaded and compared", ids).await?;
    cx.note("last patients", format!("{ids:?}"));
    Ok(())
}

async fn explained(cx: &mut Context) -> Result<()> {
    let (repo, _) = clinic(cx).await?;
    let plan = repo.explain(&Query::preload(Physician::PATIENTS))?;
    cx.require(plan.lines().filter(|line| line.starts_with('[')).count() == 3, "three statements")?;
    let (_, statements) = repo.count_statements(repo.all(Query::preload(Physician::PATIENTS))).await;
    cx.note("counted", statements);
    Ok(())
}

async fn budget(cx: &mut Context) -> Result<()> {
    let (repo, _) = clinic(cx).await?;
    let careful = repo.max_statements(2);
    cx.fails("three are needed", careful.all(Query::preload(Physician::PATIENTS))).await?;
    let physicians = cx.step("two are enough", careful.all(Query::preload(Physician::APPOINTMENTS))).await?;
    cx.note("physicians", physicians.len());
    cx.fails("from there", careful.all(Query::preload(Appointment::PATIENT.with(Patient::APPOINTMENTS)))).await?;
    Ok(())
}

async fn filters(cx: &mut Context) -> Result<()> {
    let (home, other) = (cx.repo(), cx.other_repo()?);
    clinic(cx).await?;
    let in_room = |room: i64| {
        move |model: &'static ModelDef| {
            model.column("room").ok().map(|column| Expr::equals(column.name, Value::Int(room)))
        }
    };
    // What the other repo filters stays filtered, and what this one does holds there as well.
    let repo = home.with_database_for(&other.filtered(in_room(1)), |model| model == Appointment::DEF);
    let physicians = cx.step("the other's", repo.all_by_key(Query::preload(Physician::APPOINTMENTS))).await?;
    cx.show("physicians", physicians);
    let repo = home.filtered(in_room(2)).with_database_for(&other, |model| model == Appointment::DEF);
    let appointments = cx.step("one's own", repo.all_by_key(Query::<Appointment>::new())).await?;
    cx.show("appointments", appointments);
    let repo = home.with_database_for(&other, |model| model == Appointment::DEF).filtered(in_room(3));
    let appointments = cx.step("added later", repo.all_by_key(Query::<Appointment>::new())).await?;
    cx.show("appointments", appointments);
    Ok(())
}

async fn transactions(cx: &mut Context) -> Result<()> {
    let (repo, other) = clinic(cx).await?;
    let read = repo.transaction(async |tx| {
        tx.insert(Physician::build().set(Physician::NAME, "Ph4")).await?;
        let physicians = tx.all(Query::preload(Physician::APPOINTMENTS)).await?;
        let appointments = tx.all(Query::preload(Appointment::PHYSICIAN)).await?;
        Ok((physicians.len(), appointments.len()))
    });
    let read = cx.step("of this database", read).await?;
    cx.note("physicians and appointments", format!("{read:?}"));
    // A transaction of the other database is seen by a handle that names it.
    let (home, tx) = (cx.repo(), other.begin().await?);
    tx.insert(Appointment::build().set(Appointment::PHYSICIAN_ID, 3).set(Appointment::ROOM, 9)).await?;
    let seen = home.with_database_for(&tx, |model| model == Appointment::DEF);
    let physicians = cx.step("of the other", seen.all(Query::preload(Physician::APPOINTMENTS))).await?;
    cx.note(
        "appointments",
        physicians.iter().map(|one| one.appointments.loaded().map_or(0, <[_]>::len)).sum::<usize>(),
    );
    // The same transaction by two names is one connection.
    let same = tx.with_database_for(&tx, |model| model == Appointment::DEF);
    let appointments = cx.step("by two names", same.all(Query::<Appointment>::new())).await?;
    cx.note("appointments", appointments.len());
    tx.rollback().await
}

async fn refused(cx: &mut Context) -> Result<()> {
    let (repo, _) = clinic(cx).await?;
    let conditions = [
        ("a condition on the other database", Physician::APPOINTMENTS.any(Appointment::ROOM.eq(1))),
        ("through the other database", Physician::PATIENTS.missing()),
    ];
    for (title, filter) in conditions {
        let error = cx.fails(title, repo.all(Query::filter(filter))).await?;
        cx.require(matches!(error.kind(), ErrorKind::AcrossDatabases { .. }), "apart")?;
    }
    let back = Query::filter(Appointment::PATIENT.any(Patient::NAME.eq("Pt1")));
    cx.fails("from there", repo.count(back)).await?;
    let below = Query::preload(Physician::APPOINTMENTS.filter(Appointment::PATIENT.associated()));
    cx.fails("below a preload", repo.all(below)).await?;
    let nested = Physician::COLLEAGUES.associated();
    cx.fails("nested", repo.exists(Query::filter(nested))).await?;
    cx.fails("joined", repo.all(Query::join(Physician::APPOINTMENTS))).await?;
    cx.fails("loaded by a join", repo.all(Query::eager_load(Physician::PATIENTS))).await?;
    let physicians = repo.all(Query::<Physician>::new()).await?;
    let counted = repo.count_for(&physicians, Physician::APPOINTMENTS.filter(Appointment::PATIENT.missing()));
    cx.fails("counted", counted).await?;
    let appointment = repo.get_or_fail::<Appointment>(1, Query::new()).await?;
    let error = cx.fails("updated", repo.update(appointment.change().set(Appointment::ROOM, 5))).await?;
    cx.require(matches!(error.kind(), ErrorKind::InAnotherDatabase { model: "Appointment" }), "elsewhere")?;
    cx.fails("deleted", repo.delete(&appointment)).await?;
    let new = Appointment::build().set(Appointment::PHYSICIAN_ID, 1).set(Appointment::ROOM, 5);
    cx.fails("inserted", repo.insert(new)).await?;
    cx.fails("created", repo.create_table::<Appointment>()).await?;
    let chosen = repo.all(Query::includes(Physician::APPOINTMENTS));
    let physicians = cx.step("chosen, where nothing reaches into it", chosen).await?;
    cx.note("physicians", physicians.len());
    Ok(())
}

async fn only_what_is_needed(cx: &mut Context) -> Result<()> {
    let (repo, other) = clinic(cx).await?;
    // An empty level needs no statement, and the other database none at all.
    let none = Query::filter(Physician::ID.eq(99)).preload(Physician::APPOINTMENTS);
    let physicians = cx.step("no owner", repo.all(none)).await?;
    cx.note("physicians", physicians.len());
    // The last word counts: appointments are here again, where their table is gone.
    let back = repo.with_database_for(&cx.repo(), |model| model == Appointment::DEF);
    let error = cx.fails("here again", back.all(Query::<Appointment>::new())).await?;
    cx.require(error.driver().is_some(), "no such table")?;
    // A repo some of whose models are in another database already.
    let nested = other.with_database_for(&repo, |model| model != Appointment::DEF);
    let physicians = cx.step("by way of another", nested.all(Query::preload(Physician::PATIENTS))).await?;
    cx.note("physicians", physicians.len());
    Ok(())
}

async fn order_of_the_way(cx: &mut Context) -> Result<()> {
    let (home, other) = (cx.repo(), cx.other_repo()?);
    library::fixture(&home).await?;
    library::fixture(&other).await?;
    home.drop_table::<Loan>().await?;
    other.drop_table::<Volume>().await?;
    let repo = home.with_database_for(&other, |model| model == Loan::DEF);
    let isbns = |volumes: &[Volume]| volumes.iter().map(|volume| &volume.isbn[..]).collect::<Vec<_>>().join(" ");
    let query = Query::preload(Reader::LATEST_VOLUMES).order_by(Reader::CARD.asc());
    let readers = cx.step("one statement a hop", repo.all(query)).await?;
    for reader in &readers {
        let title = format!("read for {}", reader.name);
        let read = cx.step(&title, repo.get_association(reader, Reader::LATEST_VOLUMES, Query::new())).await?;
        cx.require(read.iter().eq(reader.latest_volumes()?.iter().map(|volume| &**volume)), "the reader's")?;
        cx.note("volumes", isbns(&read));
    }
    let first = repo.get_association(&readers[0], Reader::LATEST_VOLUMES, Query::limit(1));
    let first = cx.step("the first of them", first).await?;
    cx.note("volumes", isbns(&first));
    let query = Query::order_by(Volume::PAGES.asc()).limit(1);
    let thinnest = repo.get_association(&readers[0], Reader::LATEST_VOLUMES, query);
    let thinnest = cx.step("the first in another order", thinnest).await?;
    cx.note("volumes", isbns(&thinnest));
    let counts = cx.step("counted", repo.count_for(&readers, Reader::LATEST_VOLUMES)).await?;
    cx.note("counts", format!("{counts:?}"));
    Ok(())
}

// A table here and one of the same name there are different tables.
async fn one_table_name_in_both(cx: &mut Context) -> Result<()> {
    let (home, other) = (cx.repo(), cx.other_repo()?);
    clinic::fixture(&home).await?;
    clinic::fixture(&other).await?;
    other.execute_raw("UPDATE physicians SET name = 'elsewhere'", []).await?;
    let repo = home.with_database_for(&other, |model| model == Physician::DEF);
    let tree = Doctor::APPOINTMENTS.with(Appointment::PHYSICIAN);
    let query = Query::preload(tree).filter(Doctor::ID.le(2)).order_by(Doctor::ID.asc());
    let doctors = cx.step("doctors here, physicians there", repo.all(query)).await?;
    for doctor in &doctors {
        for appointment in doctor.appointments()? {
            cx.note(&appointment.id.to_string(), &appointment.physician()?.name);
        }
    }
    Ok(())
}

async fn destroys(cx: &mut Context) -> Result<()> {
    let (home, other) = (cx.repo(), cx.other_repo()?);
    dependents::members(&home).await?;
    dependents::members(&other).await?;
    let member = home.get_or_fail::<Destroying>(1, Query::new()).await?;
    let note = home.get_or_fail::<Note>(1, Query::new()).await?;
    // What depends on what depends on it is there.
    let repo = home.with_database_for(&other, |model| model == Fee::DEF);
    let error = cx.fails("before any SQL", repo.destroy(&member)).await?;
    cx.require(matches!(error.kind(), ErrorKind::InAnotherDatabase { model: "Fee" }), "it names the model")?;
    cx.fails("a preview as well", repo.preview_destroy(&member)).await?;
    cx.require(repo.explain_destroy::<Destroying>().is_err(), "and a plan")?;
    cx.step("of what depends nothing there", repo.destroy(&note)).await?;
    let there = home.with_database_for(&other, |model| model == Destroying::DEF);
    cx.fails("a row that is there", there.destroy(&member)).await?;
    Ok(())
}
