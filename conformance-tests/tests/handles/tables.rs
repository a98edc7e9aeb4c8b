//! The tables in memory: which rows are members, and what linking, letting go and destroying make of them.

use std::any::Any;
use std::collections::{BTreeMap, HashMap, HashSet};

use assoc_core::Value;
use assoc_core::metadata::ModelDef;
use assoc_repo::prelude::*;

use crate::kinds::{ASIDE, Condition, Consequence, Hanging, Kind, LetGo, Link, hanging, kind};
use crate::schema::*;

/// A row by the names of its columns.
pub(crate) type Cells = BTreeMap<&'static str, Value<'static>>;

/// Why nothing may be written.
pub(crate) type Refusal = String;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tables(BTreeMap<&'static str, Vec<Cells>>);

pub(crate) fn label(row: &Cells) -> String {
    match &row["label"] {
        Value::Text(label) => label.clone().into_owned(),
        other => panic!("a label of {other}"),
    }
}

pub(crate) fn cells(model: &ModelDef, row: &dyn Any) -> Cells {
    model.columns.iter().enumerate().map(|(at, column)| (column.name, model.rows.value(row, at).into_owned())).collect()
}

fn holds(row: &Cells, conditions: &[Condition]) -> bool {
    conditions.iter().all(|(column, value)| row[column] == *value)
}

/// The key of a row that the database will make.
fn unknown(label: &str) -> Value<'static> {
    Value::Text(format!("?{label}").into())
}

