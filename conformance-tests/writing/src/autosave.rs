//! What a save reaches: members of members that did not change themselves, rows that are led to twice, marks and what they
//! are after a failure.

use assoc_core::Result;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::graphs::{Desk, Employee};
use conformance_written_models::guild::{self, Account, Comment, Picture, Post, Tag, User};
use conformance_written_models::removals::{self, Album, Photo};

cases! { "autosave", Level::Write;
    through_members_that_do_not_change,
    only_what_is_said,
    by_two_associations,
    one_row_between_two_parents,
    keys_that_are_so_already,
    of_the_same_id_and_another_type,
    marks_after_a_failure,
    a_destroy_after_a_failure,
}

async fn ada(repo: &Repo) -> Result<User> {
    let comment = |body: &str| Comment::build().set(Comment::BODY, body);
    let post = |title: &str| Post::build().set(Post::TITLE, title).push(Post::COMMENTS, ["c", "d"].map(comment));
    let draft = User::build().set(User::NAME, "Ada").push(User::POSTS, ["a", "b"].map(post));
    let id = repo.insert(draft.set_one(User::ACCOUNT, Account::build().set(Account::NUMBER, "1"))).await?.id;
    repo.get_or_fail(id, Query::preload((User::POSTS.with(Post::COMMENTS), User::ACCOUNT))).await
}

// Only the grandchild has changed, and only it is written.
async fn through_members_that_do_not_change(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = ada(&repo).await?;
    let own = &ada.posts()?[0];
    let comment = own.comments()?[1].change().set(Comment::BODY, "changed");
    let change = ada.change().edit(User::POSTS, own.change().edit(Post::COMMENTS, comment));
    let saved = cx.step("a comment of a post that stays as it is", repo.update(change)).await?;
    cx.require(saved.posts()?.len() == 2, "all posts are loaded")?;
    let new = Comment::build().set(Comment::BODY, "new");
    let change = ada.change().edit(User::POSTS, own.change().push(Post::COMMENTS, new));
    cx.step("a new one", repo.update(change)).await?;
    cx.rows("comments", "SELECT post_id, body FROM comments ORDER BY post_id, body").await
}

// Structs that were changed in memory are not saved with their owner, and nothing is loaded to be saved.
async fn only_what_is_said(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = ada(&repo).await?;
    if let Some(posts) = ada.posts.take() {
        let changed = posts.into_iter().map(|post| Post { title: "only in memory".to_owned(), ..post });
        ada.posts = HasMany::from(changed.collect::<Vec<_>>());
    }
    let change = ada.change().set(User::NAME, "Ada L");
    cx.step("the owner alone", repo.update(change)).await?;
    cx.rows("posts", "SELECT title FROM posts ORDER BY id").await?;
    let bare = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
    let new = Post::build().set(Post::TITLE, "new");
    let saved = cx.step("what is not loaded is not loaded", repo.update(bare.change().push(User::POSTS, new))).await?;
    cx.require(saved.posts()?.len() == 1 && saved.posts.is_partial() && !saved.account.is_loaded(), "a part")
}

async fn by_two_associations(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let both = Post::build().set(Post::TITLE, "both").set(Post::PUBLISHED, true).shared();
    let draft = User::build().set(User::NAME, "Ada").push(User::POSTS, &both).push(User::PUBLISHED_POSTS, &both);
    let saved = cx.step("a new row that two associations have", repo.insert(draft)).await?;
    cx.require(saved.posts()?[0].id == saved.published_posts()?[0].id, "one row")?;
    cx.rows("posts", "SELECT title, published, user_id IS NULL FROM posts").await
}

async fn one_row_between_two_parents(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let new = Tag::build().set(Tag::NAME, "new").shared();
    let post = |title: &str| Post::build().set(Post::TITLE, title).push(Post::TAGS, &new);
    let draft = User::build().set(User::NAME, "Ada").push(User::POSTS, ["a", "b"].map(post));
    cx.step("a new tag of two new posts", repo.insert(draft)).await?;
    cx.rows("tags", "SELECT name FROM tags").await?;
    cx.rows("links", "SELECT COUNT(*) FROM posts_tags").await
}

// A key that does not change is not written.
async fn keys_that_are_so_already(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = ada(&repo).await?;
    let account = ada.account()?.ok_or_else(|| Error::other("no account"))?.clone();
    cx.step("the account that it has", repo.update(ada.change().set_one(User::ACCOUNT, &account))).await?;
    let edited = account.change().set(Account::NUMBER, "2");
    cx.step("and its number", repo.update(ada.change().edit(User::ACCOUNT, edited))).await?;
    let own = ada.posts()?[0].change().associate(Post::USER, &ada);
    cx.step("the user that it has", repo.update(own)).await?;
    cx.rows("accounts", "SELECT number, user_id FROM accounts").await
}

async fn of_the_same_id_and_another_type(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = ada(&repo).await?;
    let post = &ada.posts()?[0];
    cx.require(post.id == ada.id, "the same id")?;
    let picture = Picture::build().set(Picture::NAME, "p").associate(Picture::SUBJECT, &ada);
    let picture = repo.insert(picture).await?;
    let change = picture.change().associate(Picture::SUBJECT, post);
    cx.step("from a user to a post", repo.update(change)).await?;
    cx.rows("pictures", "SELECT name, subject_type FROM pictures").await
}

async fn marks_after_a_failure(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    removals::fixture(&repo).await?;
    cx.keys_go_on(&removals::TABLES).await?;
    let album = repo.get_or_fail::<Album>(1, Query::preload(Album::PHOTOS.order_by(Photo::ID.asc()))).await?;
    let photos = album.photos()?;
    let new = |code: &str| Photo::build().set(Photo::CODE, code).set(Photo::TENANT_ID, 1);
    let marked = photos[0].change().mark_for_destruction();
    let taken = photos[1].code.clone();
    let change = album.change().edit(Album::PHOTOS, marked).push(Album::PHOTOS, new("fine"));
    let change = change.push(Album::PHOTOS, new(&taken));
    let error = cx.fails("the second new one has a code that is taken", repo.update(change)).await?;
    cx.rows("photos", "SELECT code FROM photos ORDER BY id").await?;
    let again = Changeset::<Album>::refused_by(&error).ok_or_else(|| Error::other("not handed back"))?;
    // What is marked is still so.
    repo.update(photos[1].change().set(Photo::CODE, "freed")).await?;
    cx.step("once the code is free", repo.update(again)).await?;
    cx.rows("photos", "SELECT code FROM photos ORDER BY code").await
}

async fn a_destroy_after_a_failure(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Desk>().await?;
    repo.create_table::<Employee>().await?;
    let desk = repo.insert(Desk::build()).await?;
    let at = || Employee::build().set(Employee::DESK_ID, desk.id);
    let employees = repo.insert_all([at(), at()]).await?;
    cx.recorder().fail_after(2);
    cx.fails("a statement fails", repo.destroy_rows(&employees)).await?;
    cx.recorder().fail_after(usize::MAX);
    cx.note("employees", repo.count(Query::<Employee>::new()).await?);
    let done = cx.step("each row goes once", repo.destroy_rows(&employees)).await?;
    cx.note("done", done);
    cx.fails("and no second time", repo.destroy(&employees[0])).await?;
    cx.rows("desks", "SELECT id FROM desks").await
}
