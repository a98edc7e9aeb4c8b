//! Pages by key.

use assoc_core::Result;
use assoc_core::driver::Dialect;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::blog::{self, Author, Comment, Post};

cases! { "batches", Level::Read;
    by_primary_key,
    by_an_order_with_null,
    with_preloads,
    limit_is_the_total,
    rows_may_come_and_go,
    stream,
    over_joins_that_repeat,
    over_distinct_joins,
    by_joined_columns,
    of_some_columns,
    by_every_type,
    by_places_in_a_list lacks listed_text,
    refused,
}

fn listed_text(dialect: &dyn Dialect) -> Option<&'static str> {
    (!dialect.capabilities().listed_text).then_some("column types that are sorted by a place in a list")
}

async fn pages(cx: &mut Context, title: &str, query: Select<Author>, size: u64) -> Result<Vec<Author>> {
    let mut batches = cx.repo().in_batches(query, size)?;
    let mut all = Vec::new();
    loop {
        let Some(page) = cx.step(title, batches.next()).await? else { return Ok(all) };
        cx.note("page", page.iter().map(|author| author.id.to_string()).collect::<Vec<_>>().join(" "));
        all.extend(page);
    }
}

async fn by_primary_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    pages(cx, "pages of two", Query::new(), 2).await?;
    pages(cx, "a full last page asks once more", Query::new(), 3).await?;
    pages(cx, "no rows", Query::filter(Author::ID.gt(100)), 2).await?;
    Ok(())
}

async fn by_an_order_with_null(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let author = |name, mentor: Option<i64>| Author::build().set(Author::NAME, name).set(Author::MENTOR_ID, mentor);
    repo.insert_all([author("Dan", None), author("Eve", Some(1)), author("Fay", None), author("Gil", Some(2))]).await?;
    for (title, sort) in [("ascending", Author::MENTOR_ID.asc()), ("descending", Author::MENTOR_ID.desc())] {
        for size in [1, 2, 3, 7] {
            let query = Query::order_by(sort.clone()).order_by(Author::NAME.desc());
            let paged = pages(cx, &format!("{title} by {size}"), query.clone(), size).await?;
            cx.require(paged == repo.all(query).await?, "the pages are the whole")?;
        }
    }
    Ok(())
}

async fn with_preloads(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = || Query::preload(Author::POSTS.with(Post::COMMENTS));
    let paged = pages(cx, "posts and comments a page", query(), 2).await?;
    cx.require(paged == repo.all_by_key(query()).await?, "the same as in one piece")
}

async fn limit_is_the_total(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    pages(cx, "limit 2, pages of 1", Query::limit(2), 1).await?;
    pages(cx, "offset 1, pages of 1", Query::offset(1), 1).await?;
    Ok(())
}

async fn rows_may_come_and_go(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut batches = repo.in_batches(Query::<Author>::new(), 1)?;
    let first = cx.step("first", batches.next()).await?.unwrap_or_default();
    repo.delete(&first[0]).await?;
    let second = cx.step("deleting what was read moves nothing", batches.next()).await?.unwrap_or_default();
    cx.show("second", second.iter().map(|author| author.id));
    Ok(())
}

async fn stream(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::many(&repo, 2_500, 1, 0).await?;
    let mut rows = repo.stream(Query::<Author>::preload(Author::POSTS))?;
    let mut seen = 0;
    cx.step("2,500 rows", async {
        while let Some(author) = rows.next().await? {
            seen += 1;
            author.posts()?;
        }
        Ok(())
    })
    .await?;
    cx.note("rows", seen);
    Ok(())
}

async fn refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    for (title, query, size) in [
        ("size 0", Query::<Author>::new(), 0),
        ("distinct values of a column", Query::select(Author::NAME).distinct(), 10),
        ("grouped", Query::group_by(Author::NAME), 10),
        ("an unknown order", Query::order_by(Author::POSTS.joined(Post::ID.asc())).distinct().join(Author::POSTS), 10),
        (
            "by a collection that is loaded",
            Query::eager_load(Author::POSTS).order_by(Author::POSTS.joined(Post::ID.asc())),
            10,
        ),
    ] {
        let refused = repo.in_batches(query, size).map(|_| ());
        cx.fails(title, async { refused }).await?;
    }
    Ok(())
}

