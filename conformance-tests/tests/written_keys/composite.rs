//! Keys of two columns, of the same type and of different ones.

use assoc_repo::on_conflict;
use assoc_repo::prelude::*;
use conformance_tests::Backend;

use crate::with_each_table;

/// Models over one type of key, and what is done with them. `key` makes the key of a number.
macro_rules! keyed {
    ($($module:ident: $a:ty, $b:ty, |$number:ident| $made:expr;)+) => {
        $(mod $module {
            use super::*;

            fn key($number: u8) -> ($a, $b) {
                $made
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "users", primary_key = "a, b")]
            struct User {
                a: $a,
                b: $b,
                name: String,
                #[column(counter_cache)]
                posts_count: i64,
                #[has_many(foreign_key = "user_a, user_b", dependent = "nullify")]
                posts: HasMany<Post>,
                #[has_one(foreign_key = "user_a, user_b", dependent = "nullify")]
                account: HasOne<Option<Account>>,
                #[has_many(foreign_key = "user_a, user_b", dependent = "destroy")]
                memberships: HasMany<Membership>,
                #[has_many(through = "memberships")]
                groups: HasManyThrough<Group>,
                #[has_and_belongs_to_many(
                    join_table = "friends",
                    foreign_key = "user_a, user_b",
                    association_foreign_key = "friend_a, friend_b"
                )]
                friends: HasAndBelongsToMany<User>,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "posts", primary_key = "a, b")]
            struct Post {
                a: $a,
                b: $b,
                user_a: Option<$a>,
                user_b: Option<$b>,
                title: String,
                #[belongs_to(foreign_key = "user_a, user_b", counter_cache)]
                user: BelongsTo<Option<User>>,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "accounts")]
            struct Account {
                id: i64,
                user_a: Option<$a>,
                user_b: Option<$b>,
                text: String,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "memberships", primary_key = "user_a, user_b, group_a, group_b")]
            struct Membership {
                user_a: $a,
                user_b: $b,
                group_a: $a,
                group_b: $b,
                #[column(default = "0")]
                role: i32,
                #[belongs_to(foreign_key = "group_a, group_b")]
                group: BelongsTo<Group>,
                #[belongs_to(foreign_key = "user_a, user_b")]
                user: BelongsTo<User>,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "groups_of_users", primary_key = "a, b")]
            struct Group {
                a: $a,
                b: $b,
                name: String,
            }

            // The join table, so that it is made as the models' tables are.
            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "friends")]
            struct Friendship {
                user_a: $a,
                user_b: $b,
                friend_a: $a,
                friend_b: $b,
                #[belongs_to(foreign_key = "user_a, user_b")]
                user: BelongsTo<User>,
                #[belongs_to(foreign_key = "friend_a, friend_b")]
                friend: BelongsTo<User>,
            }

            drafts! { User NAME user, Post TITLE post, Group NAME group }
            steps!();
        })+

        pub(crate) fn every_type(backend: &dyn Backend) {
            $(with_each_table(backend, stringify!($module), $module::run);)+
        }
    };
}

// For each model a function that builds a row by its number.
macro_rules! drafts {
    ($($model:ident $column:ident $name:ident),+) => {$(
        fn $name(number: u8, text: &str) -> assoc_repo::Changeset<$model> {
            let (a, b) = key(number);
            $model::build().set($model::A, a).set($model::B, b).set($model::$column, text)
        }
    )+};
}

