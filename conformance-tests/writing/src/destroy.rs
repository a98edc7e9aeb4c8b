//! `destroy`: every rule of `dependent` on every kind of association, and what is left in the tables.

use assoc_core::metadata::Expr;
use assoc_core::{Error, RestrictRule, Result};
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};

use conformance_models::dependents::{
    self as rows, Choosing, Deleting, Desk, Destroying, Excepting, Gallery, Lamp, LastPicture, Leaving, Linked, Note,
    Nullifying, Picture, Restricting, Room, Shelf, Stamp,
};

cases! { "destroy", Level::Write;
    f146_destroy,
    f147_delete,
    f148_nullify,
    f140_restrict_with_exception,
    f141_restrict_with_error,
    left_to_the_database,
    f145_nothing_said,
    conditions_limit_what_depends,
    f149_links_on_both_sides,
    polymorphic,
    f119_belongs_to,
    composite_keys,
    rows_that_are_gone,
    several_rows,
    rows_of_a_query,
    filtered,
    in_a_transaction,
    explained,
    too_many_statements,
    members_let_go,
}

// What is left of members and of what depends on them.
async fn left(cx: &mut Context) -> Result<()> {
    for (label, sql) in [
        ("members", "SELECT id FROM members ORDER BY id"),
        ("notes", "SELECT id, member_id FROM notes ORDER BY id"),
        ("stamps", "SELECT id, note_id FROM stamps ORDER BY id"),
        ("letters", "SELECT id, member_id FROM letters ORDER BY id"),
        ("memberships", "SELECT id, member_id, group_id FROM memberships ORDER BY id"),
        ("fees", "SELECT id, membership_id FROM fees ORDER BY id"),
        ("circles", "SELECT id FROM circles ORDER BY id"),
    ] {
        cx.rows(label, sql).await?;
    }
    Ok(())
}

async fn first<M: Model<Key = i64>>(cx: &Context) -> Result<M> {
    cx.repo().get_or_fail(1, Query::unscoped()).await
}

// Destroys the first member by the rules of a model; a preview says the same before.
async fn destroy_first<M: Model<Key = i64>>(cx: &mut Context, title: &str) -> Result<()> {
    let repo = cx.repo();
    let row = first::<M>(cx).await?;
    let before = cx.step("preview", repo.preview_destroy(&row)).await?;
    let done = cx.step(title, repo.destroy(&row)).await?;
    cx.note("done", &done);
    cx.require(before == done, "the preview says what is done")
}

async fn f146_destroy(cx: &mut Context) -> Result<()> {
    rows::members(&cx.repo()).await?;
    destroy_first::<Destroying>(cx, "with what depends on them; of a through association the rows between").await?;
    left(cx).await
}

async fn f147_delete(cx: &mut Context) -> Result<()> {
    rows::members(&cx.repo()).await?;
    destroy_first::<Deleting>(cx, "one DELETE each, and nothing below").await?;
    left(cx).await
}

async fn f148_nullify(cx: &mut Context) -> Result<()> {
    rows::members(&cx.repo()).await?;
    destroy_first::<Nullifying>(cx, "one UPDATE each").await?;
    left(cx).await
}

async fn f140_restrict_with_exception(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    let row = first::<Excepting>(cx).await?;
    let error = cx.fails("F140", repo.destroy(&row)).await?;
    cx.require(matches!(rule_of(&error)?, RestrictRule::WithException), "by this rule")?;
    cx.note("preview", repo.preview_destroy(&row).await?);
    left(cx).await
}

async fn f141_restrict_with_error(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    let row = first::<Restricting>(cx).await?;
    let error = cx.fails("of has_many", repo.destroy(&row)).await?;
    cx.require(matches!(rule_of(&error)?, RestrictRule::WithError), "by this rule")?;
    repo.execute_raw("DELETE FROM notes WHERE member_id = 1", []).await?;
    cx.fails("of has_one", repo.destroy(&row)).await?;
    repo.execute_raw("DELETE FROM letters WHERE member_id = 1", []).await?;
    cx.fails("of rows between", repo.destroy(&row)).await?;
    repo.execute_raw("DELETE FROM memberships WHERE member_id = 1", []).await?;
    cx.step("nothing refuses any more", repo.destroy(&row)).await?;
    left(cx).await
}

fn rule_of(error: &Error) -> Result<RestrictRule> {
    match error.kind() {
        ErrorKind::Restricted(restricted) => Ok(restricted.rule),
        other => Err(Error::other(format!("not a restriction: {other}"))),
    }
}

async fn left_to_the_database(cx: &mut Context) -> Result<()> {
    rows::members(&cx.repo()).await?;
    destroy_first::<Leaving>(cx, "nothing but the row").await?;
    left(cx).await
}

async fn f145_nothing_said(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    let stamp = repo.get_or_fail::<Stamp>(1, Query::new()).await?;
    cx.step("1 statement, as `delete`", repo.destroy(&stamp)).await?;
    let note = repo.get_or_fail::<Note>(3, Query::new()).await?;
    cx.step("F153: `delete` runs no dependents", repo.delete(&note)).await?;
    left(cx).await
}

