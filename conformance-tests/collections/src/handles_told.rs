//! Side effects of handles: the callbacks they run, the times they set, the targets they keep in memory, the rows they do not
//! write.

use std::time::{Duration, SystemTime};

use assoc_core::{LoadState, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::pictures::{self, Article as Essay, Person, Product, Tag as Word};
use conformance_written_models::callbacks::{self, Author, Club, Label, Membership, take};
use conformance_written_models::counted::{self, Article, Comment, Mark, Writer};
use conformance_written_models::firms::{self, Club as Society, Person as Member};
use conformance_written_models::guild::{self, Group, Post, Tag, User};

cases! { "handles_told", Level::Collection;
    callbacks_of_each_call,
    callbacks_of_input,
    callbacks_behind_others,
    times_of_each_call,
    times_of_nullified_rows,
    rows_that_are_linked_are_not_written,
    friends_in_one_direction,
    of_a_new_owner,
    built_behind_a_single_row,
    tags_of_two_types,
    members_of_two_types_by_every_rule,
    loaded_below_given_rows,
}

fn article(title: &str) -> Changeset<callbacks::Article> {
    callbacks::Article::build().set(callbacks::Article::TITLE, title)
}

// Callbacks of the association and of destroyed members, in their order.
fn told(cx: &mut Context, label: &str) {
    let lines = take(&cx.repo());
    let points = ["_add", "_remove", "before_destroy", "after_destroy", "before_insert", "before_update"];
    cx.show(
        label,
        lines
            .iter()
            .filter(|line| points.iter().any(|point| line.split(' ').next().is_some_and(|of| of.contains(point)))),
    );
}

async fn callbacks_of_each_call(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    callbacks::tables(&repo).await?;
    let ada = Author::build().set(Author::NAME, "Ada");
    let mut ada = repo.insert(ada.push(Author::ARTICLES, ["a", "b", "c", "d", "e", "f"].map(article))).await?;
    let own: Vec<callbacks::Article> = ada.articles()?.to_vec();
    let _ = take(&repo);
    let mut articles = repo.association(&mut ada, Author::ARTICLES);
    cx.step("destroy", articles.destroy(&own[0])).await?;
    told(cx, "destroyed");
    cx.step("destroy_ids", articles.destroy_ids([own[1].id])).await?;
    told(cx, "by its key");
    cx.step("delete, by the rule", articles.delete(&own[2])).await?;
    told(cx, "destroyed by the rule");
    cx.step("replace", articles.replace([own[3].change(), article("new"), own[4].change()])).await?;
    told(cx, "one goes, one comes, and nothing of those that stay");
    let titles: Vec<&str> = articles.target().unwrap_or_default().into_iter().map(|article| &*article.title).collect();
    cx.require(titles == ["d", "new", "e"], "in the order given")?;
    cx.step("push", articles.push(article("pushed"))).await?;
    told(cx, "added");
    cx.step("create", articles.create(article("created"))).await?;
    told(cx, "added");
    drop(articles.build()?);
    cx.require(take(&repo).is_empty(), "building runs none")?;
    cx.step("destroy_all", articles.destroy_all()).await?;
    told(cx, "all of them");
    articles.push([article("x"), article("y")]).await?;
    let _ = take(&repo);
    cx.step("clear", articles.clear()).await?;
    cx.require(take(&repo).is_empty(), "clear is silent")?;
    articles.push([article("x"), article("y")]).await?;
    let _ = take(&repo);
    cx.step("delete_all", articles.delete_all()).await?;
    cx.require(take(&repo).is_empty(), "delete_all is silent")?;
    cx.rows("articles", "SELECT COUNT(*) FROM articles").await
}

// What input adds is a new member; what it changes or destroys is one already, and what it would destroy at once is none.
async fn callbacks_of_input(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    callbacks::tables(&repo).await?;
    let ada = Author::build().set(Author::NAME, "Ada");
    let ada = repo.insert(ada.push(Author::ARTICLES, ["a", "b"].map(article))).await?;
    let permit = Permit::new().nested(Author::ARTICLES, permit!(callbacks::Article { title }).allow_destroy());
    let own: Vec<i64> = ada.articles()?.iter().map(|article| article.id).collect();
    let input = serde_json::json!({ "articles": [
        { "id": own[0], "title": "A" },
        { "title": "new" },
        { "id": own[1], "_destroy": true },
        { "title": "never", "_destroy": true },
    ] });
    let _ = take(&repo);
    let change = ada.change().cast(input, &permit);
    cx.require(take(&repo).is_empty(), "a cast runs none")?;
    repo.update(change).await?;
    told(cx, "one is changed, one is new, one goes");
    cx.rows("articles", "SELECT title, author_id IS NULL FROM articles ORDER BY title").await
}

async fn callbacks_behind_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    callbacks::tables(&repo).await?;
    let clubs = repo.insert_all(["a", "b", "c"].map(|name| Club::build().set(Club::NAME, name))).await?;
    let labels = repo.insert_all(["l", "m"].map(|name| Label::build().set(Label::NAME, name))).await?;
    let mut ada = repo.insert(Author::build().set(Author::NAME, "Ada")).await?;
    let _ = take(&repo);
    let mut handle = repo.association(&mut ada, Author::CLUBS);
    cx.step("push", handle.push(&clubs)).await?;
    told(cx, "rows between are inserted, and clubs added");
    cx.step("delete", handle.delete(&clubs[0])).await?;
    told(cx, "rows between are deleted, and not destroyed");
    cx.step("destroy", handle.destroy(&clubs[1])).await?;
    told(cx, "rows between are destroyed, and clubs stay");
    cx.step("clear", handle.clear()).await?;
    cx.require(take(&repo).is_empty(), "clear is silent")?;
    let mut handle = repo.association(&mut ada, Author::LABELS);
    cx.step("push", handle.push(&labels)).await?;
    told(cx, "labels are added");
    cx.step("replace", handle.replace([&labels[1]])).await?;
    told(cx, "one goes");
    cx.step("delete_all", handle.delete_all()).await?;
    cx.require(take(&repo).is_empty(), "delete_all is silent")?;
    cx.require(repo.count(Query::<Membership>::new()).await? == 0, "no rows between")?;
    cx.rows("clubs", "SELECT name FROM clubs ORDER BY name").await
}

