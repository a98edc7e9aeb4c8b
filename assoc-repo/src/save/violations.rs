//! From a constraint that the database reports as violated to the fields of the row that it belongs to.
//!
//! The database decides, always: nothing is asked before it has refused a row. What it says names the constraint: SQLite the
//! columns of a unique index and nothing of a foreign key, MariaDB and MySQL the name of an index and the columns of a foreign
//! key. What it does not say is found out after the refused statements are undone: the columns of an index by its name, in the
//! database's catalog, and, if a rule of the model has words for it, which of several rows it is.

use std::collections::HashSet;

use assoc_core::change::{RowChange, WrittenRow, common_path};
use assoc_core::driver::{Access, KeySet};
use assoc_core::execution::rows::{LinkRows, Rows};
use assoc_core::execution::{KeyTuple, RowKeys};
use assoc_core::metadata::rules::RuleSet;
use assoc_core::metadata::{AssociationDef, Expr, Linkage, ModelDef};
use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind, FieldError, Result, Value, sql};

use crate::repo::Repo;

/// Adds to the error of a violated constraint what it says of fields. If a rule has words for it, the changeset is invalid.
#[cold]
pub(crate) async fn explain(repo: &Repo, model: &'static ModelDef, changes: &[RowChange], error: Error) -> Error {
    let ErrorKind::Driver(driver) = error.kind() else { return error };
    let is_constraint = matches!(
        driver.kind(),
        DriverErrorKind::UniqueViolation
            | DriverErrorKind::ForeignKeyViolation
            | DriverErrorKind::NotNullViolation
            | DriverErrorKind::CheckViolation
    );
    if !is_constraint {
        return error;
    }
    let mut rows: Vec<WrittenRow> = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        for mut row in change.written_rows() {
            if changes.len() > 1 {
                let place = format!("[{at}]");
                row.path = if row.path.is_empty() { place } else { format!("{place}.{}", row.path) };
            }
            rows.push(row);
        }
    }
    let Some(failed) = failed_model(repo, driver, model, &rows) else { return error };
    rows.retain(|row| row.model.table == failed.table);
    let search = Search { repo, model: failed, rows, driver };
    let found = match driver.kind() {
        DriverErrorKind::UniqueViolation => search.taken().await,
        DriverErrorKind::ForeignKeyViolation => search.missing_targets().await,
        DriverErrorKind::NotNullViolation => search.missing_values(),
        _ => search.refused_values(),
    };
    match found {
        Found { errors, by_rule: true } => error.into_invalid(model.name, errors),
        Found { errors, by_rule: false } => error.with_field_errors(errors),
    }
}

/// Whether explaining a violation needs the changes: copies of many are kept only then.
pub(crate) fn needs_changes(changes: &[RowChange]) -> bool {
    changes.iter().any(RowChange::explains_constraints)
}

// The model of the table whose constraint it is.
fn failed_model(
    repo: &Repo,
    driver: &DriverError,
    model: &'static ModelDef,
    rows: &[WrittenRow],
) -> Option<&'static ModelDef> {
    let mut models = std::iter::once(model).chain(rows.iter().map(|row| row.model));
    if let Some(table) = driver.table() {
        return models.find(|model| model.table.name.eq_ignore_ascii_case(table));
    }
    // The statement names the table that was written.
    let sql = driver.sql()?;
    models.find(|model| {
        let mut writer = sql::SqlWriter::new(repo.dialect());
        writer.table(&model.table);
        let table = writer.text().clone();
        ["INSERT INTO ", "UPDATE "].iter().any(|verb| {
            sql.strip_prefix(verb)
                .and_then(|rest| rest.strip_prefix(table.as_str()))
                .is_some_and(|rest| rest.starts_with(' '))
        })
    })
}

/// What was found out.
struct Found {
    errors: Vec<FieldError>,
    // Whether a rule has words for it.
    by_rule: bool,
}

struct Search<'s> {
    repo: &'s Repo,
    model: &'static ModelDef,
    rows: Vec<WrittenRow>,
    driver: &'s DriverError,
}

