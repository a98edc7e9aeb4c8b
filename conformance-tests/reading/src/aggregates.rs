//! Aggregates over a query.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Comment, Post};
use conformance_models::shop::Product;
use rust_decimal::Decimal;

cases! { "aggregates", Level::Read;
    all_five, over_nothing, over_a_part, order_of_groups, conditions_on_groups, conditions_on_groups_of_decimals, out_of_place,
}

async fn all_five(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let count =
        cx.step("count of a column skips NULL", repo.aggregate(Comment::AUTHOR_ID.count(), Query::new())).await?;
    let rows = cx.step("count of rows", repo.aggregate(Aggregate::<Comment, i64>::count_all(), Query::new())).await?;
    let distinct = cx.step("count distinct", repo.aggregate(Comment::AUTHOR_ID.count_distinct(), Query::new())).await?;
    let sum = cx.step("sum", repo.aggregate(Comment::POST_ID.sum(), Query::new())).await?;
    let avg = cx.step("avg", repo.aggregate(Comment::POST_ID.avg(), Query::new())).await?;
    let min = cx.step("min of text", repo.aggregate(Comment::BODY.min(), Query::new())).await?;
    let max = cx.step("max", repo.aggregate(Comment::AUTHOR_ID.max(), Query::new())).await?;
    cx.note("count, rows, distinct", format!("{count} {rows} {distinct}"));
    cx.note("sum, avg", format!("{sum:?} {avg:?}"));
    cx.note("min, max", format!("{min:?} {max:?}"));
    Ok(())
}

async fn over_nothing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let none = || Query::filter(Post::ID.gt(100));
    let count = cx.step("count", repo.aggregate(Post::ID.count(), none())).await?;
    let sum = cx.step("sum", repo.aggregate(Post::ID.sum(), none())).await?;
    let avg = cx.step("avg", repo.aggregate(Post::ID.avg(), none())).await?;
    let max = cx.step("max", repo.aggregate(Post::TITLE.max(), none())).await?;
    cx.note("count, sum, avg, max", format!("{count} {sum:?} {avg:?} {max:?}"));
    Ok(())
}

async fn over_a_part(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let filtered =
        cx.step("filtered", repo.aggregate(Comment::ID.sum(), Query::filter(Comment::POST_ID.eq(3)))).await?;
    let first = cx
        .step("the first three", repo.aggregate(Comment::ID.sum(), Query::order_by(Comment::ID.asc()).limit(3)))
        .await?;
    let last = cx
        .step("the last two", repo.aggregate(Comment::ID.sum(), Query::order_by(Comment::ID.desc()).limit(2)))
        .await?;
    cx.note("sums", format!("{filtered:?} {first:?} {last:?}"));
    Ok(())
}

async fn order_of_groups(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let counted = (Comment::POST_ID, Comment::ID.count());
    let by_post = || Query::group_by(Comment::POST_ID);
    for (title, query) in [
        ("most comments", by_post().order_by(Comment::ID.count().desc())),
        ("the two posts with most", by_post().order_by(Comment::ID.count().desc()).limit(2)),
        ("the rest", by_post().order_by(Comment::ID.count().desc()).offset(2)),
        ("fewest", by_post().order_by(Comment::ID.count().asc())),
        ("by the mean of a column, NULL first", by_post().order_by(Comment::AUTHOR_ID.avg().asc())),
        ("by two", by_post().order_by((Comment::AUTHOR_ID.count_distinct().desc(), Comment::BODY.max().desc()))),
        ("by rows", by_post().order_by(Aggregate::<Comment, i64>::count_all().desc())),
        ("no order: as they are grouped", by_post().limit(2)),
    ] {
        let groups = cx.step(title, repo.pluck(counted.clone(), query)).await?;
        cx.note("groups", format!("{groups:?}"));
    }
    // Equal ones are told apart by what they are grouped by.
    let ties = Query::group_by((Comment::APPROVED, Comment::AUTHOR_ID)).order_by(Comment::ID.count().desc());
    let groups = cx.step("two columns", repo.pluck((Comment::APPROVED, Comment::AUTHOR_ID), ties)).await?;
    cx.note("groups", format!("{groups:?}"));
    let posts = Author::POSTS.joined(Post::ID.count());
    let top =
        Query::left_join(Author::POSTS).group_by((Author::ID, Author::NAME)).order_by(posts.clone().desc()).limit(2);
    let authors = cx.step("authors with most posts", repo.pluck((Author::NAME, posts), top)).await?;
    cx.note("authors", format!("{authors:?}"));
    let last = Author::POSTS.joined(Post::TITLE).max();
    let by_title = Query::join(Author::POSTS).group_by(Author::NAME).order_by(last.clone().desc());
    let authors = cx.step("by their last title", repo.pluck((Author::NAME, last), by_title)).await?;
    cx.note("authors", format!("{authors:?}"));
    let query = Query::group_by(Post::AUTHOR_ID).order_by(Post::ID.count().desc()).limit(2);
    let groups = cx.step("counted groups", repo.count(query.clone())).await?;
    let any = cx.step("is there one", repo.exists(query)).await?;
    cx.note("groups", format!("{groups} {any}"));
    Ok(())
}

