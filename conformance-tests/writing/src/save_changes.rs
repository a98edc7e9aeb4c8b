//! Changes of rows that exist, with their members: edited, let go, replaced, moved; what is refused, and what comes back.

use assoc_core::{LoadState, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};

use conformance_written_models::guild::{
    self, Account, Book, Comment, Company, Group, Membership, Picture, Post, Shelf, Tag, Topic, User,
};
use conformance_written_models::recipes::{self, Ingredient, Recipe};

cases! { "save_changes", Level::Write;
    members_of_has_many,
    rows_of_others,
    owners_without_key,
    replace_has_many,
    has_one,
    replace_links,
    links_let_go,
    what_cannot_be_let_go,
    polymorphic_members,
    composite_members,
    members_keyed_by_their_owner,
    scoped_members,
    new_targets,
    what_stays_loaded,
    fails_at_each_statement,
    handed_back,
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

fn group(name: &str) -> Changeset<Group> {
    Group::build().set(Group::NAME, name)
}

async fn ada(repo: &Repo) -> Result<User> {
    repo.insert(user("Ada").push(User::POSTS, ["a", "b", "c"].map(post))).await
}

async fn posts(cx: &mut Context) -> Result<()> {
    cx.rows("posts", "SELECT id, user_id, title, published FROM posts ORDER BY id").await
}

async fn members_of_has_many(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = ada(&repo).await?;
    let loose = repo.insert_all(["d", "e"].map(post)).await?;
    let own = ada.posts()?;
    let change = ada
        .change()
        .set(User::NAME, "Ada Lovelace")
        .edit(User::POSTS, own[0].change().set(Post::TITLE, "A"))
        .remove(User::POSTS, &own[1])
        .push(User::POSTS, &loose)
        .push(User::POSTS, post("f"));
    let plan = repo.explain_save(&change)?;
    cx.note("plan", plan);
    let saved = cx.step("edited, let go, moved here, new", repo.update(change)).await?;
    cx.show("posts of the returned row", saved.posts()?.iter().map(|post| (post.id, &post.title, post.user_id)));
    cx.require(saved.posts.state() == LoadState::Loaded && saved.name == "Ada Lovelace", "all of them, as before")?;
    // A grandchild alone.
    let comment = Comment::build().set(Comment::BODY, "fine");
    let deeper = saved.change().edit(User::POSTS, saved.posts()?[0].change().push(Post::COMMENTS, comment));
    let saved = cx.step("only a grandchild", repo.update(deeper)).await?;
    cx.require(saved.posts()?[0].comments()?.len() == 1, "loaded")?;
    let bare = repo.get_or_fail::<User>(saved.id, Query::new()).await?;
    let part =
        cx.step("of what is not loaded, a part", repo.update(bare.change().push(User::POSTS, post("g")))).await?;
    cx.require(part.posts.state() == LoadState::Partial && part.posts()?.len() == 1, "what was saved")?;
    let nothing = cx.step("nothing is said", repo.update(saved.change())).await?;
    cx.require(nothing == saved, "nothing is changed")?;
    posts(cx).await
}

async fn rows_of_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = ada(&repo).await?;
    let bob = repo.insert(user("Bob").push(User::POSTS, post("theirs").push(Post::TAGS, tag("t")))).await?;
    let theirs = &bob.posts()?[0];
    let own = &ada.posts()?[0];
    let edited = ada
        .change()
        .set(User::NAME, "X")
        .edit(User::POSTS, own.change().set(Post::TITLE, "X"))
        .edit(User::POSTS, theirs.change().set(Post::TITLE, "X"));
    let error = cx.fails("edited", repo.update(edited)).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotMember { .. }), "by name")?;
    cx.fails("let go", repo.update(ada.change().set(User::NAME, "X").remove(User::POSTS, theirs))).await?;
    let untagged = own.change().remove(Post::TAGS, &theirs.tags()?[0]);
    cx.fails("a link that there is not", repo.update(untagged)).await?;
    let stale = own.clone();
    repo.update(own.change().set(Post::USER_ID, bob.id)).await?;
    cx.fails("moved meanwhile", repo.update(ada.change().remove(User::POSTS, &stale))).await?;
    cx.rows("users", "SELECT id, name FROM users ORDER BY id").await?;
    posts(cx).await
}

