//! Associations through associations that go through others themselves, in every combination of kinds.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "writers")]
pub struct Writer {
    pub id: i64,
    #[has_many]
    pub essays: HasMany<Essay>,
    #[has_many]
    pub subscriptions: HasMany<Subscription>,
    #[has_many(through = "subscriptions")]
    pub subscribers: HasManyThrough<Subscriber>,
    #[has_one]
    pub portfolio: HasOne<Option<Portfolio>>,
    // has_many, then has_many through.
    #[has_many(through = "essays", source = "labels")]
    pub essay_labels: HasManyThrough<Label>,
    // has_many through, then has_many.
    #[has_many(through = "subscribers", source = "letters")]
    pub subscriber_letters: HasManyThrough<Letter>,
    // has_one, then has_many through.
    #[has_many(through = "portfolio", source = "galleries")]
    pub portfolio_galleries: HasManyThrough<Gallery>,
    // has_many, then a join table.
    #[has_many(through = "essays", source = "themes")]
    pub essay_themes: HasManyThrough<Theme>,
    // has_many through, then a join table.
    #[has_many(through = "subscribers", source = "lists")]
    pub subscriber_lists: HasManyThrough<List>,
    // has_many through, then belongs_to.
    #[has_many(through = "subscribers", source = "town")]
    pub subscriber_towns: HasManyThrough<Town>,
    // has_one, then has_one through.
    #[has_one(through = "portfolio", source = "agency")]
    pub portfolio_agency: HasOne<Option<Agency>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "essays")]
pub struct Essay {
    pub id: i64,
    pub writer_id: i64,
    #[belongs_to]
    pub writer: BelongsTo<Writer>,
    #[has_many]
    pub labellings: HasMany<Labelling>,
    #[has_many(through = "labellings")]
    pub labels: HasManyThrough<Label>,
    #[has_and_belongs_to_many]
    pub themes: HasAndBelongsToMany<Theme>,
    // A join table, then has_many.
    #[has_many(through = "themes", source = "remarks")]
    pub theme_remarks: HasManyThrough<Remark>,
    // belongs_to, then has_many through.
    #[has_many(through = "writer", source = "subscribers")]
    pub writer_subscribers: HasManyThrough<Subscriber>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "labellings")]
pub struct Labelling {
    pub id: i64,
    pub essay_id: i64,
    pub label_id: i64,
    #[belongs_to]
    pub label: BelongsTo<Label>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "labels")]
pub struct Label {
    pub id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "themes")]
pub struct Theme {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub remarks: HasMany<Remark>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "remarks")]
pub struct Remark {
    pub id: i64,
    pub theme_id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "subscriptions")]
pub struct Subscription {
    pub id: i64,
    pub writer_id: i64,
    pub subscriber_id: i64,
    #[belongs_to]
    pub subscriber: BelongsTo<Subscriber>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "subscribers")]
pub struct Subscriber {
    pub id: i64,
    pub name: String,
    pub town_id: Option<i64>,
    #[belongs_to]
    pub town: BelongsTo<Option<Town>>,
    #[has_many]
    pub letters: HasMany<Letter>,
    #[has_and_belongs_to_many]
    pub lists: HasAndBelongsToMany<List>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "letters")]
pub struct Letter {
    pub id: i64,
    pub subscriber_id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "lists")]
pub struct List {
    pub id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "portfolios")]
pub struct Portfolio {
    pub id: i64,
    pub writer_id: i64,
    #[has_many]
    pub showings: HasMany<Showing>,
    #[has_many(through = "showings")]
    pub galleries: HasManyThrough<Gallery>,
    #[has_one]
    pub contract: HasOne<Option<Contract>>,
    #[has_one(through = "contract")]
    pub agency: HasOne<Option<Agency>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "showings")]
pub struct Showing {
    pub id: i64,
    pub portfolio_id: i64,
    pub gallery_id: i64,
    #[belongs_to]
    pub gallery: BelongsTo<Gallery>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "galleries")]
pub struct Gallery {
    pub id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "contracts")]
pub struct Contract {
    pub id: i64,
    pub portfolio_id: i64,
    pub agency_id: i64,
    #[belongs_to]
    pub agency: BelongsTo<Agency>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "agencies")]
pub struct Agency {
    pub id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "towns")]
pub struct Town {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub members: HasMany<Member>,
    // has_many, then has_one through.
    #[has_many(through = "members", source = "club")]
    pub member_clubs: HasManyThrough<Club>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "members")]
pub struct Member {
    pub id: i64,
    pub town_id: i64,
    #[has_one]
    pub membership: HasOne<Option<ClubMembership>>,
    #[has_one(through = "membership")]
    pub club: HasOne<Option<Club>>,
    // has_one through, then has_one.
    #[has_one(through = "club", source = "sponsor")]
    pub club_sponsor: HasOne<Option<Sponsor>>,
    // has_one through, then has_many.
    #[has_many(through = "club", source = "events")]
    pub club_events: HasManyThrough<Event>,
    // has_one through, then belongs_to.
    #[has_one(through = "club", source = "town")]
    pub club_town: HasOne<Option<Town>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "club_memberships")]
pub struct ClubMembership {
    pub id: i64,
    pub member_id: i64,
    pub club_id: i64,
    #[belongs_to]
    pub club: BelongsTo<Club>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clubs")]
pub struct Club {
    pub id: i64,
    pub name: String,
    pub town_id: Option<i64>,
    #[belongs_to]
    pub town: BelongsTo<Option<Town>>,
    #[has_one]
    pub sponsor: HasOne<Option<Sponsor>>,
    #[has_many]
    pub events: HasMany<Event>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "sponsors")]
