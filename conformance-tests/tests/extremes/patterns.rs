//! Patterns of `like`, empty, with wildcards, with what escapes, with a NUL and very long ones.

use std::sync::Arc;

use assoc_repo::prelude::*;
use conformance_tests::Backend;

use crate::Extreme;
use crate::check::{is_refused, short};

/// Whether a text is like a pattern.
fn is_like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|from| is_like(&text[from..], rest)),
        ['_', rest @ ..] => !text.is_empty() && is_like(&text[1..], rest),
        ['\\', one, rest @ ..] | [one, rest @ ..] => text.first() == Some(one) && is_like(&text[1..], rest),
    }
}

pub(crate) fn patterns(backend: &dyn Backend) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = backend.fresh().await.unwrap();
        let repo = Repo::from_driver(Arc::clone(database.driver()));
        repo.create_table::<Extreme>().await.unwrap();
        let mut texts = Vec::new();
        // SQLite reads a text up to its first NUL, which the guide says.
        let last = if backend.name() == "sqlite" { "b" } else { "a\0b" };
        for text in ["", "a", "ab", "a%b", "a_b", "a\\b", "\u{1F980}", "\n", last] {
            match repo.insert(Extreme::build().set(Extreme::TEXT, text)).await {
                Ok(_) => texts.push(text),
                Err(error) => assert!(is_refused(&error), "{text:?}: {error}"),
            }
        }
        let long = ["x".repeat(1 << 20), "%_".repeat(1 << 15)];
        let known = ["", "%", "_", "__", "a%", "%b", "a\\%b", "a\\_b", "a\\\\b", "a\0%", "a\0b", "%\0", "\0"];
        for pattern in known.into_iter().chain(long.iter().map(String::as_str)) {
            let letters: Vec<char> = pattern.chars().collect();
            let like = |text: &&&str| is_like(&text.chars().collect::<Vec<_>>(), &letters);
            let expected = if letters.len() > 100 { 0 } else { texts.iter().filter(like).count() as u64 };
            for (filter, expected) in [
                (Extreme::TEXT.like(pattern), expected),
                (Extreme::TEXT.not_like(pattern), texts.len() as u64 - expected),
            ] {
                match repo.count(Query::filter(filter)).await {
                    Ok(found) => assert_eq!(found, expected, "{}: like {}", backend.name(), short(pattern)),
                    Err(error) => assert!(
                        is_refused(&error) && (pattern.contains('\0') || letters.len() > 100),
                        "{}: like {}: {error}",
                        backend.name(),
                        short(pattern)
                    ),
                }
            }
        }
    });
}
