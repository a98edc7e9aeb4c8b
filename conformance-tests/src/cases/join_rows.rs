//! has_and_belongs_to_many with the join table's rows beside the targets (D11).

use assoc_core::Result;
use assoc_core::metadata::Expr;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::join_rows::{self, Credit, Entry, Playlist, Song, Writer};

cases! { "join_rows", Level::Kind;
    beside_their_targets,
    ordered_limited_and_distinct,
    order_and_condition_of_the_join_rows,
    composite_and_text_keys,
    nested_and_through,
    rows_in_hand,
    readers,
    conditions,
    filtered_repo,
    by_a_join,
}

// "2:end", "1:-": each target's key with its own row's note.
fn pairs(playlist: &Playlist) -> Result<String> {
    let pairs = playlist.songs_with_join_rows()?;
    let shown = pairs.map(|(song, entry)| format!("{}:{}", song.id, entry.note.as_deref().unwrap_or("-")));
    Ok(shown.collect::<Vec<_>>().join(" "))
}

async fn beside_their_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    join_rows::fixture(&repo).await?;
    let playlists =
        cx.step("3 statements, as without join rows", repo.all_by_key(Query::preload(Playlist::SONGS))).await?;
    for playlist in &playlists {
        cx.note(&playlist.name, pairs(playlist)?);
        let aligned = playlist.songs_with_join_rows()?.all(|(song, entry)| entry.song_id == Some(song.id));
        cx.require(aligned, "each row leads to its target")?;
        cx.require(playlist.songs.join_rows().map(<[Entry]>::len) == Some(playlist.songs()?.len()), "one a target")?;
    }
    cx.show("playlists", playlists);
    let both = Query::preload((Playlist::SONGS, Playlist::BARE_SONGS)).filter(Playlist::ID.eq(1));
    let playlists = cx.step("with and without their rows", repo.all_by_key(both)).await?;
    cx.require(playlists[0].songs()? == playlists[0].bare_songs()?, "the same songs")?;
    let playlist = repo.get_or_fail::<Playlist>(1, Query::new()).await?;
    let error = playlist.songs_with_join_rows().err().map(|error| error.to_string());
    cx.note("not asked for", error.unwrap_or_default());
    Ok(())
}

async fn ordered_limited_and_distinct(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    join_rows::fixture(&repo).await?;
    let query = Query::preload((Playlist::LAST_SONGS, Playlist::DIFFERENT_SONGS));
    let playlists = cx.step("the association's own: links are read once", repo.all_by_key(query)).await?;
    cx.show("playlists", playlists);
    for (title, preload) in [
        ("by title", Playlist::SONGS.order_by(Song::TITLE.desc())),
        ("each once, by title", Playlist::SONGS.order_by(Song::TITLE.desc()).distinct()),
        ("the second", Playlist::SONGS.preload().offset(1).limit(1)),
        ("only one song", Playlist::SONGS.filter(Song::TITLE.eq("b"))),
    ] {
        let playlists = cx.step(title, repo.all_by_key(Query::preload(preload))).await?;
        for playlist in &playlists {
            cx.note(&playlist.name, pairs(playlist)?);
        }
    }
    let playlists =
        cx.step("no limit", repo.all_by_key(Query::preload(Playlist::LAST_SONGS.preload().unlimited()))).await?;
    cx.require(playlists[0].last_songs.join_rows().map(<[Entry]>::len) == Some(3), "all three")
}

async fn order_and_condition_of_the_join_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    join_rows::fixture(&repo).await?;
    let playlists = cx.step("by position", repo.all_by_key(Query::preload(Playlist::IN_ORDER))).await?;
    cx.show("playlists", playlists);
    let query = Query::filter(Playlist::IN_ORDER.any(Song::TITLE.eq("c"))).order_by(Playlist::ID.asc());
    let playlists = cx.step("a hidden row is no link", repo.all_by_key(query)).await?;
    cx.show("playlists", playlists);
    Ok(())
}

async fn composite_and_text_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    join_rows::fixture(&repo).await?;
    let songs = cx.step("to a composite key", repo.all_by_key(Query::preload(Song::WRITERS))).await?;
    cx.show("songs", songs);
    let writers = cx.step("from a composite key", repo.all_by_key(Query::preload(Writer::SONGS))).await?;
    cx.show("writers", writers);
    Ok(())
}

async fn nested_and_through(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    join_rows::fixture(&repo).await?;
    let tree = Playlist::SONGS.with((Song::TAKES, Song::WRITERS));
    let playlists = cx.step("below the targets", repo.all_by_key(Query::preload(tree))).await?;
    cx.show("playlists", playlists);
    let playlists =
        cx.step("on the way to others: keys only", repo.all_by_key(Query::preload(Playlist::WRITERS))).await?;
    cx.show("playlists", playlists);
    let query = Query::preload((Playlist::WRITERS, Playlist::SONGS));
    let playlists = cx.step("both: no statement more", repo.all_by_key(query)).await?;
    cx.show("playlists", playlists);
    Ok(())
}

