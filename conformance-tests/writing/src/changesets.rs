//! Changesets: the last word on a column, what is refused and how it is said, associations over keys of every kind.

use std::sync::Arc;

use assoc_core::{FieldError, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::parcels::{self, Citizen, Firm, Locker, Parcel, Recipient};
use conformance_written_models::tenancy::{self, Assignment, Member, Milestone, Place, Project, Task};

cases! { "changesets", Level::Write;
    last_word,
    required_associations,
    every_problem_at_once,
    problems_of_many_rows,
    shared_columns_contradict,
    associations_left_behind,
    dissociate_composite,
    target_without_key,
    polymorphic,
    polymorphic_composite,
    shared_rows,
    change_to,
    stale_values,
}

async fn project(repo: &Repo, tenant: i64, id: i64) -> Result<Project> {
    repo.get_or_fail::<Project>((tenant, id), Query::new()).await
}

async fn member(repo: &Repo, tenant: i64, id: i64) -> Result<Member> {
    repo.get_or_fail::<Member>((tenant, id), Query::new()).await
}

fn problems(cx: &mut Context, label: &str, errors: &[FieldError]) {
    cx.show(label, errors.iter().map(|error| (&error.path, &error.code, &error.params, &error.message)));
}

async fn last_word(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let tasks = repo.insert_all([Task::build(), Task::build()]).await?;
    let milestones = repo
        .insert_all([Milestone::build().set(Milestone::TENANT_ID, 1), Milestone::build().set(Milestone::TENANT_ID, 2)])
        .await?;
    let draft = Assignment::build()
        .associate(Assignment::TASK, &tasks[0])
        .associate(Assignment::MILESTONE, &milestones[0])
        .set(Assignment::NOTE, "n");
    let row = repo.insert(draft).await?;
    let associated = row.change().dissociate(Assignment::TASK).associate(Assignment::TASK, &tasks[1]);
    let row = cx.step("dissociate, then associate", repo.update(associated)).await?;
    cx.require(row.task_id == tasks[1].id, "the last word counts")?;
    let set = row.change().dissociate(Assignment::TASK).set(Assignment::TASK_ID, tasks[0].id);
    let row = cx.step("dissociate, then set", repo.update(set)).await?;
    cx.require(row.task_id == tasks[0].id, "the last word counts")?;
    let set = row.change().associate(Assignment::TASK, &tasks[0]).set(Assignment::TASK_ID, tasks[1].id);
    let row = cx.step("associate, then set", repo.update(set)).await?;
    cx.require(row.task_id == tasks[1].id, "the last word counts")?;
    let twice = row.change().associate(Assignment::TASK, &tasks[1]).associate(Assignment::TASK, &tasks[0]);
    let row = cx.step("associate twice", repo.update(twice)).await?;
    cx.require(row.task_id == tasks[0].id, "the last word counts")?;
    let other =
        row.change().set(Assignment::TASK_ID, 99).dissociate(Assignment::TASK).associate(Assignment::TASK, &tasks[0]);
    let row = cx.step("nothing differs in the end", repo.update(other)).await?;
    let refused = row.change().associate(Assignment::TASK, &tasks[1]).dissociate(Assignment::TASK);
    cx.fails("associate, then dissociate what is required", repo.update(refused)).await?;
    // An alias over the same columns.
    let ann = member(&repo, 1, 1).await?;
    let task = Task::build().associate(Task::MEMBER, &ann).dissociate(Task::ASSIGNEE);
    let task = cx.step("dissociated by the other name", repo.insert(task)).await?;
    cx.show("task", [&task]);
    let task = task.change().dissociate(Task::ASSIGNEE).associate(Task::MEMBER, &ann);
    let task = cx.step("associated by the other name", repo.update(task)).await?;
    cx.show("task", [&task]);
    Ok(())
}

async fn required_associations(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let task = repo.insert(Task::build()).await?;
    let milestone = repo.insert(Milestone::build().set(Milestone::TENANT_ID, 1)).await?;
    let draft = Assignment::build()
        .associate(Assignment::TASK, &task)
        .associate(Assignment::MILESTONE, &milestone)
        .set(Assignment::NOTE, "n");
    let row = repo.insert(draft).await?;
    let both = row.change().dissociate(Assignment::TASK).dissociate(Assignment::MILESTONE);
    problems(cx, "problems", &both.errors());
    cx.fails("both are named", repo.update(both)).await?;
    let cleared = row.change().set(Assignment::MILESTONE_ID, None);
    cx.fails("a column is not a way around it", repo.update(cleared)).await?;
    cx.rows("assignments", "SELECT task_id, milestone_id FROM assignments").await
}

async fn every_problem_at_once(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let found = FieldError::new("note", "is too dull").with_code("dull").with_param("wanted", "wit");
    let draft = Assignment::build().add_error(found);
    problems(cx, "problems", &draft.errors());
    let error = cx.fails("a new row", repo.insert(draft)).await?;
    cx.require(matches!(error.kind(), ErrorKind::Invalid { errors, .. } if errors.len() == 4), "all four")?;
    problems(cx, "missing parts of a key", &Place::build().errors());
    Ok(())
}

async fn problems_of_many_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let whole = Project::build().set(Project::TENANT_ID, 9).set(Project::ID, 9).set(Project::NAME, "p");
    let drafts = [whole.clone(), Project::build().set(Project::TENANT_ID, 9), whole.clone(), Project::build()];
    cx.fails("each says which row has it", repo.insert_all(drafts)).await?;
    let error = cx.fails("many", repo.insert_all(vec![Project::build(); 100])).await?;
    cx.require(matches!(error.kind(), ErrorKind::Invalid { errors, .. } if errors.len() == 300), "none is left out")?;
    cx.note("projects", repo.count(Query::<Project>::new()).await?);
    Ok(())
}

