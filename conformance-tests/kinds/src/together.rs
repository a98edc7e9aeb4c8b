//! Existing rows of several models, loaded by one request.

use assoc_core::{ErrorKind, Result};
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Comment, Gravatar, Post};
use conformance_models::ways::{self, Critic};

cases! { "together", Level::Kind;
    comments_and_gravatars,
    trees,
    the_same_model_twice,
    inverses_of_each,
    what_is_there_stays,
    anew,
    by_all_ways,
    rows_at_hand,
    nobody,
    refused,
    budget,
}

async fn comments_and_gravatars(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut comments = repo.all(Query::new().order_by(Comment::ID.asc())).await?;
    let mut gravatar = repo.get_or_fail::<Gravatar>(1, Query::new()).await?;
    let request = repo.together().preload(&mut comments, Comment::AUTHOR).preload(&mut gravatar, Gravatar::AUTHOR);
    cx.step("owners of two models, one look-up", request.run()).await?;
    cx.show("comments", &comments);
    cx.show("gravatar", [&gravatar]);
    Ok(())
}

async fn trees(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut posts = repo.all(Query::new().order_by(Post::ID.asc())).await?;
    let mut gravatars = repo.all(Query::new().order_by(Gravatar::ID.asc())).await?;
    let request = repo
        .together()
        .preload(&mut posts, (Post::AUTHOR.with(Author::MENTOR), Post::COMMENTS.with(Comment::AUTHOR)))
        .preload(&mut gravatars, Gravatar::AUTHOR.with((Author::MENTOR, Author::POSTS.with(Post::COMMENTS))));
    cx.step("merged across models and levels", request.run()).await?;
    cx.show("posts", &posts);
    cx.show("gravatars", &gravatars);
    Ok(())
}

async fn the_same_model_twice(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut first = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let mut others = repo.all(Query::filter(Author::ID.gt(1)).order_by(Author::ID.asc())).await?;
    let request = repo.together().preload(&mut first, Author::POSTS).preload(&mut others, Author::POSTS);
    cx.step("one statement for all authors", request.run()).await?;
    cx.show("first", [&first]);
    cx.show("others", &others);
    let published = Author::POSTS.filter(Post::PUBLISHED.eq(true));
    let request = repo.together().preload(&mut first, published).preload(&mut others, Author::COMMENTS);
    cx.step("each with a request of its own", request.run()).await?;
    cx.require(first.posts.is_partial() && first.comments().is_err(), "what was asked for, and nothing else")?;
    cx.require(others.iter().all(|author| author.posts.loaded().is_some() && !author.posts.is_partial()), "whole")
}

async fn inverses_of_each(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut gravatars = repo.all(Query::new().order_by(Gravatar::ID.asc())).await?;
    let mut authors = repo.all(Query::new().order_by(Author::ID.asc())).await?;
    let request = repo
        .together()
        .preload(&mut gravatars, Gravatar::AUTHOR)
        .preload(&mut authors, Author::POSTS.with(Post::AUTHOR));
    cx.step("authors of posts are in hand, those of gravatars may be others", request.run()).await?;
    for author in &authors {
        for post in author.posts()? {
            cx.require(post.author()?.is_some_and(|back| back.name == author.name), "each post leads back")?;
        }
    }
    cx.show("gravatars", &gravatars);
    Ok(())
}

async fn what_is_there_stays(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut comments = repo.all(Query::preload(Comment::AUTHOR).order_by(Comment::ID.asc())).await?;
    let mut gravatars = repo.all(Query::new().order_by(Gravatar::ID.asc())).await?;
    let request = repo.together().preload(&mut comments, Comment::AUTHOR).preload(&mut gravatars, Gravatar::AUTHOR);
    cx.step("only for gravatars", request.run()).await?;
    let request = repo.together().preload(&mut comments, Comment::AUTHOR).preload(&mut gravatars, Gravatar::AUTHOR);
    cx.step("nothing is missing", request.run()).await?;
    let request = repo
        .together()
        .preload(&mut comments, Comment::AUTHOR.with(Author::GRAVATAR))
        .preload(&mut gravatars, Gravatar::AUTHOR.with(Author::GRAVATAR));
    cx.step("below those of both", request.run()).await?;
    cx.show("comments", &comments);
    cx.show("gravatars", &gravatars);
    Ok(())
}

async fn anew(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut comment = repo.get_or_fail::<Comment>(1, Query::preload(Comment::AUTHOR)).await?;
    let mut gravatar = repo.get_or_fail::<Gravatar>(1, Query::preload(Gravatar::AUTHOR)).await?;
    let bob = repo.get_or_fail::<Author>(2, Query::new()).await?;
    repo.update(bob.change().set(Author::NAME, "Bobby")).await?;
    let request = repo.together().preload(&mut comment, Comment::AUTHOR).preload(&mut gravatar, Gravatar::AUTHOR);
    cx.step("everything again", request.reload()).await?;
    cx.require(comment.author()?.is_some_and(|author| author.name == "Bobby"), "the new name")
}

