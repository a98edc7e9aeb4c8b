use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[column(serde = false)]
    password_hash: String,
}

#[derive(Model, Clone)]
#[model(serde)]
struct Login {
    id: i64,
    #[column(serde)]
    name: String,
    #[column(serde = "never")]
    token: String,
}

fn main() {}
