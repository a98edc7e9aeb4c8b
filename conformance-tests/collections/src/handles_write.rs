//! Handles that write: members are added, let go, destroyed, replaced and created; the owner follows each success and no
//! failure, and no other owner's row is touched.

use assoc_core::{ErrorKind, LoadState, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::firms::{self, Client, Firm};
use conformance_written_models::guild::{self, Comment, Group, Membership, Picture, Post, Tag, User};
use conformance_written_models::removals::{self, Album, Photo};

cases! { "handles_write", Level::Collection;
    f57_f58_push,
    f60_f62_push_links,
    f63_replace,
    f65_set_ids,
    f66_delete,
    f67_f68_delete_links,
    f69_destroy,
    f70_f72_clear,
    f71_destroy_all,
    f80_f82_f87_f103_create,
    find_or_create,
    find_or_create_at_once,
    rows_of_others,
    follows_success_and_no_failure,
    limited,
    in_transactions,
    many_rows,
}

fn user(name: &str) -> Changeset<User> {
    User::build().set(User::NAME, name)
}

fn post(title: &str) -> Changeset<Post> {
    Post::build().set(Post::TITLE, title)
}

fn titles(user: &User) -> Result<String> {
    Ok(user.posts()?.iter().map(|post| post.title.as_str()).collect())
}

async fn posts(cx: &mut Context) -> Result<()> {
    cx.rows("posts", "SELECT id, user_id, title, published FROM posts ORDER BY id").await
}

async fn f57_f58_push(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada")).await?;
    let mut ada_posts = repo.association(&mut ada, User::POSTS);
    cx.step("not loaded: a new one", ada_posts.push(post("a"))).await?;
    cx.require(ada_posts.state() == LoadState::Partial, "what was added is a part")?;
    cx.require(ada_posts.size().await? == 1, "one")?;
    ada_posts.load().await?;
    let loose = repo.insert_all(["b", "c"].map(post)).await?;
    cx.step("loaded: rows that exist", ada_posts.push(&loose)).await?;
    cx.step("several new ones", ada_posts.append(["d", "e"].map(post))).await?;
    cx.step("a change", ada_posts.push(loose[0].change().set(Post::TITLE, "B"))).await?;
    cx.step("nothing", ada_posts.push(Vec::<&Post>::new())).await?;
    cx.require(ada_posts.state() == LoadState::Loaded, "still the whole")?;
    let (size, statements) = repo.count_statements(ada_posts.size()).await;
    cx.require(size? == 5 && statements == 0, "five in memory")?;
    cx.require(titles(&ada)? == "aBcde", "in place, and at the end")?;
    cx.require(ada.posts()?.iter().all(|post| post.user_id == Some(ada.id)), "hers")?;
    // A tree below a new member.
    let comment = Comment::build().set(Comment::BODY, "fine");
    let mut ada_posts = repo.association(&mut ada, User::POSTS);
    cx.step("with members of its own", ada_posts.push(post("f").push(Post::COMMENTS, comment))).await?;
    cx.require(ada.posts()?[5].comments()?.len() == 1, "loaded")?;
    // Of several types.
    let picture = Picture::build().set(Picture::NAME, "p");
    cx.step("key and type", repo.association(&mut ada, User::PICTURES).push(picture)).await?;
    cx.rows("pictures", "SELECT name, subject_id, subject_type FROM pictures").await?;
    posts(cx).await
}

async fn f60_f62_push_links(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada")).await?;
    let known = repo.insert(Group::build().set(Group::NAME, "known")).await?;
    let mut groups = repo.association(&mut ada, User::GROUPS);
    groups.load().await?;
    cx.step("a row that exists", groups.push(&known)).await?;
    cx.step("the same again", groups.push(&known)).await?;
    cx.step("a new one", groups.push(Group::build().set(Group::NAME, "new"))).await?;
    let led = |membership: Changeset<Membership>| membership.set(Membership::ROLE, "chair");
    cx.step("with a role", groups.push_with(Group::build().set(Group::NAME, "led"), led)).await?;
    cx.require(groups.size().await? == 4 && groups.distinct().await?.len() == 3, "twice is two links")?;
    cx.rows("memberships", "SELECT user_id, group_id, role FROM memberships ORDER BY id").await?;
    let mut p = repo.insert(post("p")).await?;
    let tag = repo.insert(Tag::build().set(Tag::NAME, "t")).await?;
    let mut tags = repo.association(&mut p, Post::TAGS);
    cx.step("links alone", tags.push([&tag, &tag])).await?;
    cx.step("and a new one", tags.push(Tag::build().set(Tag::NAME, "u"))).await?;
    cx.rows("posts_tags", "SELECT post_id, tag_id FROM posts_tags ORDER BY post_id, tag_id").await
}

async fn f63_replace(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = repo.insert(user("Ada").push(User::POSTS, ["a", "b", "c"].map(post))).await?;
    let mut bare = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
    let own = ada.posts()?;
    let loose = repo.insert(post("d")).await?;
    let mut handle = repo.association(&mut bare, User::POSTS);
    cx.step("not loaded", handle.replace([&loose, &own[1]])).await?;
    cx.require(handle.state() == LoadState::Loaded, "the whole")?;
    cx.require(titles(&bare)? == "db", "in the order given")?;
    let mut handle = repo.association(&mut bare, User::POSTS);
    let same = handle.all().await?;
    cx.step("by the same", handle.replace(&same)).await?;
    cx.step("by a new one", handle.replace(post("e"))).await?;
    cx.require(titles(&bare)? == "e", "one")?;
    posts(cx).await?;
    let groups = repo.insert_all(["x", "y", "z"].map(|name| Group::build().set(Group::NAME, name))).await?;
    let mut groups_of = repo.association(&mut bare, User::GROUPS);
    cx.step("links", groups_of.replace([&groups[0], &groups[0], &groups[1]])).await?;
    cx.step("a multiset", groups_of.replace([&groups[2], &groups[0]])).await?;
    cx.rows("memberships", "SELECT id, user_id, group_id FROM memberships ORDER BY id").await
}

async fn f65_set_ids(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada").push(User::POSTS, ["a", "b"].map(post))).await?;
    let bob = repo.insert(user("Bob").push(User::POSTS, post("theirs"))).await?;
    let loose = repo.insert(post("c")).await?;
    let own: Vec<i64> = ada.posts()?.iter().map(|post| post.id).collect();
    let before = ada.clone();
    let mut handle = repo.association(&mut ada, User::POSTS);
    cx.step("one stays, one is new", handle.set_ids([loose.id, own[0], loose.id])).await?;
    cx.require(handle.ids().await? == [loose.id, own[0]], "in their order, each once")?;
    let error = cx.fails("one that there is not", handle.set_ids([own[0], 99])).await?;
    cx.require(error.is_not_found(), "not found")?;
    let error = cx.fails("another owner's", handle.set_ids([own[0], bob.posts()?[0].id])).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotMember { .. }), "refused")?;
    cx.require(handle.ids().await? == [loose.id, own[0]], "as before")?;
    posts(cx).await?;
    cx.step("none", handle.set_ids(Vec::<i64>::new())).await?;
    cx.require(ada.posts()?.is_empty() && before.posts()?.len() == 2, "none")?;
    let groups = repo.insert_all(["x", "y"].map(|name| Group::build().set(Group::NAME, name))).await?;
    let mut of_ada = repo.association(&mut ada, User::GROUPS);
    cx.step("links, one twice", of_ada.set_ids([groups[0].id, groups[0].id, groups[1].id])).await?;
    cx.rows("memberships", "SELECT user_id, group_id FROM memberships ORDER BY id").await?;
    cx.step("once", of_ada.set_ids([groups[0].id])).await?;
    cx.rows("memberships", "SELECT user_id, group_id FROM memberships ORDER BY id").await?;
    posts(cx).await
}

