//! Orders and customers.

use assoc_repo::prelude::*;
use serde_json::{Value, json};
use shop::models::{Product, Status, Stock};

use crate::shop::{TestShop, each};

impl TestShop {
    async fn left(&self, product: i64) -> i32 {
        self.repo.get_or_fail::<Stock>(product, Query::new()).await.expect("a stock").quantity
    }

    async fn order(&self, lines: Value) -> i64 {
        let order = self.post("/orders", json!({ "customer_id": 1, "lines": lines })).await.json(201);
        order["id"].as_i64().expect("a key")
    }
}

pub(crate) async fn created(shop: TestShop) {
    let order = json!({
        "customer_id": 2, "status": "placed", "total": "0.01",
        "lines": [{ "product_id": 2, "quantity": 1, "price": "0.01" }, { "product_id": 3, "quantity": 2 }]
    });
    let order = shop.post("/orders", order).await.json(201);
    // Only what is permitted is taken.
    assert_eq!((&order["status"], &order["total"]), (&json!("open"), &Value::Null));
    assert_eq!((&order["lines"][0]["price"], &order["lines"][1]["quantity"]), (&Value::Null, &json!(2)));
}

pub(crate) async fn refused(shop: TestShop) {
    let line = |product: i64, quantity: i32| json!({ "product_id": product, "quantity": quantity });
    let paths = async |order: Value| {
        let refused = shop.post("/orders", order).await;
        // The shop; the rules need no statement.
        assert_eq!(refused.statements, 1);
        let refused = refused.json(422);
        each(&refused["fields"], "path").join(", ")
    };
    assert_eq!(paths(json!({ "customer_id": 1, "lines": [line(1, 1), line(2, 0)] })).await, "lines[1].quantity");
    assert_eq!(paths(json!({ "customer_id": 1 })).await, "lines");
    assert_eq!(
        paths(json!({ "customer_id": 1, "lines": [{ "quantity": "many" }] })).await,
        "lines[0].quantity, lines[0].product"
    );

    let unknown = json!({ "customer_id": 1, "lines": [line(1, 1), line(99, 1)] });
    shop.post("/orders", unknown).await.json(422);
    let of_another_shop = json!({ "customer_id": 1, "lines": [line(6, 1)] });
    shop.post("/orders", of_another_shop).await.json(422);
    let twice = json!({ "customer_id": 1, "lines": [line(1, 1), line(1, 2)] });
    let refused = shop.post("/orders", twice).await.json(409);
    assert_eq!(refused["fields"][0]["path"], "lines.product_id");
    // Nothing of these was written.
    assert_eq!(shop.repo.count(Query::<shop::models::Order>::new()).await.expect("a number"), 1);
}

pub(crate) async fn checked_out(shop: TestShop) {
    let reply = shop.post("/orders/1/checkout", Value::Null).await;
    // The shop; the order, its lines, their products, the stocks; a stock for each line; whether the lines are the order's and the
    // tenant's; the order and each line. Where no updated row comes back, those that hold decimals are read once more.
    let returned = shop.repo.dialect().capabilities().update_returning;
    assert_eq!(reply.statements, if returned { 12 } else { 15 });
    let order = reply.json(200);
    assert_eq!((&order["status"], &order["total"]), (&json!("placed"), &json!("22.95")));
    assert_eq!(order["lines"][0]["price"], "9.50");
    assert_eq!((shop.left(1).await, shop.left(5).await), (8, 29));

    let again = shop.post("/orders/1/checkout", Value::Null).await.json(409);
    assert_eq!(again["error"], "order 1 is placed already");
    assert_eq!((shop.left(1).await, shop.left(5).await), (8, 29));
    shop.post("/orders/99/checkout", Value::Null).await.json(404);
}

pub(crate) async fn sold_out(shop: TestShop) {
    let id = shop.order(json!([{ "product_id": 1, "quantity": 3 }, { "product_id": 2, "quantity": 5 }])).await;
    let refused = shop.post(&format!("/orders/{id}/checkout"), Value::Null).await.json(409);
    assert_eq!(refused["error"], "there are only 4 of Darjeeling");
    // The first line was taken from the stock, and is back.
    assert_eq!((shop.left(1).await, shop.left(2).await), (10, 4));
    assert_eq!(shop.get(&format!("/orders/{id}")).await.json(200)["status"], "open");
}