async fn owners_without_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let book = |isbn: &str| Book::build().set(Book::ISBN, isbn);
    // The owner's key is given by the application, and was not.
    let shelf = Shelf::build().set(Shelf::ROOM, 1).push(Shelf::BOOKS, book("x"));
    cx.fails("a key that is missing", repo.insert(shelf)).await?;
    let loose = repo.insert(post("loose")).await?;
    let of_new = user("new").remove(User::POSTS, &loose);
    cx.fails("a new owner has no members to let go", repo.insert(of_new)).await?;
    posts(cx).await
}

async fn replace_has_many(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = ada(&repo).await?;
    // Not loaded here, but a member all the same.
    repo.insert(post("d").set(Post::USER_ID, ada.id)).await?;
    let loose = repo.insert(post("e")).await?;
    let kept = &ada.posts()?[1];
    let change = ada.change().replace(User::POSTS, [kept, &loose]).push(User::POSTS, post("f"));
    let saved = cx.step("the database says what the others are", repo.update(change)).await?;
    cx.show("posts of the returned row", saved.posts()?.iter().map(|post| (post.id, &post.title)));
    cx.require(saved.posts.state() == LoadState::Loaded, "all")?;
    posts(cx).await?;
    let same = saved.change().replace(User::POSTS, saved.posts()?);
    cx.step("by the same", repo.update(same)).await?;
    let saved = cx.step("cleared", repo.update(saved.change().clear(User::POSTS))).await?;
    cx.require(saved.posts()?.is_empty(), "none")?;
    posts(cx).await
}

async fn has_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let account = |number: &str| Account::build().set(Account::NUMBER, number);
    let ada = repo.insert(user("Ada").set_one(User::ACCOUNT, account("1"))).await?;
    // A second one, which the schema does not prevent.
    repo.insert(account("2").set(Account::USER_ID, ada.id)).await?;
    let loose = repo.insert(account("3")).await?;
    let saved = cx.step("replaced by a row", repo.update(ada.change().set_one(User::ACCOUNT, &loose))).await?;
    cx.require(saved.account()?.is_some_and(|account| account.number == "3"), "it is loaded")?;
    cx.rows("accounts", "SELECT number, user_id FROM accounts ORDER BY number").await?;
    let saved = cx.step("by the same", repo.update(saved.change().set_one(User::ACCOUNT, &loose))).await?;
    let saved = cx.step("by a new one", repo.update(saved.change().set_one(User::ACCOUNT, account("4")))).await?;
    let own = saved.account()?.map(|account| account.change().set(Account::NUMBER, "five"));
    let saved = match own {
        Some(change) => cx.step("edited", repo.update(saved.change().edit(User::ACCOUNT, change))).await?,
        None => saved,
    };
    cx.show("account", [saved.account()?]);
    let saved = cx.step("cleared", repo.update(saved.change().clear(User::ACCOUNT))).await?;
    cx.require(saved.account()?.is_none(), "none")?;
    cx.rows("accounts", "SELECT number, user_id FROM accounts ORDER BY number").await
}

