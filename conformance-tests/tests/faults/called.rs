//! Destroys whose rows have callbacks, which write as well, while something breaks: what is told, and what is not.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use assoc_core::driver::BoxFuture;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
use tokio::sync::Mutex;

use crate::Ending;
use crate::schema::table;
use crate::works::{Setting, Work};

// Callbacks are functions without state, so what they were told is kept by the address of the driver.
static TOLD: std::sync::Mutex<Option<HashMap<usize, Vec<String>>>> = std::sync::Mutex::new(None);

fn told() -> MutexGuard<'static, Option<HashMap<usize, Vec<String>>>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn of(repo: &Repo) -> usize {
    Arc::as_ptr(repo.driver()).cast::<()>() as usize
}

fn note(repo: &Repo, what: &str, row: impl std::fmt::Display) {
    told().get_or_insert_default().entry(of(repo)).or_default().push(format!("{what} {row}"));
}

macro_rules! told {
    ($model:ident $(, $writes:ident)?) => {
        #[callbacks]
        impl Callbacks for $model {
            async fn before_destroy(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                note(cx.repo(), "before_destroy", format!("{}{}", Self::DEF.name, row.id));
                $($writes(cx, row.id).await?;)?
                Ok(())
            }

            async fn after_destroy(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                note(cx.repo(), "after_destroy", format!("{}{}", Self::DEF.name, row.id));
                $($writes(cx, row.id).await?;)?
                Ok(())
            }

            async fn after_commit(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                note(cx.repo(), "after_commit", format!("{}{}", Self::DEF.name, row.id));
                Ok(())
            }

            async fn after_rollback(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                note(cx.repo(), "after_rollback", format!("{}{}", Self::DEF.name, row.id));
                Ok(())
            }
        }
    };
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(callbacks)]
struct User {
    id: i64,
    #[column(counter_cache)]
    posts_count: i64,
    #[has_many(dependent = "destroy", before_add = Self::added, before_remove = Self::leaves, after_remove = Self::left)]
    posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(callbacks)]
struct Post {
    id: i64,
    user_id: i64,
    title: String,
    #[belongs_to(counter_cache)]
    user: BelongsTo<User>,
    #[has_many(dependent = "destroy")]
    comments: HasMany<Comment>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(callbacks)]
struct Comment {
    id: i64,
    post_id: i64,
    reader_id: i64,
    #[belongs_to(counter_cache)]
    reader: BelongsTo<Reader>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Reader {
    id: i64,
    #[column(counter_cache)]
    comments_count: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "entries")]
struct Entry {
    id: i64,
    post_id: i64,
}

async fn write(cx: &CallbackContext<'_>, post: i64) -> Result<()> {
    cx.repo().insert(Entry::build().set(Entry::POST_ID, post)).await.map(drop)
}

told!(User);
told!(Post, write);
told!(Comment);

impl User {
    async fn added(_: &User, _: &Change<Post>, cx: &CallbackContext<'_>) -> Result<()> {
        note(cx.repo(), "before_add", "");
        Ok(())
    }

    async fn leaves(_: &User, post: &Post, cx: &CallbackContext<'_>) -> Result<()> {
        note(cx.repo(), "before_remove", post.id);
        Ok(())
    }

    async fn left(_: &User, post: &Post, cx: &CallbackContext<'_>) -> Result<()> {
        note(cx.repo(), "after_remove", post.id);
        Ok(())
    }
}

pub(crate) struct Called {
    repo: Repo,
    user: Mutex<User>,
    before: User,
}

