//! Running the suite: one case, or all of them as a test program with a report card.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use assoc_core::driver::Driver;
use assoc_core::{Error, Result};
use libtest_mimic::{Arguments, Completion, Trial};
use tokio::runtime::{Builder, Runtime};

use crate::cases::{self, Case};
use crate::golden;
use crate::report::{CaseReport, ReportCard, SqlCheck, Verdict};
use conformance_harness::Backend;
use conformance_harness::refusal;
use conformance_harness::{Context, Transcript};

mod limit;
mod options;

use limit::within;
use options::{LIMIT, Options};

/// What became of a case.
#[derive(Debug)]
pub enum Outcome {
    /// It ran; the transcript is to be compared.
    Ran(Transcript),
    /// The backend says it lacks what the case needs.
    Skipped(&'static str),
}

/// Runs one case against an empty database.
///
/// A case that the backend lacks a capability for is skipped, either by its table or because the library refuses what it
/// asks for: with the error that this capability has. Where nothing is lacking, a refusal is a failure.
///
/// # Errors
/// When the case itself finds something wrong, the backend fails, or a connection is still out at the end.
pub async fn execute(backend: &dyn Backend, case: &Case) -> Result<Outcome> {
    let database = backend.fresh().await?;
    if let Some(lacking) = (case.lacking)(database.driver().dialect()) {
        return Ok(Outcome::Skipped(lacking));
    }
    let other = if case.two_databases { Some(backend.fresh().await?) } else { None };
    let mut context = Context::new(database, other);
    let result = (case.run)(&mut context).await;
    let refused = context.refused();
    let (transcript, databases) = context.into_parts();
    for database in databases.iter() {
        all_returned(&**database.driver()).await?;
    }
    let dialect = databases[0].driver().dialect();
    let differs =
        || golden::behaviour(case.id, transcript.nulls).is_some_and(|golden| golden != transcript.behaviour.trim_end());
    match result {
        Ok(()) if refused.is_some() && differs() => {}
        Ok(()) => return Ok(Outcome::Ran(transcript)),
        Err(error) => match refusal(dialect, &error) {
            None if refused.is_none() => return Err(error),
            Some(what) => return Ok(Outcome::Skipped(what)),
            None => {}
        },
    }
    Ok(Outcome::Skipped(refused.unwrap_or("what was refused")))
}

// A driver may take back a connection in a task of its own, so this waits for a while.
async fn all_returned(driver: &dyn Driver) -> Result<()> {
    let mut out = 0;
    for _ in 0..100 {
        out = driver.pool_status().map_or(0, |status| status.open.saturating_sub(status.idle));
        if out == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(Error::other(format!("{out} connections are still out at the end of the case")))
}

/// Runs the whole suite against a backend as a test program: prints a line a case and the report card, and fails if a
/// case failed.
///
/// It takes the usual arguments of a test program (a part of a name, `--exact`, `--list`, `--test-threads`), and these:
///
/// * `--case-limit 60`: the seconds that a case may take. A case that takes longer fails by its name, and the others run.
/// * `--report card.json`, `--report card.md`: writes the report card to a file.
/// * `--bless`: records the SQL of each case in the backend's [own folder](Backend::overlay).
#[must_use]
pub fn run(backend: impl Backend) -> ExitCode {
    let (options, others) = match Options::take(std::env::args_os()) {
        Ok(taken) => taken,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    let arguments = Arguments::from_iter(others);
    let suite = match Suite::new(backend) {
        Ok(suite) => Arc::new(Suite { limit: options.limit, bless: options.bless, ..suite }),
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    if suite.bless && suite.backend.overlay().is_none() {
        eprintln!("--bless records SQL in the folder that `Backend::overlay` names, and {} names none", suite.name());
        return ExitCode::FAILURE;
    }
    let database = suite.probe();
    if let Err(error) = &database {
        eprintln!("{}: {error}", suite.name());
    }
    let verdicts: Arc<Mutex<HashMap<&'static str, Verdict>>> = Arc::default();
    let mut trials = Vec::new();
    for case in cases::all() {
        let lacking = database.as_ref().ok().and_then(|probed| probed.lacking.get(case.id).copied());
        if let Some(lacking) = lacking {
            // It stays in the list of tests, so that a count of the tests includes it as one that did not run.
            let unable = move || Err(format!("there is no {lacking}").into());
            trials.push(Trial::test(case.id, unable).with_kind(case.level.name()).with_ignored_flag(true));
            continue;
        }
        let (suite, verdicts) = (Arc::clone(&suite), Arc::clone(&verdicts));
        let judge = move || {
            let verdict = suite.judge(case);
            let answer = match &verdict {
                Verdict::Failed(why) => Err(why.clone().into()),
                Verdict::Skipped(what) => Ok(Completion::ignored_with(format!("there is no {what}"))),
                Verdict::Passed { .. } => Ok(Completion::Completed),
            };
            verdicts.lock().unwrap_or_else(PoisonError::into_inner).insert(case.id, verdict);
            answer
        };
        trials.push(Trial::ignorable_test(case.id, judge).with_kind(case.level.name()));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        let mut verdicts = std::mem::take(&mut *verdicts.lock().unwrap_or_else(PoisonError::into_inner));
        if let Ok(probed) = &database {
            let skipped = probed.lacking.iter().filter(|(case, _)| selects(&arguments, case));
            verdicts.extend(skipped.map(|(case, lacking)| (*case, Verdict::Skipped(lacking))));
        }
        let card = suite.card(database.as_ref().ok(), verdicts);
        print!("{}", card.text());
        for path in &options.reports {
            let is_json = path.extension().is_some_and(|extension| extension == "json");
            let text = if is_json { card.json() } else { card.markdown() };
            if let Err(error) = std::fs::write(path, text) {
                eprintln!("{}: {error}", path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    if let Some(runtime) = Arc::into_inner(suite).and_then(|suite| Arc::into_inner(suite.runtime)) {
        runtime.shutdown_background();
    }
    if conclusion.has_failed() || database.is_err() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

// As the test program decides it.
fn selects(arguments: &Arguments, case: &str) -> bool {
    let matches = |pattern: &String| if arguments.exact { case == pattern } else { case.contains(pattern.as_str()) };
    arguments.filter.as_ref().is_none_or(matches) && !arguments.skip.iter().any(matches)
}

/// Runs the cases whose names begin with `prefix` one after the other, each within `limit`, and gives the report card. A
/// case that hangs, panics or cannot connect fails, and the next one runs.
///
/// # Errors
/// When the machine has no thread or no timer for a runtime.
pub fn report(backend: impl Backend, prefix: &str, limit: Option<Duration>) -> std::io::Result<ReportCard> {
    let suite = Suite { limit: limit.unwrap_or(LIMIT), ..Suite::new(backend)? };
    let probed = suite.probe();
    let selected = cases::all().filter(|case| case.id.starts_with(prefix));
    let verdicts = selected.map(|case| (case.id, suite.judge(case))).collect();
    let card = suite.card(probed.as_ref().ok(), verdicts);
    if let Some(runtime) = Arc::into_inner(suite.runtime) {
        runtime.shutdown_background();
    }
    Ok(card)
}

struct Suite {
    backend: Arc<dyn Backend>,
    runtime: Arc<Runtime>,
    limit: Duration,
    bless: bool,
}

/// What the backend says of itself.
struct Probed {
    capabilities: String,
    lacking: HashMap<&'static str, &'static str>,
}

impl Suite {
    fn new(backend: impl Backend) -> std::io::Result<Self> {
        let runtime = Arc::new(Builder::new_multi_thread().worker_threads(2).enable_all().build()?);
        Ok(Suite { backend: Arc::new(backend), runtime, limit: LIMIT, bless: false })
    }

    fn name(&self) -> &'static str {
        self.backend.name()
    }

    fn probe(&self) -> std::result::Result<Probed, String> {
        let (backend, runtime) = (Arc::clone(&self.backend), Arc::clone(&self.runtime));
        within(self.limit, "the first database", move || {
            let database = runtime.block_on(backend.fresh()).map_err(|error| format!("no empty database: {error}"))?;
            let dialect = database.driver().dialect();
            let lacking = cases::all().filter_map(|case| Some((case.id, (case.lacking)(dialect)?))).collect();
            Ok(Probed { capabilities: format!("{:#?}", dialect.capabilities()), lacking })
        })
        .unwrap_or_else(|error| Err(format!("the first database {error}")))
    }

    fn judge(&self, case: &'static Case) -> Verdict {
        let (backend, runtime) = (Arc::clone(&self.backend), Arc::clone(&self.runtime));
        let executed = within(self.limit, case.id, move || runtime.block_on(execute(&*backend, case)));
        match executed {
            Ok(Ok(Outcome::Ran(transcript))) => match self.compare(case, &transcript) {
                Ok(sql) => Verdict::Passed { statements: transcript.statements(), sql },
                Err(why) => Verdict::Failed(why),
            },
            Ok(Ok(Outcome::Skipped(lacking))) => Verdict::Skipped(lacking),
            Ok(Err(error)) => Verdict::Failed(error.to_string()),
            Err(why) => Verdict::Failed(format!("`{}` {why}", case.id)),
        }
    }

    fn compare(&self, case: &Case, transcript: &Transcript) -> std::result::Result<SqlCheck, String> {
        let golden = golden::behaviour(case.id, transcript.nulls).ok_or("the suite has no golden for this case")?;
        if golden != transcript.behaviour.trim_end() {
            return Err(format!("behaviour differs\n{}", golden::difference(&golden, &transcript.behaviour)));
        }
        let overlay = self.backend.overlay();
        let golden = match &overlay {
            Some(folder) => golden::sql(folder, case.id),
            None => golden::shipped(self.name(), case.id),
        };
        match (golden, overlay) {
            (Some(golden), _) if golden == transcript.sql.trim_end() => Ok(SqlCheck::Compared),
            (_, Some(folder)) if self.bless => {
                golden::record(&folder, case.id, &transcript.sql).map_err(|error| error.to_string())?;
                Ok(SqlCheck::Recorded)
            }
            (Some(golden), _) => Err(format!("SQL differs\n{}", golden::difference(&golden, &transcript.sql))),
            (None, _) => Ok(SqlCheck::None),
        }
    }

    fn card(&self, probed: Option<&Probed>, mut verdicts: HashMap<&'static str, Verdict>) -> ReportCard {
        let cases = cases::all()
            .filter_map(|case| {
                let verdict = verdicts.remove(case.id)?;
                Some(CaseReport { id: case.id, level: case.level, verdict })
            })
            .collect();
        let capabilities = probed.map_or_else(|| "unknown".to_owned(), |probed| probed.capabilities.clone());
        ReportCard::new(self.name().to_owned(), self.backend.version(), capabilities, cases)
    }
}
