use assoc_macros::ColumnType;

#[derive(ColumnType, Clone)]
struct Two(i64, i64);

#[derive(ColumnType, Clone)]
struct Unit;

#[derive(ColumnType, Clone)]
enum Colour {
    Red,
}

#[derive(ColumnType, Clone)]
struct Any<T>(T);

#[derive(ColumnType, Clone)]
#[column_type(primary)]
struct Id(i64);

fn main() {}
