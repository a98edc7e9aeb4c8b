use assoc_macros::Model;

#[derive(Clone)]
struct Money(i64);

#[derive(Model, Clone)]
struct Account {
    id: i64,
    balance: Money,
    limit: Option<Money>,
}

fn main() {}
