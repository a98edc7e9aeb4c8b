//! What callbacks and `delete_sql` of the suite's models write when rows are destroyed, said once more for the rows in memory.

use assoc_core::Value;
use assoc_core::metadata::ModelDef;
use assoc_repo::prelude::*;

use crate::tables::{Handle, Row, Tables};

/// The table that dancers write to, which has no model in the suite.
#[derive(Model, Debug, Clone)]
#[model(table = "notes")]
struct Note {
    what: String,
    name: String,
}

/// A column that SQL of links writes, and no model of the suite knows.
#[derive(Model, Debug, Clone)]
#[model(table = "musicians_pieces")]
struct PieceNote {
    note: Option<String>,
}

/// A column that SQL of links writes, and no model of the suite knows.
#[derive(Model, Debug, Clone)]
#[model(table = "artists_styles")]
struct StyleNote {
    note: Option<String>,
}

/// Tables and columns of a world that none of its models has.
pub(crate) fn models(world: &str) -> Vec<&'static ModelDef> {
    match world {
        "circles" => vec![Note::DEF],
        "orchestra" => vec![PieceNote::DEF],
        "studio" => vec![StyleNote::DEF],
        _ => Vec::new(),
    }
}

/// Tables whose rows callbacks make: the database makes their keys.
pub(crate) const MADE: [&str; 1] = ["audits"];

/// Models, by their worlds, whose callbacks destroy and insert by handles in the midst of what is destroyed, or write the very row
/// that goes: cases say what comes of it.
pub(crate) const JUDGED_BY_CASES: [(&str, &str); 2] = [("orchard", "Shoot"), ("binders", "Folder")];

/// What `before_destroy` of the rows that are given has written when it is read which rows go.
pub(crate) fn before_destroy(before: &Tables, model: &ModelDef, roots: &[Handle]) -> Tables {
    let mut tables = before.clone();
    // Other worlds have books without callbacks.
    if model.name != "Book" || model.callbacks.is_none() {
        return tables;
    }
    for root in roots {
        let book = before.row(*root)["id"].clone();
        let is_kept = |page: &Row| page["book_id"] == book && page["text"] == Value::from("kept");
        let kept: Vec<Handle> = before.rows("pages").filter(|(_, page)| is_kept(page)).map(|(page, _)| page).collect();
        kept.into_iter().for_each(|page| _ = tables.row_mut(page).insert("book_id", Value::Null));
        let sale = [("id", Value::Int(0)), ("book_id", book), ("amount", Value::Int(0))];
        tables.add("sales", sale.into_iter().collect());
    }
    tables
}

/// What callbacks write about a row that is destroyed.
pub(crate) fn destroyed(tables: &mut Tables, model: &ModelDef, row: &Row) {
    match model.name {
        "Sale" => {
            tables.add("audits", [("id", Value::Int(0)), ("amount", row["amount"].clone())].into_iter().collect())
        }
        "Dancer" => {
            let note = [("what", Value::from("after_destroy")), ("name", row["name"].clone())];
            tables.add("notes", note.into_iter().collect());
        }
        _ => {}
    }
}

/// What `delete_sql` makes of a link between an owner of a model and a target.
pub(crate) fn unlink(model: &ModelDef, owner: &Row, target: &Row, link: &mut Row) {
    match model.name {
        "Musician" => {
            let Value::Int(key) = owner["id"] else { panic!("a musician has a number: {owner:?}") };
            let text = |row: &Row, column: &str| match &row[column] {
                Value::Text(text) => text.to_string(),
                other => panic!("{column} is text, and not {other:?}"),
            };
            link.insert("musician_id", Value::Int(-key));
            let note = format!("{} played {}", text(owner, "name"), text(target, "title"));
            link.insert("note", Value::from(note));
        }
        "Artist" => _ = link.insert("style_id", Value::Int(0)),
        other => panic!("{other}: what its `delete_sql` does is to be said here"),
    }
}
