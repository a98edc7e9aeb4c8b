// Conditions and orders by columns of associations.
use assoc_repo::prelude::*;
use assoc_repo::Page;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    #[belongs_to]
    pub user: BelongsTo<User>,
}

async fn read(repo: &Repo) -> Result<()> {
    // Right.
    let joined = Query::join(Post::USER).order_by(Post::USER.joined(User::NAME).asc());
    let _ = repo.page(joined, Page::first(20)).await?;
    let _ = Query::filter(User::POSTS.joined(Post::TITLE).eq("On looms"));
    // An association compared with a key.
    let _ = Query::filter(User::POSTS.eq(1));
    let _ = Query::filter(Post::USER.eq(1));
    // A column of the association, without `joined`.
    let _ = Query::filter(User::POSTS.title.eq("On looms"));
    // A condition on posts in a query of users.
    let _ = Query::join(User::POSTS).filter(Post::TITLE.eq("On looms"));
    // A joined column that is no condition.
    let _ = Query::filter(User::POSTS.joined(Post::TITLE));
    // A joined column of another model than the target.
    let _ = Query::filter(User::POSTS.joined(User::NAME.eq("Ada")));
    Ok(())
}

async fn pages(repo: &Repo) -> Result<()> {
    // Orders without a direction, of another model, and as text.
    repo.page(Query::join(Post::USER).order_by(Post::USER.joined(User::NAME)), Page::first(20)).await?;
    repo.page(Query::<Post>::order_by(User::NAME.asc()), Page::first(20)).await?;
    repo.page(Query::<Post>::order_by((Post::TITLE, Post::ID.asc())), Page::first(20)).await?;
    repo.page(Query::<Post>::order_by("title desc"), Page::first(20)).await?;
    repo.page(Query::<Post>::order_by(Post::USER), Page::first(20)).await?;
    // Not a page.
    repo.page(Query::order_by(Post::TITLE.asc()), 20).await?;
    repo.page(Query::order_by(Post::TITLE.asc()), None).await?;
    Ok(())
}

fn main() {}
