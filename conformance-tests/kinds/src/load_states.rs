//! Not loaded, loaded, loaded and empty, partial: four different facts.

use assoc_core::{HiddenBy, LoadState, NotLoadedReason, Result};
use assoc_repo::prelude::*;
use conformance_harness::{Context, KeyOrder, Level, cases};
use conformance_models::blog::{self, Author, Comment, Gravatar, Post};
use conformance_models::clinic::{self, Physician};

cases! { "load_states", Level::Kind;
    not_asked_for_is_an_error,
    loaded_and_absent_is_not,
    debug_shows_the_state,
    below_what_is_loaded,
    partial_stays_partial,
    hidden_is_not_missing,
}

async fn not_asked_for_is_an_error(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let author = cx.step("F174: nothing preloaded", repo.get_or_fail::<Author>(1, Query::new())).await?;
    for error in [author.posts().err(), author.gravatar().err(), author.mentor().err()].into_iter().flatten() {
        cx.note("accessor", &error);
        cx.require(error.reason() == NotLoadedReason::NotRequested, "nothing asked for it")?;
    }
    cx.require(author.posts.loaded().is_none() && author.gravatar.loaded().is_none(), "the nil-check form is None")
}

// What is done to rows in memory says nothing of those that were left out: they are loaded when somebody asks for all.
async fn partial_stays_partial(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let whole = repo.get_or_fail::<Author>(1, Query::preload((Author::POSTS, Author::GRAVATAR))).await?;
    let cut = || Query::preload((Author::POSTS.limit(1), Author::GRAVATAR.filter(Gravatar::ID.lt(0))));
    let mut taken = cx.step("the first post, no gravatar", repo.get_or_fail::<Author>(1, cut())).await?;
    taken.posts = taken.posts.take().map(HasMany::from).unwrap_or_default();
    taken.gravatar = taken.gravatar.take().map(HasOne::from).unwrap_or_default();
    let mut changed = repo.get_or_fail::<Author>(1, cut()).await?;
    if let (Some(posts), Some(first)) = (changed.posts.loaded_mut(), whole.posts()?.first()) {
        posts.clear();
        posts.push(first.clone());
    }
    changed.gravatar.replace(None);
    for author in [&mut taken, &mut changed] {
        cx.require(author.posts.is_partial() && author.gravatar.is_partial(), "partial as before")?;
        cx.step("all of them", repo.preload(&mut *author, (Author::POSTS, Author::GRAVATAR))).await?;
        cx.require(*author == whole, "as if they had been loaded at once")?;
    }
    // All of them, changed in memory, are all of them.
    let mut author = whole;
    author.posts.loaded_mut().map(Vec::clear);
    author.posts = author.posts.take().map(HasMany::from).unwrap_or_default();
    cx.step("nothing is missing", repo.preload(&mut author, Author::POSTS)).await?;
    cx.require(author.posts()?.is_empty(), "as they were left")
}

