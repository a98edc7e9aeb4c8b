use assoc_core::BelongsTo;
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(primary_key = "shop_id, number")]
struct Order {
    shop_id: i64,
    number: i64,
}

#[derive(Model, Clone)]
struct Line {
    id: i64,
    shop_id: i64,
    order_id: i64,
    order_number: String,
    #[belongs_to]
    order: BelongsTo<Order>,
    #[belongs_to(foreign_key = "shop_id, order_number")]
    typed: BelongsTo<Order>,
    #[belongs_to(foreign_key = "id, shop_id, order_id")]
    counted: BelongsTo<Order>,
}

fn main() {}
