//! Rows loaded for reading only refuse to be saved or deleted, and no other copy of them does (F112).

use std::sync::Arc;

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::archive::{self, Desk, Label, Paper, Stamp, Subject};

cases! { "read_only", Level::Write;
    refuses_to_be_saved_or_deleted,
    every_kind,
    only_by_this_association,
    rows_in_hand,
    readers,
    by_a_join,
    queries,
}

async fn refuses_to_be_saved_or_deleted(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    archive::fixture(&repo).await?;
    let desks = cx.step("both by one statement", repo.all_by_key(Query::preload((Desk::PAPERS, Desk::FILED)))).await?;
    let (free, filed) = (&desks[0].papers()?[0], &desks[0].filed()?[0]);
    cx.require(free == filed, "a mark makes no row another")?;
    let error = cx.fails("update", repo.update(filed.change().set(Paper::TITLE, "x"))).await?;
    let named = matches!(error.kind(), ErrorKind::ReadOnly { model: "Paper", key, association: Some(by) }
        if key == "1" && by == "Desk.filed");
    cx.require(named && error.is_read_only(), "it names model, key and association")?;
    cx.fails("nothing to update is refused as well", repo.update(filed.change())).await?;
    cx.fails("delete", repo.delete(filed)).await?;
    cx.fails("in a transaction", repo.transaction(async |tx| tx.delete(filed).await)).await?;
    // A copy keeps the mark; a program can clear it.
    let mut copy = filed.clone();
    cx.fails("a copy", repo.delete(&copy)).await?;
    copy.origin = RowOrigin::default();
    cx.step("without the mark", repo.update(copy.change().set(Paper::TITLE, "unmarked"))).await?;
    let saved = cx.step("loaded otherwise", repo.update(free.change().set(Paper::TITLE, "changed"))).await?;
    cx.step("and saved before", repo.delete(&saved)).await?;
    cx.rows("papers", "SELECT id, title FROM papers ORDER BY id").await
}

async fn every_kind(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    archive::fixture(&repo).await?;
    let tree = (Desk::LAST, Desk::LABELS, Desk::FIXED_LABELS);
    let desks = cx.step("has_one, through", repo.all_by_key(Query::preload(tree))).await?;
    cx.show("desks", desks);
    let tree = (Paper::DESK, Paper::FIXED_DESK, Paper::LABELS, Paper::FIXED_LABELS);
    let papers = cx.step("belongs_to, join table", repo.all_by_key(Query::preload(tree))).await?;
    cx.show("papers", papers);
    let stamps = cx.step("polymorphic", repo.all_by_key(Query::preload(Stamp::SUBJECT))).await?;
    for stamp in &stamps {
        let error = match stamp.subject()? {
            Some(Subject::Desk(desk)) => cx.fails("a desk", repo.delete(desk)).await?,
            Some(Subject::Paper(paper)) => cx.fails("a paper", repo.delete(paper)).await?,
            None => return cx.require(false, "a subject"),
        };
        cx.require(error.is_read_only(), "refused")?;
    }
    Ok(())
}

async fn only_by_this_association(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    archive::fixture(&repo).await?;
    // The desk is taken from memory both times: as the inverse, and by its key.
    let tree = (Desk::FILED.with((Paper::DESK, Paper::LABELS)), Desk::PAPERS.with((Paper::FIXED_DESK, Paper::LABELS)));
    let desks = cx.step("copies of one row", repo.all_by_key(Query::preload(tree))).await?;
    for desk in &desks {
        cx.require(!desk.origin.is_read_only(), "the root")?;
        for paper in desk.filed()? {
            cx.require(paper.origin.is_read_only() && !paper.desk()?.origin.is_read_only(), "below a marked row")?;
            let labels = paper.labels()?;
            cx.require(labels.iter().all(|label| !label.origin.is_read_only()), "shared below a marked row")?;
        }
        for paper in desk.papers()? {
            cx.require(!paper.origin.is_read_only() && paper.fixed_desk()?.origin.is_read_only(), "below a free row")?;
        }
    }
    let papers = repo.all_by_key(Query::preload((Paper::LABELS, Paper::FIXED_LABELS))).await?;
    let (free, fixed) = (papers[0].labels()?, papers[0].fixed_labels()?);
    cx.require(!Arc::ptr_eq(&free[0], &fixed[0]) && free == fixed, "shared rows are not shared between the two")
}

