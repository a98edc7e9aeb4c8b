//! A returned struct is what the database holds, whatever it made of what it was given; and what cannot be read was not
//! written.

use assoc_core::Result;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, NativeSql, cases};
use conformance_models::blog::{self, Author};
use conformance_written_models::stored::{
    self, Circuit, Folder, Fuse, Measure, Narrow, SampleTaken, Slugged, Versioned,
};

cases! { "read_back", Level::Write;
    inserted,
    inserted_many,
    inserted_without_key,
    updated,
    generated,
    triggers,
    changes_by_itself,
    unreadable_insert,
    unreadable_insert_inside,
    unreadable_update,
    panicking_decoder,
    many_sets_of_columns,
    trees,
}

fn at(micros: u32) -> chrono::NaiveDateTime {
    chrono::NaiveDate::from_ymd_opt(2024, 5, 6)
        .and_then(|day| day.and_hms_micro_opt(7, 8, 9, micros))
        .unwrap_or_default()
}

fn measure(id: i64, n: u32) -> Changeset<Measure> {
    Measure::build()
        .set(Measure::ID, id)
        .set(Measure::PRICE, rust_decimal::Decimal::new(i64::from(n) * 10 + 4, 3))
        .set(Measure::AT, at(n + 600_000))
        .set(Measure::LEVEL, f64::from(n) + 0.1)
        .set(Measure::CODE, format!("c{n}  "))
}

async fn inserted(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    let measure = cx.step("one row", repo.insert(measure(1, 1))).await?;
    let fresh = repo.get_or_fail::<Measure>(1, Query::new()).await?;
    cx.require(measure == fresh, "the returned row is the stored one")
}

async fn inserted_many(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    // Descending, and two sets of columns.
    let drafts = (1..=120).rev().map(|n| {
        let draft = measure(i64::from(n), n);
        if n % 2 == 0 { draft.set(Measure::NOTE, "even") } else { draft }
    });
    let measures = repo.insert_all(drafts).await?;
    let mut fresh = repo.all(Query::order_by(Measure::ID.desc())).await?;
    cx.require(measures == fresh, "the returned rows are the stored ones, in the given order")?;
    fresh.retain(|measure| measure.note.is_some());
    cx.require(fresh.len() == 60, "each with its own values")
}

async fn inserted_without_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    // Rows that only differ in what a column of lower precision may make equal.
    let drafts = (0..40_u32).map(|n| {
        let draft = SampleTaken::build().set(SampleTaken::SENSOR, i64::from(n % 4));
        draft.set(SampleTaken::AT, at(n * 20_000)).set(SampleTaken::LEVEL, f64::from(n) + 0.1)
    });
    let samples = repo.insert_all(drafts).await?;
    let in_order = samples
        .iter()
        .enumerate()
        .all(|(n, sample)| sample.sensor == n as i64 % 4 && (sample.level - (n as f64 + 0.1)).abs() < 0.001);
    cx.require(samples.len() == 40 && in_order, "in the given order")?;
    let fresh = repo.all(Query::<SampleTaken>::new()).await?;
    cx.require(fresh.len() == 40 && samples.iter().all(|sample| fresh.contains(sample)), "as they are stored")
}

async fn updated(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    let first = repo.insert(measure(1, 1)).await?;
    let plain = cx.step("an integer and text", repo.update(first.change().set(Measure::NOTE, "plain"))).await?;
    cx.require(plain.note.as_deref() == Some("plain"), "is written")?;
    let changes: [fn(Measure) -> Changeset<Measure>; 5] = [
        |row| row.change().set(Measure::PRICE, rust_decimal::Decimal::new(2_005, 3)),
        |row| row.change().set(Measure::AT, at(123_456)),
        |row| row.change().set(Measure::LEVEL, 0.7),
        |row| row.change().set(Measure::CODE, "padded   "),
        |row| row.change().set(Measure::CODE, "all  ").set(Measure::LEVEL, 1e-3).set(Measure::AT, at(999_999)),
    ];
    let mut row = plain;
    for change in changes {
        let returned = repo.update(change(row)).await?;
        let fresh = repo.get_or_fail::<Measure>(1, Query::new()).await?;
        cx.require(returned == fresh, "the returned row is the stored one")?;
        cx.require(!returned.change_to(&fresh).has_changes(), "nothing differs from what is stored")?;
        row = returned;
    }
    let renumbered = repo.insert(measure(2, 2)).await?;
    let renumbered = repo.update(renumbered.change().set(Measure::ID, 3).set(Measure::LEVEL, 0.3)).await?;
    let fresh = repo.get_or_fail::<Measure>(3, Query::new()).await?;
    cx.require(renumbered == fresh, "also under another key")?;
    let gone = renumbered.clone();
    repo.delete(&renumbered).await?;
    let error = cx.fails("what is gone", repo.update(gone.change().set(Measure::LEVEL, 0.9))).await?;
    cx.require(error.is_not_found(), "is not found")
}

