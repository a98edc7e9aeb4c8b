//! Rows as structs of the columns that the workloads read, for peers that have no associations, and what these peers do with such
//! rows in memory.

use std::collections::HashMap;

#[cfg(feature = "diesel")]
use diesel::prelude::{Associations, Identifiable, Queryable, Selectable};

#[cfg(feature = "diesel")]
use crate::by_diesel::{comments, posts, profiles, tags, users};
use crate::data::{NewUser, sum};

#[derive(Clone)]
#[cfg_attr(feature = "diesel", derive(Queryable, Selectable, Identifiable), diesel(table_name = users))]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) age: i64,
    pub(crate) created_at: String,
}

#[cfg_attr(
    feature = "diesel",
    derive(Queryable, Selectable, Identifiable, Associations),
    diesel(table_name = posts, belongs_to(User))
)]
pub(crate) struct Post {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) published: bool,
}

#[cfg_attr(
    feature = "diesel",
    derive(Queryable, Selectable, Identifiable, Associations),
    diesel(table_name = comments, belongs_to(Post))
)]
pub(crate) struct Comment {
    pub(crate) id: i64,
    pub(crate) post_id: i64,
    pub(crate) author_id: i64,
    pub(crate) body: String,
}

#[derive(Clone)]
#[cfg_attr(feature = "diesel", derive(Queryable, Selectable, Identifiable), diesel(table_name = tags))]
pub(crate) struct Tag {
    pub(crate) id: i64,
    pub(crate) name: String,
}

#[cfg_attr(feature = "diesel", derive(Queryable, Selectable, Identifiable), diesel(table_name = profiles))]
pub(crate) struct Profile {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) bio: String,
}

/// What a row adds to a checksum.
pub(crate) trait Summed {
    fn id(&self) -> i64;

    fn sum(&self, owner: i64) -> u64;
}

impl Summed for User {
    fn id(&self) -> i64 {
        self.id
    }

    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id, self.age], &[&self.name, &self.email, &self.created_at])
    }
}

impl Summed for Post {
    fn id(&self) -> i64 {
        self.id
    }

    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id, self.user_id, self.published.into()], &[&self.title, &self.body])
    }
}

impl Summed for Comment {
    fn id(&self) -> i64 {
        self.id
    }

    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id, self.post_id, self.author_id], &[&self.body])
    }
}

impl Summed for Tag {
    fn id(&self) -> i64 {
        self.id
    }

    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id], &[&self.name])
    }
}

impl Summed for Profile {
    fn id(&self) -> i64 {
        self.id
    }

    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id, self.user_id], &[&self.bio])
    }
}

/// A row that came beside what tells its owner.
impl<B, R: Summed> Summed for (B, R) {
    fn id(&self) -> i64 {
        self.1.id()
    }

    fn sum(&self, owner: i64) -> u64 {
        self.1.sum(owner)
    }
}

/// The checksum of owners and what they own, or 0 where no check is asked for.
pub(crate) fn total<'a, O, C, R>(owned: &'a [(O, C)], check: bool) -> u64
where
    O: Summed,
    &'a C: IntoIterator<Item = &'a R>,
    R: Summed + 'a,
{
    let rows = owned.iter().filter(|_| check);
    rows.fold(0, |total, (owner, own)| {
        own.into_iter().fold(total.wrapping_add(owner.sum(0)), |total, row| total.wrapping_add(row.sum(owner.id())))
    })
}

pub(crate) type Graph<U = User, P = Post, C = Comment> = Vec<(U, Vec<(P, Vec<C>)>)>;

/// The same for users, their posts and their comments.
pub(crate) fn total_of_graph<U: Summed, P: Summed, C: Summed>(graph: &Graph<U, P, C>, check: bool) -> u64 {
    let mut total = 0_u64;
    for (user, posts) in graph.iter().filter(|_| check) {
        total = total.wrapping_add(user.sum(0));
        for (post, comments) in posts {
            total = total.wrapping_add(post.sum(user.id()));
            total = comments.iter().fold(total, |total, comment| total.wrapping_add(comment.sum(post.id())));
        }
    }
    total
}

