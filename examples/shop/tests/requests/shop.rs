//! A shop with its rows, and what a test asks of it.

use assoc_repo::Repo;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;

/// An open shop with the rows of `shop::seed`.
pub(crate) struct TestShop {
    pub(crate) repo: Repo,
    pub(crate) router: Router,
}

/// What a request has given.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) statements: usize,
}

impl Reply {
    /// The JSON of an answer of that status.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl TestShop {
    pub(crate) async fn open(url: &str) -> Self {
        let repo = shop::database::open(url).await.expect("a database");
        shop::seed::unless_filled(&repo).await.expect("rows");
        TestShop { router: shop::router(repo.clone()), repo }
    }

    /// A request of the shop `tea`.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, Some("tea"), None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, Some("tea"), Some(body)).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, shop: Option<&str>, body: Option<Value>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(shop) = shop {
            request = request.header("x-shop", shop);
        }
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let answer = self.router.clone().oneshot(request.expect("a request"));
        let (answer, statements) = self.repo.count_statements(answer).await;
        let Ok(answer) = answer;
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        Reply { status, text: String::from_utf8(body.to_vec()).expect("text"), statements }
    }
}

/// The values of a field in a list.
pub(crate) fn each<'v>(list: &'v Value, field: &str) -> Vec<&'v str> {
    let list = list.as_array().unwrap_or_else(|| panic!("{list} is no list"));
    list.iter().map(|row| row[field].as_str().unwrap_or_else(|| panic!("{row} has no {field}"))).collect()
}
