//! Calls of a collection: what is said, what it should come to, and what it came to.

use std::collections::HashSet;

use assoc_core::LoadState;
use assoc_repo::prelude::*;
use assoc_repo::{Collection, ToManyAssociation, WritableMany};

use crate::given::{Given, Labelled};
use crate::kinds::{Kind, LetGo, Link};
use crate::memory::{Expected, Memory, check, check_others, remembered};
use crate::random::Random;
use crate::tables::{Cells, Refusal, Tables, cells, label, read};

#[derive(Debug)]
enum Write<T: Model> {
    Push(Vec<Given<T>>),
    Create(Vec<Given<T>>),
    Replace(Vec<Given<T>>),
    SetIds(Vec<T>, Option<T>),
    Delete(Vec<T>),
    Destroy(Vec<T>),
    DeleteAll,
    DestroyAll,
    FindOrCreate(Given<T>, String),
    FindOrBuild(Given<T>, String),
    InsertAll(Vec<Given<T>>),
    DeleteIds(Vec<T>),
    DestroyIds(Vec<T>),
}

pub(crate) struct Scene<'s, T> {
    pub(crate) kind: &'static Kind,
    pub(crate) owner: String,
    pub(crate) tables: Tables,
    pub(crate) random: &'s mut Random,
    pub(crate) labels: &'s mut u64,
    /// Rows as they once were.
    pub(crate) stale: Vec<T>,
    pub(crate) log: Vec<String>,
    pub(crate) outcomes: &'s mut crate::Outcomes,
}

