// Tasks that are spawned must be `Send`: calls of a repo are, and what the program holds across them may not be.
use std::rc::Rc;

use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub title: String,
}

fn spawn<F: Future<Output = Result<()>> + Send + 'static>(_: F) {}

async fn held_across_a_call(repo: Repo) -> Result<()> {
    let title = Rc::new("Looms".to_owned());
    let posts = repo.all(Query::filter(Post::TITLE.eq(&*title))).await?;
    println!("{} posts called {title}", posts.len());
    Ok(())
}

async fn held_across_a_transaction(repo: Repo) -> Result<()> {
    let title = Rc::new("Looms".to_owned());
    repo.transaction(async |tx| tx.insert(Post::build().set(Post::TITLE, "Cards")).await).await?;
    println!("{title}");
    Ok(())
}

async fn gone_before_the_call(repo: Repo) -> Result<()> {
    let title = Rc::new("Looms".to_owned()).to_string();
    repo.all(Query::filter(Post::TITLE.eq(title))).await?;
    Ok(())
}

fn start(repo: Repo) {
    spawn(held_across_a_call(repo.clone()));
    spawn(held_across_a_transaction(repo.clone()));
    spawn(gone_before_the_call(repo));
}

fn main() {}
