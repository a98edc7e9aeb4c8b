//! The rows, the same for everybody: one generator, one seed.

use crate::rows::{Comment, Post, Profile, Tag, User};

pub(crate) const USERS: i64 = 1_000;
pub(crate) const POSTS_A_USER: i64 = 10;
pub(crate) const COMMENTS_A_POST: i64 = 5;
pub(crate) const TAGS: i64 = 200;
pub(crate) const TAGS_A_POST: i64 = 3;

/// The page of users that W9 reads.
pub(crate) const PAGE: (i64, i64) = (501, 520);

/// How many rows W1 gets, one by one.
pub(crate) const GETS: usize = 10_000;

/// How the rows lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// One row in ten is missing, with all that belongs to it.
    pub(crate) gaps: bool,
    /// Rows that belong to others were inserted in a random order of their owners.
    pub(crate) scattered: bool,
}

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

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.below(last as i64 + 1) as usize);
        }
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

/// Those of a list of all tags that a new post has, by its number.
pub(crate) fn tags_beside<T: Clone>(tags: &[T], number: usize) -> Vec<T> {
    let mut own = Vec::with_capacity(TAGS_A_POST as usize);
    own.extend(tags_of(number).map(|tag| tags[tag].clone()));
    own
}

/// The keys W1 asks for.
pub(crate) fn keys(shape: Shape) -> Vec<i64> {
    let mut random = Random::new(0xCAFE);
    let users: Vec<i64> = (1..=USERS).filter(|id| !shape.is_missing(Table::Users, *id)).collect();
    (0..GETS).map(|_| users[random.below(users.len() as i64) as usize]).collect()
}

/// What the database is filled with.
pub(crate) struct Rows {
    pub(crate) users: Vec<User>,
    pub(crate) posts: Vec<Post>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) tags: Vec<Tag>,
    /// Of a post and a tag.
    pub(crate) links: Vec<(i64, i64)>,
    pub(crate) profiles: Vec<Profile>,
}

/// The tables whose rows may be missing.
#[derive(Clone, Copy)]
enum Table {
    Users = 1,
    Posts,
    Comments,
    Links,
    Profiles,
}

impl Shape {
    // Each row by itself, so that it does not matter which rows are asked about.
    fn is_missing(self, table: Table, id: i64) -> bool {
        let seed = (table as u64) << 40 | id.cast_unsigned();
        self.gaps && Random::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)).below(10) == 0
    }
}

/// The rows of all tables, by a shape.
pub(crate) fn rows(shape: Shape, new_users: &[NewUser]) -> Rows {
    let mut rows = dense(new_users);
    if shape.scattered {
        scatter(&mut rows);
    }
    if shape.gaps {
        leave_out(&mut rows, shape);
    }
    rows
}

// Every owner's rows stand together, and no key is missing.
fn dense(new_users: &[NewUser]) -> Rows {
    let mut random = Random::new(0xF00D);
    let tags = (1..=TAGS).map(|id| Tag { id, name: random.text(10) }).collect();
    let (mut users, mut posts, mut comments) = (Vec::new(), Vec::new(), Vec::new());
    let (mut links, mut profiles) = (Vec::new(), Vec::new());
    let (mut post_id, mut comment_id) = (0, 0);
    for (user_id, new) in (1_i64..).zip(new_users) {
        let (name, email) = (new.name.clone(), new.email.clone());
        users.push(User { id: user_id, name, email, age: new.age, created_at: new.created_at.clone() });
        profiles.push(Profile { id: user_id, user_id, bio: random.text(80) });
        for new in &new.posts {
            post_id += 1;
            let (title, body) = (new.title.clone(), new.body.clone());
            posts.push(Post { id: post_id, user_id, title, body, published: new.published });
            let first = random.below(TAGS);
            links.extend((0..TAGS_A_POST).map(|step| (post_id, 1 + (first + step * 61) % TAGS)));
            for _ in 0..COMMENTS_A_POST {
                comment_id += 1;
                let author_id = 1 + random.below(USERS);
                comments.push(Comment { id: comment_id, post_id, author_id, body: random.text(60) });
            }
        }
    }
    Rows { users, posts, comments, tags, links, profiles }
}

fn scatter(rows: &mut Rows) {
    let mut random = Random::new(0x5CA7);
    random.shuffle(&mut rows.posts);
    let mut new_ids = vec![0; rows.posts.len() + 1];
    for (id, post) in (1_i64..).zip(&mut rows.posts) {
        new_ids[post.id as usize] = id;
        post.id = id;
    }
    random.shuffle(&mut rows.comments);
    for (id, comment) in (1_i64..).zip(&mut rows.comments) {
        comment.id = id;
        comment.post_id = new_ids[comment.post_id as usize];
    }
    random.shuffle(&mut rows.links);
    rows.links.iter_mut().for_each(|link| link.0 = new_ids[link.0 as usize]);
    random.shuffle(&mut rows.profiles);
    (1_i64..).zip(&mut rows.profiles).for_each(|(id, profile)| profile.id = id);
}

fn leave_out(rows: &mut Rows, shape: Shape) {
    let is_there = |table, id| !shape.is_missing(table, id);
    rows.users.retain(|user| is_there(Table::Users, user.id));
    rows.posts.retain(|post| is_there(Table::Users, post.user_id) && is_there(Table::Posts, post.id));
    let posts: std::collections::HashSet<i64> = rows.posts.iter().map(|post| post.id).collect();
    rows.comments.retain(|own| posts.contains(&own.post_id) && is_there(Table::Comments, own.id));
    let number = |(post, tag): &(i64, i64)| post * TAGS + tag;
    rows.links.retain(|link| posts.contains(&link.0) && is_there(Table::Links, number(link)));
    rows.profiles.retain(|own| is_there(Table::Users, own.user_id) && is_there(Table::Profiles, own.id));
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
