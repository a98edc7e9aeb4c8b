//! Graphs of changes: what is saved with a row, in how many statements, and what comes back loaded.

use std::sync::Arc;

use assoc_core::Result;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};

use conformance_written_models::guild::{
    self, Account, Book, Comment, Company, Dog, Group, Keeper, Membership, Picture, Post, Shelf, Subject, Tag, Tagging,
    Topic, User,
};

cases! { "save_graphs", Level::Write;
    every_kind_at_once,
    levels_not_nesting,
    statements_by_columns,
    join_models,
    join_tables,
    shared_drafts,
    polymorphic,
    composite_keys,
    single_table_inheritance,
    presets_of_scopes,
    outside_scope,
    problems_have_paths,
    two_ways_to_one_row,
    autosave_and_validate,
    many_users,
}

fn user(name: &str) -> Changeset<User> {
    User::build().set(User::NAME, name)
}

fn post(title: &str) -> Changeset<Post> {
    Post::build().set(Post::TITLE, title)
}

fn tag(name: &str) -> Changeset<Tag> {
    Tag::build().set(Tag::NAME, name)
}

fn topic(code: i64, name: &str) -> Changeset<Topic> {
    Topic::build().set(Topic::CODE, code).set(Topic::NAME, name)
}

fn group(name: &str) -> Changeset<Group> {
    Group::build().set(Group::NAME, name)
}

async fn table(cx: &mut Context, name: &str, columns: &str) -> Result<()> {
    cx.rows(name, &format!("SELECT {columns} FROM {name} ORDER BY {columns}")).await
}

async fn every_kind_at_once(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let rust = repo.insert(tag("rust")).await?;
    let draft = user("Ada")
        .associate(User::COMPANY, Company::build().set(Company::NAME, "Analytical"))
        .set_one(User::ACCOUNT, Account::build().set(Account::NUMBER, "7"))
        .push(
            User::POSTS,
            [
                post("On engines").push(Post::TAGS, &rust).push(Post::TAGS, tag("new")),
                post("On looms").push(Post::COMMENTS, Comment::build().set(Comment::BODY, "fine")),
            ],
        )
        .push(User::GROUPS, group("Mathematicians"))
        .push(User::PICTURES, Picture::build().set(Picture::NAME, "portrait"));
    let plan = repo.explain_save(&draft)?;
    cx.note("plan", plan);
    let ada = cx.step("insert", repo.insert(draft)).await?;
    cx.show("returned", [&ada]);
    let loaded = Query::preload(User::COMPANY)
        .preload(User::ACCOUNT)
        .preload(User::POSTS.with(Post::TAGS).with(Post::COMMENTS))
        .preload(User::GROUPS)
        .preload(User::PICTURES);
    let fresh = repo.get_or_fail::<User>(ada.id, loaded).await?;
    cx.require(fresh.name == ada.name && fresh.company()? == ada.company()?, "the row and its company")?;
    cx.require(fresh.account()? == ada.account()? && fresh.pictures()? == ada.pictures()?, "account and pictures")?;
    cx.require(fresh.groups()? == ada.groups()?, "groups")?;
    for (fresh, saved) in fresh.posts()?.iter().zip(ada.posts()?) {
        cx.require((fresh.id, &fresh.title) == (saved.id, &saved.title), "posts in order")?;
    }
    cx.require(fresh.posts()?[0].tags()? == ada.posts()?[0].tags()?, "tags")?;
    cx.require(fresh.posts()?[1].comments()? == ada.posts()?[1].comments()?, "comments")?;
    cx.require(ada.posts()?[1].tags().is_err(), "of whom nothing was said, nothing is loaded")?;
    table(cx, "users", "id, name, company_id").await?;
    table(cx, "posts", "id, user_id, title").await?;
    table(cx, "posts_tags", "post_id, tag_id").await?;
    table(cx, "memberships", "id, user_id, group_id").await?;
    table(cx, "pictures", "id, name, subject_id, subject_type").await
}

async fn levels_not_nesting(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    // Tags wait for nothing, however deep they are nested.
    let draft = user("Ada").push(User::POSTS, post("a").push(Post::TAGS, tag("deep"))).push(
        User::STUDENTS,
        user("Bob").push(User::STUDENTS, user("Cyd").push(User::POSTS, post("c").push(Post::TAGS, tag("deeper")))),
    );
    let plan = repo.explain_save(&draft)?;
    cx.note("plan", plan);
    let ada = cx.step("insert", repo.insert(draft)).await?;
    let cyd = &ada.students()?[0].students()?[0];
    cx.require(cyd.posts()?[0].tags()?[0].name == "deeper", "loaded to the end")?;
    table(cx, "users", "id, name, mentor_id").await?;
    table(cx, "posts", "id, title, user_id").await?;
    table(cx, "posts_tags", "post_id, tag_id").await
}