async fn conditions_limit_what_depends(cx: &mut Context) -> Result<()> {
    rows::members(&cx.repo()).await?;
    destroy_first::<Choosing>(cx, "hidden rows go as well, trucks and open groups stay").await?;
    cx.rows("tasks", "SELECT id, member_id, done, hidden FROM tasks ORDER BY id").await?;
    cx.rows("vehicles", "SELECT id, kind, member_id FROM vehicles ORDER BY id").await?;
    left(cx).await
}

async fn f149_links_on_both_sides(cx: &mut Context) -> Result<()> {
    rows::members(&cx.repo()).await?;
    destroy_first::<Linked>(cx, "each table of links once, a table that joins members with members on both sides")
        .await?;
    cx.rows("members_tags", "SELECT member_id, tag_id FROM members_tags ORDER BY member_id, tag_id").await?;
    cx.rows("friends", "SELECT one_id, other_id FROM friends ORDER BY one_id, other_id").await?;
    cx.rows("tags", "SELECT id FROM tags ORDER BY id").await
}

async fn pictures(cx: &Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Gallery>().await?;
    repo.create_table::<Shelf>().await?;
    repo.create_table::<Picture>().await?;
    repo.insert_all([Gallery::build(), Gallery::build()]).await?;
    repo.insert_all([Shelf::build(), Shelf::build()]).await?;
    repo.execute_raw(
        "INSERT INTO pictures (id, owner_id, owner_type) VALUES (1, 1, 'Gallery'), (2, 1, 'Shelf'), (3, 2, 'Gallery'), \
         (4, NULL, NULL), (5, 1, 'gallery'), (6, 1, 'Shelf')",
        [],
    )
    .await?;
    Ok(())
}

async fn pictures_left(cx: &mut Context) -> Result<()> {
    cx.rows("galleries", "SELECT id FROM galleries ORDER BY id").await?;
    cx.rows("shelves", "SELECT id FROM shelves ORDER BY id").await?;
    cx.rows("pictures", "SELECT id, owner_id, owner_type FROM pictures ORDER BY id").await
}

async fn polymorphic(cx: &mut Context) -> Result<()> {
    pictures(cx).await?;
    destroy_first::<Gallery>(cx, "those of this type").await?;
    destroy_first::<Shelf>(cx, "key and type are cleared").await?;
    pictures_left(cx).await
}

async fn f119_belongs_to(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures(cx).await?;
    destroy_first::<LastPicture>(cx, "the gallery goes after it, and with it its other pictures").await?;
    let rest: Vec<LastPicture> = repo.all(Query::filter(LastPicture::ID.is_in([2, 4]))).await?;
    let done = cx.step("a shelf, and an owner there is none of", repo.destroy_rows(&rest)).await?;
    cx.note("done", done);
    pictures_left(cx).await
}

async fn composite_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Room>().await?;
    repo.create_table::<Desk>().await?;
    repo.create_table::<Lamp>().await?;
    for sql in [
        "CREATE TABLE bulbs (id BIGINT PRIMARY KEY, house BIGINT NOT NULL, lamp_id BIGINT NOT NULL)",
        "INSERT INTO rooms (house, number) VALUES (1, 1), (1, 2), (2, 1)",
        "INSERT INTO desks (house, id, room_number) VALUES (1, 1, 1), (1, 2, 2), (2, 1, 1), (1, 3, NULL), (1, 4, 1)",
        "INSERT INTO lamps (house, id, room_number) VALUES (1, 1, 1), (2, 1, 1), (1, 2, 2), (1, 3, 1)",
        "INSERT INTO bulbs (id, house, lamp_id) VALUES (1, 1, 1), (2, 2, 1), (3, 1, 2), (4, 1, 3), (5, 2, 3)",
    ]
    .map(|sql| sql.replace("rooms (house, number)", &format!("rooms (house, {})", quoted(&repo, "number"))))
    {
        repo.execute_raw(&sql, []).await?;
    }
    let room = repo.get_or_fail::<Room>((1, 1), Query::new()).await?;
    let before = repo.preview_destroy(&room).await?;
    let done = cx.step("the part of a key that is the row's own stays", repo.destroy(&room)).await?;
    cx.note("done", &done);
    cx.require(before == done, "the preview says what is done")?;
    cx.rows("desks", "SELECT house, id, room_number FROM desks ORDER BY house, id").await?;
    cx.rows("lamps", "SELECT house, id FROM lamps ORDER BY house, id").await?;
    cx.rows("bulbs", "SELECT id FROM bulbs ORDER BY id").await
}

fn quoted(repo: &Repo, name: &str) -> String {
    let mut quoted = String::new();
    repo.dialect().quote(name, &mut quoted);
    quoted
}

async fn rows_that_are_gone(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    let row = first::<Destroying>(cx).await?;
    let stamp = repo.get_or_fail::<Stamp>(1, Query::new()).await?;
    repo.execute_raw("DELETE FROM members WHERE id = 1", []).await?;
    repo.delete(&stamp).await?;
    let error = cx.fails("gone, and what depended on it stays", repo.destroy(&row)).await?;
    cx.require(error.is_not_found(), "not found")?;
    let error = cx.fails("of a model that nothing depends on", repo.destroy(&stamp)).await?;
    cx.require(error.is_not_found(), "not found")?;
    let error = cx.fails("by a preview", repo.preview_destroy(&row)).await?;
    cx.require(error.is_not_found(), "not found")?;
    left(cx).await
}

