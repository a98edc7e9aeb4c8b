use assoc_core::{BelongsTo, HasMany, HasOne};
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(primary_key = "shop_id, number")]
struct Order {
    shop_id: i64,
    number: i64,
    #[has_many]
    lines: HasMany<Post>,
    #[has_many(foreign_key = "order_number")]
    notes: HasMany<Post>,
    #[belongs_to(foreign_key = "shop_id", primary_key = "id, user_id")]
    post: BelongsTo<Post>,
    #[has_one(primary_key = "number", foreign_key = "shop_id, number")]
    bill: HasOne<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
