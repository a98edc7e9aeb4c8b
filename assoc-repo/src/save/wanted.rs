//! Finding the members that input names by their keys: among their owner's, never elsewhere.
//!
//! What the owner has loaded costs nothing. All others of one association are read by one request, over all owners of a
//! level; members below them follow when their owners are found.
//!
//! A row may hold another key than the one that was given, because the database calls them equal: `ADA` and `ada`, in a column that
//! ignores case. Where a key is not found that way, 1 statement more asks which of the rows hold it.

use std::any::Any;
use std::collections::{HashMap, HashSet};

use assoc_core::change::{Row, RowChange, Wanted, Which};
use assoc_core::driver::KeySet;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{AssociationDef, Expr, ModelDef, Request};
use assoc_core::planner::RootRequest;
use assoc_core::{Error, ErrorKind, Result, Value};

use crate::destroy::stored;
use crate::preload::ErasedRows;
use crate::repo::Repo;

/// Finds all wanted members of some changes.
///
/// # Errors
/// [`ErrorKind::NotMember`] for a key that is none of the owner's.
pub(crate) async fn find(repo: &Repo, changes: &mut [RowChange]) -> Result<()> {
    // A level each time.
    for _ in 0..=RowChange::MAX_DEPTH {
        let mut looked_up: Vec<LookUp> = Vec::new();
        for next in changes.iter().flat_map(RowChange::next_wanted) {
            let at = looked_up.iter().position(|known| known.association == next.association);
            let at = at.unwrap_or_else(|| {
                looked_up.push(LookUp::of(next.association));
                looked_up.len() - 1
            });
            looked_up[at].add(next.owner, next.which);
        }
        if looked_up.is_empty() {
            return Ok(());
        }
        for own in &mut looked_up {
            own.load(repo).await?;
            own.ask(repo).await?;
        }
        let mut found = |owner: &Row, association: &'static AssociationDef, wanted: &Wanted| {
            let own = looked_up.iter().find(|known| known.association == association);
            own.map_or(Ok(None), |own| own.found(owner, wanted))
        };
        for change in &mut *changes {
            change.settle(&mut found)?;
        }
    }
    Ok(())
}

