//! "The first n rows of each owner" in one statement (D1): never a global `LIMIT`, which gives wrong rows.
//!
//! * One index seek per owner is the fastest by two orders of magnitude where owners have many rows, because it reads n
//!   rows of the index for each owner and stops: `key IN (SELECT key … WHERE fk = owner ORDER BY … LIMIT n)` on SQLite,
//!   `LATERAL` on MySQL 8 and PostgreSQL.
//! * Where the database has neither, a window over the keys alone, joined back to the rows: numbering complete rows
//!   would also sort complete rows.
//!
//! The first form numbered the rows that a list of keys finds and joined the table of keys afterwards. MariaDB plans
//! `(a, b) IN ((?, ?), …)` in a time that grows with the square of the list if `a` and `b` have separate indexes.

use super::SqlWriter;
use super::keyed::key_column;
use crate::dialect::{Dialect, PerOwnerLimit};
use crate::error::{Error, Result};
use crate::key::KeySet;
use crate::metadata::expr::Operand;
use crate::select::{KeyedSelect, Matching, PerOwner, RowOrder};
use crate::statement::Statement;

const INNER: &str = "candidates";
const RANKED: &str = "ranked";
const PLACE: &str = "place";
const FIRST: &str = "place_in_group";
const OWNER: &str = "place_of_owner";
const KEYS: &str = "keys";
const ORDINAL: &str = "ordinal";

// What the rows of one owner have in common.
#[derive(Clone, Copy)]
enum Partition<'n> {
    /// The key in its columns.
    Key,
    /// The key of the table of keys that they match.
    Ordinal,
    /// The key in a column of the derived table.
    Column(&'n str),
}

impl Partition<'_> {
    fn of(matching: Matching) -> Self {
        if matching == Matching::ByOrdinal { Partition::Ordinal } else { Partition::Key }
    }
}

// What a column of the primary key is called in the derived table: beside the others' names.
fn primary_name(at: usize) -> String {
    format!("p{at}")
}

impl KeyedSelect {
    pub(super) fn limited_statement(
        &self,
        dialect: &dyn Dialect,
        keys: &KeySet,
        per_owner: PerOwner,
    ) -> Result<Statement> {
        match dialect.capabilities().per_owner_limit {
            PerOwnerLimit::CorrelatedSeek => self.correlated_seek(dialect, keys, per_owner),
            PerOwnerLimit::Lateral => self.lateral(dialect, keys, per_owner),
            PerOwnerLimit::Window => self.window(dialect, keys, Some(per_owner)),
            PerOwnerLimit::Unsupported => {
                Err(Error::unsupported(dialect.name(), format!("a limit per owner (of {})", self.model.name)))
            }
        }
    }

    // SELECT keys.ordinal, t.… FROM keys CROSS JOIN t
    //   ON t.id IN (SELECT c.id FROM t AS c WHERE c.fk = keys.k0 … ORDER BY … LIMIT n)
    fn correlated_seek(&self, dialect: &dyn Dialect, keys: &KeySet, per_owner: PerOwner) -> Result<Statement> {
        self.model.require_primary_key("a limit per owner")?;
        let primary: Vec<&str> = self.model.primary_key_names().collect();
        let mut writer = SqlWriter::new(dialect);
        writer.qualify(self.model.table.name);
        self.write_ordinal_and_columns(&mut writer);
        self.write_key_table(&mut writer, keys);
        writer.ordered_join();
        writer.table(&self.model.table);
        writer.push(" ON ");
        let several = primary.len() > 1;
        writer.push(if several { "(" } else { "" });
        writer.separated(", ", &primary, |writer, name| writer.own_column(name));
        writer.push(if several { ") IN (SELECT " } else { " IN (SELECT " });
        writer.qualify(INNER);
        writer.separated(", ", &primary, |writer, name| writer.own_column(name));
        writer.push(" FROM ");
        writer.table(&self.model.table);
        writer.push(" AS ");
        writer.identifier(INNER);
        writer.push(" WHERE ");
        self.write_key_match(&mut writer);
        writer.and_condition(&self.filter)?;
        writer.order_by(&self.total_order())?;
        self.write_limit(&mut writer, per_owner);
        writer.push(")");
        writer.qualify(self.model.table.name);
        self.write_needed_order(&mut writer, Matching::ByOrdinal)?;
        writer.finish_within_limit()
    }

