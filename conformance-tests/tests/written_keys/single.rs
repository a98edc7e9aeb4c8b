//! Keys of one column.

use assoc_repo::on_conflict;
use assoc_repo::prelude::*;
use conformance_tests::Backend;

use crate::with_each_table;

/// A key that wraps a number.
#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[column_type(key)]
pub(crate) struct Number(u32);

/// A key that wraps text.
#[derive(ColumnType, Debug, Clone, PartialEq, Eq, Hash)]
#[column_type(key)]
pub(crate) struct Code(String);

fn uuid(number: u8) -> uuid::Uuid {
    uuid::Uuid::from_bytes([number, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, number])
}

fn day(number: u8) -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(2001, 1, 1).unwrap() + chrono::Days::new(number.into())
}

/// Models over one type of key, and what is done with them. `keys` makes the key of a number, or nothing where the database makes it.
macro_rules! keyed {
    ($($module:ident: $key:ty, |$number:ident| $made:expr;)+) => {
        $(mod $module {
            use super::*;

            type Key = $key;

            fn key($number: u8) -> Option<Key> {
                $made
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "users")]
            struct User {
                id: Key,
                name: String,
                #[column(counter_cache)]
                posts_count: i64,
                #[column(updated_at)]
                updated_at: chrono::NaiveDateTime,
                #[has_many(dependent = "nullify")]
                posts: HasMany<Post>,
                #[has_one(dependent = "delete")]
                account: HasOne<Option<Account>>,
                #[has_many(dependent = "destroy")]
                memberships: HasMany<Membership>,
                #[has_many(through = "memberships")]
                groups: HasManyThrough<Group>,
                #[has_and_belongs_to_many(join_table = "tags_users")]
                tags: HasAndBelongsToMany<Tag>,
                #[has_many(as = "subject", dependent = "nullify")]
                notes: HasMany<Note>,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "posts")]
            struct Post {
                id: Key,
                user_id: Option<Key>,
                title: String,
                #[belongs_to(counter_cache, touch)]
                user: BelongsTo<Option<User>>,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "accounts")]
            struct Account {
                id: Key,
                user_id: Option<Key>,
                text: String,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "memberships")]
            struct Membership {
                id: i64,
                user_id: Key,
                group_id: Key,
                #[column(default = "0")]
                role: i32,
                #[belongs_to]
                group: BelongsTo<Group>,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "groups_of_users")]
            struct Group {
                id: Key,
                name: String,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "tags")]
            struct Tag {
                id: Key,
                name: String,
                #[has_and_belongs_to_many(join_table = "tags_users")]
                users: HasAndBelongsToMany<User>,
            }

            #[derive(Polymorphic, Debug, Clone, PartialEq)]
            enum Subject {
                User(User),
                Post(Post),
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "notes")]
            struct Note {
                id: Key,
                subject_id: Option<Key>,
                #[column(length = 20)]
                subject_type: Option<String>,
                text: String,
                #[belongs_to(polymorphic)]
                subject: BelongsTo<Option<Subject>>,
            }

            // The join table, so that it is made as the models' tables are.
            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "tags_users")]
            struct Tagging {
                tag_id: Key,
                user_id: Key,
                #[belongs_to]
                tag: BelongsTo<Tag>,
                #[belongs_to]
                user: BelongsTo<User>,
            }

            drafts! { User NAME user, Post TITLE post, Account TEXT account, Group NAME group, Tag NAME tag, Note TEXT note }
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
            let draft = $model::build().set($model::$column, text);
            match key(number) {
                Some(key) => draft.set($model::ID, key),
                None => draft,
            }
        }
    )+};
}

