//! Members that a save lets go: looked up, told of, and unlinked, deleted or destroyed, before anything else is written.

use std::collections::{HashMap, HashSet};

use assoc_core::change::Row;
use assoc_core::driver::KeySet;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{AssociationDef, CallbackPoint, Expr, Linkage, ModelDef, TableRef};
use assoc_core::save::{Ask, Lookup, Question, Resolved, Unlink};
use assoc_core::select::KeyedSelect;
use assoc_core::sql::KeyedRows;
use assoc_core::{Error, ErrorKind, FieldError, Result, Value, sql};

use super::Run;
use super::cleared::Cleared;
use super::follow::Following;
use super::held::{HeldRows, held_rows};
use crate::callbacks::{CallbackContext, Cause, RowAction, member_functions};
use crate::destroy::{Destruction, KeylessRow, hook_after, read_keyless, run_callback};
use crate::session::Session;
use crate::touched_rows::Written;

/// A row between without a primary key that is destroyed.
struct Keyless {
    association: &'static AssociationDef,
    model: &'static ModelDef,
    row: Row,
}

/// A member that is let go, for the callbacks of its association.
struct Told<'p> {
    lookup: &'p Lookup,
    owner: Row,
    member: Row,
}

impl<'p> Run<'p> {
    /// Lets members go. Restrictions are checked before the first callback runs, and all callbacks before anything is
    /// written. Answers with the keys that were cleared.
    pub(super) async fn let_go(
        &mut self,
        session: &mut Session<'_>,
        let_go: &[(&'p Lookup, Resolved)],
        unneeded: &HashSet<u32>,
        following: &mut Following,
    ) -> Result<Cleared> {
        let mut destructions = Vec::new();
        for plan in self.destroys {
            let root = plan.nodes()[0].model;
            let of_root = let_go.iter().filter(|(lookup, _)| lookup.unlink == Unlink::Destroy && lookup.table == root);
            let mut causes: HashMap<KeyTuple, Cause> = HashMap::new();
            for (lookup, resolved) in of_root {
                for key in &resolved.let_go {
                    causes.entry(key.clone()).or_insert(Cause::Removed(lookup.association));
                }
            }
            if !causes.is_empty() {
                destructions.push(Destruction::of_keys(session, plan, causes).await?);
            }
        }
        let (told, keyless) = match self.callbacks {
            Some(_) => (self.told(session, let_go).await?, keyless(session, let_go).await?),
            None => (Vec::new(), Vec::new()),
        };
        self.tell(session, &told, true).await?;
        if self.callbacks.is_some() {
            for destruction in &mut destructions {
                destruction.before(self.repo, session).await?;
            }
        }
        self.require_owners(unneeded, &destructions)?;
        self.require_rows(unneeded, let_go, &destructions)?;
        self.tell_keyless(session, &keyless, CallbackPoint::BeforeDestroy).await?;
        for Keyless { association, model, row } in &keyless {
            hook_after(self.repo, model, None, row, Cause::Removed(association))?;
        }
        following.before_writing(self, session, let_go, unneeded).await?;
        let mut cleared = Cleared::default();
        for (lookup, resolved) in let_go {
            cleared.note(lookup, resolved);
            self.let_go += match lookup.association.options.delete_sql {
                Some(sql) => self.unlink_by_sql(session, lookup, resolved, sql).await?,
                None => unlink(session, lookup, resolved).await?,
            };
        }
        for destruction in &mut destructions {
            following.note(destruction.write(self.repo, session).await?);
            cleared.note_destroyed(destruction);
        }
        if self.callbacks.is_some() {
            for destruction in &mut destructions {
                destruction.after(self.repo, session).await?;
            }
        }
        self.tell_keyless(session, &keyless, CallbackPoint::AfterDestroy).await?;
        self.tell(session, &told, false).await?;
        Ok(cleared)
    }

    // An owner may depend on a row that the save destroys, in a ring. It cannot be destroyed and keep members: the rows that are
    // linked to it would lead nowhere.
    fn require_owners(&self, unneeded: &HashSet<u32>, destructions: &[Destruction<'_>]) -> Result<()> {
        if destructions.is_empty() {
            return Ok(());
        }
        let keeps = |question: &Question| matches!(&question.ask, Ask::All { keep, .. } if !keep.is_empty());
        let keeping = self.plan.lookups().iter().flat_map(|lookup| {
            let owners = lookup.questions.iter().filter(|question| keeps(question));
            owners.map(|question| (question.row, Some(lookup.association)))
        });
        let awaited = self
            .written_rows(unneeded)
            .flat_map(|(_, planned)| planned.awaits.iter().map(|awaited| (awaited.row, planned.association)));
        // Many rows await the key of one owner.
        let mut asked: HashSet<u32> = HashSet::new();
        for (owner, association) in keeping.chain(awaited).filter(|(owner, _)| asked.insert(*owner)) {
            let planned = &self.plan.rows()[owner as usize];
            let key = planned.base.as_ref().and_then(|base| planned.model.key_of(&**base));
            let Some(key) = key.filter(|key| destructions.iter().any(|all| all.removes(planned.model, key))) else {
                continue;
            };
            let message = format!(
                "needs the {} {key}, which depends on a row that is destroyed: move it away from that row first",
                planned.model.name
            );
            let (model, name) = association.map_or((planned.model.name, planned.model.name), |association| {
                ((association.owner)().name, association.name)
            });
            let error = FieldError::new(name, message).with_code(FieldError::OWNER_DESTROYED);
            return Err(ErrorKind::Invalid { model, errors: vec![error.with_param("key", key.to_string())] }.into());
        }
        Ok(())
    }

    // A row that one association drops goes, so no other part of the save can write it, or keep it.
    fn require_rows(
        &self,
        unneeded: &HashSet<u32>,
        let_go: &[(&'p Lookup, Resolved)],
        destructions: &[Destruction<'_>],
    ) -> Result<()> {
        let is_deleted = |lookup: &Lookup| lookup.unlink == Unlink::Delete && !lookup.table.primary_key.is_empty();
        let mut deleted: HashMap<(TableRef, &KeyTuple), &'static AssociationDef> = HashMap::new();
        for (lookup, resolved) in let_go.iter().filter(|(lookup, _)| is_deleted(lookup)) {
            let keys = resolved.let_go.iter().filter(|key| !resolved.is_relinked(key));
            deleted.extend(keys.map(|key| ((lookup.table.table, key), lookup.association)));
        }
        if destructions.is_empty() && deleted.is_empty() {
            return Ok(());
        }
        let kept = unneeded.iter().map(|row| &self.plan.rows()[*row as usize]);
        for planned in self.written_rows(unneeded).map(|(_, planned)| planned).chain(kept) {
            let model = planned.model;
            let Some(key) = planned.base.as_ref().and_then(|base| model.key_of(&**base)) else { continue };
            let why =
                match (destructions.iter().find(|all| all.removes(model, &key)), deleted.get(&(model.table, &key))) {
                    (Some(all), _) => match all.cause_of(model, &key) {
                        Some(Cause::Removed(by)) => format!("`{}` destroys", by.qualified_name()),
                        _ => "depends on a row that is destroyed".to_owned(),
                    },
                    (None, Some(by)) => format!("`{}` deletes", by.qualified_name()),
                    (None, None) => continue,
                };
            let message = format!(
                "cannot write {} {key}, which {why} in the same save: leave it out of one of the two",
                model.name
            );
            let (owner, name) = planned
                .association
                .map_or((model.name, model.name), |association| ((association.owner)().name, association.name));
            let error = FieldError::new(name, message).with_code(FieldError::DESTROYED);
            let error = error.with_param("model", model.name).with_param("key", key.to_string());
            return Err(ErrorKind::Invalid { model: owner, errors: vec![error] }.into());
        }
        Ok(())
    }

    async fn tell_keyless(&self, session: &mut Session<'_>, rows: &[Keyless], point: CallbackPoint) -> Result<()> {
        for Keyless { association, model, row } in rows {
            let cx = CallbackContext::new(self.repo, Cause::Removed(association), RowAction::Destroy, &[]);
            run_callback(session, model, point, row, &cx).await?;
        }
        Ok(())
    }

    // The members that callbacks are told of, with their owners. 1 statement for each association.
    async fn told(&self, session: &mut Session<'_>, let_go: &[(&'p Lookup, Resolved)]) -> Result<Vec<Told<'p>>> {
        let mut told = Vec::new();
        // A row may be let go and be marked for destruction. Rows between without key are let go together.
        let mut known: HashSet<(&AssociationDef, &KeyTuple, &KeyTuple)> = HashSet::new();
        for (lookup, resolved) in
            let_go.iter().filter(|(lookup, resolved)| lookup.tells() && !resolved.let_go.is_empty())
        {
            let target = (lookup.association.target)();
            let columns = match lookup.association.linkage()? {
                Linkage::JoinRecord(record) => record.target.target_columns,
                _ => target.primary_key,
            };
            let keys = KeySet::from_iter(resolved.members.iter().map(|(_, member)| member.clone()));
            let members = read_members(session, target, columns, &keys).await?;
            for (row, (owner, member)) in resolved.let_go.iter().zip(&resolved.members) {
                if !known.insert((lookup.association, row, member)) {
                    continue;
                }
                // A row between may lead to none.
                let Some(member) = members.get(member) else { continue };
                told.push(Told { lookup, owner: self.whole_row(*owner)?, member: Row::clone(member) });
            }
        }
        Ok(told)
    }

    async fn tell(&self, session: &mut Session<'_>, told: &[Told<'_>], before: bool) -> Result<()> {
        for Told { lookup, owner, member } in told {
            let association = lookup.association;
            let Some(functions) = member_functions(association) else { continue };
            let functions = if before { functions.before_remove } else { functions.after_remove };
            let action = match lookup.unlink {
                Unlink::Nullify(_) => RowAction::Update,
                _ => RowAction::Destroy,
            };
            let cx = CallbackContext::new(self.repo, Cause::Removed(association), action, &[]);
            for function in functions {
                session.aside(function(owner, member, &cx)).await?;
            }
        }
        Ok(())
    }
}

// The rows without a primary key whose callbacks run. 1 statement for each association that lets such rows go.
async fn keyless(session: &mut Session<'_>, let_go: &[(&Lookup, Resolved)]) -> Result<Vec<Keyless>> {
    let mut rows = Vec::new();
    let mut known: HashSet<(&str, KeyTuple)> = HashSet::new();
    for (lookup, resolved) in let_go.iter().filter(|(lookup, _)| lookup.shows_keyless()) {
        let (association, model) = (lookup.association, lookup.table);
        let (always, keys) = (Expr::always(), KeySet::from_iter(resolved.let_go.iter().cloned()));
        let of_keys = KeyedRows { model, columns: lookup.identity(), filter: &always };
        for KeylessRow { identity, row, .. } in read_keyless(session, &of_keys, &keys).await? {
            // Two associations may lead to a row.
            if known.insert((model.table.name, identity)) {
                rows.push(Keyless { association, model, row });
            }
        }
    }
    Ok(rows)
}

pub(super) async fn read_members(
    session: &mut Session<'_>,
    model: &'static ModelDef,
    columns: &'static [usize],
    keys: &KeySet,
) -> Result<HashMap<KeyTuple, Row>> {
    let select = KeyedSelect::new(model, columns);
    let mut rows = model.rows.new_rows();
    for (part, chunk) in keys.chunks(session.dialect().keys_per_condition(keys.width())).iter().enumerate() {
        // By value on purpose: the keys were read from rows that hold them.
        let statement = select.statement_by_value(session.dialect(), chunk)?.as_part(part);
        session.query(&statement, &mut *rows).await?;
    }
    let keys = rows.keys(columns, 0).into_tuples();
    let rows = (0..rows.len()).map(|at| rows.row(at).and_then(|row| model.rows.bare_copy(row)));
    Ok(keys.into_iter().zip(rows).filter_map(|(key, row)| Some((key?, row?))).collect())
}

// Answers how many rows there were.
async fn unlink(session: &mut Session<'_>, lookup: &Lookup, resolved: &Resolved) -> Result<u64> {
    if resolved.let_go.is_empty() || lookup.unlink == Unlink::Destroy {
        return Ok(0);
    }
    session.note_written(lookup.table, Written::Changed);
    let (mut written, mut part) = (0, 0);
    let dialect = session.dialect();
    for HeldRows { keys, condition } in held_rows(dialect, lookup, resolved, |key| !resolved.is_relinked(key)) {
        for chunk in keys.chunks(dialect.keys_per_condition(keys.width())) {
            let statement = match &lookup.unlink {
                Unlink::Nullify(columns) => {
                    let set: Vec<(usize, Value<'static>)> =
                        columns.iter().map(|column| (*column, Value::Null)).collect();
                    sql::update_rows(dialect, lookup.table, &set, &chunk, &condition, false)?
                }
                Unlink::Delete => sql::delete_rows(dialect, lookup.table, lookup.identity(), &chunk, &condition)?,
                _ => return Err(Error::invalid_query(lookup.table.name, "a row cannot be let go")),
            };
            written += session.execute(&statement.as_part(part)).await?.affected;
            part += 1;
        }
    }
    Ok(written)
}