fn at(repo: &Repo, second: u64) -> Repo {
    repo.with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(second))
}

fn second(time: chrono::NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

// What is destroyed moves the times of what it belonged to. What a plain statement takes away moves none, and is counted all the same.
async fn times_of_each_call(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let comment = |body: &str| Comment::build().set(Comment::BODY, body);
    let first = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let draft = first.change().push(Article::COMMENTS, ["a", "b", "c"].map(comment));
    let first = at(&repo, 10).update(draft.push(Article::MARKS, [Mark::build(), Mark::build()])).await?;
    let own: Vec<Comment> = first.comments()?.to_vec();
    let marks: Vec<Mark> = first.marks()?.to_vec();
    let ids: Vec<i64> = own.iter().map(|comment| comment.id).collect();
    for (call, moves, left) in [
        ("clear", false, 0),
        ("delete_all", false, 0),
        ("delete", false, 2),
        ("delete_ids", false, 1),
        ("replace", false, 1),
        ("set_ids", false, 1),
        ("destroy", true, 2),
        ("destroy_ids", true, 1),
        ("destroy_all", true, 0),
    ] {
        for loaded in [true, false] {
            let tx = repo.begin().await?;
            let later = at(&tx, 20);
            let mut article = first.clone();
            let mut comments = later.association(&mut article, Article::COMMENTS);
            if !loaded {
                comments.reset();
            }
            match call {
                "clear" => comments.clear().await?,
                "delete_all" => comments.delete_all().await.map(drop)?,
                "delete" => comments.delete(&own[0]).await?,
                "delete_ids" => comments.delete_ids([ids[0], ids[1]]).await?,
                "replace" => comments.replace([&own[2]]).await?,
                "set_ids" => comments.set_ids([ids[1]]).await?,
                "destroy" => comments.destroy(&own[0]).await?,
                "destroy_ids" => comments.destroy_ids([ids[0], ids[2]]).await?,
                _ => comments.destroy_all().await.map(drop)?,
            }
            let fresh = tx.get_or_fail::<Article>(1, Query::new()).await?;
            let time = if moves { 20 } else { 10 };
            let times = (fresh.discussed_at.map(second), second(fresh.updated_at));
            cx.require(times == (Some(time), time), &format!("{call}: times of the article, {times:?}"))?;
            // The article is touched, and so is its writer.
            let writer = tx.get_or_fail::<Writer>(1, Query::new()).await?;
            cx.require(second(writer.updated_at) == time, &format!("{call}: times of the writer"))?;
            cx.require(fresh.comments_count == Some(left), &format!("{call}: counted"))?;
            let held = (article.comments_count, article.discussed_at, article.updated_at);
            let stored = (fresh.comments_count, fresh.discussed_at, fresh.updated_at);
            cx.require(held == stored, &format!("{call}: the owner in memory follows"))?;
            tx.rollback().await?;
        }
    }
    // Members with a type, whose key is cleared.
    let mut article = first.clone();
    cx.step("nullified", at(&repo, 20).association(&mut article, Article::MARKS).delete(&marks[0])).await?;
    cx.step("all of them", at(&repo, 20).association(&mut article, Article::MARKS).clear()).await?;
    cx.require(second(article.updated_at) == 10 && article.marks_count == 0, "counted, and not touched")?;
    cx.rows("marks", "SELECT markable_id, markable_type FROM marks").await?;
    // Of a changeset as of a handle; what it writes beside that moves times.
    let change = article.change().clear(Article::COMMENTS);
    let article = cx.step("by a changeset", at(&repo, 20).update(change)).await?;
    cx.require(second(article.updated_at) == 10 && article.comments_count == Some(0), "counted, and not touched")?;
    let change = article.change().clear(Article::COMMENTS).push(Article::COMMENTS, comment("new"));
    let article = cx.step("with a new one", at(&repo, 30).update(change)).await?;
    cx.require(second(article.updated_at) == 30, "the new one touches")?;
    // What depends on what is destroyed is not looked at by `clear`.
    let mut writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    cx.step("rows that would be destroyed", at(&repo, 40).association(&mut writer, Writer::ARTICLES).clear()).await?;
    cx.require(second(writer.updated_at) == 30 && writer.articles_count == 0, "counted, and not touched")?;
    cx.rows("comments", "SELECT body FROM comments").await
}

// The key alone is cleared: the row's own time stays, as nothing else is said of it.
async fn times_of_nullified_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let comment = Comment::build().set(Comment::BODY, "a").set(Comment::ARTICLE_ID, 1);
    let mut writer = repo.get_or_fail::<Writer>(2, Query::new()).await?;
    let mut comments =
        at(&repo, 10).association(&mut writer, Writer::COMMENTS).create(comment).await.map(|first| vec![first])?;
    let more = ["b", "c"].map(|body| Comment::build().set(Comment::BODY, body).set(Comment::ARTICLE_ID, 1));
    comments.extend(at(&repo, 10).association(&mut writer, Writer::COMMENTS).create_all(more).await?);
    cx.require(writer.said_count == Some(3), "three")?;
    let later = at(&repo, 20);
    let mut handle = later.association(&mut writer, Writer::COMMENTS);
    cx.step("delete: the key is cleared, and counted", handle.delete(&comments[0])).await?;
    cx.require(handle.owner().said_count == Some(2) && handle.state() == LoadState::Partial, "two")?;
    cx.step("clear", handle.clear()).await?;
    cx.require(writer.said_count == Some(0), "none")?;
    // The article that they belong to as well lost no comment.
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    cx.require(article.discussed_at.map(second) == Some(10) && article.comments_count == Some(3), "as before")?;
    cx.rows("comments", "SELECT body, author_id, article_id FROM comments ORDER BY body").await
}

