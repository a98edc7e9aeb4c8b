use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(table = "")]
struct Empty {
    id: i64,
}

#[derive(Model, Clone)]
#[model(table = "a.b.c")]
struct Dotted {
    id: i64,
}

#[derive(Model, Clone)]
#[model(table = "blog. posts")]
struct Spaced {
    id: i64,
}

fn main() {}
