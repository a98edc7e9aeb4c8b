//! The page of an order in a browser.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// A Chromium, if one is installed.
pub(crate) fn program() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// The shop listens on a port, the browser opens the page and prints what it has made of it.
pub(crate) async fn order_page(program: PathBuf) {
    let repo = shop::database::open("sqlite::memory:").await.expect("a database");
    shop::seed::unless_filled(&repo).await.expect("rows");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(axum::serve(listener, shop::router(repo)).into_future());
    let profile = tempfile::tempdir().expect("a folder");

    let front = dom(&program, &profile, &format!("http://{address}/?shop=tea")).await;
    // The link that a person would follow.
    let link =
        front.split('"').find(|part| part.starts_with("/orders/")).unwrap_or_else(|| panic!("no order in {front}"));
    let page = dom(&program, &profile, &format!("http://{address}{link}")).await;
    for part in ["<h1>Order 1</h1>", "9 statements", "Cup &lt;small&gt;", "belongs_to Customer"] {
        assert!(page.contains(part), "`{part}` is not in {page}");
    }
    server.abort();
}

async fn dom(program: &PathBuf, profile: &tempfile::TempDir, url: &str) -> String {
    let mut command = Command::new(program);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", profile.path().display())).arg(url);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await;
    let output = output.expect("an answer within a minute").expect("a browser that starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