async fn rows_in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    join_rows::fixture(&repo).await?;
    let mut playlists = repo.all_by_key(Query::<Playlist>::new()).await?;
    repo.preload(&mut playlists[0], Playlist::SONGS).await?;
    cx.step("the others only", repo.preload(&mut playlists, Playlist::SONGS.with(Song::TAKES))).await?;
    cx.show("playlists", &playlists);
    cx.step("nothing is missing", repo.preload(&mut playlists, Playlist::SONGS.with(Song::TAKES))).await?;
    cx.step("anew", repo.reload(&mut playlists, Playlist::SONGS)).await?;
    for playlist in &playlists {
        cx.note(&playlist.name, pairs(playlist)?);
    }
    // The same owner twice: each copy has its own join rows.
    let mut twice = vec![playlists[0].clone(), playlists[2].clone(), playlists[0].clone()];
    cx.step("one owner twice", repo.reload(&mut twice, Playlist::SONGS)).await?;
    cx.require(pairs(&twice[0])? == pairs(&playlists[0])? && pairs(&twice[2])? == pairs(&playlists[0])?, "both")?;
    let taken = twice[0].songs.take_with_join_rows();
    cx.require(taken.is_some_and(|taken| taken.len() == 3) && !twice[0].songs.is_loaded(), "taken")
}

async fn readers(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    join_rows::fixture(&repo).await?;
    let playlists = repo.all_by_key(Query::preload((Playlist::SONGS, Playlist::IN_ORDER))).await?;
    for playlist in &playlists {
        let read = repo.get_association(playlist, Playlist::SONGS, Query::new()).await?;
        cx.require(playlist.songs()?.iter().map(|row| &**row).eq(&read), "songs")?;
        let read = repo.get_association(playlist, Playlist::IN_ORDER, Query::new()).await?;
        cx.require(playlist.in_order()?.iter().map(|row| &**row).eq(&read), "in order")?;
    }
    let beside = cx.step("beside", repo.load_separately(&playlists, Playlist::IN_ORDER)).await?;
    cx.note(
        "songs",
        format!("{:?}", beside.iter().map(|own| own.iter().map(|s| s.id).collect()).collect::<Vec<Vec<_>>>()),
    );
    let counts = cx.step("counted", repo.count_for(&playlists, Playlist::SONGS)).await?;
    cx.note("counts", format!("{counts:?}"));
    Ok(())
}

async fn conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    join_rows::fixture(&repo).await?;
    for (title, filter) in [
        ("with b", Playlist::SONGS.any(Song::TITLE.eq("b"))),
        ("without a song", Playlist::SONGS.missing()),
        ("by Bob", Playlist::WRITERS.any(Writer::NAME.eq("Bob"))),
    ] {
        let found = cx.step(title, repo.all(Query::filter(filter).order_by(Playlist::ID.asc()))).await?;
        cx.note("playlists", found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(" "));
    }
    Ok(())
}

async fn filtered_repo(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    join_rows::fixture(&repo).await?;
    // Rows of the join table are rows of a model: a repo's filters hold for them.
    let few = repo.filtered(|model| {
        let share = model.column("share").ok()?;
        Some(Expr::equals(share.name, Value::from(40)))
    });
    let songs = cx.step("only that link", few.all_by_key(Query::preload(Song::WRITERS))).await?;
    let shares: Vec<Vec<i64>> = songs
        .iter()
        .map(|song| Ok(song.writers_with_join_rows()?.map(|(_, credit): (_, &Credit)| credit.share).collect()))
        .collect::<Result<_>>()?;
    cx.note("shares", format!("{shares:?}"));
    let query = Query::filter(Song::WRITERS.associated()).order_by(Song::ID.asc());
    let songs = cx.step("conditions look at the same", few.all(query)).await?;
    cx.note("songs", songs.iter().map(|song| song.title.as_str()).collect::<Vec<_>>().join(" "));
    Ok(())
}

async fn by_a_join(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    join_rows::fixture(&repo).await?;
    let query = Query::eager_load(Playlist::IN_ORDER.with(Song::WRITERS)).order_by(Playlist::ID.asc());
    let joined = cx.step("one statement", repo.all(query)).await?;
    let query = Query::preload(Playlist::IN_ORDER.with(Song::WRITERS)).order_by(Playlist::ID.asc());
    let loaded = repo.all(query).await?;
    cx.require(joined == loaded, "the same rows beside the same targets")
}
