//! Levels of a recursion that one statement reads, where the database reads them so: rows, order and states are those of a
//! statement for each level.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use conformance_harness::{Context, KeyOrder, Level, cases};
use conformance_models::folders::{self, Document, Folder, folder};

cases! { "recursions", Level::Kind;
    down_and_up,
    with_what_lies_in_each,
    with_conditions,
    of_single_rows,
    from_rows_of_several_levels,
    from_many_rows,
    below_rows_in_memory,
    in_circles,
}

/// The folders below some, each before those in it, as one text: `home(music letters(to Ann))`.
fn shown(folders: &[Folder]) -> String {
    let one = |folder: &Folder| match folder.folders.loaded() {
        None => format!("{}…", folder.name),
        Some([]) => folder.name.clone(),
        Some(below) => format!("{}({})", folder.name, shown(below)),
    };
    folders.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The names from a folder up to the last whose folder is loaded.
fn way(folder: &Folder) -> String {
    let (mut names, mut next) = (folder.name.clone(), folder);
    while let Some(parent) = next.parent.loaded() {
        let Some(parent) = parent else { return names + "." };
        names = format!("{names} in {}", parent.name);
        next = parent;
    }
    names + "…"
}

fn tops() -> Select<Folder> {
    Query::filter(Folder::PARENT_ID.is_null())
}

async fn down_and_up(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    folders::fixture(&repo).await?;
    for levels in [2, 3, 4, usize::MAX] {
        let all = tops().preload(Folder::FOLDERS.recursive(levels));
        let folders = cx.step("down", repo.all_by_key(all)).await?;
        cx.note("folders", shown(&folders));
    }
    let deepest = || Query::filter(Folder::ID.is_in([9, 7, 30]));
    for levels in [3, usize::MAX] {
        let up = deepest().preload(Folder::PARENT.recursive(levels));
        let folders = cx.step("up", repo.all_by_key(up)).await?;
        cx.note("folders", folders.iter().map(way).collect::<Vec<_>>().join(", "));
    }
    Ok(())
}

async fn with_what_lies_in_each(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    folders::fixture(&repo).await?;
    let all = tops().preload(Folder::FOLDERS.with(Folder::DOCUMENTS).recursive(usize::MAX));
    let folders = cx.step("one statement for the documents of all levels", repo.all_by_key(all)).await?;
    cx.show("folders", folders);
    let both = Query::filter(Folder::ID.eq(4))
        .preload((Folder::FOLDERS.recursive(usize::MAX), Folder::PARENT.recursive(usize::MAX)));
    let folders = cx.step("down and up", repo.all(both)).await?;
    cx.note("down", shown(&folders));
    cx.note("up", way(&folders[0]));
    Ok(())
}

async fn with_conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    folders::fixture(&repo).await?;
    let conditions = [
        ("by a column", Folder::FOLDERS.filter(Folder::NAME.ne("music"))),
        ("by what lies in them", Folder::FOLDERS.filter(Folder::DOCUMENTS.any(Document::TITLE.ne("in 8")))),
        (
            "by SQL",
            Folder::FOLDERS.filter(Filter::raw("id <> ? AND name <> ?", [Value::from(7), Value::from("music")])),
        ),
        ("by SQL that names a column `level`", Folder::FOLDERS.filter(Filter::raw("level <> ?", [Value::from(7)]))),
        ("in another order", Folder::FOLDERS.order_by(Folder::ID.asc())),
        ("with hidden ones", Folder::FOLDERS.unscoped()),
        ("with some columns", Folder::FOLDERS.select((Folder::ID, Folder::PARENT_ID, Folder::NAME, Folder::HIDDEN))),
    ];
    for (how, preload) in conditions {
        let all = tops().preload(preload.recursive(usize::MAX));
        let folders = cx.step(how, repo.all_by_key(all)).await?;
        cx.note("folders", shown(&folders));
    }
    let filtered = repo.filtered(|model| (model == Folder::DEF).then(|| Folder::ID.ne(3).into_expr()));
    let all = tops().preload(Folder::FOLDERS.recursive(usize::MAX));
    let folders = cx.step("with a filter of the repo", filtered.all_by_key(all)).await?;
    cx.note("folders", shown(&folders));
    let limited = tops().preload(Folder::FOLDERS.limit(1).recursive(usize::MAX));
    let folders = cx.step("with a limit, level by level", repo.all_by_key(limited)).await?;
    cx.note("folders", shown(&folders));
    Ok(())
}