async fn statements_by_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let drafts = (0..10).map(|at| {
        let posts = (0..4).map(move |number| {
            let draft = post(&format!("{at}.{number}"));
            if number % 2 == 0 { draft } else { draft.set(Post::PUBLISHED, true) }
        });
        user(&format!("user {at}")).push(User::POSTS, posts)
    });
    let users = cx.step("rows of two sets of columns, one after the other", repo.insert_all(drafts)).await?;
    cx.require(users.iter().all(|user| user.posts().is_ok_and(|posts| posts.len() == 4)), "each has four")?;
    cx.rows("posts of each user", "SELECT user_id, COUNT(*), MIN(title) FROM posts GROUP BY user_id ORDER BY 1").await
}

async fn join_models(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let known = repo.insert(group("known")).await?;
    let draft = user("Ada")
        .push(User::GROUPS, &known)
        .push(User::GROUPS, [group("new"), group("newer")])
        .push_with(User::GROUPS, group("led"), |membership| membership.set(Membership::ROLE, "chair"))
        .push(User::GROUPS, &known);
    let ada = cx.step("insert", repo.insert(draft)).await?;
    cx.show("groups", ada.groups()?);
    table(cx, "memberships", "id, user_id, group_id, role").await?;
    // A key that the application makes.
    let draft = post("keys").push(Post::TOPICS, [topic(70, "seventy"), topic(30, "thirty")]);
    let post = cx.step("a target with a key of its own", repo.insert(draft)).await?;
    cx.show("topics", post.topics()?);
    table(cx, "taggings", "post_id, topic_id").await?;
    let wrong = user("Bob").push_with(User::GROUPS, &known, |tagging: Changeset<Tagging>| tagging);
    cx.fails("a row of another model between", repo.insert(wrong)).await.map(|_| ())
}

async fn join_tables(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let tags = repo.insert_all(["a", "b"].map(tag)).await?;
    let shared: Vec<Arc<Tag>> = tags.into_iter().map(Arc::new).collect();
    let drafts = ["one", "two"].map(|title| post(title).push(Post::TAGS, &shared));
    let posts = cx.step("shared rows", repo.insert_all(drafts)).await?;
    cx.show("tags", posts.iter().map(|post| post.tags()).collect::<Result<Vec<_>, _>>()?);
    cx.require(Arc::ptr_eq(&posts[0].tags()?[0], &posts[1].tags()?[0]), "one row for both")?;
    let twice = post("twice").push(Post::TAGS, &shared[0]).push(Post::TAGS, &shared[0]);
    let twice = cx.step("twice is two links", repo.insert(twice)).await?;
    cx.require(twice.tags()?.len() == 2, "two")?;
    let from_tags = tag("c").push(Tag::POSTS, [post("three"), post("four")]);
    cx.step("from the other side", repo.insert(from_tags)).await?;
    table(cx, "posts_tags", "post_id, tag_id").await
}

async fn shared_drafts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let new = tag("shared").shared();
    let posts = ["one", "two"].map(|title| post(title).push(Post::TAGS, &new));
    let posts = cx.step("one new tag on two new posts", repo.insert_all(posts)).await?;
    cx.require(posts[0].tags()?[0].id == posts[1].tags()?[0].id, "the same")?;
    let company = Company::build().set(Company::NAME, "one").shared();
    let users = ["Ada", "Bob"].map(|name| user(name).associate(User::COMPANY, &company));
    let users = cx.step("one company of two users", repo.insert_all(users)).await?;
    cx.require(users[0].company_id == users[1].company_id && users[0].company_id.is_some(), "the same")?;
    // A row that holds its owner's key has one owner.
    let only = post("only").shared();
    let both = ["Cyd", "Dan"].map(|name| user(name).push(User::POSTS, &only));
    cx.fails("one post of two users", repo.insert_all(both)).await?;
    // Rows that need each other.
    let first = user("first").shared();
    let needed = post("needed").associate(Post::USER, user("second").associate(User::MENTOR, &first)).shared();
    let twice = user("Eve").push(User::POSTS, &needed);
    cx.fails("a row that has an owner already", repo.insert(twice)).await?;
    table(cx, "tags", "id, name").await?;
    table(cx, "users", "id, name, company_id").await
}

