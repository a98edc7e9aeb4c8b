use assoc_macros::ColumnType;

#[derive(ColumnType, Clone)]
enum Empty {}

#[derive(ColumnType, Clone)]
enum Shape {
    Point,
    Circle(f64),
}

#[derive(ColumnType, Clone)]
#[column_type(rename_all = "snakecase")]
enum Colour {
    Red,
}

#[derive(ColumnType, Clone)]
enum Twice {
    InReview,
    #[column_type(rename = "in_review")]
    Reviewed,
}

#[derive(ColumnType, Clone)]
#[column_type(as = "i10", rename_all = "lowercase")]
enum Priority {
    Low,
}

#[derive(ColumnType, Clone)]
#[column_type(as = "i8")]
enum Level {
    #[column_type(rename = "low")]
    Low,
}

#[derive(ColumnType, Clone)]
#[column_type(rename_all = "lowercase")]
struct Name(String);

#[derive(ColumnType, Clone)]
enum State {
    #[column_type(name = "on")]
    On,
}

fn main() {}
