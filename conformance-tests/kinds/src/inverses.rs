//! Both sides of an association know each other, as far as they are the same rows.

use assoc_core::{Result, Taken};
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Comment, Gravatar, Post};
use conformance_models::library::{self, Loan, Volume};
use conformance_models::mail::{self, Addressee, Inhabitant, Letter};
use conformance_models::options::{self, Customer, Note, Order};

cases! { "inverses", Level::Kind;
    of_every_part,
    by_a_join,
    by_a_reader,
    of_single_targets,
    of_itself,
    of_a_polymorphic_one,
    only_of_the_same_rows,
    no_wrong_owner,
    another_key,
}

async fn of_every_part(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    ann.name = "Ann, changed in memory".to_owned();
    for (title, posts) in [
        ("all", Author::POSTS.preload()),
        ("the first", Author::POSTS.limit(1)),
        ("the last", Author::POSTS.order_by(Post::ID.desc()).limit(1)),
        ("one by its key", Author::POSTS.filter(Post::ID.eq(2))),
        ("some", Author::POSTS.filter(Post::PUBLISHED.eq(true))),
        ("under another name", Author::ARTICLES.preload()),
    ] {
        let mut ann = ann.clone();
        cx.step(title, repo.preload(&mut ann, posts.with(Post::AUTHOR))).await?;
        let posts = ann.posts.loaded().or(ann.articles.loaded()).unwrap_or_default();
        let back: Vec<_> = posts.iter().map(|post| post.author().ok().flatten().map(|author| &author.name)).collect();
        cx.note("posts by", format!("{back:?}"));
    }
    Ok(())
}

async fn by_a_join(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let tree = || (Author::POSTS.with(Post::AUTHOR), Author::GRAVATAR.with(Gravatar::AUTHOR));
    let query = Query::eager_load(tree()).order_by(Author::ID.asc());
    let authors = cx.step("one statement", repo.all(query)).await?;
    for author in &authors {
        let back = author.posts()?.iter().all(|post| post.author().is_ok_and(|back| back == Some(&author.bare())));
        let also = author.gravatar()?.is_none_or(|gravatar| gravatar.author().is_ok_and(|back| *back == author.bare()));
        cx.require(back && also, "back to the owner")?;
    }
    let preloaded = repo.all(Query::preload(tree()).order_by(Author::ID.asc())).await?;
    cx.require(preloaded == authors, "as by preload")
}

async fn by_a_reader(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    ann.name = "Ann, changed in memory".to_owned();
    let names = |posts: &[Post]| -> Vec<String> {
        let name = |post: &Post| post.author().ok().flatten().map(|author| author.name.clone());
        posts.iter().filter_map(name).collect()
    };
    let back = || Query::<Post>::new().preload(Post::AUTHOR);
    for (title, query) in [
        ("all", back()),
        ("some", back().filter(Post::PUBLISHED.eq(true))),
        ("the last", back().order_by(Post::ID.desc()).limit(1)),
    ] {
        let posts = cx.step(title, repo.get_association(&ann, Author::POSTS, query)).await?;
        cx.show("authors", names(&posts));
    }
    let query = Query::<Post>::new().preload(Post::AUTHOR.with(Author::GRAVATAR));
    let posts = cx.step("and what is behind the owner", repo.get_association(&ann, Author::POSTS, query)).await?;
    cx.show("posts", posts);
    let query = Query::<Gravatar>::new().preload(Gravatar::AUTHOR);
    let gravatar = cx.step("a single target", repo.get_association(&ann, Author::GRAVATAR, query)).await?;
    cx.show("author", gravatar.iter().filter_map(|gravatar| Some(gravatar.author().ok()?.name.clone())));
    let query = back().join(Post::COMMENTS).filter(Post::COMMENTS.joined(Comment::APPROVED.eq(true)));
    let posts = cx
        .step("a query that joins: the author is looked up", repo.get_association(&ann, Author::POSTS, query))
        .await?;
    cx.show("authors", names(&posts));
    Ok(())
}

async fn of_single_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // A second one of Ann's: no author's first.
    repo.insert(Gravatar::build().set(Gravatar::AUTHOR_ID, 1).set(Gravatar::URL, "second.png")).await?;
    let tree = Author::GRAVATAR.with(Gravatar::AUTHOR);
    let authors = cx.step("from the one side", repo.all(Query::preload(tree).order_by(Author::ID.asc()))).await?;
    for author in &authors {
        let back = author.gravatar()?.map(|gravatar| gravatar.author().map(|author| author.id)).transpose()?;
        cx.note(&author.name, format!("{back:?}"));
    }
    let tree = Gravatar::AUTHOR.with(Author::GRAVATAR);
    let gravatars = cx.step("from the other", repo.all(Query::preload(tree).order_by(Gravatar::ID.asc()))).await?;
    for gravatar in &gravatars {
        cx.note(&gravatar.url, gravatar.author()?.gravatar()?.map_or("none", |first| &first.url));
    }
    Ok(())
}

