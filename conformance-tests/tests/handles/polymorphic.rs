//! Calls of a polymorphic `belongs_to`: its note holds key and type of a row of one of two models.

use assoc_core::LoadState;
use assoc_repo::prelude::*;

use crate::memory::remembered;
use crate::random::Random;
use crate::schema::*;
use crate::tables::{Cells, Refusal, Tables, cells, label, read};
use crate::{Ended, Outcomes, is_refusal};

#[derive(Debug)]
enum Write {
    Owner(Box<Owner>),
    Item(Box<Item>),
    Value(Box<Subject>),
    NewOwner(String),
    NewItem(String),
    // A row without a label.
    Wrong,
    Clear,
}

pub(crate) struct Scene<'s> {
    pub(crate) note: String,
    pub(crate) tables: Tables,
    pub(crate) random: &'s mut Random,
    pub(crate) labels: &'s mut u64,
    pub(crate) log: Vec<String>,
    pub(crate) outcomes: &'s mut Outcomes,
}

// What a note refers to, by its columns: a table and a label.
fn referred(tables: &Tables, note: &Cells) -> Option<(&'static str, String)> {
    let table = match &note["subject_type"] {
        Value::Text(tag) if tag == "Owner" => "owners",
        Value::Text(tag) if tag == "item" => "items",
        _ => return None,
    };
    tables.rows(table).iter().find(|row| row["id"] == note["subject_id"]).map(|row| (table, label(row)))
}

fn shown(subject: Option<&Subject>) -> Option<(&'static str, String)> {
    subject.map(|subject| match subject {
        Subject::Owner(owner) => ("owners", owner.label.clone()),
        Subject::Item(item) => ("items", item.label.clone()),
    })
}

