//! What is done while something breaks.

use assoc_core::driver::BoxFuture;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Multi};

use crate::Ending;
use crate::schema::{
    Account, Author, Comment, Company, Fragile, Group, Letter, Membership, Picture, Post, Tag, dump, make_tables,
};

/// Structs of the program, which have to stay as they are.
pub(crate) struct Held {
    author: Author,
    tags: Vec<Tag>,
    groups: Vec<Group>,
    letters: Vec<Letter>,
    multi: Multi,
}

/// One kind of work, as several of the library's calls do it.
pub(crate) struct Work<H: 'static> {
    pub(crate) name: &'static str,
    /// The least number of calls of the driver that it makes.
    pub(crate) calls: usize,
    /// Whether it reads rows back that cannot always be read.
    pub(crate) reads: bool,
    pub(crate) run: for<'a> fn(&'a Repo, &'a H) -> BoxFuture<'a, Result<()>>,
}

/// Tables with rows, structs of the program, and works that concern them.
pub(crate) trait Setting: Sized + Send + Sync + 'static {
    const WORKS: &'static [Work<Self>];
    /// A table from which rows can be deleted.
    const TABLE: &'static str;

    fn prepare(repo: &Repo) -> BoxFuture<'_, Result<Self>>;
    /// All rows, as text.
    fn dump(repo: &Repo) -> BoxFuture<'_, Result<Vec<String>>>;
    /// The structs, as text.
    fn shown(&self) -> String;
    /// Makes the structs what they were: of a call that succeeded inside of a transaction which did not.
    fn restore(&self) {}
    /// Checks what callbacks were told.
    fn check_told(&self, _shown: &str, _ending: Ending) {}
}

impl Setting for Held {
    const WORKS: &'static [Work<Self>] = &[
        Work { name: "insert of a graph", calls: 14, reads: true, run: |repo, held| Box::pin(insert(repo, held)) },
        Work { name: "update of a graph", calls: 14, reads: true, run: |repo, held| Box::pin(update(repo, held)) },
        Work { name: "destroy", calls: 12, reads: false, run: |repo, held| Box::pin(destroy(repo, held)) },
        Work { name: "multi", calls: 7, reads: true, run: |repo, held| Box::pin(multi(repo, held)) },
    ];
    const TABLE: &'static str = "letters";

    fn prepare(repo: &Repo) -> BoxFuture<'_, Result<Self>> {
        Box::pin(prepare(repo))
    }

    fn dump(repo: &Repo) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(dump(repo))
    }

    fn shown(&self) -> String {
        format!("{:?}", self.author)
    }
}

pub(crate) fn text(text: &str) -> Fragile {
    Fragile(text.to_owned())
}

fn post(title: &str) -> Changeset<Post> {
    Post::build().set(Post::TITLE, text(title))
}

fn comment(body: &str) -> Changeset<Comment> {
    Comment::build().set(Comment::BODY, text(body))
}

fn tag(name: &str) -> Changeset<Tag> {
    Tag::build().set(Tag::NAME, text(name))
}

fn group(name: &str) -> Changeset<Group> {
    Group::build().set(Group::NAME, text(name))
}

fn picture(name: &str) -> Changeset<Picture> {
    Picture::build().set(Picture::NAME, text(name))
}

fn account(number: &str) -> Changeset<Account> {
    Account::build().set(Account::NUMBER, text(number))
}

fn company(name: &str) -> Changeset<Company> {
    Company::build().set(Company::NAME, text(name))
}

fn letter(number: i64) -> Changeset<Letter> {
    Letter::build().set(Letter::YEAR, 1843).set(Letter::NUMBER, number)
}

/// Makes the tables with two authors and what they have.
async fn prepare(repo: &Repo) -> Result<Held> {
    make_tables(repo).await?;
    let tags = repo.insert_all(["old", "other"].map(tag)).await?;
    let groups = repo.insert_all(["a", "b"].map(group)).await?;
    let letters = repo.insert_all([1, 2].map(letter)).await?;
    let author = |name: &str| {
        Author::build()
            .set(Author::NAME, text(name))
            .associate(Author::COMPANY, company("first"))
            .push(Author::POSTS, [post("p").push(Post::TAGS, &tags), post("q").push(Post::TAGS, &tags[0]), post("r")])
            .set_one(Author::ACCOUNT, account("1"))
            .push(Author::GROUPS, &groups)
            .push(Author::PICTURES, ["front", "side"].map(picture))
    };
    let author = repo.insert_all(["Ada", "Bob"].map(author)).await?.swap_remove(0);
    for post in author.posts()? {
        let comments = repo.insert_all(["c", "d"].map(|body| comment(body).set(Comment::POST_ID, post.id))).await?;
        let answer = comment("answer").set(Comment::POST_ID, post.id).set(Comment::ANSWERS_ID, comments[0].id);
        repo.insert(answer).await?;
    }
    let everything = Query::preload(Author::POSTS.with(Post::TAGS).with(Post::COMMENTS))
        .preload(Author::GROUPS)
        .preload(Author::ACCOUNT)
        .preload(Author::PICTURES)
        .preload(Author::MEMBERSHIPS);
    let author = repo.get_or_fail::<Author>(author.id, everything).await?;
    let multi = steps(&author)?;
    Ok(Held { author, tags, groups, letters, multi })
}

