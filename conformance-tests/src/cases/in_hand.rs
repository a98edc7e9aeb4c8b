//! `repo.preload` on structs the application holds: idempotent, and all or nothing.

use std::sync::Arc;

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::blog::{self, Author, Comment, Post};
use crate::models::clinic::{self, Paragraph, Physician};
use crate::models::library::{self, Volume};
use crate::models::options::{self, Customer, Order};
use crate::models::pictures::{self, Picture};
use crate::models::ways::{self, Remark};

cases! { "in_hand", Level::Kind;
    c32_only_what_is_missing,
    loaded_middle_is_reused,
    mixed_owners,
    reload_forces,
    a_struct_an_option_a_slice,
    inverse_of_structs_in_hand,
    failure_changes_nothing,
    filtered_after_whole,
    nothing_in_hand,
    shared_targets_in_hand,
    shared_targets_stay_shared,
    another_order,
    changed_keys,
    structs_of_ones_own,
    absence_is_remembered,
    another_key_on_the_way,
    updated_keys,
}

async fn c32_only_what_is_missing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut authors = repo.all_by_key(Query::preload(Author::POSTS)).await?;
    cx.step("all loaded", repo.preload(&mut authors, Author::POSTS)).await?;
    let _ = authors[1].posts.take();
    cx.step("one of three missing", repo.preload(&mut authors, Author::POSTS)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn loaded_middle_is_reused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut authors = repo.all_by_key(Query::preload(Author::POSTS)).await?;
    let tree = Author::POSTS.with(Post::COMMENTS.with(Comment::AUTHOR));
    cx.step("posts are there, comments and their authors are not", repo.preload(&mut authors, tree)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn mixed_owners(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut authors = repo.all_by_key(Query::preload(Author::POSTS)).await?;
    let _ = authors[0].posts.take();
    // Ann's posts must be fetched, Bob's are loaded: one statement for the posts, one for all comments.
    cx.step("some posts in hand, some not", repo.preload(&mut authors, Author::POSTS.with(Post::COMMENTS))).await?;
    let fresh = repo.all_by_key(Query::preload(Author::POSTS.with(Post::COMMENTS))).await?;
    cx.require(authors == fresh, "the same as loading everything at once")
}

async fn reload_forces(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut ann = repo.get_or_fail::<Author>(1, Query::preload(Author::POSTS)).await?;
    repo.insert(Post::build().set(Post::AUTHOR_ID, 1).set(Post::TITLE, "new").set(Post::PUBLISHED, true)).await?;
    cx.step("F38: preload keeps", repo.preload(&mut ann, Author::POSTS)).await?;
    cx.note("posts", ann.posts()?.len());
    cx.step("F56: reload reads", repo.reload(&mut ann, Author::POSTS)).await?;
    cx.note("posts", ann.posts()?.len());
    let mut post = repo.get_or_fail::<Post>(1, Query::preload(Post::AUTHOR)).await?;
    repo.update(ann.change().set(Author::NAME, "Anna")).await?;
    cx.step("F38: preload keeps a single target", repo.preload(&mut post, Post::AUTHOR)).await?;
    cx.note("author", post.author()?.map(|author| author.name.clone()).unwrap_or_default());
    cx.step("F38: reload reads it", repo.reload(&mut post, Post::AUTHOR)).await?;
    cx.note("author", post.author()?.map(|author| author.name.clone()).unwrap_or_default());
    Ok(())
}

async fn a_struct_an_option_a_slice(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut ann = repo.get::<Author>(1, Query::new()).await?;
    cx.step("an Option", repo.preload(&mut ann, Author::POSTS)).await?;
    cx.require(ann.as_ref().is_some_and(|ann| ann.posts.is_loaded()), "loaded")?;
    let mut none: Option<Author> = None;
    cx.step("None", repo.preload(&mut none, Author::POSTS)).await?;
    let mut authors = repo.all(Query::<Author>::new()).await?;
    cx.step("a slice", repo.preload(&mut authors[1..], Author::POSTS)).await?;
    cx.require(authors[0].posts.loaded().is_none() && authors[1].posts.is_loaded(), "only the slice")?;
    let mut one = authors.swap_remove(0);
    cx.step("a struct, two associations", repo.preload(&mut one, (Author::POSTS, Author::GRAVATAR))).await?;
    cx.require(one.posts.is_loaded() && one.gravatar.is_loaded(), "both")
}

async fn inverse_of_structs_in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut authors = repo.all_by_key(Query::<Author>::new()).await?;
    authors[0].name = "Ann, changed in memory".to_owned();
    cx.step("posts: author", repo.preload(&mut authors, Author::POSTS.with(Post::AUTHOR))).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn failure_changes_nothing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut authors = repo.all(Query::preload(Author::GRAVATAR)).await?;
    let before = authors.clone();
    cx.recorder().fail_after(1);
    let tree = Author::POSTS.with(Post::COMMENTS);
    cx.fails("the second statement fails", repo.preload(&mut authors, tree)).await?;
    cx.require(authors == before, "nothing changed in memory")?;
    cx.step("and the repo is fine", repo.preload(&mut authors, Author::POSTS)).await
}

async fn filtered_after_whole(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut ann = repo.get_or_fail::<Author>(1, Query::preload(Author::POSTS)).await?;
    let published = Author::POSTS.filter(Post::PUBLISHED.eq(true));
    cx.step("a filtered preload always runs", repo.preload(&mut ann, published)).await?;
    cx.require(ann.posts.is_partial() && ann.posts()?.len() == 1, "partial now")?;
    cx.step("the whole is missing then", repo.preload(&mut ann, Author::POSTS)).await?;
    cx.require(!ann.posts.is_partial() && ann.posts()?.len() == 2, "whole again")
}

async fn nothing_in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let mut none: Vec<Author> = Vec::new();
    cx.step("no owners", repo.preload(&mut none, Author::POSTS.with(Post::COMMENTS))).await
}

