//! A library: text keys, keys that are not the primary one, models of a shared table and orders, all of them in
//! intermediate tables of through associations.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "readers", primary_key = "card")]
pub struct Reader {
    #[column(length = 20)]
    pub card: String,
    pub name: String,
    #[has_many(foreign_key = "reader_card")]
    pub loans: HasMany<Loan>,
    #[has_many(foreign_key = "reader_card")]
    pub overdue_loans: HasMany<OverdueLoan>,
    #[has_many(foreign_key = "reader_card", order = Loan::DAY.desc())]
    pub latest_loans: HasMany<Loan>,
    #[has_many(foreign_key = "reader_card", filter = Loan::DAY.gt(10))]
    pub later_loans: HasMany<Loan>,
    #[has_one(foreign_key = "reader_card", order = Loan::DAY.desc())]
    pub last_loan: HasOne<Option<Loan>>,
    #[has_many(through = "loans", source = "volume")]
    pub volumes: HasManyThrough<Volume>,
    // Through one of two models that share a table.
    #[has_many(through = "overdue_loans", source = "volume")]
    pub overdue_volumes: HasManyThrough<Volume>,
    // In the order of the chain.
    #[has_many(through = "latest_loans", source = "volume")]
    pub latest_volumes: HasManyThrough<Volume>,
    #[has_many(through = "latest_loans", source = "volume", distinct)]
    pub different_volumes: HasManyThrough<Volume>,
    // Conditions on the intermediate rows, on the targets and on an association of the targets.
    #[has_many(through = "later_loans", source = "thick_volume")]
    pub later_thick_volumes: HasManyThrough<Volume>,
    #[has_many(through = "later_thick_volumes", source = "old_topics")]
    pub later_topics: HasManyThrough<Topic>,
    #[has_one(through = "last_loan", source = "volume")]
    pub last_volume: HasOne<Option<Volume>>,
    // Several intermediate rows, of which the first counts.
    #[has_one(through = "last_loan", source = "stamp")]
    pub last_stamp: HasOne<Option<Stamp>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "loans")]
pub struct Loan {
    pub id: i64,
    #[column(length = 20)]
    pub reader_card: Option<String>,
    #[column(length = 20)]
    pub isbn: Option<String>,
    pub day: i64,
    #[column(length = 10)]
    pub kind: Option<String>,
    #[belongs_to(foreign_key = "reader_card")]
    pub reader: BelongsTo<Option<Reader>>,
    #[belongs_to(foreign_key = "isbn", primary_key = "isbn")]
    pub volume: BelongsTo<Option<Volume>>,
    #[belongs_to(foreign_key = "isbn", primary_key = "isbn", filter = Volume::PAGES.gt(100))]
    pub thick_volume: BelongsTo<Option<Volume>>,
    #[has_one]
    pub stamp: HasOne<Option<Stamp>>,
}

/// The same table, and its rows of one kind only.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "loans", discriminator = "kind", tag = "overdue")]
pub struct OverdueLoan {
    pub id: i64,
    #[column(length = 20)]
    pub reader_card: Option<String>,
    #[column(length = 20)]
    pub isbn: Option<String>,
    #[column(length = 10)]
    pub kind: Option<String>,
    #[belongs_to(foreign_key = "isbn", primary_key = "isbn")]
    pub volume: BelongsTo<Option<Volume>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stamps")]
pub struct Stamp {
    pub id: i64,
    pub loan_id: i64,
}

/// Loans refer to its number, which is not its primary key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "volumes")]
pub struct Volume {
    pub id: i64,
    #[column(length = 20)]
    pub isbn: String,
    pub pages: i64,
    pub room: Option<i64>,
    #[column(length = 20)]
    pub place: Option<String>,
    #[has_many(foreign_key = "isbn", primary_key = "isbn")]
    pub loans: HasMany<Loan>,
    #[has_many(through = "loans", source = "reader")]
    pub readers: HasManyThrough<Reader>,
    #[has_and_belongs_to_many]
    pub topics: HasAndBelongsToMany<Topic>,
    #[has_and_belongs_to_many(filter = Topic::SINCE.lt(1900))]
    pub old_topics: HasAndBelongsToMany<Topic>,
    // Of the owner's two columns one may be empty.
    #[has_one(primary_key = "room, place", foreign_key = "room, place")]
    pub label: HasOne<Option<Label>>,
    #[has_many(primary_key = "room, place", foreign_key = "room, place")]
    pub labels: HasMany<Label>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "topics", primary_key = "name")]
