//! The kinds of columns that a type can be in, on each database, and where their values stand among each other.

use std::cmp::Ordering;

use conformance_tests::Backend;
use rust_decimal::Decimal;

/// Whose kinds of columns they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    MariaDb,
    MySql,
}

impl Database {
    pub(crate) fn of(backend: &dyn Backend) -> Self {
        match backend.name() {
            "sqlite" => Database::Sqlite,
            "mysql" => Database::MySql,
            _ => Database::MariaDb,
        }
    }

    pub(crate) fn is_sqlite(self) -> bool {
        self == Database::Sqlite
    }
}

/// Where a value stands among the others of its column: what is equal, smaller and larger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Number(i128),
    Decimal(Decimal),
    Text(String),
    Bytes(Vec<u8>),
}

/// A kind of column that holds values of a type.
pub(crate) struct Kind<V> {
    /// Its type in SQL.
    pub(crate) column: &'static str,
    /// Whether it can have an index.
    pub(crate) indexed: bool,
    /// What is drawn from.
    pub(crate) values: Vec<V>,
    /// Where a value stands in comparisons.
    pub(crate) compared: fn(&V) -> Place,
    /// Where it stands in an order, if that is another place.
    pub(crate) sorted: fn(&V) -> Place,
    /// Whether aggregates of it compare as its values do. SQLite compares those of texts by their bytes.
    pub(crate) compared_as_aggregate: bool,
}

impl<V: Clone> Kind<V> {
    fn new(column: &'static str, values: &[V], place: fn(&V) -> Place) -> Self {
        Kind {
            column,
            indexed: true,
            values: values.to_vec(),
            compared: place,
            sorted: place,
            compared_as_aggregate: true,
        }
    }

    fn without_index(mut self) -> Self {
        self.indexed = false;
        self
    }

    fn compared_by_bytes_as_aggregate(mut self) -> Self {
        self.compared_as_aggregate = false;
        self
    }

    fn sorted_by(mut self, place: fn(&V) -> Place) -> Self {
        self.sorted = place;
        self
    }
}

/// The kinds of columns of a type.
pub(crate) trait Columns: Clone + Sized {
    fn kinds(database: Database) -> Vec<Kind<Self>>;
}

macro_rules! integers {
    ($($type:ty: $column:literal, $values:expr;)+) => {$(
        impl Columns for $type {
            fn kinds(database: Database) -> Vec<Kind<Self>> {
                let place: fn(&$type) -> Place = |value| Place::Number(i128::from(*value));
                // SQLite has no unsigned integers of 64 bits.
                let values: Vec<$type> =
                    $values.into_iter().filter(|value| !database.is_sqlite() || i64::try_from(*value).is_ok()).collect();
                if database.is_sqlite() {
                    vec![Kind::new("INTEGER", &values, place), Kind::new("", &values, place)]
                } else {
                    vec![Kind::new($column, &values, place)]
                }
            }
        }
    )+};
}

integers! {
    i8: "TINYINT", [i8::MIN, -10, -9, -1, 0, 1, 9, 10, 100, i8::MAX];
    i16: "SMALLINT", [i16::MIN, -10, -9, 0, 9, 10, 100, i16::MAX];
    i32: "INT", [i32::MIN, -10, -9, 0, 9, 10, 1_000, 16_777_217, 16_777_216, i32::MAX];
    i64: "BIGINT", [i64::MIN, -10, 0, 9, 10, 9_007_199_254_740_993, 9_007_199_254_740_992, i64::MAX - 1, i64::MAX];
    u8: "TINYINT UNSIGNED", [0, 9, 10, 100, 127, 128, u8::MAX];
    u16: "SMALLINT UNSIGNED", [0, 9, 10, 1_000, 32_768, u16::MAX];
    u32: "INT UNSIGNED", [0, 9, 10, 2_147_483_648, u32::MAX];
    u64: "BIGINT UNSIGNED", [0, 9, 10, 9_007_199_254_740_993, 9_007_199_254_740_992, 9_223_372_036_854_775_808, u64::MAX];
}