impl<T: Labelled> Scene<'_, T> {
    /// Judges a call that was to be refused: it has failed, with tables and owner as they were.
    pub(crate) fn judge_refusal<O: Labelled>(
        &mut self,
        why: &str,
        result: assoc_repo::prelude::Result<()>,
        actual: &Tables,
        (before, after): (&O, &O),
    ) -> std::result::Result<(), String> {
        match result {
            Ok(()) => return Err(format!("should have been refused: {why}")),
            Err(error) if !crate::is_refusal(&error) => {
                return Err(format!("{error}, where it should be refused: {why}"));
            }
            Err(_) => {}
        }
        same(self.kind, &self.tables, actual).map_err(|what| format!("refused, and written all the same: {what}"))?;
        if before != after {
            return Err(format!("refused, and the owner has changed: {after:?}"));
        }
        self.outcomes.refused += 1;
        Ok(())
    }

    /// Takes the tables as they are now, and keeps some of the rows as they were.
    pub(crate) fn go_on(&mut self, rows: Vec<T>, actual: Tables) {
        self.stale.extend(rows);
        let excess = self.stale.len().saturating_sub(30);
        self.stale.drain(..excess);
        self.tables = actual;
    }

    pub(crate) fn new_label(&mut self) -> String {
        *self.labels += 1;
        format!("{}{}", ["k", "b", "x"][self.random.below(3)], self.labels)
    }

    fn is_between(&self) -> bool {
        matches!(self.kind.link, Link::Between { .. })
    }

    pub(crate) fn row(&self) -> Cells {
        self.tables.row(self.kind.owner, &self.owner).cloned().unwrap_or_default()
    }

    fn members(&self) -> Vec<String> {
        self.tables.members(self.kind, &self.row()).into_iter().map(label).collect()
    }

    pub(crate) fn new_given(&mut self) -> Given<T> {
        if self.random.once_in(12) {
            return Given::Wrong;
        }
        let open = (T::DEF.columns.iter().any(|column| column.name == "open") && self.random.once_in(3))
            .then(|| !self.random.once_in(3));
        Given::New { label: self.new_label(), open }
    }

    // A row that exists, which is seldom one that was read long ago.
    pub(crate) fn some_row(&mut self, rows: &[T], besides: &[Given<T>]) -> Option<T> {
        let is_given =
            |row: &T| besides.iter().any(|given| matches!(given, Given::Row(other) if other.key() == row.key()));
        let from = if self.random.once_in(6) { &self.stale } else { rows };
        let row = from.get(self.random.below(from.len())).cloned()?;
        let labelled = label(&cells(T::DEF, &row));
        // A row between that leads to a row that is gone is no member, and nothing says more of it. The owner itself is not
        // written by a handle of it.
        let is_gone = self.tables.row(self.kind.target, &labelled).is_none();
        // A row whose primary key has changed since is another row.
        let there = self.tables.row(self.kind.target, &labelled);
        let held = cells(T::DEF, &row);
        if there.is_some_and(|there| T::DEF.primary_key_names().any(|name| there[name] != held[name])) {
            return None;
        }
        let leave_out = !self.is_between() && is_given(&row) || self.is_between() && is_gone || labelled == self.owner;
        (!leave_out).then_some(row)
    }

    /// The label of a row that is given as it once was.
    pub(crate) fn once(&self, given: &Given<T>) -> Option<String> {
        let Given::Row(row) = given else { return None };
        let row = cells(T::DEF, row);
        (self.tables.row(self.kind.target, &label(&row)) != Some(&row)).then(|| label(&row))
    }

    fn givens(&mut self, rows: &[T], most: usize) -> Vec<Given<T>> {
        let mut givens = Vec::new();
        for _ in 0..self.random.below(most + 1) {
            let given = if self.random.once_in(2) {
                self.some_row(rows, &givens).map(Given::Row)
            } else {
                Some(self.new_given())
            };
            givens.extend(given);
        }
        givens
    }

    fn write(&mut self, rows: &[T]) -> Write<T> {
        let members = self.members();
        let own: Vec<T> = rows.iter().filter(|row| members.contains(&label(&cells(T::DEF, *row)))).cloned().collect();
        let some = |scene: &mut Self| {
            let mut chosen: Vec<T> = own.iter().filter(|_| scene.random.once_in(2)).cloned().collect();
            if scene.random.once_in(5) {
                chosen.extend(scene.some_row(rows, &chosen.iter().cloned().map(Given::Row).collect::<Vec<_>>()));
            }
            chosen
        };
        match self.random.below(18) {
            0..=3 => Write::Push(self.givens(rows, 3)),
            4 | 5 => Write::Create((0..1 + self.random.below(2)).map(|_| self.new_given()).collect()),
            6 | 7 => {
                let mut givens: Vec<Given<T>> = some(self).into_iter().map(Given::Row).collect();
                if self.is_between() && self.random.once_in(3) && !givens.is_empty() {
                    let again = match &givens[0] {
                        Given::Row(row) => row.clone(),
                        _ => return Write::Replace(givens),
                    };
                    givens.push(Given::Row(again));
                }
                let more: Vec<Given<T>> = self.givens(rows, 2);
                let keys: Vec<T::Key> = givens
                    .iter()
                    .filter_map(|given| if let Given::Row(row) = given { Some(row.key()) } else { None })
                    .collect();
                let is_between = self.is_between();
                givens.extend(
                    more.into_iter()
                        .filter(|given| is_between || !matches!(given, Given::Row(row) if keys.contains(&row.key()))),
                );
                Write::Replace(givens)
            }
            8 => {
                let mut chosen = some(self);
                chosen.extend(self.some_row(rows, &[]));
                let unknown = if self.random.once_in(6) { self.stale.first().cloned() } else { None };
                let unknown =
                    unknown.filter(|row| self.tables.row(self.kind.target, &label(&cells(T::DEF, row))).is_none());
                Write::SetIds(chosen, unknown)
            }
            9 => Write::Delete(some(self)),
            10 => Write::Destroy(some(self)),
            11 => Write::DeleteAll,
            12 => Write::DestroyAll,
            13 => Write::InsertAll((0..1 + self.random.below(2)).map(|_| self.new_given()).collect()),
            14 => Write::DeleteIds(some(self)),
            15 => Write::DestroyIds(some(self)),
            at => {
                let existing = own.first().map(|row| label(&cells(T::DEF, row))).filter(|_| self.random.once_in(2));
                let given = match &existing {
                    Some(label) => Given::New { label: label.clone(), open: None },
                    None => self.new_given(),
                };
                let name = match (&existing, &given) {
                    (Some(label), _) | (None, Given::New { label, .. }) => label.clone(),
                    _ => "nothing".to_owned(),
                };
                if at == 16 { Write::FindOrBuild(given, name) } else { Write::FindOrCreate(given, name) }
            }
        }
    }

    // What the tables and the owner's memory should be afterwards.
    fn judge(&self, write: &Write<T>, before: &Memory) -> Result<(Tables, Expected), Refusal> {
        let (kind, owner) = (self.kind, self.owner.as_str());
        let mut after = self.tables.clone();
        let mut memory = Expected::as_before(before);
        let members = self.members();
        let named = |row: &T| label(&cells(T::DEF, row));
        let link = |after: &mut Tables, givens: &[Given<T>]| {
            let mut labels = Vec::new();
            for given in givens {
                let labelled = given.enter(after, kind)?;
                after.link(kind, owner, &labelled);
                labels.push(labelled);
            }
            Ok::<_, Refusal>(labels)
        };
        match write {
            Write::Push(givens) | Write::Create(givens) | Write::InsertAll(givens) => {
                let labels = link(&mut after, givens)?;
                memory.push(labels, self.is_between());
            }
            Write::FindOrCreate(given, name) => {
                if !members.contains(name) {
                    let labels = link(&mut after, std::slice::from_ref(given))?;
                    memory.push(labels, self.is_between());
                }
            }
            // What is found is pushed: behind rows between it is linked once more.
            Write::FindOrBuild(given, name) => {
                let labels = if members.contains(name) {
                    if self.is_between() {
                        after.link(kind, owner, name);
                    }
                    vec![name.clone()]
                } else {
                    link(&mut after, std::slice::from_ref(given))?
                };
                memory.push(labels, self.is_between());
            }
            Write::Replace(givens) => self.replace(&mut after, &mut memory, givens)?,
            Write::SetIds(rows, unknown) => {
                let mut givens: Vec<Given<T>> = Vec::new();
                for row in rows.iter().chain(unknown) {
                    let labelled = named(row);
                    let Some(there) = self.tables.row(kind.target, &labelled) else {
                        return Err(format!("{labelled} is gone"));
                    };
                    if self.is_anothers(there) {
                        return Err(format!("{labelled} is another owner's"));
                    }
                    if !self.is_between()
                        && givens.iter().any(|given| matches!(given, Given::Row(other) if named(other) == labelled))
                    {
                        continue;
                    }
                    givens.push(Given::Row(row.clone()));
                }
                self.replace(&mut after, &mut memory, &givens)?;
            }
            Write::Delete(rows) | Write::Destroy(rows) | Write::DeleteIds(rows) | Write::DestroyIds(rows) => {
                let gone: HashSet<String> = rows.iter().map(named).collect();
                // Keys of what is loaded are looked for in memory.
                let by_keys = matches!(write, Write::DeleteIds(_) | Write::DestroyIds(_));
                if by_keys
                    && before.state == LoadState::Loaded
                    && let Some(other) = gone.iter().find(|row| !before.rows.iter().any(|held| label(held) == **row))
                {
                    return Err(format!("{other} is not in memory"));
                }
                if let Some(other) = gone.iter().find(|row| !members.contains(row)) {
                    return Err(format!("{other} is no member"));
                }
                for one in &gone {
                    self.take(&mut after, one, matches!(write, Write::Destroy(_) | Write::DestroyIds(_)))?;
                }
                memory.remove(&gone);
            }
            Write::DeleteAll => {
                for one in &members {
                    after.let_go(kind, owner, one, true)?;
                }
                memory = Expected { state: LoadState::Loaded, rows: Vec::new(), written: HashSet::new() };
            }
            Write::DestroyAll => {
                for one in &members {
                    self.take(&mut after, one, true)?;
                }
                memory.remove(&members.into_iter().collect());
            }
        }
        after.count();
        Ok((after, memory))
    }

    fn take(&self, after: &mut Tables, one: &str, destroys: bool) -> Result<(), Refusal> {
        if destroys && !self.is_between() {
            self.tables.may_go(self.kind.target, one, &mut HashSet::new())?;
            return after.destroy(self.kind.target, one, &mut HashSet::new());
        }
        if matches!(self.kind.link, Link::Target { let_go: LetGo::Destroy, .. }) {
            self.tables.may_go(self.kind.target, one, &mut HashSet::new())?;
        }
        after.let_go(self.kind, &self.owner, one, false)
    }

    fn is_anothers(&self, row: &Cells) -> bool {
        let Link::Target { columns, tag, .. } = &self.kind.link else { return false };
        let own = self.row();
        let is_whole = columns.iter().all(|(column, _)| !row[column].is_null());
        let is_own = columns.iter().all(|(column, of)| row[column] == own[of])
            && tag.is_none_or(|(column, tag)| row[column] == Value::from(tag));
        is_whole && !is_own
    }

    // A difference: what goes is let go before what comes is stored.
    fn replace(&self, after: &mut Tables, memory: &mut Expected, givens: &[Given<T>]) -> Result<(), Refusal> {
        let (kind, owner) = (self.kind, self.owner.as_str());
        let mut members = self.members();
        let mut labels = Vec::new();
        let mut linked = Vec::new();
        for given in givens {
            let labelled = given.enter(after, kind)?;
            match members.iter().position(|member| *member == labelled) {
                Some(at) => {
                    members.remove(at);
                }
                None => linked.push(labelled.clone()),
            }
            labels.push(labelled);
        }
        for gone in &members {
            if self.is_between() {
                after.unlink(kind, owner, gone, 1);
            } else {
                self.take(after, gone, false)?;
            }
        }
        for one in &linked {
            after.link(kind, owner, one);
        }
        memory.state = if kind.is_sorted && !labels.is_empty() { LoadState::Partial } else { LoadState::Loaded };
        memory.rows.clone_from(&labels);
        memory.written = labels.into_iter().collect();
        Ok(())
    }
}

