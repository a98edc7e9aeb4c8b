//! How a target is linked to its owner, kind by kind, and the indexes that follow from it.
#![allow(clippy::unwrap_used, clippy::panic)] // The helpers of tests count as production code.
#![allow(dead_code)] // Fields that no test reads.

use std::borrow::Cow;

use assoc_core::dialect::{Capabilities, ColumnRole, Dialect};
use assoc_core::metadata::{
    AssociationDef, Chain, ColumnDef, JoinRecord, KeyJoin, KeySide, Linkage, ModelDef, Options, ThroughKind,
};
use assoc_core::schema::create_table;
use assoc_core::{BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, Model, RawSql};
use assoc_macros::{Model, Polymorphic};

/// Standard SQL and nothing else.
#[derive(Debug, Default)]
struct Plain(Capabilities);

impl Dialect for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.0
    }

    fn quote(&self, identifier: &str, sql: &mut String) {
        sql.push_str(identifier);
    }

    fn column_type(&self, _: &ColumnDef, _: ColumnRole) -> Cow<'static, str> {
        "ANY".into()
    }
}

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
    house_id: Option<i64>,
    #[belongs_to]
    house: BelongsTo<Option<House>>,
    #[has_one(through = "house", source = "gate")]
    gate: HasOne<Option<Gate>>,
    #[has_many]
    memberships: HasMany<Membership>,
    #[has_one]
    first_membership: HasOne<Option<Membership>>,
    #[has_many(through = "memberships", source = "group")]
    groups: HasManyThrough<Group>,
    #[has_many(through = "memberships", source = "subject", source_type = "house")]
    houses: HasManyThrough<House>,
    #[has_many(through = "memberships", source = "stamps")]
    stamps: HasManyThrough<Stamp>,
    #[has_many(through = "groups", source = "tags")]
    group_tags: HasManyThrough<Tag>,
    #[has_one(through = "first_membership", source = "group")]
    first_group: HasOne<Option<Group>>,
    #[has_many(through = "first_membership", source = "group")]
    few_groups: HasManyThrough<Group>,
    #[has_and_belongs_to_many]
    tags: HasAndBelongsToMany<Tag>,
    #[has_many(through = "tags", source = "labels")]
    labels: HasManyThrough<Label>,
    #[has_many(finder_sql = nothing)]
    found: HasMany<Tag>,
}

fn nothing(_: &User) -> RawSql {
    RawSql::default()
}

#[derive(Model, Debug, Clone)]
struct House {
    id: i64,
    #[has_one]
    gate: HasOne<Option<Gate>>,
    #[has_many(as = "subject", tag = "house")]
    memberships: HasMany<Membership>,
    #[has_many(through = "memberships", source = "user")]
    users: HasManyThrough<User>,
}

#[derive(Model, Debug, Clone)]
struct Gate {
    id: i64,
    house_id: i64,
}

#[derive(Polymorphic, Debug, Clone)]
enum Subject {
    #[polymorphic(tag = "house")]
    House(House),
    #[polymorphic(tag = "tag")]
    Tag(Tag),
}

#[derive(Model, Debug, Clone)]
struct Membership {
    id: i64,
    user_id: i64,
    group_id: i64,
    subject_id: Option<i64>,
    subject_type: Option<String>,
    #[belongs_to]
    user: BelongsTo<User>,
    #[belongs_to]
    group: BelongsTo<Group>,
    #[belongs_to(polymorphic)]
    subject: BelongsTo<Option<Subject>>,
    #[has_many]
    stamps: HasMany<Stamp>,
}

#[derive(Model, Debug, Clone)]
struct Stamp {
    id: i64,
    membership_id: i64,
}

#[derive(Model, Debug, Clone)]
struct Group {
    id: i64,
    #[has_many]
    tags: HasMany<Tag>,
}

#[derive(Model, Debug, Clone)]
struct Tag {
    id: i64,
    group_id: i64,
    #[has_many]
    labels: HasMany<Label>,
}

#[derive(Model, Debug, Clone)]
struct Label {
    id: i64,
    tag_id: i64,
}

fn of(name: &str) -> Linkage {
    User::DEF.association(name).unwrap().linkage().unwrap()
}

fn columns(model: &ModelDef, of: &[usize]) -> String {
    of.iter().map(|at| model.columns[*at].name).collect::<Vec<_>>().join(",")
}

// `users.id -> memberships.user_id`, with the type that the target names.
fn key(owner: &ModelDef, target: &ModelDef, hop: KeyJoin) -> String {
    let named = hop.target_type.map(|named| format!(" {}={}", target.columns[named.column].name, named.tag));
    let (from, to) = (columns(owner, hop.owner_columns), columns(target, hop.target_columns));
    format!("{}.{from} -> {}.{to}{}", owner.table.name, target.table.name, named.unwrap_or_default())
}

fn row_between(association: &'static AssociationDef) -> String {
    let Linkage::JoinRecord(row) = association.linkage().unwrap() else { panic!("{association:?} has no row between") };
    let JoinRecord { table, rows, owner, target, target_type, .. } = row;
    let named = target_type.map(|named| format!(" {}={}", table.columns[named.column].name, named.tag));
    let (from, to) = (key((association.owner)(), table, owner), key(table, (association.target)(), target));
    format!("{from}, {to}{} by {}", named.unwrap_or_default(), rows.map_or("-", |rows| rows.name))
}