async fn shared_targets_in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut comments = repo.all_by_key(Query::preload(Comment::AUTHOR)).await?;
    let tree = Comment::AUTHOR.with((Author::GRAVATAR, Author::MENTOR.with(Author::POSTS)));
    cx.step("below a shared belongs_to", repo.preload(&mut comments, tree.clone())).await?;
    let fresh = repo.all_by_key(Query::preload(tree)).await?;
    cx.require(comments == fresh, "the same as loading everything at once")
}

// Loading below a target that several owners share gives all of them the one that has it.
async fn shared_targets_stay_shared(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let copies = |comments: &[Comment]| {
        let authors = comments.iter().filter_map(|comment| comment.author.shared());
        let mentors = authors.clone().filter_map(|author| author.mentor.shared());
        let count = |rows: Vec<*const Author>| rows.into_iter().collect::<std::collections::BTreeSet<_>>().len();
        format!(
            "{} authors, {} mentors",
            count(authors.map(|author| Arc::as_ptr(&author)).collect()),
            count(mentors.map(|mentor| Arc::as_ptr(&mentor)).collect())
        )
    };
    let mut comments =
        repo.all(Query::preload(Comment::AUTHOR.with(Author::MENTOR)).order_by(Comment::ID.asc())).await?;
    cx.note("loaded", copies(&comments));
    let below = Comment::AUTHOR.with((Author::GRAVATAR, Author::MENTOR.with(Author::POSTS)));
    cx.step("below both", repo.preload(&mut comments, below.clone())).await?;
    cx.note("then", copies(&comments));
    let fresh = repo.all(Query::preload(below.clone()).order_by(Comment::ID.asc())).await?;
    cx.require(comments == fresh, "the same as loading everything at once")?;
    // One of them has lost it, the others keep the copy they share.
    let other = comments.clone();
    comments[0].author = BelongsTo::default();
    cx.step("one is missing", repo.preload(&mut comments, below.clone())).await?;
    cx.require(comments == fresh, "the same")?;
    let kept =
        comments.iter().zip(&other).skip(1).all(|(one, other)| match (one.author.shared(), other.author.shared()) {
            (Some(one), Some(other)) => Arc::ptr_eq(&one, &other),
            (one, other) => one.is_none() && other.is_none(),
        });
    cx.require(kept, "what nothing was put into was not even copied")?;
    cx.step("reload", repo.reload(&mut comments, below)).await?;
    cx.require(comments == fresh, "the same")?;
    cx.note("reloaded", copies(&comments));
    Ok(())
}