macro_rules! steps {
    () => {
        async fn fresh(repo: &Repo, of: &User) -> Result<User> {
            let all = (User::POSTS, User::ACCOUNT, User::GROUPS, User::FRIENDS);
            repo.get_or_fail::<User>((of.a.clone(), of.b.clone()), Query::preload(all)).await
        }

        async fn same(repo: &Repo, user: &User, expected: &[&str]) -> Result<()> {
            let titles = |user: &User| {
                let mut titles: Vec<String> = user.posts().unwrap().iter().map(|post| post.title.clone()).collect();
                titles.sort();
                titles
            };
            let stored = fresh(repo, user).await?;
            assert_eq!(titles(&stored), expected);
            assert_eq!(stored.posts_count, expected.len() as i64, "counted");
            if user.posts().is_ok() {
                assert_eq!(titles(user), expected, "in memory");
                assert_eq!(user.posts_count, stored.posts_count, "counted in memory");
            }
            Ok(())
        }

        pub(super) async fn run(repo: Repo) -> Result<()> {
            repo.create_table::<User>().await?;
            repo.create_table::<Post>().await?;
            repo.create_table::<Account>().await?;
            repo.create_table::<Membership>().await?;
            repo.create_table::<Group>().await?;
            repo.create_table::<Friendship>().await?;
            let bob = repo.insert(user(1, "Bob").push(User::POSTS, post(1, "of Bob"))).await?;
            let chess = repo.insert(group(1, "chess")).await?;
            let account = |text: &str| Account::build().set(Account::TEXT, text);
            let draft = user(2, "Ada")
                .push(User::POSTS, [post(2, "a"), post(3, "b")])
                .set_one(User::ACCOUNT, account("first"))
                .push(User::GROUPS, [&chess])
                .push(User::GROUPS, group(2, "go"))
                .push(User::FRIENDS, &bob)
                .push(User::FRIENDS, user(3, "Cyd"));
            let mut ada = repo.insert(draft).await?;
            same(&repo, &ada, &["a", "b"]).await?;
            let stored = fresh(&repo, &ada).await?;
            assert_eq!((stored.groups()?.len(), stored.friends()?.len()), (2, 2));
            assert_eq!((ada.groups()?.len(), ada.friends()?.len()), (2, 2));
            assert!(stored.account()?.is_some_and(|account| account.text == "first"));
            // By handles.
            let mut posts = repo.association(&mut ada, User::POSTS);
            let c = posts.create(post(4, "c")).await?;
            assert_eq!(posts.find((c.a.clone(), c.b.clone())).await?, c);
            assert_eq!(posts.find(&c).await?, c);
            assert_eq!(posts.find_or_create_by(Post::TITLE.eq("d"), post(5, "d")).await?.title, "d");
            posts.delete(&c).await?;
            same(&repo, &ada, &["a", "b", "d"]).await?;
            let mut posts = repo.association(&mut ada, User::POSTS);
            posts.set_ids([key(2), key(4)]).await?;
            same(&repo, &ada, &["a", "c"]).await?;
            assert!(repo.association(&mut ada, User::POSTS).delete_ids([key(1)]).await.is_err());
            repo.association(&mut ada, User::POSTS)
                .push(&repo.get_or_fail::<Post>(key(1), Query::new()).await?)
                .await?;
            same(&repo, &ada, &["a", "c", "of Bob"]).await?;
            same(&repo, &fresh(&repo, &bob).await?, &[]).await?;
            repo.association(&mut ada, User::POSTS).destroy_ids([key(1)]).await?;
            repo.association(&mut ada, User::ACCOUNT).set(account("second")).await?;
            assert_eq!(repo.count(Query::filter(Account::USER_A.is_null().and(Account::USER_B.is_null()))).await?, 1);
            let mut groups = repo.association(&mut ada, User::GROUPS);
            groups.set_ids([key(2)]).await?;
            groups.push_with(&chess, |of: assoc_repo::Changeset<Membership>| of.set(Membership::ROLE, 2)).await?;
            assert_eq!(groups.ids().await?.len(), 2);
            groups.delete(&chess).await?;
            repo.association(&mut ada, User::FRIENDS).delete(&bob).await?;
            let stored = fresh(&repo, &ada).await?;
            assert_eq!((stored.groups()?.len(), stored.friends()?.len()), (1, 1));
            // By the other side, moved, counted anew.
            let moved = repo.get_or_fail::<Post>(key(4), Query::new()).await?;
            repo.update(moved.change().associate(Post::USER, &bob)).await?;
            same(&repo, &fresh(&repo, &bob).await?, &["c"]).await?;
            assert_eq!(repo.reset_counters(User::POSTS).await?, 0);
            repo.update_all(
                Query::filter(Post::TITLE.eq("a")),
                [Post::USER_A.to(Some(bob.a.clone())), Post::USER_B.to(Some(bob.b.clone()))],
            )
            .await?;
            assert_eq!(repo.reset_counters(User::POSTS).await?, 2);
            same(&repo, &fresh(&repo, &bob).await?, &["a", "c"]).await?;
            let again = user(2, "upserted");
            let upserted = repo.upsert(again, on_conflict((User::A, User::B)).update(User::NAME)).await;
            if crate::upserts(&repo, &upserted) {
                upserted?;
                assert_eq!(fresh(&repo, &ada).await?.name, "upserted");
            }
            // Whom it belongs to by half of a key is refused, and nothing is cleared by halves.
            let loose = repo.update(moved.change().dissociate(Post::USER)).await?;
            assert!(loose.user_a.is_none() && loose.user_b.is_none());
            repo.update(loose.change().associate(Post::USER, &bob)).await?;
            // Destroyed, with what depends on it.
            let preview = repo.preview_destroy(&bob).await?;
            assert_eq!(repo.destroy(&bob).await?, preview);
            let ada = fresh(&repo, &ada).await?;
            let report = repo.destroy(&ada).await?;
            let count =
                |model: Option<&assoc_repo::DestroyedModel>| model.map(|of| (of.destroyed, of.deleted, of.nullified));
            assert_eq!(count(report.of::<Membership>()), Some((1, 0, 0)));
            assert_eq!(count(report.of::<Account>()), Some((0, 0, 1)));
            assert_eq!(repo.count(Query::<Friendship>::new()).await?, 0);
            assert_eq!(repo.count(Query::<User>::new()).await?, 1);
            assert_eq!(repo.count(Query::filter(Post::USER_A.is_not_null())).await?, 0);
            Ok(())
        }
    };
}

fn day(number: u8) -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(2001, 1, 1).unwrap() + chrono::Days::new(number.into())
}

keyed! {
    numbers: i64, i32, |number| (i64::from(number) / 2, i32::from(number));
    text_and_date: String, chrono::NaiveDate, |number| ("x y".to_owned(), day(number));
    uuid_and_bytes: uuid::Uuid, Vec<u8>, |number| (uuid::Uuid::from_bytes([7; 16]), vec![number, 0]);
    wide_and_text: u64, String, |number| (u64::from(u32::MAX) + u64::from(number % 2), format!("k{number}"));
}
