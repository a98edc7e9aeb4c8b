//! The futures of calls are `Send`, so that tasks and handlers can be spawned on any thread. Compiling it is the test.

// Models of a test.
#![allow(missing_docs)]

use assoc_repo::prelude::*;
use assoc_repo::{Multi, Page, Permit, TransactionOptions, on_conflict};

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_one]
    pub account: HasOne<Option<Account>>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: Option<i64>,
    pub title: String,
    #[belongs_to]
    pub user: BelongsTo<Option<User>>,
}

#[derive(Model, Debug, Clone)]
pub struct Account {
    pub id: i64,
    pub user_id: Option<i64>,
}

fn spawned<F: Future + Send>(_: F) {}

fn reads(repo: &Repo, user: &User, posts: &mut Vec<Post>) {
    spawned(repo.get::<Post>(1, Query::new()));
    spawned(repo.get_or_fail::<Post>(1, Query::preload(Post::USER)));
    spawned(repo.get_by(Post::TITLE.eq("Looms"), Query::new()));
    spawned(repo.one(Query::<Post>::new()));
    spawned(repo.all(Query::preload(User::POSTS.with(Post::USER))));
    spawned(repo.count(Query::<Post>::new()));
    spawned(repo.exists(Query::<Post>::new()));
    spawned(repo.pluck((Post::ID, Post::TITLE), Query::new()));
    spawned(repo.get_association(user, User::POSTS, Query::new()));
    spawned(repo.page(Query::<Post>::new(), Page::first(20)));
    spawned(repo.offset_page(Query::<Post>::new(), 1, 20));
    spawned(repo.preload(posts, Post::USER));
    spawned(repo.count_statements(repo.all(Query::<Post>::new())));
}

fn writes(repo: &Repo, user: &User, post: &mut Post, multi: &Multi) {
    let draft = || Post::build().set(Post::TITLE, "Looms");
    spawned(repo.insert(draft()));
    spawned(repo.insert_all([draft()]));
    spawned(repo.update(post.change().cast([("title", "Cards")], &Permit::new().column(Post::TITLE))));
    spawned(repo.upsert(draft(), on_conflict(Post::ID)));
    spawned(repo.update_all(Query::<Post>::new(), [Post::TITLE.to("Cards")]));
    spawned(repo.delete(post));
    spawned(repo.delete_all(Query::<Post>::new()));
    spawned(repo.destroy(user));
    spawned(repo.preview_destroy(user));
    spawned(repo.destroy_all(Query::<User>::new()));
    spawned(repo.run(multi));
    spawned(repo.touch(post));
}

fn handles(repo: &Repo, user: &mut User) {
    spawned(repo.association(&*user, User::POSTS).all());
    spawned(repo.association(&*user, User::POSTS).find(1));
    spawned(repo.association(&mut *user, User::POSTS).create(Post::build()));
    spawned(repo.association(&mut *user, User::ACCOUNT).set(Account::build()));
}

fn transactions(repo: &Repo) {
    spawned(repo.begin());
    spawned(repo.transaction(async |tx| tx.insert(Post::build()).await));
    let options = TransactionOptions::new();
    spawned(repo.transaction_with(options, async |tx| tx.get::<Post>(1, Query::new()).await));
}

#[test]
fn futures_are_send() {
    // Each call is looked at by the compiler.
    let _: fn(&Repo, &User, &mut Vec<Post>) = reads;
    let _: fn(&Repo, &User, &mut Post, &Multi) = writes;
    let _: fn(&Repo, &mut User) = handles;
    let _: fn(&Repo) = transactions;
}