#[test]
fn keys_are_on_the_row_that_holds_them() {
    let Linkage::OwnerKey(hop) = of("house") else { panic!("the owner's key") };
    assert_eq!(key(User::DEF, House::DEF, hop), "users.house_id -> houses.id");
    for name in ["memberships", "first_membership"] {
        let Linkage::TargetKey(hop) = of(name) else { panic!("the target's key") };
        assert_eq!(key(User::DEF, Membership::DEF, hop), "users.id -> memberships.user_id");
    }
    let Linkage::TargetKey(hop) = House::MEMBERSHIPS.def().linkage().unwrap() else { panic!("the target's key") };
    assert_eq!(key(House::DEF, Membership::DEF, hop), "houses.id -> memberships.subject_id subject_type=house");
    let Linkage::OwnerKeyAndType { owner_columns, type_column, variants } =
        Membership::SUBJECT.def().linkage().unwrap()
    else {
        panic!("the owner's key and type")
    };
    assert_eq!(columns(Membership::DEF, owner_columns), "subject_id");
    assert_eq!(columns(Membership::DEF, &[type_column]), "subject_type");
    assert_eq!(variants.iter().map(|variant| variant.tag).collect::<Vec<_>>(), ["house", "tag"]);
}

#[test]
fn rows_between_hold_both_keys() {
    let shown = |name: &str| row_between(User::DEF.association(name).unwrap());
    assert_eq!(shown("tags"), "users.id -> tags_users.user_id, tags_users.tag_id -> tags.id by -");
    let groups = "users.id -> memberships.user_id, memberships.group_id -> groups.id by";
    assert_eq!(shown("groups"), format!("{groups} memberships"));
    assert_eq!(shown("first_group"), format!("{groups} first_membership"));
    assert_eq!(
        shown("houses"),
        "users.id -> memberships.user_id, memberships.subject_id -> houses.id subject_type=house by memberships"
    );
    assert_eq!(
        row_between(House::USERS.def()),
        "houses.id -> memberships.subject_id subject_type=house, memberships.user_id -> users.id by memberships"
    );
}

#[test]
fn what_has_no_single_row_to_write_says_why() {
    let reason = |name: &str| match of(name) {
        Linkage::ReadOnly(reason) => reason.into_owned(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(reason("found"), "SQL says which rows an owner has (`finder_sql`)");
    assert_eq!(reason("group_tags"), "it goes through `User.groups`, which goes through others itself");
    assert_eq!(
        reason("stamps"),
        "its source is `Membership.stamps`, and a Membership does not hold the key of one target"
    );
    assert_eq!(reason("few_groups"), "it goes through `User.first_membership`, of which an owner has one at most");
    assert_eq!(reason("gate"), "it goes through `User.house`, and a House does not hold the key of one owner");
    assert_eq!(reason("labels"), "it goes through `User.tags`, and a Tag does not hold the key of one owner");
    // What the derive refuses, but data may say.
    let made = |through: fn() -> &'static AssociationDef, source: fn() -> &'static AssociationDef| {
        let kind = Box::leak(Box::new(ThroughKind { through, source, source_type: None, one: true }));
        let like = User::FIRST_GROUP.def();
        let def = AssociationDef::new("made", "made", like.owner, like.target, kind, like.field_access, Options::new());
        match def.linkage().unwrap() {
            Linkage::ReadOnly(reason) => reason.into_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        made(|| User::MEMBERSHIPS.def(), || Membership::GROUP.def()),
        "it goes through `User.memberships`, of which an owner may have several"
    );
    assert_eq!(
        made(|| User::FOUND.def(), || Tag::LABELS.def()),
        "it goes through `User.found`, and a Tag does not hold the key of one owner"
    );
    assert_eq!(
        made(|| User::FIRST_MEMBERSHIP.def(), || Membership::SUBJECT.def()),
        "its source `Membership.subject` leads to several models"
    );
}

#[test]
fn a_chain_has_every_table_with_its_key() {
    let shown = |association: &'static AssociationDef| {
        let chain = Chain::keys(association).unwrap();
        let one = |hop: &&assoc_core::metadata::ChainHop| {
            let side = if hop.foreign_key == KeySide::Owner { "owner" } else { "target" };
            let named = hop.owner_type.map(|named| format!(" if {}", named.tag)).unwrap_or_default();
            format!("{} ({side}){named}", key(hop.owner, hop.model, hop.key))
        };
        chain.hops().iter().map(one).collect::<Vec<_>>()
    };
    let groups = ["users.id -> memberships.user_id (target)", "memberships.group_id -> groups.id (owner)"];
    assert_eq!(shown(User::GROUPS.def()), groups);
    assert_eq!(shown(User::GROUP_TAGS.def()), [groups[0], groups[1], "groups.id -> tags.group_id (target)"]);
    assert_eq!(
        shown(User::TAGS.def()),
        ["users.id -> tags_users.user_id (target)", "tags_users.tag_id -> tags.id (owner)"]
    );
    assert_eq!(
        shown(Membership::SUBJECT.def()),
        ["memberships.subject_id -> houses.id (owner) if house", "memberships.subject_id -> tags.id (owner) if tag"]
    );
    assert_eq!(shown(User::HOUSES.def())[1], "memberships.subject_id -> houses.id (owner) if house");
    assert!(shown(User::FOUND.def()).is_empty());
}

#[test]
fn every_foreign_key_has_an_index_of_type_and_key_where_it_is_polymorphic() {
    let indexes = |model: &ModelDef| {
        let statements = create_table(model, &Plain::default());
        statements[1..].iter().map(|statement| statement.sql().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        indexes(Membership::DEF),
        [
            "CREATE INDEX index_memberships_on_user_id ON memberships (user_id)",
            "CREATE INDEX index_memberships_on_group_id ON memberships (group_id)",
            "CREATE INDEX index_memberships_on_subject_type_and_subject_id ON memberships (subject_type, \
             subject_id)",
        ]
    );
    assert!(indexes(House::DEF).is_empty(), "the other side's keys are not in this table");
}
