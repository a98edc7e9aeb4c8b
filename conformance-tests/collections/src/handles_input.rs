//! Input from outside of the program through handles: members and targets with members of their own, as far as it is permitted,
//! and hostile input, which changes nothing.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Input};
use conformance_harness::{Context, Level, cases};
use conformance_written_models::guild::{self, Account, Comment, Group, Picture, Post, Tag, Topic, User};
use serde_json::{Value as Json, json};

cases! { "handles_input", Level::Collection;
    members_with_members,
    permitted_below_a_member,
    of_single_targets,
    behind_others_and_of_several_types,
    rows_of_others,
    hostile,
}

fn permit() -> Permit<Post> {
    let comments = permit!(Comment { body }).allow_destroy().reject_all_blank().limit(3);
    permit!(Post { title, comments: comments, tags: permit!(Tag { name }).allow_destroy() })
}

// Ada with a post and its comment, Bob with a post, its comment and its tag.
async fn users(repo: &Repo) -> Result<(User, User)> {
    guild::tables(repo).await?;
    let post = |title: &str| {
        let tag = Tag::build().set(Tag::NAME, title);
        Post::build()
            .set(Post::TITLE, title)
            .push(Post::COMMENTS, Comment::build().set(Comment::BODY, title))
            .push(Post::TAGS, tag)
    };
    let mut users = Vec::new();
    for name in ["Ada", "Bob"] {
        let user = repo.insert(User::build().set(User::NAME, name).push(User::POSTS, post(name))).await?;
        users.push(repo.get_or_fail::<User>(user.id, Query::new()).await?);
    }
    let bob = users.remove(1);
    Ok((users.remove(0), bob))
}

async fn tables(cx: &mut Context) -> Result<()> {
    cx.rows("posts", "SELECT user_id, title, published FROM posts ORDER BY title").await?;
    cx.rows("comments", "SELECT posts.title, body FROM comments JOIN posts ON posts.id = post_id ORDER BY body")
        .await?;
    let tags = "SELECT posts.title, name FROM tags JOIN posts_tags ON tag_id = tags.id JOIN posts ON posts.id = post_id ORDER BY name";
    cx.rows("tags", tags).await
}

async fn members_with_members(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, _) = users(&repo).await?;
    let input =
        json!({"title": "new", "comments": {"0": {"body": "one"}, "x": {"body": "two"}}, "tags": [{"name": "t"}]});
    let mut posts = repo.association(&mut ada, User::POSTS);
    let draft = posts.build()?.cast(input, &permit());
    let new = cx.step("created", posts.create(draft)).await?;
    cx.require(new.user_id == Some(posts.owner().id), "hers")?;
    let fields = [
        ("title", "changed"),
        ("comments[7][id]", "1"),
        ("comments[7][body]", "changed"),
        ("comments[8][body]", "three"),
        ("tags[0][id]", "1"),
        ("tags[0][_destroy]", "1"),
    ];
    let first = posts.find(1).await?;
    cx.step("a member that is there, pushed", posts.push(first.change().cast(fields, &permit()))).await?;
    let both =
        [new.change().cast([("title", "kept")], &permit()), posts.build()?.cast([("title", "newest")], &permit())];
    cx.step("replaced", posts.replace(both)).await?;
    tables(cx).await
}