/// The first of several folders is chosen in memory, so each level is a statement.
async fn of_single_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    folders::fixture(&repo).await?;
    let all = tops().preload(Folder::LAST_FOLDER.recursive(usize::MAX));
    let folders = cx.step("the last folder of each", repo.all_by_key(all)).await?;
    let below = |folder: &Folder| {
        let (mut names, mut next) = (folder.name.clone(), folder);
        while let Some(Some(last)) = next.last_folder.loaded() {
            names = format!("{names} {}", last.name);
            next = last;
        }
        names
    };
    cx.note("folders", folders.iter().map(below).collect::<Vec<_>>().join(", "));
    Ok(())
}

async fn from_rows_of_several_levels(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    folders::fixture(&repo).await?;
    let all = Query::preload(Folder::FOLDERS.recursive(usize::MAX));
    let folders = cx.step("all folders, each with those below", repo.all_by_key(all)).await?;
    cx.note("folders", shown(&folders));
    let all = Query::preload(Folder::PARENT.recursive(usize::MAX));
    let folders = cx.step("all folders, each with those above: they are in memory", repo.all_by_key(all)).await?;
    cx.note("folders", folders.iter().map(way).collect::<Vec<_>>().join(", "));
    Ok(())
}

async fn from_many_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    folders::tables(&repo).await?;
    // 300 trees of three levels: folders n, 1000 + n and 2000 + n.
    let levels = [(0, None), (1_000, Some(0)), (2_000, Some(1_000))];
    let of_level = |(level, above): (i32, Option<i32>)| {
        (1..=300).map(move |at| folder(level + at, above.map(|above| above + at), &format!("folder {}", level + at)))
    };
    repo.insert_all(levels.into_iter().flat_map(of_level)).await?;
    let all = tops().preload(Folder::FOLDERS.recursive(5));
    let folders = cx.step("of 300 folders", repo.all_by_key(all)).await?;
    let are_whole = folders.iter().all(|folder| {
        let at = folder.id;
        shown(std::slice::from_ref(folder)) == format!("folder {at}(folder {}(folder {}))", 1_000 + at, 2_000 + at)
    });
    cx.require(folders.len() == 300 && are_whole, "each has its own")
}

async fn below_rows_in_memory(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    folders::fixture(&repo).await?;
    let mut home = repo.get_or_fail::<Folder>(1, Query::preload(Folder::FOLDERS)).await?;
    // What the program has read stays as it is: `letters` has moved since, and a folder has come.
    repo.update_all(Query::<Folder>::filter(Folder::ID.eq(2)), [Folder::PARENT_ID.to(20)]).await?;
    repo.insert_all([folder(40, Some(1), "new"), folder(41, Some(3), "Bach")]).await?;
    cx.step("the levels below", repo.preload(&mut home, Folder::FOLDERS.recursive(usize::MAX))).await?;
    cx.note("folders", shown(std::slice::from_ref(&home)));
    cx.step("all are there", repo.preload(&mut home, Folder::FOLDERS.recursive(usize::MAX))).await?;
    let mut both = repo.all_by_key(Query::filter(Folder::ID.is_in([1, 20]))).await?;
    repo.preload(&mut both[0], Folder::FOLDERS).await?;
    cx.step("some are there", repo.preload(&mut both, Folder::FOLDERS.recursive(usize::MAX))).await?;
    cx.note("folders", shown(&both));
    cx.step("anew", repo.reload(&mut home, Folder::FOLDERS.recursive(usize::MAX))).await?;
    cx.note("folders", shown(std::slice::from_ref(&home)));
    Ok(())
}

async fn in_circles(cx: &mut Context) -> Result<()> {
    let repo: Repo = cx.repo();
    folders::tables(&repo).await?;
    // 1 is in itself, 2 in 3 and 3 in 2, with 4 below.
    let folders = [(1, 1, "one"), (2, 3, "two"), (3, 2, "three"), (4, 2, "four")];
    repo.insert_all(folders.map(|(id, parent, name)| folder(id, Some(parent), name))).await?;
    for levels in [3, 6] {
        let all = Query::preload(Folder::FOLDERS.recursive(levels));
        let folders = cx.step("down", repo.all_by_key(all)).await?;
        cx.note("folders", shown(&folders));
        let all = Query::preload(Folder::PARENT.recursive(levels));
        let folders = cx.step("up", repo.all_by_key(all)).await?;
        cx.note("folders", folders.iter().map(way).collect::<Vec<_>>().join(", "));
    }
    let error = cx.fails("without end", repo.all(Query::preload(Folder::FOLDERS.recursive(usize::MAX)))).await?;
    cx.require(matches!(error.kind(), assoc_core::ErrorKind::PreloadTooDeep { cycle: Some(_), .. }), "a row is named")
}