async fn f66_delete(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada").push(User::POSTS, ["a", "b", "c", "d"].map(post))).await?;
    let own: Vec<Post> = ada.posts()?.to_vec();
    let mut handle = repo.association(&mut ada, User::POSTS);
    cx.step("loaded: one", handle.delete(&own[0])).await?;
    cx.require(handle.state() == LoadState::Loaded && handle.size().await? == 3, "out of memory")?;
    cx.step("several", handle.delete([&own[1], &own[2]])).await?;
    cx.step("none", handle.delete(Vec::<&Post>::new())).await?;
    cx.fails("one that is no member any more", handle.delete(&own[0])).await?;
    cx.require(titles(&ada)? == "d", "one is left")?;
    let mut bare = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
    let mut handle = repo.association(&mut bare, User::POSTS);
    cx.step("not loaded", handle.delete(&own[3])).await?;
    cx.require(handle.state() == LoadState::NotLoaded, "and still not")?;
    posts(cx).await?;
    // By `dependent`.
    removals::fixture(&repo).await?;
    let mut album = repo.get_or_fail::<Album>(1, Query::preload(Album::PHOTOS)).await?;
    let photo = album.photos()?[0].clone();
    cx.step("destroyed", repo.association(&mut album, Album::PHOTOS).delete(&photo)).await?;
    cx.require(album.photos()?.iter().all(|other| other.id != photo.id), "out of memory")?;
    cx.rows("photos", "SELECT id, album_id FROM photos ORDER BY id").await?;
    cx.rows("remarks", "SELECT id, photo_id FROM photo_remarks ORDER BY id").await
}

