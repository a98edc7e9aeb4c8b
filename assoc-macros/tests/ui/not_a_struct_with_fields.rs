use assoc_macros::Model;

#[derive(Model, Clone)]
enum Shape {
    Round,
}

#[derive(Model, Clone)]
struct Pair(i64, i64);

#[derive(Model, Clone)]
struct Nothing;

#[derive(Model, Clone)]
struct Empty {
    #[model(skip)]
    nothing: (),
}

#[derive(Model, Clone)]
struct Page<T> {
    id: i64,
    content: T,
}

#[derive(Model, Clone, Copy)]
union Either {
    a: i64,
}

fn main() {}
