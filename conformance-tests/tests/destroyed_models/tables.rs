//! The tables of a world as data, the rows in them, and which columns refer to which.

use std::collections::BTreeMap;

use assoc_core::driver::{Access, Connection, Dialect, Statement};
use assoc_core::metadata::{ColumnDef, ColumnDefault, Discriminator, Expr, Linkage, ModelDef, Operand, TableRef};
use assoc_core::sql::SqlWriter;
use assoc_core::{Result, Value};
use assoc_repo::prelude::*;

use crate::worlds::World;
use crate::writes;

mod rows;

/// Stands for the time at which a destroy runs.
pub(crate) const NOW: &str = "now";
/// The year of that time, in which nothing else happens.
pub(crate) const YEAR: i32 = 2031;

/// A row by the names of its columns, as the driver reads it.
pub(crate) type Row = BTreeMap<&'static str, Value<'static>>;

/// A row by its table and place.
pub(crate) type Handle = (&'static str, usize);

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tables(BTreeMap<&'static str, BTreeMap<usize, Row>>);

impl Tables {
    pub(crate) fn rows<'t>(&'t self, table: &'static str) -> impl Iterator<Item = (Handle, &'t Row)> {
        self.0.get(table).into_iter().flatten().map(move |(at, row)| ((table, *at), row))
    }

    pub(crate) fn row(&self, (table, at): Handle) -> &Row {
        &self.0[table][&at]
    }

    pub(crate) fn row_mut(&mut self, (table, at): Handle) -> &mut Row {
        self.0.get_mut(table).and_then(|rows| rows.get_mut(&at)).expect("a row that is there")
    }

    pub(crate) fn remove(&mut self, (table, at): Handle) {
        self.0.get_mut(table).expect("a table").remove(&at);
    }

    pub(crate) fn add(&mut self, table: &'static str, row: Row) {
        let rows = self.0.entry(table).or_default();
        rows.insert(rows.keys().next_back().map_or(0, |last| last + 1), row);
    }

    /// The same as text, without the keys that the database makes when callbacks insert rows.
    pub(crate) fn without_made_keys(&self) -> BTreeMap<&'static str, Vec<String>> {
        let mut tables = self.clone();
        for table in writes::MADE {
            let rows = tables.0.get_mut(table).into_iter().flat_map(BTreeMap::values_mut);
            rows.for_each(|row| _ = row.insert("id", Value::Null));
        }
        tables.settled()
    }

    /// The rows of each table as text, in an order that does not depend on where they are.
    pub(crate) fn settled(&self) -> BTreeMap<&'static str, Vec<String>> {
        let shown =
            |row: &Row| row.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", ");
        let table = |(table, rows): (&&'static str, &BTreeMap<usize, Row>)| {
            let mut rows: Vec<String> = rows.values().map(shown).collect();
            rows.sort();
            (*table, rows)
        };
        self.0.iter().map(table).collect()
    }
}

/// Whether two values are the same key.
pub(crate) fn same_key(one: &Value<'_>, other: &Value<'_>) -> bool {
    !one.is_null() && one == other
}

/// A table as the models that share it want it.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    name: TableRef,
    columns: Vec<ColumnDef>,
    pub(crate) key: Vec<&'static str>,
}

impl Table {
    // Whether the database makes its key.
    fn has_made_key(&self) -> bool {
        let is_made = |column: &ColumnDef| self.key == [column.name] && column.default == ColumnDefault::AutoIncrement;
        self.columns.iter().any(is_made)
    }
}

/// Columns of one table that hold a key of another, with the type beside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Link {
    pub(crate) from: &'static str,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) to: &'static str,
    pub(crate) to_columns: Vec<&'static str>,
    pub(crate) named: Option<(&'static str, &'static str)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Schema {
    pub(crate) tables: Vec<Table>,
    pub(crate) links: Vec<Link>,
    // What conditions and types compare columns with, by table and column.
    compared: BTreeMap<(&'static str, &'static str), Vec<Value<'static>>>,
    pub(crate) foreign_keys: Vec<Link>,
}

