//! The models whose rows are destroyed, and their tables.

use assoc_core::Result;
use assoc_repo::prelude::*;

use crate::reference::{Guard, Item, Link, Mark, Part, Tables};

/// A tree of nodes, each perhaps with a buddy that goes after it.
#[derive(Model, Debug, Clone)]
#[model(table = "nodes", auto_increment = false)]
pub(crate) struct Node {
    pub(crate) id: i64,
    pub(crate) parent_id: Option<i64>,
    pub(crate) buddy_id: Option<i64>,
    #[has_many(foreign_key = "parent_id", dependent = "destroy")]
    pub(crate) children: HasMany<Node>,
    #[belongs_to(dependent = "destroy")]
    pub(crate) buddy: BelongsTo<Option<Node>>,
    #[has_many(dependent = "destroy")]
    pub(crate) items: HasMany<ItemRow>,
    #[has_many(foreign_key = "keeper_id", dependent = "nullify")]
    pub(crate) kept_items: HasMany<ItemRow>,
    #[has_many(filter = GuardRow::ACTIVE.eq(true), dependent = "restrict_with_error")]
    pub(crate) guards: HasMany<GuardRow>,
    #[has_many(as = "subject", dependent = "destroy")]
    pub(crate) marks: HasMany<MarkRow>,
    #[has_and_belongs_to_many(join_table = "links", foreign_key = "one_id", association_foreign_key = "other_id")]
    pub(crate) peers: HasAndBelongsToMany<Node>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "items", auto_increment = false)]
pub(crate) struct ItemRow {
    pub(crate) id: i64,
    pub(crate) node_id: Option<i64>,
    pub(crate) keeper_id: Option<i64>,
    #[has_many(foreign_key = "item_id", dependent = "delete")]
    pub(crate) parts: HasMany<PartRow>,
    #[has_many(foreign_key = "item_id", dependent = "destroy")]
    pub(crate) guards: HasMany<GuardRow>,
    #[has_many(as = "subject", tag = "Item", dependent = "nullify")]
    pub(crate) marks: HasMany<MarkRow>,
}

/// Parts refer to each other, without a `dependent` option.
#[derive(Model, Debug, Clone)]
#[model(table = "parts", auto_increment = false)]
pub(crate) struct PartRow {
    pub(crate) id: i64,
    pub(crate) item_id: Option<i64>,
    pub(crate) part_of_id: Option<i64>,
    #[belongs_to]
    pub(crate) part_of: BelongsTo<Option<PartRow>>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "guards", auto_increment = false)]
pub(crate) struct GuardRow {
    pub(crate) id: i64,
    pub(crate) node_id: Option<i64>,
    pub(crate) item_id: Option<i64>,
    pub(crate) active: bool,
}

#[derive(Model, Debug, Clone)]
#[model(table = "marks", auto_increment = false)]
pub(crate) struct MarkRow {
    pub(crate) id: i64,
    pub(crate) subject_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) subject_type: Option<String>,
}

pub(crate) async fn make_tables(repo: &Repo, foreign_keys: bool) -> Result<()> {
    let key = |column: &str, table: &str| match foreign_keys {
        true => format!(", FOREIGN KEY ({column}) REFERENCES {table} (id)"),
        false => String::new(),
    };
    for sql in [
        format!(
            "CREATE TABLE nodes (id BIGINT PRIMARY KEY, parent_id BIGINT NULL, buddy_id BIGINT NULL{}{})",
            key("parent_id", "nodes"),
            key("buddy_id", "nodes")
        ),
        format!(
            "CREATE TABLE items (id BIGINT PRIMARY KEY, node_id BIGINT NULL, keeper_id BIGINT NULL{}{})",
            key("node_id", "nodes"),
            key("keeper_id", "nodes")
        ),
        format!(
            "CREATE TABLE parts (id BIGINT PRIMARY KEY, item_id BIGINT NULL, part_of_id BIGINT NULL{}{})",
            key("item_id", "items"),
            key("part_of_id", "parts")
        ),
        format!(
            "CREATE TABLE guards (id BIGINT PRIMARY KEY, node_id BIGINT NULL, item_id BIGINT NULL, active BOOLEAN NOT \
             NULL{}{})",
            key("node_id", "nodes"),
            key("item_id", "items")
        ),
        "CREATE TABLE marks (id BIGINT PRIMARY KEY, subject_id BIGINT NULL, subject_type VARCHAR(20) NULL)".to_owned(),
        format!(
            "CREATE TABLE links (one_id BIGINT NOT NULL, other_id BIGINT NOT NULL{}{})",
            key("one_id", "nodes"),
            key("other_id", "nodes")
        ),
    ] {
        repo.execute_raw(&sql, []).await?;
    }
    Ok(())
}

