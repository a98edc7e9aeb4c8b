//! Two associations of one statement that choose differently among the same rows: each has its own table there, so that a
//! condition on one sees the rows that this one chooses, and no other is cut by its choice.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use assoc_repo::prelude::*;
use conformance_tests::Backend;

#[allow(dead_code)]
mod backends;

#[derive(Model, Debug, Clone)]
#[model(table = "writers", auto_increment = false)]
struct Writer {
    id: i64,
    #[has_many]
    texts: HasMany<Text>,
    #[has_one(order = Text::ID.desc())]
    last_text: HasOne<Option<Text>>,
    #[has_many(order = Text::ID.asc(), limit = 1)]
    first_texts: HasMany<Text>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "texts", auto_increment = false)]
struct Text {
    id: i64,
    writer_id: i64,
    #[column(length = 20)]
    title: String,
}

async fn each_has_its_own_rows(backend: &dyn Backend) {
    let database = backend.fresh().await.unwrap();
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    repo.create_table::<Writer>().await.unwrap();
    repo.create_table::<Text>().await.unwrap();
    repo.insert(Writer::build().set(Writer::ID, 1)).await.unwrap();
    let text = |id: i64, title: &str| Text::build().set(Text::ID, id).set(Text::WRITER_ID, 1).set(Text::TITLE, title);
    repo.insert_all([text(1, "first"), text(2, "middle"), text(3, "last")]).await.unwrap();

    // A condition on the chosen row, whichever of both is named first.
    let any = || Writer::TEXTS.preload();
    let last = |title: &str| Writer::LAST_TEXT.joined(Text::TITLE.eq(title));
    for (title, rows) in [("last", 3), ("middle", 0)] {
        let one_way = Query::left_join((any(), Writer::LAST_TEXT)).filter(last(title));
        let other_way = Query::left_join((Writer::LAST_TEXT, any())).filter(last(title));
        assert_eq!(repo.count(one_way).await.unwrap(), rows, "{title}");
        assert_eq!(repo.count(other_way).await.unwrap(), rows, "{title}");
    }

    // The values of both.
    let titles = || {
        (
            Writer::TEXTS.joined(Text::TITLE),
            Writer::LAST_TEXT.joined(Text::TITLE),
            Writer::FIRST_TEXTS.joined(Text::TITLE),
        )
    };
    let expected = ["first", "middle", "last"].map(|title| (title.to_owned(), "last".to_owned(), "first".to_owned()));
    for joins in 0..3 {
        let query = match joins {
            0 => Query::left_join((Writer::TEXTS, Writer::LAST_TEXT, Writer::FIRST_TEXTS)),
            1 => Query::left_join((Writer::FIRST_TEXTS, Writer::LAST_TEXT, Writer::TEXTS)),
            _ => Query::left_join(Writer::LAST_TEXT).left_join(Writer::TEXTS).left_join(Writer::FIRST_TEXTS),
        };
        let query = query.order_by(Writer::TEXTS.joined(Text::ID.asc()));
        assert_eq!(repo.pluck(titles(), query).await.unwrap(), expected, "{joins}");
    }

    // A list that is loaded by a join is whole, whatever else is joined or asked of its first row.
    for loading in 0..4 {
        let query = match loading {
            0 => Query::eager_load(Writer::TEXTS).left_join(Writer::LAST_TEXT),
            1 => Query::left_join(Writer::LAST_TEXT).eager_load(Writer::TEXTS),
            2 => Query::eager_load((Writer::TEXTS, Writer::LAST_TEXT)).filter(last("last")),
            _ => Query::eager_load((Writer::LAST_TEXT, Writer::TEXTS)).filter(last("last")),
        };
        let writers = repo.all(query).await.unwrap();
        let titles: Vec<&str> = writers[0].texts().unwrap().iter().map(|text| &*text.title).collect();
        assert_eq!((writers.len(), &titles[..]), (1, &["first", "middle", "last"][..]), "{loading}");
        assert!(!writers[0].texts.is_partial(), "{loading}");
    }
    let not_last = Query::eager_load((Writer::TEXTS, Writer::LAST_TEXT)).filter(last("middle"));
    assert!(repo.all(not_last).await.unwrap().is_empty());

    // Where nothing is asked of them, one table serves both.
    let both = Query::<Writer>::eager_load((Writer::TEXTS, Writer::LAST_TEXT));
    assert_eq!(both.explain(&repo).unwrap().matches("JOIN").count(), 1);
    let writers = repo.all(both).await.unwrap();
    assert_eq!(writers[0].texts().unwrap().len(), 3);
    assert_eq!(writers[0].last_text().unwrap().map(|text| text.id), Some(3));
}

backends::on_each_database!(each_has_its_own_rows);
