//! Polymorphic belongs_to, its other sides, and what goes through them.

use assoc_core::{NotLoadedReason, Result};
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::mail::{self, Addressee, Company, Inhabitant, Letter};
use crate::models::pictures::{self, AnyPicture, Article, Employee, Imageable, Picture, Product, Tag, Tagging};

cases! { "polymorphic", Level::Kind;
    c16_one_statement_a_type,
    c17_children_by_type,
    c18_as,
    c20_source_type,
    c21_through_as,
    ids_of_two_types_never_mix,
    unknown_type,
    unknown_type_left_alone,
    empty_type,
    reader,
    in_hand,
    conditions,
    named_columns_and_keys,
    no_type_at_all,
    paths,
}

async fn c16_one_statement_a_type(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let mut pictures = cx.step("pictures preload imageable", repo.all(Query::preload(Picture::IMAGEABLE))).await?;
    // Without an order the database may read them by its index over type and key.
    pictures.sort_by_key(|picture: &Picture| picture.id);
    cx.show("pictures", &pictures);
    let matched = match pictures[1].imageable()? {
        Some(Imageable::Product(product)) => product.name.as_str(),
        Some(Imageable::Employee(_)) | None => "something else",
    };
    cx.require(matched == "thing", "a match is exhaustive")?;
    let only = Query::filter(Picture::IMAGEABLE_TYPE.eq("product")).preload(Picture::IMAGEABLE);
    cx.step("no employees among them", repo.all(only)).await?;
    Ok(())
}

async fn c17_children_by_type(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let tree =
        Picture::IMAGEABLE.with((Imageable::EMPLOYEE.with(Employee::MANAGER), Imageable::PRODUCT.with(Product::TAGS)));
    let mut pictures = cx.step("pictures: imageable: [manager, tags]", repo.all(Query::preload(tree))).await?;
    // Without an order the database may read them by its index over type and key.
    pictures.sort_by_key(|picture: &Picture| picture.id);
    cx.show("pictures", pictures);
    Ok(())
}

async fn c18_as(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let employees = cx
        .step(
            "employees preload pictures, portrait",
            repo.all_by_key(Query::preload((Employee::PICTURES, Employee::PORTRAIT))),
        )
        .await?;
    cx.show("employees", employees);
    let products = cx.step("products, by their own tag", repo.all_by_key(Query::preload(Product::PICTURES))).await?;
    cx.show("products", products);
    Ok(())
}

async fn c20_source_type(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let tags = cx.step("tags preload tagged_articles", repo.all_by_key(Query::preload(Tag::TAGGED_ARTICLES))).await?;
    cx.show("tags", tags);
    Ok(())
}

async fn c21_through_as(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let articles = cx.step("articles preload tags", repo.all_by_key(Query::preload(Article::TAGS))).await?;
    cx.show("articles", articles);
    Ok(())
}

async fn ids_of_two_types_never_mix(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let products = cx.step("product 1 and article 1", repo.all_by_key(Query::preload(Product::TAGS))).await?;
    cx.show("products", products);
    let taggings = cx.step("taggings preload taggable", repo.all_by_key(Query::preload(Tagging::TAGGABLE))).await?;
    cx.show("taggings", taggings);
    Ok(())
}

async fn unknown_type(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    repo.execute_raw("UPDATE pictures SET imageable_type = 'Planet' WHERE id = 3", []).await?;
    let error = cx.fails("a tag nobody has", repo.all(Query::preload(Picture::IMAGEABLE))).await?;
    cx.require(matches!(error.kind(), ErrorKind::UnknownType { tag, .. } if tag == "Planet"), "names the tag")
}

