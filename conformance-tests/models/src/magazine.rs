//! A magazine: authors, articles, topics, remarks. Associations that read some columns, or some rows of a kind.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "authors")]
pub struct Author {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub articles: HasMany<Article>,
    #[has_many(scope = titles)]
    pub titles: HasMany<Article>,
    #[has_many(scope = without_foreign_key)]
    pub loose_titles: HasMany<Article>,
    #[has_many(scope = longest)]
    pub longest_articles: HasMany<Article>,
    #[has_many(through = "longest_articles", source = "topics")]
    pub longest_topics: HasManyThrough<Topic>,
    #[has_many(through = "articles", source = "areas")]
    pub areas_of_articles: HasManyThrough<Topic>,
    #[has_many(through = "articles")]
    pub topics: HasManyThrough<Topic>,
    #[has_many(through = "titles", source = "topics")]
    pub topics_of_titles: HasManyThrough<Topic>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "articles")]
pub struct Article {
    pub id: i64,
    pub author_id: Option<i64>,
    #[column(length = 40)]
    pub section: Option<String>,
    #[column(length = 40)]
    pub title: String,
    #[column(length = 40)]
    pub body: Option<String>,
    pub pages: Option<i64>,
    #[belongs_to]
    pub author: BelongsTo<Option<Author>>,
    #[has_and_belongs_to_many]
    pub topics: HasAndBelongsToMany<Topic>,
    #[has_and_belongs_to_many(scope = one_of_each_area)]
    pub areas: HasAndBelongsToMany<Topic>,
    #[has_many(as = "subject")]
    pub remarks: HasMany<Remark>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "topics")]
pub struct Topic {
    pub id: i64,
    #[column(length = 40)]
    pub name: String,
    #[column(length = 40)]
    pub area: Option<String>,
    #[has_and_belongs_to_many]
    pub articles: HasAndBelongsToMany<Article>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Subject {
    Article(Article),
    Author(Author),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "remarks")]
pub struct Remark {
    pub id: i64,
    pub subject_id: Option<i64>,
    #[column(length = 40)]
    pub subject_type: Option<String>,
    #[column(length = 40)]
    pub text: Option<String>,
    #[belongs_to(polymorphic)]
    pub subject: BelongsTo<Option<Subject>>,
}

fn titles(articles: Scope<Article>) -> Scope<Article> {
    articles.select((Article::ID, Article::AUTHOR_ID, Article::TITLE)).order_by(Article::TITLE.asc())
}

fn longest(articles: Scope<Article>) -> Scope<Article> {
    articles.group_by(Article::SECTION).order_by(Article::PAGES.desc())
}

fn one_of_each_area(topics: Scope<Topic>) -> Scope<Topic> {
    topics.group_by(Topic::AREA)
}

fn without_foreign_key(articles: Scope<Article>) -> Scope<Article> {
    articles.select((Article::ID, Article::TITLE))
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Author>().await?;
    repo.create_table::<Article>().await?;
    repo.create_table::<Topic>().await?;
    repo.create_table::<Remark>().await?;
    repo.execute_raw("CREATE TABLE articles_topics (article_id INTEGER, topic_id INTEGER)", []).await?;
    repo.insert_all(["Ann", "Bob", "Cyd"].map(|name: &str| Author::build().set(Author::NAME, name))).await?;
    let article = |author: Option<i64>, section: Option<&str>, title: &str, pages: Option<i64>| {
        Article::build()
            .set(Article::AUTHOR_ID, author)
            .set(Article::SECTION, section.map(str::to_owned))
            .set(Article::TITLE, title)
            .set(Article::BODY, Some(format!("on {title}")))
            .set(Article::PAGES, pages)
    };
    // Two of Ann's have no section, and two of her news are equally long; Cyd has none.
    repo.insert_all([
        article(Some(1), Some("news"), "wind", Some(3)),
        article(Some(2), Some("news"), "rain", Some(1)),
        article(Some(1), None, "letter", None),
        article(Some(1), Some("sports"), "chess", Some(2)),
        article(Some(1), Some("news"), "storm", Some(3)),
        article(Some(1), None, "answer", Some(1)),
        article(None, Some("news"), "lost", Some(9)),
        article(Some(2), Some("sports"), "rowing", Some(4)),
    ])
    .await?;
    let topic = |name: &str, area: Option<&str>| {
        Topic::build().set(Topic::NAME, name).set(Topic::AREA, area.map(str::to_owned))
    };
    repo.insert_all([
        topic("weather", Some("nature")),
        topic("sea", Some("nature")),
        topic("games", Some("people")),
        topic("post", None),
        topic("mail", None),
    ])
    .await?;
    repo.execute_raw(
        "INSERT INTO articles_topics (article_id, topic_id) VALUES \
         (1, 2), (1, 1), (2, 1), (3, 4), (3, 5), (4, 3), (5, 1), (5, 3), (8, 2), (8, 3)",
        [],
    )
    .await?;
    let remark = |id: i64, of: &str| {
        Remark::build()
            .set(Remark::SUBJECT_ID, Some(id))
            .set(Remark::SUBJECT_TYPE, Some(of.to_owned()))
            .set(Remark::TEXT, Some(format!("{of} {id}")))
    };
    repo.insert_all([remark(1, "Article"), remark(1, "Author"), remark(4, "Article")]).await?;
    Ok(())
}
