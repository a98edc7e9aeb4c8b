//! Nested attributes, as far as other cases do not show them: which rows are read, what wins, what runs.

use assoc_core::Result;
use assoc_repo::Permit;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::guild::{self, Comment, Post, User};
use serde_json::json;

cases! { "nested_input", Level::Write;
    lists_and_objects,
    only_the_given_rows_are_read,
    destroying,
    three_levels_down,
    nothing_before_the_save,
}

fn posts() -> Permit<User> {
    Permit::new().nested(User::POSTS, Permit::new().column(Post::TITLE).allow_destroy().reject_all_blank())
}

async fn ada(repo: &Repo) -> Result<User> {
    guild::tables(repo).await?;
    let post = |title: &str| Post::build().set(Post::TITLE, title);
    let draft = User::build().set(User::NAME, "Ada").push(User::POSTS, ["a", "b", "c"].map(post));
    let ada = repo.insert(draft).await?;
    repo.get_or_fail::<User>(ada.id, Query::new()).await
}

async fn table(cx: &mut Context) -> Result<()> {
    cx.rows("posts", "SELECT user_id, title FROM posts ORDER BY title").await
}

// The keys of an object say nothing, and keys of rows may be text.
async fn lists_and_objects(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let input = json!({ "posts": { "17": { "id": "1", "title": "x" }, "new_3": { "title": "y" } } });
    let ada = cx.step("an object of objects", repo.update(ada.change().cast(input, &posts()))).await?;
    let fields = [("posts[9][id]", "2"), ("posts[9][title]", "z")];
    cx.step("a form", repo.update(ada.change().cast(fields, &posts()))).await?;
    for wrong in [json!({ "posts": "x" }), json!({ "posts": [1] }), json!({ "posts": { "title": "x" } })] {
        cx.fails("no list of objects", repo.update(ada.change().cast(wrong, &posts()))).await?;
    }
    table(cx).await
}

async fn only_the_given_rows_are_read(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let input = json!({ "posts": [{ "id": 2, "title": "x" }] });
    let ada = cx.step("one of three", repo.update(ada.change().cast(input, &posts()))).await?;
    cx.require(ada.posts.is_partial(), "the others are not known")?;
    cx.require(ada.posts()?.len() == 1, "one")?;
    table(cx).await
}

async fn destroying(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    // An entry that is blank but for `_destroy` is not left out.
    let input = json!({ "posts": [{ "id": 1, "title": "", "_destroy": "1" }, { "title": "new", "_destroy": true }] });
    let ada = cx.step("taken away", repo.update(ada.change().cast(input, &posts()))).await?;
    let plain = Permit::new().nested(User::POSTS, Permit::new().column(Post::TITLE));
    let input = json!({ "posts": [{ "id": 2, "title": "stays", "_destroy": true }] });
    let ada = cx.step("not permitted", repo.update(ada.change().cast(input, &plain))).await?;
    let input = json!({ "posts": [{ "id": 3, "_destroy": false, "title": "stays too" }] });
    cx.step("not said", repo.update(ada.change().cast(input, &posts()))).await?;
    table(cx).await
}

async fn three_levels_down(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let comments = Permit::new().column(Comment::BODY).allow_destroy();
    let permit = Permit::new().nested(User::POSTS, Permit::new().nested(Post::COMMENTS, comments));
    let input = json!({ "posts": [{ "id": 1, "comments": [{ "body": "one" }, { "body": "two" }] }] });
    let ada = cx.step("created", repo.update(ada.change().cast(input, &permit))).await?;
    let bare = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
    let input =
        json!({ "posts": [{ "id": 1, "comments": [{ "id": 1, "_destroy": true }, { "id": 2, "body": "2" }] }] });
    cx.step("changed and destroyed", repo.update(bare.change().cast(input, &permit))).await?;
    cx.rows("comments", "SELECT body FROM comments ORDER BY body").await
}

async fn nothing_before_the_save(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let input = json!({ "posts": [{ "id": 1, "title": "x" }, { "title": null }, { "id": 99, "title": "y" }] });
    let change = ada.change().cast(input, &posts());
    table(cx).await?;
    let error = cx.fails("a row that is none of hers", repo.update(change)).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotMember { .. }), "not a member")?;
    table(cx).await
}
