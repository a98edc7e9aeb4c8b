//! Through associations over others that go through something themselves: for every combination of kinds what a reader
//! gives, a preload, loading by a join, and a condition on the far side.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Columnist, Comment};
use conformance_models::pictures::{self, Rubric, Tag};

use conformance_models::nested::{
    self, Agency, Club, Essay, Event, Gallery, Label, Letter, List, Member, Remark, Sponsor, Subscriber, Theme, Town,
    Writer,
};

cases! { "nested_through", Level::Kind;
    c34_join_table_below_has_many,
    has_many_and_has_many_through,
    has_many_through_and_has_many,
    has_many_and_has_one_through,
    has_one_through_and_has_one,
    has_one_and_has_many_through,
    has_one_through_and_has_many,
    has_many_and_join_table,
    join_table_and_has_many,
    has_many_through_and_join_table,
    has_many_through_and_belongs_to,
    belongs_to_and_has_many_through,
    has_one_and_has_one_through,
    has_one_through_and_belongs_to,
    the_same_table_again,
    a_polymorphic_hop,
}

// The names of what was loaded, of a list or of a single target.
trait Names {
    fn names(&self) -> String;
}

macro_rules! named {
    ($($model:ident)+) => {$(
        impl Names for [$model] {
            fn names(&self) -> String {
                self.iter().map(|row| &row.name[..]).collect::<Vec<_>>().join(" ")
            }
        }

        impl Names for [std::sync::Arc<$model>] {
            fn names(&self) -> String {
                self.iter().map(|row| &row.name[..]).collect::<Vec<_>>().join(" ")
            }
        }

        impl Names for Vec<$model> {
            fn names(&self) -> String {
                self[..].names()
            }
        }

        impl Names for Option<&$model> {
            fn names(&self) -> String {
                self.map_or_else(String::new, |row| row.name.clone())
            }
        }

        impl Names for Option<$model> {
            fn names(&self) -> String {
                self.as_ref().names()
            }
        }
    )+};
}

named!(Author Tag Agency Club Event Gallery Label Letter List Remark Sponsor Subscriber Theme Town);

macro_rules! combination {
    ($case:ident: $owner:ident $token:ident $accessor:ident $target:ident $name:literal) => {
        async fn $case(cx: &mut Context) -> Result<()> {
            let repo = cx.repo();
            nested::fixture(&repo).await?;
            let all = || Query::<$owner>::order_by($owner::ID.asc());
            let owners = cx.step("preloaded", repo.all(all().preload($owner::$token))).await?;
            for owner in &owners {
                cx.note(&format!("{}", owner.id), owner.$accessor()?.names());
            }
            let joined = cx.step("loaded by a join", repo.all(all().eager_load($owner::$token))).await?;
            cx.require(joined == owners, "the same")?;
            let first = &owners[0];
            let read = cx.step("read", repo.get_association(first, $owner::$token, Query::new())).await?;
            cx.require(read.names() == first.$accessor()?.names(), "the reader's")?;
            for owner in &owners {
                let read = repo.get_association(owner, $owner::$token, Query::new()).await?;
                cx.require(read.names() == owner.$accessor()?.names(), "the reader's")?;
            }
            let far = $owner::$token.joined($target::NAME.eq($name));
            let found = cx.step("joined", repo.all(all().join($owner::$token).filter(far).distinct())).await?;
            let has_it =
                |owner: &&$owner| owner.$accessor().is_ok_and(|rows| rows.names().split(' ').any(|name| name == $name));
            let expected: Vec<i64> = owners.iter().filter(has_it).map(|owner| owner.id).collect();
            let found: Vec<i64> = found.iter().map(|owner| owner.id).collect();
            cx.require(found == expected && !found.is_empty(), "owners whose targets have the name")?;
            let related = $owner::$token.any($target::NAME.eq($name));
            let also = cx.step("and by a subquery", repo.all(all().filter(related))).await?;
            cx.require(also.iter().map(|owner| owner.id).collect::<Vec<_>>() == found, "the same")
        }
    };
}

