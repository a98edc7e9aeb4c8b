//! `destroy` over several levels: the order in which rows go under foreign keys, rings, restrictions far below, and the
//! number of statements for many rows.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};

use conformance_written_models::graphs::{
    self, Catalog, Category, Comment, Company, Desk, Employee, Entry, Partner, Place, Post, User,
};

cases! { "destroy_graphs", Level::Write;
    three_levels,
    restricted_far_below,
    f152_a_failure_far_below,
    a_tree_whose_ids_ascend,
    a_tree_whose_ids_descend,
    a_tree_of_texts,
    rows_that_refer_to_each_other,
    a_ring,
    two_tables_that_refer_to_each_other,
    both_sides_take_the_other_along,
    many_rows_in_few_statements,
}

async fn companies_left(cx: &mut Context) -> Result<()> {
    for (label, sql) in [
        ("companies", "SELECT id FROM companies ORDER BY id"),
        ("users", "SELECT id, company_id, main_post_id FROM users ORDER BY id"),
        ("posts", "SELECT id, user_id FROM posts ORDER BY id"),
        ("comments", "SELECT id, post_id FROM comments ORDER BY id"),
    ] {
        cx.rows(label, sql).await?;
    }
    Ok(())
}

async fn company(cx: &Context) -> Result<Company> {
    cx.repo().get_or_fail::<Company>(1, Query::new()).await
}

async fn three_levels(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    graphs::companies(&repo).await?;
    let row = company(cx).await?;
    let before = repo.preview_destroy(&row).await?;
    let done = cx.step("foreign keys are on", repo.destroy(&row)).await?;
    cx.note("done", &done);
    cx.require(before == done, "the preview says what is done")?;
    companies_left(cx).await
}

async fn restricted_far_below(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    graphs::companies(&repo).await?;
    repo.execute_raw("INSERT INTO orders (id, post_id) VALUES (11, 3), (12, 3), (13, 4), (14, 1)", []).await?;
    let row = company(cx).await?;
    cx.fails("orders of two posts of two users", repo.destroy(&row)).await?;
    cx.note("preview", repo.preview_destroy(&row).await?);
    companies_left(cx).await
}

async fn f152_a_failure_far_below(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    graphs::companies(&repo).await?;
    // No association knows of these.
    repo.execute_raw(
        "CREATE TABLE stars (id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL, FOREIGN KEY (post_id) REFERENCES posts (id))",
        [],
    )
    .await?;
    repo.execute_raw("INSERT INTO stars (id, post_id) VALUES (1, 3)", []).await?;
    let row = company(cx).await?;
    let error = cx.fails("the database refuses", repo.destroy(&row)).await?;
    cx.require(error.is_foreign_key_violation(), "a foreign key")?;
    companies_left(cx).await
}

async fn tree(cx: &mut Context, ascending: bool) -> Result<()> {
    let repo = cx.repo();
    graphs::categories(&repo, ascending).await?;
    let root = repo.get_or_fail::<Category>(if ascending { 1 } else { 5 }, Query::new()).await?;
    let before = repo.preview_destroy(&root).await?;
    let done = cx.step("level by level, the deepest first", repo.destroy(&root)).await?;
    cx.note("done", &done);
    cx.require(before == done, "the preview says what is done")?;
    cx.rows("categories", "SELECT id, parent_id FROM categories ORDER BY id").await?;
    cx.rows("labels", "SELECT id FROM labels ORDER BY id").await?;
    let done = cx.step("all at once", repo.destroy_all(Query::<Category>::new())).await?;
    cx.note("done", done);
    cx.rows("categories", "SELECT id FROM categories").await
}

async fn a_tree_whose_ids_ascend(cx: &mut Context) -> Result<()> {
    tree(cx, true).await
}

async fn a_tree_whose_ids_descend(cx: &mut Context) -> Result<()> {
    tree(cx, false).await
}

async fn a_tree_of_texts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Place>().await?;
    repo.execute_raw(
        "INSERT INTO places (name, inside) VALUES ('World', NULL), ('Europe', 'World'), ('Austria', 'Europe'), ('Graz', \
         'Austria'), ('Asia', 'World'), ('Moon', NULL)",
        [],
    )
    .await?;
    let world = repo.get_or_fail::<Place>("World", Query::new()).await?;
    let done = cx.step("keys that are texts", repo.destroy(&world)).await?;
    cx.note("done", done);
    cx.rows("places", "SELECT name FROM places ORDER BY name").await
}