async fn shared_columns_contradict(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let (own, others) = (project(&repo, 1, 1).await?, member(&repo, 2, 1).await?);
    let draft = Task::build().associate(Task::PROJECT, &own).associate(Task::MEMBER, &others);
    problems(cx, "problems", &draft.errors());
    cx.fails("a new row", repo.insert(draft)).await?;
    let draft = Task::build().associate(Task::MEMBER, &others).associate(Task::PROJECT, &own);
    cx.fails("the other way round", repo.insert(draft)).await?;
    let same = member(&repo, 1, 2).await?;
    let draft = Task::build().associate(Task::PROJECT, &own).associate(Task::MEMBER, &same);
    let task = cx.step("of one tenant", repo.insert(draft)).await?;
    cx.show("task", [&task]);
    let moved = task.change().associate(Task::PROJECT, &project(&repo, 2, 2).await?).associate(Task::MEMBER, &others);
    let task = cx.step("both of another", repo.update(moved)).await?;
    cx.show("task", [&task]);
    let aliases = task.change().associate(Task::MEMBER, &others).associate(Task::ASSIGNEE, &member(&repo, 2, 2).await?);
    cx.fails("two names of one key, two rows", repo.update(aliases)).await?;
    cx.rows("tasks", "SELECT tenant_id, project_id, member_id FROM tasks").await
}

async fn associations_left_behind(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let draft = Task::build()
        .associate(Task::PROJECT, &project(&repo, 1, 1).await?)
        .associate(Task::MEMBER, &member(&repo, 1, 1).await?);
    let task = repo.insert(draft).await?;
    let elsewhere = project(&repo, 2, 1).await?;
    let moved = task.change().associate(Task::PROJECT, &elsewhere);
    problems(cx, "problems", &moved.errors());
    cx.fails("the member would be another tenant's", repo.update(moved)).await?;
    let alone = task.change().associate(Task::PROJECT, &elsewhere).dissociate(Task::MEMBER);
    let task = cx.step("without it", repo.update(alone)).await?;
    cx.show("task", [&task]);
    let back = task.change().associate(Task::PROJECT, &project(&repo, 1, 2).await?);
    let task = cx.step("what leads nowhere is not in the way", repo.update(back)).await?;
    cx.show("task", [&task]);
    let set = task.change().associate(Task::PROJECT, &elsewhere).set(Task::MEMBER_ID, 2);
    let task = cx.step("nor what was thought of", repo.update(set)).await?;
    cx.show("task", [&task]);
    Ok(())
}

async fn dissociate_composite(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let (own, ann) = (project(&repo, 1, 1).await?, member(&repo, 1, 1).await?);
    let task = repo.insert(Task::build().associate(Task::PROJECT, &own).associate(Task::MEMBER, &ann)).await?;
    let task = cx.step("what others use stays", repo.update(task.change().dissociate(Task::PROJECT))).await?;
    cx.show("task", [&task]);
    let milestone = repo.insert(Milestone::build().associate(Milestone::PROJECT, &own)).await?;
    let milestone =
        cx.step("what cannot be NULL stays", repo.update(milestone.change().dissociate(Milestone::PROJECT))).await?;
    cx.show("milestone", [&milestone]);
    let place = Place::build().set(Place::NUMBER, 5).associate(Place::MEMBER, &ann);
    let place = repo.insert(place).await?;
    let refused = place.change().dissociate(Place::MEMBER);
    problems(cx, "problems", &refused.errors());
    cx.fails("nothing can be cleared", repo.update(refused)).await?;
    let bob = member(&repo, 1, 2).await?;
    let overridden = place.change().dissociate(Place::MEMBER).associate(Place::MEMBER, &bob);
    let place = cx.step("unless it is associated anew", repo.update(overridden)).await?;
    cx.show("place", [&place]);
    Ok(())
}

async fn target_without_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let (with, without) = (member(&repo, 1, 1).await?, member(&repo, 1, 2).await?);
    let place = || Place::build().set(Place::TENANT_ID, 1).set(Place::NUMBER, 1).set(Place::MEMBER_ID, 1);
    let draft = place().associate(Place::BEARER, &without);
    problems(cx, "problems", &draft.errors());
    cx.fails("its badge is NULL", repo.insert(draft)).await?;
    let draft = place().associate(Place::BEARER, &without).associate(Place::BEARER, &with);
    let place = cx.step("a later word overrides it", repo.insert(draft)).await?;
    cx.show("place", [&place]);
    let refused = place.change().associate(Place::BEARER, &without);
    cx.fails("an existing row keeps its link", repo.update(refused)).await?;
    cx.rows("places", "SELECT number, badge FROM seats_of_members").await
}