combination!(has_many_and_has_many_through: Writer ESSAY_LABELS essay_labels Label "l1");
combination!(has_many_through_and_has_many: Writer SUBSCRIBER_LETTERS subscriber_letters Letter "b");
combination!(has_many_and_has_one_through: Town MEMBER_CLUBS member_clubs Club "rowing");
combination!(has_one_through_and_has_one: Member CLUB_SPONSOR club_sponsor Sponsor "bank");
combination!(has_one_and_has_many_through: Writer PORTFOLIO_GALLERIES portfolio_galleries Gallery "g1");
combination!(has_one_through_and_has_many: Member CLUB_EVENTS club_events Event "race");
combination!(has_many_and_join_table: Writer ESSAY_THEMES essay_themes Theme "t1");
combination!(join_table_and_has_many: Essay THEME_REMARKS theme_remarks Remark "r2");
combination!(has_many_through_and_join_table: Writer SUBSCRIBER_LISTS subscriber_lists List "y");
combination!(has_many_through_and_belongs_to: Writer SUBSCRIBER_TOWNS subscriber_towns Town "south");
combination!(belongs_to_and_has_many_through: Essay WRITER_SUBSCRIBERS writer_subscribers Subscriber "s2");
combination!(has_one_and_has_one_through: Writer PORTFOLIO_AGENCY portfolio_agency Agency "ag2");
combination!(has_one_through_and_belongs_to: Member CLUB_TOWN club_town Town "north");

async fn c34_join_table_below_has_many(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    nested::fixture(&repo).await?;
    let tree = || Writer::ESSAYS.with(Essay::THEMES);
    let writers =
        cx.step("C34: essays and their themes", repo.all(Query::preload(tree()).order_by(Writer::ID.asc()))).await?;
    let joined = cx.step("by a join", repo.all(Query::eager_load(tree()).order_by(Writer::ID.asc()))).await?;
    cx.require(joined == writers, "the same")?;
    for essay in writers.iter().flat_map(|writer| writer.essays.loaded().unwrap_or_default()) {
        cx.note(&essay.id.to_string(), essay.themes()?.names());
    }
    Ok(())
}

// Authors of the comments on an author's posts: as often as they comment, or each once.
async fn the_same_table_again(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let again = Comment::build().set(Comment::POST_ID, 2).set(Comment::AUTHOR_ID, Some(2));
    repo.insert(again.set(Comment::BODY, "C7").set(Comment::APPROVED, true)).await?;
    let in_order = || Query::<Columnist>::order_by(Columnist::ID.asc());
    let both = (Columnist::COMMENTERS, Columnist::DIFFERENT_COMMENTERS);
    let columnists = cx.step("both by the same statements", repo.all(in_order().preload(both))).await?;
    let joined = cx.step("loaded by a join", repo.all(in_order().eager_load(both))).await?;
    cx.require(joined == columnists, "the same")?;
    for columnist in &columnists {
        let title = format!("read for {}", columnist.name);
        let read = cx.step(&title, repo.get_association(columnist, Columnist::COMMENTERS, Query::new())).await?;
        cx.require(read.names() == columnist.commenters()?.names(), "the reader's")?;
        let read = repo.get_association(columnist, Columnist::DIFFERENT_COMMENTERS, Query::new()).await?;
        cx.require(read.names() == columnist.different_commenters()?.names(), "the reader's")?;
        cx.note("commenters", columnist.commenters()?.names());
        cx.note("each once", columnist.different_commenters()?.names());
    }
    let by_ann = Columnist::COMMENTERS.joined(Author::NAME.eq("Ann"));
    let found = cx.step("joined", repo.all(in_order().join(Columnist::COMMENTERS).filter(by_ann))).await?;
    cx.note("whom Ann comments on", found.iter().map(|one| &one.name[..]).collect::<Vec<_>>().join(" "));
    Ok(())
}

// An article and a product have the same key, so the chain must compare the type as well.
async fn a_polymorphic_hop(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    // One link is there twice, and so is all that lies behind it.
    let in_order = || Query::<Rubric>::order_by(Rubric::ID.asc());
    let rubrics = cx.step("preloaded", repo.all(in_order().preload(Rubric::ARTICLE_TAGS))).await?;
    for rubric in &rubrics {
        let title = format!("read for {}", rubric.name);
        let read = cx.step(&title, repo.get_association(rubric, Rubric::ARTICLE_TAGS, Query::new())).await?;
        cx.require(read.names() == rubric.article_tags()?.names(), "the reader's")?;
        cx.note("tags", read.names());
    }
    let tagged = Rubric::ARTICLE_TAGS.joined(Tag::NAME.eq("sql"));
    let query = in_order().join(Rubric::ARTICLE_TAGS).filter(tagged).distinct();
    let found = cx.step("joined", repo.all(query)).await?;
    cx.note("with sql", found.iter().map(|one| &one.name[..]).collect::<Vec<_>>().join(" "));
    Ok(())
}
