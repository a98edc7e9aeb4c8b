//! Counters and times, and what makes them follow, while something breaks. What is in hand follows what was written, so
//! structs of the program are lent to the calls.

use assoc_core::driver::BoxFuture;
use assoc_repo::prelude::*;
use tokio::sync::Mutex;

use crate::schema::{Fragile, table};
use crate::works::{Setting, Work, text};

type Time = chrono::NaiveDateTime;

#[derive(Model, Debug, Clone, PartialEq)]
struct Forum {
    id: i64,
    name: Fragile,
    #[column(counter_cache)]
    topics_count: i64,
    #[column(updated_at)]
    updated_at: Time,
    #[has_many(dependent = "destroy")]
    topics: HasMany<Topic>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Topic {
    id: i64,
    forum_id: i64,
    title: Fragile,
    #[column(counter_cache)]
    posts_count: Option<i64>,
    #[column(updated_at)]
    updated_at: Time,
    #[belongs_to(counter_cache, touch)]
    forum: BelongsTo<Forum>,
    #[has_many(dependent = "destroy")]
    posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Writer {
    id: i64,
    #[column(counter_cache)]
    posts_count: i64,
    #[has_many(dependent = "nullify")]
    posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Post {
    id: i64,
    topic_id: Option<i64>,
    writer_id: Option<i64>,
    text: Fragile,
    #[belongs_to(counter_cache, touch)]
    topic: BelongsTo<Option<Topic>>,
    #[belongs_to(counter_cache)]
    writer: BelongsTo<Option<Writer>>,
}

/// Structs that are lent: two topics with their posts, each with its topic.
#[derive(Debug, Clone, PartialEq)]
struct Lent {
    forum: Forum,
    from: Topic,
    to: Topic,
    posts: Vec<Post>,
    writer: Writer,
}

pub(crate) struct Counted {
    lent: Mutex<Lent>,
    before: Lent,
}

macro_rules! works {
    ($($name:literal, $calls:literal: $run:expr;)+) => {
        &[$(Work { name: $name, calls: $calls, reads: false, run: |repo, held| Box::pin(async move {
            // Each work is alone with them.
            let mut lent = held.lent.try_lock().map_err(Error::other)?;
            let work: for<'a> fn(&'a Repo, &'a mut Lent) -> BoxFuture<'a, Result<()>> = $run;
            work(repo, &mut lent).await
        }) }),+]
    };
}

impl Setting for Counted {
    const WORKS: &'static [Work<Self>] = works! {
        "move by update", 6: |repo, lent| Box::pin(async move {
            let moved = lent.posts[0].change().set(Post::TOPIC_ID, lent.to.id).set(Post::TEXT, text("moved"));
            repo.update(moved).await.map(drop)
        });
        "move by a changeset of the parent", 6: |repo, lent| Box::pin(async move {
            let new = Post::build().set(Post::TEXT, text("new")).set(Post::WRITER_ID, lent.writer.id);
            let change = lent.to.change().set(Topic::TITLE, text("more")).push(Topic::POSTS, &lent.posts[0]);
            let saved = repo.update(change.push(Topic::POSTS, new)).await?;
            assert_eq!(saved.posts_count, Some(5));
            Ok(())
        });
        "move by a handle of the parent", 5: |repo, lent| Box::pin(async move {
            repo.association(&mut lent.to, Topic::POSTS).push(&lent.posts[..2]).await?;
            assert_eq!((lent.to.posts()?.len(), lent.to.posts_count), (5, Some(5)));
            Ok(())
        });
        "move by a handle of the child", 5: |repo, lent| Box::pin(async move {
            repo.association(&mut lent.posts[0], Post::TOPIC).set(&lent.to).await
        });
        "replace by a handle", 7: |repo, lent| Box::pin(async move {
            let new = Post::build().set(Post::TEXT, text("new"));
            let kept = lent.to.posts()?[0].change();
            let moved = lent.posts[0].change();
            repo.association(&mut lent.to, Topic::POSTS).replace([kept, moved, new]).await?;
            assert_eq!(lent.to.posts()?.len(), 3);
            Ok(())
        });
        "delete by a handle", 5: |repo, lent| Box::pin(async move {
            repo.association(&mut lent.writer, Writer::POSTS).delete(&lent.posts[..2]).await
        });
        "insert of children", 5: |repo, lent| Box::pin(async move {
            let new = |topic: &Topic| Post::build().set(Post::TEXT, text("n")).set(Post::TOPIC_ID, topic.id);
            repo.insert_all([new(&lent.from), new(&lent.to), new(&lent.to)]).await.map(drop)
        });
        "add to a counter", 3: |repo, lent| Box::pin(async move {
            repo.add_to_counter(Topic::POSTS, [lent.from.id, lent.to.id], 3).await.map(drop)
        });
        "reset of counters", 5: |repo, _| Box::pin(async move {
            assert_eq!(repo.reset_counters(Writer::POSTS).await?, 1);
            Ok(())
        });
        "touch", 4: |repo, lent| Box::pin(async move { repo.touch(&mut lent.from).await });
        "destroy of a child", 5: |repo, lent| Box::pin(async move {
            repo.destroy(&lent.posts[0]).await.map(drop)
        });
        "destroy of three levels", 8: |repo, lent| Box::pin(async move {
            let report = repo.destroy(&lent.forum).await?;
            assert_eq!(
                report.to_string(),
                "Forum: 1 destroyed; Topic: 2 destroyed; Post: 6 destroyed; Writer: 1 updated"
            );
            Ok(())
        });
        "destroy_all", 8: |repo, lent| Box::pin(async move {
            let report = repo.destroy_all(Query::filter(Topic::FORUM_ID.eq(lent.forum.id))).await?;
            assert_eq!(
                report.to_string(),
                "Topic: 2 destroyed; Post: 6 destroyed; Forum: 1 updated; Writer: 1 updated"
            );
            Ok(())
        });
        "destroy of what is cleared elsewhere", 5: |repo, lent| Box::pin(async move {
            repo.destroy(&lent.writer).await.map(drop)
        });
    };
    const TABLE: &'static str = "writers";

    fn prepare(repo: &Repo) -> BoxFuture<'_, Result<Self>> {
        Box::pin(async move {
            repo.create_table::<Forum>().await?;
            repo.create_table::<Topic>().await?;
            repo.create_table::<Writer>().await?;
            repo.create_table::<Post>().await?;
            let writer = repo.insert(Writer::build()).await?;
            let post = |at: usize| Post::build().set(Post::TEXT, text(&at.to_string())).set(Post::WRITER_ID, writer.id);
            let topic =
                |title: &str| Topic::build().set(Topic::TITLE, text(title)).push(Topic::POSTS, (0..3).map(post));
            let forum =
                |name: &str| Forum::build().set(Forum::NAME, text(name)).push(Forum::TOPICS, ["from", "to"].map(topic));
            repo.insert_all(["one", "other"].map(forum)).await?;
            // Times that have passed, and a counter that is wrong.
            repo.execute_raw("UPDATE forums SET updated_at = '2001-01-01 00:00:00'", []).await?;
            repo.execute_raw("UPDATE topics SET updated_at = '2001-01-01 00:00:00'", []).await?;
            repo.execute_raw("UPDATE writers SET posts_count = 40", []).await?;
            let forum = repo.get_or_fail::<Forum>(1, Query::new()).await?;
            let loaded = Query::filter(Topic::FORUM_ID.eq(forum.id)).preload(Topic::POSTS).preload(Topic::FORUM);
            let mut topics = repo.all(loaded.order_by(Topic::ID.asc())).await?;
            let posts = Query::filter(Post::TOPIC_ID.eq(topics[0].id)).preload(Post::TOPIC.with(Topic::FORUM));
            let posts = repo.all(posts.order_by(Post::ID.asc())).await?;
            let writer = repo.get_or_fail::<Writer>(writer.id, Query::preload(Writer::POSTS)).await?;
            let (to, from) = (topics.swap_remove(1), topics.swap_remove(0));
            let lent = Lent { forum, from, to, posts, writer };
            Ok(Counted { before: lent.clone(), lent: Mutex::new(lent) })
        })
    }

    fn dump(repo: &Repo) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async move {
            let mut rows = Vec::new();
            table::<Forum>(repo, &mut rows).await?;
            table::<Topic>(repo, &mut rows).await?;
            table::<Writer>(repo, &mut rows).await?;
            table::<Post>(repo, &mut rows).await?;
            Ok(rows)
        })
    }

    fn shown(&self) -> String {
        self.lent.try_lock().map(|lent| format!("{lent:?}")).unwrap_or_default()
    }

    fn restore(&self) {
        if let Ok(mut lent) = self.lent.try_lock() {
            *lent = self.before.clone();
        }
    }
}
