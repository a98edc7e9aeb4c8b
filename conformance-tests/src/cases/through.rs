//! Through associations of every kind.

use std::sync::Arc;

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::clinic::{self, Appointment, Document, Paragraph, Patient, Physician, Supplier};

cases! { "through", Level::Kind;
    c7_join_model,
    c8_join_rows_are_shared,
    c9_through_has_many,
    c15_has_one_through_has_one,
    source_is_a_has_one,
    has_one_through_belongs_to,
    targets_are_shared,
    nested,
    distinct_and_ordered,
    ordered_over_many_targets,
    limit_per_owner,
    filtered_is_partial,
    children_of_targets,
    reader,
    in_hand,
    shared_in_hand,
    conditions,
    has_one_and_a_limit_of_none,
}

async fn c7_join_model(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let physicians =
        cx.step("physicians preload patients", repo.all_by_key(Query::preload(Physician::PATIENTS))).await?;
    cx.show("physicians", physicians);
    let patients = cx.step("and the other way", repo.all_by_key(Query::preload(Patient::PHYSICIANS))).await?;
    cx.show("patients", patients);
    Ok(())
}

async fn c8_join_rows_are_shared(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let query = Query::preload((Physician::PATIENTS, Physician::APPOINTMENTS));
    let physicians = cx.step("patients and appointments", repo.all_by_key(query)).await?;
    cx.show("physicians", physicians);
    let query = Query::preload((Physician::PATIENTS, Physician::APPOINTMENTS.with(Appointment::PATIENT)));
    let physicians = cx.step("C12: everything shared", repo.all_by_key(query)).await?;
    cx.require(physicians[0].patients()?.len() == 3, "three appointments, three patients")
}

async fn c9_through_has_many(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let documents =
        cx.step("documents preload paragraphs", repo.all_by_key(Query::preload(Document::PARAGRAPHS))).await?;
    cx.show("documents", documents);
    Ok(())
}

async fn source_is_a_has_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let documents = cx
        .step("F6: the first paragraph of each section", repo.all_by_key(Query::preload(Document::FIRST_PARAGRAPHS)))
        .await?;
    for document in &documents {
        let read = repo.get_association(document, Document::FIRST_PARAGRAPHS, Query::new()).await?;
        cx.require(document.first_paragraphs()?.iter().map(|row| &**row).eq(&read), "preload and reader agree")?;
    }
    cx.show("documents", documents);
    Ok(())
}

async fn c15_has_one_through_has_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let suppliers = cx
        .step("suppliers preload account_history", repo.all_by_key(Query::preload(Supplier::ACCOUNT_HISTORY)))
        .await?;
    cx.show("suppliers", suppliers);
    Ok(())
}

async fn has_one_through_belongs_to(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let query = Query::preload(Paragraph::DOCUMENT).order_by(Paragraph::ID.asc());
    let paragraphs = cx.step("paragraphs preload document", repo.all(query)).await?;
    cx.show("paragraphs", paragraphs);
    Ok(())
}

async fn targets_are_shared(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let physicians = repo.all_by_key(Query::preload(Physician::PATIENTS)).await?;
    let (first, second) = (physicians[0].patients()?, physicians[1].patients()?);
    cx.require(Arc::ptr_eq(&first[1], &first[2]) && Arc::ptr_eq(&first[1], &second[0]), "one patient, one instance")
}

async fn nested(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let query = Query::preload(Physician::COLLEAGUES_APPOINTMENTS);
    let physicians = cx.step("through a through", repo.all_by_key(query)).await?;
    cx.show("physicians", physicians);
    let query = Query::preload(Physician::COLLEAGUES);
    let physicians = cx.step("three deep, distinct", repo.all_by_key(query)).await?;
    cx.show("physicians", physicians);
    Ok(())
}

async fn distinct_and_ordered(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let physicians =
        cx.step("F113: each once, by name", repo.all_by_key(Query::preload(Physician::KNOWN_PATIENTS))).await?;
    cx.show("physicians", physicians);
    let query = Query::preload(Physician::PATIENTS.order_by(Patient::NAME.asc()));
    let physicians = cx.step("ordered by the request", repo.all_by_key(query)).await?;
    cx.show("physicians", physicians);
    Ok(())
}

async fn ordered_over_many_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    // More targets than some databases look up at once; their order has to hold across all of them.
    let patients = repo
        .insert_all((0..2_500).map(|n| Patient::build().set(Patient::NAME, format!("z{:04}", (n * 7_919) % 2_500))))
        .await?;
    repo.insert_all(patients.iter().map(|patient| {
        Appointment::build()
            .set(Appointment::PHYSICIAN_ID, patient.id % 2 + 2)
            .set(Appointment::PATIENT_ID, patient.id)
            .set(Appointment::ROOM, 1)
    }))
    .await?;
    let physicians = repo.all_by_key(Query::preload((Physician::KNOWN_PATIENTS, Physician::FIRST_PATIENTS))).await?;
    for physician in &physicians[1..] {
        let names: Vec<&str> = physician.known_patients()?.iter().map(|patient| patient.name.as_str()).collect();
        cx.require(names.len() >= 1_250 && names.is_sorted_by(|a, b| a > b), "each by name, last first")?;
    }
    let limited = repo.all_by_key(Query::preload(Physician::PATIENTS.order_by(Patient::NAME.asc()).limit(2))).await?;
    for physician in limited {
        cx.show("first by name", physician.patients()?.iter().map(|patient| patient.name.clone()));
    }
    Ok(())
}

