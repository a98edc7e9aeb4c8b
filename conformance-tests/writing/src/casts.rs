//! Input from outside of the program: values of every type, and members of every kind.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Input, Limits};
use conformance_harness::{Context, Level, cases};
use conformance_written_models::sheets::{self, Sheet};
use serde_json::{Value as Json, json};

use conformance_written_models::guild::{
    self, Account, Book, Comment, Company, Dog, Group, Keeper, Membership, Picture, Post, Shelf, Tag, Topic, User,
};

cases! { "casts", Level::Write;
    every_type,
    every_type_of_a_form,
    wrong_types,
    null_and_missing,
    three_levels,
    loaded_members,
    kinds_of_links,
    composite_keys,
    single_table_inheritance,
    associations_to_one,
    rows_of_others,
    rejected_and_limited,
    literals,
}

fn all_types() -> Json {
    json!({
        "id": 77,
        "tiny": -128, "short": -32768, "int": 2147483647, "big": i64::MIN, "byte": 255, "word": 65535,
        "long": 4294967295_u32, "huge": 9007199254740993_u64, "single": 1.5, "double": -0.1, "flag": true, "text": " ä ",
        "bytes": [0, 255, 7], "uuid": "00112233-4455-6677-8899-aabbccddeeff", "decimal": "12345678901234.567890",
        "json": {"a": [1, null, "x\"\n"]}, "day": "2024-02-29", "clock": "23:59:59.25", "moment": "2024-02-29T12:30",
        "instant": "2024-02-29T12:30:00+02:00", "jiff_day": "0999-12-31", "jiff_instant": "2024-02-29 00:00:00Z",
        "time_day": "2024-12-31", "time_moment": "2024-12-31 01:02:03", "cents": 250, "size": "large",
        "maybe_int": null, "maybe_text": "", "maybe_flag": 0, "maybe_decimal": 0.5, "maybe_day": null, "maybe_uuid": null,
        "maybe_json": null, "maybe_bytes": "abc",
    })
}

async fn stored(cx: &mut Context, label: &str, sheet: Changeset<Sheet>) -> Result<()> {
    let repo = cx.repo();
    let saved = repo.insert(sheet).await?;
    let fresh = repo.get_or_fail::<Sheet>(saved.id, Query::new()).await?;
    cx.require(saved == fresh, "what comes back is what is stored")?;
    cx.show(label, [fresh]);
    Ok(())
}

async fn every_type(cx: &mut Context) -> Result<()> {
    sheets::tables(&cx.repo()).await?;
    let draft = Sheet::cast(all_types(), &sheets::permit_all());
    stored(cx, "of JSON", draft).await?;
    // The same values as text.
    let Json::Object(entries) = all_types() else { return Ok(()) };
    let as_text = entries.into_iter().map(|(key, value)| match value {
        Json::Number(number) => (key, Json::String(number.to_string())),
        Json::Bool(flag) => (key, Json::String(flag.to_string())),
        other => (key, other),
    });
    let as_text = Json::Object(as_text.collect());
    stored(cx, "of texts", Sheet::cast(as_text, &sheets::permit_all())).await
}

async fn every_type_of_a_form(cx: &mut Context) -> Result<()> {
    sheets::tables(&cx.repo()).await?;
    let Json::Object(entries) = all_types() else { return Ok(()) };
    let fields: Vec<(String, String)> = entries
        .into_iter()
        .filter(|(key, _)| key != "bytes")
        .map(|(key, value)| match value {
            Json::String(text) => (key, text),
            Json::Null => (key, String::new()),
            other => (key, other.to_string()),
        })
        .chain([("bytes".to_owned(), "\0ä".to_owned())])
        .collect();
    let draft = Sheet::cast(fields, &sheets::permit_all());
    stored(cx, "of a form", draft).await
}

async fn wrong_types(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    sheets::tables(&repo).await?;
    let wrong = json!({
        "tiny": 128, "short": 1.5, "int": "1_000", "big": "9223372036854775808", "byte": -1, "word": "x", "long": [1],
        "huge": -1, "single": 1e300, "double": "inf", "flag": 2, "text": 5, "bytes": [256], "uuid": "00", "decimal": "1,5",
        "json": 1, "day": "2023-02-29", "clock": "25:00", "moment": "soon", "instant": 0, "jiff_day": "2023-13-01",
        "jiff_instant": "x", "time_day": true, "time_moment": {}, "cents": "2.5", "size": "medium", "maybe_int": "",
        "maybe_flag": "maybe", "maybe_decimal": "1e200000",
    });
    let draft = Sheet::cast(&wrong, &sheets::permit_all());
    let problems: Vec<String> = draft.errors().iter().map(|error| format!("{error} ({})", error.code)).collect();
    cx.show("problems", problems);
    cx.fails("refused before any SQL", repo.insert(draft)).await.map(|_| ())
}