impl Columns for bool {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let columns: &[&'static str] =
            if database.is_sqlite() { &["BOOLEAN", "INTEGER"] } else { &["TINYINT(1)", "BIT(1)"] };
        let kind = |column: &&'static str| Kind::new(column, &[false, true], |value| Place::Number(i128::from(*value)));
        columns.iter().map(kind).collect()
    }
}

// In the order of the numbers; both zeros are one.
fn of_float(value: f64) -> Place {
    let bits = (value + 0.0).to_bits();
    let (sign, rest) = (bits >> 63, i128::from(bits & (u64::MAX >> 1)));
    Place::Number(if sign == 1 { -rest } else { rest })
}

impl Columns for f64 {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let values = [-1e300, -10.0, -9.5, -0.1, 0.0, 1e-300, 0.1, 0.3, 0.1 + 0.2, 9.0, 10.0, 1e17, 1.5e300];
        vec![Kind::new(if database.is_sqlite() { "REAL" } else { "DOUBLE" }, &values, |value| of_float(*value))]
    }
}

impl Columns for f32 {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let values = [-1e30, -10.0, -9.5, -0.1, 0.0, 0.1, 0.3, 9.0, 10.0, 16_777_216.0, 1.5e30];
        vec![Kind::new(if database.is_sqlite() { "REAL" } else { "FLOAT" }, &values, |value| {
            of_float(f64::from(*value))
        })]
    }
}

fn words() -> Vec<String> {
    ["", "a", "A", "a ", "b", "ab", "aB", "Ab", "ä", "Ä", "é", "e", "z", "Z", "zz", "_", "9", "10", "1", "%", "\\"]
        .map(str::to_owned)
        .to_vec()
}

fn text(value: &str) -> Place {
    Place::Text(value.to_owned())
}

fn padded(value: &str) -> Place {
    text(value.trim_end_matches(' '))
}

// As the collations `utf8mb4_general_ci`, `utf8mb4_unicode_ci` and `utf8mb4_0900_ai_ci` take these words: without case and
// accents.
fn without_accents(value: &str) -> String {
    let base = |letter: char| match letter {
        'ä' | 'Ä' => 'A',
        'é' => 'E',
        letter => letter.to_ascii_uppercase(),
    };
    value.chars().map(base).collect()
}

// Without blanks at the end.
fn general(value: &str) -> Place {
    Place::Text(without_accents(value.trim_end_matches(' ')))
}

fn unicode(value: &str) -> Place {
    not_padded(value.trim_end_matches(' '))
}

// Blanks come before marks, marks before digits, digits before letters: `utf8mb4_0900_ai_ci`.
fn not_padded(value: &str) -> Place {
    let weight = |letter: char| match letter {
        ' ' => '\0',
        '_' => '\u{1}',
        '\\' => '\u{2}',
        '%' => '\u{3}',
        letter => letter,
    };
    Place::Text(without_accents(value).chars().map(weight).collect())
}

const SIZES: [&str; 4] = ["small", "medium", "large", "Huge"];
const FLAGS: [&str; 3] = ["z", "y", "x"];

fn size(value: &str) -> Place {
    Place::Number(SIZES.iter().position(|size| *size == value).map_or(0, |at| at as i128 + 1))
}

fn flags(value: &str) -> Place {
    Place::Number(
        FLAGS
            .iter()
            .enumerate()
            .filter(|(_, flag)| value.split(',').any(|part| part == **flag))
            .map(|(at, _)| 1 << at)
            .sum(),
    )
}

