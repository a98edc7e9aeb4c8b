//! What models and associations answer at run time: all of a kind, by name, chains, foreign keys.
#![deny(missing_docs, unused, clippy::all, clippy::pedantic)]
#![allow(clippy::unwrap_used, clippy::panic)] // The helpers of tests count as production code.
#![allow(dead_code)] // Fields that no test reads.

use assoc_core::metadata::{AssociationDef, AssociationKind, ForeignKey};
use assoc_core::planner::{Plan, Root};
use assoc_core::{
    BelongsTo, ErrorKind, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, IntoPreload, Model, RawSql,
};
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Clone, Debug)]
struct User {
    id: i64,
    #[has_many]
    memberships: HasMany<Membership>,
    #[has_many(through = "memberships")]
    groups: HasManyThrough<Group>,
    #[has_many(through = "groups", source = "posts")]
    group_posts: HasManyThrough<Post>,
    #[has_many(through = "group_posts", source = "tags")]
    group_tags: HasManyThrough<Tag>,
    #[has_one]
    badge: HasOne<Option<Badge>>,
    #[has_many(finder_sql = nothing)]
    found: HasMany<Post>,
}

#[derive(Model, Clone, Debug)]
struct Membership {
    id: i64,
    user_id: i64,
    group_id: i64,
    #[belongs_to]
    user: BelongsTo<User>,
    #[belongs_to]
    group: BelongsTo<Group>,
}

#[derive(Model, Clone, Debug)]
struct Group {
    id: i64,
    #[has_many]
    posts: HasMany<Post>,
    #[has_many(as = "subject")]
    notes: HasMany<Note>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    id: i64,
    group_id: i64,
    #[has_and_belongs_to_many]
    tags: HasAndBelongsToMany<Tag>,
}

#[derive(Model, Clone, Debug)]
struct Tag {
    id: i64,
}

#[derive(Model, Clone, Debug)]
struct Badge {
    id: i64,
    user_id: Option<i64>,
}

#[derive(Polymorphic, Clone, Debug)]
enum Subject {
    Group(Group),
    Post(Post),
}

#[derive(Model, Clone, Debug)]
struct Note {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: BelongsTo<Subject>,
}

// Two associations, each of which goes through the other's model back to itself.
#[derive(Model, Clone, Debug)]
struct Circle {
    id: i64,
    other_id: i64,
    #[belongs_to]
    other: BelongsTo<Circle>,
    #[has_many(through = "other", source = "back")]
    forth: HasManyThrough<Circle>,
    #[has_many(through = "other", source = "forth")]
    back: HasManyThrough<Circle>,
}

fn nothing(_: &User) -> RawSql {
    RawSql::default()
}

fn named(name: &str) -> &'static AssociationDef {
    User::DEF.association(name).unwrap()
}

fn names<'a>(associations: impl IntoIterator<Item = &'a AssociationDef>) -> Vec<String> {
    associations.into_iter().map(AssociationDef::qualified_name).collect()
}

#[test]
fn all_of_a_kind() {
    assert_eq!(names(User::DEF.associations_of(AssociationKind::HasMany)), ["User.memberships", "User.found"]);
    assert_eq!(
        names(User::DEF.associations_of(AssociationKind::HasManyThrough)),
        ["User.groups", "User.group_posts", "User.group_tags"]
    );
    assert_eq!(names(User::DEF.associations_of(AssociationKind::HasOne)), ["User.badge"]);
    assert_eq!(User::DEF.associations_of(AssociationKind::BelongsTo).count(), 0);
    assert_eq!(names(Post::DEF.associations_of(AssociationKind::HasAndBelongsToMany)), ["Post.tags"]);
}

#[test]
fn chains_are_flat_to_any_depth() {
    assert_eq!(names(named("badge").chain().unwrap()), ["User.badge"]);
    assert_eq!(names(named("groups").chain().unwrap()), ["User.memberships", "Membership.group"]);
    assert_eq!(
        names(named("group_tags").chain().unwrap()),
        ["User.memberships", "Membership.group", "Group.posts", "Post.tags"]
    );
}

#[test]
fn a_chain_that_never_ends_is_an_error() {
    let error = Circle::FORTH.def().chain().unwrap_err();
    assert_eq!(
        error.to_string(),
        "Circle: the association `Circle.forth` goes through itself, by way of `Circle.back`, then `Circle.forth`: declare one of them by a key of its own"
    );
    // Nor can it be loaded.
    let error = Plan::new(Circle::DEF, Root::Fetched, Circle::BACK.into_requests()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Circle: the association `Circle.back` goes through itself, by way of `Circle.forth`, then `Circle.back`: declare one of them by a key of its own"
    );
}

