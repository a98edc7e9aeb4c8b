//! `get` leaves everything out that its query does not say, and nothing that it says.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used)]

use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;

#[derive(Model, Debug, Clone, PartialEq)]
struct Writer {
    id: i64,
    name: Option<String>,
    origin: RowOrigin,
    #[has_many]
    texts: HasMany<Text>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Text {
    id: i64,
    writer_id: i64,
}

async fn filled() -> Repo {
    let repo = Repo::new(Sqlite::memory().unwrap());
    repo.create_table::<Writer>().await.unwrap();
    repo.create_table::<Text>().await.unwrap();
    repo.insert(Writer::build().set(Writer::NAME, Some("Ada".to_owned()))).await.unwrap();
    repo.insert(Text::build().set(Text::WRITER_ID, 1)).await.unwrap();
    repo
}

#[test]
fn a_query_is_two_pointers() {
    assert_eq!(size_of::<Select<Writer>>(), 2 * size_of::<usize>());
}

#[test]
fn get_does_what_its_query_says() {
    pollster::block_on(async {
        let repo = filled().await;
        let get = async |query: Select<Writer>| repo.get(1, query).await;
        assert_eq!(get(Query::new()).await.unwrap().unwrap().name.as_deref(), Some("Ada"));
        // Rows that are not chosen.
        let grouped = Query::group_by(Writer::ID);
        for query in [
            Query::filter(Writer::NAME.eq("Bob")),
            Query::new().offset(1),
            Query::new().limit(0),
            grouped.having(Writer::ID.count().gt(1)),
            Query::join(Writer::TEXTS.filter(Text::ID.gt(1))),
            Query::raw_join("INNER JOIN texts ON texts.id > ?", [Value::Int(1)]),
        ] {
            assert_eq!(get(query.clone()).await.unwrap(), None, "{query:?}");
        }
        assert_eq!(get(Query::select(Writer::ID)).await.unwrap().unwrap().name, None);
        assert!(get(Query::readonly()).await.unwrap().unwrap().origin.is_read_only());
        assert_eq!(get(Query::preload(Writer::TEXTS)).await.unwrap().unwrap().texts().unwrap().len(), 1);
        let too_many = get(Query::new().max_statements(0)).await.unwrap_err();
        assert!(matches!(too_many.kind(), ErrorKind::TooManyStatements { limit: 0, .. }), "{too_many}");
        let outside = get(Query::new().for_update()).await.unwrap_err();
        assert!(matches!(outside.kind(), ErrorKind::Transaction(_)), "{outside}");
        // What decides nothing about one row.
        for query in [Query::new().unscoped(), Query::order_by(Writer::NAME.desc()), Query::new().distinct()] {
            assert!(get(query.clone()).await.unwrap().is_some(), "{query:?}");
        }
        // The query that another was derived from stays what it is.
        let base = Query::<Writer>::new();
        let derived = base.clone().filter(Writer::ID.ne(1));
        assert!(get(base).await.unwrap().is_some() && get(derived).await.unwrap().is_none());
    });
}