pub(crate) async fn bought_at_once(shop: TestShop) {
    let mut ids = Vec::new();
    for _ in 0..11 {
        ids.push(shop.order(json!([{ "product_id": 1, "quantity": 1 }])).await);
    }
    let last = ids.pop().expect("an order");
    let shop = std::sync::Arc::new(shop);
    let mut tasks = Vec::new();
    for id in ids {
        let shop = std::sync::Arc::clone(&shop);
        tasks.push(tokio::spawn(async move { shop.post(&format!("/orders/{id}/checkout"), Value::Null).await }));
    }
    for task in tasks {
        task.await.expect("no panic").json(200);
    }
    assert_eq!(shop.left(1).await, 0);
    let refused = shop.post(&format!("/orders/{last}/checkout"), Value::Null).await.json(409);
    assert_eq!(refused["error"], "there are only 0 of Assam");
    assert_eq!(shop.left(1).await, 0);
}

pub(crate) async fn shown_as_a_page(shop: TestShop) {
    let reply = shop.get("/orders/1.html").await;
    // The shop, and what the page says of itself.
    assert_eq!(reply.statements, 10);
    assert_eq!(reply.status, 200);
    let page = &reply.text;
    for part in ["9 statements", "Cup &lt;small&gt;", "Wrap it &amp; write a card", "├─ customer: belongs_to Customer"]
    {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    assert_eq!(shop.get("/orders/99.html").await.status, 404);
    assert_eq!(shop.get("/orders/first.html").await.status, 400);
    let front = shop.send("GET", "/?shop=tea", None, None).await;
    assert!(front.text.contains("Order 1</a> of Ada"), "{}", front.text);
    assert!(front.text.contains(&format!("{} statements", front.statements - 1)), "{}", front.text);
    let shops = shop.send("GET", "/", None, None).await;
    assert!(shops.text.contains("Tea &amp; Cups"), "{}", shops.text);
}

pub(crate) async fn not_sold(shop: TestShop) {
    let line = |product: i64| json!([{ "product_id": product, "quantity": 1 }]);
    let (deleted, discontinued) = (shop.order(line(2)).await, shop.order(line(3)).await);
    shop.send("DELETE", "/products/2", Some("tea"), None).await;
    let sencha = shop.repo.get_or_fail::<Product>(3, Query::new()).await.expect("a product");
    let change = sencha.change().set(Product::STATUS, Status::Discontinued);
    shop.repo.update(change).await.expect("a change");
    for order in [deleted, discontinued] {
        let refused = shop.post(&format!("/orders/{order}/checkout"), Value::Null).await.json(409);
        assert!(refused["error"].as_str().is_some_and(|text| text.ends_with("is not sold any more")), "{refused}");
    }
    for price in ["1000000.01", "79228162514264337593543950335", "9.999", "-1"] {
        let product = json!({ "sku": "X", "name": "X", "price": price, "stock": { "quantity": 2 } });
        let refused = shop.post("/products", product).await.json(422);
        assert_eq!(refused["fields"][0]["path"], "price", "{price}: {refused}");
    }
}

pub(crate) async fn noted(shop: TestShop) {
    let reply = shop.get("/notes").await;
    // The shop, the notes, and one for each type of subject.
    assert_eq!(reply.statements, 4);
    assert_eq!(each(&reply.json(200), "about"), ["customer Ada", "order 1"]);
}

pub(crate) async fn of_a_customer(shop: TestShop) {
    shop.order(json!([{ "product_id": 1, "quantity": 1 }, { "product_id": 3, "quantity": 1 }])).await;
    let reply = shop.get("/customers/1?include=products,orders.lines.product,address").await;
    let ada = reply.json(200);
    // By orders and their lines, each product once.
    assert_eq!(each(&ada["products"], "name"), ["Assam", "Cup <small>", "Sencha"]);
    assert_eq!(ada["orders"][0]["lines"][1]["product"]["name"], "Sencha");
    assert_eq!(ada["address"]["city"], "London");
}