// A row that is given to be linked is linked, and nothing of it is written.
async fn rows_that_are_linked_are_not_written(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut p = repo.insert(Post::build().set(Post::TITLE, "p")).await?;
    let mut tag = repo.insert(Tag::build().set(Tag::NAME, "stored")).await?;
    tag.name = "changed in memory".to_owned();
    cx.step("a join table", repo.association(&mut p, Post::TAGS).push(&tag)).await?;
    cx.rows("tags", "SELECT name FROM tags").await?;
    let mut ada = repo.insert(User::build().set(User::NAME, "Ada")).await?;
    let mut group = repo.insert(Group::build().set(Group::NAME, "stored")).await?;
    group.name = "changed in memory".to_owned();
    cx.step("a join model", repo.association(&mut ada, User::GROUPS).replace([&group])).await?;
    cx.rows("groups", "SELECT name FROM groups_of_writers").await?;
    // The key alone, where a member holds it.
    let mut loose = repo.insert(Post::build().set(Post::TITLE, "stored")).await?;
    loose.title = "changed in memory".to_owned();
    cx.step("a key", repo.association(&mut ada, User::POSTS).push(&loose)).await?;
    cx.rows("posts", "SELECT title, user_id FROM posts ORDER BY id").await
}

async fn friends_in_one_direction(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    const FRIENDS: &str =
        "SELECT this_person_id, other_person_id FROM friendships ORDER BY this_person_id, other_person_id";
    let people = repo.all(Query::<Person>::order_by(Person::ID.asc())).await?;
    let [mut ann, bob, cyd] = <[Person; 3]>::try_from(people).map_err(|_| Error::other("three people"))?;
    let mut friends = repo.association(&mut ann, Person::FRIENDS);
    cx.require(friends.ids().await?.len() == 2 && friends.contains(&bob).await?, "Bob and Cyd")?;
    cx.step("deleted", friends.delete(&bob)).await?;
    cx.require(!repo.association(&bob, Person::FRIENDS).contains(friends.owner()).await?, "Bob never was her friend")?;
    cx.rows("friends", FRIENDS).await?;
    let mut bob = bob;
    cx.step("back", repo.association(&mut bob, Person::FRIENDS).push(&ann)).await?;
    let same = ann.clone();
    cx.step("herself", repo.association(&mut ann, Person::FRIENDS).push(&same)).await?;
    cx.rows("friends", FRIENDS).await?;
    cx.step("a new one", repo.association(&mut ann, Person::FRIENDS).create(Person::build().set(Person::NAME, "Dan")))
        .await?;
    cx.step("replaced", repo.association(&mut ann, Person::FRIENDS).replace([&cyd, &bob])).await?;
    cx.rows("friends", FRIENDS).await?;
    cx.step("she goes, with the links of both directions", repo.destroy(&ann)).await?;
    cx.rows("friends", FRIENDS).await
}

