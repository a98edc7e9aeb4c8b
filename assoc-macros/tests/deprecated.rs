//! What is deprecated about a model is for those who use it, and not for what the derives write.
#![deny(warnings)]
#![allow(missing_docs)]

use assoc_core::{BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, Model};
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Debug, Clone, PartialEq)]
pub struct User {
    pub id: i64,
    #[deprecated(since = "2.0.0", note = "read `articles`")]
    #[has_many(inverse_of = "user")]
    pub posts: HasMany<Post>,
    #[deprecated]
    #[has_one(readonly, order = Post::ID.desc())]
    pub last_post: HasOne<Option<Post>>,
    #[deprecated = "nobody counts them"]
    #[has_many(through = "posts", source = "remarks")]
    pub remarks: HasManyThrough<Remark>,
    #[has_many(as = "subject", primary_key = "id")]
    pub remarks_about: HasMany<Remark>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub origin: assoc_core::RowOrigin,
    #[deprecated]
    #[belongs_to(inverse_of = "posts")]
    pub user: BelongsTo<User>,
    #[deprecated]
    #[has_many(as = "subject", inverse_of = "subject")]
    pub remarks: HasMany<Remark>,
    #[deprecated]
    #[has_and_belongs_to_many]
    pub tags: HasAndBelongsToMany<Tag, Tagging>,
    #[deprecated]
    #[model(skip)]
    pub draft: bool,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Remark {
    pub id: i64,
    pub subject_id: i64,
    pub subject_type: String,
    #[deprecated]
    #[belongs_to(polymorphic, unknown_type = "not_loaded")]
    pub subject: BelongsTo<Option<Subject>>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Subject {
    Post(Post),
    User(User),
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Tag {
    pub id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts_tags")]
pub struct Tagging {
    pub post_id: i64,
    pub tag_id: i64,
}

// Names that come out of another macro are no derive's own.
macro_rules! row {
    ($name:ident, $association:ident: $holder:ty) => {
        #[derive(Model, Debug, Clone, PartialEq)]
        pub struct $name {
            pub id: i64,
            #[deprecated]
            #[has_many(foreign_key = "user_id", inverse_of = false)]
            pub $association: $holder,
        }
    };
}

row!(Account, entries: HasMany<Post>);

#[test]
#[allow(deprecated)]
fn they_are_associations_as_ever() {
    let names: Vec<_> = User::DEF.associations.iter().map(|association| association.name).collect();
    assert_eq!(names, ["posts", "last_post", "remarks", "remarks_about"]);
    assert_eq!(User::POSTS.def().inverse().unwrap(), Some(Post::USER.def()));
    let user = User::from_values(&mut [1.into()]).unwrap();
    assert!(user.posts().is_err() && !user.posts.is_loaded());
}
