//! Decimals are numbers: compared, sorted, grouped and computed as such, and read as they were written.
//!
//! Random ones in every kind of column are in `tests/decimals.rs`.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::shop::Product;
use rust_decimal::Decimal;

cases! { "decimals", Level::Read;
    conditions, orders, aggregates, groups, read_as_written, equal_numbers_are_no_change, joined,
}

fn number(text: &str) -> Result<Decimal> {
    text.parse().map_err(assoc_core::Error::other)
}

const WEIGHTS: [Option<&str>; 7] = [Some("9"), Some("10"), Some("100.10"), Some("-5"), None, Some("2.50"), Some("2.5")];

async fn filled(cx: &Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Product>().await?;
    let products: Result<Vec<_>> = (1..).zip(WEIGHTS).map(|(at, weight)| product(at, weight)).collect();
    repo.insert_all(products?).await.map(drop)
}

fn product(at: i64, weight: Option<&str>) -> Result<assoc_repo::Changeset<Product>> {
    Ok(Product::build()
        .set(Product::PRICE, Decimal::new(at * 950, 2))
        .set(Product::WEIGHT, weight.map(number).transpose()?)
        .set(Product::STARS, 200u8)
        .set(Product::STOCK, 2_000_000_000)
        .set(Product::VIEWS, at))
}

fn ids(products: &[Product]) -> String {
    format!("{:?}", products.iter().map(|product| product.id).collect::<Vec<_>>())
}

async fn conditions(cx: &mut Context) -> Result<()> {
    filled(cx).await?;
    let repo = cx.repo();
    let weight = Product::WEIGHT;
    for (title, filter) in [
        ("greater than 9.5", weight.gt(number("9.5")?)),
        ("at most 9.00", weight.le(number("9.00")?)),
        ("100.1", weight.eq(number("100.1")?)),
        ("not 2.500", weight.ne(number("2.500")?)),
        ("one of 2.5 and 10.0", weight.is_in([number("2.5")?, number("10.0")?])),
        ("none of them", weight.not_in([number("2.5")?, number("10.0")?])),
        ("between 5 and 50", weight.between(number("5")?, number("50")?)),
        ("none", weight.eq(None)),
        ("less than the price", weight.lt_column(Product::PRICE)),
    ] {
        let found = cx.step(title, repo.all(Query::filter(filter).order_by(Product::ID.asc()))).await?;
        cx.note("ids", ids(&found));
    }
    Ok(())
}

async fn orders(cx: &mut Context) -> Result<()> {
    filled(cx).await?;
    let repo = cx.repo();
    let ascending = cx.step("ascending", repo.all(Query::order_by(Product::WEIGHT.asc()))).await?;
    cx.note("ids", ids(&ascending));
    let top = cx.step("the largest two", repo.all(Query::order_by(Product::WEIGHT.desc()).limit(2))).await?;
    cx.note("ids", ids(&top));
    let mut pages = repo.in_batches(Query::order_by(Product::WEIGHT.desc()), 3)?;
    while let Some(page) = cx.step("a page", pages.next()).await? {
        cx.note("ids", ids(&page));
    }
    Ok(())
}

async fn aggregates(cx: &mut Context) -> Result<()> {
    filled(cx).await?;
    let repo = cx.repo();
    for (title, aggregate) in [
        ("smallest", Product::WEIGHT.min()),
        ("largest", Product::WEIGHT.max()),
        ("sum", Product::WEIGHT.sum()),
        ("mean", Product::WEIGHT.avg()),
        ("sum of prices", Product::PRICE.sum()),
        ("mean of prices", Product::PRICE.avg()),
    ] {
        let value = cx.step(title, repo.aggregate(aggregate, Query::new())).await?;
        cx.note("value", value.map_or_else(|| "none".to_owned(), |value| value.normalize().to_string()));
    }
    let different = cx.step("different ones", repo.aggregate(Product::WEIGHT.count_distinct(), Query::new())).await?;
    cx.note("count", different);
    let none = cx.step("over no rows", repo.aggregate(Product::WEIGHT.sum(), Query::filter(Product::ID.eq(0)))).await?;
    cx.require(none.is_none(), "a sum of nothing is none")?;
    let third = Query::filter(Product::ID.is_in([1, 2, 6]));
    let mean = cx.step("a mean that goes on for ever", repo.aggregate(Product::WEIGHT.avg(), third)).await?;
    cx.note("value", mean.unwrap_or_default());
    let huge = Product::build()
        .set(Product::PRICE, Decimal::ONE)
        .set(Product::STARS, 1u8)
        .set(Product::STOCK, 1)
        .set(Product::VIEWS, 1)
        .set(Product::WEIGHT, Decimal::MAX);
    repo.insert_all([huge.clone(), huge]).await?;
    // The message shows what the database holds: text, or a decimal.
    let error = repo.aggregate(Product::WEIGHT.sum(), Query::new()).await.err();
    let named = error.is_some_and(|error| match error.kind() {
        ErrorKind::Decode { model: "Product", column, .. } => column == "SUM(weight)",
        _ => false,
    });
    cx.require(named, "a sum beyond any decimal is an error that names the column")
}

