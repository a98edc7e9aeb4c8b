//! Input from outside of the program: what of it becomes a changeset, and what becomes a problem.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use assoc_repo::prelude::*;
use assoc_repo::{Changeset, FieldError, Input, Limits};
use assoc_sqlite::Sqlite;
use serde_json::json;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(rules = Self::rules)]
struct User {
    id: i64,
    name: String,
    nick: Option<String>,
    is_admin: bool,
    #[column(lock_version)]
    version: i64,
    #[has_many]
    posts: HasMany<Post>,
    #[has_one]
    desk: HasOne<Option<Desk>>,
}

impl User {
    fn rules(rules: Rules<User>) -> Rules<User> {
        rules.length(User::NAME, 1..=10).confirmation(User::NICK).acceptance("terms")
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(rules = Self::rules)]
struct Post {
    id: i64,
    user_id: Option<i64>,
    title: String,
    category_id: Option<i64>,
    #[belongs_to]
    category: BelongsTo<Option<Category>>,
    #[has_many]
    comments: HasMany<Comment>,
    #[has_and_belongs_to_many]
    tags: HasAndBelongsToMany<Tag>,
}

impl Post {
    fn rules(rules: Rules<Post>) -> Rules<Post> {
        rules.length(Post::TITLE, 2..)
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Comment {
    id: i64,
    post_id: Option<i64>,
    body: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Category {
    id: i64,
    name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Tag {
    id: i64,
    name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Desk {
    id: i64,
    user_id: Option<i64>,
    room: i32,
}

fn permit() -> Permit<User> {
    permit!(User {
        name,
        nick,
        desk: Desk { room },
        posts: permit!(Post {
            title,
            category: Category { name },
            comments: permit!(Comment { body }).allow_destroy(),
            tags: Tag { name },
        })
        .allow_destroy()
        .reject_all_blank()
        .limit(5),
    })
}

async fn tables() -> Repo {
    let repo = Repo::new(Sqlite::memory().unwrap());
    repo.create_table::<User>().await.unwrap();
    repo.create_table::<Post>().await.unwrap();
    repo.create_table::<Comment>().await.unwrap();
    repo.create_table::<Category>().await.unwrap();
    repo.create_table::<Tag>().await.unwrap();
    repo.create_table::<Desk>().await.unwrap();
    repo.execute_raw("CREATE TABLE posts_tags (post_id INTEGER, tag_id INTEGER)", []).await.unwrap();
    repo
}

fn user() -> Changeset<User> {
    build!(User {
        name: "Ada",
        is_admin: false,
        desk: Desk { room: 7 },
        posts: [
            Post { title: "On engines", category: Category { name: "machines" }, comments: [Comment { body: "a" }] },
            Post {
                title: "On looms",
                tags: [Tag { name: "cloth" }],
                comments: [Comment { body: "b" }, Comment { body: "c" }]
            },
        ],
    })
}

// The same literals, written by a macro that takes their parts: each is one piece then.
macro_rules! post_of {
    ($model:ident, $title:expr, $comments:expr, $category:expr) => {
        build!($model { title: $title, comments: $comments, category: $category })
    };
}

macro_rules! permit_of {
    ($model:ident, $below:expr) => {
        permit!($model { title, comments: $below })
    };
}

#[test]
fn literals_come_out_of_macros() {
    let draft =
        post_of!(Post, "On looms", [Comment { body: "a" }, Comment { body: "b" }], Category { name: "machines" });
    pollster::block_on(async {
        let repo = tables().await;
        let ada = repo.insert(build!(User { name: "Ada", is_admin: false, posts: [draft] })).await.unwrap();
        let post = &ada.posts().unwrap()[0];
        assert_eq!((post.comments().unwrap().len(), post.category().unwrap().is_some()), (2, true));
    });
    let cast = Post::cast(json!({"title": "twills", "comments": [{"body": "b"}]}), &permit_of!(Post, Comment { body }));
    assert!(cast.errors().is_empty(), "{:?}", cast.errors());
}

fn problems(changeset: &Changeset<User>) -> Vec<String> {
    changeset.errors().iter().map(|error| format!("{error} ({})", error.code)).collect()
}

async fn titles(repo: &Repo) -> Vec<String> {
    repo.pluck(Post::TITLE, Query::<Post>::order_by(Post::ID.asc())).await.unwrap()
}

#[test]
fn only_what_is_permitted_is_taken() {
    let input = json!({
        "id": 9, "name": "Ada", "is_admin": true, "version": 5, "unknown": {"deep": [1]},
        "posts": [{"title": "On engines", "user_id": 3, "id": null, "tags": [{"name": "x", "id": ""}]}],
    });
    let draft = User::cast(&input, &permit());
    let row = draft.as_row_change();
    let set: Vec<&str> = User::DEF
        .columns
        .iter()
        .zip(row.values())
        .filter(|(_, value)| value.is_some())
        .map(|(own, _)| own.field)
        .collect();
    assert_eq!(set, ["name"]);
    assert_eq!(draft.set(User::IS_ADMIN, false).errors(), []);
    let reported = User::cast(&input, &permit().report_unknown());
    let paths: Vec<String> =
        reported.errors().into_iter().map(|error| format!("{} {}", error.path, error.code)).collect();
    assert_eq!(
        paths,
        [
            "id not_permitted",
            "is_admin not_permitted",
            "unknown not_permitted",
            "version not_permitted",
            "is_admin missing"
        ]
    );
}

#[test]
fn wrong_types_have_paths_and_are_no_missing_values() {
    let input = json!({
        "name": 7, "nick": ["x"], "desk": {"room": "seven"},
        "posts": [{"title": "ok"}, {"title": null, "comments": {"0": {"body": 5}}}, 3, {"title": "x", "category": []}],
    });
    let draft = User::cast(&input, &permit()).set(User::IS_ADMIN, true);
    assert_eq!(
        problems(&draft),
        [
            "name must be text (wrong_type)",
            "nick must be text (wrong_type)",
            "posts[2] must be an object (wrong_type)",
            "desk.room must be a whole number (wrong_type)",
            "posts[1].title must not be blank (blank)",
            "posts[1].comments[0].body must be text (wrong_type)",
            "posts[3].category must be an object (wrong_type)",
            "posts[3].title is too short: at least 2 characters (too_short)",
        ]
    );
    assert_eq!(
        problems(&User::cast(json!([1]), &permit()).set(User::IS_ADMIN, true))[0],
        "input must be an object (wrong_type)"
    );
    let list = User::cast(json!({"name": "A", "posts": {"title": "x"}}), &permit()).set(User::IS_ADMIN, true);
    assert_eq!(problems(&list), ["posts must be a list of objects (wrong_type)"]);
}

#[test]
fn forms() {
    let form = [
        ("name", "x"),
        ("name", "Ada"),
        ("nick", ""),
        ("desk[room]", " 12 "),
        ("posts[10][title]", "ten"),
        ("posts[9][title]", "nine"),
        ("posts[9][comments][][body]", "a"),
        ("posts[9][comments][][body]", "b"),
        ("posts[11][title]", ""),
        ("_method", "patch"),
    ];
    let draft = User::cast(form, &permit()).set(User::IS_ADMIN, true);
    assert_eq!(draft.errors(), []);
    assert_eq!(draft.value_of(User::NICK), Some(&Value::Null));
    let repo = pollster::block_on(tables());
    let saved = pollster::block_on(repo.insert(draft)).unwrap();
    let titles: Vec<&str> = saved.posts().unwrap().iter().map(|post| &*post.title).collect();
    assert_eq!(titles, ["nine", "ten"]);
    assert_eq!(saved.posts().unwrap()[0].comments().unwrap().len(), 2);
    assert_eq!(saved.desk().unwrap().map(|desk| desk.room), Some(12));
    let both = User::cast([("posts", "x"), ("posts[0][title]", "y")], &permit()).set(User::IS_ADMIN, true);
    assert_eq!(both.errors()[0].to_string(), "input has `posts[0][title]` both as a field and as a group of fields");
    let map: HashMap<String, String> = HashMap::from([("name".to_owned(), "Ada".to_owned())]);
    assert_eq!(User::cast(map, &permit()).value_of(User::NAME), Some(&Value::from("Ada")));
}

#[test]
fn any_deserializer() {
    let input: Input =
        serde_json::from_str(r#"{"name": "Ada", "posts": [{"title": "On engines"}], "n": 1.5e3}"#).unwrap();
    let draft = User::cast(input, &permit()).set(User::IS_ADMIN, true);
    assert_eq!(draft.errors(), []);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(serde_json::from_str::<Input>(&deep).unwrap_err().to_string().contains("more than 32 levels"));
    let many = format!("[{}1]", "1,".repeat(20_000));
    assert!(serde_json::from_str::<Input>(&many).unwrap_err().to_string().contains("more than 10000 entries"));
}

#[test]
fn sizes_are_bounded() {
    let code = |draft: Changeset<User>| draft.errors()[0].code.clone();
    let small = permit().limits(Limits::new().depth(2).entries(8).bytes(40));
    let cast = |input: serde_json::Value| User::cast(&input, &small).set(User::IS_ADMIN, true).set(User::NAME, "Ada");
    assert_eq!(cast(json!({"name": "Ada"})).errors(), []);
    assert_eq!(code(cast(json!({"a": {"b": {"c": 1}}}))), FieldError::TOO_MANY);
    assert_eq!(code(cast(json!({"a": [1, 2, 3, 4, 5, 6, 7, 8, 9]}))), FieldError::TOO_MANY);
    assert_eq!(code(cast(json!({"name": "x".repeat(50)}))), FieldError::TOO_MANY);
    let mut deep = json!(1);
    for _ in 0..10_000 {
        deep = serde_json::Value::Array(vec![deep]);
    }
    assert_eq!(code(User::cast(&deep, &permit())), FieldError::TOO_MANY);
    // Without the stack.
    while let serde_json::Value::Array(mut items) = deep {
        deep = items.pop().unwrap();
    }
    let name = format!("a{}", "[b]".repeat(100_000));
    assert_eq!(code(User::cast([(name, "x")], &permit())), FieldError::TOO_MANY);
    let posts: Vec<_> = (0..6).map(|at| json!({"title": format!("post {at}")})).collect();
    let many = User::cast(json!({"name": "Ada", "posts": posts}), &permit()).set(User::IS_ADMIN, true);
    assert_eq!(problems(&many), ["posts takes at most 5 entries at a time (too_many)"]);
}

#[test]
fn confirmations_and_acceptances() {
    let permit = permit!(User { name, nick }).confirmation(User::NICK).acceptance("terms");
    let cast = |input: serde_json::Value| {
        let draft = User::cast(&input, &permit).set(User::IS_ADMIN, false);
        draft.errors().into_iter().map(|error| format!("{} {}", error.path, error.code)).collect::<Vec<_>>()
    };
    assert_eq!(cast(json!({"name": "a", "nick": "b", "nick_confirmation": "b", "terms": true})), [""; 0]);
    assert_eq!(
        cast(json!({"name": "a", "nick": "b", "nick_confirmation": "c"})),
        ["nick_confirmation confirmation", "terms acceptance"]
    );
}

#[test]
fn members_are_found_changed_added_and_removed() {
    pollster::block_on(async {
        let repo = tables().await;
        let ada = repo.insert(user()).await.unwrap();
        let ada = repo.get_or_fail::<User>(ada.id, Query::new()).await.unwrap();
        let input = json!({
            "name": "Ada L.",
            "posts": [
                {"id": "1", "title": "On engines, again", "comments": [{"id": 1, "body": "changed"}, {"body": "new"}]},
                {"id": 2, "comments": [{"id": 3, "_destroy": true}, {"id": 2, "body": "b2"}, {"_destroy": 1, "body": "never"}],
                 "tags": [{"id": 1, "name": "textile"}, {"name": "weaving"}]},
                {"title": "", "comments": []},
                {"title": "On looms, new"},
            ],
        });
        let (saved, statements) = repo.count_statements(repo.update(ada.change().cast(&input, &permit()))).await;
        let saved = saved.unwrap();
        assert_eq!(saved.name, "Ada L.");
        // The members: posts, comments, tags and their links. The save looks them up again, and writes.
        println!("{statements} statements");
        assert_eq!(titles(&repo).await, ["On engines, again", "On looms", "On looms, new"]);
        let bodies =
            repo.pluck((Comment::POST_ID, Comment::BODY), Query::<Comment>::order_by(Comment::ID.asc())).await.unwrap();
        let text = |text: &str| text.to_owned();
        assert_eq!(bodies, [(Some(1), text("changed")), (Some(2), text("b2")), (Some(1), text("new"))]);
        let posts = repo.all(Query::<Post>::preload(Post::TAGS).filter(Post::ID.eq(2))).await.unwrap();
        let tags: Vec<&str> = posts[0].tags().unwrap().iter().map(|tag| &*tag.name).collect();
        assert_eq!(tags, ["textile", "weaving"]);
    });
}

#[test]
fn what_is_loaded_costs_nothing() {
    pollster::block_on(async {
        let repo = tables().await;
        let ada = repo.insert(user()).await.unwrap();
        let input = json!({"posts": [{"id": 1, "title": "changed"}]});
        let loaded = ada.change().cast(&input, &permit());
        let (_, with) = repo.count_statements(repo.update(loaded)).await;
        let ada = repo.get_or_fail::<User>(ada.id, Query::new()).await.unwrap();
        let input = json!({"posts": [{"id": 1, "title": "changed again"}, {"id": 2, "title": "changed too"}]});
        let (_, without) = repo.count_statements(repo.update(ada.change().cast(&input, &permit()))).await;
        // Titles that differ are one statement each.
        assert_eq!(without, with + 2);
    });
}

#[test]
fn a_key_of_another_owner_is_refused_and_nothing_is_written() {
    pollster::block_on(async {
        let repo = tables().await;
        repo.insert(user()).await.unwrap();
        let bob = repo.insert(build!(User { name: "Bob", is_admin: false })).await.unwrap();
        for input in [
            json!({"name": "Rob", "posts": [{"id": 1, "title": "stolen"}]}),
            json!({"name": "Rob", "posts": [{"id": 1, "_destroy": true}]}),
            json!({"name": "Rob", "posts": [{"id": 99, "title": "nothing there"}]}),
            json!({"name": "Rob", "desk": {"id": 1, "room": 1}}),
        ] {
            let error = repo.update(bob.change().cast(&input, &permit())).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::NotMember { model: "User", .. }), "{error}");
            assert!(error.to_string().contains("of User 2: it is another owner's, or gone"), "{error}");
            assert!(Changeset::<User>::refused_by(&error).is_some());
        }
        assert_eq!(titles(&repo).await, ["On engines", "On looms"]);
        assert_eq!(repo.pluck(User::NAME, Query::<User>::order_by(User::ID.asc())).await.unwrap(), ["Ada", "Bob"]);
        // A new owner has no members.
        let new = User::cast(json!({"name": "Cyd", "posts": [{"id": 1, "title": "stolen"}]}), &permit());
        assert_eq!(
            problems(&new.set(User::IS_ADMIN, false)),
            ["posts[0].id names a row, and its owner is new: it has no members yet (no_member)"]
        );
    });
}

#[test]
fn associations_to_one() {
    pollster::block_on(async {
        let repo = tables().await;
        let ada = repo.insert(user()).await.unwrap();
        let rooms =
            async || repo.pluck((Desk::USER_ID, Desk::ROOM), Query::<Desk>::order_by(Desk::ID.asc())).await.unwrap();
        let plain = permit!(User { desk: Desk { room } });
        let save = async |input: serde_json::Value, permit: &Permit<User>| {
            let row = repo.get_or_fail::<User>(ada.id, Query::new()).await.unwrap();
            repo.update(row.change().cast(&input, permit)).await
        };
        save(json!({"desk": {"id": 1, "room": 8}}), &plain).await.unwrap();
        assert_eq!(rooms().await, [(Some(1), 8)], "with its key it is changed");
        save(json!({"desk": {"room": 9}}), &plain).await.unwrap();
        assert_eq!(rooms().await, [(None, 8), (Some(1), 9)], "without it is replaced");
        let in_place = permit!(User { desk: permit!(Desk { room }).update_only().allow_destroy() });
        save(json!({"desk": {"room": 10}}), &in_place).await.unwrap();
        assert_eq!(rooms().await, [(None, 8), (Some(1), 10)], "or changed in place");
        save(json!({"desk": {"_destroy": "1"}}), &in_place).await.unwrap();
        assert_eq!(rooms().await, [(None, 8)], "or destroyed");
        save(json!({"desk": {"room": 11}}), &in_place).await.unwrap();
        assert_eq!(rooms().await, [(None, 8), (Some(1), 11)], "and built where there is none");
        assert!(save(json!({"desk": {"id": 1, "room": 1}}), &plain).await.unwrap_err().is_not_found());
        // A target that the row refers to.
        let post = repo.get_or_fail::<Post>(1, Query::new()).await.unwrap();
        let named = permit!(Post { category: permit!(Category { name }).allow_destroy() });
        let post =
            repo.update(post.change().cast(json!({"category": {"id": 1, "name": "engines"}}), &named)).await.unwrap();
        assert_eq!(post.category().unwrap().map(|category| &*category.name), Some("engines"));
        let post = repo.update(post.change().cast(json!({"category": {"name": "new"}}), &named)).await.unwrap();
        assert_eq!(post.category_id, Some(2));
        let wrong = repo.update(post.change().cast(json!({"category": {"id": 1, "name": "x"}}), &named)).await;
        assert!(wrong.unwrap_err().is_not_found());
        let post =
            repo.update(post.change().cast(json!({"category": {"id": 2, "_destroy": true}}), &named)).await.unwrap();
        assert_eq!(post.category_id, None);
        assert_eq!(repo.count(Query::<Category>::new()).await.unwrap(), 2);
    });
}

#[test]
fn rules_see_the_members_that_were_found() {
    pollster::block_on(async {
        let repo = tables().await;
        let ada = repo.insert(user()).await.unwrap();
        let ada = repo.get_or_fail::<User>(ada.id, Query::new()).await.unwrap();
        let input = json!({"posts": [{"title": " "}, {"id": 2, "title": "x"}, {"title": "y"}]});
        let error = repo.update(ada.change().cast(&input, &permit())).await.unwrap_err();
        let ErrorKind::Invalid { errors, .. } = error.kind() else { panic!("{error}") };
        let paths: Vec<&str> = errors.iter().map(|error| &*error.path).collect();
        assert_eq!(paths, ["posts[1].title", "posts[2].title"], "entries that are left out count");
        assert_eq!(titles(&repo).await, ["On engines", "On looms"]);
    });
}

/// A generator of numbers that is the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn key(&mut self) -> String {
        const KEYS: [&str; 22] = [
            "id",
            "name",
            "nick",
            "is_admin",
            "version",
            "posts",
            "desk",
            "room",
            "title",
            "category",
            "comments",
            "body",
            "tags",
            "user_id",
            "post_id",
            "_destroy",
            "nick_confirmation",
            "terms",
            "0",
            "7",
            "",
            "x[y",
        ];
        KEYS[self.below(KEYS.len())].to_owned()
    }

    fn text(&mut self) -> String {
        const TEXTS: [&str; 14] = [
            "",
            " ",
            "1",
            "-1",
            "99999999999999999999",
            "1e999999999",
            "true",
            "on",
            "Ada",
            "\0",
            "ä\u{1F600}",
            "2024-02-30",
            "NaN",
            "{}",
        ];
        TEXTS[self.below(TEXTS.len())].to_owned()
    }

    fn json(&mut self, depth: usize) -> serde_json::Value {
        match self.below(if depth == 0 { 7 } else { 12 }) {
            0 => json!(null),
            1 => json!(self.below(2) == 0),
            2 => json!(self.below(4)),
            3 => json!(-(self.below(1_000) as i64)),
            4 => json!(u64::MAX - self.below(3) as u64),
            5 => json!(self.below(1_000) as f64 * 1e300),
            6 => json!(self.text()),
            7 | 8 => {
                let count = self.below(4);
                serde_json::Value::Array((0..count).map(|_| self.json(depth - 1)).collect())
            }
            _ => {
                let count = self.below(7);
                serde_json::Value::Object((0..count).map(|_| (self.key(), self.json(depth - 1))).collect())
            }
        }
    }

    fn field(&mut self) -> (String, String) {
        let mut name = self.key();
        for _ in 0..self.below(5) {
            name = format!("{name}[{}]", if self.below(4) == 0 { String::new() } else { self.key() });
        }
        (name, self.text())
    }
}

// Every row of the database, whatever table it is of.
async fn everything(repo: &Repo) -> (Vec<User>, Vec<Post>, Vec<Comment>, Vec<Category>, Vec<Tag>, Vec<Desk>) {
    (
        repo.all(Query::order_by(User::ID.asc())).await.unwrap(),
        repo.all(Query::order_by(Post::ID.asc())).await.unwrap(),
        repo.all(Query::order_by(Comment::ID.asc())).await.unwrap(),
        repo.all(Query::order_by(Category::ID.asc())).await.unwrap(),
        repo.all(Query::order_by(Tag::ID.asc())).await.unwrap(),
        repo.all(Query::order_by(Desk::ID.asc())).await.unwrap(),
    )
}

#[test]
fn random_input_changes_nothing_that_is_not_permitted() {
    let cases: u64 = std::env::var("ASSOC_PROPERTY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400);
    pollster::block_on(async {
        let repo = tables().await;
        repo.insert(user()).await.unwrap();
        repo.insert(build!(User {
            name: "Bob",
            is_admin: true,
            posts: [Post { title: "Bob's" }],
            desk: Desk { room: 1 }
        }))
        .await
        .unwrap();
        let permits = [permit(), permit().report_unknown()];
        let mut saved = 0;
        for seed in 1..=cases {
            let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
            let permit = &permits[random.below(2)];
            let ada = repo.get_or_fail::<User>(1, Query::new()).await.unwrap();
            let change = if random.below(3) == 0 {
                let count = random.below(8);
                let fields: Vec<(String, String)> = (0..count).map(|_| random.field()).collect();
                ada.change().cast(fields, permit)
            } else {
                // Mostly an object with known keys, so that some of it is valid.
                let mut input = random.json(5);
                if let (serde_json::Value::Object(entries), 0..2) = (&mut input, random.below(3)) {
                    entries.insert("name".into(), json!("Ada"));
                    entries.remove("desk");
                }
                ada.change().cast(&input, permit)
            };
            let before = everything(&repo).await;
            let problems = change.errors();
            let result = repo.update(change).await;
            let after = everything(&repo).await;
            let Ok(_) = result else {
                assert_eq!(before, after, "seed {seed}: a refused save writes nothing");
                continue;
            };
            saved += 1;
            assert!(problems.is_empty(), "seed {seed}: saved with problems");
            // Of the user the name and nick alone, and nothing of Bob and what is his.
            assert_eq!(
                after.0[0],
                User {
                    name: after.0[0].name.clone(),
                    nick: after.0[0].nick.clone(),
                    version: after.0[0].version,
                    ..before.0[0].clone()
                }
            );
            assert_eq!(after.0[1], before.0[1], "seed {seed}");
            for post in &before.1 {
                let now = after.1.iter().find(|other| other.id == post.id);
                let same_owner = now.is_none_or(|now| now.user_id == post.user_id);
                assert!(same_owner, "seed {seed}: {post:?} became {now:?}");
                if post.user_id != Some(1) {
                    assert_eq!(now, Some(post), "seed {seed}");
                }
            }
        }
        println!("{saved} of {cases} were saved");
        assert!(saved * 20 > cases, "{saved} of {cases} were saved");
    });
}