async fn several_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    let members: Vec<Destroying> = repo.all(Query::order_by(Destroying::ID.asc())).await?;
    let none = cx.step("none", repo.destroy_rows(&[] as &[Destroying])).await?;
    cx.require(none.models().is_empty(), "nothing happened")?;
    let done = cx.step("two, one given twice", repo.destroy_rows([&members[0], &members[1], &members[0]])).await?;
    cx.note("done", done);
    let error = cx.fails("one of them is gone", repo.destroy_rows(&members[1..])).await?;
    cx.require(error.is_not_found(), "not found")?;
    left(cx).await
}

async fn rows_of_a_query(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    let with_notes = Query::<Destroying>::new().join(Destroying::NOTES).order_by(Destroying::ID.desc()).limit(3);
    let done = cx.step("joins repeat a row", repo.destroy_all(with_notes.preload(Destroying::NOTES))).await?;
    cx.note("done", done);
    let done = cx.step("no rows", repo.destroy_all(Query::filter(Destroying::ID.eq(99)))).await?;
    cx.note("done", done);
    cx.fails("groups", repo.destroy_all(Query::<Destroying>::group_by(Destroying::ID))).await?;
    left(cx).await
}

async fn filtered(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    // Rows with the id 3 are somebody else's, whatever they are.
    let ours = repo.filtered(|model| model.column("id").is_ok().then(|| Expr::equals("id", Value::Int(3)).negated()));
    let third = repo.get_or_fail::<Destroying>(3, Query::new()).await?;
    let error = cx.fails("a row that it does not see", ours.destroy(&third)).await?;
    cx.require(error.is_not_found(), "not found")?;
    let error = cx
        .fails("of a model that nothing depends on", ours.destroy(&repo.get_or_fail::<Stamp>(3, Query::new()).await?))
        .await?;
    cx.require(error.is_not_found(), "not found")?;
    let row = first::<Destroying>(cx).await?;
    let done = cx.step("hidden rows that depend on it stay", ours.destroy(&row)).await?;
    cx.note("done", done);
    let done = cx.step("of a query", ours.destroy_all(Query::<Destroying>::new())).await?;
    cx.note("done", done);
    left(cx).await
}

async fn in_a_transaction(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    let (one, refused) = (first::<Destroying>(cx).await?, first::<Restricting>(cx).await?);
    let two = repo.get_or_fail::<Destroying>(2, Query::new()).await?;
    repo.transaction(async |tx| {
        tx.destroy(&two).await?;
        // It is undone as far as it had come, and the transaction goes on.
        let error = tx.destroy(&refused).await.err();
        cx.require(error.is_some_and(|error| error.is_restricted()), "refused")?;
        tx.execute_raw("INSERT INTO members (id) VALUES (7)", []).await?;
        Ok::<_, Error>(())
    })
    .await?;
    let undone = repo
        .transaction(async |tx| {
            tx.destroy(&one).await?;
            Err::<(), _>(Error::other("changed my mind"))
        })
        .await;
    cx.require(undone.is_err(), "rolled back")?;
    left(cx).await
}

async fn explained(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    let tree = |plan: String| plan.split("\n\n").next().unwrap_or_default().to_owned();
    cx.note("destroying", tree(cx.repo().explain_destroy::<Destroying>()?));
    cx.note("choosing", tree(cx.repo().explain_destroy::<Choosing>()?));
    cx.note("linked", tree(cx.repo().explain_destroy::<Linked>()?));
    cx.note("picture", tree(cx.repo().explain_destroy::<LastPicture>()?));
    Ok(())
}

async fn too_many_statements(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    let row = first::<Destroying>(cx).await?;
    let error = cx.fails("nothing has changed", repo.max_statements(6).destroy(&row)).await?;
    cx.require(
        matches!(error.kind(), ErrorKind::TooManyStatements { plan, .. } if plan.starts_with("Destroying (destroyed)")),
        "with the plan",
    )?;
    left(cx).await
}

async fn members_let_go(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    rows::members(&repo).await?;
    let note = repo.get_or_fail::<Note>(1, Query::new()).await?;
    let destroying = first::<Destroying>(cx).await?;
    cx.step("the row is destroyed", repo.update(destroying.change().remove(Destroying::NOTES, &note))).await?;
    let note = repo.get_or_fail::<Note>(2, Query::new()).await?;
    let nullifying = repo.get_or_fail::<Nullifying>(2, Query::unscoped()).await?;
    cx.step("the key is cleared", repo.update(nullifying.change().remove(Nullifying::NOTES, &note))).await?;
    let note = repo.get_or_fail::<Note>(3, Query::new()).await?;
    let deleting = first::<Deleting>(cx).await?;
    cx.step("the row is deleted", repo.update(deleting.change().remove(Deleting::NOTES, &note))).await?;
    left(cx).await
}
