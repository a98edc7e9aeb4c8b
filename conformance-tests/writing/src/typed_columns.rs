//! Types of the program as columns and keys: enums, and JSON of a type.

use assoc_core::{ErrorKind, Json, Result};
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::tracker::{self, Plan, Priority, Squad, State, Task, Team};

cases! { "typed_columns", Level::Write;
    written_and_found,
    keys,
    unknown_values,
    declared_words,
    typed_json,
}

async fn written_and_found(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tracker::tables(&repo).await?;
    let task =
        |state: State, priority: Option<Priority>| Task::build().set(Task::STATE, state).set(Task::PRIORITY, priority);
    let tasks = [
        task(State::InWork, Some(Priority::High)),
        task(State::Done, Some(Priority::Low)),
        task(State::InWork, None),
        Task::build().set(Task::PRIORITY, Priority::Middle),
    ];
    let mut tasks = cx.step("insert_all", repo.insert_all(tasks)).await?;
    cx.show("tasks", tasks.iter().map(|task| (task.state, task.priority)));
    cx.rows("stored", "SELECT state, priority FROM tasks ORDER BY id").await?;
    let open = Query::filter(Task::STATE.is_in([State::New, State::InWork])).filter(Task::PRIORITY.gt(Priority::Low));
    let open = cx.step("all", repo.all(open.order_by(Task::PRIORITY.desc()))).await?;
    cx.show("open", open.iter().map(|task| (task.state, task.priority)));
    let urgent = repo.aggregate(Task::PRIORITY.max(), Query::<Task>::new()).await?;
    cx.show("most urgent", [urgent]);
    let states = repo.pluck(Task::STATE, Query::<Task>::new().distinct().order_by(Task::STATE.asc())).await?;
    cx.show("states", states);
    let first = tasks.swap_remove(0);
    let same = first.change().set(Task::STATE, State::InWork).set(Task::PRIORITY, Priority::High);
    let first = cx.step("the same once more", repo.update(same)).await?;
    let first = cx.step("done", repo.update(first.change().set(Task::STATE, State::Done))).await?;
    cx.require((first.state, first.priority) == (State::Done, Some(Priority::High)), "updated")
}

async fn keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tracker::tables(&repo).await?;
    for team in [Team::Core, Team::FrontEnd, Team::Operations] {
        repo.insert(Squad::build().set(Squad::TEAM, team).set(Squad::SIZE, 3)).await?;
    }
    let task = |team: Team| Task::build().set(Task::STATE, State::New).set(Task::TEAM, team);
    repo.insert_all([task(Team::Operations), task(Team::Core), task(Team::Operations)]).await?;
    repo.insert(Task::build().set(Task::STATE, State::New)).await?;
    let tasks = Query::<Task>::new().preload(Task::SQUAD).order_by(Task::ID.asc());
    let tasks = cx.step("tasks with squads", repo.all(tasks)).await?;
    for task in &tasks {
        cx.show("squad", task.squad()?.map(|squad| squad.team));
    }
    let squads = Query::<Squad>::new().preload(Squad::TASKS).order_by(Squad::TEAM.asc());
    let squads = cx.step("squads with tasks", repo.all(squads)).await?;
    for squad in &squads {
        cx.show(&format!("{:?}", squad.team), squad.tasks()?.iter().map(|task| task.id));
    }
    let mut core = cx.step("get", repo.get_or_fail::<Squad>(Team::Core, Query::new())).await?;
    let mut handle = repo.association(&mut core, Squad::TASKS);
    cx.step("push", handle.push(&tasks[0])).await?;
    cx.rows("tasks", "SELECT id, team FROM tasks ORDER BY id").await
}

async fn unknown_values(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tracker::tables(&repo).await?;
    let task = repo.insert(Task::build().set(Task::STATE, State::New)).await?;
    for (column, value) in [("state", "'new'"), ("priority", "7"), ("team", "''")] {
        repo.execute_raw(&format!("UPDATE tasks SET {column} = {value}"), []).await?;
        let error = repo.get_or_fail::<Task>(task.id, Query::new()).await.err();
        let Some(ErrorKind::Decode { model: "Task", column: named, .. }) = error.as_ref().map(assoc_core::Error::kind)
        else {
            return cx.require(false, &format!("a decode error, and not {error:?}"));
        };
        cx.require(named == column, "it names the column")?;
        cx.show("message", error.map(|error| error.to_string()));
        repo.execute_raw("UPDATE tasks SET state = 'NEW', priority = NULL, team = NULL", []).await?;
    }
    Ok(())
}