impl Columns for String {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let words = words();
        let sizes = SIZES.map(str::to_owned);
        let sets = ["", "z", "y", "z,y", "x", "y,x", "z,y,x"].map(str::to_owned);
        if database.is_sqlite() {
            return vec![
                Kind::new("TEXT", &words, |word| text(word)),
                Kind::new("", &words, |word| text(word)),
                Kind::new("TEXT COLLATE NOCASE", &words, |word| text(&word.to_ascii_lowercase()))
                    .compared_by_bytes_as_aggregate(),
                Kind::new("VARCHAR(20) COLLATE RTRIM", &words, |word| padded(word)).compared_by_bytes_as_aggregate(),
            ];
        }
        // What a column is that names no collation, and one that ignores nothing.
        let (default, exact): (fn(&String) -> Place, _) = match database {
            Database::MySql => (|word| not_padded(word), "TEXT COLLATE utf8mb4_0900_bin"),
            _ => (|word| general(word), "TEXT COLLATE utf8mb4_nopad_bin"),
        };
        vec![
            Kind::new("LONGTEXT", &words, default).without_index(),
            Kind::new("VARCHAR(40) COLLATE utf8mb4_general_ci", &words, |word| general(word)),
            Kind::new("VARCHAR(40) COLLATE utf8mb4_unicode_ci", &words, |word| unicode(word)),
            Kind::new("VARCHAR(40) COLLATE utf8mb4_bin", &words, |word| padded(word)),
            Kind::new(exact, &words, |word| text(word)).without_index(),
            Kind::new("ENUM('small','medium','large','Huge')", &sizes, |word| general(word))
                .sorted_by(|word| size(word)),
            Kind::new("SET('z','y','x')", &sets, |word| general(word)).sorted_by(|word| flags(word)),
        ]
    }
}

impl Columns for Vec<u8> {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let values: Vec<Vec<u8>> = [&b""[..], b"a", b"A", b"a ", b"\0", b"a\0", b"\x7f", b"\x80", b"\xff", b"ab", b"'"]
            .map(<[u8]>::to_vec)
            .to_vec();
        let place: fn(&Vec<u8>) -> Place = |value| Place::Bytes(value.clone());
        if database.is_sqlite() {
            return vec![Kind::new("BLOB", &values, place), Kind::new("TEXT", &values, place)];
        }
        vec![Kind::new("VARBINARY(40)", &values, place), Kind::new("LONGBLOB", &values, place).without_index()]
    }
}

impl Columns for uuid::Uuid {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let values = [0, 1, 1 << 64, u128::MAX, 0x61 << 120, 0x41 << 120, 0x2020].map(uuid::Uuid::from_u128);
        vec![Kind::new(if database.is_sqlite() { "BLOB" } else { "BINARY(16)" }, &values, |value| {
            Place::Bytes(value.as_bytes().to_vec())
        })]
    }
}

impl Columns for Decimal {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let values = ["-10", "-9.5", "0", "0.1", "2.5", "2.50", "9", "9.50", "10", "100.10"]
            .map(|number| number.parse().unwrap());
        let columns: &[&'static str] =
            if database.is_sqlite() { &["TEXT", "", "DECIMAL(12,2)"] } else { &["DECIMAL(57,28)", "DECIMAL(12,2)"] };
        let kind =
            |column: &&'static str| Kind::new(column, &values, |value: &Decimal| Place::Decimal(value.normalize()));
        columns.iter().map(kind).collect()
    }
}

fn moments<V: Clone>(database: Database, column: &'static str, values: &[V], place: fn(&V) -> Place) -> Vec<Kind<V>> {
    if database.is_sqlite() {
        vec![Kind::new("TEXT", values, place), Kind::new("", values, place)]
    } else {
        vec![Kind::new(column, values, place)]
    }
}

const DAYS: [(i32, u32, u32); 7] =
    [(1000, 1, 1), (1969, 12, 31), (1970, 1, 1), (2024, 2, 29), (2024, 10, 9), (2024, 9, 10), (9999, 12, 31)];
const MICROS_OF_DAY: [u32; 8] = [0, 1, 10, 500_000, 1_000_000, 1_500_000, 999_999_999, 4_294_967_295];