async fn polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = repo.insert(user("Ada")).await?;
    let picture = |name: &str| Picture::build().set(Picture::NAME, name);
    let by_row = cx.step("a row", repo.insert(picture("a").associate(Picture::SUBJECT, &ada))).await?;
    let value = Subject::User(ada.clone());
    let by_enum = cx.step("a value", repo.insert(picture("b").associate(Picture::SUBJECT, &value))).await?;
    let draft = picture("c").associate(Picture::SUBJECT, post("with a picture"));
    let by_draft = cx.step("a changeset", repo.insert(draft)).await?;
    cx.require(matches!(by_draft.subject()?, Some(Subject::Post(post)) if post.title == "with a picture"), "loaded")?;
    cx.show("pictures", [&by_row, &by_enum, &by_draft]);
    let mixed = [
        picture("d").associate(Picture::SUBJECT, user("Bob")),
        picture("e").associate(Picture::SUBJECT, post("other")),
        picture("f"),
    ];
    let mixed = cx.step("several types at once", repo.insert_all(mixed)).await?;
    cx.show("mixed", &mixed);
    table(cx, "pictures", "id, name, subject_id, subject_type").await
}

async fn composite_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let book = |isbn: &str| Book::build().set(Book::ISBN, isbn);
    let draft = Shelf::build().set(Shelf::ROOM, 3).set(Shelf::NUMBER, 8).push(Shelf::BOOKS, [book("x"), book("y")]);
    let shelf = cx.step("the owner's key is part of the member's", repo.insert(draft)).await?;
    cx.show("shelf", [&shelf]);
    let draft = book("z").associate(Book::SHELF, Shelf::build().set(Shelf::ROOM, 4).set(Shelf::NUMBER, 1));
    let book = cx.step("a new target", repo.insert(draft)).await?;
    cx.show("book", [&book]);
    let contradiction = Book::build()
        .set(Book::ISBN, "w")
        .associate(Book::SHELF, Shelf::build().set(Shelf::ROOM, 4).set(Shelf::NUMBER, 2))
        .set(Book::SHELF_NUMBER, 9);
    cx.fails("a word that the new target contradicts", repo.insert(contradiction)).await?;
    table(cx, "books", "room, isbn, shelf_number").await
}

async fn single_table_inheritance(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let dogs = ["Rex", "Bello"].map(|name| Dog::build().set(Dog::NAME, name));
    let keeper = Keeper::build().set(Keeper::NAME, "Kim").push(Keeper::DOGS, dogs);
    let keeper = cx.step("insert", repo.insert(keeper)).await?;
    cx.show("keeper", [&keeper]);
    let wrong = Keeper::build()
        .set(Keeper::NAME, "Kim")
        .push(Keeper::DOGS, Dog::build().set(Dog::NAME, "Tom").set(Dog::KIND, "cat"));
    cx.fails("another model's tag", repo.insert(wrong)).await.map(|_| ())
}

async fn presets_of_scopes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let draft = user("Ada").push(User::PUBLISHED_POSTS, post("seen")).push(User::CHAIRED_GROUPS, group("led"));
    let ada = cx.step("insert", repo.insert(draft)).await?;
    cx.require(ada.published_posts()?[0].published, "as the association says")?;
    cx.require(ada.published_posts.is_loaded() && !ada.published_posts.is_partial(), "all there are")?;
    let sorted = user("Bob").push(User::SORTED_POSTS, [post("b"), post("a")]);
    let bob = cx.step("an order that the plan does not judge", repo.insert(sorted)).await?;
    cx.show("sorted posts", [&bob.sorted_posts]);
    table(cx, "posts", "id, user_id, title, published").await?;
    table(cx, "memberships", "user_id, group_id, role").await
}

async fn outside_scope(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let unseen = user("Ada").push(User::PUBLISHED_POSTS, [post("a"), post("b").set(Post::PUBLISHED, false)]);
    cx.fails("a new row", repo.insert(unseen)).await?;
    let draft = repo.insert(post("draft")).await?;
    cx.fails("a row that exists", repo.insert(user("Ada").push(User::PUBLISHED_POSTS, &draft))).await?;
    let published = draft.change().set(Post::PUBLISHED, true);
    let ada = cx.step("unless it is changed", repo.insert(user("Ada").push(User::PUBLISHED_POSTS, published))).await?;
    cx.require(ada.published_posts()?[0].id == draft.id, "it is one of them")?;
    cx.note("users", repo.count(Query::<User>::new()).await?);
    Ok(())
}

