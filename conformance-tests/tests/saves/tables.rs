//! The tables as they are, and rows of them as structs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use assoc_core::change::Row;
use assoc_core::metadata::ModelDef;
use assoc_repo::prelude::*;

use crate::schema::*;

/// A row by the names of its columns.
pub(crate) type Cells = BTreeMap<&'static str, Value<'static>>;

/// The rows of each table. A row that went is `None`, so that others keep their places.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tables(pub(crate) BTreeMap<&'static str, Vec<Option<Cells>>>);

/// A row by its table and place.
pub(crate) type Handle = (&'static str, usize);

impl Tables {
    pub(crate) fn of(&self, table: &str) -> &[Option<Cells>] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn rows<'t>(&'t self, table: &'static str) -> impl Iterator<Item = (Handle, &'t Cells)> {
        self.of(table).iter().enumerate().filter_map(move |(at, row)| Some(((table, at), row.as_ref()?)))
    }

    pub(crate) fn row(&self, (table, at): Handle) -> &Cells {
        self.0[table][at].as_ref().expect("a row that is there")
    }

    pub(crate) fn row_mut(&mut self, (table, at): Handle) -> &mut Cells {
        self.0.get_mut(table).expect("a table")[at].as_mut().expect("a row that is there")
    }

    pub(crate) fn add(&mut self, table: &'static str, row: Cells) -> Handle {
        let rows = self.0.entry(table).or_default();
        rows.push(Some(row));
        (table, rows.len() - 1)
    }

    pub(crate) fn remove(&mut self, (table, at): Handle) {
        self.0.get_mut(table).expect("a table")[at] = None;
    }

    /// The place of a struct's row.
    pub(crate) fn find(&self, model: &'static ModelDef, row: &dyn std::any::Any) -> Option<Handle> {
        let own = cells(model, row);
        let key = |row: &Cells| model.primary_key_names().all(|name| row[name] == own[name]);
        self.rows(model.table.name).find(|(_, row)| key(row)).map(|(handle, _)| handle)
    }

    /// What can be compared: known rows by their labels, others without their own key, each in a stable order. Keys that
    /// were not known are taken from the rows that are there.
    pub(crate) fn settled(&self, actual: &Tables) -> BTreeMap<&'static str, Vec<String>> {
        let mut known: HashMap<String, Value<'static>> = HashMap::new();
        for (table, rows) in &self.0 {
            let labelled: HashMap<_, _> =
                actual.rows(table).filter_map(|(_, row)| Some((row.get("label")?.to_string(), row))).collect();
            for row in rows.iter().flatten() {
                let Some(there) = row.get("label").and_then(|label| labelled.get(&label.to_string())) else { continue };
                for (name, value) in row {
                    if is_unknown(value) && *name == "id" {
                        known.insert(value.to_string(), there[name].clone());
                    }
                }
            }
        }
        let shown = |row: &Cells| {
            let row: Cells = row
                .iter()
                .filter(|(name, _)| **name != "id" || row.contains_key("label"))
                .map(|(name, value)| (*name, known.get(&value.to_string()).unwrap_or(value).clone()))
                .collect();
            let cells: Vec<String> = row.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            cells.join(", ")
        };
        let table = |(table, rows): (&&'static str, &Vec<Option<Cells>>)| {
            let mut rows: Vec<String> = rows.iter().flatten().map(shown).collect();
            rows.sort();
            (*table, rows)
        };
        self.0.iter().map(table).collect()
    }
}

/// A key that the database, or a function, will make.
pub(crate) fn unknown(number: usize) -> Value<'static> {
    Value::Text(format!("?{number}").into())
}

fn is_unknown(value: &Value<'_>) -> bool {
    matches!(value, Value::Text(text) if text.starts_with('?'))
}

pub(crate) fn cells(model: &ModelDef, row: &dyn std::any::Any) -> Cells {
    model.columns.iter().enumerate().map(|(at, column)| (column.name, model.rows.value(row, at).into_owned())).collect()
}

/// Structs of all models, to be given to associations.
pub(crate) type Structs = HashMap<&'static str, Vec<Row>>;

macro_rules! tables {
    ($($model:ident)+; $($shared:ident)+; $($links:ident)+) => {
        pub(crate) async fn make_tables(repo: &Repo) -> Result<()> {
            $(repo.create_table::<$model>().await?;)+
            repo.create_table::<Beast>().await?;
            for sql in [
                "CREATE TABLE posts_tags (post_id BIGINT NOT NULL, tag_id BIGINT NOT NULL)",
                "CREATE TABLE friends (this_id BIGINT NOT NULL, other_id BIGINT NOT NULL)",
                "CREATE TABLE users_skills (user_id BIGINT NOT NULL, skill_id BIGINT NOT NULL, level BIGINT NULL)",
            ] {
                repo.execute_raw(sql, []).await?;
            }
            Ok(())
        }

        pub(crate) async fn read(repo: &Repo) -> Result<(Tables, Structs)> {
            let (mut tables, mut structs) = (Tables::default(), Structs::new());
            $(
                let rows = repo.all(Query::<$model>::new()).await?;
                tables.0.insert($model::DEF.table.name, rows.iter().map(|row| Some(cells($model::DEF, row))).collect());
                structs.insert($model::DEF.name, rows.into_iter().map(|row| Arc::new(row) as Row).collect());
            )+
            $(
                let rows = repo.all(Query::<$shared>::new()).await?;
                structs.insert($shared::DEF.name, rows.into_iter().map(|row| Arc::new(row) as Row).collect());
            )+
            $(
                let rows = repo.all(Query::<$links>::new()).await?;
                tables.0.insert($links::DEF.table.name, rows.iter().map(|row| Some(cells($links::DEF, row))).collect());
            )+
            Ok((tables, structs))
        }

        /// The models that a save may begin with.
        pub(crate) const MODELS: &[&ModelDef] = &[$($model::DEF,)+ $($shared::DEF,)+];

        /// Saves changes of new rows, or of one row that exists, and answers with what came back, as text of what differs
        /// from a fresh read.
        pub(crate) fn saver(model: &'static ModelDef) -> crate::Saver {
            $(if model == $model::DEF {
                return |repo, changes| Box::pin(crate::compare::save::<$model>(repo, changes));
            })+
            $(if model == $shared::DEF {
                return |repo, changes| Box::pin(crate::compare::save::<$shared>(repo, changes));
            })+
            panic!("there is no model {}", model.name)
        }

        /// A row of a model with some of its associations loaded.
        pub(crate) fn loader(model: &'static ModelDef) -> crate::Loader {
            $(if model == $model::DEF {
                return |repo, row, paths| Box::pin(crate::compare::load::<$model>(repo, row, paths));
            })+
            $(if model == $shared::DEF {
                return |repo, row, paths| Box::pin(crate::compare::load::<$shared>(repo, row, paths));
            })+
            panic!("there is no model {}", model.name)
        }
    };
}

tables! {
    Company User Account Draft Post Comment Tag Skill Tagging Topic Membership Group Picture Login Shelf Book Country City
    Device Keeper;
    Dog Cat;
    Beast PostTag Friendship UserSkill
}