async fn conditions_on_groups(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let count = || Comment::ID.count();
    let least = || Comment::AUTHOR_ID.min();
    let mean = || Comment::AUTHOR_ID.avg();
    let last = || Comment::BODY.max();
    for (title, having) in [
        ("eq", count().eq(2)),
        ("ne", count().ne(2)),
        ("lt", count().lt(2)),
        ("le", count().le(2)),
        ("gt", count().gt(2)),
        ("ge", count().ge(2)),
        ("between", count().between(2, 3)),
        ("is_in", count().is_in([1, 3])),
        ("is_in nothing", count().is_in([0_i64; 0])),
        ("not_in", count().not_in([1, 3])),
        ("is_null", mean().is_null()),
        ("is_not_null", mean().is_not_null()),
        ("eq(None)", least().eq(None)),
        ("ne(None)", least().ne(None)),
        ("ne a value, without NULL", least().ne(2)),
        ("is_in with None", least().is_in([None, Some(2)])),
        ("not_in with None", least().not_in([None, Some(2)])),
        ("not between", least().between(2, 9).not()),
        ("like", last().like("%5")),
        ("not_like", last().not_like("%5")),
        ("a float", mean().between(2.0, 2.5)),
        ("two aggregates", Comment::AUTHOR_ID.max().gt_column(least())),
        ("an aggregate and a column", Comment::AUTHOR_ID.max().eq_column(Comment::POST_ID)),
        ("any of", Filter::any_of([count().eq(1), last().eq("C2"), mean().is_null()])),
    ] {
        let query = Query::group_by(Comment::POST_ID).having(having).order_by(Comment::POST_ID.asc());
        let posts = cx.step(title, repo.pluck(Comment::POST_ID, query.clone())).await?;
        cx.require(repo.count(query).await? == posts.len() as u64, "as many as are counted")?;
        cx.note("posts", format!("{posts:?}"));
    }
    // Of joined rows, by what is said of the target.
    let comments = || Post::COMMENTS.joined(Comment::ID.count());
    for (title, having) in [
        ("joined, none", comments().eq(0)),
        ("joined, within", Post::COMMENTS.joined(Comment::ID.count().is_in([0, 2]))),
        ("joined, the smallest", Post::COMMENTS.joined(Comment::BODY).min().is_null()),
    ] {
        let query = Query::left_join(Post::COMMENTS).group_by(Post::ID).having(having).order_by(Post::ID.asc());
        let posts = cx.step(title, repo.pluck(Post::ID, query)).await?;
        cx.note("posts", format!("{posts:?}"));
    }
    Ok(())
}

