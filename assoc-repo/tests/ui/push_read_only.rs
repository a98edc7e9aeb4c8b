use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_many(through = "posts")]
    pub comments: HasManyThrough<Comment>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    #[belongs_to]
    pub user: BelongsTo<User>,
    #[has_many]
    pub comments: HasMany<Comment>,
}

#[derive(Model, Debug, Clone)]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
}

fn main() {
    // A comment holds the key of its post, so no row links it to a user.
    let _ = User::build().push(User::COMMENTS, Comment::build());
    // A `belongs_to` is set with `associate`.
    let _ = Post::build().set_one(Post::USER, User::build());
    // A member of another model.
    let _ = User::build().push(User::POSTS, Comment::build());
}