async fn f67_f68_delete_links(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let groups = repo.insert_all(["x", "y"].map(|name| Group::build().set(Group::NAME, name))).await?;
    let mut ada = repo.insert(user("Ada").push(User::GROUPS, [&groups[0], &groups[0], &groups[1]])).await?;
    let mut handle = repo.association(&mut ada, User::GROUPS);
    cx.step("all links to it", handle.delete(&groups[0])).await?;
    cx.require(handle.ids().await? == [groups[1].id], "one is left")?;
    let shared = handle.target().unwrap_or_default().into_iter().cloned().map(std::sync::Arc::new).collect::<Vec<_>>();
    cx.step("shared rows", handle.delete(&shared)).await?;
    cx.fails("one that is not linked", handle.delete(&groups[1])).await?;
    cx.rows("memberships", "SELECT user_id, group_id FROM memberships").await?;
    cx.rows("groups", "SELECT id FROM groups_of_writers ORDER BY id").await?;
    let tags = ["s", "t"].map(|name| Tag::build().set(Tag::NAME, name));
    let mut p = repo.insert(post("p").push(Post::TAGS, tags)).await?;
    let tag = Tag::clone(&p.tags()?[0]);
    cx.step("of a join table", repo.association(&mut p, Post::TAGS).delete(&tag)).await?;
    cx.rows("posts_tags", "SELECT post_id, tag_id FROM posts_tags").await?;
    cx.rows("tags", "SELECT id FROM tags ORDER BY id").await
}

