//! The chapter about backends shows what the template backend has: each of its blocks that names a file is in that file.

// A test fails by panicking.
#![allow(clippy::expect_used, clippy::panic)]

use std::path::Path;

#[test]
fn the_chapter_shows_the_template() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(docs.join("guide/backends.md")).expect("the chapter about backends");
    let mut blocks = 0;
    for block in page.split("```rust,ignore\n// ").skip(1) {
        let (block, _) = block.split_once("\n```").expect("the end of a block");
        let (file, code) = block.split_once('\n').expect("a file and its code");
        let source = docs.join("../examples/template-backend").join(file);
        let source = std::fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        assert!(source.contains(code), "the template's {file} has no such part:\n{code}");
        blocks += 1;
    }
    assert!(blocks >= 8, "only {blocks} blocks name their files");
    let lines = ["lib", "connection", "dialect", "numbers", "values"].map(|name| {
        let source = std::fs::read_to_string(docs.join(format!("../examples/template-backend/src/{name}.rs")));
        let source = source.expect("a file of the template");
        source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
    });
    assert!(lines.iter().sum::<usize>() < 400, "the template has less than 400 lines of code: {lines:?}");
}