async fn generated(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    let row = cx.step("inserted", repo.insert(Slugged::build().set(Slugged::AMOUNT, 4))).await?;
    cx.show("row", [&row]);
    let row = repo.update(row.change().set(Slugged::AMOUNT, 5)).await?;
    cx.show("row", [&row]);
    cx.fails("it is not set", repo.update(row.change().set(Slugged::DOUBLED, 3))).await?;
    cx.fails("nor inserted", repo.insert(Slugged::build().set(Slugged::AMOUNT, 1).set(Slugged::DOUBLED, 2))).await?;
    let same = cx.step("nothing differs", repo.update(row.change().set(Slugged::AMOUNT, 5))).await?;
    cx.require(same == row, "the same row")
}

async fn triggers(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    let triggers = |sql: &NativeSql| (!sql.versioning.is_empty()).then_some(sql.versioning);
    for sql in cx.native_sql("triggers that the suite knows of", triggers)? {
        repo.execute_raw(sql, []).await?;
    }
    let one = cx.step("inserted", repo.insert(Versioned::build().set(Versioned::NAME, "a"))).await?;
    cx.show("row", [&one]);
    let drafts = ["d", "c", "b", "b"].map(|name| Versioned::build().set(Versioned::NAME, name));
    let many = cx.step("several", repo.insert_all(drafts)).await?;
    cx.show("rows", &many);
    let one = cx.step("updated", repo.update(one.change().set(Versioned::NAME, "z"))).await?;
    cx.show("row", [&one]);
    cx.rows("versioned", "SELECT id, name, version FROM versioned ORDER BY id").await
}

async fn changes_by_itself(cx: &mut Context) -> Result<()> {
    #[derive(Model, Debug, Clone, PartialEq)]
    #[model(table = "touched")]
    struct Touched {
        id: i64,
        name: String,
        // Stored as it was declared, whatever the case.
        #[column(read_back)]
        state: String,
        #[column(default, read_back)]
        changed_at: Option<chrono::NaiveDateTime>,
    }
    let repo = cx.repo();
    let changed_at = cx.native_sql("column that changes with each update of its row", |sql| sql.changed_by_updates)?;
    let state = cx.native_sql("column of declared words", |sql| sql.declared_words)?;
    let id = repo.dialect().auto_increment();
    let sql = format!(
        "CREATE TABLE touched (id BIGINT{id}, name VARCHAR(20) NOT NULL, state {state} NOT NULL, changed_at {changed_at})"
    );
    repo.execute_raw(&sql, []).await?;
    let row = repo.insert(Touched::build().set(Touched::NAME, "a").set(Touched::STATE, "NEW")).await?;
    cx.require(row.state == "new" && row.changed_at.is_none(), "as it was declared")?;
    let row = repo.update(row.change().set(Touched::NAME, "b").set(Touched::STATE, "OLD")).await?;
    let fresh = repo.get_or_fail::<Touched>(row.id, Query::new()).await?;
    cx.require(row == fresh && row.state == "old" && row.changed_at.is_some(), "the returned row is the stored one")
}

async fn unreadable_insert(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    cx.fails("one row", repo.insert(Narrow::build())).await?;
    cx.fails("a batch", repo.insert_all(vec![Narrow::build().set(Narrow::NAME, "n"); 5])).await?;
    let many = (0..2_100).map(|n| {
        let draft = Narrow::build().set(Narrow::NAME, format!("{n}"));
        if n < 2_099 { draft.set(Narrow::LEVEL, 1) } else { draft }
    });
    let error = repo.insert_all(many).await.map(|_| ()).err();
    cx.require(error.is_some_and(|error| matches!(error.kind(), ErrorKind::Decode { .. })), "the last of many")?;
    cx.rows("nothing was written", "SELECT COUNT(*) FROM narrow").await
}