async fn f69_destroy(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada").push(User::POSTS, ["a", "b", "c"].map(post))).await?;
    let bob = repo.insert(user("Bob").push(User::POSTS, post("theirs"))).await?;
    let own: Vec<Post> = ada.posts()?.to_vec();
    let mut handle = repo.association(&mut ada, User::POSTS);
    cx.step("whatever `dependent` says", handle.destroy([&own[0], &own[1]])).await?;
    cx.require(handle.size().await? == 1, "one is left")?;
    let error = cx.fails("another owner's", handle.destroy(&bob.posts()?[0])).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotMember { .. }), "refused")?;
    cx.fails("one that is gone", handle.destroy(&own[0])).await?;
    posts(cx).await?;
    let groups = ["x", "y"].map(|name| Group::build().set(Group::NAME, name));
    let mut cyd = repo.insert(user("Cyd").push(User::GROUPS, groups)).await?;
    let group = Group::clone(&cyd.groups()?[0]);
    cx.step("behind a join model", repo.association(&mut cyd, User::GROUPS).destroy(&group)).await?;
    cx.rows("memberships", "SELECT user_id, group_id FROM memberships").await?;
    cx.rows("groups", "SELECT id FROM groups_of_writers ORDER BY id").await?;
    let mut p = repo.insert(post("p").push(Post::TAGS, Tag::build().set(Tag::NAME, "t"))).await?;
    let tag = Tag::clone(&p.tags()?[0]);
    cx.step("of a join table", repo.association(&mut p, Post::TAGS).destroy(&tag)).await?;
    cx.rows("posts_tags", "SELECT post_id, tag_id FROM posts_tags").await?;
    cx.rows("tags", "SELECT id FROM tags ORDER BY id").await?;
    // A restriction at any depth refuses.
    removals::fixture(&repo).await?;
    repo.execute_raw("INSERT INTO prints (id, photo_id) VALUES (1, 1)", []).await?;
    let mut album = repo.get_or_fail::<Album>(1, Query::preload(Album::PHOTOS)).await?;
    let before = album.clone();
    let photos: Vec<Photo> = album.photos()?.to_vec();
    let error = cx.fails("restricted", repo.association(&mut album, Album::PHOTOS).destroy(&photos)).await?;
    cx.require(error.is_restricted() && album == before, "as before")?;
    cx.rows("photos", "SELECT COUNT(*) FROM photos").await
}

async fn f70_f72_clear(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = repo.insert(user("Ada").push(User::POSTS, ["a", "b"].map(post))).await?;
    repo.insert(user("Bob").push(User::POSTS, post("theirs"))).await?;
    let mut bare = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
    let mut handle = repo.association(&mut bare, User::POSTS);
    cx.step("not loaded", handle.clear()).await?;
    cx.require(handle.state() == LoadState::Loaded && handle.is_empty().await?, "loaded, and empty")?;
    cx.step("none", handle.delete_all()).await?;
    posts(cx).await?;
    // A list in memory says nothing of what there is.
    let mut stale = ada;
    repo.insert(post("late").set(Post::USER_ID, stale.id)).await?;
    let mut handle = repo.association(&mut stale, User::POSTS);
    cx.step("loaded before", handle.delete_all()).await?;
    cx.require(handle.count().await? == 0, "none is left")?;
    posts(cx).await?;
    removals::fixture(&repo).await?;
    let mut album = repo.get_or_fail::<Album>(1, Query::preload(Album::PHOTOS)).await?;
    cx.step("deleted, not destroyed", repo.association(&mut album, Album::PHOTOS).delete_all()).await?;
    cx.rows("photos", "SELECT id, album_id FROM photos ORDER BY id").await?;
    cx.rows("remarks", "SELECT id, photo_id FROM photo_remarks ORDER BY id").await?;
    cx.step("links", repo.association(&mut album, Album::PLAIN_READERS).clear()).await?;
    cx.rows("loans", "SELECT id, album_id, reader_id FROM loans ORDER BY id").await
}