impl Tables {
    pub(crate) fn rows(&self, table: &str) -> &[Cells] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }

    fn rows_mut(&mut self, table: &'static str) -> &mut Vec<Cells> {
        self.0.entry(table).or_default()
    }

    pub(crate) fn row(&self, table: &str, labelled: &str) -> Option<&Cells> {
        self.rows(table).iter().find(|row| label(row) == labelled)
    }

    fn row_mut(&mut self, table: &'static str, labelled: &str) -> Option<&mut Cells> {
        self.rows_mut(table).iter_mut().find(|row| label(row) == labelled)
    }

    pub(crate) fn set(&mut self, table: &'static str, labelled: &str, column: &'static str, value: Value<'static>) {
        if let Some(row) = self.row_mut(table, labelled) {
            row.insert(column, value);
        }
    }

    // The columns of the rows that hold an owner's key, with its values.
    fn key(
        columns: &[(&'static str, &'static str)],
        tag: Option<(&'static str, &'static str)>,
        owner: &Cells,
    ) -> Cells {
        let mut key: Cells = columns.iter().map(|(column, of)| (*column, owner[of].clone())).collect();
        key.extend(tag.map(|(column, tag)| (column, Value::from(tag))));
        key
    }

    fn is_linked(kind: &Kind, owner: &Cells, target: &Cells) -> bool {
        match &kind.link {
            Link::Target { columns, tag, .. } => Self::key(columns, *tag, owner)
                .iter()
                .all(|(column, value)| target[column] == *value && !value.is_null()),
            Link::Owner { column, .. } => owner[column] == target["id"],
            Link::Between { .. } => false,
        }
    }

    /// The members of an owner, as often as each is linked.
    pub(crate) fn members(&self, kind: &Kind, owner: &Cells) -> Vec<&Cells> {
        let targets = self.rows(kind.target).iter().filter(|row| holds(row, kind.conditions));
        match &kind.link {
            Link::Between { table, owner: own, target, conditions } => {
                let targets: Vec<&Cells> = targets.collect();
                let links = self.rows(table).iter().filter(|row| row[own] == owner["id"] && holds(row, conditions));
                links.flat_map(|link| targets.iter().copied().filter(|row| row["id"] == link[target])).collect()
            }
            _ => targets.filter(|row| Self::is_linked(kind, owner, row)).collect(),
        }
    }

    pub(crate) fn insert(&mut self, kind: &Kind, labelled: &str, given: Cells) {
        let mut row = given;
        row.extend(kind.conditions.iter().cloned());
        row.insert("label", Value::from(labelled.to_owned()));
        row.entry("id").or_insert_with(|| unknown(labelled));
        if kind.target == "books" {
            row.remove("id");
        }
        self.rows_mut(kind.target).push(row);
    }

    /// Makes a row a member. A row that holds its owner's key leaves its former owner.
    pub(crate) fn link(&mut self, kind: &Kind, owner: &str, target: &str) {
        let Some(own) = self.row(kind.owner, owner).cloned() else { return };
        match &kind.link {
            Link::Target { columns, tag, .. } => {
                let key = Self::key(columns, *tag, &own);
                if let Some(row) = self.row_mut(kind.target, target) {
                    row.extend(key);
                }
            }
            Link::Between { table, owner: here, target: there, conditions } => {
                let Some(id) = self.row(kind.target, target).map(|row| row["id"].clone()) else { return };
                let mut row = Cells::from([(*here, own["id"].clone()), (*there, id)]);
                if *table == "memberships" {
                    row.insert("role", Value::Null);
                }
                row.extend(conditions.iter().cloned());
                self.rows_mut(table).push(row);
            }
            Link::Owner { column, .. } => {
                let Some(id) = self.row(kind.target, target).map(|row| row["id"].clone()) else { return };
                if let Some(row) = self.row_mut(kind.owner, owner) {
                    row.insert(column, id);
                }
            }
        }
    }

    /// Takes links between two rows away: this many, or all.
    pub(crate) fn unlink(&mut self, kind: &Kind, owner: &str, target: &str, count: usize) {
        let Link::Between { table, owner: here, target: there, conditions } = &kind.link else { return };
        let Some(from) = self.row(kind.owner, owner).map(|row| row["id"].clone()) else { return };
        let Some(to) = self.row(kind.target, target).map(|row| row["id"].clone()) else { return };
        let mut left = count;
        self.rows_mut(table).retain(|row| {
            let is_link = row[here] == from && row[there] == to && holds(row, conditions);
            let goes = is_link && left > 0;
            left -= usize::from(goes);
            !goes
        });
    }

    /// Lets a member go by its association's rule. `plainly`: without what depends on it.
    pub(crate) fn let_go(&mut self, kind: &Kind, owner: &str, target: &str, plainly: bool) -> Result<(), Refusal> {
        match &kind.link {
            Link::Target { let_go, .. } => match let_go {
                LetGo::Clear(columns) => {
                    if let Some(row) = self.row_mut(kind.target, target) {
                        row.extend(columns.iter().map(|column| (*column, Value::Null)));
                    }
                    Ok(())
                }
                LetGo::Destroy if !plainly => self.destroy(kind.target, target, &mut HashSet::new()),
                LetGo::Delete | LetGo::Destroy => {
                    self.rows_mut(kind.target).retain(|row| label(row) != target);
                    Ok(())
                }
                LetGo::Refuse => Err(format!("{target} cannot be without an owner")),
            },
            Link::Between { .. } => {
                self.unlink(kind, owner, target, usize::MAX);
                Ok(())
            }
            Link::Owner { column, is_required } => {
                if *is_required {
                    return Err("its owner is required".to_owned());
                }
                if let Some(row) = self.row_mut(kind.owner, owner) {
                    row.insert(column, Value::Null);
                }
                Ok(())
            }
        }
    }

    /// Whether a row may be destroyed, with all that goes with it: that is asked before anything is written.
    pub(crate) fn may_go(
        &self,
        table: &'static str,
        labelled: &str,
        seen: &mut HashSet<String>,
    ) -> Result<(), Refusal> {
        let Some(row) = self.row(table, labelled).filter(|_| seen.insert(format!("{table} {labelled}"))) else {
            return Ok(());
        };
        for hanging in hanging(table) {
            let Hanging::Rows(name, consequence) = hanging else { continue };
            let kind = kind(table, name).or_else(|| ASIDE.iter().find(|kind| kind.name == *name));
            let Some(kind) = kind else { return Err(format!("{name} is unknown")) };
            for other in self.members(kind, row) {
                match consequence {
                    Consequence::Restrict => return Err(format!("{} keeps {labelled}", label(other))),
                    Consequence::Destroy => self.may_go(kind.target, &label(other), seen)?,
                    Consequence::Clear | Consequence::Delete => {}
                }
            }
        }
        Ok(())
    }

    /// Destroys a row with what depends on it. `going` are rows that are about to go, so that rings end.
    pub(crate) fn destroy(
        &mut self,
        table: &'static str,
        labelled: &str,
        going: &mut HashSet<(&'static str, String)>,
    ) -> Result<(), Refusal> {
        if !going.insert((table, labelled.to_owned())) {
            return Ok(());
        }
        let Some(row) = self.row(table, labelled).cloned() else { return Ok(()) };
        for hanging in hanging(table) {
            match hanging {
                Hanging::Links(links, columns) => {
                    let id = &row["id"];
                    self.rows_mut(links).retain(|link| columns.iter().all(|column| link[column] != *id));
                }
                Hanging::Rows(name, consequence) => {
                    let kind = kind(table, name).or_else(|| ASIDE.iter().find(|kind| kind.name == *name));
                    let Some(kind) = kind else { return Err(format!("{name} is unknown")) };
                    let rows: Vec<String> = self.members(kind, &row).into_iter().map(label).collect();
                    for other in rows {
                        match consequence {
                            Consequence::Restrict => {}
                            Consequence::Clear => {
                                let Link::Target { columns, .. } = &kind.link else { continue };
                                if let Some(row) = self.row_mut(kind.target, &other) {
                                    row.extend(columns.iter().map(|(column, _)| (*column, Value::Null)));
                                }
                            }
                            Consequence::Delete => self.rows_mut(kind.target).retain(|row| label(row) != other),
                            Consequence::Destroy => self.destroy(kind.target, &other, going)?,
                        }
                    }
                }
            }
        }
        self.rows_mut(table).retain(|row| label(row) != labelled);
        Ok(())
    }

    /// Counters say how many rows there are.
    pub(crate) fn count(&mut self) {
        let mut counts: HashMap<String, i64> = HashMap::new();
        for item in self.rows("items") {
            *counts.entry(item["counted_id"].to_string()).or_default() += 1;
        }
        for owner in self.rows_mut("owners") {
            let count = counts.get(&owner["id"].to_string()).copied().unwrap_or_default();
            owner.insert("items_count", Value::Int(count));
        }
    }

    /// What can be compared: keys that were not known are taken from the rows that are there; rows between have none. Which
    /// of several links to one target goes is nowhere said, so their roles count only where a condition asks for one.
    pub(crate) fn settled(&self, actual: &Tables, with_roles: bool) -> BTreeMap<&'static str, Vec<String>> {
        let mut known: HashMap<String, Value<'static>> = HashMap::new();
        for (table, rows) in &self.0 {
            for row in rows.iter().filter(|row| row.contains_key("label")) {
                let labelled = label(row);
                if let Some(there) = actual.row(table, &labelled).and_then(|there| there.get("id")) {
                    known.insert(unknown(&labelled).to_string(), there.clone());
                }
            }
        }
        let shown = |row: &Cells| {
            let cells: Vec<String> = row
                .iter()
                .filter(|(name, _)| (**name != "id" || row.contains_key("label")) && (with_roles || **name != "role"))
                .map(|(name, value)| format!("{name}: {}", known.get(&value.to_string()).unwrap_or(value)))
                .collect();
            cells.join(", ")
        };
        let table = |(table, rows): (&&'static str, &Vec<Cells>)| {
            let mut rows: Vec<String> = rows.iter().map(shown).collect();
            rows.sort();
            (*table, rows)
        };
        self.0.iter().map(table).collect()
    }
}