impl Scene<'_> {
    fn row(&self) -> Cells {
        self.tables.row("notes", &self.note).cloned().unwrap_or_default()
    }

    fn new_label(&mut self) -> String {
        *self.labels += 1;
        format!("k{}", self.labels)
    }

    async fn write(&mut self, repo: &Repo) -> Result<Write> {
        let owners = repo.all(Query::<Owner>::new()).await?;
        let items = repo.all(Query::<Item>::new()).await?;
        let owner = owners.get(self.random.below(owners.len())).cloned();
        let item = items.get(self.random.below(items.len())).cloned();
        Ok(match (self.random.below(9), owner, item) {
            (0 | 1, Some(owner), _) => Write::Owner(Box::new(owner)),
            (2 | 3, _, Some(item)) => Write::Item(Box::new(item)),
            (4, Some(owner), _) => Write::Value(Box::new(Subject::Owner(owner))),
            (5, _, Some(item)) => Write::Value(Box::new(Subject::Item(item))),
            (6, ..) if self.random.once_in(4) => Write::Wrong,
            (6, ..) => Write::NewItem(self.new_label()),
            (7, ..) => Write::NewOwner(self.new_label()),
            _ => Write::Clear,
        })
    }

    // Whether it is refused, or the table and the label that the note refers to afterwards.
    fn judge(&self, write: &Write) -> std::result::Result<Option<(&'static str, String)>, Refusal> {
        Ok(match write {
            Write::Owner(owner) => Some(("owners", owner.label.clone())),
            Write::Item(item) => Some(("items", item.label.clone())),
            Write::Value(value) => shown(Some(value)),
            Write::NewOwner(label) => Some(("owners", label.clone())),
            Write::NewItem(label) => Some(("items", label.clone())),
            Write::Wrong => return Err("a row without a label".to_owned()),
            Write::Clear => None,
        })
    }

    /// One call.
    pub(crate) async fn call(&mut self, repo: &Repo, note: &mut Note) -> Ended {
        let told = |error: Error| error.to_string();
        if self.random.once_in(3) {
            return self.read(repo, note).await;
        }
        let write = self.write(repo).await.map_err(told)?;
        self.log.push(format!("subject of {}: {write:?}", self.note));
        let before = note.clone();
        let mut subject = repo.association(&mut *note, Note::SUBJECT);
        let result = match &write {
            Write::Owner(owner) => subject.set(&**owner).await,
            Write::Item(item) => subject.set(&**item).await,
            Write::Value(value) => subject.set(&**value).await,
            Write::NewOwner(label) => subject.set(Owner::build().set(Owner::LABEL, &**label)).await,
            Write::NewItem(label) => subject.set(Item::build().set(Item::LABEL, &**label)).await,
            Write::Wrong => subject.set(Item::build()).await,
            Write::Clear => subject.clear().await,
        };
        let actual = read(repo, &self.tables, None).await.map_err(told)?;
        match (self.judge(&write), result) {
            (Ok(wanted), Ok(())) => {
                let row = actual.row("notes", &self.note).cloned().unwrap_or_default();
                // A reference that the note in memory has already need not be written: another copy may have changed the row since.
                let own = cells(Note::DEF, &before);
                let is_same = match &wanted {
                    Some(_) => referred(&self.tables, &own) == wanted,
                    None => own["subject_id"].is_null() && own["subject_type"].is_null(),
                };
                let holds = match &wanted {
                    _ if is_same && row == self.row() => true,
                    Some(_) => referred(&actual, &row) == wanted,
                    None => row["subject_id"].is_null() && row["subject_type"].is_null(),
                };
                if !holds {
                    return Err(format!("the note is {row:?} and should refer to {wanted:?}"));
                }
                let memory = repo.association(&*note, Note::SUBJECT);
                let held = memory.target().map(shown);
                if held != Some(wanted.clone()) {
                    return Err(format!("in memory is {held:?}, and not {wanted:?}"));
                }
                // The note in memory may be an old one, but its key and type are those that it refers to.
                let own = cells(Note::DEF, note);
                if self.row() == cells(Note::DEF, &before) && own != row {
                    return Err(format!("the note is {own:?}, and in the table {row:?}"));
                }
                let new = usize::from(matches!(write, Write::NewOwner(_) | Write::NewItem(_)));
                let rows = |tables: &Tables| tables.rows("owners").len() + tables.rows("items").len();
                if rows(&actual) != rows(&self.tables) + new || !self.others_stay(&actual) {
                    return Err("another row has changed".to_owned());
                }
                self.outcomes.written += 1;
            }
            (Err(why), Ok(())) => return Err(format!("should have been refused: {why}")),
            (Err(_), Err(error)) if is_refusal(&error) => {
                if actual != self.tables || *note != before {
                    return Err("refused, and something has changed".to_owned());
                }
                self.outcomes.refused += 1;
            }
            (_, Err(error)) => return Err(error.to_string()),
        }
        self.tables = actual;
        Ok(())
    }

    // All rows that were there, but for the note.
    fn others_stay(&self, actual: &Tables) -> bool {
        ["owners", "items", "notes"].into_iter().all(|table| {
            let rows = self.tables.rows(table).iter();
            rows.filter(|row| label(row) != self.note).all(|row| actual.row(table, &label(row)) == Some(row))
        })
    }

    async fn read(&mut self, repo: &Repo, note: &mut Note) -> Ended {
        let before = remembered(note)["subject"].clone();
        let is_whole = before.state == LoadState::Loaded;
        // The note in memory has the key.
        let there = referred(&self.tables, &cells(Note::DEF, note));
        let held = repo.association(&*note, Note::SUBJECT).target().and_then(shown);
        let choice = self.random.below(5);
        self.log.push(format!("subject of {}: read {choice}", self.note));
        let wanted = if is_whole && choice != 3 { held } else { there };
        let mut subject = repo.association(note, Note::SUBJECT);
        let work = async {
            Ok(match choice {
                0 => shown(subject.get().await?.as_ref()) == wanted,
                1 => subject.exists().await? == wanted.is_some(),
                2 => shown(subject.load().await?) == wanted && subject.state() == LoadState::Loaded,
                3 => shown(subject.reload().await?) == wanted && subject.state() == LoadState::Loaded,
                _ => {
                    subject.reset();
                    subject.state() == LoadState::NotLoaded
                }
            })
        };
        let (result, statements) = repo.count_statements(work).await;
        let holds = result.map_err(|error: Error| error.to_string())?;
        if !holds {
            return Err(format!("read {choice} is not {wanted:?}"));
        }
        if statements > usize::from(!is_whole || choice == 3) {
            return Err(format!("{statements} statements of read {choice}"));
        }
        self.outcomes.read += 1;
        Ok(())
    }
}