async fn f71_destroy_all(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    removals::fixture(&repo).await?;
    let mut album = repo.get_or_fail::<Album>(1, Query::new()).await?;
    let mut photos = repo.association(&mut album, Album::PHOTOS);
    let destroyed = cx.step("with what depends on them", photos.destroy_all()).await?;
    cx.require(destroyed == 4 && photos.count().await? == 0, "all of them")?;
    let holds = cx.step("none", photos.destroy_all()).await? == 0;
    cx.require(holds, "none")?;
    cx.rows("photos", "SELECT id, album_id FROM photos ORDER BY id").await?;
    cx.rows("remarks", "SELECT id, photo_id FROM photo_remarks ORDER BY id").await?;
    let mut readers = repo.association(&mut album, Album::PLAIN_READERS);
    let destroyed = cx.step("rows between", readers.destroy_all()).await?;
    cx.require(destroyed == 3, "as often as they are linked")?;
    cx.rows("loans", "SELECT id, album_id, reader_id FROM loans ORDER BY id").await?;
    cx.rows("reminders", "SELECT id, loan_id FROM reminders ORDER BY id").await?;
    cx.rows("readers", "SELECT id FROM readers ORDER BY id").await?;
    // One that refuses keeps all of them.
    repo.execute_raw("INSERT INTO prints (id, photo_id) VALUES (1, 4)", []).await?;
    let mut other = repo.get_or_fail::<Album>(2, Query::preload(Album::PHOTOS)).await?;
    let error = cx.fails("restricted", repo.association(&mut other, Album::PHOTOS).destroy_all()).await?;
    cx.require(error.is_restricted() && other.photos()?.len() == 1, "as before")
}

async fn f80_f82_f87_f103_create(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada")).await?;
    let bob = repo.insert(user("Bob")).await?;
    let handle = repo.association(&ada, User::PUBLISHED_POSTS);
    let built = handle.build()?.set(Post::TITLE, "built");
    cx.show("built", [&built]);
    let row = repo.insert(built).await?;
    cx.require(row.user_id == Some(ada.id) && row.published, "with key and conditions")?;
    cx.show("of several types", [repo.association(&ada, User::PICTURES).build()?]);
    cx.show("behind a join model", [repo.association(&ada, User::GROUPS).build()?]);
    let mut handle = repo.association(&mut ada, User::POSTS);
    handle.load().await?;
    let created = cx.step("create", handle.create(post("created"))).await?;
    cx.require(created.user_id == Some(handle.owner().id), "hers")?;
    let theirs = post("stolen").set(Post::USER_ID, bob.id);
    let created = cx.step("another's key does not count", handle.create(theirs)).await?;
    cx.require(created.user_id == Some(handle.owner().id), "hers")?;
    let both = cx.step("several", handle.create_all(["x", "y"].map(post))).await?;
    cx.require(both[0].title == "x" && both[1].title == "y" && handle.size().await? == 5, "in their order")?;
    let error = cx.fails("one is wrong", handle.create_all([post("z"), Post::build()])).await?;
    cx.note("problem", error.to_string());
    cx.require(handle.size().await? == 5, "none of them")?;
    let existing = both[0].change().set(Post::TITLE, "changed");
    cx.fails("a row that exists", handle.create(existing)).await?;
    let mut published = repo.association(&mut ada, User::PUBLISHED_POSTS);
    let preset = cx.step("conditions are preset", published.create(post("seen"))).await?;
    cx.require(preset.published, "published")?;
    cx.fails("and contradicted", published.create(post("unseen").set(Post::PUBLISHED, false))).await?;
    let mut groups = repo.association(&mut ada, User::GROUPS);
    let group = cx.step("behind a join model", groups.create(Group::build().set(Group::NAME, "g"))).await?;
    cx.require(groups.contains(&group).await?, "linked")?;
    posts(cx).await
}

async fn find_or_create(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    firms::tables(&repo).await?;
    let firm = |code: &str| Firm::build().set(Firm::CODE, code);
    let (mut one, mut other) = (repo.insert(firm("one")).await?, repo.insert(firm("other")).await?);
    let client = |name: &str| Client::build().set(Client::NAME, name);
    let mut clients = repo.association(&mut one, Firm::CLIENTS);
    let created = cx.step("created", clients.find_or_create_by(Client::NAME.eq("a"), client("a"))).await?;
    let found = cx.step("found", clients.find_or_create_by(Client::NAME.eq("a"), client("a"))).await?;
    cx.require(created == found, "the same")?;
    let mut theirs = repo.association(&mut other, Firm::CLIENTS);
    let error = cx.fails("another owner has it", theirs.find_or_create_by(Client::NAME.eq("a"), client("a"))).await?;
    cx.note("which is", error.to_string().contains("unique"));
    cx.rows("clients", "SELECT id, firm_code, name FROM clients").await
}

