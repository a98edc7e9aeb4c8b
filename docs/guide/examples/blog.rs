// The models and rows of the guide's examples. Every example starts with them and runs as a test.

pub use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;

#[derive(Model, Debug, Clone, PartialEq)]
pub struct User {
    pub id: i64,
    pub name: String,
    pub email: Option<String>,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_one]
    pub address: HasOne<Option<Address>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Address {
    pub id: i64,
    pub user_id: i64,
    pub city: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    pub published: bool,
    #[belongs_to]
    pub user: BelongsTo<User>,
    #[has_many]
    pub comments: HasMany<Comment>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
    pub user_id: Option<i64>,
    pub body: String,
    #[belongs_to]
    pub post: BelongsTo<Post>,
    #[belongs_to]
    pub user: BelongsTo<Option<User>>,
}

/// Runs an example on a database in memory: two users, three posts, four comments.
pub fn run(example: impl AsyncFnOnce(&Repo) -> Result<()>) {
    pollster::block_on(async {
        let repo = Repo::new(Sqlite::memory()?);
        fill(&repo).await?;
        example(&repo).await
    })
    .unwrap();
}

/// Like [`run`], for an example whose SQL the page shows, below the comment `<!-- sql: name -->`.
pub fn run_shown(page: &str, name: &str, example: impl AsyncFnOnce(&Repo) -> Result<()>) {
    pollster::block_on(async {
        let (repo, recorder) = guide::sql::recorded()?;
        fill(&repo).await?;
        recorder.take();
        example(&repo).await?;
        guide::sql::shown(page, name, &recorder);
        Ok::<(), Error>(())
    })
    .unwrap();
}

async fn fill(repo: &Repo) -> Result<()> {
    repo.create_table::<User>().await?;
    repo.create_table::<Address>().await?;
    repo.create_table::<Post>().await?;
    repo.create_table::<Comment>().await?;
    let user = |name, email: Option<&str>| {
        User::build().set(User::NAME, name).set(User::EMAIL, email.map(str::to_owned))
    };
    repo.insert_all([user("Ada", Some("ada@example.org")), user("Grace", None)]).await?;
    repo.insert(Address::build().set(Address::USER_ID, 1).set(Address::CITY, "London")).await?;
    let post = |user: i64, title, published| {
        Post::build().set(Post::USER_ID, user).set(Post::TITLE, title).set(Post::PUBLISHED, published)
    };
    repo.insert_all([
        post(1, "On engines", true),
        post(1, "A draft", false),
        post(2, "On compilers", true),
    ])
    .await?;
    let comment = |post: i64, user: Option<i64>, body| {
        Comment::build().set(Comment::POST_ID, post).set(Comment::USER_ID, user).set(Comment::BODY, body)
    };
    repo.insert_all([
        comment(1, Some(2), "Well put"),
        comment(1, None, "First!"),
        comment(3, Some(1), "Indeed"),
        comment(3, Some(2), "Thanks"),
    ])
    .await?;
    Ok(())
}
