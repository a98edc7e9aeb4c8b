//! Writing JSON.

use std::fmt::Write;

/// Appends a text as a JSON string.
pub(crate) fn push_string(text: &mut String, own: &str) {
    text.push('"');
    for c in own.chars() {
        match c {
            '"' | '\\' => {
                text.push('\\');
                text.push(c);
            }
            // Writing to a String cannot fail.
            c if c < ' ' => drop(write!(text, "\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text.push('"');
}