async fn groups(cx: &mut Context) -> Result<()> {
    filled(cx).await?;
    let repo = cx.repo();
    let query = Query::group_by(Product::WEIGHT).order_by(Product::WEIGHT.asc());
    let counts = cx.step("by weight", repo.pluck((Product::WEIGHT, Product::ID.count()), query)).await?;
    for (weight, count) in counts {
        let weight = weight.map_or_else(|| "none".to_owned(), |weight| weight.normalize().to_string());
        cx.note(&weight, count);
    }
    let query = Query::group_by(Product::STARS).having(Product::WEIGHT.sum().gt(number("119.0")?));
    let groups = cx.step("having a sum", repo.pluck((Product::STARS, Product::WEIGHT.sum()), query)).await?;
    cx.require(groups == [(200, Some(number("119.1")?))], "the sum is exact")?;
    let query = Query::distinct().order_by(Product::WEIGHT.desc());
    let weights = cx.step("distinct", repo.pluck(Product::WEIGHT, query)).await?;
    cx.note("weights", weights.len());
    Ok(())
}

async fn read_as_written(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Product>().await?;
    let inserted = cx.step("insert", repo.insert(product(1, Some("0.0000000000000000000000000001"))?)).await?;
    let read = repo.get_or_fail::<Product>(inserted.id, Query::new()).await?;
    cx.require(inserted == read, "what insert returns is what is read")?;
    cx.note("price", read.price);
    cx.note("weight", read.weight.unwrap_or_default());
    Ok(())
}

async fn equal_numbers_are_no_change(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Product>().await?;
    let product = repo.insert(product(1, Some("2.5"))?).await?;
    let same = product.change().set(Product::PRICE, number("9.5")?).set(Product::WEIGHT, number("2.500")?);
    cx.require(!same.has_changes(), "9.5 is 9.50")?;
    cx.step("the same numbers", repo.update(same)).await?;
    let other = product.change().set(Product::PRICE, number("9.51")?);
    let changed = cx.step("another number", repo.update(other)).await?;
    cx.note("price", changed.price);
    Ok(())
}

async fn joined(cx: &mut Context) -> Result<()> {
    use conformance_models::shop::Review;

    filled(cx).await?;
    let repo = cx.repo();
    repo.create_table::<Review>().await?;
    let tips = [(1, "0.50"), (1, "10"), (1, "9.5"), (2, "0.1"), (2, "0.20")];
    let reviews: Result<Vec<_>> = tips
        .into_iter()
        .map(|(product, tip)| {
            let review = Review::build().set(Review::PRODUCT_ID, product).set(Review::STARS, 250u8);
            Ok(review.set(Review::TIP, number(tip)?))
        })
        .collect();
    repo.insert_all(reviews?).await?;
    let tip = Product::REVIEWS.joined(Review::TIP);
    let query = Query::join(Product::REVIEWS).order_by(tip.clone().desc());
    let pairs = cx.step("in the order of tips", repo.pluck((Product::ID, tip.clone()), query)).await?;
    cx.note(
        "tips",
        format!("{:?}", pairs.iter().map(|(id, tip)| (*id, tip.normalize().to_string())).collect::<Vec<_>>()),
    );
    let query = Query::join(Product::REVIEWS).filter(Product::REVIEWS.joined(Review::TIP.ge(number("9.50")?)));
    cx.note("with large tips", cx.repo().count(query).await?);
    let sums = Query::join(Product::REVIEWS).group_by(Product::ID).order_by(Product::ID.asc());
    let columns = (
        Product::ID,
        tip.clone().sum(),
        tip.clone().avg(),
        tip.clone().max(),
        Product::REVIEWS.joined(Review::STARS).sum(),
    );
    for (id, sum, mean, max, stars) in cx.step("sums of tips", repo.pluck(columns, sums)).await? {
        let shown = |value: Option<Decimal>| value.unwrap_or_default().normalize();
        cx.note("product", format!("{id}: {} {} {} {stars:?}", shown(sum), shown(mean), shown(max)));
    }
    let top =
        Query::preload(Product::REVIEWS.order_by(Review::TIP.desc()).limit(1)).order_by(Product::ID.asc()).limit(2);
    let products = cx.step("the largest tip of each", repo.all(top)).await?;
    for product in products {
        cx.note("tip", product.reviews()?.first().map(|review| review.tip.normalize()).unwrap_or_default());
    }
    Ok(())
}
