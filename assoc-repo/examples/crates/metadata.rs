//! What `cargo metadata` says: the part of its JSON that we store.

use std::collections::{BTreeMap, HashSet};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Output};

use serde::Deserialize;

use crate::failure::Failure;
use crate::models::DependencyKind;

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
    resolve: Option<Resolve>,
    /// The one platform whose packages are here, if the others' could not be had.
    #[serde(skip)]
    pub(crate) only_platform: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    /// An opaque text that names the package throughout the file.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) source: Option<String>,
    pub(crate) license: Option<String>,
    #[serde(default)]
    pub(crate) authors: Vec<String>,
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
    #[serde(default)]
    pub(crate) features: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
}

#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

/// A package of the resolved graph.
#[derive(Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) deps: Vec<NodeDependency>,
    /// The features that are on.
    #[serde(default)]
    pub(crate) features: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct NodeDependency {
    pub(crate) pkg: String,
    #[serde(default)]
    pub(crate) dep_kinds: Vec<Way>,
}

/// How a package is needed.
#[derive(Deserialize)]
pub(crate) struct Way {
    /// Nothing for a normal dependency.
    pub(crate) kind: Option<DependencyKind>,
    pub(crate) target: Option<String>,
}

impl Metadata {
    /// Asks cargo about a manifest, or about the project of the current directory.
    pub(crate) fn of_manifest(manifest: Option<&Path>) -> Result<Metadata, Failure> {
        let mut arguments: Vec<OsString> = ["metadata", "--format-version", "1"].map(OsString::from).into();
        if let Some(path) = manifest {
            let path = if path.is_dir() { path.join("Cargo.toml") } else { path.to_owned() };
            if !path.is_file() {
                return Err(Failure::run(format_args!("no manifest at `{}`", path.display())));
            }
            arguments.extend(["--manifest-path".into(), path.into()]);
        }
        let output = cargo(&arguments)?;
        if output.status.success() {
            return parse(&output.stdout, "cargo metadata");
        }
        // Without a network, cargo fails for want of packages that only other platforms use. Those that were needed to
        // build for this one are there, and better than nothing.
        if let Some(host) = host() {
            arguments.extend(["--offline", "--filter-platform", &host].map(OsString::from));
            let output = cargo(&arguments)?;
            if output.status.success() {
                let metadata = parse(&output.stdout, "cargo metadata")?;
                return Ok(Metadata { only_platform: Some(host), ..metadata });
            }
        }
        Err(Failure::run(format_args!("cargo metadata failed: {}", complaint(&output.stderr))))
    }

    /// Reads what cargo has said before, from a file, or stdin for `-`.
    pub(crate) fn of_file(path: &Path) -> Result<Metadata, Failure> {
        let (read, name) = if path == Path::new("-") {
            let mut bytes = Vec::new();
            (io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes), "stdin".to_owned())
        } else {
            (fs::read(path), format!("`{}`", path.display()))
        };
        let bytes = read.map_err(|error| Failure::run(format_args!("cannot read {name}: {error}")))?;
        parse(&bytes, &name)
    }

    /// The resolved graph.
    pub(crate) fn nodes(&self) -> &[Node] {
        self.resolve.as_ref().map_or(&[], |resolve| &resolve.nodes)
    }

    /// Refuses what does not hold together, so that nothing later has to ask.
    fn checked(self, from: &str) -> Result<Metadata, Failure> {
        if self.resolve.is_none() {
            let message = format_args!("{from}: there is no dependency graph in it: leave out `--no-deps`");
            return Err(Failure::run(message));
        }
        let mut known = HashSet::new();
        if let Some(twice) = self.packages.iter().find(|package| !known.insert(package.id.as_str())) {
            return Err(Failure::run(format_args!("{from}: package `{}` is there twice", twice.id)));
        }
        let edges = self.nodes().iter().flat_map(|node| &node.deps);
        let named = self.nodes().iter().map(|node| &node.id).chain(edges.map(|edge| &edge.pkg));
        if let Some(unknown) = named.chain(&self.workspace_members).find(|id| !known.contains(id.as_str())) {
            return Err(Failure::run(format_args!("{from}: package `{unknown}` is referred to, but not there")));
        }
        Ok(self)
    }
}

fn parse(json: &[u8], from: &str) -> Result<Metadata, Failure> {
    let metadata: Metadata = serde_json::from_slice(json)
        .map_err(|error| Failure::run(format_args!("{from}: not the output of `cargo metadata`: {error}")))?;
    metadata.checked(from)
}

fn cargo(arguments: &[OsString]) -> Result<Output, Failure> {
    // Set by `cargo run`: the same cargo that built this program.
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Command::new(&program).args(arguments).output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::run(format_args!("cargo not found (looked for `{}`)", program.display())),
        _ => Failure::run(format_args!("cannot run `{}`: {error}", program.display())),
    })
}

/// The platform cargo runs on, as it calls it.
fn host() -> Option<String> {
    let output = cargo(&["-vV".into()]).ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

/// Cargo's error without its progress before and the excerpts of files within: `a; b; c`.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("error"));
    let telling = lines.filter(|line| !line.is_empty() && *line != "Caused by:" && !line.contains('|'));
    let complaint: Vec<&str> = telling.map(|line| line.trim_start_matches("error: ")).collect();
    if complaint.is_empty() { "it does not say why".to_owned() } else { complaint.join("; ") }
}