// The same words on a changeset of an owner that is not stored.
async fn of_a_new_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let tags = repo.insert_all(["a", "b"].map(|name| Tag::build().set(Tag::NAME, name))).await?;
    let loose = repo.insert_all(["x", "y"].map(|title| Post::build().set(Post::TITLE, title))).await?;
    let kept = tags[0].change();
    let draft = Post::build().set(Post::TITLE, "new").replace(Post::TAGS, [Tag::build().set(Tag::NAME, "c"), kept]);
    cx.rows("nothing is written", "SELECT COUNT(*) FROM posts_tags").await?;
    let saved = cx.step("replaced", repo.insert(draft)).await?;
    cx.require(saved.tags()?.len() == 2, "both")?;
    // Keys of rows: they are read first, and then pushed.
    let keys: Vec<i64> = loose.iter().map(|post| post.id).collect();
    let rows = cx.step("by their keys", repo.all(Query::filter(Post::ID.is_in(keys)))).await?;
    let ada = cx.step("pushed", repo.insert(User::build().set(User::NAME, "Ada").push(User::POSTS, &rows))).await?;
    cx.require(ada.posts()?.len() == 2, "both")?;
    cx.rows("posts", "SELECT title, user_id FROM posts ORDER BY id").await?;
    cx.rows("posts_tags", "SELECT t.name FROM posts_tags l JOIN tags t ON t.id = l.tag_id ORDER BY t.name").await
}