/// The tags that links lead to, each once.
pub(crate) fn tags_of(links: &[(i64, i64)]) -> Vec<i64> {
    let mut keys: Vec<i64> = links.iter().map(|link| link.1).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Each post with its tags, by links in the order of the posts' keys.
pub(crate) fn by_links(posts: Vec<Post>, links: Vec<(i64, i64)>, tags: Vec<Tag>) -> Vec<(Post, Vec<Tag>)> {
    let tags: HashMap<i64, Tag, Multiply> = tags.into_iter().map(|tag| (tag.id, tag)).collect();
    let mut links = links.into_iter().peekable();
    let with_tags = |post: Post| {
        let mut own = Vec::with_capacity(3);
        while let Some((_, tag)) = links.next_if(|link| link.0 == post.id) {
            own.extend(tags.get(&tag).cloned());
        }
        (post, own)
    };
    posts.into_iter().map(with_tags).collect()
}

/// Children in the order of the owners' keys. So are the owners, or they are found by their keys.
pub(crate) fn merge<O, C>(
    owners: Vec<O>,
    children: Vec<C>,
    expected: usize,
    key: fn(&O) -> i64,
    foreign_key: fn(&C) -> i64,
) -> Vec<(O, Vec<C>)> {
    if !owners.is_sorted_by_key(key) {
        return group(owners, children, expected, key, foreign_key);
    }
    let mut children = children.into_iter().peekable();
    let mut merged = Vec::with_capacity(owners.len());
    for owner in owners {
        let mut own = Vec::with_capacity(expected);
        while let Some(child) = children.next_if(|child| foreign_key(child) == key(&owner)) {
            own.push(child);
        }
        merged.push((owner, own));
    }
    merged
}

/// Each owner with its rows, which come in any order.
pub(crate) fn group<O, C>(
    owners: Vec<O>,
    children: Vec<C>,
    expected: usize,
    key: fn(&O) -> i64,
    foreign_key: fn(&C) -> i64,
) -> Vec<(O, Vec<C>)> {
    let places: HashMap<i64, usize, Multiply> =
        owners.iter().enumerate().map(|(place, owner)| (key(owner), place)).collect();
    let mut owned: Vec<(O, Vec<C>)> = owners.into_iter().map(|owner| (owner, Vec::with_capacity(expected))).collect();
    for child in children {
        if let Some(place) = places.get(&foreign_key(&child)) {
            owned[*place].1.push(child);
        }
    }
    owned
}

/// The graph with the keys that the database made: each user with the posts, and each post with what it has beside.
pub(crate) fn saved<T>(
    new: &[NewUser],
    ids: &[i64],
    posts: &[i64],
    beside: impl Fn(usize) -> T,
) -> Vec<(User, Vec<(Post, T)>)> {
    let mut graph = Vec::with_capacity(new.len());
    let mut keys = posts.iter().copied().enumerate();
    for (new, user_id) in new.iter().zip(ids.iter().copied()) {
        let user = User {
            id: user_id,
            name: new.name.clone(),
            email: new.email.clone(),
            age: new.age,
            created_at: new.created_at.clone(),
        };
        let mut own = Vec::with_capacity(new.posts.len());
        own.extend(new.posts.iter().zip(&mut keys).map(|(new, (number, id))| {
            let (title, body) = (new.title.clone(), new.body.clone());
            (Post { id, user_id, title, body, published: new.published }, beside(number))
        }));
        graph.push((user, own));
    }
    graph
}

/// The hash one would write for integer keys.
#[derive(Default, Clone, Copy)]
pub(crate) struct Multiply;

impl std::hash::BuildHasher for Multiply {
    type Hasher = MultiplyHasher;

    fn build_hasher(&self) -> MultiplyHasher {
        MultiplyHasher(0)
    }
}

pub(crate) struct MultiplyHasher(u64);

impl std::hash::Hasher for MultiplyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number.cast_unsigned());
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }
}