macro_rules! tables {
    ($($model:ident)+; $($links:ident)+) => {
        pub(crate) async fn make_tables(repo: &Repo) -> assoc_repo::prelude::Result<()> {
            $(repo.create_table::<$model>().await?;)+
            for sql in [
                "CREATE TABLE owners_tags (owner_id BIGINT NOT NULL, tag_id BIGINT NOT NULL)",
                "CREATE TABLE friends (this_id BIGINT NOT NULL, other_id BIGINT NOT NULL)",
                "CREATE UNIQUE INDEX label_of_item ON items (label)",
                "CREATE UNIQUE INDEX label_of_part ON parts (label)",
                "CREATE UNIQUE INDEX label_of_note ON notes (label)",
            ] {
                repo.execute_raw(sql, []).await?;
            }
            Ok(())
        }

        /// The tables that an association can write to; others are as they were. A sequence ends with reading all.
        pub(crate) async fn read(repo: &Repo, before: &Tables, kind: Option<&Kind>) -> assoc_repo::prelude::Result<Tables> {
            let mut tables = before.clone();
            let is_asked = |table: &str| kind.is_none_or(|kind| kind.reaches(table));
            $(if is_asked($model::DEF.table.name) {
                let rows = repo.all(Query::<$model>::new()).await?;
                tables.0.insert($model::DEF.table.name, rows.iter().map(|row| cells($model::DEF, row)).collect());
            })+
            $(if is_asked($links::DEF.table.name) {
                let rows = repo.all(Query::<$links>::new()).await?;
                tables.0.insert($links::DEF.table.name, rows.iter().map(|row| cells($links::DEF, row)).collect());
            })+
            Ok(tables)
        }

        pub(crate) async fn empty(repo: &Repo) -> assoc_repo::prelude::Result<()> {
            $(repo.delete_all(Query::<$model>::new()).await?;)+
            $(repo.delete_all(Query::<$links>::new()).await?;)+
            Ok(())
        }
    };
}

tables! {
    Owner Item Remark Stamp Part Note Membership Group Tag Card Seat Shelf Book;
    OwnerTag Friendship
}
