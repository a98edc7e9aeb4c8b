// Keys of other types than the model's primary key.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    #[column(counter_cache)]
    pub posts_count: i64,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    #[belongs_to(counter_cache)]
    pub user: BelongsTo<User>,
}

#[derive(Model, Debug, Clone)]
#[model(primary_key = "hall, number")]
pub struct Seat {
    pub hall: i64,
    pub number: i32,
}

async fn rows(repo: &Repo, post: &Post) -> Result<()> {
    repo.get::<User>("1", Query::new()).await?;
    repo.get_or_fail::<User>(Some(1_i64), Query::new()).await?;
    repo.get_or_fail::<User>(post, Query::new()).await?;
    repo.get::<Seat>(1_i64, Query::new()).await?;
    repo.get::<Seat>((1_i64, "2"), Query::new()).await?;
    Ok(())
}

async fn counters(repo: &Repo) -> Result<()> {
    repo.reset_counters_of(User::POSTS, ["1"]).await?;
    repo.reset_counters_of((User::POSTS,), vec![(1_i64, 2_i64)]).await?;
    repo.add_to_counter(User::POSTS, [1.5], 1).await?;
    Ok(())
}

fn main() {}
