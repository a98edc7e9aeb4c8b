//! Two calls that write the same rows of a model with a `lock_version`, over two connections: the first is held up before each of its
//! statements in turn, and the second is run there. Whatever the place, the results and the rows are those of one call after the
//! other, or one of the two failed with an error that can be retried and has left nothing. What only a serializable transaction
//! prevents is [listed](is_known).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use assoc_core::ErrorKind;
use assoc_core::driver::{BoxFuture, Connection, Driver, ExecResult, RowSink, Statement};
use assoc_repo::on_conflict;
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;
use backends::{MariaDb, PostgreSql};
use conformance_tests::{Backend, Control, Interceptor, Wrapped};
use tokio::sync::oneshot;

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "race_teams")]
struct Team {
    id: i64,
    #[column(length = 20)]
    name: String,
    #[column(counter_cache)]
    members_count: i64,
    #[column(lock_version)]
    version: i64,
    #[has_many(dependent = "nullify")]
    members: HasMany<Member>,
    #[has_one(dependent = "destroy")]
    crest: HasOne<Option<Crest>>,
    #[has_many(dependent = "delete")]
    badges: HasMany<Badge>,
}

/// Nothing counts it, and nothing says its version.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "race_badges")]
struct Badge {
    id: i64,
    team_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "race_members")]
struct Member {
    id: i64,
    team_id: Option<i64>,
    #[column(length = 20)]
    name: String,
    score: i64,
    #[column(lock_version)]
    version: i64,
    #[belongs_to(counter_cache)]
    team: BelongsTo<Option<Team>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "race_crests")]
struct Crest {
    id: i64,
    team_id: Option<i64>,
    #[column(length = 20)]
    motto: String,
    #[column(lock_version)]
    version: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Update,
    Rename,
    Nested,
    Destroy,
    Delete,
    HandleDelete,
    HandleDestroy,
    Remove,
    Mark,
    PushElsewhere,
    Move,
    Upsert,
    UpsertAll,
    Create,
    Clear,
    Replace,
    DestroyTeam,
    UpdateAll,
    SetCrest,
    ClearCrest,
    EditCrest,
    ClearBadges,
    ReplaceBadges,
    MoveBadge,
    ResetCounters,
}

const CALLS: [Call; 25] = [
    Call::Update,
    Call::Rename,
    Call::Nested,
    Call::Destroy,
    Call::Delete,
    Call::HandleDelete,
    Call::HandleDestroy,
    Call::Remove,
    Call::Mark,
    Call::PushElsewhere,
    Call::Move,
    Call::Upsert,
    Call::UpsertAll,
    Call::Create,
    Call::Clear,
    Call::Replace,
    Call::DestroyTeam,
    Call::UpdateAll,
    Call::SetCrest,
    Call::ClearCrest,
    Call::EditCrest,
    Call::ClearBadges,
    Call::ReplaceBadges,
    Call::MoveBadge,
    Call::ResetCounters,
];

/// What two calls may leave behind where transactions are not serializable.
fn is_known(first: Call, second: Call) -> bool {
    let pair = |one: &[Call], other: &[Call]| {
        one.contains(&first) && other.contains(&second) || one.contains(&second) && other.contains(&first)
    };
    // A member that is let go when it is known to be one, and is not written yet, is written all the same.
    pair(&[Call::Nested], &[Call::HandleDelete, Call::Remove])
        // Without a unique index two targets are inserted. Without a foreign key in the database nothing holds an owner.
        || pair(&[Call::SetCrest], &[Call::SetCrest])
        || pair(&[Call::Create, Call::ReplaceBadges], &[Call::DestroyTeam])
        // Each lets the members go that it has found, and adds its own.
        || pair(&[Call::ReplaceBadges], &[Call::ReplaceBadges])
}

/// The structs that both calls have read before.
#[derive(Clone)]
struct World {
    team: Team,
    other: Team,
    members: Vec<Member>,
    crest: Crest,
    badge: Badge,
}