async fn unknown_type_left_alone(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    repo.execute_raw("UPDATE pictures SET imageable_type = 'Planet' WHERE id = 3", []).await?;
    let tree = || AnyPicture::IMAGEABLE.with(Imageable::EMPLOYEE.with(Employee::MANAGER));
    let query = || Query::<AnyPicture>::order_by(AnyPicture::ID.asc());
    let mut pictures = cx.step("all but the planet", repo.all(query().preload(tree()))).await?;
    cx.show("pictures", &pictures);
    let unknown = pictures.iter().position(|picture| picture.id == 3).unwrap_or_default();
    let error =
        cx.fails("reading it", async { pictures[unknown].imageable().map(|_| ()).map_err(Error::from) }).await?;
    cx.require(
        matches!(error.kind(), ErrorKind::NotLoaded(error)
            if error.reason() == NotLoadedReason::UnknownType && error.tag() == Some("Planet")),
        "says why",
    )?;
    cx.step("asking again", repo.preload(&mut pictures, tree())).await?;
    cx.require(!pictures[unknown].imageable.is_loaded(), "changes nothing")?;
    let reader = repo.get_polymorphic(&pictures[unknown], AnyPicture::IMAGEABLE);
    cx.fails("the reader", reader).await?;
    let mut other = pictures.clone();
    other[0].imageable_type = Some("Star".to_owned());
    cx.step("a target of another type is forgotten", repo.preload(&mut other, tree())).await?;
    cx.require(!other[0].imageable.is_loaded() && other[1].imageable.is_loaded(), "the others are there")?;
    cx.step("also when all are loaded anew", repo.reload(&mut other, tree())).await?;
    cx.require(!other[0].imageable.is_loaded() && other[1].imageable.is_loaded(), "the others are there")?;
    let mut bare = repo.all(query()).await?;
    cx.fails("not asked for", async { bare[0].imageable().map(|_| ()).map_err(Error::from) }).await?;
    cx.step("of planets alone", repo.preload(&mut bare[unknown], tree())).await
}

async fn empty_type(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    repo.execute_raw("UPDATE pictures SET imageable_type = '' WHERE id < 6", []).await?;
    let some = Query::filter(Picture::ID.lt(6)).preload(Picture::IMAGEABLE);
    let pictures = cx.step("an empty tag names nothing", repo.all(some)).await?;
    cx.require(pictures.iter().all(|picture| picture.imageable.loaded() == Some(None)), "loaded and absent")
}

async fn reader(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    for picture in repo.all(Query::preload(Picture::IMAGEABLE).order_by(Picture::ID.asc())).await? {
        let title = format!("reader of picture {}", picture.id);
        let read = cx.step(&title, repo.get_polymorphic(&picture, Picture::IMAGEABLE)).await?;
        cx.require(picture.imageable()? == read.as_ref(), "preload and reader agree")?;
    }
    for employee in repo.all(Query::preload((Employee::PICTURES, Employee::PORTRAIT))).await? {
        let read = repo.get_association(&employee, Employee::PICTURES, Query::new()).await?;
        cx.require(employee.pictures()? == read, "pictures")?;
        let read = repo.get_association(&employee, Employee::PORTRAIT, Query::new()).await?;
        cx.require(employee.portrait()? == read.as_ref(), "portrait")?;
    }
    Ok(())
}

async fn in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let tree = || {
        Picture::IMAGEABLE.with((Imageable::EMPLOYEE.with(Employee::MANAGER), Imageable::PRODUCT.with(Product::TAGS)))
    };
    let mut pictures = repo.all(Query::preload(Picture::IMAGEABLE).order_by(Picture::ID.asc())).await?;
    cx.step("loaded already", repo.preload(&mut pictures, Picture::IMAGEABLE)).await?;
    pictures[0] = repo.get_or_fail::<Picture>(1, Query::new()).await?;
    cx.step("one missing, children of all", repo.preload(&mut pictures, tree())).await?;
    let fresh = repo.all(Query::preload(tree()).order_by(Picture::ID.asc())).await?;
    cx.require(pictures == fresh, "the same as loading everything at once")
}