// What is built behind the row of a `has_one` is linked when it is inserted by itself.
async fn built_behind_a_single_row(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    firms::tables(&repo).await?;
    const SEATS: &str = "SELECT p.name, c.name FROM seats s JOIN persons p ON p.id = s.person_id JOIN clubs c ON c.id = s.club_id ORDER BY 1, 2";
    let mut ada = repo.insert(Member::build().set(Member::NAME, "Ada")).await?;
    let built = repo.association(&ada, Member::CLUB).build()?.set(Society::NAME, "Poets");
    let poets = cx.step("inserted by itself", repo.insert(built)).await?;
    cx.rows("seats", SEATS).await?;
    let mut club = repo.association(&mut ada, Member::CLUB);
    cx.require(club.get().await?.is_some_and(|club| club.id == poets.id), "hers")?;
    let built = club.build()?.set(Society::NAME, "Painters");
    cx.step("given to `set`: linked once", club.set(built)).await?;
    cx.require(club.get().await?.is_some_and(|club| club.name == "Painters"), "in place of the other")?;
    cx.rows("seats", SEATS).await
}

// An article and a product of one key have links in one table.
async fn tags_of_two_types(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    const LINKS: &str =
        "SELECT taggable_type, taggable_id, tag_id FROM taggings ORDER BY taggable_type, taggable_id, tag_id";
    let mut article = repo.get_or_fail::<Essay>(1, Query::new()).await?;
    let mut product = repo.get_or_fail::<Product>(1, Query::new()).await?;
    let words = repo.all(Query::<Word>::order_by(Word::ID.asc())).await?;
    let mut of_product = repo.association(&mut product, Product::TAGS);
    cx.step("pushed, once more than before", of_product.push([&words[0], &words[1]])).await?;
    cx.require(of_product.count().await? == 3 && of_product.distinct().await?.len() == 2, "three links")?;
    let mut of_article = repo.association(&mut article, Essay::TAGS);
    cx.step("deleted", of_article.delete(&words[0])).await?;
    cx.fails("once more", of_article.delete(&words[0])).await?;
    cx.step("a new one", of_article.create(Word::build().set(Word::NAME, "new"))).await?;
    cx.step("replaced, as a multiset", of_article.replace([&words[0], &words[0]])).await?;
    cx.rows("links", LINKS).await?;
    cx.step("by keys", of_article.set_ids([words[1].id, words[0].id])).await?;
    cx.rows("links", LINKS).await?;
    cx.step("built, and saved alone", repo.insert(of_article.build()?.set(Word::NAME, "alone"))).await?;
    cx.step("destroyed", of_article.destroy(&words[1])).await?;
    let deleted = cx.step("delete_all", of_article.delete_all()).await?;
    cx.require(deleted == 2, "its own two")?;
    cx.rows("links", LINKS).await?;
    cx.require(of_product.count().await? == 3, "the product's stay")?;
    let destroyed = cx.step("destroy_all", of_product.destroy_all()).await?;
    cx.require(destroyed == 3, "three")?;
    cx.rows("links", LINKS).await?;
    // From the other end: rows of one type.
    let mut word = words[0].clone();
    let articles = repo.all(Query::<Essay>::order_by(Essay::ID.asc())).await?;
    let mut tagged = repo.association(&mut word, Word::TAGGED_ARTICLES);
    cx.step("of one type: pushed", tagged.push([&articles[0], &articles[1]])).await?;
    repo.association(&mut product, Product::TAGS).push(&words[0]).await?;
    cx.step("replaced", tagged.replace([&articles[1]])).await?;
    cx.rows("links", LINKS).await?;
    cx.step("cleared", tagged.clear()).await?;
    cx.rows("links", LINKS).await
}