// A row that must exist and is not found may be there: the error says under whose filter it was looked up.
async fn hidden_is_not_missing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let filtered = repo.filtered(|model| (model == Post::DEF).then(|| Post::ID.ne(1).into_expr()));
    let one = || Query::filter(Comment::POST_ID.eq(1)).order_by(Comment::ID.asc()).limit(1);
    let reason = |comments: &[Comment]| comments.first().and_then(|one| one.post().err()).map(|error| error.reason());
    let by_repo = Some(NotLoadedReason::Hidden(HiddenBy::FilteredRepo));

    let comments = cx.step("hidden by the repo", filtered.all(one().preload(Comment::POST))).await?;
    cx.note("accessor", comments[0].post().err().map(|error| error.to_string()).unwrap_or_default());
    cx.require(reason(&comments) == by_repo, "it is there")?;
    let (target, state) = (comments[0].post.loaded(), comments[0].post.state());
    cx.require(target == Some(None) && state == LoadState::Loaded, "it is loaded as before")?;

    let mut comments = repo.all(one()).await?;
    cx.step("in rows of the program", filtered.preload(&mut comments, Comment::POST)).await?;
    cx.require(reason(&comments) == by_repo, "it is there as well")?;

    let comments = cx.step("by a join", filtered.all(one().eager_load(Comment::POST))).await?;
    cx.require(reason(&comments) == by_repo, "also where it is joined")?;

    let comments =
        cx.step("hidden by the request", repo.all(one().preload(Comment::POST.filter(Post::ID.ne(1))))).await?;
    cx.note("accessor", comments[0].post().err().map(|error| error.to_string()).unwrap_or_default());
    let requested = Some(NotLoadedReason::Hidden(HiddenBy::Requested));
    cx.require(reason(&comments) == requested, "the request leaves it out")?;

    let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    repo.delete(&post).await?;
    let comments = cx.step("missing", repo.all(one().preload(Comment::POST))).await?;
    cx.note("accessor", comments[0].post().err().map(|error| error.to_string()).unwrap_or_default());
    cx.require(reason(&comments) == Some(NotLoadedReason::NoRow), "there is none")
}

async fn loaded_and_absent_is_not(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload((Author::POSTS, Author::GRAVATAR, Author::MENTOR));
    let authors = cx.step("F175, F176", repo.all_by_key(query)).await?;
    let (ann, bob, cyd) = (&authors[0], &authors[1], &authors[2]);
    cx.require(cyd.posts()?.is_empty() && cyd.posts.is_loaded(), "no posts")?;
    cx.require(bob.gravatar()?.is_none() && bob.gravatar.is_loaded(), "no gravatar")?;
    cx.require(ann.mentor()?.is_none() && ann.mentor.is_loaded(), "no mentor")?;
    cx.require(ann.gravatar()?.is_some() && cyd.mentor()?.is_some(), "and what is there")
}

async fn debug_shows_the_state(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::limit(1).preload(Post::COMMENTS.filter(Comment::APPROVED.eq(true))).preload(Post::AUTHOR);
    let posts = cx.step("a post", repo.all(query)).await?;
    cx.show("post", &posts);
    cx.require(posts[0].comments.state() == LoadState::Partial, "partial")?;
    cx.require(posts[0].author.state() == LoadState::Loaded, "loaded")?;
    cx.require(posts[0].first_comment.state() == LoadState::NotLoaded, "not loaded")
}

// However a row was loaded, an association below it that was not requested returns an error with model and association.
async fn below_what_is_loaded(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let authors = repo.all(Query::preload((Author::POSTS, Author::GRAVATAR)).order_by(Author::ID.asc())).await?;
    let ann = &authors[0];
    let read = repo.get_association(ann, Author::POSTS, Query::new()).await?;
    let beside = repo.load_separately(&authors, Author::POSTS).await?;
    let joined = repo.all(Query::eager_load(Author::POSTS).order_by(Author::ID.asc())).await?;
    for post in [&ann.posts()?[0], &read[0], &beside[0][0], &joined[0].posts()?[0]] {
        let error = post.comments().err();
        cx.note("of a list", error.map(|error| error.to_string()).unwrap_or_default());
        cx.require(post.author().is_err() && !post.author.is_loaded(), "nor its owner, unless it was asked for")?;
    }
    let error = ann.gravatar()?.and_then(|gravatar| gravatar.author().err());
    cx.note("of a single target", error.map(|error| error.to_string()).unwrap_or_default());
    clinic::fixture(&repo).await?;
    let physicians = repo.all(Query::preload(Physician::PATIENTS).order_by(Physician::ID.asc())).await?;
    cx.require(physicians[0].appointments().is_err(), "nor what lies on the way")?;
    let error = physicians[0].patients()?[0].appointments().err();
    cx.note("of a shared row", error.map(|error| error.to_string()).unwrap_or_default());
    Ok(())
}