/// Stored in a column that declares its words.
#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Old,
    New,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "wares")]
struct Ware {
    id: i64,
    age: Age,
    age_before: Option<Age>,
}

async fn declared_words(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let words = cx.native_sql("column of declared words", |sql| sql.declared_words)?;
    let id = repo.dialect().auto_increment();
    repo.execute_raw(&format!("CREATE TABLE wares (id BIGINT{id}, age {words} NOT NULL, age_before {words})"), [])
        .await?;
    let ware = |age: Age, before: Option<Age>| Ware::build().set(Ware::AGE, age).set(Ware::AGE_BEFORE, before);
    let wares = [ware(Age::Old, Some(Age::New)), ware(Age::New, None), ware(Age::Old, Some(Age::Old))];
    let mut wares = cx.step("insert_all", repo.insert_all(wares)).await?;
    cx.show("wares", wares.iter().map(|ware| (ware.age, ware.age_before)));
    cx.rows("stored", "SELECT age, age_before FROM wares ORDER BY id").await?;
    let used = Query::filter(Ware::AGE.eq(Age::Old)).filter(Ware::AGE_BEFORE.is_in([Age::Old, Age::New]));
    let used = cx.step("all", repo.all(used.order_by((Ware::AGE_BEFORE.desc(), Ware::ID.asc())))).await?;
    cx.show("used", used.iter().map(|ware| (ware.id, ware.age_before)));
    let counts = Query::group_by(Ware::AGE).order_by(Ware::AGE.asc());
    let counts: Vec<(Age, i64)> = repo.pluck((Ware::AGE, Ware::ID.count()), counts).await?;
    cx.show("in the order of the declaration", counts);
    let first = wares.swap_remove(0);
    let same = first.change().set(Ware::AGE, Age::Old).set(Ware::AGE_BEFORE, Age::New);
    let first = cx.step("the same once more", repo.update(same)).await?;
    let none = first.change().set(Ware::AGE, Age::New).set(Ware::AGE_BEFORE, None);
    let first = cx.step("another", repo.update(none)).await?;
    let fresh = repo.get_or_fail::<Ware>(first.id, Query::new()).await?;
    cx.require(
        first == fresh && (fresh.age, fresh.age_before) == (Age::New, None),
        "the returned row is the stored one",
    )
}

async fn typed_json(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    tracker::tables(&repo).await?;
    let plan = Plan { steps: vec!["look".to_owned(), "it's \"here\" \\ – ü".to_owned()], hours: Some(3) };
    let task = Task::build().set(Task::STATE, State::New).set(Task::PLAN, Json::new(plan.clone())?);
    let task = cx.step("insert", repo.insert(task)).await?;
    cx.require(task.plan.as_deref() == Some(&plan), "as it was given")?;
    let task = cx.step("get", repo.get_or_fail::<Task>(task.id, Query::new())).await?;
    cx.require(task.plan.as_deref() == Some(&plan), "as it was stored")?;
    let same = task.change().set(Task::PLAN, Json::new(plan)?);
    let task = cx.step("an equal one is no change", repo.update(same)).await?;
    let shorter = task.plan.clone().unwrap_or(Json::new(Plan::default())?).edited(|plan| plan.steps.truncate(1))?;
    let task = cx.step("edited", repo.update(task.change().set(Task::PLAN, shorter))).await?;
    cx.show("plan", task.plan.as_deref());
    let task = cx.step("none", repo.update(task.change().set(Task::PLAN, None))).await?;
    let empty = repo.count(Query::filter(Task::PLAN.is_null())).await?;
    cx.require(task.plan.is_none() && empty == 1, "NULL, and not `null`")?;
    // A document that lacks what may be missing, and knows more.
    let other = Task::build().set(Task::STATE, State::New).set(Task::PLAN, Json::new(Plan::default())?);
    let other = repo.insert(other).await?;
    repo.execute_raw("UPDATE tasks SET plan = '{\"more\": 1, \"steps\": []}'", []).await?;
    let read = repo.get_or_fail::<Task>(other.id, Query::new()).await?;
    cx.require(read.plan.as_deref() == Some(&Plan::default()), "what is missing is the default")?;
    repo.execute_raw("UPDATE tasks SET plan = '{\"steps\": 1}'", []).await?;
    let error = repo.get_or_fail::<Task>(other.id, Query::new()).await.err();
    let message = error.map(|error| error.to_string()).unwrap_or_default();
    cx.require(message.contains("`Task.plan`") && message.contains("invalid type"), &message)
}
