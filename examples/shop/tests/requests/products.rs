//! Products and categories.

use assoc_repo::core::dialect::Recursions;
use serde_json::{Value, json};

use crate::shop::{TestShop, each};

pub(crate) async fn listed(shop: TestShop) {
    let reply = shop.get("/products").await;
    // The shop and the page.
    assert_eq!(reply.statements, 2);
    let page = reply.json(200);
    let names = ["Assam", "Cup <small>", "Darjeeling", "Gunpowder 100%", "Sencha"];
    assert_eq!(each(&page["products"], "name"), names);
    assert_eq!((&page["next"], &page["previous"]), (&Value::Null, &Value::Null));
    let assam = &page["products"][0];
    assert_eq!(
        (&assam["price"], &assam["status"], &assam["reviews_count"]),
        (&json!("9.50"), &json!("active"), &json!(2))
    );
    assert!(assam.get("tags").is_none(), "what is not loaded is left out: {assam}");
}

pub(crate) async fn searched(shop: TestShop) {
    let found = async |asked: &str| {
        let reply = shop.get(&format!("/products?{asked}")).await;
        assert_eq!(reply.statements, 2, "{asked}");
        let page = reply.json(200);
        each(&page["products"], "name").join(", ")
    };
    // The sign stands for itself.
    assert_eq!(found("q=100%25").await, "Gunpowder 100%");
    assert_eq!(found("q=e").await.matches(", ").count(), 2);
    assert_eq!(found("q=%25").await, "Gunpowder 100%");
    assert_eq!(found("tag=gift").await, "Cup <small>, Darjeeling");
    assert_eq!(found("tag=gift&q=Dar").await, "Darjeeling");
    // A category with those below it.
    assert_eq!(found("category=1").await, "Assam, Darjeeling, Gunpowder 100%, Sencha");
    assert_eq!(found("category=2").await, "Assam, Darjeeling");
    // By number, not by the letters of it.
    assert_eq!(found("sort=price").await, "Cup <small>, Gunpowder 100%, Assam, Darjeeling, Sencha");
    assert_eq!(found("sort=-price&category=3").await, "Sencha, Gunpowder 100%");
    assert_eq!(shop.get("/products?category=tea").await.status, 400);
}

pub(crate) async fn by_pages(shop: TestShop) {
    let mut seen = Vec::new();
    let mut path = "/products?size=2&sort=price".to_owned();
    let last = loop {
        let reply = shop.get(&path).await;
        assert_eq!(reply.statements, 2);
        let page = reply.json(200);
        seen.extend(each(&page["products"], "name").into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(cursor) => path = format!("/products?size=2&sort=price&after={cursor}"),
            None => break page,
        }
    };
    assert_eq!(seen, ["Cup <small>", "Gunpowder 100%", "Assam", "Darjeeling", "Sencha"]);
    let before = last["previous"].as_str().expect("a cursor");
    let page = shop.get(&format!("/products?size=2&sort=price&before={before}")).await.json(200);
    assert_eq!(each(&page["products"], "name"), ["Assam", "Darjeeling"]);
    // A cursor of another order, and one that is none.
    assert_eq!(shop.get(&format!("/products?sort=name&before={before}")).await.status, 400);
    assert_eq!(shop.get("/products?after=nonsense").await.status, 400);
}

pub(crate) async fn included(shop: TestShop) {
    let reply = shop.get("/products?include=category,tags,stock,reviews.customer,rating").await;
    // The shop, the page, categories, links and tags, stocks, reviews, their customers, and the means.
    assert_eq!(reply.statements, 9);
    let page = reply.json(200);
    let assam = &page["products"][0];
    assert_eq!((&assam["category"]["name"], &assam["stock"]["quantity"]), (&json!("Black tea"), &json!(10)));
    assert_eq!(each(&assam["tags"], "name"), ["organic"]);
    assert_eq!(assam["rating"], json!(4.5));
    assert_eq!(assam["reviews"][0]["customer"]["name"], "Grace");
    assert_eq!(page["products"][1]["rating"], Value::Null);

    for body in ["More.", "Still more.", "Enough."] {
        let review = json!({ "customer_id": 1, "stars": 1, "body": body });
        shop.post("/products/1/reviews", review).await.json(201);
    }
    let assam = shop.get("/products/1?include=reviews").await.json(200);
    assert_eq!(each(&assam["reviews"], "body"), ["Enough.", "Still more.", "More."]);

    let refused = shop.get("/products/1?include=reviews.product").await;
    // The one statement reads the shop.
    assert_eq!(refused.statements, 1);
    let why = "`reviews.product` cannot be included: `product` is not allowed there; allowed are: customer";
    assert_eq!(refused.json(400)["error"], why);
}

