//! The intermediate tables of through associations: text keys and keys that are not primary, models of a shared table,
//! orders and conditions, several rows of which one counts.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::library::{self, Reader, Topic, Volume};

cases! { "ways", Level::Kind;
    other_keys,
    kinds_of_one_table,
    order_of_the_way,
    conditions_at_every_hop,
    the_first_of_several,
    keys_of_text_in_a_join_table,
    grouped_by_a_join_table,
    half_a_key,
}

// What a preload gives, a join and the reader give as well.
macro_rules! agreed {
    ($cx:ident: $owner:ident in $order:ident, $token:ident $accessor:ident) => {{
        let repo = $cx.repo();
        let all = || Query::<$owner>::order_by($owner::$order.asc());
        let owners = $cx.step("preloaded", repo.all(all().preload($owner::$token))).await?;
        let joined = $cx.step("loaded by a join", repo.all(all().eager_load($owner::$token))).await?;
        $cx.require(joined == owners, "the same by a join")?;
        let read = repo.get_association(&owners[0], $owner::$token, Query::new());
        let read = $cx.step("read", read).await?;
        $cx.require(read.iter().eq(owners[0].$accessor()?.iter().map(|row| &**row)), "the reader's")?;
        for owner in &owners {
            let read = repo.get_association(owner, $owner::$token, Query::new()).await?;
            $cx.require(read.iter().eq(owner.$accessor()?.iter().map(|row| &**row)), "the reader's")?;
        }
        owners
    }};
}

fn isbns<'a>(volumes: impl IntoIterator<Item = &'a std::sync::Arc<Volume>>) -> String {
    volumes.into_iter().map(|volume| &volume.isbn[..]).collect::<Vec<_>>().join(" ")
}

async fn other_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    library::fixture(&repo).await?;
    let readers = agreed!(cx: Reader in CARD, VOLUMES volumes);
    for reader in &readers {
        cx.note(&reader.name, isbns(reader.volumes()?));
    }
    let volumes = agreed!(cx: Volume in ID, READERS readers);
    for volume in &volumes {
        let readers = volume.readers()?.iter().map(|reader| &reader.name[..]);
        cx.note(&volume.isbn, readers.collect::<Vec<_>>().join(" "));
    }
    let of_bob = Query::filter(Volume::READERS.any(Reader::NAME.eq("Bob"))).order_by(Volume::ID.asc());
    let volumes = cx.step("by a condition", repo.pluck(Volume::ISBN, of_bob)).await?;
    cx.note("volumes", volumes.join(" "));
    Ok(())
}

async fn kinds_of_one_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    library::fixture(&repo).await?;
    let readers = agreed!(cx: Reader in CARD, OVERDUE_VOLUMES overdue_volumes);
    for reader in &readers {
        cx.note(&reader.name, isbns(reader.overdue_volumes()?));
    }
    let none = Query::filter(Reader::OVERDUE_VOLUMES.missing()).order_by(Reader::CARD.asc());
    let names = cx.step("by a condition", repo.pluck(Reader::NAME, none)).await?;
    cx.note("without", names.join(" "));
    Ok(())
}

async fn order_of_the_way(cx: &mut Context) -> Result<()> {
    library::fixture(&cx.repo()).await?;
    let readers = agreed!(cx: Reader in CARD, LATEST_VOLUMES latest_volumes);
    for reader in &readers {
        cx.note(&reader.name, isbns(reader.latest_volumes()?));
    }
    // Each stands where it stood first.
    let readers = agreed!(cx: Reader in CARD, DIFFERENT_VOLUMES different_volumes);
    for reader in &readers {
        cx.note(&reader.name, isbns(reader.different_volumes()?));
    }
    let repo = cx.repo();
    let tree = Reader::LATEST_VOLUMES.limit(2);
    let readers = cx.step("the first two", repo.all(Query::preload(tree).order_by(Reader::CARD.asc()))).await?;
    for reader in &readers {
        let read = repo.get_association(reader, Reader::LATEST_VOLUMES, Query::limit(2)).await?;
        cx.require(read.iter().eq(reader.latest_volumes()?.iter().map(|row| &**row)), "the reader's")?;
        cx.note(&reader.name, isbns(reader.latest_volumes()?));
    }
    Ok(())
}