async fn by_all_ways(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let mut posts = repo.all(Query::new().order_by(Post::ID.asc())).await?;
    let mut critics = repo.all(Query::new().order_by(Critic::ID.asc())).await?;
    let tree = (Critic::APPROVED_COMMENTS, Critic::COMMENTERS, Critic::LATEST_POST, Critic::FIRST_POSTS);
    let request = repo.together().preload(&mut posts, Post::FIRST_COMMENT).preload(&mut critics, tree);
    cx.step("has_one, through, limits", request.run()).await?;
    for critic in &critics {
        let approved: Vec<&str> = critic.approved_comments()?.iter().map(|comment| comment.body.as_str()).collect();
        let commenters: Vec<&str> = critic.commenters()?.iter().map(|author| author.name.as_str()).collect();
        let latest = critic.latest_post()?.map(|post| post.id);
        cx.show(&critic.name, [format!("{approved:?} {commenters:?} {latest:?} {}", critic.first_posts()?.len())]);
    }
    cx.show("posts", &posts);
    Ok(())
}

async fn rows_at_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut authors = repo.all(Query::new().order_by(Author::ID.asc())).await?;
    let cyd = authors.pop();
    // The request uses the existing row as it is.
    authors[0].name = "Ann at hand".to_owned();
    let mut comments = repo.all(Query::new().order_by(Comment::ID.asc())).await?;
    let request = repo.together().available(&authors).preload(&mut comments, Comment::AUTHOR);
    cx.step("only the third is looked up", request.run()).await?;
    let names = |comments: &[Comment]| -> Result<Vec<Option<String>>> {
        comments.iter().map(|comment| Ok(comment.author()?.map(|author| author.name.clone()))).collect()
    };
    cx.show("names", names(&comments)?);
    authors.extend(cyd);
    let request = repo.together().preload(&mut comments, Comment::AUTHOR).available(&authors);
    cx.step("nobody is", request.reload()).await?;
    let mut posts = repo.all(Query::new().order_by(Post::ID.asc())).await?;
    let request = repo.together().available(&comments).preload(&mut posts, (Post::COMMENTS, Post::FIRST_COMMENT));
    cx.step("collections and what is not by primary key are", request.run()).await?;
    let some = Comment::AUTHOR.filter(Author::NAME.ne("Bob"));
    let request = repo.together().available(&authors).preload(&mut comments, some);
    cx.step("and what has a condition", request.run()).await?;
    let filtered = repo.filtered(|model| (model.name == "Author").then(|| Author::NAME.ne("Bob").into_expr()));
    let request = filtered.together().available(&authors).preload(&mut comments, Comment::AUTHOR);
    cx.step("also one of the repo's", request.reload()).await?;
    cx.show("names", names(&comments)?);
    Ok(())
}

async fn nobody(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let (mut comments, mut gravatar): (Vec<Comment>, Option<Gravatar>) = (Vec::new(), None);
    let request = repo.together().preload(&mut comments, Comment::AUTHOR).preload(&mut gravatar, Gravatar::AUTHOR);
    cx.step("nobody in hand", request.run()).await?;
    cx.step("nothing asked for", repo.together().run()).await?;
    let mut gravatars = repo.all(Query::new().order_by(Gravatar::ID.asc())).await?;
    let request = repo.together().preload(&mut comments, Comment::AUTHOR).preload(&mut gravatars, Gravatar::AUTHOR);
    cx.step("no comments", request.run()).await?;
    cx.show("gravatars", &gravatars);
    Ok(())
}

async fn refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut posts = repo.all(Query::new().order_by(Post::ID.asc())).await?;
    let mut gravatars = repo.all(Query::new().order_by(Gravatar::ID.asc())).await?;
    let twice = (Post::COMMENTS.limit(1), Post::COMMENTS.limit(2));
    let request = repo.together().preload(&mut gravatars, Gravatar::AUTHOR).preload(&mut posts, twice);
    let error = cx.fails("asked for twice in different ways", request.run()).await?;
    cx.note("error", error.to_string());
    repo.drop_table::<Comment>().await?;
    let request = repo.together().preload(&mut gravatars, Gravatar::AUTHOR).preload(&mut posts, Post::COMMENTS);
    cx.fails("the second look-up fails", request.run()).await?;
    cx.require(gravatars.iter().all(|gravatar| gravatar.author().is_err()), "nothing is changed in memory")
}

async fn budget(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut posts = repo.all(Query::new().order_by(Post::ID.asc())).await?;
    let mut gravatars = repo.all(Query::new().order_by(Gravatar::ID.asc())).await?;
    let limited = repo.max_statements(1);
    let request = limited.together().preload(&mut gravatars, Gravatar::AUTHOR).preload(&mut posts, Post::COMMENTS);
    let error = cx.fails("two statements where one is allowed", request.run()).await?;
    if let ErrorKind::TooManyStatements { plan, .. } = error.kind() {
        cx.note("tree", plan.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"));
    }
    Ok(())
}