impl Schema {
    pub(crate) fn of(world: &World, with_foreign_keys: bool, dialect: &dyn Dialect) -> Schema {
        let mut models: Vec<&'static ModelDef> = world.kinds.iter().map(|kind| kind.def).collect();
        let mut schema =
            Schema { tables: Vec::new(), links: Vec::new(), compared: BTreeMap::new(), foreign_keys: Vec::new() };
        let mut at = 0;
        while at < models.len() {
            let model = models[at];
            schema.add_table(model);
            for found in schema.add_links(model) {
                if !models.contains(&found) {
                    models.push(found);
                }
            }
            at += 1;
        }
        for model in writes::models(world.name) {
            schema.add_table(model);
        }
        if with_foreign_keys {
            let type_of = |table: &str, column: &str| {
                let table = schema.table(table);
                let column = table.columns.iter().find(|known| known.name == column).expect("a column");
                dialect.column_type(column, assoc_core::dialect::ColumnRole::Key)
            };
            let refers = |link: &&Link| {
                // A row always refers to itself by a column that refers to itself, which MySQL takes for none.
                link.named.is_none()
                    && (link.from, &link.columns) != (link.to, &link.to_columns)
                    && schema.table(link.to).key == link.to_columns
                    && link
                        .columns
                        .iter()
                        .zip(&link.to_columns)
                        .all(|(from, to)| type_of(link.from, from) == type_of(link.to, to))
            };
            schema.foreign_keys = schema.links.iter().filter(refers).cloned().collect();
        }
        schema
    }

    pub(crate) fn table(&self, name: &str) -> &Table {
        self.tables.iter().find(|table| table.name.name == name).expect("a table")
    }

    fn add_table(&mut self, model: &'static ModelDef) {
        if let Some(Discriminator { column, tag }) = model.discriminator {
            let compared = self.compared.entry((model.table.name, model.columns[column].name)).or_default();
            compared.push(Value::from(tag));
        }
        let known = self.tables.iter_mut().find(|table| table.name == model.table);
        let Some(table) = known else {
            let key = model.primary_key_names().collect();
            self.tables.push(Table { name: model.table, columns: model.columns.to_vec(), key });
            return;
        };
        if table.key.is_empty() {
            table.key = model.primary_key_names().collect();
        }
        for column in model.columns {
            match table.columns.iter_mut().find(|known| known.name == column.name) {
                Some(known) => known.nullable &= column.nullable,
                None => table.columns.push(*column),
            }
        }
    }

    fn add_links(&mut self, model: &'static ModelDef) -> Vec<&'static ModelDef> {
        let mut models = Vec::new();
        for association in model.associations {
            let target = (association.target)();
            if let Some(scope) = association.options.scope {
                self.compare(target, &scope().filter);
            }
            let names = |of: &ModelDef, columns: &[usize]| columns.iter().map(|at| of.columns[*at].name).collect();
            let mut link = |from: &ModelDef,
                            columns: &[usize],
                            to: &ModelDef,
                            to_columns: &[usize],
                            named: Option<Discriminator>| {
                let named = named.map(|named| (from.columns[named.column].name, named.tag));
                let (columns, to_columns) = (names(from, columns), names(to, to_columns));
                let link = Link { from: from.table.name, columns, to: to.table.name, to_columns, named };
                if !self.links.contains(&link) {
                    self.links.push(link);
                }
            };
            // Some are declared wrong, to be refused elsewhere.
            let Ok(linkage) = association.linkage() else { continue };
            match linkage {
                Linkage::OwnerKey(key) => {
                    link(model, key.owner_columns, target, key.target_columns, None);
                    models.push(target);
                }
                Linkage::OwnerKeyAndType { owner_columns, type_column, variants } => {
                    for variant in variants {
                        let named = Discriminator { column: type_column, tag: variant.tag };
                        link(model, owner_columns, (variant.model)(), variant.key, Some(named));
                        models.push((variant.model)());
                    }
                }
                Linkage::TargetKey(key) => {
                    link(target, key.target_columns, model, key.owner_columns, key.target_type);
                    models.push(target);
                }
                Linkage::JoinRecord(record) => {
                    let (key, to) = (record.owner, record.target);
                    link(record.table, key.target_columns, model, key.owner_columns, key.target_type);
                    link(record.table, to.owner_columns, target, to.target_columns, record.target_type);
                    models.extend([record.table, target]);
                }
                _ => models.push(target),
            }
        }
        models
    }

    fn compare(&mut self, model: &'static ModelDef, condition: &Expr) {
        match condition {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().for_each(|part| self.compare(model, part)),
            Expr::Not(inner) => self.compare(model, inner),
            Expr::Compare { left: Operand::Column(column), right: Operand::Value(value), .. }
                if column.path.is_empty() =>
            {
                self.compared.entry((model.table.name, column.name)).or_default().push(value.clone());
            }
            _ => {}
        }
    }

    fn dangles(&self, tables: &Tables, link: &Link, row: Handle) -> bool {
        let own: Vec<&Value<'static>> = link.columns.iter().map(|name| &tables.row(row)[name]).collect();
        !own.iter().any(|value| value.is_null())
            && !tables
                .rows(link.to)
                .any(|(_, to)| link.to_columns.iter().zip(&own).all(|(name, value)| to[name] == **value))
    }

    /// Whether foreign keys hold what is to go: one would lead to no row, or rows need each other by keys that cannot be `NULL`.
    pub(crate) fn holds(&self, before: &Tables, after: &Tables) -> bool {
        let dangles = |link: &Link| after.rows(link.from).any(|(row, _)| self.dangles(after, link, row));
        self.foreign_keys.iter().any(dangles) || self.is_ring(before, after)
    }

    fn is_ring(&self, before: &Tables, after: &Tables) -> bool {
        let gone = |table: &'static str| {
            let left = after.0.get(table);
            before.rows(table).filter(move |((_, at), _)| left.is_none_or(|left| !left.contains_key(at)))
        };
        let mut needs: Vec<(Handle, Handle)> = Vec::new();
        for link in &self.foreign_keys {
            let table = self.table(link.from);
            let is_needed = |name: &&str| table.columns.iter().any(|column| column.name == *name && !column.nullable);
            if !link.columns.iter().all(is_needed) {
                continue;
            }
            for (row, own) in gone(link.from) {
                let refers = |to: &Row| link.columns.iter().zip(&link.to_columns).all(|(from, of)| own[from] == to[of]);
                needs.extend(gone(link.to).filter(|(to, of)| *to != row && refers(of)).map(|(to, _)| (row, to)));
            }
        }
        // Rows that no other needs go, one after the other.
        loop {
            let before = needs.len();
            let needed: Vec<Handle> = needs.iter().map(|(_, to)| *to).collect();
            needs.retain(|(row, _)| needed.contains(row));
            if needs.len() == before {
                return before > 0;
            }
        }
    }

