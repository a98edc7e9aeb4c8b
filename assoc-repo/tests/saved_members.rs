//! Members that are saved with a new owner: the second one and those after it are planned like the first.

use assoc_core::change::ChildOp;
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;

/// The owner's key is given, and its members are bound to it in several ways.
#[derive(Model, Debug, Clone)]
struct Shelf {
    id: String,
    #[has_many]
    books: HasMany<Book>,
    #[has_many(scope = lent)]
    lent_books: HasMany<Book>,
    #[has_many(as = "noted")]
    notes: HasMany<Note>,
}

fn lent(scope: Scope<Book>) -> Scope<Book> {
    scope.filter(Book::LENT.eq(true))
}

#[derive(Model, Debug, Clone)]
struct Book {
    id: i64,
    shelf_id: String,
    title: String,
    lent: Option<bool>,
    #[belongs_to]
    shelf: BelongsTo<Shelf>,
}

#[derive(Polymorphic, Debug, Clone)]
enum Noted {
    Shelf(Shelf),
}

#[derive(Model, Debug, Clone)]
struct Note {
    id: i64,
    noted_id: String,
    noted_type: String,
    text: String,
    #[belongs_to(polymorphic)]
    noted: BelongsTo<Noted>,
}

async fn repo() -> Result<Repo> {
    let repo = Repo::new(Sqlite::memory()?);
    repo.create_table::<Shelf>().await?;
    repo.create_table::<Book>().await?;
    repo.create_table::<Note>().await?;
    Ok(repo)
}

fn book(title: &str) -> assoc_repo::Changeset<Book> {
    Book::build().set(Book::TITLE, title)
}

/// Three members of each kind, so that none is only the first of its association.
#[test]
fn all_members_are_given_the_key_the_type_and_what_the_scope_says() {
    pollster::block_on(async {
        let repo = repo().await?;
        let note = |text: &str| Note::build().set(Note::TEXT, text);
        let draft = Shelf::build()
            .set(Shelf::ID, "A")
            .push(Shelf::BOOKS, [book("a"), book("b").set(Book::LENT, false), book("c")])
            .push(Shelf::LENT_BOOKS, [book("d"), book("e"), book("f").set(Book::LENT, true)])
            .push(Shelf::NOTES, [note("x"), note("y"), note("z")]);
        let shelf = repo.insert(draft).await?;
        let given = |books: &[Book]| -> Vec<(String, Option<bool>)> {
            books.iter().map(|book| (format!("{}{}", book.shelf_id, book.title), book.lent)).collect()
        };
        let own = |title: &str, lent| (title.to_owned(), lent);
        assert_eq!(given(shelf.books()?), [own("Aa", None), own("Ab", Some(false)), own("Ac", None)]);
        assert_eq!(given(shelf.lent_books()?), ["Ad", "Ae", "Af"].map(|title| own(title, Some(true))));
        let notes: Vec<_> =
            shelf.notes()?.iter().map(|note| (&*note.noted_id, &*note.noted_type, &*note.text)).collect();
        assert_eq!(notes, [("A", "Shelf", "x"), ("A", "Shelf", "y"), ("A", "Shelf", "z")]);
        let stored = repo.all(Query::<Book>::new().order_by(Book::ID.asc())).await?;
        assert_eq!(stored.len(), 6);
        Ok::<(), Error>(())
    })
    .unwrap();
}

/// The member that is wrong is named, wherever it stands.
#[test]
fn a_member_without_a_value_is_found_among_others() {
    pollster::block_on(async {
        let repo = repo().await?;
        let books = [book("a"), book("b"), Book::build(), book("d")];
        let draft = Shelf::build().set(Shelf::ID, "A").push(Shelf::BOOKS, books.clone());
        assert_eq!(
            repo.insert(draft).await.unwrap_err().to_string(),
            "Shelf cannot be saved: books[2].title is missing"
        );
        let contradiction = [book("a"), book("b").set(Book::LENT, false)];
        let draft = Shelf::build().set(Shelf::ID, "A").push(Shelf::LENT_BOOKS, contradiction);
        let error = repo.insert(draft).await.unwrap_err().to_string();
        assert!(error.contains("lent_books[1].lent"), "{error}");
        assert_eq!(repo.count(Query::<Shelf>::new()).await?, 0);
        Ok::<(), Error>(())
    })
    .unwrap();
}

/// An iterator that claims to be longer than memory.
struct Boastful(Vec<assoc_repo::Changeset<Book>>);

impl Iterator for Boastful {
    type Item = assoc_repo::Changeset<Book>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.pop()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

#[test]
fn what_an_iterator_claims_is_not_believed() {
    let draft = Shelf::build().set(Shelf::ID, "A").push(Shelf::BOOKS, Boastful(vec![book("a"), book("b")]));
    let [child] = draft.as_row_change().children() else { panic!("{draft:?}") };
    assert!(matches!(&child.op, ChildOp::PushNew(members) if members.len() == 2), "{draft:?}");
}