async fn world(repo: &Repo) -> Result<World> {
    for table in ["race_members", "race_crests", "race_badges", "race_teams"] {
        repo.execute_raw(&format!("DELETE FROM {table}"), []).await?;
    }
    let member = |name: &str| Member::build().set(Member::NAME, name).set(Member::SCORE, 0);
    let team = repo.insert(Team::build().set(Team::ID, 1).set(Team::NAME, "team")).await?;
    let other = repo.insert(Team::build().set(Team::ID, 2).set(Team::NAME, "other")).await?;
    let members =
        [("m", 1), ("n", 2)].map(|(name, id)| member(name).set(Member::ID, id).associate(Member::TEAM, &team));
    let mut saved = Vec::new();
    for member in members {
        saved.push(repo.insert(member).await?);
    }
    let crest = Crest::build().set(Crest::ID, 1).set(Crest::TEAM_ID, 1).set(Crest::MOTTO, "old");
    let crest = repo.insert(crest).await?;
    let badge = repo.insert(Badge::build().set(Badge::ID, 1).set(Badge::TEAM_ID, 1)).await?;
    let team = repo.get_or_fail::<Team>(1, Query::new()).await?;
    Ok(World { team, other, members: saved, crest, badge })
}

async fn run(repo: &Repo, world: &World, call: Call, who: i64) -> Result<()> {
    let World { team, other, members, crest, badge } = world;
    let mut team = team.clone();
    let member = &members[0];
    let scored = || member.change().set(Member::SCORE, member.score + who);
    let whole = || {
        let new = Member::build().set(Member::ID, member.id).set(Member::NAME, format!("up {who}"));
        new.set(Member::SCORE, who).set(Member::TEAM_ID, 1)
    };
    let key = || on_conflict(Member::ID).update((Member::NAME, Member::SCORE));
    match call {
        Call::Update => repo.update(scored()).await.map(drop),
        Call::Rename => repo.update(member.change().set(Member::NAME, format!("named {who}"))).await.map(drop),
        Call::Nested => repo.update(team.change().edit(Team::MEMBERS, scored())).await.map(drop),
        Call::Destroy => repo.destroy(member).await.map(drop),
        Call::Delete => repo.delete(member).await,
        Call::HandleDelete => repo.association(&mut team, Team::MEMBERS).delete(member).await,
        Call::HandleDestroy => repo.association(&mut team, Team::MEMBERS).destroy(member).await,
        Call::Remove => repo.update(team.change().remove(Team::MEMBERS, member)).await.map(drop),
        Call::Mark => {
            let change = team.change().edit(Team::MEMBERS, member.change().mark_for_destruction());
            repo.update(change).await.map(drop)
        }
        Call::PushElsewhere => {
            let mut other = other.clone();
            repo.association(&mut other, Team::MEMBERS).push(member).await
        }
        Call::Move => repo.update(member.change().set(Member::TEAM_ID, other.id)).await.map(drop),
        Call::Upsert => repo.upsert(whole(), key()).await.map(drop),
        Call::UpsertAll => repo.upsert_all([whole()], key()).await.map(drop),
        Call::Create => {
            // A sequence knows nothing of the keys that were given.
            let new = Member::build().set(Member::ID, 100 + who).set(Member::NAME, format!("new {who}"));
            let new = new.set(Member::SCORE, who);
            repo.association(&mut team, Team::MEMBERS).create(new).await.map(drop)
        }
        Call::Clear => repo.association(&mut team, Team::MEMBERS).clear().await,
        Call::Replace => repo.association(&mut team, Team::MEMBERS).replace([&members[1]]).await,
        Call::DestroyTeam => repo.destroy(&team).await.map(drop),
        Call::UpdateAll => {
            let all = Query::filter(Member::TEAM_ID.eq(1));
            repo.update_all(all, [Member::SCORE.add(who), Member::VERSION.add(1)]).await.map(drop)
        }
        Call::SetCrest => {
            let new = Crest::build().set(Crest::ID, 100 + who).set(Crest::MOTTO, format!("new {who}"));
            repo.association(&mut team, Team::CREST).set(new).await
        }
        Call::ClearCrest => repo.association(&mut team, Team::CREST).clear().await,
        Call::EditCrest => {
            let edit = crest.change().set(Crest::MOTTO, format!("edited {who}"));
            repo.update(team.change().edit(Team::CREST, edit)).await.map(drop)
        }
        Call::ClearBadges => repo.association(&mut team, Team::BADGES).clear().await,
        Call::ReplaceBadges => {
            let new = Badge::build().set(Badge::ID, 100 + who);
            repo.association(&mut team, Team::BADGES).replace([new]).await
        }
        Call::MoveBadge => repo.update(badge.change().set(Badge::TEAM_ID, other.id)).await.map(drop),
        Call::ResetCounters => repo.reset_counters(Team::MEMBERS).await.map(drop),
    }
}