async fn replace_links(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let groups = repo.insert_all(["a", "b", "c"].map(group)).await?;
    let [a, b, c] = &groups[..] else { return Ok(()) };
    let ada = repo.insert(user("Ada").push(User::GROUPS, [a, a, b])).await?;
    let bob = repo.insert(user("Bob").push(User::GROUPS, [a, b])).await?;
    let rows = "SELECT id, user_id, group_id FROM memberships ORDER BY id";
    cx.rows("memberships", rows).await?;
    let saved = cx.step("kept links keep their rows", repo.update(ada.change().replace(User::GROUPS, [a, c]))).await?;
    cx.require(saved.groups()?.len() == 2, "as given")?;
    cx.rows("memberships", rows).await?;
    let twice = saved.change().replace(User::GROUPS, [a, a]).push(User::GROUPS, group("d"));
    let saved = cx.step("a multiset", repo.update(twice)).await?;
    cx.show("groups", saved.groups()?.iter().map(|group| &group.name));
    cx.rows("memberships", rows).await?;
    cx.step("none", repo.update(bob.change().clear(User::GROUPS))).await?;
    cx.rows("memberships", rows).await?;
    // Rows of a table without a key of its own.
    let tags = repo.insert_all(["x", "y"].map(tag)).await?;
    let tagged = repo.insert(post("p").push(Post::TAGS, [&tags[0], &tags[0], &tags[1]])).await?;
    let other = repo.insert(post("q").push(Post::TAGS, [&tags[0]])).await?;
    cx.step("one of two equal rows", repo.update(tagged.change().replace(Post::TAGS, [&tags[0]]))).await?;
    cx.step("one more", repo.update(other.change().replace(Post::TAGS, [&tags[0], &tags[0]]))).await?;
    cx.rows("posts_tags", "SELECT post_id, tag_id FROM posts_tags ORDER BY post_id, tag_id").await
}

async fn links_let_go(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let draft = user("Ada").push(User::GROUPS, ["a", "b"].map(group));
    let ada = repo.insert(draft).await?;
    let [a, b] = ada.groups()? else { return Ok(()) };
    let change = ada.change().remove(User::GROUPS, a).edit(User::GROUPS, b.change().set(Group::NAME, "B")).push_with(
        User::GROUPS,
        group("c"),
        |membership| membership.set(Membership::ROLE, "chair"),
    );
    let saved = cx.step("let go, edited, new", repo.update(change)).await?;
    cx.show("groups", saved.groups()?.iter().map(|group| (group.id, &group.name)));
    cx.rows("memberships", "SELECT user_id, group_id, role FROM memberships ORDER BY id").await?;
    cx.rows("groups", "SELECT id, name FROM groups_of_writers ORDER BY id").await
}

async fn what_cannot_be_let_go(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let comment = |body: &str| Comment::build().set(Comment::BODY, body);
    let p = repo.insert(post("p").push(Post::COMMENTS, comment("first"))).await?;
    cx.fails("its key cannot be NULL", repo.update(p.change().remove(Post::COMMENTS, &p.comments()?[0]))).await?;
    cx.fails("nor by a replacement", repo.update(p.change().replace(Post::COMMENTS, [comment("new")]))).await?;
    let same = p.change().replace(Post::COMMENTS, p.comments()?).push(Post::COMMENTS, comment("second"));
    cx.step("unless nothing has to go", repo.update(same)).await?;
    cx.rows("comments", "SELECT id, post_id, body FROM comments ORDER BY id").await
}

async fn polymorphic_members(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let picture = |name: &str| Picture::build().set(Picture::NAME, name);
    let ada = repo.insert(user("Ada").push(User::PICTURES, ["a", "b"].map(picture))).await?;
    // A post of the same id has pictures as well.
    let p = repo.insert(post("p")).await?;
    cx.require(p.id == ada.id, "the same id")?;
    repo.insert(picture("of a post").associate(Picture::SUBJECT, &p)).await?;
    let saved = cx
        .step("type and id are cleared", repo.update(ada.change().remove(User::PICTURES, &ada.pictures()?[0])))
        .await?;
    let rows = "SELECT name, subject_id, subject_type FROM pictures ORDER BY id";
    cx.rows("pictures", rows).await?;
    cx.step("replaced", repo.update(saved.change().replace(User::PICTURES, [picture("c")]))).await?;
    cx.rows("pictures", rows).await
}