    pub(crate) async fn make(&self, repo: &Repo) -> Result<()> {
        let dialect = repo.driver().dialect();
        let mut connection = repo.driver().acquire(Access::Write).await?;
        checks(&mut *connection, dialect, false).await?;
        let refers_to_tables_that_exist = dialect.name() == "PostgreSQL";
        for table in &self.tables {
            let mut writer = SqlWriter::new(dialect);
            writer.push("CREATE TABLE ");
            writer.table(&table.name);
            writer.push(" (");
            let linked = |column: &ColumnDef| {
                self.links.iter().any(|link| {
                    link.from == table.name.name
                        && (link.columns.contains(&column.name)
                            || link.named.is_some_and(|named| named.0 == column.name))
                        || link.to == table.name.name && link.to_columns.contains(&column.name)
                })
            };
            writer.separated(", ", &table.columns, |writer, column| {
                let is_made = table.has_made_key() && table.key == [column.name];
                let role = match table.key.contains(&column.name) || linked(column) {
                    _ if is_made => assoc_core::dialect::ColumnRole::AutoIncrement,
                    true => assoc_core::dialect::ColumnRole::Key,
                    false => assoc_core::dialect::ColumnRole::Plain,
                };
                writer.identifier(column.name);
                writer.push(" ");
                writer.push(&dialect.column_type(column, role));
                if is_made {
                    writer.push(dialect.auto_increment());
                    return;
                }
                match column.default {
                    ColumnDefault::Generated(Some(expression)) => {
                        let stored = if dialect.name() == "PostgreSQL" { " STORED" } else { "" };
                        writer.push(&format!(" GENERATED ALWAYS AS ({expression}){stored}"));
                    }
                    _ if column.nullable => writer.push(" NULL"),
                    _ => writer.push(" NOT NULL"),
                }
            });
            if !table.key.is_empty() && !table.has_made_key() {
                writer.push(", PRIMARY KEY");
                write_list(&mut writer, &table.key);
            }
            if !refers_to_tables_that_exist {
                for link in self.foreign_keys.iter().filter(|link| link.from == table.name.name) {
                    writer.push(", ");
                    write_foreign_key(&mut writer, link);
                }
            }
            writer.push(")");
            connection.execute(&writer.finish()).await?;
        }
        for link in self.foreign_keys.iter().filter(|_| refers_to_tables_that_exist) {
            let mut writer = SqlWriter::new(dialect);
            writer.push("ALTER TABLE ");
            writer.identifier(link.from);
            writer.push(" ADD ");
            write_foreign_key(&mut writer, link);
            connection.execute(&writer.finish()).await?;
        }
        checks(&mut *connection, dialect, true).await
    }

