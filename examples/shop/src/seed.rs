//! Rows to look at: two shops, of which one has something to sell.

use assoc_repo::Repo;
use assoc_repo::prelude::*;
use rust_decimal::Decimal;

use crate::models::{Address, Category, Customer, Note, Order, OrderLine, Product, Review, Shop, Stock, Tag};

/// Fills a database that has no shop.
///
/// # Errors
/// Those of the database.
pub async fn unless_filled(repo: &Repo) -> Result<()> {
    if repo.exists(Query::<Shop>::new()).await? {
        return Ok(());
    }
    repo.transaction(async |tx| fill(tx).await).await
}

async fn fill(repo: &Repo) -> Result<()> {
    let tea = repo.insert(build!(Shop { slug: "tea", name: "Tea & Cups" })).await?;
    let other = repo.insert(build!(Shop { slug: "books", name: "Books" })).await?;
    let category =
        |name: &str, parent: Option<i64>| build!(Category { shop_id: tea.id, name: name, parent_id: parent });
    let teas = repo.insert(category("Tea", None)).await?;
    let black = repo.insert(category("Black tea", Some(teas.id))).await?;
    let green = repo.insert(category("Green tea", Some(teas.id))).await?;
    let cups = repo.insert(category("Cups", None)).await?;
    let tags = ["gift", "organic"].map(|name| build!(Tag { shop_id: tea.id, name: name }));
    let tags = repo.insert_all(tags).await?;
    let (gift, organic) = (&tags[0], &tags[1]);
    let product = |sku: &str, name: &str, category: &Category, cents: i64, quantity: i32| {
        build!(Product {
            shop_id: tea.id,
            category_id: category.id,
            sku: sku,
            name: name,
            price: Decimal::new(cents, 2)
        })
        .set_one(Product::STOCK, build!(Stock { quantity: quantity }))
    };
    let products = [
        product("B-1", "Assam", &black, 950, 10).push(Product::TAGS, organic),
        product("B-2", "Darjeeling", &black, 1250, 4).push(Product::TAGS, [gift, organic]),
        product("G-1", "Sencha", &green, 1400, 7),
        product("G-2", "Gunpowder 100%", &green, 700, 0),
        product("C-1", "Cup <small>", &cups, 395, 30).push(Product::TAGS, gift),
    ];
    let products = repo.insert_all(products).await?;
    let ada = build!(Customer { shop_id: tea.id, name: "Ada", email: "ada@example.org" })
        .set_one(Customer::ADDRESS, build!(Address { street: "St James's Square 12", city: "London" }));
    let ada = repo.insert(ada).await?;
    let grace = repo.insert(build!(Customer { shop_id: tea.id, name: "Grace", email: "grace@example.org" })).await?;
    let review = |product: &Product, customer: &Customer, stars: i16, body: &str| {
        build!(Review { stars: stars, body: body })
            .associate(Review::PRODUCT, product)
            .associate(Review::CUSTOMER, customer)
    };
    let reviews = [
        review(&products[0], &ada, 5, "Strong."),
        review(&products[0], &grace, 4, "Good with milk."),
        review(&products[1], &ada, 3, "Light."),
    ];
    repo.insert_all(reviews).await?;
    let order = build!(Order { shop_id: tea.id, customer_id: ada.id }).push(
        Order::LINES,
        [
            build!(OrderLine { product_id: products[0].id, quantity: 2 }),
            build!(OrderLine { product_id: products[4].id, quantity: 1 }),
        ],
    );
    let order = repo.insert(order).await?;
    repo.insert(build!(Note { shop_id: tea.id, body: "Wrap it & write a card" }).associate(Note::SUBJECT, &order))
        .await?;
    repo.insert(build!(Note { shop_id: tea.id, body: "Likes strong tea" }).associate(Note::SUBJECT, &ada)).await?;
    let stranger =
        build!(Product { shop_id: other.id, sku: "1", name: "Sketch of the Engine", price: Decimal::new(3000, 2) });
    repo.insert(stranger).await?;
    Ok(())
}
