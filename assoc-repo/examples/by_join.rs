//! Loading by key beside loading by a join, the whole way beside part by part, and a tree level by level beside a recursive
//! statement, on SQLite:
//! `cargo run --release -p assoc-repo --example by_join`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;

#[derive(Model, Debug, Clone, PartialEq)]
struct User {
    id: i64,
    name: String,
    bio: String,
    #[has_many]
    posts: HasMany<Post>,
    #[has_many]
    badges: HasMany<Badge>,
    #[has_many(through = "posts", source = "remarks", scope = approved)]
    approved_remarks: HasManyThrough<Remark>,
    #[has_many(through = "posts", source = "labels", scope = rare)]
    rare_labels: HasManyThrough<Label>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Post {
    id: i64,
    user_id: i64,
    title: String,
    #[belongs_to]
    user: BelongsTo<User>,
    #[has_many]
    remarks: HasMany<Remark>,
    #[has_and_belongs_to_many(join_table = "labels_posts")]
    labels: HasAndBelongsToMany<Label>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Remark {
    id: i64,
    post_id: i64,
    text: String,
    approved: bool,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Label {
    id: i64,
    name: String,
    rare: bool,
}

fn approved(remarks: Scope<Remark>) -> Scope<Remark> {
    remarks.filter(Remark::APPROVED.eq(true))
}

fn rare(labels: Scope<Label>) -> Scope<Label> {
    labels.filter(Label::RARE.eq(true))
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Badge {
    id: i64,
    user_id: i64,
    name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "folders")]
struct Folder {
    id: i64,
    parent_id: Option<i64>,
    name: String,
    #[has_many(foreign_key = "parent_id")]
    children: HasMany<Folder>,
}

const USERS: i64 = 1_000;
const POSTS: i64 = 10;
const BADGES: i64 = 3;
const REMARKS: i64 = 5;
const LABELS: i64 = 200;
// A folder has so many below it, so many levels deep.
const CHILDREN: i64 = 5;
const LEVELS: usize = 5;
const ROUNDS: usize = 21;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

async fn compare(
    what: [&str; 2],
    mut one: impl AsyncFnMut() -> Result<usize>,
    mut other: impl AsyncFnMut() -> Result<usize>,
) -> Result<()> {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let rows = one().await?;
        ones.push(start.elapsed());
        let start = Instant::now();
        let same = other().await?;
        others.push(start.elapsed());
        if rows != same {
            return Err(Error::other(format!("{rows} rows and {same} rows")));
        }
    }
    let (one, other) = (median(ones), median(others));
    println!("{:<44} {one:>10.2?}", what[0]);
    println!("{:<44} {other:>10.2?}   1 : {:.2}\n", what[1], other.as_secs_f64() / one.as_secs_f64());
    Ok(())
}

// A tree from its rows in any order, for the statement that returns all of it at once.
fn tree(rows: Vec<Folder>) -> Vec<Folder> {
    let mut below: HashMap<Option<i64>, Vec<Folder>> = HashMap::new();
    for row in rows.into_iter().rev() {
        let id = row.id;
        let mut row = row;
        row.children = HasMany::from(below.remove(&Some(id)).unwrap_or_default());
        below.entry(row.parent_id).or_default().insert(0, row);
    }
    below.remove(&None).unwrap_or_default()
}

fn count(folders: &[Folder]) -> usize {
    folders.iter().map(|folder| 1 + folder.children.loaded().map_or(0, count)).sum()
}

fn main() -> Result<()> {
    pollster::block_on(async {
        let repo = Repo::new(Sqlite::memory()?);
        repo.create_table::<User>().await?;
        repo.create_table::<Post>().await?;
        repo.create_table::<Badge>().await?;
        repo.create_table::<Folder>().await?;
        repo.create_table::<Remark>().await?;
        repo.create_table::<Label>().await?;
        repo.execute_raw("CREATE TABLE labels_posts (label_id INTEGER, post_id INTEGER)", []).await?;
        repo.execute_raw("CREATE INDEX labels_of_post ON labels_posts (post_id, label_id)", []).await?;
        repo.execute_raw("CREATE INDEX posts_of_label ON labels_posts (label_id, post_id)", []).await?;
        repo.execute_raw("CREATE INDEX badges_by_user ON badges (user_id)", []).await?;
        repo.execute_raw("CREATE INDEX folders_by_parent ON folders (parent_id)", []).await?;
        let text = |n: i64, width: usize| format!("{n:0width$}");
        repo.transaction(async |tx| {
            tx.insert_all((0..USERS).map(|n| User::build().set(User::NAME, text(n, 20)).set(User::BIO, text(n, 80))))
                .await?;
            let posts = (0..USERS * POSTS)
                .map(|n| Post::build().set(Post::USER_ID, n % USERS + 1).set(Post::TITLE, text(n, 40)));
            tx.insert_all(posts).await?;
            let badges = (0..USERS * BADGES)
                .map(|n| Badge::build().set(Badge::USER_ID, n % USERS + 1).set(Badge::NAME, text(n, 10)));
            tx.insert_all(badges).await?;
            let remarks = (0..USERS * POSTS * REMARKS).map(|n| {
                Remark::build()
                    .set(Remark::POST_ID, n % (USERS * POSTS) + 1)
                    .set(Remark::TEXT, text(n, 40))
                    .set(Remark::APPROVED, n % 2 == 0)
            });
            tx.insert_all(remarks).await?;
            // One label in ten is rare.
            let labels =
                (0..LABELS).map(|n| Label::build().set(Label::NAME, text(n, 10)).set(Label::RARE, n % 10 == 0));
            tx.insert_all(labels).await?;
            let links = "INSERT INTO labels_posts WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n \
                         WHERE n < ? * 3 - 1) SELECT n * 7 % ? + 1, n / 3 + 1 FROM n";
            tx.execute_raw(links, [Value::Int(USERS * POSTS), Value::Int(LABELS)]).await?;
            let mut parents = vec![None];
            let mut next = 1;
            for _ in 0..LEVELS {
                let mut level = Vec::new();
                for parent in parents {
                    for _ in 0..CHILDREN {
                        let folder = Folder::build().set(Folder::PARENT_ID, parent).set(Folder::NAME, text(next, 12));
                        tx.insert(folder).await?;
                        level.push(Some(next));
                        next += 1;
                    }
                }
                parents = level;
            }
            Ok::<_, Error>(())
        })
        .await?;
        let posts = |users: &[User]| users.iter().map(|user| user.posts.loaded().map_or(0, <[_]>::len)).sum::<usize>();

        let all = || Query::<User>::order_by(User::ID.asc());
        // Where models may be in several databases, no statement joins two of them.
        let by_parts = repo.with_database_for(&repo, |_| false);
        let approved = |users: &[User]| users.iter().map(|user| user.approved_remarks().map_or(0, <[_]>::len)).sum();
        compare(
            ["their approved remarks, the whole way", "the same, part by part"],
            async || Ok(approved(&repo.all(all().preload(User::APPROVED_REMARKS)).await?)),
            async || Ok(approved(&by_parts.all(all().preload(User::APPROVED_REMARKS)).await?)),
        )
        .await?;
        let rare = |users: &[User]| users.iter().map(|user| user.rare_labels().map_or(0, <[_]>::len)).sum();
        compare(
            ["their rare labels, the whole way", "the same, part by part"],
            async || Ok(rare(&repo.all(all().preload(User::RARE_LABELS)).await?)),
            async || Ok(rare(&by_parts.all(all().preload(User::RARE_LABELS)).await?)),
        )
        .await?;
        compare(
            ["1,000 users with 10 posts each, by key", "the same, by a join"],
            async || Ok(posts(&repo.all(all().preload(User::POSTS)).await?)),
            async || Ok(posts(&repo.all(all().eager_load(User::POSTS)).await?)),
        )
        .await?;
        compare(
            ["with 3 badges each as well, by key", "the same, by a join"],
            async || Ok(posts(&repo.all(all().preload((User::POSTS, User::BADGES))).await?)),
            async || Ok(posts(&repo.all(all().eager_load((User::POSTS, User::BADGES))).await?)),
        )
        .await?;
        let with_user = || Query::<Post>::order_by(Post::ID.asc());
        compare(
            ["10,000 posts with their user, by key", "the same, by a join"],
            async || Ok(repo.all(with_user().preload(Post::USER)).await?.len()),
            async || Ok(repo.all(with_user().eager_load(Post::USER)).await?.len()),
        )
        .await?;
        let recursive = "WITH RECURSIVE below(id) AS (SELECT id FROM folders WHERE parent_id IS NULL \
            UNION ALL SELECT folders.id FROM folders JOIN below ON folders.parent_id = below.id) \
            SELECT folders.id, folders.parent_id, folders.name FROM folders JOIN below USING (id) ORDER BY folders.id";
        let roots = || Query::filter(Folder::PARENT_ID.is_null()).order_by(Folder::ID.asc());
        compare(
            ["a tree of 3,905 folders, level by level", "the same, by a recursive statement"],
            async || Ok(count(&repo.all(roots().preload(Folder::CHILDREN.recursive(LEVELS - 1))).await?)),
            async || Ok(count(&tree(repo.query_raw::<Folder>(recursive, []).await?))),
        )
        .await
    })
}
