//! Members that a save lets go: by every rule of `dependent`, marked for destruction, cleared; restricted, stale and hidden
//! rows.

use assoc_core::metadata::Expr;
use assoc_core::{FieldError, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::dependents::{self, Deleting, Destroying, Excepting, Leaving, Nullifying, Restricting};
use conformance_written_models::removals::{self as models, Album, Back, Cover, Photo, Print, Reader};

cases! { "removals", Level::Write;
    d5_f66_by_every_rule,
    destroyed_in_a_save,
    restricted,
    a_unique_value_is_free,
    f46_has_one,
    d6_rows_between,
    cleared,
    f95_marked,
    marked_where_none_is_destroyed,
    stale,
    other_tenants,
    from_both_sides,
    a_failure_at_each_statement,
}

async fn contents(cx: &mut Context) -> Result<()> {
    for (label, sql) in [
        ("photos", "SELECT id, album_id, code FROM photos ORDER BY id"),
        ("remarks", "SELECT id, photo_id FROM photo_remarks ORDER BY id"),
        ("covers", "SELECT id, album_id FROM covers ORDER BY id"),
        ("stickers", "SELECT id, cover_id FROM stickers ORDER BY id"),
        ("backs", "SELECT id, album_id FROM backs ORDER BY id"),
        ("loans", "SELECT id, album_id, reader_id FROM loans ORDER BY id"),
        ("reminders", "SELECT id, loan_id FROM reminders ORDER BY id"),
    ] {
        cx.rows(label, sql).await?;
    }
    Ok(())
}

async fn album(repo: &Repo) -> Result<Album> {
    repo.get_or_fail(1, Query::preload((Album::PHOTOS.order_by(Photo::ID.asc()), Album::COVER, Album::READERS))).await
}

async fn photo(repo: &Repo, id: i64) -> Result<Photo> {
    repo.get_or_fail(id, Query::new()).await
}

fn new(code: &str) -> Changeset<Photo> {
    Photo::build().set(Photo::CODE, code).set(Photo::TENANT_ID, 1)
}

async fn d5_f66_by_every_rule(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    macro_rules! by_rules {
        ($($model:ident)+) => {$(
            dependents::members(&repo).await?;
            let change = repo.get_or_fail::<$model>(1, Query::new()).await?.change();
            let note = repo.get_or_fail(1, Query::new()).await?;
            let group = repo.get_or_fail(1, Query::new()).await?;
            let change = change.remove($model::NOTES, &note).clear($model::LETTER).remove($model::GROUPS, &group);
            cx.step(stringify!($model), repo.update(change)).await?;
            for (label, sql) in [
                ("notes", "SELECT id, member_id FROM notes ORDER BY id"),
                ("stamps", "SELECT id, note_id FROM stamps ORDER BY id"),
                ("letters", "SELECT id, member_id FROM letters ORDER BY id"),
                ("memberships", "SELECT id, member_id, group_id FROM memberships ORDER BY id"),
                ("fees", "SELECT id, membership_id FROM fees ORDER BY id"),
                ("circles", "SELECT id FROM circles ORDER BY id"),
            ] {
                cx.rows(label, sql).await?;
            }
            for table in [
                "members", "notes", "stamps", "letters", "memberships", "fees", "circles", "tasks", "vehicles", "tags",
                "members_tags", "friends",
            ] {
                repo.execute_raw(&format!("DROP TABLE {table}"), []).await?;
            }
        )+};
    }
    by_rules!(Destroying Deleting Nullifying Restricting Excepting Leaving);
    Ok(())
}

async fn destroyed_in_a_save(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let own = album(&repo).await?;
    let change = own.change().remove(Album::PHOTOS, &own.photos()?[0]).push(Album::PHOTOS, new("g"));
    cx.note("plan", repo.explain_save(&change)?);
    let saved = cx.step("one is let go, one is new", repo.update(change)).await?;
    cx.show("photos of the returned row", saved.photos()?.iter().map(|photo| &photo.code));
    let kept = saved.photos()?[0].clone();
    let saved = cx.step("all others", repo.update(saved.change().replace(Album::PHOTOS, [&kept]))).await?;
    cx.show("photos of the returned row", saved.photos()?.iter().map(|photo| &photo.code));
    let foreign = photo(&repo, 4).await?;
    let error = cx.fails("of another album", repo.update(saved.change().remove(Album::PHOTOS, &foreign))).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotMember { .. }), "by name")?;
    contents(cx).await
}

async fn restricted(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    repo.insert(Print::build().set(Print::PHOTO_ID, 2)).await?;
    let own = album(&repo).await?;
    let change = own.change().set(Album::TENANT_ID, 9).replace(Album::PHOTOS, [new("g")]);
    let error = cx.fails("a print keeps its photo", repo.update(change)).await?;
    cx.note("error", &error);
    cx.require(error.is_restricted(), "restricted")?;
    cx.require(Changeset::<Album>::refused_by(&error).is_some(), "handed back")?;
    cx.rows("albums", "SELECT id, tenant_id, version FROM albums ORDER BY id").await?;
    contents(cx).await
}