/// The key of a member, as far as it is not its owner's.
type Named = Vec<(usize, Value<'static>)>;

/// The wanted members of one association.
struct LookUp {
    association: &'static AssociationDef,
    // Owners that have not loaded what is wanted.
    owners: ErasedRows,
    keys: Vec<KeyTuple>,
    // What is wanted of an owner, each by the columns that name it.
    named: Vec<(KeyTuple, Named)>,
    // The keys that rows hold, by those which the database calls equal to them.
    equal: HashMap<KeyTuple, HashSet<KeyTuple>>,
    // Whether the only member of an owner is wanted, whatever its key is.
    all: bool,
}

impl LookUp {
    fn of(association: &'static AssociationDef) -> Self {
        let owners = ErasedRows((association.owner)().rows.new_rows());
        LookUp { association, owners, keys: Vec::new(), named: Vec::new(), equal: HashMap::new(), all: false }
    }

    fn add(&mut self, owner: &Row, which: &Which) {
        if self.in_memory(&**owner, which).is_some() {
            return;
        }
        let model = (self.association.owner)();
        let Some(key) = model.key_of(&**owner) else { return };
        if !self.keys.contains(&key) {
            self.keys.push(key.clone());
            self.owners.0.push_bare(&**owner);
        }
        match which {
            Which::Key(values) => self.named.push((key, values.clone())),
            _ => self.all = true,
        }
    }

    async fn load(&mut self, repo: &Repo) -> Result<()> {
        if self.owners.0.is_empty() {
            return Ok(());
        }
        let mut request = Request::new(self.association);
        if !self.all {
            request.scope.filter = {
                let named: Vec<Named> = self.named.iter().map(|(_, named)| named.clone()).collect();
                Expr::has_one_of((self.association.target)(), &named)
            };
            request.scope.unlimited = true;
        }
        let root = RootRequest { model: (self.association.owner)(), requests: vec![request], available: false };
        repo.load_roots(vec![root], &mut self.owners, false).await
    }

    // Asks which of the rows that were read hold the keys that none of them holds as they are given.
    async fn ask(&mut self, repo: &Repo) -> Result<()> {
        let target = (self.association.target)();
        let Some((_, named)) = self.named.first() else { return Ok(()) };
        let columns: Vec<usize> = named.iter().map(|(at, _)| *at).collect();
        if repo.compares_bytes(target, &columns) {
            return Ok(());
        }
        let mut rows: Vec<KeyTuple> = Vec::new();
        for owner in (0..self.owners.0.len()).filter_map(|at| self.owners.0.row(at)) {
            self.association.field_access.visit(owner, &mut |row| rows.extend(target.key_of(row)));
        }
        let is_held = |of: &KeyTuple, named: &Named| {
            self.read(of).is_some_and(|owner| self.in_memory(owner, &Which::Key(named.clone())).is_some())
        };
        let others = self.named.iter().filter(|(of, named)| !is_held(of, named));
        let others: Vec<KeyTuple> = others.filter_map(|(_, named)| key_of(named)).collect();
        if others.is_empty() || rows.is_empty() {
            return Ok(());
        }
        let of_key = |key: KeyTuple| target.primary_key.iter().copied().zip(key.values().to_vec()).collect();
        let rows: Vec<Named> = rows.into_iter().map(of_key).collect();
        let filter = Expr::has_one_of(target, &rows);
        let equal = &mut self.equal;
        let mut sink = |asked: KeyTuple, values: &mut [Value<'_>]| {
            let key = KeyTuple::of_row(stored(target, &columns, values));
            equal.entry(asked).or_default().insert(key);
            Ok(())
        };
        let repo = repo.in_database_of(target);
        let mut session = repo.reading(None).await?;
        session.query_matched(target, &columns, &columns, &KeySet::from_iter(others), &filter, &mut sink).await
    }

    // An owner of which members were read.
    fn read(&self, key: &KeyTuple) -> Option<&dyn Any> {
        self.owners.0.row(self.keys.iter().position(|known| known == key)?)
    }

    // The row among those that an owner has loaded.
    fn in_memory(&self, owner: &dyn Any, which: &Which) -> Option<Row> {
        let target: &'static ModelDef = (self.association.target)();
        let mut found = None;
        self.association.field_access.visit(owner, &mut |row| {
            let is_it = match which {
                Which::Key(values) => {
                    let own = KeyTuple::new(values.iter().map(|(at, _)| target.rows.value(row, *at).into_owned()));
                    own.is_some() && own == key_of(values)
                }
                _ => true,
            };
            if is_it && found.is_none() {
                found = target.rows.bare_copy(row);
            }
        });
        found
    }

    // The keys that rows hold in place of one that was given.
    fn equal_to(&self, which: &Which) -> impl Iterator<Item = Which> {
        let named = match which {
            Which::Key(values) => &values[..],
            _ => &[],
        };
        let equal = key_of(named).and_then(|key| self.equal.get(&key)).into_iter().flatten();
        equal.map(|key| Which::Key(named.iter().map(|(at, _)| *at).zip(key.values().to_vec()).collect()))
    }

    fn found(&self, owner: &Row, wanted: &Wanted) -> Result<Option<Row>> {
        if let Some(row) = self.in_memory(&**owner, &wanted.which) {
            return Ok(Some(row));
        }
        let model = (self.association.owner)();
        let key = model.key_of(&**owner);
        let row = key.as_ref().and_then(|key| self.read(key)).and_then(|owner| {
            let row = self.in_memory(owner, &wanted.which);
            row.or_else(|| self.equal_to(&wanted.which).find_map(|which| self.in_memory(owner, &which)))
        });
        match (&wanted.which, row) {
            (_, Some(row)) => Ok(Some(row)),
            (Which::TheOne, None) => Ok(None),
            (which, None) => Err(self.not_a_member(key, which)),
        }
    }

    #[cold]
    fn not_a_member(&self, owner: Option<KeyTuple>, which: &Which) -> Error {
        let key = match which {
            Which::Key(values) => KeyTuple::of_row(values.iter().map(|(_, value)| value.clone())).to_string(),
            _ => String::new(),
        };
        ErrorKind::NotMember {
            model: (self.association.owner)().name,
            owner: owner.map_or_else(|| "without key".to_owned(), |owner| owner.to_string()),
            association: self.association.name,
            target: (self.association.target)().name,
            key,
        }
        .into()
    }
}

fn key_of(named: impl AsRef<[(usize, Value<'static>)]>) -> Option<KeyTuple> {
    KeyTuple::new(named.as_ref().iter().map(|(_, value)| value.clone()))
}