/// Makes the tables hold these rows and nothing else.
pub(crate) async fn fill(repo: &Repo, tables: &Tables) -> Result<()> {
    for sql in [
        "UPDATE nodes SET parent_id = NULL, buddy_id = NULL",
        "UPDATE parts SET part_of_id = NULL",
        "DELETE FROM links",
        "DELETE FROM marks",
        "DELETE FROM guards",
        "DELETE FROM parts",
        "DELETE FROM items",
        "DELETE FROM nodes",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    let shown = |value: Option<i64>| value.map_or("NULL".to_owned(), |value| value.to_string());
    let mut statements = Vec::new();
    let mut insert = |head: &str, rows: Vec<String>| {
        if !rows.is_empty() {
            statements.push(format!("INSERT INTO {head} VALUES {}", rows.join(", ")));
        }
    };
    insert("nodes (id)", tables.nodes.keys().map(|id| format!("({id})")).collect());
    let item = |(id, item): (&i64, &Item)| format!("({id}, {}, {})", shown(item.node), shown(item.keeper));
    insert("items (id, node_id, keeper_id)", tables.items.iter().map(item).collect());
    insert(
        "parts (id, item_id)",
        tables.parts.iter().map(|(id, part)| format!("({id}, {})", shown(part.item))).collect(),
    );
    let guard =
        |(id, guard): (&i64, &Guard)| format!("({id}, {}, {}, {})", shown(guard.node), shown(guard.item), guard.active);
    insert("guards (id, node_id, item_id, active)", tables.guards.iter().map(guard).collect());
    let mark = |(id, mark): (&i64, &Mark)| {
        let subject = mark.subject.map_or("NULL, NULL".to_owned(), |(kind, id)| format!("{id}, '{kind}'"));
        format!("({id}, {subject})")
    };
    insert("marks (id, subject_id, subject_type)", tables.marks.iter().map(mark).collect());
    let link = |(one, other): &Link| format!("({one}, {other})");
    insert("links (one_id, other_id)", tables.links.iter().map(link).collect());
    for (id, node) in &tables.nodes {
        statements.push(format!(
            "UPDATE nodes SET parent_id = {}, buddy_id = {} WHERE id = {id}",
            shown(node.parent),
            shown(node.buddy)
        ));
    }
    for (id, part) in tables.parts.iter().filter(|(_, part)| part.part_of.is_some()) {
        statements.push(format!("UPDATE parts SET part_of_id = {} WHERE id = {id}", shown(part.part_of)));
    }
    repo.transaction(async |tx| {
        for sql in &statements {
            tx.execute_raw(sql, []).await?;
        }
        Ok::<_, Error>(())
    })
    .await
}

/// What the tables hold.
pub(crate) async fn read(repo: &Repo) -> Result<Tables> {
    let mut tables = Tables::default();
    for node in repo.all(Query::<Node>::new()).await? {
        tables.nodes.insert(node.id, crate::reference::Node { parent: node.parent_id, buddy: node.buddy_id });
    }
    for item in repo.all(Query::<ItemRow>::new()).await? {
        tables.items.insert(item.id, Item { node: item.node_id, keeper: item.keeper_id });
    }
    for part in repo.all(Query::<PartRow>::new()).await? {
        tables.parts.insert(part.id, Part { item: part.item_id, part_of: part.part_of_id });
    }
    for guard in repo.all(Query::<GuardRow>::new()).await? {
        tables.guards.insert(guard.id, Guard { node: guard.node_id, item: guard.item_id, active: guard.active });
    }
    for mark in repo.all(Query::<MarkRow>::new()).await? {
        let kind = mark.subject_type.as_deref().map(|kind| if kind == "Node" { "Node" } else { "Item" });
        tables.marks.insert(mark.id, Mark { subject: kind.zip(mark.subject_id) });
    }
    let statement =
        assoc_core::driver::Statement::plain("SELECT one_id, other_id FROM links ORDER BY one_id, other_id");
    let mut sink = |values: &mut [Value<'_>]| {
        if let [Value::Int(one), Value::Int(other)] = values {
            tables.links.push((*one, *other));
        }
        Ok(())
    };
    repo.driver().acquire(assoc_core::driver::Access::Read).await?.query(&statement, &mut sink).await?;
    Ok(tables)
}