pub struct Topic {
    #[column(length = 20)]
    pub name: String,
    pub since: i64,
    #[has_and_belongs_to_many]
    pub volumes: HasAndBelongsToMany<Volume>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "labels")]
pub struct Label {
    pub id: i64,
    pub room: Option<i64>,
    #[column(length = 20)]
    pub place: Option<String>,
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Reader>().await?;
    repo.create_table::<Loan>().await?;
    repo.create_table::<Stamp>().await?;
    repo.create_table::<Volume>().await?;
    repo.create_table::<Topic>().await?;
    repo.create_table::<Label>().await?;
    let links = "CREATE TABLE topics_volumes (volume_id BIGINT NOT NULL, topic_id VARCHAR(20) NOT NULL)";
    repo.execute_raw(links, []).await?;
    let reader = |card, name| Reader::build().set(Reader::CARD, card).set(Reader::NAME, name);
    repo.insert_all([reader("a-1", "Ann"), reader("b'2", "Bob"), reader("c 3", "Cyd")]).await?;
    let volume = |isbn, pages: i64, room: Option<i64>, place: Option<&str>| {
        let volume = Volume::build().set(Volume::ISBN, isbn).set(Volume::PAGES, pages);
        volume.set(Volume::ROOM, room).set(Volume::PLACE, place.map(str::to_owned))
    };
    repo.insert_all([
        volume("9-x", 300, Some(1), Some("top")),
        volume("9-y", 80, Some(1), None),
        volume("9-z", 150, None, None),
    ])
    .await?;
    let loan = |card: &str, isbn: Option<&str>, day: i64, kind: Option<&str>| {
        let loan = Loan::build().set(Loan::READER_CARD, Some(card.to_owned())).set(Loan::DAY, day);
        loan.set(Loan::ISBN, isbn.map(str::to_owned)).set(Loan::KIND, kind.map(str::to_owned))
    };
    // Ann had one volume twice; what Bob had last is in no catalogue; one loan is of nothing, Cyd has none.
    repo.insert_all([
        loan("a-1", Some("9-z"), 12, Some("overdue")),
        loan("a-1", Some("9-x"), 40, None),
        loan("b'2", Some("9-y"), 20, Some("overdue")),
        loan("a-1", Some("9-z"), 30, None),
        loan("a-1", None, 5, Some("overdue")),
        loan("b'2", Some("9-x"), 7, None),
        loan("b'2", Some("9-?"), 50, Some("overdue")),
    ])
    .await?;
    repo.insert_all([2, 7, 2, 1].map(|loan: i64| Stamp::build().set(Stamp::LOAN_ID, loan))).await?;
    let topic = |name, since: i64| Topic::build().set(Topic::NAME, name).set(Topic::SINCE, since);
    repo.insert_all([topic("o'clock", 1500), topic("\"quotes\"", 1950), topic("sea", 1200)]).await?;
    let linked =
        "INSERT INTO topics_volumes VALUES (1, 'sea'), (1, 'o''clock'), (3, '\"quotes\"'), (3, 'sea'), (1, 'sea')";
    repo.execute_raw(linked, []).await?;
    let label = |room: Option<i64>, place: Option<&str>| {
        Label::build().set(Label::ROOM, room).set(Label::PLACE, place.map(str::to_owned))
    };
    repo.insert_all([
        label(Some(1), Some("top")),
        label(Some(1), None),
        label(None, None),
        label(Some(1), Some("top")),
    ])
    .await?;
    Ok(())
}
