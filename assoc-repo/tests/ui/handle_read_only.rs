// Handles whose members or target cannot be written: no single row links them to their owner, or the owner is only read.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    pub team_id: i64,
    #[belongs_to]
    pub team: BelongsTo<Team>,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_one]
    pub account: HasOne<Option<Account>>,
    // The comments hold the keys of the posts.
    #[has_many(through = "posts")]
    pub comments: HasManyThrough<Comment>,
    // Behind a `belongs_to`.
    #[has_many(through = "team", source = "projects")]
    pub projects: HasManyThrough<Project>,
    // Behind an association that goes through another one itself.
    #[has_many(through = "comments", source = "marks")]
    pub marks: HasManyThrough<Mark>,
    // The card holds the key of the account.
    #[has_one(through = "account", source = "card")]
    pub card: HasOne<Option<Card>>,
    // Behind a `belongs_to`.
    #[has_one(through = "team", source = "badge")]
    pub badge: HasOne<Option<Badge>>,
}

#[derive(Model, Debug, Clone)]
pub struct Team {
    pub id: i64,
    #[has_many]
    pub projects: HasMany<Project>,
    #[has_one]
    pub badge: HasOne<Option<Badge>>,
}

#[derive(Model, Debug, Clone)]
pub struct Project {
    pub id: i64,
    pub team_id: i64,
}

#[derive(Model, Debug, Clone)]
pub struct Badge {
    pub id: i64,
    pub team_id: i64,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    #[has_many]
    pub comments: HasMany<Comment>,
}

#[derive(Model, Debug, Clone)]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
    #[has_many]
    pub marks: HasMany<Mark>,
}

#[derive(Model, Debug, Clone)]
pub struct Mark {
    pub id: i64,
    pub comment_id: i64,
}

#[derive(Model, Debug, Clone)]
pub struct Account {
    pub id: i64,
    pub user_id: i64,
    #[has_one]
    pub card: HasOne<Option<Card>>,
}

#[derive(Model, Debug, Clone)]
pub struct Card {
    pub id: i64,
    pub account_id: i64,
}

async fn members_behind_rows_that_hold_no_key_of_theirs(repo: &Repo, user: &mut User, comment: &Comment) -> Result<()> {
    repo.association(user, User::COMMENTS).push(Comment::build()).await?;
    repo.association(user, User::COMMENTS).replace([comment]).await?;
    repo.association(user, User::COMMENTS).delete(comment).await?;
    repo.association(user, User::COMMENTS).create(Comment::build()).await?;
    repo.association(user, User::COMMENTS).upsert_all([Comment::build()], assoc_repo::on_conflict(Comment::ID)).await?;
    Ok(())
}

async fn members_behind_a_belongs_to(repo: &Repo, user: &mut User) -> Result<()> {
    repo.association(user, User::PROJECTS).build()?;
    repo.association(user, User::PROJECTS).destroy_all().await?;
    Ok(())
}

async fn members_behind_members(repo: &Repo, user: &mut User) -> Result<()> {
    repo.association(user, User::MARKS).set_ids([1]).await
}

async fn targets_behind_others(repo: &Repo, user: &mut User) -> Result<()> {
    repo.association(user, User::CARD).set(Card::build()).await?;
    repo.association(user, User::BADGE).clear().await?;
    Ok(())
}

async fn owners_that_are_only_read(repo: &Repo, user: &User) -> Result<()> {
    repo.association(user, User::POSTS).push(Post::build()).await?;
    repo.association(user, User::POSTS).load().await?;
    repo.association(user, User::ACCOUNT).set(Account::build()).await?;
    repo.association(user, User::ACCOUNT).reload().await?;
    Ok(())
}

fn main() {}