async fn insert(repo: &Repo, held: &Held) -> Result<()> {
    let shared = tag("shared").shared();
    let draft = Author::build()
        .set(Author::NAME, text("Cyd"))
        .associate(Author::COMPANY, company("new"))
        .push(
            Author::POSTS,
            post("x").push(Post::TAGS, &held.tags[0]).push(Post::TAGS, &shared).push(Post::COMMENTS, comment("c")),
        )
        .push(Author::POSTS, post("y").push(Post::TAGS, &shared).push(Post::TAGS, tag("new")))
        .set_one(Author::ACCOUNT, account("2"))
        .push(Author::GROUPS, &held.groups[1])
        .push_with(Author::GROUPS, group("c"), |membership| membership.set(Membership::ROLE, "chair"))
        .push(Author::PICTURES, picture("back"))
        .push(Author::LETTERS, &held.letters[0])
        .push(Author::LETTERS, letter(3));
    let saved = repo.insert(draft).await?;
    assert_eq!((saved.posts()?.len(), saved.groups()?.len(), saved.letters()?.len()), (2, 2, 2));
    Ok(())
}

async fn update(repo: &Repo, held: &Held) -> Result<()> {
    let author = &held.author;
    let (posts, groups, pictures) = (author.posts()?, author.groups()?, author.pictures()?);
    let memberships = author.memberships()?;
    let changed = |post: &Post| post.change().set(Post::TITLE, text("changed"));
    let change = author
        .change()
        .set(Author::NAME, text("Ada Lovelace"))
        .associate(Author::COMPANY, company("second"))
        .edit(Author::POSTS, changed(&posts[0]).push(Post::TAGS, tag("new")).remove(Post::TAGS, &posts[0].tags()?[0]))
        .edit(
            Author::POSTS,
            changed(&posts[1])
                .clear(Post::TAGS)
                .edit(Post::COMMENTS, posts[1].comments()?[0].change().set(Comment::BODY, text("edited"))),
        )
        .push(Author::POSTS, post("more").push(Post::COMMENTS, comment("first")))
        .set_one(Author::ACCOUNT, account("3"))
        .edit(Author::MEMBERSHIPS, memberships[0].change().set(Membership::ROLE, "guest"))
        .remove(Author::GROUPS, &*groups[1])
        .push(Author::GROUPS, group("d"))
        .replace(Author::PICTURES, [&pictures[1]])
        .push(Author::LETTERS, &held.letters[1]);
    let saved = repo.update(change).await?;
    assert_eq!((saved.name, saved.posts.is_loaded()), (text("Ada Lovelace"), true));
    Ok(())
}

async fn destroy(repo: &Repo, held: &Held) -> Result<()> {
    let report = repo.destroy(&held.author).await?;
    assert!(report.of::<Comment>().is_some_and(|comments| comments.destroyed == 9), "{report}");
    Ok(())
}

fn steps(author: &Author) -> Result<Multi> {
    let mut multi = Multi::new();
    let companies = multi.insert_all("companies", ["third", "fourth"].map(company));
    let moved = author.clone();
    let moved = multi
        .update_with("author", move |done| Ok(moved.change().associate(Author::COMPANY, &done.get(companies)?[1])));
    multi.update_all("posts", Query::filter(Post::AUTHOR_ID.eq(author.id)), [Post::TITLE.to(text("one for all"))]);
    multi.insert_all("tags", ["x", "y"].map(tag));
    multi.run("graph", move |tx, done| {
        Box::pin(async move {
            let author = done.get(moved)?;
            let change = author.change().push(Author::POSTS, post("new").push(Post::TAGS, tag("z")));
            tx.update(change.set_one(Author::ACCOUNT, account("4"))).await.map(|_| ())
        })
    });
    multi.delete("picture", &author.pictures()?[0]);
    Ok(multi)
}

async fn multi(repo: &Repo, held: &Held) -> Result<()> {
    repo.run(&held.multi).await.map(|_| ())
}
