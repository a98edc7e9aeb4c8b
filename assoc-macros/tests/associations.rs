//! Associations by another association, by a join table, of several types and with scopes: what their definitions say.
#![deny(missing_docs, unused, clippy::all, clippy::pedantic)]
#![allow(clippy::unwrap_used, clippy::panic)] // The helpers of tests count as production code.
#![allow(dead_code)] // Fields that no test reads.

use std::sync::Arc;

use assoc_core::{
    Association, AssociationDef, BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, LoadState, Macro,
    Model, Route, SqlType, Value,
};
use assoc_macros::Model;

fn route(association: &AssociationDef) -> Route {
    association.kind.route(association).unwrap()
}

mod through {
    use super::*;

    #[derive(Model, Clone, Debug)]
    struct User {
        id: i64,
        // Before what it goes through.
        #[has_many(through = "memberships")]
        groups: HasManyThrough<Group>,
        #[has_many]
        memberships: HasMany<Membership>,
        #[has_many(through = "memberships", source = "group")]
        clubs: HasManyThrough<Group>,
        #[has_many(through = "groups", source = "events")]
        dates: HasManyThrough<Event>,
        #[has_many(through = "groups")]
        events: HasManyThrough<Event>,
        // The source goes through something itself.
        #[has_many(through = "memberships")]
        group_events: HasManyThrough<Event>,
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
        #[has_many(through = "group", source = "events")]
        group_events: HasManyThrough<Event>,
    }

    #[derive(Model, Clone, Debug)]
    struct Group {
        id: i64,
        #[has_many]
        memberships: HasMany<Membership>,
        #[has_many(through = "memberships")]
        users: HasManyThrough<User>,
        // A column of a singular name.
        event: String,
        #[has_many]
        events: HasMany<Event>,
    }

    #[derive(Model, Clone, Debug)]
    struct Event {
        id: i64,
        group_id: Option<i64>,
    }

    #[derive(Model, Clone, Debug)]
    struct Supplier {
        id: i64,
        #[has_one]
        account: HasOne<Option<Account>>,
        #[has_one(through = "account")]
        history: HasOne<Option<AccountHistory>>,
        #[has_one(through = "history", source = "clerk")]
        clerk: HasOne<User>,
    }

    #[derive(Model, Clone, Debug)]
    struct Account {
        id: i64,
        supplier_id: i64,
        #[has_one]
        history: HasOne<Option<AccountHistory>>,
    }

    #[derive(Model, Clone, Debug)]
    struct AccountHistory {
        id: i64,
        account_id: i64,
        clerk_id: i64,
        #[belongs_to]
        clerk: BelongsTo<User>,
    }

    // A friend is a person, and the source would be its own.
    #[derive(Model, Clone, Debug)]
    struct Person {
        id: i64,
        #[has_many(foreign_key = "from_id")]
        friendships: HasMany<Friendship>,
        #[has_many(through = "friendships", source = "to")]
        friends: HasManyThrough<Self>,
        #[has_many(through = "friends", source = "friendships")]
        friendships_of_friends: HasManyThrough<Friendship>,
        #[has_many(through = "friends", source = "friends")]
        far_friends: HasManyThrough<Person>,
    }

    #[derive(Model, Clone, Debug)]
    struct Friendship {
        id: i64,
        from_id: i64,
        to_id: i64,
        #[belongs_to]
        to: BelongsTo<Person>,
    }

    fn ways(association: &AssociationDef) -> (&'static str, &'static str) {
        let Route::Through { through, source, source_type: None } = route(association) else {
            panic!("{association:?} goes through another")
        };
        (through.name, source.name)
    }

    #[test]
    fn the_source_is_named_or_found_in_the_singular_or_plural() {
        assert_eq!(ways(User::GROUPS.def()), ("memberships", "group"));
        assert_eq!(ways(User::CLUBS.def()), ("memberships", "group"));
        assert_eq!(ways(User::DATES.def()), ("groups", "events"));
        assert_eq!(ways(User::EVENTS.def()), ("groups", "events"), "`Group::EVENT` is a column");
        assert_eq!(ways(User::GROUP_EVENTS.def()), ("memberships", "group_events"));
        assert_eq!(ways(Group::USERS.def()), ("memberships", "user"));
        assert_eq!(ways(Supplier::HISTORY.def()), ("account", "history"));
        assert_eq!(ways(Supplier::CLERK.def()), ("history", "clerk"));
        assert_eq!(ways(Person::FRIENDS.def()), ("friendships", "to"));
        assert_eq!(ways(Person::FRIENDSHIPS_OF_FRIENDS.def()), ("friends", "friendships"));
        assert_eq!(ways(Person::FAR_FRIENDS.def()), ("friends", "friends"));
    }

    #[test]
    fn definitions_and_tokens_say_what_they_are() {
        let groups: Association<User, Group, HasManyThrough<Group>> = User::GROUPS;
        assert_eq!(groups.def().association_macro(), Macro::HasManyThrough);
        assert_eq!((groups.def().target)(), Group::DEF);
        assert_eq!(Supplier::HISTORY.def().association_macro(), Macro::HasOneThrough);
        assert!(Supplier::HISTORY.def().options.optional && !Supplier::CLERK.def().options.optional);
        assert!(groups.def().inverse().unwrap().is_none());
    }

    #[test]
    fn rows_are_shared_and_read() {
        let mut user = User::from_values(&mut [Value::Int(1)]).unwrap();
        assert!(user.groups().is_err() && user.memberships().is_err() && user.clubs().is_err());
        user.groups = vec![Group::from_values(&mut [Value::Int(7), Value::Text("x".into())]).unwrap()].into();
        let groups: &[Arc<Group>] = user.groups().unwrap();
        assert_eq!(groups[0].id, 7);
        let slot = User::DEF.association("groups").unwrap().slot;
        assert_eq!(slot.state(&user), LoadState::Loaded);
        assert!(slot.is_shared());
        let supplier = Supplier::from_values(&mut [Value::Int(1)]).unwrap();
        assert!(supplier.history().is_err() && supplier.clerk().is_err());
    }
}