macro_rules! steps {
    () => {
        async fn tables(repo: &Repo) -> Result<()> {
            repo.create_table::<User>().await?;
            repo.create_table::<Post>().await?;
            repo.create_table::<Account>().await?;
            repo.create_table::<Membership>().await?;
            repo.create_table::<Group>().await?;
            repo.create_table::<Tag>().await?;
            repo.create_table::<Note>().await?;
            repo.create_table::<Tagging>().await
        }

        // The row as it is in the database, with everything.
        async fn fresh(repo: &Repo, of: &User) -> Result<User> {
            let all = (User::POSTS, User::ACCOUNT, User::GROUPS, User::TAGS, User::NOTES);
            repo.get_or_fail::<User>(of.id.clone(), Query::preload(all)).await
        }

        fn titles(user: &User) -> Vec<String> {
            let mut titles: Vec<String> = user.posts().unwrap().iter().map(|post| post.title.clone()).collect();
            titles.sort();
            titles
        }

        fn names(groups: &[std::sync::Arc<Group>]) -> Vec<String> {
            let mut names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
            names.sort();
            names
        }

        async fn same(repo: &Repo, user: &User, expected: &[&str]) -> Result<()> {
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
            tables(&repo).await?;
            let (ada, bob) = saved(&repo).await?;
            let (ada, bob) = by_handles(&repo, ada, bob).await?;
            links(&repo, ada.clone()).await?;
            single_targets(&repo, ada.clone()).await?;
            in_bulk(&repo, &ada).await?;
            destroyed(&repo, fresh(&repo, &ada).await?, &bob).await
        }

        async fn saved(repo: &Repo) -> Result<(User, User)> {
            let bob = repo.insert(user(1, "Bob")).await?;
            assert_eq!(repo.get_or_fail::<User>(bob.id.clone(), Query::new()).await?, bob);
            let chess = repo.insert(group(1, "chess")).await?;
            let old = repo.insert(tag(1, "old")).await?;
            let draft = user(2, "Ada")
                .push(User::POSTS, [post(1, "a"), post(2, "b")])
                .set_one(User::ACCOUNT, account(1, "first"))
                .push(User::GROUPS, &chess)
                .push(User::GROUPS, group(2, "go"))
                .push(User::TAGS, &old)
                .push(User::TAGS, tag(2, "new"))
                .push(User::NOTES, note(1, "of Ada"));
            let ada = repo.insert(draft).await?;
            assert_eq!(ada.posts()?.iter().filter(|post| post.user_id.as_ref() == Some(&ada.id)).count(), 2);
            same(repo, &ada, &["a", "b"]).await?;
            let stored = fresh(repo, &ada).await?;
            assert_eq!(stored.account()?.map(|account| account.text.as_str()), Some("first"));
            assert_eq!(
                (names(stored.groups()?), names(ada.groups()?)),
                (vec!["chess".into(), "go".into()], vec!["chess".into(), "go".into()])
            );
            assert_eq!((stored.tags()?.len(), stored.notes()?.len()), (2, 1));
            // A row, its members, and whom it belongs to, in one update.
            let first = ada.posts()?[0].change().set(Post::TITLE, "A").associate(Post::USER, &bob);
            repo.update(first).await?;
            same(repo, &bob, &["A"]).await?;
            same(repo, &fresh(repo, &ada).await?, &["b"]).await?;
            let change = fresh(repo, &ada).await?.change().set(User::NAME, "Ada L").push(User::POSTS, post(3, "c"));
            let ada = repo.update(change).await?;
            assert_eq!(ada.name, "Ada L");
            let second = stored.posts()?.iter().find(|post| post.title == "b").unwrap();
            let change = ada.change().edit(User::POSTS, second.change().set(Post::TITLE, "B"));
            let ada = repo.update(change).await?;
            same(repo, &fresh(repo, &ada).await?, &["B", "c"]).await?;
            // A post with a new owner.
            let alone = repo.insert(post(4, "d").associate(Post::USER, user(3, "Cyd"))).await?;
            let cyd = repo.one(Query::filter(User::NAME.eq("Cyd"))).await?.unwrap();
            assert_eq!((alone.user_id.as_ref(), cyd.posts_count), (Some(&cyd.id), 1));
            Ok((fresh(repo, &ada).await?, fresh(repo, &bob).await?))
        }

        async fn by_handles(repo: &Repo, mut ada: User, mut bob: User) -> Result<(User, User)> {
            let before = ada.updated_at;
            repo.association(&mut ada, User::POSTS).push(post(5, "e")).await?;
            same(repo, &ada, &["B", "c", "e"]).await?;
            assert!(fresh(repo, &ada).await?.updated_at > before, "touched");
            let mut posts = repo.association(&mut ada, User::POSTS);
            let e = posts.create(post(6, "f")).await?;
            assert_eq!(posts.find(e.id.clone()).await?, e);
            assert!(posts.contains(&e).await?);
            assert_eq!(posts.find_or_create_by(Post::TITLE.eq("f"), post(7, "f")).await?.id, e.id);
            assert_eq!(posts.find_or_create_by(Post::TITLE.eq("g"), post(7, "g")).await?.title, "g");
            let ids = posts.ids().await?;
            assert_eq!((ids.len(), posts.find_all(ids.clone()).await?.len()), (5, 5));
            posts.reset();
            assert_eq!(posts.find(e.id.clone()).await?.title, "f");
            posts.delete(&e).await?;
            same(repo, &ada, &["B", "c", "e", "g"]).await?;
            let mut posts = repo.association(&mut ada, User::POSTS);
            let g = posts.find_or_create_by(Post::TITLE.eq("g"), post(8, "g")).await?;
            posts.delete_ids([g.id.clone()]).await?;
            assert!(posts.find(g.id.clone()).await.is_err_and(|error| error.is_not_found()));
            posts.reload().await?;
            posts.set_ids([e.id.clone(), g.id.clone()]).await?;
            same(repo, &ada, &["f", "g"]).await?;
            // Another owner's is refused.
            let theirs = bob.posts()?[0].clone();
            assert!(repo.association(&mut ada, User::POSTS).delete(&theirs).await.is_err());
            assert!(repo.association(&mut ada, User::POSTS).set_ids([theirs.id.clone()]).await.is_err());
            repo.association(&mut ada, User::POSTS).push(&theirs).await?;
            same(repo, &ada, &["A", "f", "g"]).await?;
            bob = fresh(repo, &bob).await?;
            same(repo, &bob, &[]).await?;
            repo.association(&mut ada, User::POSTS).destroy_ids([g.id.clone()]).await?;
            assert!(repo.get::<Post>(g.id.clone(), Query::new()).await?.is_none());
            repo.association(&mut ada, User::POSTS).replace([post(9, "h"), post(10, "i")]).await?;
            same(repo, &ada, &["h", "i"]).await?;
            assert_eq!(repo.association(&mut bob, User::POSTS).delete_all().await?, 0);
            Ok((ada, bob))
        }

        async fn links(repo: &Repo, mut ada: User) -> Result<()> {
            let all = repo.all(Query::<Group>::order_by(Group::NAME.asc())).await?;
            let [chess, go] = &all[..] else { panic!("two groups") };
            let mut groups = repo.association(&mut ada, User::GROUPS);
            groups.push(group(3, "bridge")).await?;
            groups
                .push_with(chess, |membership: assoc_repo::Changeset<Membership>| membership.set(Membership::ROLE, 2))
                .await?;
            assert_eq!(groups.ids().await?.len(), 4);
            groups.set_ids([go.id.clone(), chess.id.clone()]).await?;
            assert_eq!(names(ada.groups()?), ["chess", "go"]);
            assert_eq!(names(fresh(repo, &ada).await?.groups()?), ["chess", "go"]);
            repo.association(&mut ada, User::GROUPS).delete(chess).await?;
            assert_eq!(names(fresh(repo, &ada).await?.groups()?), ["go"]);
            let mut tags = repo.association(&mut ada, User::TAGS);
            let third = tags.create(tag(3, "third")).await?;
            tags.set_ids([third.id.clone(), third.id.clone()]).await?;
            assert_eq!(ada.tags()?.len(), 2);
            let mut other = repo.get_or_fail::<Tag>(third.id.clone(), Query::preload(Tag::USERS)).await?;
            assert_eq!(other.users()?.len(), 2);
            repo.association(&mut other, Tag::USERS).clear().await?;
            assert_eq!(fresh(repo, &ada).await?.tags()?.len(), 0);
            ada = fresh(repo, &ada).await?;
            repo.association(&mut ada, User::TAGS).push([&third]).await
        }

        async fn single_targets(repo: &Repo, mut ada: User) -> Result<()> {
            let mut holder = repo.association(&mut ada, User::ACCOUNT);
            holder.set(account(2, "second")).await?;
            assert_eq!(repo.count(Query::<Account>::new()).await?, 1, "the first is deleted");
            holder.clear().await?;
            holder.create(account(3, "third")).await?;
            assert_eq!(fresh(repo, &ada).await?.account()?.map(|account| account.text.as_str()), Some("third"));
            let mut loose = repo.insert(note(2, "loose")).await?;
            repo.association(&mut loose, Note::SUBJECT).set(&ada).await?;
            assert_eq!((loose.subject_id.as_ref(), loose.subject_type.as_deref()), (Some(&ada.id), Some("User")));
            assert_eq!(fresh(repo, &ada).await?.notes()?.len(), 2);
            let first = ada.posts()?[0].clone();
            repo.association(&mut loose, Note::SUBJECT).set(&first).await?;
            assert_eq!((loose.subject_id.as_ref(), loose.subject_type.as_deref()), (Some(&first.id), Some("Post")));
            assert_eq!(fresh(repo, &ada).await?.notes()?.len(), 1);
            repo.association(&mut loose, Note::SUBJECT).clear().await?;
            assert_eq!((loose.subject_id.as_ref(), loose.subject_type.as_deref()), (None, None));
            repo.association(&mut ada, User::NOTES).push(&loose).await?;
            assert_eq!(fresh(repo, &ada).await?.notes()?.len(), 2);
            let mut first = first;
            repo.association(&mut first, Post::USER).clear().await?;
            repo.association(&mut first, Post::USER).set(&ada).await
        }

        async fn in_bulk(repo: &Repo, ada: &User) -> Result<()> {
            let again = User::build().set(User::ID, ada.id.clone()).set(User::NAME, "upserted");
            let upserted = repo.upsert(again, on_conflict(User::ID).update(User::NAME)).await;
            if crate::upserts(&repo, &upserted) {
                assert_eq!(repo.get_or_fail::<User>(ada.id.clone(), Query::new()).await?.name, "upserted");
                assert_eq!(upserted?.id, ada.id);
            }
            let new = repo.insert_all([post(11, "x"), post(12, "y"), post(13, "x")]).await?;
            assert_eq!(new.iter().map(|post| post.title.as_str()).collect::<Vec<_>>(), ["x", "y", "x"]);
            for post in &new {
                assert_eq!(repo.get_or_fail::<Post>(post.id.clone(), Query::new()).await?, *post);
            }
            let own = Query::filter(Post::ID.is_in(new.iter().map(|post| post.id.clone())));
            assert_eq!(repo.update_all(own.clone(), [Post::USER_ID.to(Some(ada.id.clone()))]).await?, 3);
            let wrong = repo.reset_counters(User::POSTS).await?;
            assert_eq!(wrong, 1, "counted anew");
            same(repo, &fresh(repo, ada).await?, &["h", "i", "x", "x", "y"]).await?;
            assert_eq!(repo.delete_all(own).await?, 3);
            assert_eq!(repo.reset_counters_of(User::POSTS, [ada.id.clone()]).await?, 1);
            let mut touched = repo.get_or_fail::<User>(ada.id.clone(), Query::new()).await?;
            let before = touched.updated_at;
            repo.touch(&mut touched).await?;
            assert!(touched.updated_at > before);
            same(repo, &fresh(repo, ada).await?, &["h", "i"]).await
        }

        async fn destroyed(repo: &Repo, ada: User, bob: &User) -> Result<()> {
            repo.insert(post(14, "of Bob").associate(Post::USER, bob)).await?;
            let preview = repo.preview_destroy(&ada).await?;
            let report = repo.destroy(&ada).await?;
            assert_eq!(report, preview);
            let count =
                |model: Option<&assoc_repo::DestroyedModel>| model.map(|of| (of.destroyed, of.deleted, of.nullified));
            assert_eq!(count(report.of::<Post>()), Some((0, 0, 2)));
            assert_eq!(count(report.of::<Account>()), Some((0, 1, 0)));
            assert_eq!(count(report.of::<Membership>()), Some((1, 0, 0)));
            assert_eq!(count(report.of::<Note>()), Some((0, 0, 2)));
            assert_eq!(
                repo.count(Query::filter(Note::SUBJECT_ID.is_null().and(Note::SUBJECT_TYPE.is_null()))).await?,
                2
            );
            assert!(repo.destroy(&ada).await.is_err_and(|error| error.is_not_found()));
            let links = repo.all(Query::<Tag>::preload(Tag::USERS)).await?;
            assert!(links.iter().all(|tag| tag.users().unwrap().is_empty()));
            same(repo, &fresh(repo, bob).await?, &["of Bob"]).await?;
            let report = repo.destroy_all(Query::<User>::new()).await?;
            assert_eq!(count(report.of::<User>()), Some((2, 0, 0)));
            assert_eq!(repo.count(Query::filter(Post::USER_ID.is_not_null())).await?, 0);
            Ok(())
        }
    };
}

keyed! {
    made_i32: i32, |number| { let _ = number; None };
    made_i64: i64, |number| { let _ = number; None };
    made_u32: u32, |number| { let _ = number; None };
    made_u64: u64, |number| { let _ = number; None };
    given_i16: i16, |number| Some(i16::from(number) - 7);
    given_u64: u64, |number| Some(u64::from(u32::MAX) * 4 + u64::from(number));
    text: String, |number| Some(format!("Ä key's \"{number}\""));
    uuid_key: uuid::Uuid, |number| Some(uuid(number));
    bytes: Vec<u8>, |number| Some(vec![0, number, 255]);
    date: chrono::NaiveDate, |number| Some(day(number));
    instant: chrono::DateTime<chrono::Utc>, |number| Some(day(number).and_hms_opt(1, 2, 3).unwrap().and_utc());
    decimal: rust_decimal::Decimal, |number| Some(rust_decimal::Decimal::new(i64::from(number) * 100 + 25, 2));
    number: Number, |number| Some(Number(u32::from(number)));
    code: Code, |number| Some(Code(format!("c{number}")));
}
