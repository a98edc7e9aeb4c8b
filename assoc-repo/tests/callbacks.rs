//! Callbacks beside what the conformance suite shows: in tasks, in crates that are renamed, under names that a program has itself.

use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;

mod renamed {
    pub(crate) mod orm {
        pub(crate) use assoc_repo as repo;
    }

    // Names of the prelude that mean something else here.
    #[allow(dead_code)]
    struct Option;
    #[allow(dead_code)]
    struct Box;
    #[allow(dead_code)]
    struct Vec;

    use orm::repo::{CallbackContext, Change};

    #[derive(orm::repo::Model, Debug, Clone)]
    #[model(crate = "crate::renamed::orm::repo", callbacks)]
    pub(crate) struct Post {
        pub(crate) id: i64,
        pub(crate) user_id: i64,
        pub(crate) title: String,
    }

    #[orm::repo::callbacks(crate = "crate::renamed::orm::repo")]
    impl orm::repo::Callbacks for Post {
        async fn before_save(post: &mut Change<Self>, cx: &CallbackContext<'_>) -> orm::repo::Result<()> {
            let posts = cx.repo().count(orm::repo::Query::<Post>::new()).await?;
            post.set(Post::TITLE, format!("number {}", posts + 1));
            Ok(())
        }
    }

    #[derive(orm::repo::Model, Debug, Clone)]
    #[model(crate = "crate::renamed::orm::repo")]
    pub(crate) struct User {
        pub(crate) id: i64,
        #[has_many(before_add = Self::check, after_remove = [removed])]
        pub(crate) posts: orm::repo::HasMany<Post>,
    }

    impl User {
        async fn check(_: &User, post: &Change<Post>, _: &CallbackContext<'_>) -> orm::repo::Result<()> {
            if post.is_new() { Ok(()) } else { Err(orm::repo::Error::other("not new")) }
        }
    }

    async fn removed(_: &User, _: &Post, _: &CallbackContext<'_>) -> orm::repo::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn in_a_task_and_under_other_names() {
    use renamed::{Post, User};
    let repo = Repo::new(Sqlite::memory().unwrap());
    repo.create_table::<User>().await.unwrap();
    repo.create_table::<Post>().await.unwrap();
    let tasks = repo.clone();
    let user = tokio::spawn(async move {
        let draft = User::build().push(User::POSTS, Post::build().set(Post::TITLE, "x"));
        tasks.insert(draft).await
    });
    let user = user.await.unwrap().unwrap();
    assert_eq!(user.posts().unwrap()[0].title, "number 1");
    let loose = repo.insert(Post::build().set(Post::TITLE, "x").set(Post::USER_ID, 9)).await.unwrap();
    assert_eq!(repo.update(user.change().push(User::POSTS, &loose)).await.unwrap_err().to_string(), "not new");
}

mod interrupted {
    use assoc_repo::prelude::*;
    use assoc_repo::{CallbackContext, Callbacks, callbacks};

    /// Told when a callback waits.
    pub(crate) static WAITING: tokio::sync::Notify = tokio::sync::Notify::const_new();

    #[derive(Model, Debug, Clone)]
    #[model(callbacks)]
    pub(crate) struct Job {
        pub(crate) id: i64,
        pub(crate) what: String,
    }

    #[callbacks]
    impl Callbacks for Job {
        async fn after_insert(job: &Self, cx: &CallbackContext<'_>) -> Result<()> {
            match &*job.what {
                #[allow(clippy::panic)] // It is what is tested.
                "panic" => panic!("in a callback"),
                "wait" => {
                    WAITING.notify_one();
                    std::future::pending().await
                }
                _ => cx.repo().insert(Job::build().set(Job::WHAT, "panic")).await.map(|_| ()),
            }
        }
    }
}

#[tokio::test]
async fn panics_and_dropped_futures_undo_the_save() {
    use interrupted::{Job, WAITING};
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::new(Sqlite::open(folder.path().join("jobs.db")).unwrap());
    repo.create_table::<Job>().await.unwrap();
    for what in ["panic", "nested"] {
        let task = repo.clone();
        let panicked = tokio::spawn(async move { task.insert(Job::build().set(Job::WHAT, what)).await }).await;
        assert!(panicked.unwrap_err().is_panic());
    }
    // Dropped while a callback waits.
    tokio::select! {
        _ = repo.insert(Job::build().set(Job::WHAT, "wait")) => unreachable!("it waits for ever"),
        () = WAITING.notified() => {}
    }
    assert_eq!(repo.count(Query::<Job>::new()).await.unwrap(), 0);
    // Inside a transaction, which goes on.
    repo.transaction(async |tx| {
        tokio::select! {
            _ = tx.insert(Job::build().set(Job::WHAT, "wait")) => unreachable!("it waits for ever"),
            () = WAITING.notified() => {}
        }
        assert_eq!(tx.count(Query::<Job>::new()).await?, 0);
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    let status = repo.pool_status();
    assert!(status.is_none_or(|pool| pool.idle == pool.open));
}
