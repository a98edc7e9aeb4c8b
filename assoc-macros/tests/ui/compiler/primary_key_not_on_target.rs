use assoc_core::BelongsTo;
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Page {
    id: i64,
    user_email: String,
    #[belongs_to(foreign_key = "user_email", primary_key = "email")]
    user: BelongsTo<User>,
}

#[derive(Model, Clone)]
struct User {
    id: i64,
}

fn main() {}
