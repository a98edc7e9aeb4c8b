//! What is given to a handle: rows that exist, new ones, and wrong ones.

use assoc_repo::Changeset;
use assoc_repo::prelude::*;

use crate::kinds::Kind;
use crate::schema::*;
use crate::tables::{Cells, Refusal, Tables, cells, label};

/// A model whose rows are known by their label.
pub(crate) trait Labelled: Model + PartialEq + std::fmt::Debug {
    const LABEL: Column<Self, String>;

    /// A new row; `open` where the model has that column.
    fn draft(label: &str, open: Option<bool>) -> Changeset<Self>;
}

macro_rules! labelled {
    ($($model:ident $(($open:ident))? $(<$isbn:ident>)?),+) => {$(
        impl Labelled for $model {
            const LABEL: Column<Self, String> = $model::LABEL;

            fn draft(label: &str, open: Option<bool>) -> Changeset<Self> {
                let draft = $model::build().set($model::LABEL, label);
                let _ = open;
                $(let draft = match open {
                    Some(open) => draft.set($model::$open, open),
                    None => draft,
                };)?
                $(let draft = draft.set($model::$isbn, label);)?
                draft
            }
        }
    )+};
}

labelled! { Shelf, Owner, Item(OPEN), Part, Note(OPEN), Group(OPEN), Tag, Card, Book<ISBN> }

/// A row before anything is set.
pub(crate) fn blank<T: Labelled>(labelled: &str, open: Option<bool>) -> Cells {
    let mut row = Cells::new();
    for column in T::DEF.columns {
        let value = match column.name {
            "id" => continue,
            "open" => Value::Bool(open.unwrap_or(false)),
            "isbn" => Value::from(labelled.to_owned()),
            _ => Value::Null,
        };
        row.insert(column.name, value);
    }
    row
}

/// What is given to an association.
#[derive(Debug)]
pub(crate) enum Given<T> {
    Row(T),
    New { label: String, open: Option<bool> },
    Wrong,
}

impl<T: Labelled> Given<T> {
    /// The label of a new row.
    pub(crate) fn label(&self) -> Option<&str> {
        match self {
            Given::New { label, .. } => Some(label),
            _ => None,
        }
    }

    pub(crate) fn changeset(&self) -> Changeset<T> {
        match self {
            Given::Row(row) => row.change(),
            Given::New { label, open } => T::draft(label, *open),
            Given::Wrong => T::build(),
        }
    }

    /// Enters a new row, and answers with its label.
    pub(crate) fn enter(&self, tables: &mut Tables, kind: &Kind) -> Result<String, Refusal> {
        let contradicts = |open: &Value<'_>| kind.conditions.iter().any(|(_, value)| value != open);
        match self {
            Given::Row(row) => {
                let row = cells(T::DEF, row);
                let labelled = label(&row);
                if row.get("open").is_some_and(contradicts) {
                    return Err(format!("{labelled} is outside of the conditions"));
                }
                match tables.row(kind.target, &labelled) {
                    Some(_) => Ok(labelled),
                    None => Err(format!("{labelled} is gone")),
                }
            }
            Given::New { label, open } => {
                if open.is_some_and(|open| contradicts(&Value::Bool(open))) {
                    return Err(format!("{label} contradicts the conditions"));
                }
                tables.insert(kind, label, blank::<T>(label, *open));
                Ok(label.clone())
            }
            Given::Wrong => Err("a row without a label".to_owned()),
        }
    }
}