async fn state(repo: &Repo) -> Result<Vec<String>> {
    let mut state = Vec::new();
    for team in repo.all(Query::<Team>::order_by(Team::ID.asc())).await? {
        state.push(format!("team {} {} members {} version {}", team.id, team.name, team.members_count, team.version));
    }
    let mut rows: Vec<_> = Vec::new();
    for member in repo.all(Query::<Member>::new()).await? {
        let Member { team_id, name, score, version, .. } = member;
        rows.push(format!("member {name} of {team_id:?}, score {score}, version {version}"));
    }
    for crest in repo.all(Query::<Crest>::new()).await? {
        rows.push(format!("crest {} of {:?}, version {}", crest.motto, crest.team_id, crest.version));
    }
    for badge in repo.all(Query::<Badge>::new()).await? {
        rows.push(format!("badge {} of {}", badge.id, badge.team_id));
    }
    rows.sort();
    state.extend(rows);
    Ok(state)
}

// What became of a call, for comparisons.
fn told(result: &Result<()>) -> String {
    match result {
        Ok(()) => "done".to_owned(),
        Err(error) if error.is_retryable() => "retry".to_owned(),
        Err(error) => match error.kind() {
            // A row that another one took, or changed.
            ErrorKind::Stale { .. } | ErrorKind::NotFound { .. } | ErrorKind::NotMember { .. } => "too late".to_owned(),
            ErrorKind::ParentMissing { .. } => "no parent".to_owned(),
            _ => format!("failed: {error}"),
        },
    }
}

/// Holds a connection up before its n-th call.
#[derive(Default)]
struct Pause(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    left: Option<usize>,
    reached: Option<oneshot::Sender<()>>,
    go_on: Option<oneshot::Receiver<()>>,
    at: String,
}

#[derive(Clone)]
struct Pauses(Arc<Pause>);

impl Pauses {
    async fn call(&self, what: &str) {
        let waiting = {
            let mut waiting = self.0.0.lock().unwrap();
            match waiting.left {
                Some(0) => {
                    waiting.left = None;
                    waiting.at = what.to_owned();
                    waiting.reached.take().unwrap().send(()).ok();
                    waiting.go_on.take()
                }
                Some(left) => {
                    waiting.left = Some(left - 1);
                    None
                }
                None => None,
            }
        };
        if let Some(waiting) = waiting {
            waiting.await.ok();
        }
    }
}

impl Interceptor for Pauses {
    fn query<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
        sink: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.call(statement.sql()).await;
            inner.query(statement, sink).await
        })
    }

    fn execute<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
    ) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(async move {
            self.call(statement.sql()).await;
            inner.execute(statement).await
        })
    }

    fn control<'a>(&'a self, inner: &'a mut dyn Connection, call: Control) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let what = match call {
                Control::Begin(..) => "BEGIN",
                Control::Commit => "COMMIT",
                _ => "another",
            };
            self.call(what).await;
            call.run(inner).await
        })
    }
}

struct Race {
    /// Whose connections are held up.
    held_up: Repo,
    pauses: Pauses,
    other: Repo,
}

type Outcome = (String, String, Vec<String>);

