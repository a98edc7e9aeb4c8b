//! `CREATE TABLE` text from a model, for tests, examples and prototypes. A production schema belongs to a migration
//! tool: these statements know nothing of constraints, renames or data.

use crate::dialect::{ColumnRole, Comparable, Dialect};
use crate::metadata::association::Linkage;
use crate::metadata::model::{ColumnDefault, FilledBy, ModelDef};
use crate::sql::SqlWriter;
use crate::statement::{Statement, StatementKind};

/// The statements that make a model's table, and an index for every foreign key that one of its associations uses; of a
/// polymorphic association over type and key.
///
/// No foreign key *constraints* are written: they would dictate the order in which tables are made.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::schema::create_table;
///
/// let statements = create_table(Post::DEF, &StandardSql::default());
/// let sql: Vec<&str> = statements.iter().map(|statement| statement.sql()).collect();
/// let table = "id ANY PRIMARY KEY AUTO_INCREMENT, user_id ANY NOT NULL, title ANY NOT NULL";
/// // `belongs_to` looks rows up by the key of the other table; the index is for the other direction.
/// let index = "CREATE INDEX index_posts_on_user_id ON posts (user_id)";
/// assert_eq!(sql, [format!("CREATE TABLE posts ({table})").as_str(), index]);
/// ```
#[must_use]
pub fn create_table(model: &ModelDef, dialect: &dyn Dialect) -> Vec<Statement> {
    let mut statements = vec![table(model, dialect)];
    let mut indexed = vec![model.primary_key.to_vec()];
    // A primary key whose values compare in another form than they are stored in is not found by the index it has.
    let other_form = |at: &usize| dialect.comparable(model.columns[*at].sql_type).and_then(Comparable::index).is_some();
    if model.primary_key.iter().any(other_form) {
        statements.push(index(model, model.primary_key, dialect));
    }
    for columns in foreign_keys(model) {
        if !indexed.contains(&columns) {
            statements.push(index(model, &columns, dialect));
            indexed.push(columns);
        }
    }
    statements
}

/// The statement that removes a model's table, if it exists.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// let drop = assoc_core::schema::drop_table(Post::DEF, &StandardSql::default());
/// assert_eq!(drop.sql(), "DROP TABLE IF EXISTS posts");
/// ```
#[must_use]
pub fn drop_table(model: &ModelDef, dialect: &dyn Dialect) -> Statement {
    let mut writer = SqlWriter::of_kind(dialect, StatementKind::Schema);
    writer.push("DROP TABLE IF EXISTS ");
    writer.table(&model.table);
    writer.finish()
}

// The columns that refer to other rows; of a polymorphic association the type comes first, because a look-up of its other
// side names one type.
fn foreign_keys(model: &ModelDef) -> impl Iterator<Item = Vec<usize>> + use<> {
    model.associations.iter().filter_map(|association| match association.linkage().ok()? {
        Linkage::OwnerKey(key) => Some(key.owner_columns.to_vec()),
        Linkage::OwnerKeyAndType { owner_columns, type_column, .. } => Some([&[type_column], owner_columns].concat()),
        // The key is in the target's table, or in the join table's.
        Linkage::TargetKey(_) | Linkage::JoinRecord(_) | Linkage::ReadOnly(_) => None,
    })
}

fn role(model: &ModelDef, at: usize) -> ColumnRole {
    if matches!(model.columns[at].default, ColumnDefault::AutoIncrement) && model.primary_key == [at] {
        ColumnRole::AutoIncrement
    } else if model.primary_key.contains(&at) || foreign_keys(model).any(|columns| columns.contains(&at)) {
        ColumnRole::Key
    } else {
        ColumnRole::Plain
    }
}

fn table(model: &ModelDef, dialect: &dyn Dialect) -> Statement {
    let mut writer = SqlWriter::of_kind(dialect, StatementKind::Schema);
    writer.push("CREATE TABLE ");
    writer.table(&model.table);
    writer.push(" (");
    let mut key_stated = false;
    writer.separated(", ", model.columns.iter().enumerate(), |writer, (at, column)| {
        let role = role(model, at);
        writer.identifier(column.name);
        writer.push(" ");
        writer.push(&dialect.column_type(column, role));
        if role == ColumnRole::AutoIncrement {
            key_stated = true;
            writer.push(dialect.auto_increment());
            return;
        }
        if let ColumnDefault::Generated(Some(expression)) = column.default {
            // Not every database takes `NOT NULL` here, and the expression decides about `NULL` anyway.
            writer.push(" GENERATED ALWAYS AS (");
            writer.push(expression);
            writer.push(") STORED");
            return;
        }
        writer.push(if column.nullable { "" } else { " NOT NULL" });
        let default = match column.default {
            ColumnDefault::Sql(default) => Some(default),
            // For rows that are written by other means.
            ColumnDefault::Filled(FilledBy::CounterCache) => Some("0"),
            _ => None,
        };
        if let Some(default) = default {
            writer.push(" DEFAULT ");
            writer.push(default);
        }
    });
    if !key_stated && !model.primary_key.is_empty() {
        writer.push(", PRIMARY KEY (");
        writer.separated(", ", model.primary_key_names(), |writer, name| writer.identifier(name));
        writer.push(")");
    }
    writer.push(")");
    writer.push(dialect.table_suffix());
    writer.finish()
}

fn index(model: &ModelDef, columns: &[usize], dialect: &dyn Dialect) -> Statement {
    let mut writer = SqlWriter::of_kind(dialect, StatementKind::Schema);
    let names: Vec<&str> = columns.iter().map(|column| model.columns[*column].name).collect();
    let mut name = format!("index_{}_on_{}", model.table.name, names.join("_and_"));
    // Identifiers are ASCII in practice; a longer one is cut at a character boundary below the limit.
    let limit = dialect.capabilities().max_identifier;
    while name.len() > limit {
        name.pop();
    }
    writer.push("CREATE INDEX ");
    writer.identifier(&name);
    writer.push(" ON ");
    writer.table(&model.table);
    writer.push(" (");
    writer.separated(", ", columns, |writer, column| writer.index_column(model, *column));
    writer.push(")");
    writer.finish()
}
