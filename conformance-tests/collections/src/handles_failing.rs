//! Calls of handles that fail half way, with no transaction around them: the database and the owner in memory stay as they were.

use assoc_core::{Error, ErrorKind, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::guild::{self, Account, Comment, Company, Group, Membership, Picture, Post, Tag, User};

cases! { "handles_failing", Level::Collection;
    collections,
    links,
    single_targets,
}

fn post(title: &str) -> Changeset<Post> {
    Post::build().set(Post::TITLE, title)
}

fn group(name: &str) -> Changeset<Group> {
    Group::build().set(Group::NAME, name)
}

// A user of each call's own, with something of everything.
async fn owner(repo: &Repo) -> Result<User> {
    let comment = Comment::build().set(Comment::BODY, "fine");
    let posts = [post("a").push(Post::COMMENTS, comment), post("b"), post("c")];
    let draft = User::build().set(User::NAME, "Ada").push(User::POSTS, posts).push(User::GROUPS, ["x", "y"].map(group));
    let account = Account::build().set(Account::NUMBER, "1");
    let company = Company::build().set(Company::NAME, "one");
    let user = repo.insert(draft.set_one(User::ACCOUNT, account).associate(User::COMPANY, company)).await?;
    let all = (User::POSTS, User::GROUPS, User::ACCOUNT, User::COMPANY, User::PICTURES);
    repo.get_or_fail::<User>(user.id, Query::preload(all)).await
}

// All that the calls may write.
async fn database(repo: &Repo) -> Result<String> {
    let users = repo.all(Query::order_by(User::ID.asc())).await?;
    let companies = repo.all(Query::order_by(Company::ID.asc())).await?;
    let accounts = repo.all(Query::order_by(Account::ID.asc())).await?;
    let posts = repo.all(Query::order_by(Post::ID.asc())).await?;
    let tags: Vec<_> = repo.load_separately(&posts, Post::TAGS).await?;
    let comments = repo.all(Query::order_by(Comment::ID.asc())).await?;
    let groups = repo.all(Query::order_by(Group::ID.asc())).await?;
    let memberships = repo.all(Query::order_by(Membership::ID.asc())).await?;
    let pictures = repo.all(Query::order_by(Picture::ID.asc())).await?;
    Ok(format!(
        "{users:?} {companies:?} {accounts:?} {posts:?} {tags:?} {comments:?} {groups:?} {memberships:?} {pictures:?}"
    ))
}

// Fails the call at its first statement, at its second and so on, until it succeeds.
macro_rules! fails_everywhere {
    ($cx:ident, $repo:ident, $before:ident: $model:ty, |$owner:ident| $($what:literal => $call:expr;)+) => {$({
        let mut failed = 0;
        loop {
            let rows = database(&$repo).await?;
            let mut $owner: $model = $before.clone();
            $cx.recorder().fail_after(failed);
            let result: Result<()> = $call.await.map(drop);
            $cx.recorder().fail_after(usize::MAX);
            let after = database(&$repo).await?;
            if let Err(error) = result {
                if matches!(error.kind(), ErrorKind::Unsupported { .. }) {
                    return Err(error);
                }
                $cx.require(error.driver().is_some(), $what)?;
                $cx.require($owner == $before, concat!($what, ": the owner stays as it is"))?;
                $cx.require(after == rows, concat!($what, ": the database stays as it is"))?;
                failed += 1;
            } else {
                $cx.require(after != rows, concat!($what, ": something is written"))?;
                $cx.require(failed > 0, concat!($what, ": it fails at least once"))?;
                break;
            }
        }
    })+};
}

// Each call has an owner of its own, because it succeeds at the end.
macro_rules! each_with_its_owner {
    ($cx:ident, $repo:ident, |$owner:ident| $($what:literal => $call:expr;)+) => {$({
        let before = owner(&$repo).await?;
        fails_everywhere!($cx, $repo, before: User, |$owner| $what => $call;);
    })+};
}

async fn collections(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let loose = repo.insert_all(["d", "e", "f", "g"].map(post)).await?;
    let picture = || Picture::build().set(Picture::NAME, "p");
    each_with_its_owner!(cx, repo, |owner|
        "push of a row" => repo.association(&mut owner, User::POSTS).push(&loose[0]);
        "push of new ones" => repo.association(&mut owner, User::POSTS).push([post("e"), post("f")]);
        "push of a tree" => async {
            let comment = Comment::build().set(Comment::BODY, "new");
            repo.association(&mut owner, User::POSTS).push(post("tree").push(Post::COMMENTS, comment)).await
        };
        "create" => repo.association(&mut owner, User::POSTS).create(post("e"));
        "insert_all" => repo.association(&mut owner, User::POSTS).insert_all([post("e"), post("f")]);
        "find_or_create_by" => async {
            repo.association(&mut owner, User::POSTS).find_or_create_by(Post::TITLE.eq("none"), post("none")).await
        };
        "push of a polymorphic one" => repo.association(&mut owner, User::PICTURES).push(picture());
        "clear" => repo.association(&mut owner, User::POSTS).clear();
        "destroy_all" => repo.association(&mut owner, User::POSTS).destroy_all();
    );
    // Those that name members of the owner.
    let before = owner(&repo).await?;
    let own: Vec<Post> = before.posts()?.to_vec();
    fails_everywhere!(cx, repo, before: User, |owner|
        "delete" => repo.association(&mut owner, User::POSTS).delete(&own[0]););
    let before = owner(&repo).await?;
    let own: Vec<Post> = before.posts()?.to_vec();
    fails_everywhere!(cx, repo, before: User, |owner|
        "destroy" => repo.association(&mut owner, User::POSTS).destroy(&own[1]););
    let before = owner(&repo).await?;
    let own: Vec<Post> = before.posts()?.to_vec();
    fails_everywhere!(cx, repo, before: User, |owner|
        "replace" => repo.association(&mut owner, User::POSTS).replace([&loose[1], &own[1]]););
    let before = owner(&repo).await?;
    let own: Vec<Post> = before.posts()?.to_vec();
    fails_everywhere!(cx, repo, before: User, |owner|
        "set_ids" => repo.association(&mut owner, User::POSTS).set_ids([loose[2].id, own[2].id]););
    Ok(())
}

async fn links(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let known = repo.insert(group("known")).await?;
    each_with_its_owner!(cx, repo, |owner|
        "push of a link" => repo.association(&mut owner, User::GROUPS).push(&known);
        "push of a new row and its link" => repo.association(&mut owner, User::GROUPS).push(group("new"));
        "create" => repo.association(&mut owner, User::GROUPS).create(group("made"));
        "replace" => repo.association(&mut owner, User::GROUPS).replace([&known]);
        "set_ids" => repo.association(&mut owner, User::GROUPS).set_ids([known.id]);
        "clear" => repo.association(&mut owner, User::GROUPS).clear();
        "destroy_all" => repo.association(&mut owner, User::GROUPS).destroy_all();
    );
    let tags = repo.insert_all(["t", "u"].map(|name| Tag::build().set(Tag::NAME, name))).await?;
    let user = owner(&repo).await?;
    let tagged = repo.association(&user, User::POSTS).first().await?.ok_or_else(|| Error::other("a post"))?;
    let before = repo.get_or_fail::<Post>(tagged.id, Query::preload(Post::TAGS)).await?;
    fails_everywhere!(cx, repo, before: Post, |post|
        "push to a join table" => repo.association(&mut post, Post::TAGS).push([&tags[0], &tags[1]]););
    let before = repo.get_or_fail::<Post>(tagged.id, Query::preload(Post::TAGS)).await?;
    fails_everywhere!(cx, repo, before: Post, |post|
        "replace in a join table" => repo.association(&mut post, Post::TAGS).replace([&tags[1]]););
    let before = repo.get_or_fail::<Post>(tagged.id, Query::preload(Post::TAGS)).await?;
    fails_everywhere!(cx, repo, before: Post, |post|
        "clear of a join table" => repo.association(&mut post, Post::TAGS).clear(););
    Ok(())
}

async fn single_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let account = || Account::build().set(Account::NUMBER, "2");
    let company = || Company::build().set(Company::NAME, "two");
    each_with_its_owner!(cx, repo, |owner|
        "set of a has_one" => repo.association(&mut owner, User::ACCOUNT).set(account());
        "create of a has_one" => repo.association(&mut owner, User::ACCOUNT).create(account());
        "clear of a has_one" => repo.association(&mut owner, User::ACCOUNT).clear();
        "set of a belongs_to" => repo.association(&mut owner, User::COMPANY).set(company());
        "create of a belongs_to" => repo.association(&mut owner, User::COMPANY).create(company());
        "clear of a belongs_to" => repo.association(&mut owner, User::COMPANY).clear();
    );
    Ok(())
}