async fn unreadable_insert_inside(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    repo.transaction(async |tx| {
        tx.insert(Narrow::build().set(Narrow::LEVEL, 1)).await?;
        let one = tx.insert(Narrow::build()).await;
        let several = tx.insert_all([Narrow::build().set(Narrow::LEVEL, 2), Narrow::build()]).await;
        tx.insert(Narrow::build().set(Narrow::LEVEL, 3)).await?;
        if one.is_ok() || several.is_ok() { Err(Error::other("both should have failed")) } else { Ok(()) }
    })
    .await?;
    cx.rows("the others were", "SELECT level FROM narrow ORDER BY id").await
}

async fn unreadable_update(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    // Computed from what is set, and too large for the field then.
    #[derive(Model, Debug, Clone, PartialEq)]
    #[model(table = "articles_by_slug")]
    struct Small {
        id: i64,
        amount: i64,
        #[column(generated = "amount * 2")]
        doubled: i8,
    }
    let row = repo.insert(Small::build().set(Small::AMOUNT, 4)).await?;
    let error = repo.update(row.change().set(Small::AMOUNT, 400)).await.err();
    cx.require(error.is_some_and(|error| matches!(error.kind(), ErrorKind::Decode { .. })), "it does not fit")?;
    repo.transaction(async |tx| {
        let inside = tx.update(row.change().set(Small::AMOUNT, 400)).await;
        if inside.is_ok() { Err(Error::other("it should have failed")) } else { Ok(()) }
    })
    .await?;
    cx.rows("as it was", "SELECT amount, doubled FROM articles_by_slug").await
}

async fn panicking_decoder(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    let draft = |level| Circuit::build().set(Circuit::FUSE, Fuse(level));
    let whole = repo.insert(draft(1)).await?;
    for levels in [vec![-1], vec![1, -1], (0..2_100).map(|n| if n == 2_099 { -1 } else { n }).collect()] {
        let (inside, repo) = (repo.clone(), repo.clone());
        let drafts: Vec<_> = levels.into_iter().map(draft).collect();
        let outcome = tokio::spawn(async move { repo.insert_all(drafts).await.map(|_| ()) }).await;
        cx.require(outcome.is_err_and(|error| error.is_panic()), "the decoder panics")?;
        cx.require(inside.count(Query::<Circuit>::new()).await? == 1, "nothing was written")?;
    }
    let (updating, change) = (repo.clone(), whole.change().set(Circuit::FUSE, Fuse(-5)));
    let outcome = tokio::spawn(async move { updating.update(change).await.map(|_| ()) }).await;
    cx.require(outcome.is_err_and(|error| error.is_panic()), "the decoder panics")?;
    cx.rows("as it was", "SELECT fuse FROM circuits").await
}

async fn many_sets_of_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let drafts = (0..1_000).map(|n| {
        let draft = Author::build().set(Author::NAME, format!("author {n}"));
        if n % 2 == 0 { draft } else { draft.set(Author::MENTOR_ID, n) }
    });
    let (authors, statements) = repo.count_statements(repo.insert_all(drafts)).await;
    let authors = authors?;
    let right = authors.iter().enumerate().all(|(n, author)| {
        author.name == format!("author {n}") && author.mentor_id == (n % 2 == 1).then_some(n as i64)
    });
    cx.require(authors.len() == 1_000 && right, "in the given order")?;
    let per_statement = repo.dialect().capabilities().insert_rows;
    let returned = repo.dialect().capabilities().insert_returning;
    let needed = 2 * 500_usize.div_ceil(per_statement);
    cx.require(!returned || statements == needed, "as many statements as two lists of 500 need")?;
    let mut stored = repo.all(Query::<Author>::new()).await?;
    stored.sort_by_key(|author| author.id);
    let mut returned = authors;
    returned.sort_by_key(|author| author.id);
    cx.require(stored == returned, "as they are stored")
}

async fn trees(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    stored::tables(&repo).await?;
    let folder = |id: i64, parent: Option<i64>, named: bool| {
        let draft = Folder::build().set(Folder::ID, id);
        let draft = if named { draft.set(Folder::NAME, format!("f{id}")) } else { draft };
        if let Some(parent) = parent { draft.set(Folder::PARENT_ID, parent) } else { draft }
    };
    // Three sets of columns, and each row refers to the one before it.
    let drafts = [
        folder(1, None, false),
        folder(2, Some(1), true),
        folder(3, Some(2), false),
        folder(4, Some(3), true),
        folder(5, None, false),
        folder(6, Some(5), false),
    ];
    let folders = cx.step("parents first", repo.insert_all(drafts)).await?;
    cx.show("folders", folders.iter().map(|folder| (folder.id, folder.parent_id, &folder.name)));
    Ok(())
}