async fn a_unique_value_is_free(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let own = album(&repo).await?;
    let change = own.change().replace(Album::PHOTOS, ["a", "b"].map(new));
    cx.step("the same codes, in new rows", repo.update(change)).await?;
    let own = album(&repo).await?;
    let first = own.photos()?[0].clone();
    let change = own.change().edit(Album::PHOTOS, first.change().mark_for_destruction());
    let change = change.push(Album::PHOTOS, new(&first.code));
    cx.step("of a row that is marked", repo.update(change)).await?;
    cx.rows("codes", "SELECT code FROM photos ORDER BY code").await
}

async fn f46_has_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let own = album(&repo).await?;
    let saved =
        cx.step("destroyed for another", repo.update(own.change().set_one(Album::COVER, Cover::build()))).await?;
    cx.require(saved.cover()?.is_some_and(|cover| cover.id != 1), "the new one")?;
    let saved = cx
        .step(
            "the same once more",
            repo.update(saved.change().set_one(Album::COVER, saved.cover()?.unwrap_or_else(|| unreachable!()))),
        )
        .await?;
    let saved = cx.step("destroyed for none", repo.update(saved.change().clear(Album::COVER))).await?;
    cx.require(saved.cover()?.is_none(), "none")?;
    let saved = cx.step("deleted for another", repo.update(saved.change().set_one(Album::BACK, Back::build()))).await?;
    cx.step("deleted for none", repo.update(saved.change().clear(Album::BACK))).await?;
    contents(cx).await
}

async fn d6_rows_between(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let own = album(&repo).await?;
    let (one, two): (Reader, Reader) =
        (repo.get_or_fail(1, Query::new()).await?, repo.get_or_fail(2, Query::new()).await?);
    let own =
        cx.step("destroyed, with what depends on them", repo.update(own.change().remove(Album::READERS, &two))).await?;
    let kept = cx.step("leading nowhere", repo.update(own.change().remove(Album::KEPT_READERS, &one))).await?;
    contents(cx).await?;
    let own = repo.update(kept.change().push(Album::PLAIN_READERS, [&one, &two])).await?;
    cx.step("deleted", repo.update(own.change().replace(Album::PLAIN_READERS, [&one]))).await?;
    cx.rows("readers", "SELECT id FROM readers ORDER BY id").await?;
    cx.rows("links", "SELECT album_id, reader_id FROM loans ORDER BY album_id, reader_id, id").await
}

async fn cleared(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let own = album(&repo).await?;
    let saved = cx.step("rows without what depends on them", repo.update(own.change().clear(Album::PHOTOS))).await?;
    cx.require(saved.photos()?.is_empty(), "none")?;
    let saved = cx.step("and links", repo.update(saved.change().clear(Album::READERS))).await?;
    cx.step("of a new row", repo.insert(Album::build().set(Album::TENANT_ID, 1).clear(Album::PHOTOS))).await?;
    cx.step("of none", repo.update(saved.change().clear(Album::PHOTOS))).await?;
    contents(cx).await
}

async fn f95_marked(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let own = album(&repo).await?;
    let photos = own.photos()?;
    // What is wrong with it does not matter, and given twice it goes once.
    let marked = photos[0].change().add_error(FieldError::new("code", "is ugly")).mark_for_destruction();
    let change = own
        .change()
        .edit(Album::PHOTOS, marked.clone())
        .edit(Album::PHOTOS, marked)
        .remove(Album::PHOTOS, &photos[0])
        .edit(Album::PHOTOS, photos[1].change().set(Photo::CODE, "B"));
    cx.require(change.errors().is_empty(), "no problem")?;
    let saved = cx.step("beside one that is edited", repo.update(change)).await?;
    cx.show("photos of the returned row", saved.photos()?.iter().map(|photo| &photo.code));
    let foreign = photo(&repo, 4).await?.change().mark_for_destruction();
    let error = cx.fails("of another album", repo.update(saved.change().edit(Album::PHOTOS, foreign))).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotMember { .. }), "by name")?;
    let cover = saved.cover()?.ok_or_else(|| Error::other("no cover"))?.change().mark_for_destruction();
    let saved = cx.step("of a has_one", repo.update(saved.change().edit(Album::COVER, cover))).await?;
    cx.require(saved.cover()?.is_none(), "none")?;
    let reader = repo.get_or_fail::<Reader>(2, Query::new()).await?.change().mark_for_destruction();
    let change = saved.change().edit(Album::PLAIN_READERS, reader);
    cx.step("behind a row between, that row", repo.update(change)).await?;
    contents(cx).await?;
    cx.rows("readers", "SELECT id FROM readers ORDER BY id").await
}