// Where only the first rows are loaded, the order decides which rows these are.
async fn another_order(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let smallest =
        (Customer::LARGEST_ORDERS.order_by(Order::TOTAL.asc()), Customer::LARGEST_ORDER.order_by(Order::TOTAL.asc()));
    let mut customers =
        cx.step("the smallest instead of the largest", repo.all_by_key(Query::preload(smallest))).await?;
    cx.require(
        customers.iter().all(|customer| customer.largest_orders.is_partial() && customer.largest_order.is_partial()),
        "not what is declared",
    )?;
    let largest = (Customer::LARGEST_ORDERS, Customer::LARGEST_ORDER);
    cx.step("so the largest are missing", repo.preload(&mut customers, largest)).await?;
    let fresh = repo.all_by_key(Query::preload(largest)).await?;
    cx.require(customers == fresh, "the same as loading them at once")?;
    let mut customers = repo.all_by_key(Query::preload(Customer::ORDERS)).await?;
    let by_total = Customer::ORDERS.order_by(Order::TOTAL.desc());
    cx.step("all of them, in another order", repo.preload(&mut customers, by_total)).await?;
    cx.require(customers.iter().all(|customer| !customer.orders.is_partial()), "the whole")?;
    cx.show("customers", &customers);
    cx.step("nothing is missing then", repo.preload(&mut customers, Customer::ORDERS)).await
}

async fn changed_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut posts = repo.all(Query::preload(Post::AUTHOR).order_by(Post::ID.asc())).await?;
    posts[0].author_id = Some(3);
    posts[1].author_id = None;
    posts[3].author_id = Some(2);
    cx.step("another key: what is in memory is stale", repo.preload(&mut posts, Post::AUTHOR)).await?;
    cx.show("posts", &posts);
    for post in &mut posts {
        post.author_id = None;
    }
    cx.step("no key: nothing to ask for", repo.preload(&mut posts, Post::AUTHOR)).await?;
    cx.require(posts.iter().all(|post| matches!(post.author(), Ok(None))), "no author")?;
    posts[0].author_id = Some(99);
    cx.step("a key of a row that is not there", repo.preload(&mut posts, Post::AUTHOR)).await?;
    cx.step("is looked up again", repo.preload(&mut posts, Post::AUTHOR)).await?;
    cx.require(matches!(posts[0].author(), Ok(None)), "no author")?;
    pictures::fixture(&repo).await?;
    let mut pictures = repo.all(Query::preload(Picture::IMAGEABLE).order_by(Picture::ID.asc()).limit(4)).await?;
    pictures[0].imageable_type = Some("product".to_owned());
    pictures[1].imageable_id = None;
    pictures[3].imageable_id = Some(1);
    pictures[3].imageable_type = Some("Employee".to_owned());
    cx.step("another type or key of a polymorphic one", repo.preload(&mut pictures, Picture::IMAGEABLE)).await?;
    cx.show("pictures", pictures);
    Ok(())
}

async fn structs_of_ones_own(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // Not from the database: all that counts are its keys.
    let mut post = Post {
        id: 3,
        author_id: Some(1),
        title: "mine".to_owned(),
        published: false,
        author: BelongsTo::default(),
        comments: HasMany::default(),
        first_comment: HasOne::default(),
    };
    cx.step("a struct made by hand", repo.preload(&mut post, (Post::AUTHOR, Post::COMMENTS))).await?;
    cx.show("post", [post]);
    Ok(())
}

async fn absence_is_remembered(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // None of these has a row.
    let all = (Author::MENTOR, Author::GRAVATAR, Author::POSTS, Author::STUDENTS);
    let mut authors = repo.insert_all(["Dan", "Eve"].map(|name| Author::build().set(Author::NAME, name))).await?;
    cx.step("nothing is there", repo.preload(&mut authors, all)).await?;
    cx.step("which is known then", repo.preload(&mut authors, all)).await?;
    let none = authors.iter().all(|author| {
        matches!((author.mentor(), author.gravatar()), (Ok(None), Ok(None)))
            && author.posts().is_ok_and(<[_]>::is_empty)
    });
    cx.require(none, "loaded and absent")?;
    clinic::fixture(&repo).await?;
    let mut idle = repo.all(Query::filter(Physician::ID.eq(3))).await?;
    cx.step("through others", repo.preload(&mut idle, (Physician::PATIENTS, Physician::COLLEAGUES))).await?;
    cx.step("nor there", repo.preload(&mut idle, (Physician::PATIENTS, Physician::COLLEAGUES))).await
}

