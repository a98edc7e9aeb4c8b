//! What is given to handles, and what it costs: rows that were read again with something loaded below, input for associations that
//! save nothing, and the questions that cost nothing.

use assoc_core::{LoadState, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::guild::{self, Comment, Dog, Group, Keeper, Membership, Post, User};
use serde_json::json;

cases! { "handles_given", Level::Collection;
    rows_that_were_read_again,
    input_without_autosave,
    input_that_fails_half_way,
    costs,
}

fn post(title: &str) -> Changeset<Post> {
    let comment = Comment::build().set(Comment::BODY, title);
    Post::build().set(Post::TITLE, title).push(Post::COMMENTS, comment)
}

// Ada with posts that have comments, and a post of no user.
async fn ada(repo: &Repo) -> Result<User> {
    guild::tables(repo).await?;
    let user = repo.insert(User::build().set(User::NAME, "Ada").push(User::POSTS, ["a", "b"].map(post))).await?;
    repo.insert(post("loose")).await?;
    repo.get_or_fail::<User>(user.id, Query::new()).await
}

fn shown(user: &User) -> Result<String> {
    let mut shown = Vec::new();
    for post in user.posts()? {
        let comments = post.comments.loaded().map(<[_]>::len);
        shown.push(format!("{} of {:?}: comments {comments:?}", post.title, post.user_id));
    }
    Ok(shown.join(", "))
}

// A row that is given keeps what is loaded in it, whether it was a member before or not, and whatever was loaded in the member.
async fn rows_that_were_read_again(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let query = || Query::order_by(Post::ID.asc());
    let bare = repo.all(query()).await?;
    let whole = repo.all(query().preload(Post::COMMENTS)).await?;
    let mut posts = repo.association(&mut ada, User::POSTS);
    cx.step("not loaded, by rows with comments", posts.replace(&whole)).await?;
    cx.note("members", shown(posts.owner())?);
    cx.step("the same without comments", posts.replace(&bare)).await?;
    cx.note("members", shown(posts.owner())?);
    cx.step("with comments again", posts.replace([&whole[2], &whole[0]])).await?;
    cx.note("members", shown(posts.owner())?);
    cx.step("by keys", posts.set_ids([whole[0].id, whole[1].id])).await?;
    cx.note("members", shown(posts.owner())?);
    posts.reload().await?;
    cx.note("members, loaded again", shown(posts.owner())?);
    cx.rows("posts", "SELECT title, user_id FROM posts ORDER BY id").await
}

// An association that saves nothing takes no input for its members, neither new ones nor those that are there.
async fn input_without_autosave(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let rex = Dog::build().set(Dog::NAME, "Rex");
    let keeper = repo.insert(Keeper::build().set(Keeper::NAME, "Ann").push(Keeper::DOGS, rex)).await?;
    let mut keeper = repo.get_or_fail::<Keeper>(keeper.id, Query::preload(Keeper::KNOWN_DOGS)).await?;
    let permit = || permit!(Keeper { name, known_dogs: permit!(Dog { name }).allow_destroy() });
    for (what, input) in [
        ("a new one", json!({"name": "Bea", "known_dogs": [{"name": "Fido"}]})),
        ("one that is there", json!({"name": "Bea", "known_dogs": [{"id": 1, "name": "Max"}]})),
        ("one that goes", json!({"name": "Bea", "known_dogs": [{"id": 1, "_destroy": true}]})),
    ] {
        let saved = cx.step(what, async { Ok(repo.update(keeper.change().cast(input, &permit())).await) }).await?;
        cx.note(what, saved.map_or_else(|error| error.to_string(), |keeper| keeper.name));
    }
    let mut dogs = repo.association(&mut keeper, Keeper::KNOWN_DOGS);
    let first = dogs.find(1).await?;
    let cast = first.change().cast([("name", "Max")], &permit!(Dog { name }));
    let pushed = cx.step("pushed", async { Ok(dogs.push(cast).await) }).await?;
    cx.note("pushed", pushed.map_or_else(|error| error.to_string(), |()| "done".to_owned()));
    cx.rows("beasts", "SELECT name, owner_id FROM beasts ORDER BY id").await?;
    cx.rows("keepers", "SELECT name FROM keepers").await
}

// Input is one save: what was written before the statement that fails is undone, and the owner stays as it was.
async fn input_that_fails_half_way(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let before = repo.get_or_fail::<User>(ada.id, Query::preload(User::POSTS)).await?;
    let permit = permit!(Post { title, comments: permit!(Comment { body }).allow_destroy() }).allow_destroy();
    let input = || json!({"title": "A", "comments": [{"id": 1, "body": "changed"}, {"body": "new"}]});
    let written = async || {
        let posts = repo.all(Query::order_by(Post::ID.asc()).preload(Post::COMMENTS)).await?;
        Ok::<_, assoc_core::Error>(posts)
    };
    let mut failed = 0;
    loop {
        let rows = written().await?;
        let mut owner = before.clone();
        let first = owner.posts()?[0].clone();
        cx.recorder().fail_after(failed);
        let result = repo.association(&mut owner, User::POSTS).push(first.change().cast(input(), &permit)).await;
        cx.recorder().fail_after(usize::MAX);
        let after = written().await?;
        if result.is_ok() {
            cx.require(after[0].title == "A" && after[0].comments()?.len() == 2, "written at last")?;
            break;
        }
        cx.require(owner == before && after == rows, "as it was")?;
        failed += 1;
    }
    cx.require(failed >= 3, "it fails at several statements")?;
    cx.rows("comments", "SELECT post_id, body FROM comments ORDER BY id").await
}

// The costs that the guide states and no other case counts.
async fn costs(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let known = repo.insert(Group::build().set(Group::NAME, "known")).await?;
    let led = |membership: Changeset<Membership>| membership.set(Membership::ROLE, "chair");
    cx.step("push_with of a row that exists", repo.association(&mut ada, User::GROUPS).push_with(&known, led)).await?;
    for loaded in [false, true] {
        let mut owner = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
        let mut posts = repo.association(&mut owner, User::POSTS);
        if loaded {
            cx.step("load", posts.load()).await?;
        }
        cx.step("distinct", posts.distinct()).await?;
        cx.step("none", posts.none()).await?;
        let found = posts.find_or_create_by(Post::TITLE.eq("a"), post("a"));
        cx.step("find_or_create_by of one that is there", found).await?;
        let streamed = async {
            let (mut rows, mut count) = (posts.stream()?, 0);
            while rows.next().await?.is_some() {
                count += 1;
            }
            Ok(count)
        };
        let count = cx.step("stream", streamed).await?;
        let about = async {
            let own = (posts.owner().name.clone(), posts.reflection().name, posts.target().map(|rows| rows.len()));
            Ok((own, posts.state()))
        };
        let (own, state) = cx.step("owner, reflection, target, state", about).await?;
        cx.note("are", format!("{own:?} {state:?}, {count} streamed"));
        let mut account = repo.association(&mut owner, User::ACCOUNT);
        if loaded {
            cx.step("load of a has_one", account.load()).await?;
        }
        let about = async {
            let own =
                (account.owner().name.clone(), account.reflection().name, account.target().map(|one| one.is_some()));
            Ok((own, account.state()))
        };
        let (own, state) = cx.step("owner, reflection, target, state of a has_one", about).await?;
        cx.note("are", format!("{own:?} {state:?}"));
        cx.require((state == LoadState::Loaded) == loaded, "as it was loaded")?;
    }
    Ok(())
}
