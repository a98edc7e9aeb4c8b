//! The program from its options to its report.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::cli::{self, Options, Output};
use crate::failure::Failure;
use crate::metadata::Metadata;
use crate::place::Place;
use crate::progress::Progress;
use crate::terminal::{Style, Terminal};
use crate::{database, html, import, report, tree, why};

pub(crate) fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run() -> Result<(), Failure> {
    let Some(options) = Options::parse(env::args_os().skip(1))? else {
        return Ok(writeln!(io::stdout(), "{}", cli::HELP)?);
    };
    let progress = Progress::new();
    // Before the database: if the input is no good, nothing should have happened to the tables.
    progress.say("reading the dependency graph");
    let metadata = match &options.metadata {
        Some(file) => Metadata::of_file(file)?,
        None => Metadata::of_manifest(options.manifest.as_deref())?,
    };
    // SQLite would do without a runtime; a database across the network will not. One thread is enough for a program
    // that does one thing after the other.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::run(format_args!("cannot start: {error}")))?;
    runtime.block_on(async {
        let work = store_and_report(&options, &metadata, &progress);
        if options.database.is_some() {
            return work.await;
        }
        // A signal would end the program at once. Dropping the work removes the temporary file.
        tokio::select! {
            biased;
            Ok(()) = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
            done = work => done,
        }
    })
}

async fn store_and_report(options: &Options, metadata: &Metadata, progress: &Progress) -> Result<(), Failure> {
    // Dropped last: a file that is open cannot be removed everywhere.
    let mut place = Place::of(options.database.as_deref())?;
    let (repo, _turn) = database::connect(&place, progress).await?;
    let repo = &repo;
    import::create_tables(repo).await?;
    import::store(repo, metadata, progress).await?;
    progress.clear();
    notice_signals().await;

    let mut out = Terminal::new(options.color);
    if let Some(platform) = &metadata.only_platform {
        let only = format!("Only what {platform} needs: packages for other platforms could not be fetched.");
        out.text(Style::Mark, &only)?;
        out.blank()?;
    }
    match &options.output {
        Output::Report => report::write(repo, options.top, options.detail, &mut out).await?,
        Output::Tree(name) => tree::write(repo, name, options.depth, options.detail, &mut out).await?,
        Output::Why(name) => why::write(repo, name, options.depth, options.detail, &mut out).await?,
        Output::Html(file) => html::write(repo, file, &mut out).await?,
    }
    notice_signals().await;
    out.blank()?;
    out.text(Style::Quiet, &format!("Database: {}", place.told(options.keep)))?;
    Ok(out.flush()?)
}

/// Lets the runtime see a signal: statements of SQLite run in place, and few of them never wait.
async fn notice_signals() {
    tokio::task::yield_now().await;
}