pub struct Sponsor {
    pub id: i64,
    pub club_id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "events")]
pub struct Event {
    pub id: i64,
    pub club_id: i64,
    pub name: String,
}

macro_rules! create_tables {
    ($repo:ident: $($model:ident)+) => { $($repo.create_table::<$model>().await?;)+ };
}

/// Makes the tables and fills them: two of everything, crosswise, and one of each that has nothing.
pub async fn fixture(repo: &Repo) -> Result<()> {
    create_tables!(repo: Writer Essay Labelling Label Theme Remark Subscription Subscriber Letter List Portfolio Showing
        Gallery Contract Agency Town Member ClubMembership Club Sponsor Event);
    let links = [
        "CREATE TABLE essays_themes (essay_id BIGINT NOT NULL, theme_id BIGINT NOT NULL)",
        "CREATE TABLE lists_subscribers (subscriber_id BIGINT NOT NULL, list_id BIGINT NOT NULL)",
    ];
    for sql in links {
        repo.execute_raw(sql, []).await?;
    }
    repo.insert_all((0..3).map(|_| Writer::build())).await?;
    repo.insert_all([1, 1, 2].map(|writer: i64| Essay::build().set(Essay::WRITER_ID, writer))).await?;
    repo.insert_all(["l1", "l2"].map(|name| Label::build().set(Label::NAME, name))).await?;
    let labelling =
        |essay: i64, label: i64| Labelling::build().set(Labelling::ESSAY_ID, essay).set(Labelling::LABEL_ID, label);
    repo.insert_all([labelling(1, 2), labelling(1, 1), labelling(2, 2), labelling(3, 1)]).await?;
    repo.insert_all(["t1", "t2"].map(|name| Theme::build().set(Theme::NAME, name))).await?;
    repo.execute_raw("INSERT INTO essays_themes VALUES (1, 1), (1, 2), (2, 2), (3, 2)", []).await?;
    let remark = |theme: i64, name| Remark::build().set(Remark::THEME_ID, theme).set(Remark::NAME, name);
    repo.insert_all([remark(2, "r1"), remark(1, "r2"), remark(2, "r3")]).await?;
    repo.insert_all(["north", "south"].map(|name| Town::build().set(Town::NAME, name))).await?;
    let subscriber =
        |name, town: Option<i64>| Subscriber::build().set(Subscriber::NAME, name).set(Subscriber::TOWN_ID, town);
    repo.insert_all([subscriber("s1", Some(2)), subscriber("s2", None), subscriber("s3", Some(2))]).await?;
    let subscription = |writer: i64, subscriber: i64| {
        Subscription::build().set(Subscription::WRITER_ID, writer).set(Subscription::SUBSCRIBER_ID, subscriber)
    };
    repo.insert_all([subscription(1, 3), subscription(1, 1), subscription(2, 1), subscription(2, 2)]).await?;
    let letter = |subscriber: i64, name| Letter::build().set(Letter::SUBSCRIBER_ID, subscriber).set(Letter::NAME, name);
    repo.insert_all([letter(1, "a"), letter(3, "b"), letter(1, "c"), letter(2, "d")]).await?;
    repo.insert_all(["x", "y"].map(|name| List::build().set(List::NAME, name))).await?;
    repo.execute_raw("INSERT INTO lists_subscribers VALUES (1, 2), (1, 1), (3, 2), (2, 1)", []).await?;
    repo.insert_all([1, 2].map(|writer: i64| Portfolio::build().set(Portfolio::WRITER_ID, writer))).await?;
    repo.insert_all(["g1", "g2"].map(|name| Gallery::build().set(Gallery::NAME, name))).await?;
    let showing = |portfolio: i64, gallery: i64| {
        Showing::build().set(Showing::PORTFOLIO_ID, portfolio).set(Showing::GALLERY_ID, gallery)
    };
    repo.insert_all([showing(1, 2), showing(1, 1), showing(2, 2)]).await?;
    repo.insert_all(["ag1", "ag2"].map(|name| Agency::build().set(Agency::NAME, name))).await?;
    repo.insert(Contract::build().set(Contract::PORTFOLIO_ID, 1).set(Contract::AGENCY_ID, 2)).await?;
    let club = |name, town: Option<i64>| Club::build().set(Club::NAME, name).set(Club::TOWN_ID, town);
    repo.insert_all([club("chess", Some(1)), club("rowing", None)]).await?;
    repo.insert_all([1, 1, 2, 2].map(|town: i64| Member::build().set(Member::TOWN_ID, town))).await?;
    let membership = |member: i64, club: i64| {
        ClubMembership::build().set(ClubMembership::MEMBER_ID, member).set(ClubMembership::CLUB_ID, club)
    };
    repo.insert_all([membership(1, 2), membership(2, 1), membership(3, 1)]).await?;
    repo.insert(Sponsor::build().set(Sponsor::CLUB_ID, 1).set(Sponsor::NAME, "bank")).await?;
    let event = |club: i64, name| Event::build().set(Event::CLUB_ID, club).set(Event::NAME, name);
    repo.insert_all([event(1, "open"), event(2, "race"), event(1, "blitz")]).await?;
    Ok(())
}
