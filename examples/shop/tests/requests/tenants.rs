//! Shops beside each other, and what answers do not say.

use serde_json::{Value, json};

use crate::shop::{TestShop, each};

pub(crate) async fn named(shop: TestShop) {
    let refused = shop.send("GET", "/products", None, None).await;
    assert_eq!(refused.statements, 0);
    refused.json(400);
    let unknown = shop.send("GET", "/products", Some("gold"), None).await.json(404);
    assert_eq!(unknown["error"], "there is no shop `gold`");
}

pub(crate) async fn apart(shop: TestShop) {
    let books =
        async |method: &str, path: &str, body: Option<Value>| shop.send(method, path, Some("books"), body).await;
    let page = books("GET", "/products", None).await.json(200);
    assert_eq!(each(&page["products"], "name"), ["Sketch of the Engine"]);
    for path in ["/products/1", "/orders/1", "/orders/1.html", "/customers/1"] {
        assert_eq!(books("GET", path, None).await.status, 404, "{path}");
    }
    assert_eq!(books("GET", "/categories", None).await.json(200), json!([]));
    assert_eq!(books("GET", "/notes", None).await.json(200), json!([]));
    assert_eq!(books("DELETE", "/products/1", None).await.status, 404);
    assert_eq!(books("POST", "/orders/1/checkout", None).await.status, 404);
    let order = json!({ "customer_id": 1, "lines": [{ "product_id": 6, "quantity": 1 }] });
    assert_eq!(books("POST", "/orders", Some(order)).await.status, 422);
    assert_eq!(shop.get("/products/1").await.status, 200);
}

pub(crate) async fn told_nothing(shop: TestShop) {
    shop.repo.execute_raw("DROP TABLE notes", []).await.expect("no table");
    let failed = shop.get("/notes").await;
    assert_eq!(failed.json(500), json!({ "error": "the shop has a problem" }));
}
