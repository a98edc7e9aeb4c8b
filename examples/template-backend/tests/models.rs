//! Models on this backend.

use assoc_repo::prelude::*;
use template_backend::Template;

#[derive(Model, Debug, Clone)]
struct Author {
    id: i64,
    name: String,
    #[has_many]
    books: HasMany<Book>,
}

#[derive(Model, Debug, Clone)]
struct Book {
    id: i64,
    title: String,
    author_id: i64,
    #[belongs_to]
    author: BelongsTo<Author>,
}

#[tokio::test]
async fn authors_have_books() -> Result<()> {
    let folder = tempfile::tempdir().map_err(Error::other)?;
    let repo = Repo::new(Template::open(folder.path().join("books.db"))?);
    repo.create_table::<Author>().await?;
    repo.create_table::<Book>().await?;
    let ada = repo.insert(Author::build().set(Author::NAME, "Ada")).await?;
    repo.insert(Book::build().set(Book::TITLE, "Notes").set(Book::AUTHOR_ID, ada.id)).await?;
    let authors = repo.all(Query::preload(Author::BOOKS)).await?;
    assert_eq!(authors[0].books()?[0].title, "Notes");
    Ok(())
}
