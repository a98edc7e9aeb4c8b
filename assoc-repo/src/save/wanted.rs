//! Finding the members that input names by their keys: among their owner's, never elsewhere.
//!
//! What the owner has loaded costs nothing. All others of one association are read by one request, over all owners of a
//! level; members below them follow when their owners are found.

use std::any::Any;

use assoc_core::change::{Row, RowChange, Wanted, Which};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{AssociationDef, Expr, ModelDef, Request};
use assoc_core::planner::RootRequest;
use assoc_core::{Error, ErrorKind, Result, Value};

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

/// The wanted members of one association.
struct LookUp {
    association: &'static AssociationDef,
    // Owners that have not loaded what is wanted.
    owners: ErasedRows,
    keys: Vec<KeyTuple>,
    // What is wanted, each by the columns that name it.
    named: Vec<Vec<(usize, Value<'static>)>>,
    // Whether the only member of an owner is wanted, whatever its key is.
    all: bool,
}

impl LookUp {
    fn of(association: &'static AssociationDef) -> Self {
        let owners = ErasedRows((association.owner)().rows.new_rows());
        LookUp { association, owners, keys: Vec::new(), named: Vec::new(), all: false }
    }

    fn add(&mut self, owner: &Row, which: &Which) {
        if self.in_memory(&**owner, which).is_some() {
            return;
        }
        let model = (self.association.owner)();
        if let Some(key) = model.key_of(&**owner)
            && !self.keys.contains(&key)
        {
            self.keys.push(key);
            self.owners.0.push_bare(&**owner);
        }
        match which {
            Which::Key(values) => self.named.push(values.clone()),
            _ => self.all = true,
        }
    }

    async fn load(&mut self, repo: &Repo) -> Result<()> {
        if self.owners.0.is_empty() {
            return Ok(());
        }
        let mut request = Request::new(self.association);
        if !self.all {
            request.scope.filter = Expr::has_one_of((self.association.target)(), &self.named);
            request.scope.unlimited = true;
        }
        let root = RootRequest { model: (self.association.owner)(), requests: vec![request], available: false };
        repo.load_roots(vec![root], &mut self.owners, false).await
    }

    // The row among those that an owner has loaded.
    fn in_memory(&self, owner: &dyn Any, which: &Which) -> Option<Row> {
        let target: &'static ModelDef = (self.association.target)();
        let mut found = None;
        self.association.field_access.visit(owner, &mut |row| {
            let is_it = match which {
                Which::Key(values) => {
                    let key = |values: &mut dyn Iterator<Item = Value<'static>>| KeyTuple::new(values);
                    let own = key(&mut values.iter().map(|(at, _)| target.rows.value(row, *at).into_owned()));
                    own.is_some() && own == key(&mut values.iter().map(|(_, value)| value.clone()))
                }
                _ => true,
            };
            if is_it && found.is_none() {
                found = target.rows.bare_copy(row);
            }
        });
        found
    }

    fn found(&self, owner: &Row, wanted: &Wanted) -> Result<Option<Row>> {
        if let Some(row) = self.in_memory(&**owner, &wanted.which) {
            return Ok(Some(row));
        }
        let model = (self.association.owner)();
        let key = model.key_of(&**owner);
        let at = key.as_ref().and_then(|key| self.keys.iter().position(|known| known == key));
        let row = at.and_then(|at| self.owners.0.row(at)).and_then(|owner| self.in_memory(owner, &wanted.which));
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