async fn problems_have_paths(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let known = repo.insert(post("known")).await?;
    let draft = User::build()
        .associate(User::COMPANY, Company::build())
        .set_one(User::ACCOUNT, Account::build())
        .push(User::POSTS, &known)
        .push(
            User::POSTS,
            Post::build().push(Post::COMMENTS, [Comment::build().set(Comment::BODY, "ok"), Comment::build()]),
        )
        .push(User::GROUPS, Group::build())
        .push_with(User::GROUPS, group("g"), |row: Changeset<Membership>| {
            row.add_error(assoc_repo::FieldError::new("role", "is odd"))
        });
    let paths: Vec<_> = draft.errors().into_iter().map(|error| error.path).collect();
    cx.show("paths", paths);
    cx.fails("everything at once", repo.insert(draft.clone())).await?;
    cx.fails("of several", repo.insert_all([user("Ada"), draft])).await?;
    cx.note("users", repo.count(Query::<User>::new()).await?);
    Ok(())
}

async fn two_ways_to_one_row(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    // Both associations have both posts, so neither list is known to be whole.
    let draft = user("Ada").push(User::POSTS, post("a")).push(User::PUBLISHED_POSTS, post("b"));
    let ada = cx.step("insert", repo.insert(draft)).await?;
    cx.show("posts", [&ada.posts, &ada.published_posts]);
    cx.require(ada.posts.is_partial() && ada.posts()?.len() == 1, "a part")?;
    // Both sides of a save that know each other make one link.
    let mathematicians = group("Mathematicians").shared();
    let draft = user("Bob").push(User::GROUPS, &mathematicians);
    cx.step("a link from one side", repo.insert(draft)).await?;
    let both = repo.insert(user("Cyd")).await?;
    let linked = group("Poets").push(Group::USERS, both.change().set(User::NAME, "Cyd C."));
    cx.step("an existing row that is changed", repo.insert(linked)).await?;
    table(cx, "users", "id, name").await?;
    table(cx, "memberships", "user_id, group_id").await
}

async fn autosave_and_validate(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let dog = |name: &str| Dog::build().set(Dog::NAME, name);
    let keeper = || Keeper::build().set(Keeper::NAME, "Kim");
    let rex = repo.insert(dog("Rex")).await?;
    let kim = cx.step("a row that exists", repo.insert(keeper().push(Keeper::KNOWN_DOGS, &rex))).await?;
    cx.require(kim.known_dogs()?[0].owner_id == Some(kim.id), "is linked")?;
    cx.fails("a new one", repo.insert(keeper().push(Keeper::KNOWN_DOGS, dog("Tom")))).await?;
    let changed = rex.change().set(Dog::NAME, "Rexi");
    cx.fails("a changed one", repo.insert(keeper().push(Keeper::KNOWN_DOGS, changed))).await?;
    let odd = || dog("Odd").add_error(assoc_repo::FieldError::new("name", "is odd"));
    cx.fails("what the application found", repo.insert(keeper().push(Keeper::DOGS, odd()))).await?;
    cx.step("unless it is not asked", repo.insert(keeper().push(Keeper::STRAYS, odd()))).await?;
    cx.fails("what the database would refuse", repo.insert(keeper().push(Keeper::STRAYS, Dog::build()))).await?;
    table(cx, "beasts", "id, name, owner_id").await
}

async fn many_users(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let tags: Vec<Arc<Tag>> =
        repo.insert_all((0..50).map(|at| tag(&format!("tag {at}")))).await?.into_iter().map(Arc::new).collect();
    let drafts: Vec<_> = (0..1_000)
        .map(|at| {
            let posts = (0..10).map(|number| {
                let own = (0..3).map(|own| &tags[(at + number + own * 7) % 50]);
                post(&format!("post {at}.{number}")).push(Post::TAGS, own)
            });
            user(&format!("user {at}")).push(User::POSTS, posts)
        })
        .collect();
    let capabilities = repo.dialect().capabilities();
    let (rows, returned) = (capabilities.insert_rows, capabilities.insert_returning);
    let users = repo.count_statements(repo.insert_all(drafts)).await;
    let (users, statements) = (users.0?, users.1);
    let batches = |count: usize| count.div_ceil(rows);
    let as_many = statements == batches(1_000) + batches(10_000) + batches(30_000);
    cx.note("as many statements as batches", !returned || as_many);
    cx.note("of 50 rows", if rows == 50 && returned { statements } else { 820 });
    cx.require(users.len() == 1_000 && users[999].posts()?[9].tags()?.len() == 3, "returned loaded")?;
    cx.rows("links", "SELECT COUNT(*) FROM posts_tags").await?;
    let posts = repo.all(Query::<Post>::new()).await?;
    let of_their_users = posts.iter().all(|post| {
        let user = post.user_id.unwrap_or_default() - 1;
        post.title.starts_with(&format!("post {user}."))
    });
    cx.require(of_their_users, "each post is its own user's")
}
