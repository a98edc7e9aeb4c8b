//! `#[derive(ColumnType)]` on enums.

use assoc_core::{ColumnType, Key, Model, SqlType, Value};
use assoc_macros::{ColumnType, Model};

#[derive(ColumnType, Debug, Clone, Copy, PartialEq)]
#[column_type(key)]
enum Status {
    Draft,
    InReview,
    #[column_type(rename = "live")]
    Published,
    HTTPOnly,
}

#[derive(ColumnType, Debug, Clone, Copy, PartialEq)]
#[column_type(as = "i16")]
enum Priority {
    Low = -10,
    Middle,
    High = i16::MAX as isize,
}

#[derive(ColumnType, Debug, Clone, PartialEq)]
#[column_type(as = "u64")]
#[repr(u64)]
enum Large {
    One = 1,
    Most = u64::MAX,
}

macro_rules! named {
    ($($name:ident $naming:literal $text:literal;)+) => {$(
        #[derive(ColumnType, Debug, Clone, PartialEq)]
        #[column_type(rename_all = $naming)]
        enum $name {
            NotYetKnown,
        }

        assert_eq!($name::NotYetKnown.to_value(), Value::from($text));
        assert_eq!($name::from_value(&mut Value::from($text)).unwrap(), $name::NotYetKnown);
    )+};
}

#[derive(Model, Debug, Clone)]
struct Article {
    id: i64,
    status: Status,
    priority: Option<Priority>,
    note: Option<String>,
    weight: Option<f64>,
}

#[test]
fn variants_are_texts() {
    for (status, text) in [
        (Status::Draft, "draft"),
        (Status::InReview, "in_review"),
        (Status::Published, "live"),
        (Status::HTTPOnly, "http_only"),
    ] {
        assert_eq!(status.to_value(), Value::from(text));
        assert_eq!(Status::from_value(&mut Value::from(text)).unwrap(), status);
        assert_eq!(Status::from_value(&mut Value::from(text.to_owned())).unwrap(), status);
    }
    assert_eq!((Status::SQL_TYPE, Status::NULLABLE), (SqlType::Text, false));
    assert_eq!(Status::from_values(&[Value::from("live")]).unwrap(), Status::Published);
    for mut wrong in [Value::from("Draft"), Value::from(""), Value::Int(0), Value::Null] {
        assert!(Status::from_value(&mut wrong).is_err(), "{wrong:?}");
    }
    named! {
        Snake "snake_case" "not_yet_known";
        Kebab "kebab-case" "not-yet-known";
        Lower "lowercase" "notyetknown";
        Upper "UPPERCASE" "NOTYETKNOWN";
        Screaming "SCREAMING_SNAKE_CASE" "NOT_YET_KNOWN";
        ScreamingKebab "SCREAMING-KEBAB-CASE" "NOT-YET-KNOWN";
        Pascal "PascalCase" "NotYetKnown";
        Camel "camelCase" "notYetKnown";
    }
}

#[test]
fn variants_are_numbers() {
    for (priority, number) in [(Priority::Low, -10), (Priority::Middle, -9), (Priority::High, i64::from(i16::MAX))] {
        assert_eq!(priority.to_value(), Value::Int(number));
        assert_eq!(Priority::from_value(&mut Value::Int(number)).unwrap(), priority);
    }
    assert_eq!(Priority::SQL_TYPE, SqlType::Int(16));
    for mut wrong in [Value::Int(0), Value::Int(1 << 16), Value::from("low"), Value::Null] {
        assert!(Priority::from_value(&mut wrong).is_err(), "{wrong:?}");
    }
    for large in [Large::One, Large::Most] {
        assert_eq!(Large::from_value(&mut large.clone().into_value()).unwrap(), large);
    }
}

#[test]
fn what_is_wrong_is_named() {
    let read = |status: Value<'static>, priority| {
        Article::from_values(&mut [Value::Int(1), status, priority, Value::Null, Value::Null])
    };
    let article = read(Value::from("draft"), Value::Null).unwrap();
    assert_eq!((article.id, article.status, article.priority), (1, Status::Draft, None));
    assert_eq!(
        read(Value::from("lost"), Value::Null).unwrap_err().to_string(),
        "column `Article.status` cannot be read as one of `draft`, `in_review`, `live`, `http_only`: the database holds text (\"lost\")"
    );
    assert_eq!(
        read(Value::from("draft"), Value::Int(7)).unwrap_err().to_string(),
        "column `Article.priority` cannot be read as one of -10 `Low`, -9 `Middle`, `High`: the database holds an integer (7)"
    );
}

#[test]
fn columns_that_may_be_null_have_the_same_methods() {
    let _ = (Article::STATUS.max(), Article::STATUS.min(), Article::PRIORITY.max(), Article::PRIORITY.min());
    let _ =
        (Article::PRIORITY.is_null(), Article::PRIORITY.is_in([Priority::Low]), Article::PRIORITY.gt(Priority::Low));
}

#[test]
fn what_a_column_takes() {
    let (some, owned) = (&Some(Priority::Low), &Some("x".to_owned()));
    let text = std::borrow::Cow::Borrowed("x");
    let filters = [
        Article::PRIORITY.eq(some),
        Article::PRIORITY.eq(Some(Priority::Low)),
        Article::PRIORITY.eq(Priority::Low),
        Article::NOTE.eq(text),
        Article::NOTE.eq(None),
        Article::NOTE.eq(owned),
        Article::NOTE.eq("x"),
        Article::WEIGHT.eq(0.5_f32),
        Article::WEIGHT.eq(0.5),
        Article::ID.eq(3_000_000_000),
    ];
    assert_eq!(filters[0], filters[1]);
    assert_eq!(filters[3], filters[6]);
    assert_eq!(filters[7], filters[8]);
}