// What is permitted of a member holds below it, whatever the input says.
async fn permitted_below_a_member(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, bob) = users(&repo).await?;
    let mut posts = repo.association(&mut ada, User::PUBLISHED_POSTS);
    let input = json!({
        "id": 77, "user_id": bob.id, "published": false, "title": "hers", "user": {"name": "x"},
        "comments": [{"body": "", "post_id": 2}, {"body": "kept", "post_id": 2, "id": null}],
    });
    let draft = posts.build()?.cast(&input, &permit());
    let created = cx.step("keys and conditions cannot be said", posts.create(draft)).await?;
    cx.require(created.published && created.user_id == Some(posts.owner().id), "hers, and published")?;
    let told = posts.build()?.cast(&input, &permit().report_unknown());
    let error = cx.fails("unknown keys are reported", posts.create(told)).await?;
    cx.note("problems", error);
    let many: Vec<Json> = (0..4).map(|at| json!({"body": format!("{at}")})).collect();
    let draft = posts.build()?.cast(json!({"title": "many", "comments": many}), &permit());
    let error = cx.fails("too many", posts.create(draft)).await?;
    cx.note("problems", error);
    let picky = permit!(Post {
        title,
        comments: permit!(Comment { body }).reject_if(|entry| entry.get("body").and_then(Input::as_str) == Some("no"))
    });
    let input = json!({"title": "picked", "comments": [{"body": "no"}, {"body": "yes"}, {"id": 2, "_destroy": true}]});
    let error = cx
        .fails("not permitted to be destroyed, and another's", {
            let draft = posts.build()?.cast(&input, &picky);
            posts.create(draft)
        })
        .await?;
    cx.note("problems", error);
    let draft = posts.build()?.cast(json!({"title": "picked", "comments": [{"body": "no"}, {"body": "yes"}]}), &picky);
    cx.step("some are left out", posts.create(draft)).await?;
    tables(cx).await
}

async fn of_single_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, bob) = users(&repo).await?;
    let permit = permit!(Account { number });
    let mut account = repo.association(&mut ada, User::ACCOUNT);
    let draft = account.build()?.cast(json!({"number": "7", "user_id": bob.id, "id": 9}), &permit);
    let first = cx.step("created", account.create(draft)).await?;
    cx.require(first.user_id == Some(account.owner().id) && first.number == "7", "hers")?;
    cx.step("changed in its place", account.set(first.change().cast([("number", "8")], &permit))).await?;
    let draft = account.build()?.cast(json!({"number": [1]}), &permit);
    let error = cx.fails("of a wrong type", account.create(draft)).await?;
    cx.note("problems", error);
    cx.rows("accounts", "SELECT user_id, number FROM accounts").await?;
    // The one that a post belongs to, with posts of its own.
    let mut post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    let permit = permit!(User { name, posts: permit!(Post { title }) });
    let mut user = repo.association(&mut post, Post::USER);
    let draft = user.build()?.cast(json!({"name": "Cyd", "posts": [{"title": "second"}]}), &permit);
    let cyd = cx.step("of a belongs_to", user.create(draft)).await?;
    cx.require(user.owner().user_id == Some(cyd.id), "its key")?;
    tables(cx).await
}

async fn behind_others_and_of_several_types(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, bob) = users(&repo).await?;
    let mut groups = repo.association(&mut ada, User::GROUPS);
    let draft =
        groups.build()?.cast(json!({"name": "Poets", "memberships": [{"user_id": bob.id}]}), &permit!(Group { name }));
    cx.step("behind a join model", groups.create(draft)).await?;
    cx.rows("memberships", "SELECT user_id, role FROM memberships").await?;
    let mut post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    let mut topics = repo.association(&mut post, Post::TOPICS);
    let draft = topics.build()?.cast([("code", "12"), ("name", "rust")], &permit!(Topic { code, name }));
    cx.step("with a key of the program's", topics.create(draft)).await?;
    let error = cx
        .fails("with a key that is taken", {
            let draft = topics.build()?.cast([("code", "12"), ("name", "again")], &permit!(Topic { code, name }));
            topics.create(draft)
        })
        .await?;
    cx.note("is a violation", error.driver().is_some());
    cx.rows("taggings", "SELECT post_id, topic_id FROM taggings").await?;
    let mut pictures = repo.association(&mut ada, User::PICTURES);
    let draft = pictures
        .build()?
        .cast(json!({"name": "portrait", "subject_id": bob.id, "subject_type": "post"}), &permit!(Picture { name }));
    cx.step("of one type of several", pictures.create(draft)).await?;
    cx.rows("pictures", "SELECT name, subject_id, subject_type FROM pictures").await
}