mod join_table {
    use super::*;

    #[derive(Model, Clone, Debug)]
    struct Post {
        id: i64,
        #[has_and_belongs_to_many]
        tags: HasAndBelongsToMany<Tag>,
        #[has_and_belongs_to_many(
            join_table = "archive.labels",
            foreign_key = "article",
            association_foreign_key = "label"
        )]
        labels: HasAndBelongsToMany<Tag>,
        #[has_and_belongs_to_many(association_foreign_key = "shelf, place")]
        places: HasAndBelongsToMany<Place>,
        #[has_and_belongs_to_many(foreign_key = "from", association_foreign_key = "to", join_table = "references")]
        references: HasAndBelongsToMany<Self>,
    }

    #[derive(Model, Clone, Debug)]
    #[model(table = "blog.tags", primary_key = "name")]
    struct Tag {
        name: String,
        #[has_and_belongs_to_many]
        posts: HasAndBelongsToMany<Post>,
    }

    #[derive(Model, Clone, Debug)]
    #[model(primary_key = "shelf, number")]
    struct Place {
        number: i32,
        shelf: String,
        #[has_and_belongs_to_many(foreign_key = "shelf, place")]
        posts: HasAndBelongsToMany<Post>,
    }

    #[derive(Model, Clone, Debug)]
    struct CatalogProduct {
        id: i64,
        #[has_and_belongs_to_many]
        categories: HasAndBelongsToMany<CatalogCategory>,
    }

    #[derive(Model, Clone, Debug)]
    struct CatalogCategory {
        id: u32,
        #[has_and_belongs_to_many]
        products: HasAndBelongsToMany<CatalogProduct>,
    }

    // Table, columns, from the owner, from the links to the targets.
    type Parts = (String, Vec<(&'static str, SqlType)>, [&'static [usize]; 4]);

    fn parts(association: &AssociationDef) -> Parts {
        assert_eq!(association.association_macro(), Macro::HasAndBelongsToMany);
        let Route::JoinTable { table, links, targets } = route(association) else {
            panic!("{association:?} has a join table")
        };
        assert!(targets.unique && !links.unique);
        assert_eq!(table.name, table.table.name);
        let columns = table.columns.iter().map(|column| (column.name, column.sql_type)).collect();
        let keys = [links.owner_columns, links.target_columns, targets.owner_columns, targets.target_columns];
        (table.table.to_string(), columns, keys)
    }

    #[test]
    fn tables_and_columns_follow_the_models() {
        let long = SqlType::Int(64);
        let keys: [&[usize]; 4] = [&[0], &[0], &[1], &[0]];
        let expected = ("blog.posts_tags".to_owned(), vec![("post_id", long), ("tag_id", SqlType::Text)], keys);
        assert_eq!(parts(Post::TAGS.def()), expected);
        let expected = ("blog.posts_tags".to_owned(), vec![("tag_id", SqlType::Text), ("post_id", long)], keys);
        assert_eq!(parts(Tag::POSTS.def()), expected);
        let (table, columns, _) = parts(CatalogProduct::CATEGORIES.def());
        assert_eq!(table, "catalog_categories_products");
        assert_eq!(columns.map_names(), ["catalog_product_id", "catalog_category_id"]);
        assert_eq!(parts(CatalogCategory::PRODUCTS.def()).0, table);
    }

    trait Names {
        fn map_names(&self) -> Vec<&'static str>;
    }

    impl Names for Vec<(&'static str, SqlType)> {
        fn map_names(&self) -> Vec<&'static str> {
            self.iter().map(|(name, _)| *name).collect()
        }
    }

    #[test]
    fn tables_and_columns_can_be_named() {
        let (table, columns, _) = parts(Post::LABELS.def());
        assert_eq!((table.as_str(), columns.map_names()), ("archive.labels", vec!["article", "label"]));
        let (table, columns, _) = parts(Post::REFERENCES.def());
        assert_eq!((table.as_str(), columns.map_names()), ("references", vec!["from", "to"]));
    }

    #[test]
    fn keys_of_several_columns_are_referred_to_in_their_order() {
        let (table, columns, keys) = parts(Post::PLACES.def());
        assert_eq!(table, "places_posts");
        assert_eq!(columns, [("post_id", SqlType::Int(64)), ("shelf", SqlType::Text), ("place", SqlType::Int(32))]);
        assert_eq!(keys, [&[0][..], &[0], &[1, 2], &[1, 0]]);
        let (_, columns, keys) = parts(Place::POSTS.def());
        assert_eq!(columns.map_names(), ["shelf", "place", "post_id"]);
        assert_eq!(keys, [&[1, 0][..], &[0, 1], &[2], &[0]]);
    }

    #[test]
    fn there_is_one_table_an_association() {
        let table = |association| match route(association) {
            Route::JoinTable { table, .. } => table,
            other => panic!("{other:?}"),
        };
        assert!(std::ptr::eq(table(Post::TAGS.def()), table(Post::TAGS.def())));
        assert_ne!(table(Post::TAGS.def()), table(Post::LABELS.def()));
        let mut post = Post::from_values(&mut [Value::Int(1)]).unwrap();
        assert!(post.tags().is_err() && post.labels().is_err() && post.places().is_err() && post.references().is_err());
        post.tags = Vec::new().into();
        assert!(post.tags().unwrap().is_empty());
    }
}