    /// Makes the tables hold these rows and nothing else.
    pub(crate) async fn fill(&self, repo: &Repo, tables: &Tables) -> Result<()> {
        let dialect = repo.driver().dialect();
        let mut connection = repo.driver().acquire(Access::Write).await?;
        checks(&mut *connection, dialect, false).await?;
        for table in &self.tables {
            let mut writer = SqlWriter::new(dialect);
            writer.push("DELETE FROM ");
            writer.table(&table.name);
            connection.execute(&writer.finish()).await?;
            let rows: Vec<&Row> = tables.rows(table.name.name).map(|(_, row)| row).collect();
            let Some(first) = rows.first() else { continue };
            let mut writer = SqlWriter::new(dialect);
            writer.push("INSERT INTO ");
            writer.table(&table.name);
            writer.push(" (");
            writer.separated(", ", first.keys(), |writer, name| writer.identifier(name));
            writer.push(") VALUES ");
            writer.separated(", ", &rows, |writer, row| {
                writer.push("(");
                writer.separated(", ", row.values(), |writer, value| writer.bind(value.clone()));
                writer.push(")");
            });
            connection.execute(&writer.finish()).await?;
            if table.has_made_key() && dialect.name() == "PostgreSQL" {
                // A key that a row brought is not counted.
                let (name, key) = (table.name.name, table.key[0]);
                let mut writer = SqlWriter::new(dialect);
                writer.push(&format!("SELECT setval(pg_get_serial_sequence('\"{name}\"', '{key}'), MAX("));
                writer.identifier(key);
                writer.push(")) FROM ");
                writer.table(&table.name);
                connection.execute(&writer.finish()).await?;
            }
        }
        checks(&mut *connection, dialect, true).await
    }

    /// What the tables hold.
    pub(crate) async fn read(&self, repo: &Repo) -> Result<Tables> {
        let dialect = repo.driver().dialect();
        let mut connection = repo.driver().acquire(Access::Read).await?;
        let mut tables = Tables::default();
        for table in &self.tables {
            tables.0.insert(table.name.name, BTreeMap::new());
            let mut writer = SqlWriter::new(dialect);
            writer.push("SELECT ");
            writer.separated(", ", &table.columns, |writer, column| writer.identifier(column.name));
            writer.push(" FROM ");
            writer.table(&table.name);
            let mut sink = |values: &mut [Value<'_>]| {
                let cells = table.columns.iter().zip(values.iter());
                tables.add(table.name.name, cells.map(|(column, value)| (column.name, stored(value))).collect());
                Ok(())
            };
            connection.query(&writer.finish(), &mut sink).await?;
        }
        Ok(tables)
    }
}

fn write_list(writer: &mut SqlWriter<'_>, names: &[&str]) {
    writer.push(" (");
    writer.separated(", ", names, |writer, name| writer.identifier(name));
    writer.push(")");
}

fn write_foreign_key(writer: &mut SqlWriter<'_>, link: &Link) {
    writer.push("FOREIGN KEY");
    write_list(writer, &link.columns);
    writer.push(" REFERENCES ");
    writer.identifier(link.to);
    write_list(writer, &link.to_columns);
}

// A value as it can be compared.
fn stored(value: &Value<'_>) -> Value<'static> {
    match value.clone().into_owned() {
        Value::UInt(value) => i64::try_from(value).map_or(Value::UInt(value), Value::Int),
        value if value.to_string().contains(&format!("{YEAR}-")) => Value::Text(NOW.into()),
        value => value,
    }
}

// Whether foreign keys hold: not while rows are put where they are wanted.
async fn checks(connection: &mut dyn Connection, dialect: &dyn Dialect, on: bool) -> Result<()> {
    let [on_sql, off_sql] = match dialect.name() {
        "SQLite" => ["PRAGMA foreign_keys = ON", "PRAGMA foreign_keys = OFF"],
        "PostgreSQL" => ["SET session_replication_role = origin", "SET session_replication_role = replica"],
        _ => ["SET FOREIGN_KEY_CHECKS = 1", "SET FOREIGN_KEY_CHECKS = 0"],
    };
    let sql = if on { on_sql } else { off_sql };
    connection.execute(&Statement::plain(sql)).await.map(|_| ())
}