impl Race {
    // What one call after the other gives, in both orders.
    async fn one_after_the_other(&self, first: Call, second: Call) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for swapped in [false, true] {
            let world = world(&self.other).await.unwrap();
            let (one, two);
            if swapped {
                two = run(&self.other, &world, second, 20).await;
                one = run(&self.other, &world, first, 1).await;
            } else {
                one = run(&self.other, &world, first, 1).await;
                two = run(&self.other, &world, second, 20).await;
            }
            outcomes.push((told(&one), told(&two), state(&self.other).await.unwrap()));
        }
        for (call, who) in [(first, 1), (second, 20)] {
            let world = world(&self.other).await.unwrap();
            let alone = told(&run(&self.other, &world, call, who).await);
            let left = state(&self.other).await.unwrap();
            let retry = || "retry".to_owned();
            outcomes.push(if who == 1 { (alone, retry(), left) } else { (retry(), alone, left) });
        }
        outcomes
    }

    // `None` if the first one came to its end before.
    async fn at(&self, place: usize, first: Call, second: Call) -> Option<(Outcome, String)> {
        let world = Arc::new(world(&self.other).await.unwrap());
        let (reached, is_reached) = oneshot::channel();
        let (go_on, is_let_go) = oneshot::channel();
        *self.pauses.0.0.lock().unwrap() =
            Waiting { left: Some(place), reached: Some(reached), go_on: Some(is_let_go), at: String::new() };
        let task = |repo: &Repo, call: Call, who: i64| {
            let (repo, world, pauses) = (repo.clone(), Arc::clone(&world), self.pauses.clone());
            tokio::spawn(async move {
                let ended = run(&repo, &world, call, who).await;
                if who == 1 {
                    pauses.0.0.lock().unwrap().reached = None;
                }
                ended
            })
        };
        let one = task(&self.held_up, first, 1);
        // If the first call ends before, it drops its sender.
        if is_reached.await.is_err() {
            return None;
        }
        let mut two = task(&self.other, second, 20);
        // It comes to its end, or waits for a lock of the first one.
        let early = tokio::time::timeout(Duration::from_millis(8), &mut two).await;
        go_on.send(()).ok();
        let limit = Duration::from_secs(20);
        let one = tokio::time::timeout(limit, one).await.expect("the first one ends").unwrap();
        let two = match early {
            Ok(two) => two.unwrap(),
            Err(_) => tokio::time::timeout(limit, two).await.expect("the second one ends").unwrap(),
        };
        let at = self.pauses.0.0.lock().unwrap().at.clone();
        let shown = format!("{one:?} and {two:?}, held up at {at}");
        Some(((told(&one), told(&two), state(&self.other).await.unwrap()), shown))
    }
}

fn races(name: &str, held_up: Arc<dyn Driver>, other: Repo) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let failed = runtime.block_on(async {
        let pauses = Pauses(Arc::default());
        let race = Race { held_up: Repo::new(Wrapped::new(held_up, pauses.clone())), pauses, other };
        race.other.create_table::<Team>().await.unwrap();
        race.other.create_table::<Member>().await.unwrap();
        race.other.create_table::<Crest>().await.unwrap();
        race.other.create_table::<Badge>().await.unwrap();
        let mut failed = BTreeSet::new();
        let (mut done, mut retries) = (0, 0);
        // Some of the pairs, each call as the first one and as the second; all of them with ASSOC_ALL_CASES.
        let every = if std::env::var_os("ASSOC_ALL_CASES").is_some() { 1 } else { 5 };
        for (row, first) in CALLS.into_iter().enumerate() {
            for second in CALLS.into_iter().skip(row % every).step_by(every) {
                if name != "sqlite" && is_known(first, second) {
                    continue;
                }
                let allowed = race.one_after_the_other(first, second).await;
                for place in 0.. {
                    let Some((outcome, shown)) = race.at(place, first, second).await else { break };
                    done += 1;
                    retries += usize::from(outcome.0 == "retry" || outcome.1 == "retry");
                    if !allowed.contains(&outcome) {
                        failed.insert(format!(
                            "{first:?} beside {second:?}, {place}: {shown}\n{outcome:#?}\nnot of {allowed:#?}"
                        ));
                    }
                }
            }
        }
        println!("{name}: {done} races, {retries} to be retried");
        failed
    });
    for what in &failed {
        println!("{what}\n");
    }
    assert!(failed.is_empty(), "{name}: {} wrong", failed.len());
}

fn on_one_pool(backend: &dyn Backend) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let database = runtime.block_on(backend.fresh()).unwrap();
    let driver = Arc::clone(database.driver());
    races(backend.name(), Arc::clone(&driver), Repo::from_driver(driver));
}

mod sqlite {
    use super::*;

    #[test]
    fn held_up_at_each_statement() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Sqlite::open(folder.path().join("race.db")).unwrap();
        races("sqlite", Arc::new(open()), Repo::new(open()));
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn held_up_at_each_statement() {
        on_one_pool(&MariaDb);
    }
}

mod postgres {
    use super::*;

    #[test]
    fn held_up_at_each_statement() {
        on_one_pool(&PostgreSql);
    }
}
