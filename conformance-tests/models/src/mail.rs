//! Letters to people and firms: a polymorphic association over columns of other names, to keys of other names.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Addressee {
    Inhabitant(Inhabitant),
    #[polymorphic(tag = "firm")]
    Company(Company),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "letters")]
pub struct Letter {
    pub id: i64,
    #[column(length = 20)]
    pub to_number: Option<String>,
    #[column(length = 20)]
    pub to_kind: Option<String>,
    #[belongs_to(polymorphic, foreign_key = "to_number", foreign_type = "to_kind")]
    pub addressee: BelongsTo<Option<Addressee>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "inhabitants", primary_key = "passport")]
pub struct Inhabitant {
    #[column(length = 20)]
    pub passport: String,
    pub name: String,
    #[has_many(as = "addressee", foreign_key = "to_number", foreign_type = "to_kind", inverse_of = "addressee")]
    pub letters: HasMany<Letter>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "companies", primary_key = "registration")]
pub struct Company {
    #[column(length = 20)]
    pub registration: String,
    pub name: String,
    #[has_many(as = "addressee", foreign_key = "to_number", foreign_type = "to_kind", tag = "firm")]
    pub letters: HasMany<Letter>,
    #[has_one(
        as = "addressee",
        foreign_key = "to_number",
        foreign_type = "to_kind",
        tag = "firm",
        order = Letter::ID.desc()
    )]
    pub last_letter: HasOne<Option<Letter>>,
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Letter>().await?;
    repo.create_table::<Inhabitant>().await?;
    repo.create_table::<Company>().await?;
    let inhabitant =
        |passport, name| Inhabitant::build().set(Inhabitant::PASSPORT, passport).set(Inhabitant::NAME, name);
    repo.insert_all([inhabitant("A1", "Ann"), inhabitant("B2", "Bob")]).await?;
    // Of the same number as a person.
    let company = |number, name| Company::build().set(Company::REGISTRATION, number).set(Company::NAME, name);
    repo.insert_all([company("A1", "Acme"), company("C3", "Cyan")]).await?;
    let letter = |number: Option<&str>, kind: Option<&str>| {
        let letter = Letter::build().set(Letter::TO_NUMBER, number.map(str::to_owned));
        letter.set(Letter::TO_KIND, kind.map(str::to_owned))
    };
    repo.insert_all([
        letter(Some("A1"), Some("Inhabitant")),
        letter(Some("A1"), Some("firm")),
        letter(None, None),
        letter(Some("A1"), Some("firm")),
        letter(Some("Z9"), Some("Inhabitant")),
        letter(None, Some("firm")),
        letter(Some("B2"), None),
    ])
    .await?;
    Ok(())
}
