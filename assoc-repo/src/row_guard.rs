//! What a filtered repo may write: rows that it sees, which it still sees afterwards, and which refer to rows that it sees.
//!
//! Rows to be updated or deleted are found by the filter as well as by their key, in the statement itself. What a written
//! row is afterwards is decided by its values where they tell ([`Visibility`]); otherwise the database is asked before the
//! transaction ends, once for all rows of a call. So are the rows that its foreign keys lead to, once for each association
//! whose target is filtered.

use std::any::Any;
use std::collections::HashSet;

use assoc_core::change::RowChange;
use assoc_core::driver::KeySet;
use assoc_core::execution::rows::Rows;
use assoc_core::execution::{AssignedValue, ColumnAssignment, FilterHook, KeyTuple, RowKeys, Visibility, filtered};
use assoc_core::metadata::{AssociationDef, Discriminator, Expr, Linkage, ModelDef};
use assoc_core::select::{KeyedSelect, Matching};
use assoc_core::{ErrorKind, Result, Value};

use crate::repo::Repo;
use crate::session::Session;

/// The filters of a repo on what is written to rows of a model.
pub(crate) struct RowGuard<'r> {
    hook: &'r FilterHook,
    model: &'static ModelDef,
    /// Which rows of the model the repo sees.
    filter: Expr,
}

/// Rows that are written to, as far as they are known.
type ValueOf<'v> = &'v dyn Fn(usize) -> Option<Value<'v>>;

const HIDDEN: &str = "the row would be hidden from this repo by its filter: give it values that the filter lets through, or \
                      write it with a repo that is not filtered so";
const MAY_HIDE: &str = "rows might be hidden from this repo by the update, because its filter depends on an assigned column: \
                        write them with a repo that is not filtered so";
const KEYLESS: &str = "only the database can tell whether its filter hides the row from this repo, and the model has no \
                       primary key to ask by: write it with a repo that is not filtered so";
const UNSEEN: &str = "a row that is to be changed or linked is hidden from this repo by its filter, or is not there";
const TARGET: &str = "leads to a row that is hidden from this repo by its filter, or is not there";

impl<'r> RowGuard<'r> {
    /// The guard of a filtered repo; `None` of one that is not.
    pub(crate) fn of(repo: &'r Repo, model: &'static ModelDef) -> Result<Option<RowGuard<'r>>> {
        let Some(hook) = &repo.filters else { return Ok(None) };
        let filter = filtered(hook, model, Expr::always())?;
        repo.require_condition(model, &filter)?;
        Ok(Some(RowGuard { hook, model, filter }))
    }

    /// Which rows may be written.
    pub(crate) fn filter(&self) -> &Expr {
        &self.filter
    }

    fn refused(&self, reason: &'static str) -> assoc_core::Error {
        ErrorKind::OutsideFilter { model: self.model.name, association: None, reason }.into()
    }

    /// Refuses new rows that would surely be hidden, before any SQL.
    pub(crate) fn check_new(&self, changes: &[RowChange]) -> Result<()> {
        let hidden = |change: &RowChange| {
            let value = |column: usize| change.values().get(column).cloned().flatten();
            Visibility::of(&self.filter, self.model, &value) == Visibility::Hidden
        };
        if changes.iter().any(hidden) { Err(self.refused(HIDDEN)) } else { Ok(()) }
    }

    /// Whether what the repo sees may change with a column.
    pub(crate) fn depends_on(&self, column: usize) -> bool {
        self.filter.may_depend_on(self.model, column)
    }

    /// Refuses columns of rows that are not known whose values might bring them into sight.
    pub(crate) fn require_independent(&self, columns: &[usize]) -> Result<()> {
        if columns.iter().any(|column| self.depends_on(*column)) { Err(self.refused(MAY_HIDE)) } else { Ok(()) }
    }

    /// Refuses a bulk update that might hide rows.
    pub(crate) fn require_kept(&self, assignments: &[ColumnAssignment]) -> Result<()> {
        if assignments.iter().all(|assigned| !self.filter.may_depend_on(self.model, assigned.column)) {
            return Ok(());
        }
        let value = |column: usize| match &assignments.iter().find(|assigned| assigned.column == column)?.value {
            AssignedValue::Value(value) => Some(value.clone()),
            _ => None,
        };
        let kept = |part: &Expr| {
            Visibility::of(part, self.model, &value) == Visibility::Visible
                || assignments.iter().all(|assigned| !part.may_depend_on(self.model, assigned.column))
        };
        let all_kept = match &self.filter {
            Expr::All(parts) => parts.iter().all(kept),
            filter => kept(filter),
        };
        match Visibility::of(&self.filter, self.model, &value) {
            _ if all_kept => Ok(()),
            Visibility::Hidden => Err(self.refused(HIDDEN)),
            _ => Err(self.refused(MAY_HIDE)),
        }
    }

    /// Refuses rows that were written, if they are hidden or refer to rows that are. `changed`: the columns that were given
    /// values, `None` for all.
    pub(crate) async fn check_written(
        &self,
        session: &mut Session<'_>,
        rows: &dyn Rows,
        changed: Option<&[usize]>,
    ) -> Result<()> {
        let is_changed = |column: usize| changed.is_none_or(|changed| changed.contains(&column));
        if changed.is_none_or(|changed| changed.iter().any(|column| self.filter.may_depend_on(self.model, *column))) {
            self.check_seen(session, rows).await?;
        }
        for association in self.model.associations {
            let targets = targets_of(association)?;
            for Target { by, owner_columns, model, columns } in targets {
                let touched = owner_columns.iter().copied().chain(by.map(|named| named.column)).any(is_changed);
                let filter = filtered(self.hook, model, Expr::always())?;
                if !touched || filter.is_always() {
                    continue;
                }
                let keys = (0..rows.len()).filter_map(|at| rows.row(at)).map(|row| self.key_of(row, by, owner_columns));
                let keys = RowKeys::Tuples(keys.collect());
                if !all_seen(session, model, columns, &keys, filter).await? {
                    let association = Some(association.qualified_name());
                    let (model, reason) = (self.model.name, TARGET);
                    return Err(ErrorKind::OutsideFilter { model, association, reason }.into());
                }
            }
        }
        Ok(())
    }

    fn key_of(&self, row: &dyn Any, by: Option<Discriminator>, columns: &[usize]) -> Option<KeyTuple> {
        let is_named = by.is_none_or(|named| self.model.rows.value(row, named.column) == Value::from(named.tag));
        self.model.key_in(row, columns).filter(|_| is_named)
    }

    /// Whether it sees all rows with some primary keys. 1 statement for each chunk of keys.
    pub(crate) async fn sees(&self, session: &mut Session<'_>, keys: &RowKeys) -> Result<bool> {
        all_seen(session, self.model, self.model.primary_key, keys, self.filter.clone()).await
    }

    /// The error of a row that exists and is not seen.
    pub(crate) fn unseen(&self) -> assoc_core::Error {
        self.refused(UNSEEN)
    }

    async fn check_seen(&self, session: &mut Session<'_>, rows: &dyn Rows) -> Result<()> {
        let mut unknown = Vec::new();
        for row in (0..rows.len()).filter_map(|at| rows.row(at)) {
            let value: ValueOf<'_> = &|column| Some(self.model.rows.value(row, column));
            match Visibility::of(&self.filter, self.model, value) {
                Visibility::Visible => {}
                Visibility::Hidden => return Err(self.refused(HIDDEN)),
                Visibility::Unknown if self.model.primary_key.is_empty() => return Err(self.refused(KEYLESS)),
                Visibility::Unknown => unknown.push(self.model.key_of(row)),
            }
        }
        let keys = RowKeys::Tuples(unknown);
        if self.sees(session, &keys).await? { Ok(()) } else { Err(self.refused(HIDDEN)) }
    }
}