async fn composite_members(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let book = |isbn: &str| Book::build().set(Book::ISBN, isbn);
    let draft = Shelf::build().set(Shelf::ROOM, 3).set(Shelf::NUMBER, 8).push(Shelf::BOOKS, ["x", "y"].map(book));
    let shelf = repo.insert(draft).await?;
    let change = shelf.change().remove(Shelf::BOOKS, &shelf.books()?[0]).push(Shelf::BOOKS, book("z"));
    let shelf = cx.step("what is part of the member's key stays", repo.update(change)).await?;
    cx.show("books", shelf.books()?.iter().map(|book| &book.isbn));
    cx.rows("books", "SELECT room, isbn, shelf_number FROM books ORDER BY isbn").await?;
    cx.step("replaced", repo.update(shelf.change().replace(Shelf::BOOKS, [&shelf.books()?[1]]))).await?;
    cx.rows("books", "SELECT room, isbn, shelf_number FROM books ORDER BY isbn").await
}

async fn members_keyed_by_their_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    recipes::fixture(&repo).await?;
    let bread = Query::filter(Recipe::NAME.eq("bread")).preload(Recipe::INGREDIENTS);
    let mut bread = repo.all(bread).await?.remove(0);
    let own = bread.ingredients()?;
    let grams = |at: usize, grams: i32| own[at].change().set(Ingredient::GRAMS, grams);
    let change = bread
        .change()
        .edit(Recipe::INGREDIENTS, grams(0, 30))
        .edit(Recipe::INGREDIENTS, grams(2, 50))
        .remove(Recipe::INGREDIENTS, &own[1]);
    cx.step("edited and let go", repo.update(change)).await?;
    let last = own[3].clone();
    cx.step("by a handle", repo.association(&mut bread, Recipe::INGREDIENTS).delete(&last)).await?;
    let of_soup = repo.get_or_fail::<Ingredient>((1, 3), Query::new()).await?;
    let foreign = bread.change().edit(Recipe::INGREDIENTS, of_soup.change().set(Ingredient::GRAMS, 0));
    cx.fails("of another owner", repo.update(foreign)).await?;
    cx.rows("ingredients", "SELECT recipe_id, number, grams FROM ingredients ORDER BY recipe_id, number").await
}

async fn scoped_members(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let draft = user("Ada").push(User::POSTS, post("draft")).push(User::PUBLISHED_POSTS, ["a", "b"].map(post));
    let ada = repo.insert(draft).await?;
    let bare = repo.get_or_fail::<User>(ada.id, Query::preload(User::POSTS)).await?;
    let replaced = bare.change().replace(User::PUBLISHED_POSTS, [post("c")]);
    let saved = cx.step("only those that the association sees", repo.update(replaced)).await?;
    cx.require(!saved.posts.is_loaded(), "what another association has of these rows is forgotten")?;
    posts(cx).await?;
    let unseen = bare.posts()?.iter().find(|post| !post.published).cloned();
    if let Some(unseen) = unseen {
        cx.fails("one that it does not see", repo.update(bare.change().remove(User::PUBLISHED_POSTS, &unseen))).await?;
    }
    let led = bare.change().push(User::CHAIRED_GROUPS, group("g"));
    let saved = repo.update(led).await?;
    cx.step("rows between that it sees", repo.update(saved.change().clear(User::CHAIRED_GROUPS))).await?;
    cx.rows("memberships", "SELECT user_id, group_id, role FROM memberships").await
}

