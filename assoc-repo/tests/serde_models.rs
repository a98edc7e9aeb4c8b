//! `#[model(serde)]`: columns and what is loaded, read back as they were written.

#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use assoc_repo::LoadState;
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde, rename_all = "camelCase")]
struct User {
    id: i64,
    full_name: String,
    email: Option<String>,
    #[model(skip)]
    cached: u8,
    #[has_many]
    posts: HasMany<Post>,
    #[has_one]
    home_address: HasOne<Option<Address>>,
    #[has_many(through = "posts", source = "tags")]
    post_tags: HasManyThrough<Tag>,
    posts_count: Aggregated<i64>,
    most_stars: Aggregated<Option<i32>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Address {
    id: i64,
    user_id: i64,
    city: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Post {
    id: i64,
    user_id: i64,
    stars: i32,
    r#type: String,
    #[belongs_to]
    user: BelongsTo<User>,
    #[has_many]
    tags: HasMany<Tag>,
    origin: RowOrigin,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Tag {
    id: i64,
    post_id: i64,
    word: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Login {
    id: i64,
    #[column(serde = false)]
    password_hash: String,
    name: String,
    #[column(serde = false)]
    token: Option<String>,
}

#[test]
fn columns_that_stay_inside() {
    let login = Login { id: 1, password_hash: "$argon2id$".into(), name: "Ada".into(), token: Some("secret".into()) };
    assert_eq!(serde_json::to_value(&login).unwrap(), json!({ "id": 1, "name": "Ada" }));

    // What comes from outside does not get in.
    let read = json!({ "id": 1, "name": "Ada", "password_hash": "mine", "token": "mine" });
    let read: Login = serde_json::from_value(read).unwrap();
    assert_eq!(read, Login { id: 1, password_hash: String::new(), name: "Ada".into(), token: None });
}

#[derive(Polymorphic, Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Subject {
    Post(Post),
    Tag(Tag),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Remark {
    id: i64,
    subject_id: Option<i64>,
    subject_type: Option<String>,
    #[belongs_to(polymorphic)]
    subject: BelongsTo<Option<Subject>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Folder {
    id: i64,
    parent_id: Option<i64>,
    #[has_many(foreign_key = "parent_id")]
    children: HasMany<Folder>,
}

async fn filled() -> Repo {
    let repo = Repo::new(Sqlite::memory().unwrap());
    repo.create_table::<User>().await.unwrap();
    repo.create_table::<Address>().await.unwrap();
    repo.create_table::<Post>().await.unwrap();
    repo.create_table::<Tag>().await.unwrap();
    repo.create_table::<Remark>().await.unwrap();
    repo.create_table::<Folder>().await.unwrap();
    repo.insert(User::build().set(User::FULL_NAME, "Ada")).await.unwrap();
    repo.insert(Post::build().set(Post::USER_ID, 1).set(Post::STARS, 5).set(Post::TYPE, "\"quoted\"")).await.unwrap();
    repo.insert(Tag::build().set(Tag::POST_ID, 1).set(Tag::WORD, "🦀")).await.unwrap();
    repo
}

fn again<M: serde::Serialize + serde::de::DeserializeOwned>(row: &M) -> M {
    let text = serde_json::to_string(row).unwrap();
    let back: M = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
    back
}

#[test]
fn what_is_loaded_and_nothing_else() {
    pollster::block_on(async {
        let repo = filled().await;
        let bare = repo.get_or_fail::<User>(1, Query::new()).await.unwrap();
        assert_eq!(serde_json::to_value(&bare).unwrap(), json!({ "id": 1, "fullName": "Ada", "email": null }));
        let query = Query::preload((
            User::POSTS.with((Post::USER, Post::TAGS)),
            User::HOME_ADDRESS,
            User::POST_TAGS,
            User::POSTS.count_into(User::POSTS_COUNT),
            User::POSTS.filter(Post::STARS.gt(9)).aggregate_into(User::MOST_STARS, Post::STARS.max()),
        ));
        let user = repo.get_or_fail::<User>(1, query).await.unwrap();
        let tag = json!({ "id": 1, "post_id": 1, "word": "🦀" });
        assert_eq!(
            serde_json::to_value(&user).unwrap(),
            json!({
                "id": 1, "fullName": "Ada", "email": null,
                "posts": [{
                    "id": 1, "user_id": 1, "stars": 5, "type": "\"quoted\"",
                    // The owner again: a row, not a circle.
                    "user": { "id": 1, "fullName": "Ada", "email": null },
                    "tags": [tag],
                }],
                "homeAddress": null,
                "postTags": [tag],
                "postsCount": 1,
                "mostStars": null,
            })
        );
    });
}

#[test]
fn read_back_as_it_was_written() {
    pollster::block_on(async {
        let repo = filled().await;
        let query = Query::preload((User::POSTS.with(Post::USER), User::HOME_ADDRESS, User::POST_TAGS));
        let user = repo.get_or_fail::<User>(1, query.preload(User::POSTS.count_into(User::POSTS_COUNT))).await.unwrap();
        let mut back = again(&user);
        assert_eq!(back.posts().unwrap()[0].user().unwrap().full_name, "Ada");
        assert_eq!((*back.posts_count().unwrap(), back.most_stars().is_err()), (1, true));
        assert_eq!(back.home_address().unwrap(), None);
        // A cache is no proof that these are all rows: they are read again where all are asked for.
        assert_eq!((back.posts.state(), user.posts.state()), (LoadState::Partial, LoadState::Loaded));
        let (done, statements) = repo.count_statements(repo.preload(&mut back, User::POSTS)).await;
        done.unwrap();
        assert_eq!((statements, back.posts.state()), (1, LoadState::Loaded));
        let bare: User = again(&repo.get_or_fail::<User>(1, Query::new()).await.unwrap());
        assert!(bare.posts().is_err() && bare.home_address().is_err() && bare.posts_count().is_err());
    });
}

#[test]
fn of_several_types_and_hand_written() {
    pollster::block_on(async {
        let repo = filled().await;
        let remark = |of: &str| Remark::build().set(Remark::SUBJECT_ID, 1).set(Remark::SUBJECT_TYPE, of);
        repo.insert_all([remark("Post"), remark("Tag"), Remark::build()]).await.unwrap();
        let remarks = repo.all(Query::preload(Remark::SUBJECT).order_by(Remark::ID.asc())).await.unwrap();
        let back: Vec<Remark> = again(&remarks);
        assert!(matches!(back[0].subject().unwrap(), Some(Subject::Post(_))));
        assert!(matches!(back[1].subject().unwrap(), Some(Subject::Tag(_))));
        assert!(back[2].subject().unwrap().is_none());
        // Fixtures are written by hand: optional columns left out, names in any order, others passed over.
        let user: User =
            serde_json::from_value(json!({ "posts": [], "unknown": [{}], "fullName": "Fay", "id": 9 })).unwrap();
        assert_eq!(
            (user.id, &*user.full_name, user.email.as_deref(), user.posts().unwrap().len()),
            (9, "Fay", None, 0)
        );
        assert_eq!(user.cached, 0);
    });
}

#[test]
fn what_is_wrong_is_named() {
    let wrong = |value: serde_json::Value| serde_json::from_value::<User>(value).unwrap_err().to_string();
    assert_eq!(wrong(json!({ "id": 1 })), "missing field `fullName`");
    assert!(wrong(json!({ "id": "x", "fullName": "Ada" })).contains("invalid type: string \"x\""));
    assert!(wrong(json!([])).contains("expected a User"));
    assert!(wrong(json!({ "id": 1, "fullName": "Ada", "posts": [{}] })).contains("missing field `id`"));
    let twice = serde_json::from_str::<Tag>(r#"{"id":1,"id":2,"post_id":1,"word":""}"#).unwrap_err().to_string();
    assert!(twice.starts_with("duplicate field `id`"), "{twice}");
}

#[test]
fn deep_rows_end_with_an_error() {
    let folder = |levels: usize| {
        let mut folder = json!({ "id": 0, "parent_id": null });
        for id in 1..levels {
            folder = json!({ "id": id, "parent_id": null, "children": [folder] });
        }
        folder
    };
    let shallow: Folder = serde_json::from_value(folder(50)).unwrap();
    again(&shallow);
    // From values, which have no limit of their own.
    let error = serde_json::from_value::<Folder>(folder(300)).unwrap_err().to_string();
    assert_eq!(error, "rows lie more than 64 levels deep in each other");
}