async fn conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    // A key without a type refers to nothing.
    repo.execute_raw("INSERT INTO pictures (imageable_id, imageable_type) VALUES (2, NULL)", []).await?;
    for (title, filter) in
        [("of something", Picture::IMAGEABLE.associated()), ("of nothing", Picture::IMAGEABLE.missing())]
    {
        let found = cx.step(title, repo.all(Query::filter(filter).order_by(Picture::ID.asc()))).await?;
        cx.note("pictures", found.iter().map(|picture| picture.id.to_string()).collect::<Vec<_>>().join(" "));
    }
    for (title, filter) in [
        ("with pictures", Employee::PICTURES.associated()),
        ("without", Employee::PICTURES.missing()),
        ("whose manager has none", Employee::MANAGER.any(Employee::PICTURES.missing())),
    ] {
        let found = cx.step(title, repo.all(Query::filter(filter).order_by(Employee::ID.asc()))).await?;
        cx.note("employees", found.iter().map(|employee| employee.name.as_str()).collect::<Vec<_>>().join(" "));
    }
    let tagged = Query::filter(Tag::TAGGED_ARTICLES.any(Article::TITLE.eq("A3"))).order_by(Tag::ID.asc());
    let found = cx.step("tags of A3", repo.all(tagged)).await?;
    cx.note("tags", found.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(" "));
    Ok(())
}

// Columns of other names, keys of text and of other names; a person and a firm have the same number.
async fn named_columns_and_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    mail::fixture(&repo).await?;
    let letters = cx
        .step("letters preload addressee", repo.all(Query::preload(Letter::ADDRESSEE).order_by(Letter::ID.asc())))
        .await?;
    for letter in &letters {
        let read = repo.get_polymorphic(letter, Letter::ADDRESSEE).await?;
        cx.require(letter.addressee()? == read.as_ref(), "preload and reader agree")?;
        cx.note(
            &letter.id.to_string(),
            match letter.addressee()? {
                Some(Addressee::Inhabitant(person)) => &person.name,
                Some(Addressee::Company(company)) => &company.name,
                None => "nobody",
            },
        );
    }
    let both = (Company::LETTERS, Company::LAST_LETTER);
    let firms = cx.step("firms preload letters", repo.all(Query::preload(both).order_by(Company::NAME.asc()))).await?;
    let joined = repo.all(Query::eager_load(both).order_by(Company::NAME.asc())).await?;
    cx.require(joined == firms, "the same by a join")?;
    for firm in &firms {
        let read = repo.get_association(firm, Company::LETTERS, Query::new()).await?;
        cx.require(firm.letters()? == read, "preload and reader agree")?;
        let ids: Vec<i64> = firm.letters()?.iter().map(|letter| letter.id).collect();
        cx.note(&firm.name, format!("{ids:?}, last {:?}", firm.last_letter()?.map(|letter| letter.id)));
    }
    let written_to = Query::filter(Inhabitant::LETTERS.associated()).order_by(Inhabitant::NAME.asc());
    let names = cx.step("by a condition", repo.pluck(Inhabitant::NAME, written_to)).await?;
    cx.note("people", names.join(" "));
    Ok(())
}

async fn no_type_at_all(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    repo.execute_raw("UPDATE pictures SET imageable_id = NULL WHERE id = 1", []).await?;
    repo.execute_raw("UPDATE pictures SET imageable_type = NULL WHERE id = 2", []).await?;
    let some = Query::filter(Picture::ID.is_in([1, 2, 4])).preload(Picture::IMAGEABLE);
    let pictures = cx.step("no key, no type, neither", repo.all(some)).await?;
    cx.require(
        pictures.len() == 3 && pictures.iter().all(|one| one.imageable.loaded() == Some(None)),
        "loaded and absent",
    )
}

// A name below a polymorphic association is known if one of its types knows it.
async fn paths(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let query = Query::<Picture>::preload_path("imageable.manager")?.order_by(Picture::ID.asc());
    let pictures = cx.step("products have none", repo.all(query)).await?;
    let loaded = pictures.iter().filter_map(|picture| match picture.imageable() {
        Ok(Some(Imageable::Employee(employee))) => Some(employee.manager.is_loaded()),
        _ => None,
    });
    cx.note("managers", format!("{:?}", loaded.collect::<Vec<_>>()));
    for path in ["imageable.managr", "imageable.tags.nothing"] {
        let unknown = Query::<Picture>::preload_path(path).map(|_| ());
        cx.fails(&format!("`{path}`"), async { unknown }).await?;
    }
    Ok(())
}