async fn new_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = repo.insert(user("Ada")).await?;
    let company = Company::build().set(Company::NAME, "Analytical");
    let saved =
        cx.step("a new one is saved first", repo.update(ada.change().associate(User::COMPANY, company))).await?;
    cx.show("company", [saved.company()?]);
    let renamed = saved.company()?.map(|company| company.change().set(Company::NAME, "Engines"));
    if let Some(renamed) = renamed {
        let saved = cx.step("its changes", repo.update(saved.change().associate(User::COMPANY, renamed))).await?;
        cx.show("company", [saved.company()?]);
    }
    let topic = Topic::build().set(Topic::CODE, 5).set(Topic::NAME, "five");
    let p = repo.insert(post("p")).await?;
    let p = cx.step("a key that the application makes", repo.update(p.change().push(Post::TOPICS, topic))).await?;
    cx.show("topics", p.topics()?);
    let withdrawn = user("Bob")
        .associate(User::COMPANY, Company::build().set(Company::NAME, "first"))
        .associate(User::COMPANY, Company::build().set(Company::NAME, "second"));
    cx.step("the last word", repo.insert(withdrawn)).await?;
    let set =
        user("Cyd").associate(User::COMPANY, Company::build().set(Company::NAME, "lost")).set(User::COMPANY_ID, 1);
    cx.fails("a row that nothing would lead to", repo.insert(set)).await?;
    cx.rows("companies", "SELECT id, name FROM companies ORDER BY id").await
}

async fn what_stays_loaded(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let draft = user("Ada")
        .push(User::POSTS, post("a").push(Post::COMMENTS, Comment::build().set(Comment::BODY, "c")))
        .push(User::GROUPS, group("g"));
    let id = repo.insert(draft).await?.id;
    let all = Query::preload(User::POSTS.with(Post::COMMENTS)).preload(User::GROUPS).preload(User::COMMENTS);
    let ada = repo.get_or_fail::<User>(id, all).await?;
    let saved = cx.step("a post more", repo.update(ada.change().push(User::POSTS, post("b")))).await?;
    cx.require(saved.groups.is_loaded(), "of other tables")?;
    cx.require(saved.posts()?[0].comments()?.len() == 1, "below what was loaded")?;
    cx.require(!saved.comments.is_loaded(), "not what goes through the posts")
}

async fn fails_at_each_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = ada(&repo).await?;
    let own = ada.posts()?;
    let change = || {
        ada.change()
            .set(User::NAME, "changed")
            .associate(User::COMPANY, Company::build().set(Company::NAME, "new"))
            .edit(User::POSTS, own[0].change().set(Post::TITLE, "changed").push(Post::TAGS, tag("t")))
            .remove(User::POSTS, &own[1])
            .push(User::POSTS, post("new").push(Post::TAGS, tag("u")))
            .set_one(User::ACCOUNT, Account::build().set(Account::NUMBER, "1"))
            .push(User::GROUPS, group("g"))
    };
    let mut failed = 0;
    loop {
        cx.recorder().fail_after(failed);
        let saved = repo.update(change()).await;
        cx.recorder().fail_after(usize::MAX);
        if saved.is_ok() {
            break;
        }
        failed += 1;
        let changed = repo.count(Query::filter(User::NAME.eq("changed"))).await?;
        cx.require(changed == 0 && repo.count(Query::<Post>::new()).await? == 3, "nothing was written")?;
        let (tags, companies) = (repo.count(Query::<Tag>::new()).await?, repo.count(Query::<Company>::new()).await?);
        cx.require(tags == 0 && companies == 0, "neither tag nor company")?;
        cx.require(failed < 100, "it ends")?;
    }
    cx.require(failed >= 12, "a statement each")?;
    // Without ids: MariaDB does not take back those of rows that were undone.
    cx.rows("posts", "SELECT title, user_id, published FROM posts ORDER BY title").await
}

async fn handed_back(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = ada(&repo).await?;
    let error = cx.fails("a title is missing", repo.update(ada.change().push(User::POSTS, Post::build()))).await?;
    let again = Changeset::<User>::refused_by(&error);
    cx.require(again.is_some() && Changeset::<Post>::refused_by(&error).is_none(), "of its model")?;
    if let Some(again) = again {
        let saved = cx.step("saved again", repo.update(again.replace(User::POSTS, [post("whole")]))).await?;
        cx.require(saved.posts()?.len() == 1, "as it was said at last")?;
    }
    Ok(())
}
