//! `crates --html FILE`: what is in the page, and that it is whole.

use super::*;

/// A page that the example wrote.
pub(crate) struct Page {
    pub(crate) html: String,
    pub(crate) nodes: Vec<Node>,
}

/// A package of the picture.
pub(crate) struct Node {
    class: String,
    x: f64,
    radius: f64,
    /// As it stands in the page: escaped.
    label: String,
}

impl Page {
    /// The page of a graph. Whatever is in the graph, the page's tags are balanced and it loads nothing.
    pub(crate) fn of(metadata: &str) -> Page {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let said = crates_reading(&["--metadata", "-", "--html", path], metadata).report();
        Page::written(path, &said)
    }

    fn written(path: &str, said: &str) -> Page {
        let html = fs::read_to_string(path).unwrap();
        let title = between(&html, "<h1>", "</h1>");
        let by_a_loop = between(&html, "<p class=\"loop\">", "</p>");
        assert_eq!(said, format!("{path}: {title}; {by_a_loop}\n\nDatabase: that of the sqlite URL\n"));
        assert_balanced(&html);
        for loads in ["http:", "https:", "src=", "href", "url(", "@import", "<link", "<img", "<iframe", "fetch("] {
            assert!(!html.contains(loads), "the page holds `{loads}`");
        }
        let nodes = html.lines().filter(|line| line.starts_with("<g class=\"node")).map(Node::of).collect();
        Page { html, nodes }
    }

    #[track_caller]
    fn node(&self, label: &str) -> &Node {
        let found: Vec<&Node> = self.nodes.iter().filter(|node| node.label == label).collect();
        let [node] = found[..] else { panic!("{} nodes of `{label}`", found.len()) };
        node
    }
}

impl Node {
    fn of(line: &str) -> Node {
        let number = |name: &str| between(line, &format!(" {name}=\""), "\"").parse().unwrap();
        Node {
            class: between(line, "<g class=\"", "\"").to_owned(),
            x: number("cx"),
            radius: number("r"),
            label: between(between(line, "<text ", "/text>"), ">", "<").to_owned(),
        }
    }
}

#[track_caller]
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("`{start}` is missing in: {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("`{end}` is missing in: {rest}")).0
}

/// Every tag that is opened is closed, in order.
#[track_caller]
fn assert_balanced(html: &str) {
    let mut rest = html.strip_prefix("<!DOCTYPE html>").expect("it says that it is HTML");
    let mut open: Vec<&str> = Vec::new();
    while let Some((_, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "before: {:.200}", rest);
            continue;
        }
        let name = tag.split_whitespace().next().unwrap_or_default();
        assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()), "a tag `<{tag}>`");
        if matches!(name, "meta" | "input") || tag.ends_with('/') {
            continue;
        }
        open.push(name);
        // What is in there is no HTML.
        if matches!(name, "script" | "style") {
            let end = rest.find(&format!("</{name}>")).expect("it is closed");
            rest = &rest[end..];
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
}

#[test]
fn each_package_once_in_layers() {
    let page = Page::of(&metadata(20));
    assert_has(
        &page.html,
        &[
            "<title>20 packages, 108 dependencies, 2 statements</title>",
            "<p class=\"loop\">1 + 20 + 108 = 129 statements by a loop</p>",
            "└─ dependencies: has_many Dependency [2]\n",
            "<summary>SQL</summary>\n<pre>[1] SELECT ",
            "data-show=\"own\">1 of the workspace<",
            "data-show=\"several\">2 in several versions<",
        ],
    );
    assert_eq!(page.nodes.len(), 20);
    // Needed in two ways, it is one edge.
    assert_eq!(page.html.matches("<path class=\"edge\"").count(), 54);
    let mut labels = vec!["package-0 1.0.0".to_owned(), "package-1 1.0.0".to_owned(), "package-1 2.0.0".to_owned()];
    labels.extend((3..20).map(|number| format!("package-{number} 1.0.0")));
    let nodes: Vec<&Node> = labels.iter().map(|label| page.node(label)).collect();
    // Each needs the one before it, so each is in a layer of its own, and the one before it has more dependents.
    for pair in nodes.windows(2) {
        assert!(pair[0].x > pair[1].x, "{} and {}", pair[0].label, pair[1].label);
        assert!(pair[0].radius > pair[1].radius, "{} and {}", pair[0].label, pair[1].label);
    }
    for node in &nodes {
        let expected = match node.label.as_str() {
            "package-19 1.0.0" => "node own",
            "package-1 1.0.0" | "package-1 2.0.0" => "node several",
            _ => "node",
        };
        assert_eq!(node.class, expected, "{}", node.label);
    }
}

#[test]
fn of_this_workspace() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let page = Page::written(path, &crates(&["--html", path]).report());
    let count = page.nodes.len();
    assert_has(&page.html, &[&format!("<h1>{count} packages, "), &format!("<p class=\"loop\">1 + {count} + ")]);
    for node in &page.nodes {
        page.node(&node.label);
    }
    assert!(page.node("assoc-repo 0.1.0").class.contains("own"));
}

#[test]
fn names_are_text() {
    let json = r#"{"packages":[
            {"id":"a","name":"<script>alert(1)</script>","version":"1.0.0' & \"2\"","source":null,"license":null}],
        "workspace_members":[],
        "resolve":{"nodes":[{"id":"a","deps":[]}]}}"#;
    let page = Page::of(json);
    page.node("&lt;script&gt;alert(1)&lt;/script&gt; 1.0.0&#39; &amp; &quot;2&quot;");
    assert_eq!(page.html.matches("<script").count(), 1, "the page's own");
    assert!(!page.html.contains("<script>alert"));
}

#[test]
fn a_file_that_cannot_be_written() {
    let line = crates_reading(&["--metadata", "-", "--html", "/nowhere/page.html"], &metadata(5)).failure(1);
    assert!(line.starts_with("cannot write `/nowhere/page.html`: "), "{line}");
}