// Floats would call the last two groups equal.
async fn conditions_on_groups_of_decimals(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Product>().await?;
    let number = |text: &str| text.parse::<Decimal>().map_err(assoc_core::Error::other);
    for (views, weight) in [
        (1, Some("9.50")),
        (1, Some("0.5")),
        (2, Some("10")),
        (3, None),
        (4, Some("-5")),
        (4, None),
        (5, Some("123456789123456789.123456788")),
        (5, Some("0.000000001")),
        (6, Some("123456789123456789.12345679")),
    ] {
        let product = Product::build()
            .set(Product::PRICE, Decimal::ONE)
            .set(Product::WEIGHT, weight.map(number).transpose()?)
            .set(Product::STARS, 1)
            .set(Product::STOCK, 1)
            .set(Product::VIEWS, views);
        repo.insert(product).await?;
    }
    let sum = || Product::WEIGHT.sum();
    let mean = || Product::WEIGHT.avg();
    for (title, having) in [
        ("eq", sum().eq(number("10.0")?)),
        ("ne", sum().ne(number("10")?)),
        ("gt, in the 27th digit", sum().gt(number("123456789123456789.123456789")?)),
        ("ge", sum().ge(number("123456789123456789.123456789")?)),
        ("lt", sum().lt(number("9")?)),
        ("le, not as texts", sum().le(number("9.9")?)),
        ("between", sum().between(number("-5.00")?, number("10.00")?)),
        ("is_in", sum().is_in([number("10.000")?, number("-5.0")?])),
        ("is_in with None", sum().is_in([None, Some(number("-5")?)])),
        ("not_in", sum().not_in([number("10")?, number("-5")?])),
        ("is_null", sum().is_null()),
        ("mean", mean().eq(number("5")?)),
        ("mean, between", mean().between(number("4.9")?, number("10")?)),
        ("largest", Product::WEIGHT.max().eq(number("9.5")?)),
        ("smallest", Product::WEIGHT.min().le(number("0.50")?)),
        ("sum and mean", sum().gt_column(mean())),
        ("different ones", Product::WEIGHT.count_distinct().ge(2)),
    ] {
        let query = Query::group_by(Product::VIEWS).having(having).order_by(Product::VIEWS.asc());
        let views = cx.step(title, repo.pluck(Product::VIEWS, query)).await?;
        cx.note("groups", format!("{views:?}"));
    }
    for (title, sort) in [
        ("by sum", sum().asc()),
        ("by sum, descending", sum().desc()),
        ("by mean", mean().desc()),
        ("by the largest", Product::WEIGHT.max().asc()),
        ("by the smallest", Product::WEIGHT.min().desc()),
    ] {
        let views = cx.step(title, repo.pluck(Product::VIEWS, Query::group_by(Product::VIEWS).order_by(sort))).await?;
        cx.note("groups", format!("{views:?}"));
    }
    Ok(())
}

async fn out_of_place(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let many = || Post::ID.count().gt(1);
    cx.fails("a condition on rows", repo.all(Query::filter(many()))).await?;
    cx.fails("the same of groups", repo.pluck(Post::AUTHOR_ID, Query::filter(many()).group_by(Post::AUTHOR_ID)))
        .await?;
    cx.fails("an order of rows", repo.all(Query::order_by(Post::ID.count().desc()))).await?;
    cx.fails("counted", repo.count(Query::filter(many()))).await?;
    cx.fails("in batches", async { repo.in_batches(Query::order_by(Post::ID.max().asc()), 2).map(drop) }).await?;
    cx.fails("deep in a condition", repo.exists(Query::filter(Post::TITLE.eq("P2").or(many().not())))).await?;
    let rows = Query::having(Post::COMMENTS.any(Comment::ID.count().gt(1))).group_by(Post::ID);
    cx.fails("rows of an association", repo.pluck(Post::ID, rows)).await?;
    let groups = Query::<Post>::group_by(Post::ID.count());
    cx.fails("a group", repo.pluck(Post::ID.count(), groups)).await?;
    cx.fails("a preload's condition", repo.all(Query::preload(Author::POSTS.filter(many())))).await?;
    cx.fails("a preload's order", repo.all(Query::preload(Author::POSTS.order_by(Post::ID.count().desc())))).await?;
    let authors = repo.all(Query::<Author>::new()).await?;
    let counted = repo.count_for(&authors, Author::POSTS.filter(many()));
    cx.fails("counted for owners", counted).await?;
    Ok(())
}
