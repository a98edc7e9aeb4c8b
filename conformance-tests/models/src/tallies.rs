//! Clubs and what is counted beside them: members, what they pay, notes and tags.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use rust_decimal::Decimal;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clubs")]
pub struct Club {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub members: HasMany<Member>,
    #[has_many(filter = Member::AGE.ge(18))]
    pub adults: HasMany<Member>,
    #[has_many(order = Member::AGE.desc().nulls_last(), limit = 2)]
    pub eldest: HasMany<Member>,
    #[has_one(order = Member::AGE.desc().nulls_last())]
    pub oldest: HasOne<Option<Member>>,
    #[has_many(through = "members")]
    pub payments: HasManyThrough<Payment>,
    #[has_many(through = "payments", source = "member")]
    pub payers: HasManyThrough<Member>,
    #[has_many(through = "payments", source = "member", distinct)]
    pub different_payers: HasManyThrough<Member>,
    #[has_many(through = "payments", source = "member", distinct, order = Member::ID.asc(), limit = 1)]
    pub first_payers: HasManyThrough<Member>,
    #[has_many(scope_by_owner = named_like)]
    pub namesakes: HasMany<Member>,
    #[has_and_belongs_to_many(join_table = "clubs_labels")]
    pub labels: HasAndBelongsToMany<Label>,
    #[has_many(as = "about")]
    pub notes: HasMany<Note>,
    #[has_many(through = "members", source = "notes")]
    pub member_notes: HasManyThrough<Note>,
    pub members_count: Aggregated<i64>,
    pub others_count: Aggregated<i64>,
    pub ages_count: Aggregated<i64>,
    pub age_sum: Aggregated<Option<i64>>,
    pub age_mean: Aggregated<Option<f64>>,
    pub age_most: Aggregated<Option<i32>>,
    pub fees: Aggregated<Option<Decimal>>,
    pub fee_mean: Aggregated<Option<Decimal>>,
    pub first_name: Aggregated<Option<String>>,
}

fn named_like(club: &Club, members: Scope<Member>) -> Scope<Member> {
    members.filter(Member::NAME.eq(&club.name))
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "members")]
pub struct Member {
    pub id: i64,
    pub club_id: Option<i64>,
    pub sponsor_id: Option<i64>,
    #[column(length = 40)]
    pub name: String,
    pub age: Option<i32>,
    #[column(precision = 12, scale = 2)]
    pub fee: Option<Decimal>,
    #[belongs_to]
    pub club: BelongsTo<Option<Club>>,
    #[has_many(foreign_key = "sponsor_id")]
    pub sponsored: HasMany<Member>,
    #[has_many]
    pub payments: HasMany<Payment>,
    #[has_many(as = "about")]
    pub notes: HasMany<Note>,
    pub payments_count: Aggregated<i64>,
    pub sponsored_count: Aggregated<i64>,
    pub clubs_count: Aggregated<i64>,
    pub paid: Aggregated<Option<Decimal>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "payments")]
pub struct Payment {
    pub id: i64,
    pub member_id: i64,
    #[column(precision = 12, scale = 2)]
    pub amount: Decimal,
    #[belongs_to]
    pub member: BelongsTo<Member>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "labels")]
pub struct Label {
    pub id: i64,
    pub weight: i32,
    #[has_and_belongs_to_many(join_table = "clubs_labels")]
    pub clubs: HasAndBelongsToMany<Club>,
    pub clubs_count: Aggregated<i64>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clubs_labels", primary_key = "club_id, label_id")]
pub struct ClubLabel {
    pub club_id: i64,
    pub label_id: i64,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "models of a test are as large as they are")]
pub enum About {
    Club(Club),
    Member(Member),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes")]
pub struct Note {
    pub id: i64,
    pub about_id: Option<i64>,
    #[column(length = 40)]
    pub about_type: Option<String>,
    pub weight: i32,
    #[belongs_to(polymorphic)]
    pub about: BelongsTo<Option<About>>,
    pub about_count: Aggregated<i64>,
}

/// Makes the tables and fills them: two clubs with members, one without; a member of no club.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Club>().await?;
    repo.create_table::<Member>().await?;
    repo.create_table::<Payment>().await?;
    repo.create_table::<Label>().await?;
    repo.create_table::<Note>().await?;
    repo.create_table::<ClubLabel>().await?;
    repo.insert_all(["Ann", "Bee", "Empty"].map(|name| Club::build().set(Club::NAME, name))).await?;
    let member = |club: Option<i64>, sponsor: Option<i64>, name, age: Option<i32>, fee: Option<Decimal>| {
        Member::build()
            .set(Member::CLUB_ID, club)
            .set(Member::SPONSOR_ID, sponsor)
            .set(Member::NAME, name)
            .set(Member::AGE, age)
            .set(Member::FEE, fee)
    };
    let cents = |cents: i64| Some(Decimal::new(cents, 2));
    repo.insert_all([
        member(Some(1), None, "Ann", Some(40), cents(1010)),
        member(Some(1), Some(1), "Bob", Some(12), cents(5)),
        member(Some(1), Some(1), "Cyd", None, None),
        member(Some(2), Some(2), "Dan", Some(40), cents(12_345_678_901)),
        member(Some(2), Some(4), "Eve", Some(40), cents(1)),
        member(None, Some(4), "Fay", Some(7), cents(700)),
    ])
    .await?;
    let payment = |member: i64, cents: i64| {
        Payment::build().set(Payment::MEMBER_ID, member).set(Payment::AMOUNT, Decimal::new(cents, 2))
    };
    repo.insert_all([payment(1, 110), payment(1, 90), payment(2, 333), payment(5, 1), payment(6, 9)]).await?;
    repo.insert_all([3, 5].map(|weight| Label::build().set(Label::WEIGHT, weight))).await?;
    let note = |about: Option<i64>, of: Option<&str>, weight| {
        Note::build().set(Note::ABOUT_ID, about).set(Note::ABOUT_TYPE, of.map(str::to_owned)).set(Note::WEIGHT, weight)
    };
    repo.insert_all([
        note(Some(1), Some("Club"), 4),
        note(Some(1), Some("Member"), 8),
        note(Some(2), Some("Member"), 16),
        note(Some(2), Some("Club"), 32),
        note(Some(2), Some("Club"), 64),
        note(None, None, 128),
    ])
    .await?;
    let link = |club: i64, label: i64| ClubLabel::build().set(ClubLabel::CLUB_ID, club).set(ClubLabel::LABEL_ID, label);
    repo.insert_all([link(1, 1), link(1, 2), link(2, 2)]).await.map(drop)
}