impl Setting for Called {
    const WORKS: &'static [Work<Self>] = &[
        Work {
            name: "destroy with callbacks",
            calls: 15,
            reads: false,
            run: |repo, held| Box::pin(async move { repo.destroy(&held.before).await.map(drop) }),
        },
        Work {
            name: "destroy_all with callbacks",
            calls: 15,
            reads: false,
            run: |repo, held| {
                Box::pin(async move { repo.destroy_all(Query::filter(User::ID.eq(held.before.id))).await.map(drop) })
            },
        },
        Work {
            name: "replace with callbacks",
            calls: 15,
            reads: false,
            run: |repo, held| {
                Box::pin(async move {
                    let mut user = held.user.try_lock().map_err(Error::other)?;
                    let kept = user.posts()?[0].change();
                    let new = Post::build().set(Post::TITLE, "new");
                    repo.association(&mut *user, User::POSTS).replace([kept, new]).await?;
                    assert_eq!((user.posts()?.len(), user.posts_count), (2, 2));
                    Ok(())
                })
            },
        },
        Work {
            name: "destroy_all of a handle",
            calls: 15,
            reads: false,
            run: |repo, held| {
                Box::pin(async move {
                    let mut user = held.user.try_lock().map_err(Error::other)?;
                    repo.association(&mut *user, User::POSTS).destroy_all().await?;
                    assert_eq!((user.posts()?.len(), user.posts_count), (0, 0));
                    Ok(())
                })
            },
        },
    ];
    const TABLE: &'static str = "entries";

    fn prepare(repo: &Repo) -> BoxFuture<'_, Result<Self>> {
        Box::pin(async move {
            repo.create_table::<User>().await?;
            repo.create_table::<Post>().await?;
            repo.create_table::<Reader>().await?;
            repo.create_table::<Comment>().await?;
            repo.create_table::<Entry>().await?;
            repo.insert_all([Reader::build(), Reader::build()]).await?;
            let comment = |reader: i64| Comment::build().set(Comment::READER_ID, reader);
            let post = |title: &str| Post::build().set(Post::TITLE, title).push(Post::COMMENTS, [1, 2].map(comment));
            repo.insert_all([0, 1].map(|_| User::build().push(User::POSTS, ["p", "q", "r"].map(post)))).await?;
            repo.insert(Entry::build().set(Entry::POST_ID, 0)).await?;
            let user = repo.get_or_fail::<User>(1, Query::preload(User::POSTS)).await?;
            let _ = told().get_or_insert_default().remove(&of(repo));
            Ok(Called { repo: repo.clone(), before: user.clone(), user: Mutex::new(user) })
        })
    }

    fn dump(repo: &Repo) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async move {
            let mut rows = Vec::new();
            table::<User>(repo, &mut rows).await?;
            table::<Post>(repo, &mut rows).await?;
            table::<Comment>(repo, &mut rows).await?;
            table::<Reader>(repo, &mut rows).await?;
            table::<Entry>(repo, &mut rows).await?;
            Ok(rows)
        })
    }

    fn shown(&self) -> String {
        self.user.try_lock().map(|user| format!("{user:?}")).unwrap_or_default()
    }

    fn restore(&self) {
        if let Ok(mut user) = self.user.try_lock() {
            *user = self.before.clone();
        }
    }

    // Rows that go are told of the end once everything has agreed, and then all of them, once.
    fn check_told(&self, shown: &str, ending: Ending) {
        let all = told().get_or_insert_default().remove(&of(&self.repo)).unwrap_or_default();
        let of = |what: &str| -> Vec<String> {
            let rows = all.iter().filter_map(|line| line.strip_prefix(what)).map(|row| row.trim().to_owned());
            let mut rows: Vec<String> = rows.collect();
            rows.sort();
            rows
        };
        let (before, after) = (of("before_destroy"), of("after_destroy"));
        let (committed, undone) = (of("after_commit"), of("after_rollback"));
        let once = |rows: &[String]| rows.windows(2).all(|pair| pair[0] != pair[1]);
        assert!(once(&before) && once(&after) && once(&committed) && once(&undone), "{shown}: {all:?}");
        let going = if shown.starts_with("destroy with") || shown.starts_with("destroy_all with") {
            10
        } else if shown.starts_with("replace") {
            6
        } else {
            9
        };
        match ending {
            Ending::Committed => {
                assert_eq!((before.len(), &before), (going, &after), "{shown}: {all:?}");
                assert!(undone.is_empty() && before.iter().all(|row| committed.contains(row)), "{shown}: {all:?}");
            }
            Ending::Undone | Ending::GivenUp => {
                assert!(committed.is_empty(), "{shown}: {all:?}");
                let destroyed = undone.iter().filter(|row| before.contains(row)).count();
                let expected = if before.len() == going { going } else { 0 };
                // No hook runs if it is unknown whether COMMIT, which comes after all callbacks, took effect.
                let is_unknown = ending == Ending::GivenUp && after.len() == going && destroyed == 0;
                assert!(destroyed == expected || is_unknown, "{shown}: {all:?}");
            }
        }
    }
}
