//! Sums have a wider type than the summed column, on every database. An error about a sum names the model and the
//! aggregate.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::shop::Product;
use rust_decimal::Decimal;

cases! { "sums", Level::Read; of_narrow_integers, means, grouped, beyond_64_bits, what_cannot_be_read }

async fn filled(cx: &Context, views: [i64; 3]) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Product>().await?;
    repo.insert_all(views.map(|views| {
        Product::build()
            .set(Product::PRICE, Decimal::ONE)
            .set(Product::STARS, 200u8)
            .set(Product::STOCK, 2_000_000_000)
            .set(Product::VIEWS, views)
    }))
    .await
    .map(drop)
}

async fn of_narrow_integers(cx: &mut Context) -> Result<()> {
    filled(cx, [1, 2, 3]).await?;
    let repo = cx.repo();
    let stars = cx.step("of bytes", repo.aggregate(Product::STARS.sum(), Query::new())).await?;
    let stock = cx.step("of 32 bits", repo.aggregate(Product::STOCK.sum(), Query::new())).await?;
    let none = cx.step("of nothing", repo.aggregate(Product::STOCK.sum(), Query::filter(Product::ID.eq(0)))).await?;
    cx.note("sums", format!("{stars:?} {stock:?} {none:?}"));
    Ok(())
}

async fn means(cx: &mut Context) -> Result<()> {
    filled(cx, [1, 2, 2]).await?;
    let repo = cx.repo();
    let mean = cx.step("of integers", repo.aggregate(Product::VIEWS.avg(), Query::new())).await?;
    cx.note("mean", format!("{mean:?}"));
    cx.require(mean == Some(5.0 / 3.0), "with all digits of a float")
}

async fn grouped(cx: &mut Context) -> Result<()> {
    filled(cx, [1, 1, 3]).await?;
    let repo = cx.repo();
    let query = Query::group_by(Product::VIEWS).having(Product::STARS.sum().gt(300)).order_by(Product::VIEWS.asc());
    let groups =
        cx.step("by views", repo.pluck((Product::VIEWS, Product::STARS.sum(), Product::STARS.avg()), query)).await?;
    cx.note("groups", format!("{groups:?}"));
    Ok(())
}

async fn beyond_64_bits(cx: &mut Context) -> Result<()> {
    filled(cx, [i64::MAX, 1, 1]).await?;
    let repo = cx.repo();
    // Databases differ in who notices first: SQLite adds in 64 bits, MariaDB answers with a decimal that does not fit.
    let error = match repo.aggregate(Product::VIEWS.sum(), Query::new()).await {
        Err(error) => error,
        Ok(sum) => return Err(Error::other(format!("a sum of {sum:?}"))),
    };
    let typed = match error.kind() {
        ErrorKind::Decode { model: "Product", column, .. } => column == "SUM(views)",
        ErrorKind::Driver(driver) => driver.kind() == assoc_core::DriverErrorKind::Value,
        _ => false,
    };
    cx.require(typed, &format!("a typed error: {error:?}"))
}

async fn what_cannot_be_read(cx: &mut Context) -> Result<()> {
    filled(cx, [1, 2, 300]).await?;
    let repo = cx.repo();
    // A narrower model of the same table.
    #[derive(Model, Debug, Clone, PartialEq)]
    #[model(table = "products")]
    struct Narrow {
        id: i64,
        views: u8,
    }
    let error = cx.fails("largest", repo.aggregate(Narrow::VIEWS.max(), Query::new())).await?;
    cx.note("error", error);
    let error = cx.fails("columns", repo.pluck((Narrow::ID, Narrow::VIEWS), Query::new())).await?;
    cx.note("error", error);
    let query = Query::group_by(Narrow::ID);
    let error = cx.fails("grouped", repo.pluck((Narrow::ID, Narrow::VIEWS.min()), query)).await?;
    cx.note("error", error);
    Ok(())
}