impl Search<'_> {
    fn rules(&self) -> impl Iterator<Item = &RuleSet> {
        let of_model = self.model.rules.map(|rules| rules());
        of_model.into_iter().chain(self.rows.iter().flat_map(|row| &row.rules))
    }

    fn columns_named(&self, names: &[String]) -> Option<Vec<usize>> {
        let at = |name: &String| self.model.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        names.iter().map(at).collect::<Option<Vec<_>>>().filter(|columns| !columns.is_empty())
    }

    // Where a problem of these columns is, if it is one row's or cannot be told.
    fn path(&self, row: Option<&WrittenRow>, field: &str) -> String {
        if let Some(row) = row {
            return row.path_of(field);
        }
        match common_path(self.rows.iter().map(|row| &*row.path)) {
            Some(common) if !common.is_empty() => format!("{common}.{field}"),
            _ => field.to_owned(),
        }
    }

    async fn taken(&self) -> Found {
        let Some(columns) = self.columns_of_index().await else { return Found { errors: Vec::new(), by_rule: false } };
        let row = self.duplicate(&columns).await;
        // The words are those of the rule, whose first column has the problem.
        let fields =
            |columns: &[usize]| -> Vec<&str> { columns.iter().map(|at| self.model.columns[*at].field).collect() };
        let listed = fields(&columns).join(", ");
        for set in self.rules() {
            if let Some((first, error)) = set.taken(&columns) {
                let path = self.path(row.as_ref(), self.model.columns[first].field);
                let error = error.with_param("columns", &listed).at(path);
                return Found { errors: vec![error], by_rule: true };
            }
        }
        let errors = fields(&columns).into_iter().map(|field| {
            FieldError::new(self.path(row.as_ref(), field), "is already taken")
                .with_code(FieldError::TAKEN)
                .with_param("columns", &listed)
        });
        Found { errors: errors.collect(), by_rule: false }
    }

    async fn columns_of_index(&self) -> Option<Vec<usize>> {
        if let Some(columns) = self.columns_named(self.driver.columns()) {
            return Some(columns);
        }
        let name = self.driver.constraint()?;
        if let Some(columns) = self.rules().find_map(|set| set.columns_of_index(name)) {
            return Some(columns.to_vec());
        }
        if name == "PRIMARY" {
            return Some(self.model.primary_key.to_vec());
        }
        let statement = self.repo.dialect().index_columns(&self.model.table, name)?;
        let mut names = Vec::new();
        let mut sink = |values: &mut [Value<'_>]| {
            names.extend(values.first().map(|value| match value {
                Value::Text(name) => name.to_string(),
                other => other.to_string(),
            }));
            Ok(())
        };
        self.repo.session(Access::Read).await.ok()?.query(&statement, &mut sink).await.ok()?;
        self.columns_named(&names)
    }

    // Which row it is whose values another has.
    async fn duplicate(&self, columns: &[usize]) -> Option<WrittenRow> {
        let writes = |row: &&WrittenRow| row.written.iter().any(|column| columns.contains(column));
        let candidates: Vec<&WrittenRow> = self.rows.iter().filter(writes).collect();
        if let [only] = candidates[..] {
            return Some(only.clone());
        }
        let mut seen = HashSet::new();
        let again = candidates.iter().find(|row| row.key(columns).is_some_and(|key| !seen.insert(key)));
        if let Some(again) = again {
            return Some((*again).clone());
        }
        if !self.rules().any(RuleSet::has_constraints) {
            return None;
        }
        let read: Vec<usize> = columns.iter().chain(self.model.primary_key).copied().collect();
        let there = self.look_up(self.model, &read, columns, &candidates, columns).await.ok()?;
        let (keys, own) = (there.keys(columns, 0).into_tuples(), there.keys(self.model.primary_key, 0).into_tuples());
        let is_there = |row: &&&WrittenRow| {
            let key = row.key(columns);
            key.is_some()
                && keys
                    .iter()
                    .zip(&own)
                    .any(|(there, own)| *there == key && (row.existing.is_none() || *own != row.existing))
        };
        candidates.iter().find(is_there).map(|row| (*row).clone())
    }

    async fn missing_targets(&self) -> Found {
        let named = self.columns_named(self.driver.columns());
        let belongs = |association: &&'static AssociationDef| match association.linkage() {
            Ok(Linkage::OwnerKey(key)) => match &named {
                Some(columns) => {
                    columns.len() == key.owner_columns.len()
                        && key.owner_columns.iter().all(|own| columns.contains(own))
                }
                None => self.rules().any(|set| set.missing_target(association.name).is_some()),
            },
            _ => false,
        };
        let associations: Vec<&'static AssociationDef> = self.model.associations.iter().filter(belongs).collect();
        let asks = self.rules().any(RuleSet::has_constraints);
        let mut found = Found { errors: Vec::new(), by_rule: false };
        for association in associations {
            let Ok(Linkage::OwnerKey(key)) = association.linkage() else { continue };
            let own = key.owner_columns;
            let writes =
                |row: &&WrittenRow| row.key(own).is_some() && row.written.iter().any(|column| own.contains(column));
            let candidates: Vec<&WrittenRow> = self.rows.iter().filter(writes).collect();
            let lost: Vec<Option<&WrittenRow>> = match (&candidates[..], named.is_some()) {
                ([only], true) => vec![Some(*only)],
                _ if asks => {
                    let target: &'static ModelDef = (association.target)();
                    let there = self.look_up(target, key.target_columns, key.target_columns, &candidates, own).await;
                    let there: HashSet<KeyTuple> = match there {
                        Ok(there) => there.keys(key.target_columns, 0).into_tuples().into_iter().flatten().collect(),
                        Err(_) => continue,
                    };
                    let is_lost = |row: &&&WrittenRow| row.key(own).is_some_and(|key| !there.contains(&key));
                    candidates.iter().filter(is_lost).map(|row| Some(*row)).collect()
                }
                _ if named.is_some() => vec![None],
                _ => Vec::new(),
            };
            for row in lost {
                let worded = self.rules().find_map(|set| set.missing_target(association.name));
                found.by_rule |= worded.is_some();
                let error = worded.unwrap_or_else(|| {
                    FieldError::new(association.name, "must exist").with_code(FieldError::TARGET_MISSING)
                });
                found.errors.push(error.at(self.path(row, association.name)));
            }
        }
        found
    }

    fn missing_values(&self) -> Found {
        let mut errors = Vec::new();
        for column in self.columns_named(self.driver.columns()).unwrap_or_default() {
            let is_null = |row: &&WrittenRow| {
                row.written.contains(&column) && row.values[column].as_ref().is_none_or(Value::is_null)
            };
            let mut rows = self.rows.iter().filter(is_null);
            let row = rows.next().filter(|_| rows.next().is_none());
            let path = self.path(row, self.model.columns[column].field);
            errors.push(FieldError::new(path, "must not be blank").with_code(FieldError::BLANK));
        }
        Found { errors, by_rule: false }
    }

    fn refused_values(&self) -> Found {
        let name = self.driver.constraint().unwrap_or_default();
        let Some((column, error)) = self.rules().find_map(|set| set.refused_by(name)) else {
            return Found { errors: Vec::new(), by_rule: false };
        };
        let writes = |row: &&WrittenRow| row.written.contains(&column);
        let mut rows = self.rows.iter().filter(writes);
        let row = rows.next().filter(|_| rows.next().is_none());
        let path = self.path(row, self.model.columns[column].field);
        Found { errors: vec![error.with_param("constraint", name).at(path)], by_rule: true }
    }

    // Rows of a model that have, in the columns `by`, what the candidates have in theirs.
    async fn look_up(
        &self,
        model: &'static ModelDef,
        read: &[usize],
        by: &[usize],
        candidates: &[&WrittenRow],
        own: &[usize],
    ) -> Result<LinkRows> {
        let keys = KeySet::distinct([&RowKeys::Tuples(candidates.iter().map(|row| row.key(own)).collect())]);
        let mut distinct = Vec::new();
        read.iter().for_each(|column| {
            if !distinct.contains(column) {
                distinct.push(*column);
            }
        });
        let mut found = LinkRows::of(model, distinct.clone());
        let mut session = self.repo.session(Access::Read).await?;
        session.query_keyed(model, &distinct, by, &keys, &Expr::always(), &mut found).await?;
        Ok(found)
    }
}