// Pages of several sizes are the whole, whatever the order of the query.
async fn same_as_all<M: Model + PartialEq>(cx: &mut Context, title: &str, query: Select<M>) -> Result<()> {
    let all = cx.repo().all(query.clone()).await?;
    same(cx, title, query, all).await
}

// Pages of a query without an order come in the order of the key.
async fn same_by_key<M: Model + PartialEq>(cx: &mut Context, title: &str, query: Select<M>) -> Result<()> {
    let all = cx.repo().all_by_key(query.clone()).await?;
    same(cx, title, query, all).await
}

async fn same<M: Model + PartialEq>(cx: &mut Context, title: &str, query: Select<M>, all: Vec<M>) -> Result<()> {
    let repo = cx.repo();
    for size in [1, 2, 3, 100] {
        let mut batches = repo.in_batches(query.clone(), size)?;
        let mut paged = Vec::new();
        while let Some(page) = batches.next().await? {
            cx.require(!page.is_empty() && page.len() as u64 <= size, "pages have their size")?;
            paged.extend(page);
            cx.require(paged.len() <= all.len(), &format!("{title}: pages of {size} are no more than the whole"))?;
        }
        cx.require(
            paged == all,
            &format!("{title}: pages of {size} are the whole, {} of {} rows", paged.len(), all.len()),
        )?;
    }
    let mut stream = repo.stream(query)?;
    let mut streamed = Vec::new();
    while let Some(row) = stream.next().await? {
        streamed.push(row);
    }
    cx.require(streamed == all, &format!("{title}: the stream is the whole"))?;
    cx.note(title, all.len());
    Ok(())
}

async fn over_joins_that_repeat(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let comment =
        |post: i64| Comment::build().set(Comment::POST_ID, post).set(Comment::BODY, "x").set(Comment::APPROVED, true);
    repo.insert_all((0..7).map(|_| comment(1))).await?;
    same_by_key::<Author>(cx, "a row a post", Query::join(Author::POSTS)).await?;
    same_by_key::<Author>(
        cx,
        "two collections",
        Query::left_join((Author::POSTS.with(Post::COMMENTS), Author::STUDENTS)),
    )
    .await?;
    let sorted = Query::<Post>::join(Post::COMMENTS).order_by((Post::PUBLISHED.desc(), Post::AUTHOR_ID.asc()));
    same_as_all(cx, "sorted, with NULL", sorted.clone()).await?;
    for limit in 0..=9 {
        same_as_all(cx, &format!("limit {limit}"), sorted.clone().limit(limit)).await?;
        same_as_all(cx, &format!("limit 4 offset {limit}"), sorted.clone().limit(4).offset(limit)).await?;
    }
    same_as_all(cx, "with a preload", sorted.preload(Post::COMMENTS)).await?;
    let raw = "LEFT JOIN comments ON comments.post_id = posts.id";
    same_as_all::<Post>(cx, "a join of one's own", Query::<Post>::raw_join(raw, []).order_by(Post::TITLE.asc()))
        .await?;
    // More repetitions than a stream's page has rows.
    for _ in 0..5 {
        repo.insert_all((0..500).map(|_| comment(2))).await?;
    }
    let query = Query::<Post>::join(Post::COMMENTS).order_by(Post::ID.desc());
    let all = repo.all(query.clone()).await?;
    let mut stream = repo.stream(query)?;
    let mut streamed = Vec::new();
    while let Some(post) = stream.next().await? {
        streamed.push(post.id);
    }
    cx.note("thousands of repetitions", streamed.len());
    cx.require(all.iter().map(|post| post.id).eq(streamed), "the stream is the whole")
}