// Below a member of hers, rows of another's cannot be named.
async fn rows_of_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, _) = users(&repo).await?;
    let mut posts = repo.association(&mut ada, User::POSTS);
    let first = posts.find(1).await?;
    let before = posts.owner().clone();
    for (title, input) in [
        ("a comment", json!({"comments": [{"id": 2, "body": "stolen"}]})),
        ("a comment to take away", json!({"comments": [{"id": 2, "_destroy": true}]})),
        ("a tag", json!({"tags": [{"id": 2, "name": "stolen"}]})),
        ("beside her own", json!({"title": "x", "comments": [{"id": 1, "body": "x"}, {"id": 2, "body": "stolen"}]})),
        ("a row that is not there", json!({"comments": [{"id": 99, "body": "x"}]})),
    ] {
        let error = cx.fails(title, posts.push(first.change().cast(&input, &permit()))).await?;
        cx.require(error.is_not_found() && posts.owner() == &before, title)?;
        let new = posts.build()?.set(Post::TITLE, "new").cast(&input, &permit());
        let error = cx.fails("of a new post", posts.create(new)).await?;
        cx.require(matches!(error.kind(), ErrorKind::Invalid { .. }) && posts.owner() == &before, title)?;
    }
    tables(cx).await
}

// Whatever it is: a typed error or nothing, and never another's row.
async fn hostile(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, _) = users(&repo).await?;
    let mut deep = json!({"body": "x"});
    for _ in 0..1_000 {
        deep = json!([deep]);
    }
    let huge: Vec<Json> = (0..20_000).map(|at| json!({"body": format!("{at}")})).collect();
    let text = "x".repeat(9 * 1024 * 1024);
    let inputs = vec![
        ("deep", json!({"title": "t", "comments": deep})),
        ("many", json!({"title": "t", "comments": huge})),
        ("long", json!({"title": text})),
        ("no object", json!([1, 2, 3])),
        ("text", json!("title")),
        ("an array in place of text", json!({"title": ["a"]})),
        ("an object in place of text", json!({"title": {"a": 1}})),
        ("text in place of a list", json!({"title": "t", "comments": "x"})),
        ("numbers in place of entries", json!({"title": "t", "comments": [1, null, "x"]})),
        ("an id that is a list", json!({"title": "t", "comments": [{"id": [1], "body": "x"}]})),
        ("an id that is an object", json!({"title": "t", "comments": [{"id": {"id": 1}, "body": "x"}]})),
        ("an id that is a fraction", json!({"title": "t", "comments": [{"id": 1.5, "body": "x"}]})),
        ("an id that is too large", json!({"title": "t", "comments": [{"id": u64::MAX, "body": "x"}]})),
        ("an id that is no number", json!({"title": "t", "comments": [{"id": "1 OR 1=1", "body": "x"}]})),
        ("an id that is true", json!({"title": "t", "comments": [{"id": true, "body": "x"}]})),
        ("one row twice", json!({"title": "t", "comments": [{"id": 1, "body": "x"}, {"id": "1", "body": "y"}]})),
        (
            "taken away and changed",
            json!({"title": "t", "comments": [{"id": 1, "_destroy": true}, {"id": 1, "body": "y"}]}),
        ),
        (
            "what is no yes and no no",
            json!({"title": "t", "comments": [{"id": 1, "_destroy": {"a": []}, "body": "x"}]}),
        ),
    ];
    let posts = repo.association(&mut ada, User::POSTS);
    let first = posts.find(1).await?;
    let before = posts.owner().clone();
    for (title, input) in inputs {
        for is_new in [true, false] {
            let tx = repo.begin().await?;
            let mut owner = before.clone();
            let mut posts = tx.association(&mut owner, User::POSTS);
            let change: Changeset<Post> = if is_new { posts.build()? } else { first.change() };
            let result = posts.push(change.cast(&input, &permit())).await;
            let said = match &result {
                Ok(()) => "written".to_owned(),
                Err(error) => {
                    cx.require(owner == before, "the owner stays as it is")?;
                    let typed = matches!(
                        error.kind(),
                        ErrorKind::Invalid { .. } | ErrorKind::NotMember { .. } | ErrorKind::NotFound { .. }
                    );
                    cx.require(typed, title)?;
                    error.to_string()
                }
            };
            let said: String = said.chars().take(300).collect();
            cx.note(if is_new { "new" } else { "there" }, format!("{title}: {said}"));
            let others = tx.count(Query::filter(Comment::BODY.eq("Bob"))).await?;
            let users = tx.count(Query::<User>::new()).await?;
            cx.require(others == 1 && users == 2, "nothing of others has changed")?;
            tx.rollback().await?;
        }
    }
    tables(cx).await
}