async fn run<O: Labelled, T: Labelled, A: ToManyAssociation<O, T> + WritableMany<O, T>>(
    handle: &mut Collection<'_, &mut O, T, A>,
    write: &Write<T>,
    random: &mut Random,
) -> Result<()> {
    let rows = |givens: &[Given<T>]| -> Option<Vec<T>> {
        givens.iter().map(|given| if let Given::Row(row) = given { Some(row.clone()) } else { None }).collect()
    };
    let changesets = |givens: &[Given<T>]| givens.iter().map(Given::changeset).collect::<Vec<_>>();
    match write {
        Write::Push(givens) => match rows(givens).filter(|_| random.once_in(2)) {
            Some(rows) if rows.len() == 1 => handle.push(&rows[0]).await,
            Some(rows) => handle.append(&rows).await,
            None => handle.push(changesets(givens)).await,
        },
        Write::Create(givens) | Write::InsertAll(givens) => {
            let created = match givens.as_slice() {
                _ if matches!(write, Write::InsertAll(_)) => handle.insert_all(changesets(givens)).await?,
                [one] => vec![handle.create(one.changeset()).await?],
                _ => handle.create_all(changesets(givens)).await?,
            };
            let labels: Vec<String> = created.iter().map(|row| label(&cells(T::DEF, row))).collect();
            let given = givens.iter().all(|given| matches!(given, Given::New { label, .. } if labels.contains(label)));
            if given { Ok(()) } else { Err(Error::other(format!("created {labels:?}"))) }
        }
        Write::Replace(givens) => match rows(givens).filter(|_| random.once_in(2)) {
            Some(rows) => handle.replace(&rows).await,
            None => handle.replace(changesets(givens)).await,
        },
        Write::SetIds(rows, unknown) => handle.set_ids(rows.iter().chain(unknown).map(Model::key)).await,
        Write::Delete(rows) => handle.delete(rows).await,
        Write::Destroy(rows) => handle.destroy(rows).await,
        Write::DeleteIds(rows) => handle.delete_ids(rows.iter().map(Model::key)).await,
        Write::DestroyIds(rows) => handle.destroy_ids(rows.iter().map(Model::key)).await,
        Write::FindOrBuild(given, name) => {
            let built = handle.find_or_build_by(T::LABEL.eq(name), given.changeset()).await?;
            handle.push(built).await
        }
        Write::DeleteAll => handle.delete_all().await.map(|_| ()),
        Write::DestroyAll => handle.destroy_all().await.map(|_| ()),
        Write::FindOrCreate(given, name) => {
            let found = handle.find_or_create_by(T::LABEL.eq(name), given.changeset()).await?;
            if label(&cells(T::DEF, &found)) == *name { Ok(()) } else { Err(Error::other(format!("found {found:?}"))) }
        }
    }
}

