//! Names: those that the derive infers, their parts, and the nearest name to a misspelt one.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;

use crate::inflection;

/// `BlogPost` in snake case: `blog_post`. A run of capitals is one word: `HTTPRequest` is `http_request`.
pub(crate) fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let starts_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                *before != '_' && (!before.is_uppercase() || after.is_some_and(|after| after.is_lowercase()))
            });
        if starts_word {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// The table of a struct without `table`: its name with the last word in the plural, `BlogPost` is in `blog_posts`.
pub(crate) fn table_name(name: &str) -> String {
    plural(&snake_case(name))
}

/// `blog_posts` of `blog_post`.
pub(crate) fn plural(name: &str) -> String {
    with_last_word(name, inflection::plural)
}

/// `blog_post` of `blog_posts`.
pub(crate) fn singular(name: &str) -> String {
    with_last_word(name, inflection::singular)
}

// Word by word, because some words are looked up whole: `blog_equipment` is in no list.
fn with_last_word(name: &str, change: fn(&str) -> String) -> String {
    match name.rsplit_once('_') {
        Some((before, last)) => format!("{before}_{}", change(last)),
        None => change(name),
    }
}

/// The foreign key that refers to a struct: `user_id`.
pub(crate) fn foreign_key(name: &str) -> String {
    format!("{}_id", snake_case(name))
}

/// An identifier without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The constant of a field: `USER_ID`, placed at `span`.
pub(crate) fn token(field: &str, span: Span) -> Ident {
    Ident::new(&field.to_uppercase(), span)
}

/// Whether a field can have this name.
pub(crate) fn is_field_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && letters.all(|letter| letter == '_' || letter.is_alphanumeric())
        && name != "_"
}

/// The one of `known` that `name` probably means.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

// Levenshtein's, with one row of the table in memory.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_the_plural() {
        let cases = [
            ("User", "users"),
            ("Person", "people"),
            ("Child", "children"),
            ("BlogPost", "blog_posts"),
            ("Category", "categories"),
            ("Address", "addresses"),
            ("NewsItem", "news_items"),
            ("OfficeEquipment", "office_equipment"),
            ("UserStatus", "user_statuses"),
            ("HTTPRequest", "http_requests"),
            ("OAuth2Token", "o_auth2_tokens"),
            ("Bus", "buses"),
            ("Box", "boxes"),
            ("Mouse", "mice"),
            ("SalesPerson", "sales_people"),
            ("Day", "days"),
        ];
        for (name, table) in cases {
            assert_eq!(table_name(name), table, "{name}");
        }
    }

    #[test]
    fn sources_are_in_the_singular() {
        let cases = [
            ("groups", "group"),
            ("people", "person"),
            ("blog_posts", "blog_post"),
            ("addresses", "address"),
            ("statuses", "status"),
            ("histories", "history"),
            ("own_children", "own_child"),
            ("shelves", "shelf"),
            ("knives", "knife"),
            ("archives", "archive"),
            ("moves", "move"),
            ("news", "news"),
            ("equipment", "equipment"),
        ];
        for (name, source) in cases {
            assert_eq!(singular(name), source, "{name}");
        }
    }

    #[test]
    fn foreign_keys_are_in_snake_case() {
        let cases =
            [("User", "user_id"), ("BlogPost", "blog_post_id"), ("APIKey", "api_key_id"), ("Page2", "page2_id")];
        for (name, key) in cases {
            assert_eq!(foreign_key(name), key, "{name}");
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        let options = ["foreign_key", "primary_key"];
        assert_eq!(nearest("foriegn_key", options), Some("foreign_key"));
        assert_eq!(nearest("foreignkey", options), Some("foreign_key"));
        assert_eq!(nearest("class_name", options), None);
        assert_eq!(nearest("usr_id", ["id", "user_id"]), Some("user_id"));
    }

    #[test]
    fn lists_read_as_prose() {
        assert_eq!(listed([]), "");
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    fn field_names_are_identifiers() {
        assert!(["id", "_id", "type", "größe", "a1"].iter().all(|name| is_field_name(name)));
        assert!(!["", "_", "1a", "user id", "a-b", "a.b"].iter().any(|name| is_field_name(name)));
    }
}