async fn rows_in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    archive::fixture(&repo).await?;
    let mut desks = repo.all_by_key(Query::preload(Desk::FILED)).await?;
    cx.step("below what is loaded", repo.preload(&mut desks, Desk::FILED.with(Paper::FIXED_DESK))).await?;
    cx.step("anew", repo.reload(&mut desks[0], Desk::FILED)).await?;
    cx.show("desks", &desks);
    // The owner is marked; its targets are not.
    let mut marked = repo.get_or_fail::<Desk>(1, Query::readonly()).await?;
    cx.step("of a marked owner", repo.preload(&mut marked, Desk::PAPERS.with(Paper::DESK))).await?;
    cx.show("desk", [&marked]);
    Ok(())
}

async fn readers(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    archive::fixture(&repo).await?;
    let desk = repo.get_or_fail::<Desk>(1, Query::new()).await?;
    let papers = repo.get_association(&desk, Desk::FILED, Query::new()).await?;
    cx.show("filed", papers);
    let last = repo.get_association(&desk, Desk::LAST, Query::new()).await?;
    cx.show("last", last);
    let labels = repo.get_association(&desk, Desk::FIXED_LABELS, Query::new()).await?;
    cx.show("fixed labels", labels);
    let labels = repo.get_association(&desk, Desk::LABELS, Query::new()).await?;
    cx.show("labels", labels);
    let labels = repo.get_association(&desk, Desk::LABELS, Query::readonly()).await?;
    cx.show("labels by a query", labels);
    let labels = repo.get_association(&desk, Desk::FIXED_LABELS, Query::distinct()).await?;
    cx.show("part by part", labels);
    let beside = repo.load_separately(std::slice::from_ref(&desk), Desk::FILED).await?;
    cx.show("beside", &beside[0]);
    let stamp = repo.get_or_fail::<Stamp>(2, Query::new()).await?;
    cx.show("subject", repo.get_polymorphic(&stamp, Stamp::SUBJECT).await?);
    Ok(())
}

async fn by_a_join(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    archive::fixture(&repo).await?;
    let query = Query::eager_load((Desk::PAPERS, Desk::FILED)).order_by(Desk::ID.asc());
    let desks = cx.step("one statement", repo.all(query)).await?;
    cx.show("desks", desks);
    Ok(())
}

async fn queries(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    archive::fixture(&repo).await?;
    let desk = repo.get_or_fail::<Desk>(1, Query::readonly()).await?;
    let error = cx.fails("get", repo.delete(&desk)).await?;
    cx.require(matches!(error.kind(), ErrorKind::ReadOnly { association: None, .. }), "no association")?;
    let desks = repo.all_by_key(Query::preload(Desk::PAPERS).readonly()).await?;
    cx.show("with an association, which is free", desks);
    let by_name = repo.get_by(Desk::NAME.eq("D2"), Query::readonly()).await?;
    cx.require(by_name.is_some_and(|desk| desk.origin.is_read_only()), "get_by")?;
    let mut pages = repo.in_batches(Query::<Paper>::readonly(), 2)?;
    while let Some(page) = pages.next().await? {
        cx.require(page.iter().all(|paper| paper.origin.is_read_only()), "every page")?;
    }
    let label = repo.one(Query::filter(Label::CODE.eq("old")).readonly()).await?;
    cx.show("by a text key", &label);
    if let Some(label) = label {
        cx.fails("its key is named", repo.delete(&label)).await?;
    }
    Ok(())
}
