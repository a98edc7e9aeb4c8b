//! Running the suite: one case, or all of them as a test program with a report card.

use std::process::ExitCode;
use std::sync::Arc;

use assoc_core::Result;
use libtest_mimic::{Arguments, Failed, Trial};

use crate::backend::Backend;
use crate::cases::{self, Case, Level};
use crate::context::{Context, Transcript};
use crate::golden;

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
/// # Errors
/// When the case itself finds something wrong, or the backend fails.
pub async fn execute(backend: &dyn Backend, case: &Case) -> Result<Outcome> {
    let database = backend.fresh().await?;
    if let Some(lacking) = (case.lacking)(database.driver().dialect()) {
        return Ok(Outcome::Skipped(lacking));
    }
    let other = if case.two_databases { Some(backend.fresh().await?) } else { None };
    let mut context = Context::new(database, other);
    (case.run)(&mut context).await?;
    Ok(Outcome::Ran(context.into_transcript()))
}

/// Runs the whole suite against a backend as a test program: accepts the usual test arguments, prints a line a case
/// and the report card, and fails if a case failed.
#[must_use]
pub fn run(backend: impl Backend) -> ExitCode {
    let arguments = Arguments::from_args();
    let backend: Arc<dyn Backend> = Arc::new(backend);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut skipped: Vec<(Level, &'static str, &'static str)> = Vec::new();
    let mut trials = Vec::new();
    // The database stays open, because its dialect says whether each case can run.
    let database = match runtime.block_on(backend.fresh()) {
        Ok(database) => database,
        Err(error) => {
            eprintln!("{}: no empty database: {error}", backend.name());
            return ExitCode::FAILURE;
        }
    };
    for case in cases::all() {
        if let Some(lacking) = (case.lacking)(database.driver().dialect()) {
            skipped.push((case.level, case.id, lacking));
            // It stays in the list of tests, so that a count of the tests includes it as one that did not run.
            let unable = move || Err(format!("there is no {lacking}").into());
            trials.push(Trial::test(case.id, unable).with_kind(case.level.name()).with_ignored_flag(true));
            continue;
        }
        let (backend, runtime) = (Arc::clone(&backend), Arc::clone(&runtime));
        trials.push(Trial::test(case.id, move || judge(&*backend, &runtime, case)).with_kind(case.level.name()));
    }
    drop(database);
    let name = backend.name();
    let total = trials.len() - skipped.len();
    let conclusion = libtest_mimic::run(&arguments, trials);
    println!(
        "{name}: {} of {total} cases passed, {} skipped for want of a capability",
        conclusion.num_passed,
        skipped.len()
    );
    for (level, case, lacking) in skipped {
        println!("  skipped {} {case}: {name} has no {lacking}", level.name());
    }
    conclusion.exit_code()
}

fn judge(backend: &dyn Backend, runtime: &tokio::runtime::Runtime, case: &Case) -> std::result::Result<(), Failed> {
    let transcript = match runtime.block_on(execute(backend, case)) {
        Ok(Outcome::Ran(transcript)) => transcript,
        Ok(Outcome::Skipped(lacking)) => return Err(format!("the capability `{lacking}` came and went").into()),
        Err(error) => return Err(error.to_string().into()),
    };
    let golden = golden::behaviour(case.id).ok_or("the suite has no golden for this case")?;
    if golden != transcript.behaviour.trim_end() {
        return Err(format!("behaviour differs\n{}", golden::difference(&golden, &transcript.behaviour)).into());
    }
    match golden::sql(backend.name(), case.id) {
        Some(golden) if golden != transcript.sql.trim_end() => {
            Err(format!("SQL differs\n{}", golden::difference(&golden, &transcript.sql)).into())
        }
        _ => Ok(()),
    }
}