async fn null_and_missing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    sheets::tables(&repo).await?;
    let sheet = repo.insert(Sheet::cast(all_types(), &sheets::permit_all())).await?;
    let input = json!({"maybe_text": null, "maybe_bytes": null, "int": 5});
    let changed = repo.update(sheet.change().cast(&input, &sheets::permit_all())).await?;
    let expected = Sheet { maybe_text: None, maybe_bytes: None, int: 5, ..sheet };
    cx.require(changed == expected, "what is missing stays, and null is NULL")?;
    let nulls = json!({"int": null, "text": null, "json": null});
    let draft = changed.change().cast(&nulls, &sheets::permit_all());
    let problems: Vec<String> = draft.errors().iter().map(ToString::to_string).collect();
    cx.show("what must not be NULL", problems);
    let form = [("text", ""), ("maybe_text", ""), ("int", " ")];
    let draft = changed.change().cast(form, &sheets::permit_all());
    cx.show("set by empty fields", [draft.value_of(Sheet::TEXT), draft.value_of(Sheet::MAYBE_TEXT)]);
    let problems: Vec<String> = draft.errors().iter().map(ToString::to_string).collect();
    cx.show("empty fields", problems);
    Ok(())
}

fn writer() -> Permit<User> {
    permit!(User {
        name,
        company: Company { name },
        account: Account { number },
        posts: permit!(Post {
            title,
            comments: permit!(Comment { body }).allow_destroy(),
            tags: permit!(Tag { name }).allow_destroy(),
            topics: Topic { code, name },
        })
        .allow_destroy()
        .reject_all_blank(),
        groups: permit!(Group { name }).allow_destroy(),
        pictures: permit!(Picture { name }).allow_destroy(),
    })
}

async fn ada(repo: &Repo) -> Result<User> {
    guild::tables(repo).await?;
    let input = json!({
        "name": "Ada",
        "company": {"name": "Analytical"},
        "account": {"number": "7"},
        "posts": [
            {"title": "On engines", "comments": [{"body": "a"}, {"body": "b"}], "tags": [{"name": "rust"}]},
            {"title": "On looms", "topics": [{"code": 70, "name": "cloth"}]},
        ],
        "groups": [{"name": "Poets"}],
        "pictures": [{"name": "portrait"}],
    });
    let saved = repo.insert(User::cast(&input, &writer())).await?;
    repo.get_or_fail::<User>(saved.id, Query::new()).await
}

async fn table(cx: &mut Context, name: &str, columns: &str) -> Result<()> {
    cx.rows(name, &format!("SELECT {columns} FROM {name} ORDER BY {columns}")).await
}

async fn three_levels(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let input = json!({
        "name": "Ada L.",
        "posts": [
            {"id": 1, "title": "On engines, again", "comments": [
                {"id": "2", "_destroy": "0", "body": "b, again"}, {"body": "new"},
            ]},
            {"id": 2, "comments": [{"body": "first"}], "tags": [{"name": "cloth"}]},
            {"title": "New", "comments": [{"body": "of a new post"}]},
        ],
    });
    cx.step("created and changed", repo.update(ada.change().cast(&input, &writer()))).await?;
    table(cx, "posts", "id, user_id, title").await?;
    table(cx, "comments", "id, post_id, body").await?;
    table(cx, "tags", "id, name").await
}

async fn loaded_members(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let input = |title: &str| json!({"posts": [{"id": 1, "title": title}, {"id": 2, "title": title}]});
    let not_loaded = ada.change().cast(input("one"), &writer());
    cx.step("members that are not loaded are read", repo.update(not_loaded)).await?;
    let loaded = repo.get_or_fail::<User>(ada.id, Query::preload(User::POSTS)).await?;
    let loaded = loaded.change().cast(input("two"), &writer());
    cx.step("loaded ones are not", repo.update(loaded)).await?;
    table(cx, "posts", "id, title").await
}

