//! The schema and the rows, the same for everybody: one generator, one seed.

use rusqlite::{Connection, params};

use crate::Outcome;

pub(crate) const USERS: i64 = 1_000;
pub(crate) const POSTS_A_USER: i64 = 10;
pub(crate) const COMMENTS_A_POST: i64 = 5;
pub(crate) const TAGS: i64 = 200;
pub(crate) const TAGS_A_POST: i64 = 3;

/// The page of users that W9 reads.
pub(crate) const PAGE: (i64, i64) = (501, 520);

/// How many rows W1 gets, one by one.
pub(crate) const GETS: usize = 10_000;

const SCHEMA: &str = "
    CREATE TABLE users (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, age INTEGER NOT NULL, created_at TEXT NOT NULL
    );
    CREATE TABLE posts (
        id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
        published INTEGER NOT NULL
    );
    CREATE INDEX posts_user_id ON posts (user_id);
    CREATE TABLE comments (
        id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL, author_id INTEGER NOT NULL, body TEXT NOT NULL
    );
    CREATE INDEX comments_post_id ON comments (post_id);
    CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE posts_tags (post_id INTEGER NOT NULL, tag_id INTEGER NOT NULL);
    CREATE INDEX posts_tags_post_id ON posts_tags (post_id, tag_id);
    CREATE INDEX posts_tags_tag_id ON posts_tags (tag_id);
    CREATE TABLE profiles (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL UNIQUE, bio TEXT NOT NULL);
";

/// xorshift64*: enough for data, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, end: i64) -> i64 {
        (self.next() % end.unsigned_abs()).cast_signed()
    }

    /// Words of about `length` letters in all.
    fn text(&mut self, length: usize) -> String {
        let length = length - length / 5 + self.below((length as i64 / 5 * 2).max(1)) as usize;
        let mut text = String::with_capacity(length);
        while text.len() < length {
            text.push(match self.below(7) {
                0 if !text.is_empty() => ' ',
                _ => char::from(b'a' + self.below(26) as u8),
            });
        }
        text
    }
}

/// A user that is not stored yet.
pub(crate) struct NewUser {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) age: i64,
    pub(crate) created_at: String,
    pub(crate) posts: Vec<NewPost>,
}

pub(crate) struct NewPost {
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) published: bool,
}

/// What W8 inserts, and what the users and posts of the database are.
pub(crate) fn new_users() -> Vec<NewUser> {
    let mut random = Random::new(0x5EED);
    (1..=USERS)
        .map(|user| NewUser {
            name: random.text(14),
            email: format!("{}{user}@example.org", random.text(8).replace(' ', ".")),
            age: 18 + random.below(60),
            created_at: format!("2026-{:02}-{:02}T12:00:00Z", 1 + random.below(12), 1 + random.below(28)),
            posts: (0..POSTS_A_USER)
                .map(|_| NewPost { title: random.text(24), body: random.text(120), published: random.below(3) > 0 })
                .collect(),
        })
        .collect()
}

/// The tags that W11 links new posts to.
pub(crate) fn tags() -> Vec<(i64, String)> {
    let mut random = Random::new(0x7A65);
    (1..=TAGS).map(|id| (id, random.text(10))).collect()
}

/// Which of them a new post has, by the posts' numbers.
pub(crate) fn tags_of(post: usize) -> impl Iterator<Item = usize> {
    (0..TAGS_A_POST as usize).map(move |step| (post * 7 + step * 61) % TAGS as usize)
}

/// Stores these tags.
pub(crate) fn fill_tags(conn: &Connection) -> Outcome<()> {
    let mut insert = conn.prepare("INSERT INTO tags VALUES (?, ?)")?;
    for (id, name) in tags() {
        insert.execute(params![id, name])?;
    }
    Ok(())
}

/// The keys W1 asks for.
pub(crate) fn keys() -> Vec<i64> {
    let mut random = Random::new(0xCAFE);
    (0..GETS).map(|_| 1 + random.below(USERS)).collect()
}

/// An empty database.
pub(crate) fn create(path: &std::path::Path) -> Outcome<Connection> {
    let conn = Connection::open(path)?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.execute_batch(SCHEMA)?;
    Ok(conn)
}

/// Fills the database.
pub(crate) fn fill(conn: &mut Connection, users: &[NewUser]) -> Outcome<()> {
    let mut random = Random::new(0xF00D);
    let tx = conn.transaction()?;
    {
        let mut user = tx.prepare("INSERT INTO users VALUES (?, ?, ?, ?, ?)")?;
        let mut post = tx.prepare("INSERT INTO posts VALUES (?, ?, ?, ?, ?)")?;
        let mut comment = tx.prepare("INSERT INTO comments VALUES (?, ?, ?, ?)")?;
        let mut tag = tx.prepare("INSERT INTO tags VALUES (?, ?)")?;
        let mut link = tx.prepare("INSERT INTO posts_tags VALUES (?, ?)")?;
        let mut profile = tx.prepare("INSERT INTO profiles VALUES (?, ?, ?)")?;
        for id in 1..=TAGS {
            tag.execute(params![id, random.text(10)])?;
        }
        let (mut post_id, mut comment_id) = (0, 0);
        for (user_id, new) in (1_i64..).zip(users) {
            user.execute(params![user_id, new.name, new.email, new.age, new.created_at])?;
            profile.execute(params![user_id, user_id, random.text(80)])?;
            for new in &new.posts {
                post_id += 1;
                post.execute(params![post_id, user_id, new.title, new.body, new.published])?;
                let first = random.below(TAGS);
                for step in 0..TAGS_A_POST {
                    link.execute([post_id, 1 + (first + step * 61) % TAGS])?;
                }
                for _ in 0..COMMENTS_A_POST {
                    comment_id += 1;
                    comment.execute(params![comment_id, post_id, 1 + random.below(USERS), random.text(60)])?;
                }
            }
        }
    }
    tx.commit()?;
    conn.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// What one row adds to a checksum: whose it is and what is in it. Order does not matter, ownership does.
pub(crate) fn sum(owner: i64, numbers: &[i64], texts: &[&str]) -> u64 {
    let mut state = owner.cast_unsigned() ^ 0x9E37_79B9_7F4A_7C15;
    let mut mix = |word: u64| state = (state ^ word).wrapping_mul(0x2545_F491_4F6C_DD1D).rotate_left(23);
    numbers.iter().for_each(|number| mix(number.cast_unsigned()));
    for text in texts {
        mix(text.len() as u64);
        text.bytes().for_each(|byte| mix(byte.into()));
    }
    state
}
