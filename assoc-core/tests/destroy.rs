//! What a destroy leads to, as a plan: which edges kinds have, what is read, in which order tables lose their rows, and
//! which declarations do not hold together.
#![allow(clippy::unwrap_used, clippy::panic)] // The helpers of tests count as production code.
#![allow(dead_code)] // Fields that no test reads.

use assoc_core::destroy::{DestroyPlan, Effect, Reading};
use assoc_core::{BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, Model, RestrictRule, Scope};
use assoc_macros::Model;

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
    #[has_many(dependent = "destroy")]
    posts: HasMany<Post>,
    #[has_many(dependent = "restrict_with_exception")]
    invoices: HasMany<Invoice>,
    #[has_one(dependent = "nullify")]
    invoice: HasOne<Option<Invoice>>,
    #[has_many(dependent = "database")]
    logins: HasMany<Invoice>,
    #[has_and_belongs_to_many]
    tags: HasAndBelongsToMany<Tag>,
}

#[derive(Model, Debug, Clone)]
struct Post {
    id: i64,
    user_id: i64,
    #[has_many(dependent = "delete")]
    comments: HasMany<Comment>,
}

#[derive(Model, Debug, Clone)]
struct Comment {
    id: i64,
    post_id: i64,
}

#[derive(Model, Debug, Clone)]
struct Invoice {
    id: i64,
    user_id: Option<i64>,
}

#[derive(Model, Debug, Clone)]
struct Tag {
    id: i64,
}

#[derive(Model, Debug, Clone)]
struct Category {
    id: i64,
    parent_id: Option<i64>,
    #[has_many(foreign_key = "parent_id", dependent = "destroy")]
    children: HasMany<Category>,
    #[has_many(dependent = "delete")]
    entries: HasMany<Entry>,
}

// Rows that refer to each other.
#[derive(Model, Debug, Clone)]
struct Entry {
    id: i64,
    category_id: i64,
    see_id: Option<i64>,
    #[belongs_to]
    see: BelongsTo<Option<Entry>>,
}

fn plan<M: Model>() -> Result<DestroyPlan, assoc_core::Error> {
    DestroyPlan::new(M::DEF, Reading::Needed, None)
}

fn message<M: Model>() -> String {
    plan::<M>().unwrap_err().to_string()
}

#[test]
fn each_kind_says_what_depends() {
    let plan = plan::<User>().unwrap();
    let effects: Vec<(&str, &str)> = plan
        .edges()
        .iter()
        .map(|edge| {
            let effect = match &edge.effect {
                Effect::Restrict(RestrictRule::WithException) => "restrict",
                Effect::Restrict(_) => "other",
                Effect::Clear { .. } => "clear",
                Effect::Remove { node } if plan.nodes()[*node].cascades => "destroy",
                Effect::Remove { .. } => "delete",
            };
            (edge.association.name, effect)
        })
        .collect();
    let expected = [
        ("posts", "destroy"),
        ("invoices", "restrict"),
        ("invoice", "clear"),
        ("tags", "delete"),
        ("comments", "delete"),
    ];
    assert_eq!(effects, expected);
    assert!(!plan.reads_root(), "the struct has the key");
}

#[test]
fn only_what_something_hangs_on_is_read() {
    let read = |plan: &DestroyPlan| -> Vec<(&str, bool)> {
        plan.nodes().iter().map(|node| (node.model.name, node.read)).collect()
    };
    let users = plan::<User>().unwrap();
    assert_eq!(read(&users), [("User", true), ("Post", true), ("tags_users", false), ("Comment", false)]);
    let all = DestroyPlan::new(User::DEF, Reading::All, None).unwrap();
    assert_eq!(read(&all), [("User", true), ("Post", true), ("tags_users", false), ("Comment", true)]);
    // Which entry refers to which has to be known.
    let categories = plan::<Category>().unwrap();
    assert_eq!(read(&categories), [("Category", true), ("Entry", true)]);
}

#[test]
fn tables_lose_their_rows_in_the_order_of_their_keys() {
    let order = |plan: &DestroyPlan| -> Vec<(&str, bool)> {
        let of = |stage: &assoc_core::destroy::Stage| (plan.nodes()[stage.nodes[0]].model.name, stage.in_waves);
        plan.stages().iter().map(of).collect()
    };
    let users = plan::<User>().unwrap();
    assert_eq!(order(&users), [("Comment", false), ("tags_users", false), ("Post", false), ("User", false)]);
    let categories = plan::<Category>().unwrap();
    assert_eq!(order(&categories), [("Entry", true), ("Category", true)]);
}

#[derive(Model, Debug, Clone)]
struct Limiting {
    id: i64,
    #[has_many(foreign_key = "user_id", scope = few, dependent = "destroy")]
    posts: HasMany<Post>,
}

fn few(posts: Scope<Post>) -> Scope<Post> {
    posts.limit(3)
}

#[derive(Model, Debug, Clone)]
struct Nested {
    id: i64,
    #[has_many(foreign_key = "user_id")]
    posts: HasMany<Post>,
    #[has_many(through = "posts", source = "comments", dependent = "destroy")]
    comments: HasManyThrough<Comment>,
}

#[derive(Model, Debug, Clone)]
#[model(primary_key = "house, id")]
struct Sharing {
    house: i64,
    id: i64,
    #[has_many(foreign_key = "house, owner_id", dependent = "nullify")]
    rooms: HasMany<Room>,
}

#[derive(Model, Debug, Clone)]
#[model(primary_key = "house, id")]
struct Room {
    house: i64,
    id: i64,
    owner_id: Option<i64>,
    #[belongs_to(foreign_key = "owner_id")]
    owner: BelongsTo<Option<User>>,
}

#[derive(Model, Debug, Clone)]
struct Keyless {
    id: i64,
    #[has_many(dependent = "destroy")]
    leaves: HasMany<Leaf>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "leaves")]
struct Leaf {
    keyless_id: i64,
    code: i64,
    #[has_many(primary_key = "code", dependent = "delete")]
    veins: HasMany<Vein>,
}

#[derive(Model, Debug, Clone)]
struct Vein {
    id: i64,
    leaf_id: i64,
}

#[test]
fn declarations_that_do_not_hold_together_are_errors() {
    assert_eq!(
        message::<Limiting>(),
        "Limiting: the association `Limiting.posts` has `dependent = \"destroy\"`, and `Limiting.posts` has a limit or an \
         offset: what depends on a row is all that its key and conditions lead to; declare another association without it, \
         and `dependent` there"
    );
    assert!(message::<Nested>().contains("no single row links a target to its owner: its source is `Post.comments`"));
    assert_eq!(
        message::<Sharing>(),
        "Sharing: the association `Sharing.rooms` has `dependent = \"nullify\"`, and no column of its key in `Room` can be \
         cleared (`house` cannot be NULL, `owner_id` is used by `owner` as well): make one an `Option`, or choose another \
         rule"
    );
    assert!(message::<Keyless>().contains("needs a primary key"), "{}", message::<Keyless>());
}
