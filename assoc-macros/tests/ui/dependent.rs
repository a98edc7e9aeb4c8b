use assoc_core::{BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, RawSql, RowOrigin, Scope};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    company_id: i64,
    #[belongs_to(dependent = "nullify")]
    company: BelongsTo<Company>,
    #[belongs_to(foreign_key = "company_id", dependent = "restrict_with_error")]
    employer: BelongsTo<Company>,
    #[has_many(dependent = "destory")]
    posts: HasMany<Post>,
    #[has_many(dependent = "delete_all")]
    comments: HasMany<Post>,
    #[has_many(dependent = "restrict")]
    orders: HasMany<Post>,
    #[has_one(dependent = "destroy_async")]
    account: HasOne<Option<Post>>,
    #[has_one(dependent = "cascade")]
    profile: HasOne<Option<Post>>,
    #[has_many(dependent)]
    likes: HasMany<Post>,
    #[has_many(dependent = destroy)]
    marks: HasMany<Post>,
    #[has_many(dependent = "delete", limit = 3)]
    last_posts: HasMany<Post>,
    #[has_many(dependent = "delete", offset = 3)]
    older_posts: HasMany<Post>,
    #[has_many(dependent = "delete", scope_by_owner = own)]
    own_posts: HasMany<Post>,
    #[has_many(dependent = "destroy", finder_sql = found)]
    found_posts: HasMany<Post>,
    #[has_many(dependent = "destroy", readonly)]
    fixed_posts: HasMany<Post>,
    #[has_many(through = "posts", source = "tags", dependent = "destroy", limit = 1)]
    tags: HasManyThrough<Company>,
    #[has_and_belongs_to_many(dependent = "destroy")]
    groups: HasAndBelongsToMany<Company>,
}

fn own(_: &User, posts: Scope<Post>) -> Scope<Post> {
    posts
}

fn found(_: &User) -> RawSql {
    RawSql::default()
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
    origin: RowOrigin,
}

#[derive(Model, Clone)]
struct Company {
    id: i64,
}

fn main() {}