async fn rows_that_refer_to_each_other(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Catalog>().await?;
    for sql in [
        "CREATE TABLE entries (id BIGINT PRIMARY KEY, catalog_id BIGINT NOT NULL, see_id BIGINT NULL, FOREIGN KEY (see_id) \
         REFERENCES entries (id))",
        "INSERT INTO catalogs (id) VALUES (1), (2)",
        // Forwards, backwards, to itself, and a ring of two.
        "INSERT INTO entries (id, catalog_id, see_id) VALUES (1, 1, NULL), (2, 1, 1), (5, 1, NULL), (6, 2, NULL)",
        "INSERT INTO entries (id, catalog_id, see_id) VALUES (4, 1, 5), (3, 1, 4), (7, 1, 7), (8, 1, NULL), (9, 1, 8)",
        "UPDATE entries SET see_id = 9 WHERE id = 8",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    let catalog = repo.get_or_fail::<Catalog>(1, Query::new()).await?;
    let done = cx.step("which one refers to which is read; a ring is cleared first", repo.destroy(&catalog)).await?;
    cx.note("done", done);
    let left: Vec<Entry> = repo.all(Query::new()).await?;
    cx.show("entries", left.iter().map(|entry| entry.id));
    Ok(())
}

async fn a_ring(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    for sql in [
        "CREATE TABLE partners (id BIGINT PRIMARY KEY, partner_id BIGINT NULL, FOREIGN KEY (partner_id) REFERENCES partners \
         (id))",
        "INSERT INTO partners (id, partner_id) VALUES (1, NULL), (2, 1), (3, 2), (4, NULL), (5, NULL), (6, 5), (7, 7)",
        "UPDATE partners SET partner_id = 3 WHERE id = 1",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    for id in [2, 6, 7] {
        let row = repo.get_or_fail::<Partner>(id, Query::new()).await?;
        let before = repo.preview_destroy(&row).await?;
        let done = cx.step(&format!("partner {id}"), repo.destroy(&row)).await?;
        cx.note("done", &done);
        cx.require(before == done, "the preview says what is done")?;
    }
    cx.rows("partners", "SELECT id, partner_id FROM partners").await
}

async fn two_tables_that_refer_to_each_other(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    for sql in [
        "CREATE TABLE posts (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL)",
        "CREATE TABLE users (id BIGINT PRIMARY KEY, company_id BIGINT NULL, main_post_id BIGINT NULL, FOREIGN KEY \
         (main_post_id) REFERENCES posts (id))",
        "CREATE TABLE comments (id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL, FOREIGN KEY (post_id) REFERENCES posts \
         (id))",
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL)",
        "INSERT INTO posts (id, user_id) VALUES (1, 1), (2, 1), (3, 2)",
        "INSERT INTO users (id, main_post_id) VALUES (1, 2), (2, NULL)",
        "INSERT INTO comments (id, post_id) VALUES (1, 2), (2, 3)",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    let row = repo.get_or_fail::<User>(1, Query::new()).await?;
    let done = cx.step("the reference that can be NULL is cleared first", repo.destroy(&row)).await?;
    cx.note("done", done);
    cx.rows("users", "SELECT id, main_post_id FROM users").await?;
    cx.rows("posts", "SELECT id FROM posts").await?;
    cx.rows("comments", "SELECT id FROM comments").await
}

async fn both_sides_take_the_other_along(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Desk>().await?;
    repo.create_table::<Employee>().await?;
    repo.insert_all([Desk::build(), Desk::build()]).await?;
    let at = |desk: i64| Employee::build().set(Employee::DESK_ID, desk);
    let employees = repo.insert_all([at(1), at(2), at(2)]).await?;
    let done = cx.step("its desk is empty then, and goes", repo.destroy(&employees[0])).await?;
    cx.note("done", done);
    cx.fails("another one sits there", repo.destroy(&employees[1])).await?;
    cx.note("preview", repo.preview_destroy(&employees[1]).await?);
    let done = cx.step("both go, and the desk after them", repo.destroy_rows(&employees[1..])).await?;
    cx.note("done", done);
    cx.rows("employees", "SELECT id FROM employees").await?;
    cx.rows("desks", "SELECT id FROM desks").await
}

async fn many_rows_in_few_statements(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    graphs::companies(&repo).await?;
    let comment = |post: i64| {
        (1..=10).map(move |at| Comment::build().set(Comment::ID, post * 10 + at).set(Comment::POST_ID, post))
    };
    let post = |id: i64| Post::build().set(Post::ID, id).set(Post::USER_ID, 2);
    repo.insert_all((100..1_100).map(post)).await?;
    repo.insert_all((100..1_100).flat_map(comment)).await?;
    let row = repo.get_or_fail::<User>(2, Query::new()).await?;
    let done = cx.step("1,000 posts of 10 comments", repo.destroy(&row)).await?;
    cx.note("done", done);
    companies_left(cx).await
}