async fn limit_per_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let physicians = cx.step("D1: one each", repo.all_by_key(Query::preload(Physician::FIRST_PATIENTS))).await?;
    cx.show("physicians", physicians);
    let query = Query::preload(Physician::FIRST_PATIENTS.unlimited());
    let physicians = cx.step("unlimited", repo.all_by_key(query)).await?;
    cx.require(physicians[0].first_patients()?.len() == 3, "all three")?;
    let query = Query::preload(Physician::PATIENTS.order_by(Patient::NAME.asc()).offset(1).limit(1));
    let physicians = cx.step("the second by name", repo.all_by_key(query)).await?;
    cx.show("physicians", physicians);
    Ok(())
}

async fn filtered_is_partial(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let query = Query::preload(Physician::PATIENTS.filter(Patient::NAME.eq("Pt1")));
    let physicians = cx.step("one patient only", repo.all_by_key(query)).await?;
    cx.require(physicians.iter().all(|physician| physician.patients.is_partial()), "partial")?;
    cx.show("physicians", physicians);
    Ok(())
}

async fn children_of_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let query = Query::preload(Physician::PATIENTS.with(Patient::APPOINTMENTS.with(Appointment::PHYSICIAN)));
    let physicians = cx.step("patients: appointments: physician", repo.all_by_key(query)).await?;
    cx.show("physicians", physicians);
    Ok(())
}

async fn reader(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    for physician in
        repo.all(Query::preload((Physician::PATIENTS, Physician::KNOWN_PATIENTS, Physician::COLLEAGUES))).await?
    {
        let read = repo.get_association(&physician, Physician::PATIENTS, Query::new()).await?;
        cx.require(physician.patients()?.iter().map(|row| &**row).eq(&read), "patients")?;
        let read = repo.get_association(&physician, Physician::KNOWN_PATIENTS, Query::new()).await?;
        cx.require(physician.known_patients()?.iter().map(|row| &**row).eq(&read), "known patients")?;
        let read = repo.get_association(&physician, Physician::COLLEAGUES, Query::new()).await?;
        cx.require(physician.colleagues()?.iter().map(|row| &**row).eq(&read), "colleagues")?;
    }
    let physician = repo.get_or_fail::<Physician>(1, Query::new()).await?;
    let query = Query::filter(Patient::NAME.ne("Pt2")).limit(1);
    let found = cx.step("with a query", repo.get_association(&physician, Physician::PATIENTS, query)).await?;
    cx.show("patients", found);
    Ok(())
}

async fn in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let mut physicians = repo.all_by_key(Query::preload(Physician::PATIENTS)).await?;
    cx.step("loaded already", repo.preload(&mut physicians, Physician::PATIENTS)).await?;
    let _ = physicians[0].patients.take();
    cx.step("one missing", repo.preload(&mut physicians, Physician::PATIENTS.with(Patient::APPOINTMENTS))).await?;
    let fresh = repo.all_by_key(Query::preload(Physician::PATIENTS.with(Patient::APPOINTMENTS))).await?;
    cx.require(physicians == fresh, "the same as loading everything at once")
}

// Loading below targets that several owners share gives all of them the one that has it.
async fn shared_in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let distinct = |physicians: &[Physician]| {
        let patients = physicians.iter().filter_map(|physician| physician.patients.loaded()).flatten();
        patients.map(Arc::as_ptr).collect::<std::collections::BTreeSet<_>>().len()
    };
    let mut physicians = repo.all_by_key(Query::preload(Physician::PATIENTS)).await?;
    let before = distinct(&physicians);
    cx.note("patients", before);
    let below = Physician::PATIENTS.with(Patient::APPOINTMENTS);
    cx.step("below patients", repo.preload(&mut physicians, below.clone())).await?;
    cx.require(distinct(&physicians) == before, "as many copies as before")?;
    cx.require(physicians == repo.all_by_key(Query::preload(below)).await?, "the same as loading everything at once")
}

async fn conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    for (title, filter) in [
        ("any patient Pt2", Physician::PATIENTS.any(Patient::NAME.eq("Pt2"))),
        ("no patient Pt2", Physician::PATIENTS.none(Patient::NAME.eq("Pt2"))),
        ("any patient", Physician::PATIENTS.associated()),
        ("no patient", Physician::PATIENTS.missing()),
        ("an appointment in room 3", Physician::APPOINTMENTS.any(Appointment::ROOM.eq(3))),
        ("a colleague Ph2", Physician::COLLEAGUES.any(Physician::NAME.eq("Ph2"))),
    ] {
        let found = cx.step(title, repo.all(Query::filter(filter).order_by(Physician::ID.asc()))).await?;
        cx.note("physicians", found.iter().map(|physician| physician.name.as_str()).collect::<Vec<_>>().join(" "));
    }
    Ok(())
}

async fn has_one_and_a_limit_of_none(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let suppliers = repo.all(Query::<Supplier>::new()).await?;
    let none = repo.load_separately(&suppliers, Supplier::ACCOUNT_HISTORY.limit(0));
    let none = cx.step("a limit of none", none).await?;
    cx.require(none.iter().all(Vec::is_empty), "none")
}
