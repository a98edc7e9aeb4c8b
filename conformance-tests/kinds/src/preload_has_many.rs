//! has_many: one keyed statement, rows dealt out in order.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, KeyOrder, Level, cases};
use conformance_models::blog::{self, Author, Comment, Post};

cases! { "preload_has_many", Level::Kind;
    empty_and_full,
    nested,
    c6_inverse_from_memory,
    c24_stops_at_the_first_empty_level,
    three_statements_for_a_thousand_users,
    more_owners_than_one_statement_takes,
    rows_of_keys_between,
    owners_in_any_order,
    duplicated_owners,
    self_join,
    recursive,
    two_associations_to_one_table,
    ordered,
    filtered_is_partial,
    equals_the_reader,
}

async fn empty_and_full(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let authors = cx.step("authors preload posts", repo.all_by_key(Query::preload(Author::POSTS))).await?;
    cx.show("authors", &authors);
    cx.require(authors[2].posts()?.is_empty(), "loaded and empty is not an error")
}

async fn nested(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload(Author::POSTS.with(Post::COMMENTS));
    let authors = cx.step("authors preload posts: comments", repo.all_by_key(query)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn c6_inverse_from_memory(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let tree = Author::POSTS.with((Post::AUTHOR, Post::COMMENTS.with(Comment::AUTHOR)));
    let ann = cx
        .step("author 1 preload posts: [author, comments: author]", repo.get::<Author>(1, Query::preload(tree)))
        .await?;
    cx.show("author", ann);
    Ok(())
}

async fn c24_stops_at_the_first_empty_level(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let students = Author::STUDENTS.with(Author::STUDENTS.with(Author::STUDENTS.with(Author::POSTS)));
    let cyd = Query::filter(Author::NAME.eq("Cyd")).preload(students);
    let authors = cx.step("students of students of one who has none", repo.all(cyd)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn three_statements_for_a_thousand_users(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::many(&repo, 1_000, 10, 5).await?;
    let tree = Author::POSTS.with(Post::COMMENTS).with(Post::AUTHOR);
    let title = "1,000 authors, 10,000 posts, 50,000 comments";
    let authors = cx.step(title, repo.all(Query::preload(tree))).await?;
    let mut comments = 0;
    for author in &authors {
        for post in author.posts()? {
            cx.require(post.author()?.is_some_and(|back| back.id == author.id), "the inverse is the owner")?;
            comments += post.comments()?.iter().filter(|comment| comment.post_id == post.id).count();
        }
    }
    cx.note("authors", authors.len());
    cx.note("comments", comments);
    Ok(())
}

async fn more_owners_than_one_statement_takes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::many(&repo, 70_000, 1, 0).await?;
    let authors = repo.all(Query::preload(Author::POSTS.filter(Post::ID.gt(0)))).await?;
    let right = authors
        .iter()
        .all(|author| author.posts().is_ok_and(|posts| posts.len() == 1 && posts[0].author_id == Some(author.id)));
    cx.require(right, "each of 70,000 owners has its own row")?;
    cx.note("owners", authors.len());
    Ok(())
}

// Where few keys are missing a database may read them as well.
async fn rows_of_keys_between(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::many(&repo, 200, 2, 1).await?;
    for missing in [1, 10, 60] {
        let others: Vec<i64> = (1..=200).filter(|id| id * 7 % 200 < missing).collect();
        let own = Query::filter(Author::ID.is_in(&others).not());
        let tree = (Author::POSTS.with((Post::AUTHOR, Post::COMMENTS.with(Comment::POST))), Author::GRAVATAR);
        let authors = cx.step(&format!("all but {} authors", others.len()), repo.all(own.preload(tree))).await?;
        cx.require(authors.len() + others.len() == 200, "the others are missing")?;
        for author in &authors {
            let posts = author.posts()?;
            cx.require(posts.len() == 2, "each has its posts")?;
            for post in posts {
                cx.require(
                    post.author_id == Some(author.id) && post.comments()?.len() == 1,
                    "and these their comments",
                )?;
            }
        }
        // Without the authors between, and with a key of another in memory.
        let some = Query::filter(Post::AUTHOR_ID.is_in(&others).not().or(Post::ID.eq(2 * others[0])));
        let posts = cx.step("posts of some", repo.all(some.preload((Post::AUTHOR, Post::FIRST_COMMENT)))).await?;
        for post in &posts {
            let author = post.author()?.map(|author| author.id);
            cx.require(author == post.author_id && post.first_comment()?.is_some(), "each has its author")?;
        }
        cx.note("posts", posts.len());
    }
    Ok(())
}

async fn owners_in_any_order(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::order_by(Author::NAME.desc()).preload(Author::POSTS.with(Post::AUTHOR));
    let authors = cx.step("authors from last to first", repo.all(query)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn duplicated_owners(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let bob = repo.get_or_fail::<Author>(2, Query::new()).await?;
    let mut owners = vec![bob.clone(), ann.clone(), ann, bob];
    cx.step("each owner twice", repo.preload(&mut owners, Author::POSTS.with(Post::COMMENTS))).await?;
    cx.show("owners", &owners);
    cx.require(owners[0] == owners[3] && owners[1] == owners[2], "twins are equal")
}

async fn self_join(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload((Author::MENTOR, Author::STUDENTS));
    let authors = cx.step("F14: mentors and students", repo.all_by_key(query)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn recursive(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let ann = Query::filter(Author::NAME.eq("Ann")).preload(Author::STUDENTS.recursive(10));
    let authors = cx.step("all levels, until one is empty", repo.all(ann)).await?;
    let students = authors[0].students()?;
    let of_students = students[0].students()?;
    cx.require(students[0].name == "Bob" && of_students[0].name == "Cyd", "the whole tree")?;
    cx.require(of_students[0].students()?.is_empty(), "to its leaves")?;
    let shallow = Query::filter(Author::NAME.eq("Ann")).preload(Author::STUDENTS.recursive(1));
    let authors = cx.step("one level", repo.all(shallow)).await?;
    cx.require(authors[0].students()?[0].students().is_err(), "and no more")
}

async fn two_associations_to_one_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload((Author::POSTS, Author::ARTICLES));
    let authors = cx.step("C26: same table, same key: merged", repo.all_by_key(query)).await?;
    cx.require(authors.iter().all(|author| author.posts.loaded() == author.articles.loaded()), "both are filled")?;
    cx.show("authors", authors);
    Ok(())
}

async fn ordered(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload(Post::COMMENTS.order_by([Comment::APPROVED.desc(), Comment::BODY.desc()]));
    let posts = cx.step("comments in an order", repo.all_by_key(query)).await?;
    cx.show("posts", &posts);
    cx.require(posts.iter().all(|post| !post.comments.is_partial()), "an order leaves nothing out")
}

async fn filtered_is_partial(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload(Post::COMMENTS.filter(Comment::APPROVED.eq(true)).with(Comment::AUTHOR));
    let posts = cx.step("approved comments only", repo.all_by_key(query)).await?;
    cx.show("posts", &posts);
    cx.require(posts.iter().all(|post| post.comments.is_partial()), "what is left out is not forgotten")
}

async fn equals_the_reader(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    for author in repo.all_by_key(Query::preload(Author::POSTS)).await? {
        let title = format!("reader of author {}", author.id);
        let posts = cx.step(&title, repo.get_association(&author, Author::POSTS, Query::new())).await?;
        cx.require(author.posts()? == posts, "preload and reader agree")?;
    }
    Ok(())
}