async fn of_itself(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let tree = Author::STUDENTS.with(Author::MENTOR);
    let authors = cx.step("students: mentor", repo.all(Query::preload(tree).order_by(Author::ID.asc()))).await?;
    for author in &authors {
        for student in author.students()? {
            cx.require(student.mentor()?.is_some_and(|mentor| mentor.id == author.id), "back to the mentor")?;
            cx.note(&student.name, &author.name);
        }
    }
    Ok(())
}

async fn of_a_polymorphic_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    mail::fixture(&repo).await?;
    let tree = Inhabitant::LETTERS.with(Letter::ADDRESSEE);
    let people =
        cx.step("letters: addressee", repo.all(Query::preload(tree).order_by(Inhabitant::PASSPORT.asc()))).await?;
    for person in &people {
        for letter in person.letters()? {
            let back = matches!(letter.addressee()?, Some(Addressee::Inhabitant(back)) if *back == person.bare());
            cx.require(back, "back to the owner")?;
        }
        cx.note(&person.name, person.letters()?.len());
    }
    Ok(())
}

// A condition on either side gives the two associations different rows.
async fn only_of_the_same_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    library::fixture(&repo).await?;
    let tree = Volume::LOANS.with(Loan::THICK_VOLUME);
    let volumes = cx.step("loans: a thick volume", repo.all(Query::preload(tree).order_by(Volume::ID.asc()))).await?;
    for volume in &volumes {
        for loan in volume.loans()? {
            cx.require(loan.thick_volume()?.is_some() == (volume.pages > 100), "only if it is thick")?;
        }
        cx.note(&volume.isbn, format!("{} loans", volume.loans()?.len()));
    }
    options::fixture(&repo).await?;
    let tree = Customer::CONFIRMED_ORDERS.with(Order::CUSTOMER.with(Customer::ORDERS));
    let customers = cx
        .step("confirmed orders: customer: orders", repo.all(Query::preload(tree).order_by(Customer::ID.asc())))
        .await?;
    for customer in &customers {
        let all = customer.confirmed_orders()?.first().map(|order| order.customer()).transpose()?.flatten();
        let all = all.map(|customer| customer.orders().map(<[_]>::len)).transpose()?;
        cx.note(&customer.name, format!("{} of {all:?}", customer.confirmed_orders()?.len()));
    }
    Ok(())
}

// However a request widens a condition, it stays with the owner's rows.
async fn no_wrong_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let of_ann = |posts: &[Post]| posts.iter().all(|post| post.author().is_ok_and(|author| author == Some(&ann)));
    let wide = || Post::PUBLISHED.eq(false).or(Post::ID.eq(3));
    let posts = Author::POSTS.filter(wide()).with(Post::AUTHOR);
    let posts = cx.step("or", repo.load_separately(std::slice::from_ref(&ann), posts)).await?;
    cx.require(of_ann(&posts[0]), "Ann's")?;
    cx.note("posts", posts[0].len());
    let query = Query::filter(Post::PUBLISHED.eq(false)).or_filter(Post::ID.eq(3)).preload(Post::AUTHOR);
    let read = repo.get_association(&ann, Author::POSTS, query).await?;
    cx.require(of_ann(&read) && read == posts[0], "the reader's")?;
    options::fixture(&repo).await?;
    let customer = repo.get_or_fail::<Customer>(1, Query::new()).await?;
    let notes = Customer::NOTES.unscoped().with(Note::CUSTOMER);
    let notes = cx.step("unscoped", repo.load_separately(std::slice::from_ref(&customer), notes)).await?;
    cx.require(notes[0].iter().all(|note| note.customer().is_ok_and(|owner| *owner == customer)), "the customer's")?;
    cx.note("notes", notes[0].len());
    let query = Query::unscoped().preload(Note::CUSTOMER);
    let read = repo.get_association(&customer, Customer::NOTES, query).await?;
    cx.require(read == notes[0], "the reader's")
}

async fn another_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut ann = repo.get_or_fail::<Author>(1, Query::preload(Author::POSTS.with(Post::AUTHOR))).await?;
    let mut posts = ann.posts.take().map(Taken::into_inner).unwrap_or_default();
    posts[0].author_id = Some(2);
    cx.step("one goes to another author", repo.preload(&mut posts, Post::AUTHOR)).await?;
    let names = posts.iter().map(|post| post.author().ok().flatten().map(|author| &author.name));
    cx.note("authors", format!("{:?}", names.collect::<Vec<_>>()));
    Ok(())
}
