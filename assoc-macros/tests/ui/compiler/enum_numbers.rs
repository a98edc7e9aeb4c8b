use assoc_macros::ColumnType;

#[derive(ColumnType, Clone)]
#[column_type(as = "u8")]
enum Size {
    Small = -1,
    Large = 255,
    Huge,
}

fn main() {
    let _ = <Size as assoc_core::ColumnType>::SQL_TYPE;
}