/// One call.
pub(crate) async fn call<O, T, A>(
    scene: &mut Scene<'_, T>,
    repo: &Repo,
    handle: &mut Collection<'_, &mut O, T, A>,
) -> std::result::Result<(), String>
where
    O: Labelled,
    T: Labelled,
    A: ToManyAssociation<O, T> + WritableMany<O, T>,
{
    let rows = repo.all(Query::<T>::new()).await.map_err(|error| error.to_string())?;
    if scene.random.once_in(3) {
        return Box::pin(crate::reading::read(scene, repo, handle, &rows)).await;
    }
    let write = scene.write(&rows);
    scene.log.push(format!("{} of {}: {write:?}", scene.kind.name, scene.owner));
    let stale: HashSet<String> = match &write {
        Write::Push(givens) | Write::Replace(givens) => givens.iter().filter_map(|given| scene.once(given)).collect(),
        _ => HashSet::new(),
    };
    let (owner, before) = (handle.owner().clone(), remembered(handle.owner()));
    let own = cells(O::DEF, &owner);
    let expected = scene.judge(&write, &before[scene.kind.name]);
    let result = Box::pin(run(handle, &write, scene.random)).await;
    let actual = read(repo, &scene.tables, Some(scene.kind)).await.map_err(|error| error.to_string())?;
    match (expected, result) {
        (Ok((tables, memory)), Ok(())) => {
            same(scene.kind, &tables, &actual)?;
            let after = remembered(handle.owner());
            check((&before[scene.kind.name], &after[scene.kind.name]), &memory, &stale, &actual, scene.kind)?;
            let now = cells(O::DEF, handle.owner());
            check_others(scene.kind, (&before, &after), (&own, &now), (&scene.tables, &actual))?;
            if scene.tables.row(scene.kind.owner, &scene.owner) == Some(&own)
                && actual.row(scene.kind.owner, &scene.owner) != Some(&now)
            {
                return Err(format!(
                    "the owner is {now:?}, and in the table {:?}",
                    actual.row(scene.kind.owner, &scene.owner)
                ));
            }
            scene.outcomes.written += 1;
        }
        (Err(why), result) => scene.judge_refusal(&why, result, &actual, (&owner, handle.owner()))?,
        (Ok(_), Err(error)) => return Err(error.to_string()),
    }
    scene.go_on(rows, actual);
    Ok(())
}

pub(crate) fn same(kind: &Kind, expected: &Tables, actual: &Tables) -> std::result::Result<(), String> {
    let with_roles = kind.name == "chaired";
    let (expected, actual) = (expected.settled(actual, with_roles), actual.settled(actual, with_roles));
    for (table, rows) in &actual {
        if Some(rows) != expected.get(table) {
            return Err(format!("{table} holds {rows:#?}\nand not {:#?}", expected.get(table)));
        }
    }
    Ok(())
}
