// Handles of the wrong owner, methods of the other sort of handle, and rows, keys and columns of other models.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_one]
    pub account: HasOne<Option<Account>>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    #[belongs_to]
    pub user: BelongsTo<User>,
}

#[derive(Model, Debug, Clone)]
pub struct Account {
    pub id: i64,
    pub user_id: i64,
}

#[derive(Model, Debug, Clone)]
pub struct Note {
    pub id: i64,
    pub subject_id: i64,
    pub subject_type: String,
    #[belongs_to(polymorphic)]
    pub subject: BelongsTo<Subject>,
}

#[derive(Polymorphic, Debug, Clone)]
pub enum Subject {
    User(User),
    Post(Post),
}

mod titled {
    use assoc_repo::prelude::*;
    use assoc_repo::{Collection, OwnerRef, ToManyAssociation};

    use crate::Post;

    pub trait Titled {
        async fn titled(&self, title: &str) -> Result<Vec<Post>>;
    }

    impl<R: OwnerRef, A: ToManyAssociation<R::Owner, Post>> Titled for Collection<'_, R, Post, A> {
        async fn titled(&self, title: &str) -> Result<Vec<Post>> {
            self.repo().all(self.query()?.filter(Post::TITLE.eq(title))).await
        }
    }
}

fn owners(repo: &Repo, user: User, post: &mut Post) {
    let _ = repo.association(post, User::POSTS);
    let _ = repo.association(user, User::POSTS);
    let _ = repo.association(post, Post::TITLE);
}

async fn methods_of_the_other_sort(repo: &Repo, user: &mut User) -> Result<()> {
    repo.association(user, User::ACCOUNT).push(Account::build()).await?;
    repo.association(user, User::POSTS).set(Post::build()).await?;
    repo.association(user, User::POSTS).get().await?;
    repo.association(user, User::ACCOUNT).set_ids([1]).await?;
    repo.association(user, User::ACCOUNT).delete_all().await?;
    Ok(())
}

async fn keys_of_wrong_types(repo: &Repo, user: &mut User, account: &Account) -> Result<()> {
    repo.association(user, User::POSTS).find("1").await?;
    repo.association(user, User::POSTS).find(account).await?;
    repo.association(user, User::POSTS).find_all([(1, "a")]).await?;
    repo.association(user, User::POSTS).set_ids(["1"]).await?;
    repo.association(user, User::POSTS).delete_ids([1.5]).await?;
    repo.association(user, User::POSTS).delete(1).await?;
    Ok(())
}

async fn rows_of_other_models(repo: &Repo, user: &mut User, account: &Account) -> Result<()> {
    repo.association(user, User::POSTS).push(Account::build()).await?;
    repo.association(user, User::POSTS).create(Account::build()).await?;
    repo.association(user, User::POSTS).delete(account).await?;
    repo.association(user, User::POSTS).contains(account).await?;
    repo.association(user, User::ACCOUNT).set(Post::build()).await?;
    Ok(())
}

async fn rows_that_are_new(repo: &Repo, user: &mut User) -> Result<()> {
    repo.association(user, User::POSTS).delete(Post::build()).await
}

async fn conditions_and_columns_of_other_models(repo: &Repo, user: &mut User) -> Result<()> {
    repo.association(user, User::POSTS).exists(User::NAME.eq("Ada")).await?;
    repo.association(user, User::POSTS).sum(User::ID).await?;
    Ok(())
}

async fn no_single_model(repo: &Repo, note: &mut Note, account: &Account) -> Result<()> {
    repo.association(note, Note::SUBJECT).create(User::build()).await?;
    repo.association(note, Note::SUBJECT).build()?;
    repo.association(note, Note::SUBJECT).set(account).await?;
    Ok(())
}

async fn extension_that_is_not_imported(repo: &Repo, user: &User) -> Result<Vec<Post>> {
    repo.association(user, User::POSTS).titled("On looms").await
}

fn main() {}
