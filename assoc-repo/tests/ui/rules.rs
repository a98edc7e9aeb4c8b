// Rules of columns of other types, and functions that are none of rules.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
#[model(rules = Self::rules)]
struct User {
    id: i64,
    name: String,
    age: Option<u8>,
    active: bool,
    #[has_many]
    posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
#[model(rules = User::rules)]
struct Post {
    id: i64,
    user_id: i64,
    title: String,
}

#[derive(Model, Debug, Clone)]
#[model(rules = Self::rulez)]
struct Tag {
    id: i64,
}

impl User {
    fn rules(rules: Rules<User>) -> Rules<User> {
        // Right.
        let rules = rules.length(User::NAME, 1..=80).range(User::AGE, 18..).odd(User::ID).accepted(User::ACTIVE);
        // A number has no length.
        let rules = rules.length(User::AGE, 1..);
        // Text has no range.
        let rules = rules.range(User::NAME, 1..);
        // The ends of a range are of another type.
        let rules = rules.range(User::AGE, "a".."z");
        // Text is no integer.
        let rules = rules.odd(User::NAME);
        // Text is not accepted.
        let rules = rules.accepted(User::NAME);
        // Another model's column.
        let rules = rules.required(Post::TITLE);
        // A value of another type.
        let rules = rules.inclusion(User::NAME, [1, 2]);
        rules.members(User::POSTS, ..5)
    }
}

fn main() {}
