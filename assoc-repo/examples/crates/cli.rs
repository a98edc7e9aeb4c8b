//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::measure::Detail;
use crate::terminal::Color;

pub(crate) const HELP: &str = "\
Stores the dependency graph of a Rust project in a database and tells what is in it.

Usage: cargo run --example crates -- [OPTIONS] [MANIFEST]

Arguments:
  [MANIFEST]         A Cargo.toml, or the directory it is in. Default: the project of the current directory

Options:
  --tree NAME        Print the dependency tree of a package (`serde` or `serde@1.0.0`) instead of the report
  --why NAME         Print who needs a package, who needs these, and so on, instead of the report
  --html FILE        Write a page with a picture of the graph to FILE instead of the report. It loads nothing from elsewhere
  --depth N          Levels of a tree, 1 to 32. Default: 4
  --top N            Rows of each list in the report. Default: 10
  --sql              Show the statements below each plan
  --metadata FILE    Read what `cargo metadata --format-version 1` has printed, instead of running it; `-` is stdin
  --database WHERE   A file, a URL (sqlite:PATH, mysql://USER:PASSWORD@HOST/DATABASE, postgres://…), or env:NAME for a URL in an
                     environment variable. This program's tables in it are made anew. Default: a temporary file
  --keep             Keep the temporary file. The last line of the output says where it is
  --color WHEN       always, never or auto: in a terminal, unless NO_COLOR is set. Default: auto
  -h, --help         Print this

Lines are as long as the terminal is wide, or as COLUMNS says.";

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) manifest: Option<PathBuf>,
    pub(crate) metadata: Option<PathBuf>,
    pub(crate) database: Option<OsString>,
    /// Whether a temporary database stays.
    pub(crate) keep: bool,
    pub(crate) output: Output,
    pub(crate) depth: usize,
    pub(crate) top: usize,
    pub(crate) detail: Detail,
    pub(crate) color: Color,
}

/// What the program makes of the graph.
#[derive(Debug)]
pub(crate) enum Output {
    Report,
    /// The dependencies of the package of this name.
    Tree(String),
    /// The packages that need the package of this name.
    Why(String),
    /// A page in this file.
    Html(PathBuf),
}

impl Options {
    /// `None` if help was asked for.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, Failure> {
        let mut options = Options {
            manifest: None,
            metadata: None,
            database: None,
            keep: false,
            output: Output::Report,
            depth: 4,
            top: 10,
            detail: Detail::Plan,
            color: Color::Auto,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let Some(option) = argument.to_str().filter(|text| text.len() > 1 && text.starts_with('-')) else {
                if let Some(first) = &options.manifest {
                    let (first, second) = (first.display(), argument.display());
                    return Err(Failure::Usage(format!("one manifest at a time: `{first}` or `{second}`")));
                }
                options.manifest = Some(argument.into());
                continue;
            };
            // `--top=3` is `--top 3`.
            let (name, attached) = match option.split_once('=') {
                Some((name, value)) => (name, Some(OsString::from(value))),
                None => (option, None),
            };
            let mut value = || {
                attached
                    .clone()
                    .or_else(|| arguments.next())
                    .ok_or_else(|| Failure::Usage(format!("`{name}` needs a value")))
            };
            match name {
                "-h" | "--help" => return Ok(None),
                "--tree" => options.make(Output::Tree(text(name, value()?)?))?,
                "--why" => options.make(Output::Why(text(name, value()?)?))?,
                "--html" => options.make(Output::Html(value()?.into()))?,
                "--sql" if attached.is_none() => options.detail = Detail::PlanAndSql,
                "--depth" => options.depth = number(name, value()?, 32)?,
                "--top" => options.top = number(name, value()?, 1_000_000)?,
                "--metadata" => options.metadata = Some(value()?.into()),
                "--database" => options.database = Some(value()?),
                "--keep" if attached.is_none() => options.keep = true,
                "--color" => options.color = color(name, value()?)?,
                _ => return Err(Failure::Usage(format!("unknown option `{name}`"))),
            }
        }
        if options.metadata.is_some() && options.manifest.is_some() {
            return Err(Failure::Usage("either a manifest or `--metadata`, not both".to_owned()));
        }
        if options.keep && options.database.is_some() {
            return Err(Failure::Usage("`--keep` is for a temporary database; that of `--database` stays".to_owned()));
        }
        Ok(Some(options))
    }

    fn make(&mut self, output: Output) -> Result<(), Failure> {
        match self.output {
            Output::Report => self.output = output,
            _ => return Err(Failure::Usage("one of `--tree`, `--why` and `--html` at a time".to_owned())),
        }
        Ok(())
    }
}

fn text(option: &str, value: OsString) -> Result<String, Failure> {
    value.into_string().map_err(|value| Failure::Usage(format!("`{option} {}` is not UTF-8", value.display())))
}

fn color(option: &str, value: OsString) -> Result<Color, Failure> {
    match text(option, value)?.as_str() {
        "auto" => Ok(Color::Auto),
        "always" => Ok(Color::Always),
        "never" => Ok(Color::Never),
        other => Err(Failure::Usage(format!("`{option}` takes `always`, `never` or `auto`, not `{other}`"))),
    }
}

fn number(option: &str, value: OsString, most: usize) -> Result<usize, Failure> {
    let value = text(option, value)?;
    let number = value.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Failure::Usage(format!("`{option}` takes a number from 1 to {most}, not `{value}`")))
}