/// Rows that an association of a written row may lead to.
struct Target {
    by: Option<Discriminator>,
    owner_columns: &'static [usize],
    model: &'static ModelDef,
    columns: &'static [usize],
}

fn targets_of(association: &'static AssociationDef) -> Result<Vec<Target>> {
    Ok(match association.linkage()? {
        Linkage::OwnerKey(key) => vec![Target {
            by: None,
            owner_columns: key.owner_columns,
            model: (association.target)(),
            columns: key.target_columns,
        }],
        Linkage::OwnerKeyAndType { type_column, owner_columns, variants } => variants
            .iter()
            .map(|variant| Target {
                by: Some(Discriminator { column: type_column, tag: variant.tag }),
                owner_columns,
                model: (variant.model)(),
                columns: variant.key,
            })
            .collect(),
        // The row holds no key.
        _ => Vec::new(),
    })
}

// Whether every key has a row that satisfies a filter. 1 statement for each chunk of keys; none without keys.
async fn all_seen(
    session: &mut Session<'_>,
    model: &'static ModelDef,
    columns: &'static [usize],
    keys: &RowKeys,
    filter: Expr,
) -> Result<bool> {
    let set = KeySet::distinct([keys]);
    if set.is_empty() || filter.is_always() {
        return Ok(true);
    }
    let select = KeyedSelect { only: Some(columns.to_vec()), filter, ..KeyedSelect::new(model, columns) };
    let mut seen = 0;
    let dialect = session.dialect_of(model);
    let parts = match select.matching(dialect) {
        Matching::ByValue => columns.len(),
        // The key's ordinal alone: it may be stored in another form.
        Matching::ByOrdinal => 1,
    };
    for (part, chunk) in set.chunks(select.keys_per_statement(dialect)).iter().enumerate() {
        // Of a column that is not unique there may be several rows.
        let mut found: HashSet<KeyTuple> = HashSet::new();
        let mut sink = |values: &mut [Value<'_>]| {
            found.insert(KeyTuple::of_row(values.iter().take(parts).map(|value| value.clone().into_owned())));
            Ok(())
        };
        session.query_at(model, &select.statement(dialect, chunk)?.as_part(part), &mut sink).await?;
        seen += found.len();
    }
    Ok(seen >= set.len())
}
