// Options that name functions of another signature: the compiler says which one is wanted, at the function's name.
use assoc_repo::CallbackContext;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
#[model(default_scope = Self::visible, rules = Self::rules)]
pub struct User {
    pub id: i64,
    #[column(default_with = token)]
    pub token: String,
    #[has_many(scope = Post::latest)]
    pub latest: HasMany<Post>,
    #[has_many(scope_by_owner = Post::latest)]
    pub own: HasMany<Post>,
    #[has_many(finder_sql = sql)]
    pub found: HasMany<Post>,
    #[has_many(after_remove = Self::removed)]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
#[model(default_scope = visible, rules = rules)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
}

impl User {
    fn visible() -> Filter<User> {
        User::ID.gt(1)
    }
    fn rules(&self, rules: Rules<User>) -> Rules<User> {
        rules
    }
    async fn removed(_: &User, _: &Post) -> Result<()> {
        Ok(())
    }
}

impl Post {
    fn latest(scope: Scope<User>) -> Scope<User> {
        scope
    }
}

fn visible(query: Select<Post>) -> Select<Post> {
    query
}

fn rules(_: &Post) -> bool {
    true
}

fn token(_: &User) -> String {
    String::new()
}

fn sql(_: &User) -> String {
    String::new()
}

fn main() {
    let _: Option<CallbackContext<'_>> = None;
}