    // SELECT keys.ordinal, t.… FROM keys CROSS JOIN LATERAL (SELECT … FROM t WHERE fk = keys.k0 … LIMIT n) AS t
    fn lateral(&self, dialect: &dyn Dialect, keys: &KeySet, per_owner: PerOwner) -> Result<Statement> {
        let mut writer = SqlWriter::new(dialect);
        writer.qualify(self.model.table.name);
        self.write_ordinal_and_columns(&mut writer);
        self.write_key_table(&mut writer, keys);
        writer.push(" CROSS JOIN LATERAL (SELECT ");
        writer.columns(self.model);
        let order = self.total_order();
        // The rows are sorted again outside, also by what the model does not have.
        let mut more: Vec<&str> = Vec::new();
        for term in &order {
            if let Operand::Column(column) = &term.operand
                && column.path.is_empty()
                && !more.contains(&column.name)
                && !self.model.columns.iter().any(|known| known.name == column.name)
            {
                more.push(column.name);
                writer.push(", ");
                writer.own_column(column.name);
            }
        }
        writer.push(" FROM ");
        writer.table(&self.model.table);
        writer.push(" WHERE ");
        self.write_key_match(&mut writer);
        writer.and_condition(&self.filter)?;
        writer.order_by(&order)?;
        self.write_limit(&mut writer, per_owner);
        writer.push(") AS ");
        writer.identifier(self.model.table.name);
        self.write_needed_order(&mut writer, Matching::ByOrdinal)?;
        writer.finish_within_limit()
    }

