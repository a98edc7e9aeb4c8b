//! The graph as one page: a picture, what it cost to read, and the SQL. The page loads nothing, so it can be sent to someone.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use assoc_repo::prelude::*;

use crate::failure::Failure;
use crate::graph::{self, Graph, Weight};
use crate::measure::Cost;
use crate::models::Package;
use crate::picture::{Picture, Place};
use crate::terminal::{Style, Terminal};

/// How the page looks.
const STYLE: &str = include_str!("page.css");
/// What it does under a mouse and a keyboard.
const SCRIPT: &str = include_str!("page.js");
/// A browser then refuses to load anything, whatever else the page holds.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// Writes the page to a file, and to `out` what is in it.
pub(crate) async fn write(repo: &Repo, file: &Path, out: &mut Terminal) -> Result<(), Failure> {
    let (packages, cost) = Cost::of(repo, "The graph", graph::query()).await?;
    let summary = Summary::new(&packages, &cost)?;
    let page = page(&packages, &cost, &summary)?;
    let name = file.display();
    fs::write(file, page).map_err(|error| Failure::run(format_args!("cannot write `{name}`: {error}")))?;
    Ok(out.text(Style::Plain, &format!("{name}: {}; {}", summary.read(), summary.by_a_loop()))?)
}

/// How much was read, and by how many statements.
struct Summary {
    packages: usize,
    dependencies: usize,
    statements: usize,
}

impl Summary {
    fn new(packages: &[Package], cost: &Cost) -> Result<Summary, Failure> {
        let mut dependencies = 0;
        for package in packages {
            dependencies += package.dependencies()?.len();
        }
        Ok(Summary { packages: packages.len(), dependencies, statements: cost.statements })
    }

    fn read(&self) -> String {
        let Summary { packages, dependencies, statements } = self;
        format!("{packages} packages, {dependencies} dependencies, {statements} statements")
    }

    /// A loop that reads the dependencies of each package, and the package of each dependency.
    fn by_a_loop(&self) -> String {
        let Summary { packages, dependencies, .. } = self;
        let all = 1 + packages + dependencies;
        format!("1 + {packages} + {dependencies} = {all} statements by a loop")
    }
}

fn page(packages: &[Package], cost: &Cost, summary: &Summary) -> Result<String, Failure> {
    let (read, by_a_loop) = (escaped(&summary.read()), escaped(&summary.by_a_loop()));
    let picture = picture(packages)?;
    let costs = costs(cost, summary);
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
        <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
        <meta name=\"viewport\" content=\"width=device-width\">\n<title>{read}</title>\n<style>\n{STYLE}</style>\n</head>\n\
        <body>\n<header>\n<h1>{read}</h1>\n<p class=\"loop\">{by_a_loop}</p>\n</header>\n\
        <main>\n{picture}{costs}</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    ))
}

/// A text as HTML, between tags or in a quoted attribute. Every text of the page that is not written in this program goes
/// through it: names of packages and file names come from elsewhere.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The plan beside the loop that it replaces, with the SQL folded away.
fn costs(cost: &Cost, summary: &Summary) -> String {
    let (plan, sql, millis) = (escaped(&cost.plan), escaped(&cost.sql), cost.millis());
    let Summary { packages, dependencies, statements } = summary;
    let by_a_loop = escaped(&summary.by_a_loop());
    let code = escaped(&format!(
        "read the packages                          {:>6}\n\
        for each package\n    read its dependencies                  {packages:>6}\n    \
        for each dependency\n        read the package it requires       {dependencies:>6}",
        1
    ));
    format!(
        "<section class=\"costs\">\n\
        <div>\n<h2>{statements} statements by a preload</h2>\n<pre class=\"plan\">{plan}</pre>\n\
        <p>A statement does not run if all its rows are in memory. It took {millis:.1} ms.</p>\n</div>\n\
        <div>\n<h2>{by_a_loop}</h2>\n<pre>{code}</pre>\n</div>\n</section>\n\
        <details>\n<summary>SQL</summary>\n<pre>{sql}</pre>\n</details>\n"
    )
}

fn picture(packages: &[Package]) -> Result<String, Failure> {
    let graph = Graph::new(packages)?;
    let mut versions: HashMap<&str, usize> = HashMap::new();
    for package in packages {
        *versions.entry(&package.name).or_default() += 1;
    }
    let several = |package: &Package| versions.get(package.name.as_str()).is_some_and(|count| *count > 1);
    let (own, twice) =
        (packages.iter().filter(|package| package.in_workspace), packages.iter().filter(|package| several(package)));
    let Picture { width, height, places } = Picture::new(packages, &graph);

    let mut html = format!(
        "<div class=\"tools\">\n<input type=\"search\" placeholder=\"Search packages\" aria-label=\"Search packages\">\n\
        <button type=\"button\" data-show=\"own\">{} of the workspace</button>\n\
        <button type=\"button\" data-show=\"several\">{} in several versions</button>\n\
        <button type=\"button\" data-whole>whole picture</button>\n\
        <span>The more packages depend on one, the larger it is.</span>\n</div>\n\
        <p class=\"said\" role=\"status\">Under the mouse, a package shows who needs it (orange) and what it needs (blue). \
        A click holds that, Escape ends it.</p>\n\
        <div class=\"picture\">\n<svg width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n",
        own.count(),
        twice.count()
    );
    for at in 0..packages.len() {
        for required in graph.required(at) {
            edge(&mut html, (at, places[at]), (*required, places[*required]));
        }
    }
    let weights = graph.weights();
    let most = weights.iter().map(|weight| weight.dependents).max().unwrap_or_default().max(1);
    for (at, (package, weight)) in packages.iter().zip(weights).enumerate() {
        let mut class = "node".to_owned();
        if package.in_workspace {
            class.push_str(" own");
        }
        if several(package) {
            class.push_str(" several");
        }
        let radius = 2.5 + 7.0 * weight.dependents as f64 / most as f64;
        node(&mut html, at, package, (&class, weight, radius), places[at]);
    }
    html.push_str("</svg>\n</div>\n");
    Ok(html)
}

/// A curve that leaves and arrives level.
fn edge(html: &mut String, (from, start): (usize, Place), (to, end): (usize, Place)) {
    let Place { x, y } = start;
    let bend = ((end.x - x).abs() / 2.0).max(30.0);
    let _ = writeln!(
        html,
        "<path class=\"edge\" data-from=\"{from}\" data-to=\"{to}\" d=\"M{x:.0} {y:.0}C{:.0} {y:.0} {:.0} {:.0} {:.0} {:.0}\"/>",
        x + bend,
        end.x - bend,
        end.y,
        end.x,
        end.y
    );
}

fn node(html: &mut String, at: usize, package: &Package, look: (&str, Weight, f64), place: Place) {
    let ((class, weight, radius), Place { x, y }) = (look, place);
    let Weight { direct_dependents, dependents, dependencies } = weight;
    let label = escaped(&package.label());
    let _ = writeln!(
        html,
        "<g class=\"{class}\" id=\"n{at}\" tabindex=\"0\"><title>{dependents} depend on it, {direct_dependents} directly; \
        it brings in {dependencies}</title><circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"{radius:.1}\"/>\
        <text x=\"{:.0}\" y=\"{:.0}\">{label}</text></g>",
        x + radius + 4.0,
        y + 4.0
    );
}
