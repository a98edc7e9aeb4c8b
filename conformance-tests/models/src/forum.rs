//! A forum: associations with hand-written SQL.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "members")]
pub struct Member {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    pub threshold: i64,
    #[has_many(finder_sql = popular_with, counter_sql = count_popular_with)]
    pub popular: HasMany<Message>,
    #[has_many(finder_sql = "mentions_of")]
    pub mentions: HasMany<Message>,
    #[has_many(finder_sql = mentions_of, filter = Message::SCORE.gt(1), order = Message::SCORE.desc(), limit = 2)]
    pub best_mentions: HasMany<Message>,
    #[has_and_belongs_to_many(finder_sql = mentions_of)]
    pub shared_mentions: HasAndBelongsToMany<Message>,
    #[has_many(finder_sql = without_bind)]
    pub broken: HasMany<Message>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "messages")]
pub struct Message {
    pub id: i64,
    pub member_id: i64,
    #[column(length = 40)]
    pub body: Option<String>,
    pub score: i64,
    #[belongs_to]
    pub member: BelongsTo<Member>,
}

// Posts of any author, the best first.
fn popular_with(member: &Member) -> RawSql {
    RawSql::new(
        "SELECT id, member_id, body, score FROM messages WHERE score >= ? ORDER BY score DESC, id",
        [Value::Int(member.threshold)],
    )
}

fn count_popular_with(member: &Member) -> RawSql {
    RawSql::new("SELECT COUNT(score) FROM messages WHERE score >= ?", [Value::Int(member.threshold)])
}

fn mentions_of(member: &Member) -> RawSql {
    RawSql::new(
        "SELECT m.id, m.member_id, m.body, m.score FROM messages AS m WHERE m.body LIKE ? ORDER BY m.id DESC",
        [Value::from(format!("%@{}%", member.name))],
    )
}

fn without_bind(_: &Member) -> RawSql {
    RawSql::new("SELECT id, member_id, body, score FROM messages WHERE score > ?", [])
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Member>().await?;
    repo.create_table::<Message>().await?;
    repo.insert_all([("ann", 4), ("bob", 2), ("cyd", 4)].map(|(name, threshold): (&str, i64)| {
        Member::build().set(Member::NAME, name).set(Member::THRESHOLD, threshold)
    }))
    .await?;
    let message = |member: i64, body: &str, score: i64| {
        Message::build()
            .set(Message::MEMBER_ID, member)
            .set(Message::BODY, Some(body.to_owned()))
            .set(Message::SCORE, score)
    };
    repo.insert_all([
        message(1, "hello @bob", 3),
        message(2, "hello @ann", 5),
        message(3, "@ann and @bob", 1),
        message(1, "nobody", 4),
        message(2, "@bob himself", 2),
        message(3, "again @bob", 3),
    ])
    .await?;
    Ok(())
}