#[test]
fn foreign_keys_say_where_they_are_and_what_they_refer_to() {
    let shown = |association: &'static AssociationDef| {
        let keys = association.foreign_keys().unwrap();
        let one = |ForeignKey { model, columns, type_column, refers_to, .. }: ForeignKey| {
            let to: Vec<&str> = refers_to.iter().map(|model| model.name).collect();
            format!("{}({}) {} -> {}", model.table, columns.join(", "), type_column.unwrap_or("-"), to.join(", "))
        };
        keys.into_iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(shown(Membership::USER.def()), ["memberships(user_id) - -> User"]);
    assert_eq!(shown(named("badge")), ["badges(user_id) - -> User"]);
    assert_eq!(shown(named("groups")), ["memberships(user_id) - -> User", "memberships(group_id) - -> Group"]);
    assert_eq!(shown(Post::TAGS.def()), ["posts_tags(post_id) - -> Post", "posts_tags(tag_id) - -> Tag"]);
    assert_eq!(shown(Group::NOTES.def()), ["notes(subject_id) subject_type -> Group"]);
    assert_eq!(shown(Note::SUBJECT.def()), ["notes(subject_id) subject_type -> Group, Post"]);
    assert!(shown(named("found")).is_empty());
}

mod inverses {
    use super::*;
    use assoc_core::Scope;

    // In a module of its own, of several words.
    mod billing {
        use super::*;

        #[derive(Model, Clone, Debug)]
        pub(super) struct InvoiceLine {
            pub(super) id: i64,
            pub(super) big_customer_id: i64,
            // Of a name that says nothing about keys.
            #[belongs_to(foreign_key = "big_customer_id")]
            pub(super) payer: BelongsTo<super::BigCustomer>,
        }
    }

    #[derive(Model, Clone, Debug)]
    struct BigCustomer {
        id: i64,
        #[has_many]
        invoice_lines: HasMany<billing::InvoiceLine>,
        #[has_many]
        large_orders: HasMany<LargeOrder>,
        #[has_many(foreign_key = "guarantor_id")]
        guaranteed: HasMany<AnyOrder>,
        #[has_many(foreign_key = "big_customer_id", filter = AnyOrder::TOTAL.gt(5))]
        dear_orders: HasMany<AnyOrder>,
        #[has_many(foreign_key = "big_customer_id", inverse_of = false)]
        lonely_orders: HasMany<AnyOrder>,
        #[has_one]
        contract: HasOne<Option<Contract>>,
    }

    #[derive(Model, Clone, Debug)]
    #[model(table = "orders")]
    struct AnyOrder {
        id: i64,
        big_customer_id: i64,
        guarantor_id: Option<i64>,
        total: i64,
        #[belongs_to]
        big_customer: BelongsTo<BigCustomer>,
    }

    // One of two models that share a table.
    #[derive(Model, Clone, Debug)]
    #[model(table = "orders", discriminator = "kind", tag = "large")]
    struct LargeOrder {
        id: i64,
        big_customer_id: i64,
        kind: String,
        #[belongs_to]
        big_customer: BelongsTo<BigCustomer>,
    }

    #[derive(Model, Clone, Debug)]
    struct Contract {
        id: i64,
        big_customer_id: i64,
        // Leads to some customers only.
        #[belongs_to(scope = first)]
        big_customer: BelongsTo<Option<BigCustomer>>,
    }

    fn first(customers: Scope<BigCustomer>) -> Scope<BigCustomer> {
        customers.filter(BigCustomer::ID.eq(1))
    }

    fn inverse(association: &'static AssociationDef) -> Option<String> {
        association.inverse().unwrap().map(AssociationDef::qualified_name)
    }

    #[test]
    fn go_by_keys_and_not_by_names() {
        assert_eq!(inverse(BigCustomer::INVOICE_LINES.def()).as_deref(), Some("InvoiceLine.payer"));
        let lines = inverse(billing::InvoiceLine::PAYER.def());
        assert_eq!(lines.as_deref(), Some("BigCustomer.invoice_lines"));
        assert_eq!(inverse(BigCustomer::LARGE_ORDERS.def()).as_deref(), Some("LargeOrder.big_customer"));
        assert_eq!(inverse(LargeOrder::BIG_CUSTOMER.def()).as_deref(), Some("BigCustomer.large_orders"));
    }

    #[test]
    fn are_not_guessed_where_the_rows_may_be_others() {
        assert_eq!(inverse(BigCustomer::GUARANTEED.def()), None, "another key");
        assert_eq!(inverse(BigCustomer::DEAR_ORDERS.def()), None, "a condition here");
        assert_eq!(inverse(BigCustomer::LONELY_ORDERS.def()), None, "said so");
        assert_eq!(inverse(AnyOrder::BIG_CUSTOMER.def()), None, "a condition there, or said so");
        assert_eq!(inverse(BigCustomer::CONTRACT.def()), None, "a scope there");
        assert_eq!(inverse(Contract::BIG_CUSTOMER.def()), None, "a scope here");
    }
}

#[test]
fn inverses_and_unknown_names() {
    assert_eq!(named("memberships").inverse().unwrap(), Some(Membership::USER.def()));
    assert_eq!(named("groups").inverse().unwrap(), None);
    assert_eq!(named("found").inverse().unwrap(), None);
    let error = User::DEF.association("grups").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::UnknownAssociation { model: "User", known, .. } if known.len() == 6));
}
