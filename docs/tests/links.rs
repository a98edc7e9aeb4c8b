//! Links between the pages of this repository lead somewhere.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// How pages of the book name what lies outside of it.
const REPOSITORY: &str = "https://github.com/assoc-rs/assoc/blob/main/";
const FOLDERS: &str = "https://github.com/assoc-rs/assoc/tree/main/";

/// The chapters inside of `assoc_repo`'s rustdoc: rustdoc itself checks their links.
const COPY: &str = "assoc-repo/guide";

/// Ids that every page of rustdoc has, so a heading of that name gets another.
const IDS_OF_RUSTDOC: [&str; 8] =
    ["main-content", "settings", "help", "search", "modules", "structs", "macros", "functions"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Markdown files of a folder and of those in it, by their paths from the root.
fn pages(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let short = path.strip_prefix(root()).unwrap().to_owned();
        if path.is_dir() {
            let passed_over = name.starts_with('.') || name.starts_with("target") || name == "book";
            if !passed_over && short != Path::new(COPY) {
                pages(&path, found);
            }
        } else if name.ends_with(".md") {
            found.insert(short, std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The lines outside of code blocks, with their numbers, without inline code if that is asked for.
fn prose(page: &str, keeps_code: bool) -> Vec<(usize, String)> {
    let mut fence: Option<String> = None;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(page.lines()) {
        let mark: String = line.trim_start().chars().take_while(|char| *char == '`').collect();
        match &fence {
            Some(open) if mark.len() >= open.len() && line.trim() == mark => fence = None,
            Some(_) => {}
            None if mark.len() >= 3 => fence = Some(mark),
            None if keeps_code => lines.push((number, line.to_owned())),
            None => lines.push((number, line.split('`').step_by(2).collect::<Vec<_>>().join("`"))),
        }
    }
    lines
}

/// The anchors of a page's headings, as GitHub, mdBook and rustdoc make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(page, true) {
        let level = line.chars().take_while(|char| *char == '#').count();
        let Some(heading) = line.get(level..).filter(|rest| level > 0 && rest.starts_with(' ')) else { continue };
        let anchor: String = heading.trim().to_lowercase().replace(' ', "-");
        let anchor: String = anchor.chars().filter(|char| char.is_alphanumeric() || "-_".contains(*char)).collect();
        let numbered = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone()).chain(numbered).find(|anchor| !anchors.contains(anchor));
        anchors.insert(free.unwrap());
    }
    anchors
}

/// The targets of the links of a page, with the numbers of their lines.
fn links(page: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(page, false) {
        for rest in line.split("](").skip(1) {
            let target = rest.split(')').next().unwrap();
            links.push((number, target.split(' ').next().unwrap().to_owned()));
        }
        if let Some((_, target)) = line.strip_prefix('[').and_then(|line| line.split_once("]: ")) {
            links.push((number, target.trim().to_owned()));
        }
    }
    links
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} leaves the repository", path.display()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// What is wrong with a link of a page.
fn problem(from: &Path, link: &str, pages: &BTreeMap<PathBuf, String>, chapters: &BTreeSet<PathBuf>) -> Option<String> {
    let (target, anchor) = link.split_once('#').map_or((link, None), |(target, anchor)| (target, Some(anchor)));
    let inside = target.strip_prefix(REPOSITORY).or_else(|| target.strip_prefix(FOLDERS));
    // Another site, or an item of rustdoc.
    let elsewhere = inside.is_none() && (target.contains("://") || target.starts_with("mailto:"));
    if elsewhere || target.contains("::") || target.contains('@') {
        return None;
    }
    let path = match inside {
        Some(path) => PathBuf::from(path),
        None if target.is_empty() => from.to_owned(),
        None => plain(&from.parent().unwrap().join(target)),
    };
    if !root().join(&path).exists() {
        return Some("there is no such file".to_owned());
    }
    let of_the_book = chapters.contains(from) && inside.is_none();
    if of_the_book && path.extension().is_some_and(|end| end == "md") && !chapters.contains(&path) {
        return Some(format!("this is no chapter of the book: write {REPOSITORY}{}", path.display()));
    }
    if of_the_book && !path.starts_with("docs/guide") {
        return Some(format!("this lies outside of the book: write {REPOSITORY}{}", path.display()));
    }
    let anchor = anchor?;
    match pages.get(&path) {
        Some(page) if anchors(page).contains(anchor) => None,
        Some(_) => Some("the page has no such heading".to_owned()),
        None => Some("only Markdown has headings".to_owned()),
    }
}

#[test]
fn lead_somewhere() {
    let mut all = BTreeMap::new();
    pages(&root(), &mut all);
    let summary = Path::new("docs/guide/SUMMARY.md");
    let chapters: BTreeSet<PathBuf> =
        links(&all[summary]).into_iter().map(|(_, link)| Path::new("docs/guide").join(link)).collect();
    let mut problems = Vec::new();
    let mut checked = 0;
    for (page, text) in &all {
        for (line, link) in links(text) {
            checked += 1;
            if let Some(problem) = problem(page, &link, &all, &chapters) {
                problems.push(format!("{}:{line}: `{link}`: {problem}", page.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{} of {checked} links:\n{}", problems.len(), problems.join("\n"));
    assert!(checked > 300, "only {checked} links were found");
}

#[test]
fn every_page_of_the_guide_is_a_chapter() {
    let mut all = BTreeMap::new();
    pages(&root().join("docs/guide"), &mut all);
    let summary = all.remove(Path::new("docs/guide/SUMMARY.md")).unwrap();
    let chapters: BTreeSet<PathBuf> =
        links(&summary).into_iter().map(|(_, link)| Path::new("docs/guide").join(link)).collect();
    assert_eq!(chapters, all.keys().cloned().collect());
    for (page, text) in &all {
        let taken: Vec<String> =
            anchors(text).into_iter().filter(|anchor| IDS_OF_RUSTDOC.contains(&&**anchor)).collect();
        assert!(taken.is_empty(), "{}: rustdoc has other things of these names: {taken:?}", page.display());
    }
}