pub(crate) async fn created(shop: TestShop) {
    let oolong = json!({
        "sku": "O-1", "name": "Oolong", "price": "12.00", "category_id": 1, "stock": { "quantity": 3 },
        "shop_id": 2, "reviews_count": 99
    });
    let product = shop.post("/products", oolong.clone()).await.json(201);
    // Neither the shop nor the counter is for the client to say.
    assert_eq!((&product["shop_id"], &product["reviews_count"]), (&json!(1), &json!(0)));
    assert_eq!(product["stock"]["quantity"], 3);

    let again = shop.post("/products", oolong).await.json(409);
    assert_eq!(again["fields"][0]["path"], "sku");
    assert_eq!(again["fields"][0]["code"], "taken");

    let wrong = json!({ "sku": "", "price": "-1", "status": "eaten", "stock": { "quantity": -1 } });
    let refused = shop.post("/products", wrong).await;
    assert_eq!(refused.statements, 1);
    let refused = refused.json(422);
    assert_eq!(each(&refused["fields"], "path"), ["status", "name", "sku", "price", "stock.quantity"]);

    // The category of another shop does not exist here.
    let books = json!({ "shop_id": 2, "name": "Novels" });
    let novels = shop.repo.insert(cast_category(&books)).await.expect("a category");
    let elsewhere = json!({ "sku": "N-1", "name": "Novel", "price": "1", "category_id": novels.id });
    let refused = shop.post("/products", elsewhere).await.json(422);
    assert_eq!(refused["error"], "it refers to a row that does not exist");
    assert_eq!(shop.send("POST", "/products", Some("tea"), None).await.status, 400);
}

fn cast_category(input: &Value) -> assoc_repo::Changeset<shop::models::Category> {
    use assoc_repo::prelude::*;
    use shop::models::Category;
    Category::cast(input, &permit!(Category { shop_id, name }))
}

pub(crate) async fn reviewed(shop: TestShop) {
    let review = json!({ "customer_id": 2, "stars": 5, "body": "Fine." });
    let reply = shop.post("/products/3/reviews", review).await;
    assert_eq!(reply.json(201)["stars"], 5);
    let sencha = shop.get("/products/3?include=rating").await.json(200);
    assert_eq!((&sencha["reviews_count"], &sencha["rating"]), (&json!(1), &json!(5.0)));

    let wrong = json!({ "customer_id": 2, "stars": 9 });
    let refused = shop.post("/products/3/reviews", wrong).await.json(422);
    let mut paths = each(&refused["fields"], "path");
    paths.sort_unstable();
    assert_eq!(paths, ["body", "stars"]);
    let stranger = json!({ "customer_id": 99, "stars": 5, "body": "Who?" });
    shop.post("/products/3/reviews", stranger).await.json(422);
    assert_eq!(shop.get("/products/3").await.json(200)["reviews_count"], 1);
}

pub(crate) async fn deleted_softly(shop: TestShop) {
    let reply = shop.send("DELETE", "/products/1", Some("tea"), None).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (204, ""));
    assert_eq!(shop.get("/products/1").await.json(404)["error"], "no Product with key 1");
    assert_eq!(shop.send("DELETE", "/products/1", Some("tea"), None).await.status, 404);
    let page = shop.get("/products?q=Assam").await.json(200);
    assert_eq!(page["products"], json!([]));
    // Old orders keep it, and new ones cannot have it.
    let order = shop.get("/orders/1").await.json(200);
    assert_eq!(order["lines"][0]["product"]["name"], "Assam");
    let order = json!({ "customer_id": 1, "lines": [{ "product_id": 1, "quantity": 1 }] });
    shop.post("/orders", order).await.json(422);
}

pub(crate) async fn in_a_tree(shop: TestShop) {
    let reply = shop.get("/categories").await;
    // The shop and the roots; then one recursive statement, or the level below them and the one that is empty.
    let at_once = shop.repo.dialect().capabilities().recursions == Recursions::AtOnce;
    assert_eq!(reply.statements, if at_once { 3 } else { 4 });
    let tree = reply.json(200);
    assert_eq!(each(&tree, "name"), ["Cups", "Tea"]);
    assert_eq!(each(&tree[1]["children"], "name"), ["Black tea", "Green tea"]);
    assert_eq!(tree[0]["children"], json!([]));
}