    // SELECT t.… FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY fk ORDER BY …) AS place FROM t WHERE fk IN …) AS ranked
    //   JOIN t ON t.id = ranked.id WHERE place <= n ORDER BY t.fk, place
    // Where the database has to match the keys, the rows are numbered for each of them: FROM keys JOIN t ON fk = keys.k0,
    // PARTITION BY keys.ordinal. Then the derived table is named `keys` in turn, because it says which key each row
    // matched.
    //
    // Rows of groups are numbered within key and group, and the first is kept. If those are limited in turn, they are
    // numbered again: FROM (SELECT …, ROW_NUMBER() OVER (PARTITION BY fk, group …) … ) WHERE first, in place of the table.
    pub(super) fn window(
        &self,
        dialect: &dyn Dialect,
        keys: &KeySet,
        per_owner: Option<PerOwner>,
    ) -> Result<Statement> {
        self.model.require_primary_key(if self.group.is_empty() { "a limit per owner" } else { "`group_by`" })?;
        let table = self.model.table.name;
        let primary: Vec<&str> = self.model.primary_key_names().collect();
        let matching = self.matching(dialect);
        let ranked = if matching == Matching::ByOrdinal { KEYS } else { RANKED };
        let mut writer = SqlWriter::new(dialect);
        writer.qualify(table);
        if matching == Matching::ByOrdinal {
            self.write_ordinal_and_columns(&mut writer);
        } else {
            writer.push("SELECT ");
            self.write_columns(&mut writer);
            writer.push(" FROM ");
        }
        writer.push("(SELECT ");
        writer.qualify(INNER);
        writer.separated(", ", primary.iter().enumerate(), |writer, (at, name)| {
            writer.own_column(name);
            writer.push(" AS ");
            writer.identifier(&primary_name(at));
        });
        if per_owner.is_some() && !self.group.is_empty() {
            let (first, owner) = (self.free_name(FIRST), self.free_name(OWNER));
            let of_owner = if matching == Matching::ByOrdinal { Partition::Column(&owner) } else { Partition::Key };
            if let Partition::Column(owner) = of_owner {
                writer.push(", ");
                writer.own_column(owner);
                writer.push(" AS ");
                writer.identifier(ORDINAL);
            }
            self.write_place(&mut writer, of_owner, &[], PLACE)?;
            writer.push(" FROM (SELECT ");
            writer.columns(self.model);
            if matching == Matching::ByOrdinal {
                writer.push(", ");
                key_column(&mut writer, ORDINAL);
                writer.push(" AS ");
                writer.identifier(&owner);
            }
            self.write_place(&mut writer, Partition::of(matching), &self.group, &first)?;
            writer.push(" FROM ");
            self.write_candidates(&mut writer, matching, keys)?;
            writer.push(") AS ");
            writer.identifier(INNER);
            writer.push(" WHERE ");
            writer.own_column(&first);
            writer.push(" = 1");
        } else {
            if matching == Matching::ByOrdinal {
                writer.push(", ");
                key_column(&mut writer, ORDINAL);
            }
            let group: &[usize] = if per_owner.is_none() { &self.group } else { &[] };
            self.write_place(&mut writer, Partition::of(matching), group, PLACE)?;
            writer.push(" FROM ");
            self.write_candidates(&mut writer, matching, keys)?;
        }
        writer.push(") AS ");
        writer.identifier(ranked);
        writer.push(" INNER JOIN ");
        writer.table(&self.model.table);
        writer.push(" ON ");
        writer.separated(" AND ", primary.iter().enumerate(), |writer, (at, name)| {
            writer.column_of(table, name);
            writer.push(" = ");
            writer.column_of(ranked, &primary_name(at));
        });
        writer.qualify(table);
        writer.push(" WHERE ");
        let place = |writer: &mut SqlWriter<'_>, compared: &str, value: u64| {
            writer.column_of(ranked, PLACE);
            writer.push(compared);
            writer.push(&value.to_string());
        };
        match per_owner {
            None => place(&mut writer, " = ", 1),
            Some(PerOwner { limit, offset }) => {
                place(&mut writer, " > ", offset);
                if let Some(limit) = limit {
                    writer.push(" AND ");
                    place(&mut writer, " <= ", offset.saturating_add(limit));
                }
            }
        }
        if self.row_order == RowOrder::GloballyOrdered || per_owner.is_none() {
            self.write_order(&mut writer, matching)?;
        } else {
            writer.push(" ORDER BY ");
            if matching == Matching::ByOrdinal {
                key_column(&mut writer, ORDINAL);
            } else {
                writer.separated(", ", self.key_names(), |writer, name| writer.own_column(name));
            }
            writer.push(", ");
            writer.column_of(ranked, PLACE);
        }
        writer.finish_within_limit()
    }

    // The place of a row among those of its key, or of its key and group.
    fn write_place(&self, writer: &mut SqlWriter<'_>, owner: Partition<'_>, group: &[usize], name: &str) -> Result<()> {
        writer.push(", ROW_NUMBER() OVER (PARTITION BY ");
        match owner {
            Partition::Key => writer.separated(", ", self.columns, |writer, at| {
                writer.comparable_column(&self.model.columns[*at]);
            }),
            Partition::Ordinal => key_column(writer, ORDINAL),
            Partition::Column(owner) => writer.own_column(owner),
        }
        for at in group {
            writer.push(", ");
            writer.comparable_column(&self.model.columns[*at]);
        }
        writer.order_by(&self.total_order())?;
        writer.push(") AS ");
        writer.identifier(name);
        Ok(())
    }

    // `t AS candidates WHERE fk IN …`, or `keys JOIN t AS candidates ON fk = keys.k0`.
    fn write_candidates(&self, writer: &mut SqlWriter<'_>, matching: Matching, keys: &KeySet) -> Result<()> {
        if matching == Matching::ByOrdinal {
            self.write_key_table(writer, keys);
            writer.ordered_join();
        }
        writer.table(&self.model.table);
        writer.push(" AS ");
        writer.identifier(INNER);
        if matching == Matching::ByOrdinal {
            writer.push(" ON ");
            self.write_key_match(writer);
            return writer.where_clause(&self.filter);
        }
        writer.push(" WHERE ");
        let dialect = writer.dialect();
        dialect.write_key_filter(writer, &self.key_names(), keys);
        writer.and_condition(&self.filter)
    }

    // A name beside those of the model's columns.
    fn free_name(&self, name: &str) -> String {
        let mut name = name.to_owned();
        while self.model.columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name)) {
            name.push('_');
        }
        name
    }

    fn write_limit(&self, writer: &mut SqlWriter<'_>, per_owner: PerOwner) {
        let dialect = writer.dialect();
        dialect.write_limit(writer, per_owner.limit, Some(per_owner.offset).filter(|offset| *offset > 0));
    }
}