// Several tasks look for the same member at once.
async fn find_or_create_at_once(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    firms::tables(&repo).await?;
    let firm = repo.insert(Firm::build().set(Firm::CODE, "one")).await?;
    let task = |mut firm: Firm| {
        let repo = repo.clone();
        async move {
            let client = Client::build().set(Client::NAME, "a");
            repo.association(&mut firm, Firm::CLIENTS).find_or_create_by(Client::NAME.eq("a"), client).await
        }
    };
    let tasks: Vec<_> = (0..4).map(|_| tokio::spawn(task(firm.clone()))).collect();
    let mut found = Vec::new();
    for task in tasks {
        found.push(task.await.map_err(Error::other)??);
    }
    cx.require(found.iter().all(|client| *client == found[0]), "all have the same")?;
    cx.require(repo.count(Query::<Client>::new()).await? == 1, "there is one")
}

async fn rows_of_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada").push(User::POSTS, ["a", "b"].map(post))).await?;
    let bob = repo.insert(user("Bob").push(User::POSTS, post("theirs"))).await?;
    let theirs = &bob.posts()?[0];
    let own = ada.posts()?[0].clone();
    let before = ada.clone();
    let mut handle = repo.association(&mut ada, User::POSTS);
    for error in [
        cx.fails("delete", handle.delete([&own, theirs])).await?,
        cx.fails("destroy", handle.destroy([&own, theirs])).await?,
        cx.fails("set_ids", handle.set_ids([own.id, theirs.id])).await?,
    ] {
        cx.require(matches!(error.kind(), ErrorKind::NotMember { .. }), "no member")?;
    }
    cx.require(ada == before, "as before")?;
    posts(cx).await?;
    // A row of another owner is moved by what says so.
    cx.step("push", repo.association(&mut ada, User::POSTS).push(theirs)).await?;
    posts(cx).await
}

async fn follows_success_and_no_failure(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada").push(User::POSTS, ["a", "b", "c"].map(post))).await?;
    let loose = repo.insert(post("d")).await?;
    let own: Vec<Post> = ada.posts()?.to_vec();
    let groups = repo.insert_all(["x", "y"].map(|name| Group::build().set(Group::NAME, name))).await?;
    repo.association(&mut ada, User::GROUPS).push(&groups).await?;
    repo.association(&mut ada, User::POSTS).reload().await?;
    repo.association(&mut ada, User::GROUPS).reload().await?;
    let mut failures = 0;
    for call in 0..9 {
        let mut failed = 0;
        loop {
            // All of it in a transaction that is undone, so that each call finds the same.
            let tx = repo.begin().await?;
            let mut owner = ada.clone();
            cx.recorder().fail_after(failed);
            let result = match call {
                0 => tx.association(&mut owner, User::POSTS).push(&loose).await,
                1 => tx.association(&mut owner, User::POSTS).push([post("e"), post("f")]).await,
                2 => tx.association(&mut owner, User::POSTS).replace([&loose, &own[1]]).await,
                3 => tx.association(&mut owner, User::POSTS).delete([&own[0], &own[2]]).await,
                4 => tx.association(&mut owner, User::POSTS).destroy(&own[1]).await,
                5 => tx.association(&mut owner, User::POSTS).clear().await,
                6 => tx.association(&mut owner, User::POSTS).set_ids([loose.id, own[2].id]).await,
                7 => tx.association(&mut owner, User::POSTS).destroy_all().await.map(|_| ()),
                _ => tx.association(&mut owner, User::GROUPS).replace([&groups[1]]).await,
            };
            cx.recorder().fail_after(usize::MAX);
            if matches!(result.as_ref().map_err(Error::kind), Err(ErrorKind::Unsupported { .. })) {
                return result;
            }
            if result.is_err() {
                failures += 1;
                failed += 1;
                cx.require(owner == ada, "the owner stays as it is")?;
            } else {
                // What is in memory is what the database has.
                let mut fresh = owner.clone();
                tx.association(&mut fresh, User::POSTS).reload().await?;
                tx.association(&mut fresh, User::GROUPS).reload().await?;
                let ids = |owner: &User| -> Result<Vec<i64>> {
                    let mut ids: Vec<i64> = owner.posts()?.iter().map(|post| post.id).collect();
                    ids.sort_unstable();
                    Ok(ids)
                };
                if call < 8 {
                    cx.require(ids(&owner)? == ids(&fresh)?, &format!("call {call}: in memory as in the database"))?;
                } else {
                    cx.require(owner.groups()? == fresh.groups()?, "groups in memory as in the database")?;
                }
            }
            tx.rollback().await?;
            if result.is_ok() {
                break;
            }
            cx.require(failed < 50, "it ends")?;
        }
    }
    cx.require(failures >= 15, "each call fails at each statement")?;
    posts(cx).await
}