async fn over_distinct_joins(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = || Query::<Author>::join(Author::POSTS).distinct();
    same_by_key(cx, "each author once", query()).await?;
    same_as_all(cx, "by name", query().order_by(Author::NAME.desc())).await?;
    let by_mentor = Query::join(Author::POSTS).left_join(Author::MENTOR).distinct();
    same_as_all(cx, "by a single target", by_mentor.order_by(Author::MENTOR.joined(Author::NAME.desc()))).await?;
    same_by_key(cx, "of the key and a column", query().select((Author::ID, Author::NAME, Author::MENTOR_ID))).await
}

async fn by_joined_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mentor = || Query::<Author>::left_join(Author::MENTOR);
    for (way, sort) in
        [("asc", Author::MENTOR.joined(Author::NAME.asc())), ("desc", Author::MENTOR.joined(Author::NAME.desc()))]
    {
        same_as_all(cx, &format!("single, {way}"), mentor().order_by(sort.clone())).await?;
        same_as_all(cx, &format!("loaded by the join, {way}"), Query::eager_load(Author::MENTOR).order_by(sort))
            .await?;
    }
    let posts = Query::<Author>::left_join(Author::POSTS).order_by(Author::POSTS.joined(Post::TITLE.desc()));
    same_as_all(cx, "a collection", posts.clone()).await?;
    same_as_all(cx, "a part of it", posts.limit(3).offset(1)).await?;
    same_as_all(
        cx,
        "collections loaded by the join",
        Query::<Author>::eager_load((Author::POSTS, Author::COMMENTS)).order_by(Author::ID.desc()),
    )
    .await
}

async fn of_some_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::<Author>::select((Author::ID, Author::NAME)).order_by(Author::MENTOR_ID.desc());
    same_as_all(cx, "sorted by a column that is not read", query).await
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "sorted_values")]
struct SortedValue {
    id: i64,
    flag: Option<bool>,
    small: Option<i8>,
    single: Option<f32>,
    real: Option<f64>,
    text: Option<String>,
    #[column(length = 30)]
    code: Option<String>,
    bytes: Option<Vec<u8>>,
    day: Option<chrono::NaiveDate>,
    time: Option<chrono::NaiveTime>,
    at: Option<chrono::NaiveDateTime>,
    json: Option<serde_json::Value>,
    uuid: Option<uuid::Uuid>,
}

async fn by_every_type(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<SortedValue>().await?;
    let texts = ["b", "B", "a", "ä", "", "10", "9", "a b", "ab", "Z", "z\u{1F980}"];
    let rows = (0..40_u8).map(|at| {
        let pick = |modulus: u8| (at % modulus != 0).then_some(at % modulus);
        let text = |modulus: u8| pick(modulus).map(|at| texts[usize::from(at) % texts.len()].to_owned());
        let day = |at: u8| {
            chrono::NaiveDate::from_ymd_opt(2024, 1 + u32::from(at % 3), 1 + u32::from(at)).unwrap_or_default()
        };
        let time =
            |at: u8| chrono::NaiveTime::from_hms_micro_opt(u32::from(at) % 24, 1, 2, u32::from(at)).unwrap_or_default();
        SortedValue::build()
            .set(SortedValue::FLAG, pick(3).map(|at| at == 1))
            .set(SortedValue::SMALL, pick(5).and_then(|at| i8::try_from(at).ok()).map(|at| 2 - at))
            .set(SortedValue::SINGLE, pick(6).map(|at| f32::from(at) / 10.0 - 0.3))
            .set(SortedValue::REAL, pick(7).map(|at| f64::from(at) / 10.0 - 0.3))
            .set(SortedValue::TEXT, text(12))
            .set(SortedValue::CODE, text(11))
            .set(SortedValue::BYTES, pick(5).map(|at| vec![at ^ 2, 0, 255 - at]))
            .set(SortedValue::DAY, pick(6).map(day))
            .set(SortedValue::TIME, pick(6).map(time))
            .set(SortedValue::AT, pick(7).map(|at| day(at).and_time(time(at))))
            .set(SortedValue::JSON, pick(6).map(|at| serde_json::json!({ "b": at % 2, "a": [at, "x"] })))
            .set(SortedValue::UUID, pick(6).map(|at| uuid::Uuid::from_u128(u128::from(at ^ 3) << 120)))
    });
    repo.insert_all(rows).await?;
    macro_rules! by {
        ($($name:literal $column:ident),*) => {$(
            same_as_all(cx, concat!($name, " ascending"), Query::order_by(SortedValue::$column.asc())).await?;
            same_as_all(cx, concat!($name, " descending"), Query::order_by(SortedValue::$column.desc())).await?;
        )*};
    }
    by!("flag" FLAG, "small" SMALL, "single" SINGLE, "real" REAL, "text" TEXT, "code" CODE, "bytes" BYTES, "day" DAY,
        "time" TIME, "at" AT, "json" JSON, "uuid" UUID);
    let mixed = Query::order_by((SortedValue::FLAG.desc(), SortedValue::TEXT.asc(), SortedValue::REAL.desc()));
    same_as_all(cx, "three of them", mixed).await
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "listed_values")]
struct ListedValue {
    id: i64,
    size: Option<String>,
    marks: Option<String>,
    amount: Option<String>,
    text: Option<String>,
}