async fn kinds_of_links(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let input = json!({
        "posts": [{"id": 1, "tags": [{"id": 1, "name": "rust!"}, {"name": "new"}]}],
        "groups": [{"id": 1, "name": "Poets!"}, {"name": "Novelists"}],
        "pictures": [{"id": 1, "name": "portrait!"}, {"name": "profile"}],
    });
    cx.step("changed and added", repo.update(ada.change().cast(&input, &writer()))).await?;
    let input = json!({
        "posts": [{"id": 1, "tags": [{"id": 1, "_destroy": true}]}],
        "groups": [{"id": 1, "_destroy": true}],
        "pictures": [{"id": 1, "_destroy": true}],
    });
    cx.step("taken away", repo.update(ada.change().cast(&input, &writer()))).await?;
    table(cx, "posts_tags", "post_id, tag_id").await?;
    table(cx, "tags", "id, name").await?;
    table(cx, "memberships", "user_id, group_id").await?;
    table(cx, "groups_of_writers", "id, name").await?;
    table(cx, "pictures", "id, name, subject_id, subject_type").await?;
    table(cx, "taggings", "post_id, topic_id").await
}

async fn composite_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let new = permit!(Shelf { room, number, books: Book { isbn } });
    let shelves = [
        json!({"room": 3, "number": 8, "books": [{"isbn": "x"}, {"isbn": "y"}]}),
        json!({"room": 3, "number": 9, "books": [{"isbn": "z"}]}),
    ];
    let shelves = repo.insert_all(shelves.iter().map(|shelf| Shelf::cast(shelf, &new))).await?;
    cx.show("saved", &shelves);
    let shelf = repo.all(Query::<Shelf>::order_by(Shelf::NUMBER.asc())).await?.remove(0);
    // A part of a book's key is its shelf's.
    let known = permit!(Shelf { books: permit!(Book {}).allow_destroy() });
    let change = |isbn: &str| shelf.change().cast(json!({"books": [{"isbn": isbn, "_destroy": true}]}), &known);
    cx.step("taken away by its own part", repo.update(change("x"))).await?;
    cx.fails("another shelf's", repo.update(change("z"))).await?;
    table(cx, "books", "room, isbn, shelf_number").await
}

async fn single_table_inheritance(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let permit = permit!(Keeper { name, dogs: Dog { name } });
    let kim =
        repo.insert(Keeper::cast(json!({"name": "Kim", "dogs": [{"name": "Rex", "kind": "cat"}]}), &permit)).await?;
    repo.execute_raw("INSERT INTO beasts (id, owner_id, kind, name) VALUES (9, 1, 'cat', 'Tom')", []).await?;
    let kim = repo.get_or_fail::<Keeper>(kim.id, Query::new()).await?;
    let change = |id: i64| kim.change().cast(json!({"dogs": [{"id": id, "name": "Bello"}]}), &permit);
    cx.step("a dog", repo.update(change(1))).await?;
    cx.fails("a cat of the same table", repo.update(change(9))).await?;
    table(cx, "beasts", "id, owner_id, kind, name").await
}

async fn associations_to_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let plain = permit!(User { account: Account { number }, company: permit!(Company { name }).allow_destroy() });
    let in_place = permit!(User {
        account: permit!(Account { number }).update_only().allow_destroy(),
        company: permit!(Company { name }).update_only(),
    });
    let steps = [
        ("with their keys", &plain, json!({"account": {"id": 1, "number": "8"}, "company": {"id": 1, "name": "A"}})),
        (
            "without keys others take their places",
            &plain,
            json!({"account": {"number": "9"}, "company": {"name": "B"}}),
        ),
        ("or they are changed", &in_place, json!({"account": {"number": "10"}, "company": {"name": "C"}})),
        ("taken away", &in_place, json!({"account": {"_destroy": true}})),
        ("built where there is none", &in_place, json!({"account": {"number": "11"}})),
        ("dissociated", &plain, json!({"company": {"id": 2, "_destroy": true}})),
    ];
    for (title, permit, input) in steps {
        let row = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
        cx.step(title, repo.update(row.change().cast(&input, permit))).await?;
        table(cx, "accounts", "id, user_id, number").await?;
    }
    let row = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
    let wrong = json!({"account": {"id": 1, "number": "12"}});
    cx.fails("an account that was replaced", repo.update(row.change().cast(&wrong, &plain))).await?;
    table(cx, "companies", "id, name").await?;
    table(cx, "users", "id, company_id").await
}