async fn limited(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    firms::tables(&repo).await?;
    let clients = ["c", "a", "b"].map(|name| Client::build().set(Client::NAME, name));
    let mut firm = repo.insert(Firm::build().set(Firm::CODE, "one").push(Firm::CLIENTS, clients)).await?;
    let first = repo.association(&firm, Firm::FIRST_CLIENTS);
    let holds = cx.step("size is within the limit", first.size()).await? == 2;
    cx.require(holds, "two")?;
    let holds = cx.step("the last of two", first.last()).await?.is_some_and(|client| client.name == "b");
    cx.require(holds, "b")?;
    let mut first = repo.association(&mut firm, Firm::FIRST_CLIENTS);
    cx.fails("never all: clear", first.clear()).await?;
    cx.fails("destroy_all", first.destroy_all()).await?;
    cx.fails("replace", first.replace(Vec::<&Client>::new())).await?;
    cx.fails("set_ids", first.set_ids([1])).await?;
    let a = first.first().await?;
    if let Some(a) = a {
        cx.step("one of them", first.delete(&a)).await?;
    }
    cx.rows("clients", "SELECT name, firm_code FROM clients ORDER BY id").await
}

async fn in_transactions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada").push(User::POSTS, ["a", "b"].map(post))).await?;
    let own: Vec<i64> = ada.posts()?.iter().map(|post| post.id).collect();
    let done: Result<()> = repo
        .transaction(async |tx| {
            let mut posts = tx.association(&mut ada, User::POSTS);
            posts.push(post("c")).await?;
            posts.set_ids([own[1]]).await?;
            // A call that fails undoes itself alone.
            if posts.push(Post::build()).await.is_ok() {
                return Err(Error::other("a post without a title"));
            }
            posts.create(post("d")).await.map(|_| ())
        })
        .await;
    done?;
    cx.require(titles(&ada)? == "bd", "what is left")?;
    posts(cx).await
}

async fn many_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada")).await?;
    let capabilities = repo.dialect().capabilities();
    let (rows, returned) = (capabilities.insert_rows, capabilities.insert_returning);
    let mut handle = repo.association(&mut ada, User::POSTS);
    let names: Vec<String> = (0..2_000).map(|at| format!("post {at}")).collect();
    let (created, statements) = repo.count_statements(handle.create_all(names.iter().map(|name| post(name)))).await;
    let created = created?;
    cx.require(!returned || statements == 2_000_usize.div_ceil(rows), "in batches")?;
    cx.require(created.len() == 2_000 && created[1_999].title == "post 1999", "in their order")?;
    let half: Vec<&Post> = created.iter().step_by(2).collect();
    let (deleted, statements) = repo.count_statements(handle.delete(half)).await;
    deleted?;
    cx.require(statements <= 10, "by batches, and not by rows")?;
    cx.require(handle.count().await? == 1_000, "half of them")?;
    let (cleared, statements) = repo.count_statements(handle.clear()).await;
    cleared?;
    cx.require(statements <= 10 && handle.is_empty().await?, "all of them")
}
