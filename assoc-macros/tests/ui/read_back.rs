// Columns that the database computes, and rows that are read back.
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(read_back)]
struct WithoutKey {
    name: String,
}

#[derive(Model, Clone)]
#[model(read_back = true)]
struct WithValue {
    id: i64,
    #[column(read_back = "yes")]
    name: String,
    #[column(generated = 7)]
    slug: String,
    #[column(generated, default = "'x'")]
    code: String,
}

fn main() {}