// By `as`: the removed row is deleted, or its key and type become `NULL`; rows of the other type stay.
async fn members_of_two_types_by_every_rule(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let repo = at(&repo, 1);
    const MARKS: &str = "SELECT markable_type, markable_id FROM marks ORDER BY id";
    let mut writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    let mut article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let of_writer = repo.association(&mut writer, Writer::MARKS).create_all([Mark::build(), Mark::build()]).await?;
    let of_article = repo
        .association(&mut article, Article::MARKS)
        .create_all([Mark::build(), Mark::build(), Mark::build()])
        .await?;
    cx.rows("marks", MARKS).await?;
    cx.fails("the other type's", repo.association(&mut writer, Writer::MARKS).delete(&of_article[0])).await?;
    cx.step("deleted", repo.association(&mut writer, Writer::MARKS).delete(&of_writer[0])).await?;
    cx.step("nullified", repo.association(&mut article, Article::MARKS).delete(&of_article[0])).await?;
    cx.step("destroyed", repo.association(&mut article, Article::MARKS).destroy(&of_article[1])).await?;
    cx.rows("marks", MARKS).await?;
    cx.require((writer.marks_count, article.marks_count) == (1, 1), "counted")?;
    // Moved from one type to the other.
    cx.step("moved", repo.association(&mut writer, Writer::MARKS).push(&of_article[2])).await?;
    let counts = (writer.marks_count, repo.get_or_fail::<Article>(1, Query::new()).await?.marks_count);
    cx.require(counts == (2, 0), "one more, one less")?;
    cx.step("all deleted", repo.association(&mut writer, Writer::MARKS).clear()).await?;
    cx.rows("marks", MARKS).await
}

// What is loaded in a row that is given stays loaded in the target, but for the owner that it leaves.
async fn loaded_below_given_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let post = |title: &str| Post::build().set(Post::TITLE, title);
    let ada = User::build().set(User::NAME, "Ada").push(User::POSTS, [post("a"), post("b")]);
    let ada = repo.insert(ada).await?;
    let mut bob = repo.insert(User::build().set(User::NAME, "Bob")).await?;
    let with_posts = Query::preload(User::POSTS.with((Post::COMMENTS, Post::USER)));
    let mut ada = repo.get_or_fail::<User>(ada.id, with_posts).await?;
    let kept = ada.posts()?[1].clone();
    let mut posts = repo.association(&mut ada, User::POSTS);
    cx.step("replace", posts.replace([&kept])).await?;
    cx.require(
        ada.posts()?.len() == 1 && ada.posts()?[0].comments.is_loaded(),
        "what stays keeps what is loaded in it",
    )?;
    let mut posts = repo.association(&mut bob, User::POSTS);
    posts.load().await?;
    cx.step("push to another owner", posts.push(&kept)).await?;
    let pushed = &bob.posts()?[0];
    cx.require(pushed.comments.is_loaded(), "a row that is pushed keeps what is loaded in it")?;
    let owner = pushed.user.loaded().flatten();
    cx.require(owner.is_none_or(|owner| owner.name == "Bob"), "and not the owner that it leaves")
}