// What lies behind a belongs_to is another row's when the key is another.
async fn another_key_on_the_way(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let mut paragraph = repo.get_or_fail::<Paragraph>(1, Query::preload(Paragraph::DOCUMENT)).await?;
    cx.note("document", format!("{:?}", paragraph.document()?.map(|document| document.id)));
    paragraph.section_id = 3;
    let read = repo.get_association(&paragraph, Paragraph::DOCUMENT, Query::new());
    let read = cx.step("the reader goes by the key of now", read).await?;
    cx.note("document", format!("{:?}", read.map(|document| document.id)));
    cx.step("so does loading anew", repo.reload(&mut paragraph, Paragraph::DOCUMENT)).await?;
    cx.note("document", format!("{:?}", paragraph.document()?.map(|document| document.id)));
    paragraph.section_id = 99;
    cx.step("a key of nothing", repo.reload(&mut paragraph, Paragraph::DOCUMENT)).await?;
    cx.require(matches!(paragraph.document(), Ok(None)), "none")?;
    // The intermediate row is in memory, so the changed key is noticed.
    let query = Query::preload((Paragraph::SECTION, Paragraph::DOCUMENT));
    let mut paragraph = repo.get_or_fail::<Paragraph>(1, query).await?;
    paragraph.section_id = 3;
    cx.step("what is on the way is in memory", repo.preload(&mut paragraph, Paragraph::DOCUMENT)).await?;
    cx.note("document", format!("{:?}", paragraph.document()?.map(|document| document.id)));
    ways::criticism(&repo).await?;
    let mut remark = repo.get_or_fail::<Remark>(1, Query::preload(Remark::AUTHORS_POSTS)).await?;
    cx.note("posts of the author", remark.authors_posts()?.len());
    remark.author_id = None;
    cx.step("no key, nothing behind it", repo.preload(&mut remark, Remark::AUTHORS_POSTS)).await?;
    cx.require(remark.authors_posts()?.is_empty(), "none")?;
    cx.step("and that is known then", repo.preload(&mut remark, Remark::AUTHORS_POSTS)).await
}

// An update clears the associations whose keys it changes; all others stay.
async fn updated_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let all = (Paragraph::SECTION, Paragraph::DOCUMENT);
    let paragraph = repo.get_or_fail::<Paragraph>(1, Query::preload(all)).await?;
    let paragraph = repo.update(paragraph.change().set(Paragraph::SECTION_ID, 3)).await?;
    cx.require(!paragraph.section.is_loaded() && !paragraph.document.is_loaded(), "what lies behind a belongs_to")?;
    pictures::fixture(&repo).await?;
    let picture = repo.get_or_fail::<Picture>(1, Query::preload(Picture::IMAGEABLE)).await?;
    let other_key = repo.update(picture.change().set(Picture::IMAGEABLE_ID, 3)).await?;
    cx.require(!other_key.imageable.is_loaded(), "a polymorphic target of another key")?;
    let other_type = repo.update(picture.change().set(Picture::IMAGEABLE_TYPE, Some("product".to_owned()))).await?;
    cx.require(!other_type.imageable.is_loaded(), "and of another type")?;
    options::fixture(&repo).await?;
    let customer = repo.get_or_fail::<Customer>(1, Query::preload((Customer::ORDERS, Customer::VIP_ORDERS))).await?;
    let customer = repo.update(customer.change().set(Customer::VIP_FROM, 5)).await?;
    cx.require(!customer.vip_orders.is_loaded() && customer.orders.is_loaded(), "a scope that looks at the owner")?;
    library::fixture(&repo).await?;
    let all = (Volume::LOANS, Volume::READERS, Volume::TOPICS);
    let volume = repo.get_or_fail::<Volume>(1, Query::preload(all)).await?;
    let volume = repo.update(volume.change().set(Volume::ISBN, "9-n")).await?;
    cx.require(!volume.loans.is_loaded() && !volume.readers.is_loaded(), "keys that are not primary")?;
    cx.require(volume.topics.is_loaded(), "by another key")
}
