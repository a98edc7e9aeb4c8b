//! Rows between without a primary key: each call on them, and which callbacks of their model it runs.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::callbacks::{refuse, take};
use conformance_written_models::school::{self, Attendance, Lesson, Student};

cases! { "handles_keyless", Level::Collection;
    destroyed_by_each_call,
    deleted_by_each_call,
    refused,
    owners_destroyed,
    members_destroyed,
}

fn told(cx: &mut Context, label: &str) {
    let lines = take(&cx.repo());
    cx.show(label, lines.iter());
}

async fn people(repo: &Repo) -> Result<(Lesson, Vec<Student>)> {
    school::fixture(repo).await?;
    let lesson = repo.get_or_fail::<Lesson>(1, Query::new()).await?;
    let students = repo.all(Query::<Student>::new().order_by(Student::ID.asc())).await?;
    Ok((lesson, students))
}

async fn left(cx: &mut Context) -> Result<()> {
    cx.rows("attendances", "SELECT lesson_id, student_id, seat FROM attendances ORDER BY lesson_id, student_id, seat")
        .await?;
    cx.rows("counted", "SELECT name, attendances_count FROM lessons ORDER BY id").await
}

async fn destroyed_by_each_call(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut sicp, students) = people(&repo).await?;
    let [ben, alyssa, lem] = &students[..] else { return cx.require(false, "three students") };
    let mut pupils = repo.association(&mut sicp, Lesson::PUPILS);
    pupils.push([ben, alyssa, lem, ben, ben, alyssa]).await?;
    left(cx).await?;
    let repo = cx.repo();
    let _ = take(&repo);
    cx.step("destroy, attended three times", pupils.destroy(ben)).await?;
    told(cx, "once for each row");
    cx.step("delete, by the rule", pupils.delete(alyssa)).await?;
    told(cx, "twice");
    cx.step("replace", pupils.replace([ben, alyssa])).await?;
    told(cx, "lem leaves");
    cx.step("destroy_ids", pupils.destroy_ids([ben.id])).await?;
    told(cx, "by the key");
    pupils.push([lem]).await?;
    let _ = take(&cx.repo());
    cx.step("set_ids", pupils.set_ids([lem.id])).await?;
    told(cx, "alyssa leaves");
    cx.step("destroy_all", pupils.destroy_all()).await?;
    told(cx, "lem leaves");
    pupils.push([ben]).await?;
    let _ = take(&cx.repo());
    cx.step("clear", pupils.clear()).await?;
    told(cx, "clear is silent");
    left(cx).await
}

async fn deleted_by_each_call(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut sicp, students) = people(&repo).await?;
    let [ben, alyssa, lem] = &students[..] else { return cx.require(false, "three students") };
    let mut handle = repo.association(&mut sicp, Lesson::STUDENTS);
    handle.push([ben, alyssa, lem, ben]).await?;
    let _ = take(&repo);
    cx.step("delete", handle.delete(ben)).await?;
    cx.step("replace", handle.replace([alyssa])).await?;
    told(cx, "what is deleted runs no callback");
    handle.push([lem]).await?;
    let _ = take(&repo);
    cx.step("destroy", handle.destroy(alyssa)).await?;
    told(cx, "what is destroyed does");
    cx.step("delete_all", handle.delete_all()).await?;
    told(cx, "delete_all is silent");
    left(cx).await
}

async fn refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut sicp, students) = people(&repo).await?;
    let [ben, alyssa, _] = &students[..] else { return cx.require(false, "three students") };
    let mut pupils = repo.association(&mut sicp, Lesson::PUPILS);
    pupils.push([ben, alyssa]).await?;
    let _ = take(&repo);
    for point in ["Attendance.before_destroy", "Attendance.after_destroy"] {
        refuse(&repo, point);
        cx.require(pupils.destroy(ben).await.is_err(), point)?;
        told(cx, point);
    }
    cx.require(pupils.target().is_some_and(|target| target.len() == 2), "memory keeps both")?;
    left(cx).await
}

async fn owners_destroyed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut sicp, students) = people(&repo).await?;
    repo.association(&mut sicp, Lesson::STUDENTS).push([&students[0], &students[1], &students[0]]).await?;
    let _ = take(&repo);
    let plan = repo.explain_destroy::<Lesson>()?;
    let reads = plan.lines().filter(|line| line.contains("read Attendance"));
    cx.require(reads.count() == 1, &plan)?;
    let preview = repo.preview_destroy(&sicp).await?;
    let report = cx.step("destroy", repo.destroy(&sicp)).await?;
    cx.require(preview.of::<Attendance>() == report.of::<Attendance>(), "the preview counts the same")?;
    told(cx, "each row between");
    left(cx).await
}

async fn members_destroyed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut sicp, students) = people(&repo).await?;
    let mut knots = repo.get_or_fail::<Lesson>(2, Query::new()).await?;
    repo.association(&mut sicp, Lesson::STUDENTS).push([&students[0], &students[0], &students[1]]).await?;
    repo.association(&mut knots, Lesson::STUDENTS).push([&students[0]]).await?;
    let _ = take(&repo);
    refuse(&repo, "Student.before_remove");
    cx.require(repo.destroy(&students[0]).await.is_err(), "a callback of the association refuses")?;
    told(cx, "refused");
    left(cx).await?;
    cx.step("destroy", repo.destroy(&students[0])).await?;
    told(cx, "two associations lead to each row, and its callbacks run once");
    left(cx).await
}
