//! Any text as raw SQL, read by the scanner under the syntax of each kind of database.
//!
//! A naive lexer finds the same placeholders and ends of comments, and what the scanner takes swallows nothing of the
//! statement around it. The core's tests look at the same property with random texts.

// A target tells by a panic.
#![allow(clippy::panic)]

#[path = "../../assoc-core/tests/raw_sql/property.rs"]
mod property;

/// Reads an input as text: whole, and from its middle, so that marks meet in other places too.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    property::scanning_holds(&text);
    if let Some((_, rest)) = text.char_indices().nth(text.chars().count() / 2).map(|(at, _)| text.split_at(at)) {
        property::scanning_holds(rest);
    }
}