async fn rows_of_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ada(&repo).await?;
    let bob = repo.insert(build!(User { name: "Bob", posts: [Post { title: "Bob's" }] })).await?;
    let bob = repo.get_or_fail::<User>(bob.id, Query::new()).await?;
    for (title, input) in [
        ("a post", json!({"name": "Rob", "posts": [{"id": 1, "title": "stolen"}]})),
        ("a post to take away", json!({"name": "Rob", "posts": [{"id": 1, "_destroy": true}]})),
        ("a comment of another's post", json!({"posts": [{"id": 3, "comments": [{"id": 1, "body": "stolen"}]}]})),
        ("a tag that is not linked", json!({"posts": [{"id": 3, "tags": [{"id": 1, "name": "stolen"}]}]})),
        ("a group", json!({"groups": [{"id": 1, "name": "stolen"}]})),
        ("a picture", json!({"pictures": [{"id": 1, "name": "stolen"}]})),
        ("an account", json!({"account": {"id": 1, "number": "stolen"}})),
        ("a company", json!({"company": {"id": 1, "name": "stolen"}})),
        ("nothing there", json!({"posts": [{"id": 99, "title": "x"}]})),
    ] {
        let error = cx.fails(title, repo.update(bob.change().cast(&input, &writer()))).await?;
        cx.require(error.is_not_found() && Changeset::<User>::refused_by(&error).is_some(), title)?;
    }
    let new = User::cast(json!({"name": "Cyd", "posts": [{"id": 1, "title": "stolen"}]}), &writer());
    cx.fails("by a new owner", repo.insert(new)).await?;
    table(cx, "users", "id, name").await?;
    table(cx, "posts", "id, user_id, title").await
}

async fn rejected_and_limited(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let permit = permit!(User {
        posts: permit!(Post { title, comments: Comment { body } })
            .allow_destroy()
            .reject_if(|entry| entry.get("title").and_then(Input::as_str).is_some_and(|title| title.starts_with("no")))
            .limit(4),
    });
    let input = json!({"posts": [
        {"id": 1, "title": "no, and taken away", "_destroy": true},
        {"id": 2, "title": "no, and left as it is"},
        {"_destroy": true, "title": "never stored"},
        {"title": "yes"},
    ]});
    cx.step("some are left out", repo.update(ada.change().cast(&input, &permit))).await?;
    table(cx, "posts", "id, user_id, title").await?;
    let input = json!({"posts": [{"title": "no"}, {"comments": [{}, {"body": 7}]}, {"title": ""}]});
    cx.fails("paths count what is left out", repo.update(ada.change().cast(&input, &permit))).await?;
    let many: Vec<Json> = (0..5).map(|_| json!({"title": "x"})).collect();
    cx.fails("too many", repo.update(ada.change().cast(json!({"posts": many}), &permit))).await?;
    let small = permit.limits(Limits::new().entries(5));
    cx.fails("too large", repo.update(ada.change().cast(&input, &small))).await.map(|_| ())
}

async fn literals(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let rust = repo.insert(build!(Tag { name: "rust" })).await?;
    let shared = build!(Tag { name: "shared" }).shared();
    let known = repo.insert(build!(Group { name: "known" })).await?;
    let name = "Ada".to_owned();
    let begun = build!(User { name, company: Company { name: "Analytical" } });
    let draft = build!(User {
        account: Account { number: "7" },
        posts: [
            Post { title: "On engines", published: true, tags: [&rust, &shared, Tag { name: "new" }] },
            Post { title: "On looms", tags: [&shared], comments: [Comment { body: "fine" }, Comment { body: "good" }] },
        ],
        groups: [&known, Group { name: "new" }],
        pictures: vec![build!(Picture { name: "a" }), build!(Picture { name: "b" })],
        ..begun
    });
    let ada = cx.step("insert", repo.insert(draft)).await?;
    cx.show("returned", [&ada]);
    let comment = build!(Comment { body: "again", post: &ada.posts()?[0] });
    let saved = cx.step("a row", repo.insert(comment)).await?;
    cx.require(saved.post_id == ada.posts()?[0].id, "its post")?;
    let picture = build!(Picture { name: "c", subject: &ada });
    let saved = cx.step("polymorphic", repo.insert(picture)).await?;
    cx.show("picture", [saved]);
    let _: Changeset<Membership> = build!(Membership { user: &ada, group: Group { name: "third" }, role: None });
    Ok(())
}
