//! Fixture F: authors with mentors and gravatars, posts, comments. The reference table's statement counts refer to it.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "authors")]
pub struct Author {
    pub id: i64,
    pub name: String,
    pub mentor_id: Option<i64>,
    #[belongs_to]
    pub mentor: BelongsTo<Option<Author>>,
    #[has_many(foreign_key = "mentor_id")]
    pub students: HasMany<Author>,
    #[has_one]
    pub gravatar: HasOne<Option<Gravatar>>,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_many]
    pub comments: HasMany<Comment>,
    // A second association over the same key, under another name.
    #[has_many(foreign_key = "author_id")]
    pub articles: HasMany<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "gravatars")]
pub struct Gravatar {
    pub id: i64,
    pub author_id: i64,
    pub url: String,
    #[belongs_to]
    pub author: BelongsTo<Author>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts")]
pub struct Post {
    pub id: i64,
    pub author_id: Option<i64>,
    pub title: String,
    pub published: bool,
    #[belongs_to]
    pub author: BelongsTo<Option<Author>>,
    #[has_many]
    pub comments: HasMany<Comment>,
    // The first comment by primary key: comments are many, so this shows that has_one takes the first.
    #[has_one]
    pub first_comment: HasOne<Option<Comment>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "comments")]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
    pub author_id: Option<i64>,
    pub body: String,
    pub approved: bool,
    #[belongs_to]
    pub post: BelongsTo<Post>,
    #[belongs_to]
    pub author: BelongsTo<Option<Author>>,
}

/// Makes the tables.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Author>().await?;
    repo.create_table::<Gravatar>().await?;
    repo.create_table::<Post>().await?;
    repo.create_table::<Comment>().await
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    tables(repo).await?;
    let author = |name, mentor: Option<i64>| Author::build().set(Author::NAME, name).set(Author::MENTOR_ID, mentor);
    repo.insert_all([author("Ann", None), author("Bob", Some(1)), author("Cyd", Some(2))]).await?;
    let gravatar = |author: i64, url| Gravatar::build().set(Gravatar::AUTHOR_ID, author).set(Gravatar::URL, url);
    repo.insert_all([gravatar(1, "ann.png"), gravatar(3, "cyd.png")]).await?;
    let post = |author: Option<i64>, title, published| {
        Post::build().set(Post::AUTHOR_ID, author).set(Post::TITLE, title).set(Post::PUBLISHED, published)
    };
    repo.insert_all([
        post(Some(1), "Ann", true),
        post(Some(1), "P2", false),
        post(Some(2), "P3", true),
        post(None, "P4", true),
    ])
    .await?;
    let comment = |post: i64, author: Option<i64>, body, approved| {
        Comment::build()
            .set(Comment::POST_ID, post)
            .set(Comment::AUTHOR_ID, author)
            .set(Comment::BODY, body)
            .set(Comment::APPROVED, approved)
    };
    repo.insert_all([
        comment(1, Some(2), "C1", true),
        comment(1, Some(3), "C2", false),
        comment(3, Some(2), "C3", true),
        comment(3, Some(1), "C4", true),
        comment(3, Some(3), "C5", true),
        comment(4, None, "C6", true),
    ])
    .await?;
    Ok(())
}

/// Makes the tables and many rows: `users` authors with `posts` posts each and `comments` comments a post.
pub async fn many(repo: &Repo, users: i64, posts: i64, comments: i64) -> Result<()> {
    tables(repo).await?;
    repo.transaction(async |tx| {
        tx.insert_all((1..=users).map(|n| Author::build().set(Author::NAME, format!("author {n}")))).await?;
        tx.insert_all((0..users * posts).map(|n| {
            Post::build()
                .set(Post::AUTHOR_ID, Some(n / posts + 1))
                .set(Post::TITLE, format!("post {n}"))
                .set(Post::PUBLISHED, n % 3 != 0)
        }))
        .await?;
        tx.insert_all((0..users * posts * comments).map(|n| {
            Comment::build()
                .set(Comment::POST_ID, n / comments + 1)
                .set(Comment::AUTHOR_ID, Some(n % users + 1))
                .set(Comment::BODY, format!("comment {n}"))
                .set(Comment::APPROVED, true)
        }))
        .await
        .map(|_| ())
    })
    .await
}

/// Authors again, by what others say about what they wrote.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "authors")]
pub struct Columnist {
    pub id: i64,
    pub name: String,
    #[has_many(foreign_key = "author_id")]
    pub posts: HasMany<Post>,
    #[has_many(through = "posts", source = "comments")]
    pub post_comments: HasManyThrough<Comment>,
    #[has_many(through = "post_comments", source = "author")]
    pub commenters: HasManyThrough<Author>,
    #[has_many(through = "post_comments", source = "author", distinct)]
    pub different_commenters: HasManyThrough<Author>,
    #[has_many(foreign_key = "author_id", scope = discussed)]
    pub discussed_posts: HasMany<Post>,
}

// A scope may reach into other tables by a condition, and bring what it finds there.
fn discussed(posts: Scope<Post>) -> Scope<Post> {
    posts.filter(Post::COMMENTS.any(Comment::APPROVED.eq(true))).preload(Post::COMMENTS)
}