async fn conditions_at_every_hop(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    library::fixture(&repo).await?;
    let in_order = || Query::<Reader>::order_by(Reader::CARD.asc());
    let readers = repo.all(in_order().preload((Reader::LATER_THICK_VOLUMES, Reader::LATER_TOPICS))).await?;
    let joined = repo.all(in_order().eager_load((Reader::LATER_THICK_VOLUMES, Reader::LATER_TOPICS))).await?;
    cx.require(joined == readers, "the same by a join")?;
    for reader in &readers {
        let read = repo.get_association(reader, Reader::LATER_THICK_VOLUMES, Query::new()).await?;
        cx.require(read.iter().eq(reader.later_thick_volumes()?.iter().map(|row| &**row)), "the reader's")?;
        let read = repo.get_association(reader, Reader::LATER_TOPICS, Query::new()).await?;
        cx.require(read.iter().eq(reader.later_topics()?.iter().map(|row| &**row)), "the reader's")?;
        cx.show(&reader.name, reader.later_thick_volumes()?.iter().map(|volume| &volume.isbn));
        cx.show("topics", reader.later_topics()?.iter().map(|topic| &topic.name));
    }
    let about = Query::filter(Reader::LATER_TOPICS.any(Topic::NAME.eq("\"quotes\"")));
    cx.require(repo.all(about).await?.is_empty(), "a condition sees no others")
}

async fn the_first_of_several(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    library::fixture(&repo).await?;
    let in_order = || Query::<Reader>::order_by(Reader::CARD.asc());
    // Bob's last loan leads nowhere: an earlier one does not stand in for it.
    let both = (Reader::LAST_VOLUME, Reader::LAST_STAMP);
    let readers = cx.step("by the last loan alone", repo.all(in_order().preload(both))).await?;
    let joined = cx.step("loaded by a join", repo.all(in_order().eager_load(both))).await?;
    cx.require(joined == readers, "the same by a join")?;
    for reader in &readers {
        let title = format!("read for {}", reader.name);
        let volume = cx.step(&title, repo.get_association(reader, Reader::LAST_VOLUME, Query::new())).await?;
        cx.require(reader.last_volume()? == volume.as_ref(), "the reader's")?;
        let stamp = repo.get_association(reader, Reader::LAST_STAMP, Query::new()).await?;
        cx.require(reader.last_stamp()? == stamp.as_ref(), "the reader's")?;
        cx.note("volume", volume.map(|volume| volume.isbn).unwrap_or_default());
        cx.note("stamp", stamp.map(|stamp| stamp.id.to_string()).unwrap_or_default());
    }
    Ok(())
}

async fn keys_of_text_in_a_join_table(cx: &mut Context) -> Result<()> {
    library::fixture(&cx.repo()).await?;
    let volumes = agreed!(cx: Volume in ID, TOPICS topics);
    for volume in &volumes {
        let topics: Vec<&str> = volume.topics()?.iter().map(|topic| &topic.name[..]).collect();
        cx.note(&volume.isbn, topics.join(", "));
    }
    let topics = agreed!(cx: Topic in SINCE, VOLUMES volumes);
    for topic in &topics {
        cx.note(&topic.name, isbns(topic.volumes()?));
    }
    Ok(())
}

async fn grouped_by_a_join_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    library::fixture(&repo).await?;
    let volumes = || Topic::VOLUMES.joined(Volume::ID);
    let query = Query::join(Topic::VOLUMES)
        .group_by(Topic::NAME)
        .having(volumes().count_distinct().ge(2))
        .order_by(Topic::NAME.asc());
    let rows = cx.step("topics of two volumes", repo.pluck((Topic::NAME, volumes().count()), query)).await?;
    cx.show("rows", rows);
    Ok(())
}

// The owner refers with two columns, one of which may be empty.
async fn half_a_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    library::fixture(&repo).await?;
    let both = (Volume::LABEL, Volume::LABELS);
    let volumes = cx.step("preloaded", repo.all(Query::preload(both).order_by(Volume::ID.asc()))).await?;
    for volume in &volumes {
        let title = format!("read for {}", volume.isbn);
        let label = cx.step(&title, repo.get_association(volume, Volume::LABEL, Query::new())).await?;
        cx.require(volume.label()? == label.as_ref(), "the reader's")?;
        let labels = cx.step("all of them", repo.get_association(volume, Volume::LABELS, Query::new())).await?;
        cx.require(volume.labels()? == labels, "the reader's")?;
        cx.show("labels", labels);
    }
    let joined = repo.all(Query::eager_load(both).order_by(Volume::ID.asc())).await?;
    cx.require(joined == volumes, "the same by a join")?;
    let some = Query::filter(Volume::PLACE.is_null()).preload(both);
    cx.step("no whole key, no statement", repo.all(some)).await?;
    Ok(())
}