async fn marked_where_none_is_destroyed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let own = album(&repo).await?;
    let marked = || own.photos().map(|photos| photos[0].change().mark_for_destruction());
    cx.fails("itself", repo.update(own.change().mark_for_destruction())).await?;
    cx.fails("pushed", repo.update(own.change().push(Album::PHOTOS, marked()?))).await?;
    cx.fails("among others", repo.update(own.change().replace(Album::PHOTOS, [marked()?]))).await?;
    cx.fails("new", repo.insert(new("n").mark_for_destruction())).await?;
    cx.fails("without autosave", repo.update(own.change().edit(Album::SEEN_PHOTOS, marked()?))).await?;
    contents(cx).await
}

async fn stale(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let own = album(&repo).await?;
    let other: Album = repo.get_or_fail(2, Query::new()).await?;
    repo.update(own.change().set(Album::TENANT_ID, 1).set(Album::TENANT_ID, 7)).await?;
    let error = cx.fails("destroyed with what depends on it", repo.destroy(&own)).await?;
    cx.require(error.is_stale(), "stale")?;
    let error = cx.fails("one of several", repo.destroy_rows([&other, &own])).await?;
    cx.require(error.is_stale(), "stale")?;
    let fresh = album(&repo).await?;
    repo.destroy(&other).await?;
    let error = cx.fails("gone", repo.destroy(&other)).await?;
    cx.require(error.is_not_found(), "not found")?;
    cx.step("as it is", repo.destroy(&fresh)).await?;
    let rows = repo.all(Query::<Album>::new()).await?;
    cx.step("of a query", repo.destroy_all(Query::filter(Album::ID.gt(0)))).await?;
    let error = cx.fails("after it", repo.destroy_rows(&rows)).await?;
    cx.require(error.is_not_found(), "not found")?;
    contents(cx).await
}

async fn other_tenants(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let one = repo.filtered(|model| Some(Expr::equals(model.column("tenant_id").ok()?.name, Value::from(1))));
    let theirs: Album = repo.get_or_fail(3, Query::new()).await?;
    let error = cx.fails("destroy of another's", one.destroy(&theirs)).await?;
    cx.require(error.is_not_found(), "not found")?;
    cx.fails("saving another's", one.update(theirs.change().replace(Album::PHOTOS, [new("g")]))).await?;
    let own: Album = one.get_or_fail(1, Query::new()).await?;
    let hidden = photo(&repo, 6).await?;
    let error = cx.fails("a hidden member", one.update(own.change().remove(Album::PHOTOS, &hidden))).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotMember { .. }), "not found")?;
    let marked = own.change().edit(Album::PHOTOS, hidden.change().mark_for_destruction());
    cx.fails("marked", one.update(marked)).await?;
    cx.step("all that it sees", one.update(own.change().replace(Album::PHOTOS, [new("g")]))).await?;
    cx.rows("photos", "SELECT id, tenant_id, album_id FROM photos WHERE code <> 'g' ORDER BY id").await?;
    cx.rows("remarks", "SELECT id, photo_id FROM photo_remarks ORDER BY id").await
}

async fn from_both_sides(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let albums = repo.all(Query::<Album>::new().order_by(Album::ID.asc())).await?;
    // A row that two of the destroyed lead to, and one that a callback-less save destroys with its owner's dependents.
    let report = cx.step("several with what depends on them", repo.destroy_rows(&albums)).await?;
    cx.note("report", report);
    contents(cx).await
}

async fn a_failure_at_each_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::fixture(&repo).await?;
    cx.keys_go_on(&models::TABLES).await?;
    let own = album(&repo).await?;
    let change = || -> Result<Changeset<Album>> {
        let photos = own.photos()?;
        Ok(own
            .change()
            .set(Album::TENANT_ID, 1)
            .replace(Album::PHOTOS, [photos[1].change().set(Photo::CODE, "x"), new("a")])
            .set_one(Album::COVER, Cover::build())
            .clear(Album::READERS))
    };
    let recorder = cx.recorder().clone();
    let mut failed = 0;
    loop {
        recorder.fail_after(failed);
        let result = repo.update(change()?).await;
        if !recorder.fail_no_more() {
            failed += 1;
            cx.require(result.is_err(), "it fails")?;
            let again = album(&repo).await?;
            cx.require(again == own, "nothing has changed")?;
            continue;
        }
        result?;
        break;
    }
    cx.require(failed > 8, "there were many statements")?;
    // Ids differ between databases once an insert was undone.
    cx.rows("photos", "SELECT album_id, code FROM photos ORDER BY code").await?;
    cx.rows("remarks", "SELECT id, photo_id FROM photo_remarks ORDER BY id").await?;
    cx.rows("covers", "SELECT album_id FROM covers ORDER BY album_id").await?;
    cx.rows("loans", "SELECT id, album_id, reader_id FROM loans ORDER BY id").await
}