async fn by_places_in_a_list(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.execute_raw(
        "CREATE TABLE listed_values (id INTEGER NOT NULL PRIMARY KEY, size ENUM('small', 'medium', 'large', '10', '9'), \
         marks SET('z', 'y', 'x', '1'), amount DECIMAL(40,20), text VARCHAR(20))",
        [],
    )
    .await?;
    let sizes = [Some("large"), Some("small"), Some("medium"), None, Some("small"), Some("9"), Some("10")];
    let marks = [Some("z"), Some("y,x"), None, Some(""), Some("1"), Some("z,1"), Some("x"), Some("z,y,x")];
    let amounts =
        ["12345678901234567890.00000000000000000001", "12345678901234567890.00000000000000000002", "-1", "9", "10"];
    let text = |text: Option<&'static str>| text.map_or(Value::Null, Value::from);
    for at in 0..40_usize {
        let binds = [
            Value::Int(i64::try_from(at).unwrap_or_default()),
            text(sizes[at % sizes.len()]),
            text(marks[at % marks.len()]),
            text(Some(amounts[at % amounts.len()])),
            text(Some(["1", "10", "9", "x", "5y"][at % 5])),
        ];
        repo.execute_raw("INSERT INTO listed_values VALUES (?, ?, ?, ?, ?)", binds).await?;
    }
    for (name, ascending, descending) in [
        ("size", ListedValue::SIZE.asc(), ListedValue::SIZE.desc()),
        ("marks", ListedValue::MARKS.asc(), ListedValue::MARKS.desc()),
        ("amount", ListedValue::AMOUNT.asc(), ListedValue::AMOUNT.desc()),
        ("text", ListedValue::TEXT.asc(), ListedValue::TEXT.desc()),
    ] {
        let some = || Query::<ListedValue>::select((ListedValue::ID, ListedValue::SIZE));
        same_as_all(cx, &format!("{name} ascending"), some().order_by(ascending)).await?;
        same_as_all(cx, &format!("{name} descending"), some().order_by(descending)).await?;
    }
    let first =
        repo.all(Query::<ListedValue>::select(ListedValue::ID).order_by(ListedValue::SIZE.desc()).limit(1)).await?;
    cx.show("the last of the list first", first.iter().map(|row| row.id));
    // What is longer than the database looks at would be sorted by its beginning.
    repo.execute_raw("ALTER TABLE listed_values MODIFY text LONGTEXT", []).await?;
    repo.execute_raw("UPDATE listed_values SET text = CONCAT(REPEAT('x', 2000), text)", []).await?;
    let mut batches = repo.in_batches(Query::select(ListedValue::ID).order_by(ListedValue::TEXT.asc()), 2)?;
    let first = batches.next().await?;
    cx.require(first.is_some_and(|page| page.len() == 2), "the first page needs no condition")?;
    cx.fails("the second would", batches.next()).await?;
    Ok(())
}
