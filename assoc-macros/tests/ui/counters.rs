// `counter_cache` and `touch` where they have no place.

use assoc_core::{BelongsTo, HasMany, HasOne};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[column(counter_cache, default = "0")]
    both: i64,
    posts_count: i64,
    #[column(counter_cache)]
    drafts_count: i64,
    #[has_many(counter_cache)]
    unnamed: HasMany<Post>,
    #[has_many(counter_cache = "posts_count")]
    unmarked: HasMany<Post>,
    #[has_many(counter_cache = "post_count")]
    misspelt: HasMany<Post>,
    #[has_many(counter_cache = "drafts_count", filter = Post::DRAFT.eq(true))]
    drafts: HasMany<Post>,
    #[has_many(counter_cache = "drafts_count", limit = 3)]
    last: HasMany<Post>,
    #[has_many(touch)]
    touched: HasMany<Post>,
    #[has_one(foreign_key = "user_id")]
    first: HasOne<Post>,
    #[has_one(through = "first", source = "author", touch)]
    of_first: HasOne<User>,
    #[has_one(foreign_key = "user_id", touch, scope_by_owner = own)]
    own: HasOne<Post>,
    #[has_one(foreign_key = "user_id", touch = false)]
    flagged: HasOne<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
    draft: bool,
    #[belongs_to(counter_cache_active = false)]
    user: BelongsTo<User>,
    #[belongs_to(foreign_key = "user_id", counter_cache = false)]
    flagged: BelongsTo<User>,
    #[belongs_to(foreign_key = "user_id", counter_cache = "a b")]
    spaced: BelongsTo<User>,
    #[belongs_to(foreign_key = "user_id", touch = "seen_at, seen_at")]
    twice: BelongsTo<User>,
    #[belongs_to(foreign_key = "user_id", counter_cache, touch, scope_by_owner = own)]
    scoped: BelongsTo<User>,
}

fn main() {}