fn dates() -> Vec<chrono::NaiveDate> {
    DAYS.iter().map(|(year, month, day)| chrono::NaiveDate::from_ymd_opt(*year, *month, *day).unwrap()).collect()
}

fn times() -> Vec<chrono::NaiveTime> {
    let time = |micros: &u32| {
        chrono::NaiveTime::from_num_seconds_from_midnight_opt(micros / 1_000_000, micros % 1_000_000 * 1_000).unwrap()
    };
    MICROS_OF_DAY.iter().map(time).collect()
}

fn date_times() -> Vec<chrono::NaiveDateTime> {
    let on = |date: chrono::NaiveDate| times().into_iter().step_by(2).map(move |time| date.and_time(time));
    dates().into_iter().step_by(2).flat_map(on).collect()
}

impl Columns for chrono::NaiveDate {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        use chrono::Datelike;
        moments(database, "DATE", &dates(), |date| Place::Number(date.num_days_from_ce().into()))
    }
}

impl Columns for chrono::NaiveTime {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        moments(database, "TIME(6)", &times(), |time| {
            Place::Number((*time - chrono::NaiveTime::MIN).num_microseconds().unwrap().into())
        })
    }
}

impl Columns for chrono::NaiveDateTime {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        moments(database, "DATETIME(6)", &date_times(), |at| Place::Number(at.and_utc().timestamp_micros().into()))
    }
}

impl Columns for chrono::DateTime<chrono::Utc> {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let values: Vec<_> = date_times().iter().map(chrono::NaiveDateTime::and_utc).collect();
        moments(database, "DATETIME(6)", &values, |at| Place::Number(at.timestamp_micros().into()))
    }
}

impl Columns for jiff::Timestamp {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let micros = date_times().into_iter().map(|at| at.and_utc().timestamp_micros());
        // jiff ends a day earlier, so that every time zone has all of its instants.
        let values: Vec<_> = micros.filter_map(|micros| jiff::Timestamp::from_microsecond(micros).ok()).collect();
        moments(database, "DATETIME(6)", &values, |at| Place::Number(at.as_microsecond().into()))
    }
}

impl Columns for jiff::civil::Time {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let values: Vec<_> = MICROS_OF_DAY
            .iter()
            .map(|micros| jiff::civil::Time::midnight() + jiff::SignedDuration::from_micros(i64::from(*micros)))
            .collect();
        moments(database, "TIME(6)", &values, |time| {
            Place::Number(time.duration_since(jiff::civil::Time::midnight()).as_micros())
        })
    }
}

impl Columns for time::Date {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let date = |(year, month, day): &(i32, u32, u32)| {
            let month = time::Month::try_from(u8::try_from(*month).unwrap()).unwrap();
            time::Date::from_calendar_date(*year, month, u8::try_from(*day).unwrap()).unwrap()
        };
        let values: Vec<_> = DAYS.iter().map(date).collect();
        moments(database, "DATE", &values, |date| Place::Number(date.to_julian_day().into()))
    }
}

impl Columns for time::PrimitiveDateTime {
    fn kinds(database: Database) -> Vec<Kind<Self>> {
        let at = |at: chrono::NaiveDateTime| {
            let since = time::Duration::microseconds(at.and_utc().timestamp_micros());
            let epoch = time::OffsetDateTime::UNIX_EPOCH;
            let at = epoch + since;
            time::PrimitiveDateTime::new(at.date(), at.time())
        };
        let values: Vec<_> = date_times().into_iter().map(at).collect();
        moments(database, "DATETIME(6)", &values, |at| Place::Number(at.assume_utc().unix_timestamp_nanos() / 1_000))
    }
}

impl<V> Kind<V> {
    pub(crate) fn order(&self, one: &V, other: &V) -> Ordering {
        (self.compared)(one).cmp(&(self.compared)(other))
    }
}