async fn polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    parcels::fixture(&repo).await?;
    let citizen = repo.all(Query::<Citizen>::new().limit(1)).await?.remove(0);
    let firm = repo.all(Query::<Firm>::new().limit(1)).await?.remove(0);
    let draft = Parcel::build().set(Parcel::COURIER_ID, 1);
    let by_row = cx
        .step("a row of a model with a key of its own", repo.insert(draft.clone().associate(Parcel::TO, &citizen)))
        .await?;
    cx.show("parcel", [(&by_row.to_number, &by_row.to_kind)]);
    cx.require(by_row.to_number.as_ref() == Some(&citizen.passport), "the passport, not the id")?;
    let to_firm = cx.step("a tag of its own", repo.update(by_row.change().associate(Parcel::TO, &firm))).await?;
    cx.show("parcel", [(&to_firm.to_number, &to_firm.to_kind)]);
    let value = Recipient::Citizen(citizen.clone());
    let by_enum = cx.step("a value of the enum", repo.update(to_firm.change().associate(Parcel::TO, &value))).await?;
    cx.show("parcel", [(&by_enum.to_number, &by_enum.to_kind)]);
    let shared = Arc::new(firm);
    let by_arc = repo.update(by_enum.change().associate(Parcel::TO, &shared)).await?;
    cx.require(by_arc.to_kind.as_deref() == Some("firm"), "a shared row")?;
    let loaded = repo.get_or_fail::<Parcel>(by_arc.id, Query::preload(Parcel::TO)).await?;
    cx.require(
        matches!(loaded.to()?, Some(Recipient::Firm(found)) if found.registration == shared.registration),
        "is found",
    )?;
    let none = cx.step("dissociated", repo.update(loaded.change().dissociate(Parcel::TO))).await?;
    cx.show("parcel", [(&none.to_number, &none.to_kind)]);
    cx.require(!none.to.is_loaded(), "what it led to is not loaded any more")
}

async fn polymorphic_composite(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    parcels::fixture(&repo).await?;
    let locker = repo.all(Query::<Locker>::new().limit(1)).await?.remove(0);
    let draft = Parcel::build().set(Parcel::COURIER_ID, 1).associate(Parcel::SPOT, &locker);
    let parcel = cx.step("a key of two columns", repo.insert(draft)).await?;
    cx.show("parcel", [(parcel.room, &parcel.code, &parcel.spot_type)]);
    let parcel = cx.step("dissociated", repo.update(parcel.change().dissociate(Parcel::SPOT))).await?;
    cx.show("parcel", [(parcel.room, &parcel.code, &parcel.spot_type)]);
    Ok(())
}

async fn shared_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let own = Arc::new(project(&repo, 1, 1).await?);
    let drafts: [Changeset<Task>; 3] = [
        Task::build().associate(Task::PROJECT, &*own),
        Task::build().associate(Task::PROJECT, &own),
        Task::build().associate(Task::PROJECT, Arc::clone(&own)),
    ];
    let tasks = cx.step("references and shared rows", repo.insert_all(drafts)).await?;
    cx.require(tasks.iter().all(|task| task.project_id == Some(1)), "the same")
}

async fn change_to(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let before = project(&repo, 1, 1).await?;
    let mut after = before.clone();
    let same = cx.step("an equal copy", repo.update(before.change_to(&after))).await?;
    cx.require(same == before, "nothing to write")?;
    after.name = "renamed".to_owned();
    // What is in the struct already differs from nothing.
    let unchanged = cx.step("the edited struct's own change", repo.update(after.change())).await?;
    cx.require(unchanged == after, "as it is in memory")?;
    let saved = cx.step("what differs", repo.update(before.change_to(&after))).await?;
    cx.require(saved == after, "as edited")?;
    let mut moved = saved.clone();
    moved.id = 7;
    let moved = cx.step("a key that the application sets", repo.update(saved.change_to(moved))).await?;
    cx.show("project", [&moved]);
    let [one, other] = <[Task; 2]>::try_from(repo.insert_all([Task::build(), Task::build()]).await?)
        .map_err(|_| Error::other("two tasks"))?;
    problems(cx, "problems", &one.change_to(&other).errors());
    cx.fails("another row", repo.update(one.change_to(&other))).await?;
    cx.rows("projects", "SELECT tenant_id, id, name FROM projects ORDER BY tenant_id, id").await
}

async fn stale_values(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tenancy::fixture(&repo).await?;
    let stale = project(&repo, 1, 1).await?;
    repo.execute_raw("UPDATE projects SET name = 'new' WHERE tenant_id = 1 AND id = 1", []).await?;
    let same = cx.step("to what is stored already", repo.update(stale.change().set(Project::NAME, "new"))).await?;
    cx.require(same.name == "new", "the row is there, though nothing changes in it")
}
