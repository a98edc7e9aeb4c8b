//! Associations by another association, by a join table, of several types and with scopes: what their definitions say.
#![deny(missing_docs, unused, clippy::all, clippy::pedantic)]
#![allow(clippy::unwrap_used, clippy::panic)] // The helpers of tests count as production code.
#![allow(dead_code)] // Fields that no test reads.

use std::any::Any;
use std::sync::Arc;

use assoc_core::metadata::{AssociationDef, AssociationKind, Discriminator, Inverse, Route, ScopeDef};
use assoc_core::{
    Association, BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, IntoPreload, LoadState, Model,
    Polymorphic as _, RowOrigin, Scope, SqlType, Through, Value, Variant,
};
use assoc_macros::{Model, Polymorphic};

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
        let groups: Association<User, Group, Through<HasManyThrough<Group>, true>> = User::GROUPS;
        assert_eq!(groups.def().association_kind(), AssociationKind::HasManyThrough);
        assert_eq!((groups.def().target)(), Group::DEF);
        assert_eq!(Supplier::HISTORY.def().association_kind(), AssociationKind::HasOneThrough);
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
        let slot = User::DEF.association("groups").unwrap().field_access;
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
        assert_eq!(association.association_kind(), AssociationKind::HasAndBelongsToMany);
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

mod polymorphic {
    use super::*;

    #[derive(Model, Clone, Debug, PartialEq)]
    struct Employee {
        id: i64,
        origin: RowOrigin,
        #[has_many(as = "imageable", inverse_of = "imageable")]
        pictures: HasMany<Picture>,
        #[has_one(as = "subject", foreign_key = "about_id", foreign_type = "about_kind", tag = "Employee")]
        portrait: HasOne<Option<Picture>>,
        // `Imageable` stores employees under another tag.
        #[has_one(as = "subject", foreign_key = "about_id", foreign_type = "about_kind", tag = "person")]
        misplaced: HasOne<Option<Picture>>,
        #[has_many(through = "pictures", source = "subject", source_type = "product")]
        products: HasManyThrough<Product>,
        #[has_many(through = "pictures", source_type = "Employee")]
        imageables: HasManyThrough<Employee>,
        #[has_many(through = "pictures", source = "subject", source_type = "Product")]
        misnamed: HasManyThrough<Product>,
    }

    #[derive(Model, Clone, Debug, PartialEq)]
    struct Product {
        id: i64,
        origin: RowOrigin,
    }

    #[derive(Polymorphic, Clone, Debug, PartialEq)]
    enum Imageable {
        Employee(Employee),
        #[polymorphic(tag = "product")]
        NewProduct(self::Product),
    }

    #[derive(Model, Clone, Debug, PartialEq)]
    struct Picture {
        id: i64,
        imageable_id: i64,
        imageable_type: String,
        about_id: Option<i64>,
        about_kind: Option<String>,
        #[belongs_to(polymorphic)]
        imageable: BelongsTo<Imageable>,
        #[belongs_to(polymorphic, foreign_key = "about_id", foreign_type = "about_kind", readonly)]
        subject: BelongsTo<Option<Imageable>>,
    }

    #[test]
    fn the_enum_lists_its_models() {
        let tags: Vec<_> =
            Imageable::VARIANTS.iter().map(|variant| (variant.tag, (variant.model)().name, variant.key)).collect();
        assert_eq!(tags, [("Employee", "Employee", &[0][..]), ("product", "Product", &[0])]);
        let _: Variant<Imageable, Employee> = Imageable::EMPLOYEE;
        let _: Variant<Imageable, Product> = Imageable::NEW_PRODUCT;
        assert_eq!(
            Imageable::from(Product { id: 1, origin: RowOrigin::default() }),
            Imageable::NewProduct(Product { id: 1, origin: RowOrigin::default() })
        );
    }

    #[test]
    fn rows_are_found_in_their_variant() {
        let [employee, product] = Imageable::VARIANTS else { panic!("two models") };
        let mut value = Imageable::from(Product { id: 1, origin: RowOrigin::default() });
        assert!((employee.row)(&value).is_none() && (employee.row_mut)(&mut value).is_none());
        assert!((product.row)(&Product { id: 1, origin: RowOrigin::default() }).is_none(), "not in its enum");
        let row = (product.row_mut)(&mut value).and_then(|row| row.downcast_mut::<Product>()).unwrap();
        row.id = 2;
        assert_eq!(
            (product.row)(&value).unwrap().downcast_ref(),
            Some(&Product { id: 2, origin: RowOrigin::default() })
        );
        let rows: Box<dyn assoc_core::execution::rows::Rows> =
            Box::new(vec![Product { id: 3, origin: RowOrigin::default() }]);
        let shared = (product.share)(rows).downcast::<Vec<Arc<Imageable>>>().unwrap();
        assert_eq!(*shared, [Arc::new(Imageable::NewProduct(Product { id: 3, origin: RowOrigin::default() }))]);
    }

    #[test]
    fn the_owner_holds_key_and_type() {
        let token: Association<Picture, Imageable, BelongsTo<Option<Imageable>>> = Picture::SUBJECT;
        assert_eq!(token.def().association_kind(), AssociationKind::BelongsTo);
        let Route::Polymorphic { type_column, owner_columns, variants } = route(token.def()) else {
            panic!("polymorphic")
        };
        assert_eq!((type_column, owner_columns, variants.len()), (4, &[3][..], 2));
        let Route::Polymorphic { type_column, owner_columns, .. } = route(Picture::IMAGEABLE.def()) else {
            panic!("polymorphic")
        };
        assert_eq!((type_column, owner_columns), (2, &[1][..]));
        assert_eq!((token.def().target)(), Employee::DEF, "the first");
        assert!(token.def().options.optional && token.def().options.readonly);
        assert!(!Picture::IMAGEABLE.def().options.optional);
    }

    #[test]
    fn the_other_side_holds_a_tag() {
        let Route::TargetKey(hop) = route(Employee::PICTURES.def()) else { panic!("by a key of its own") };
        assert_eq!((hop.owner_columns, hop.target_columns, hop.unique), (&[0][..], &[1][..], false));
        assert_eq!(hop.target_type, Some(Discriminator { column: 2, tag: "Employee" }));
        assert_eq!(Employee::PICTURES.def().inverse().unwrap(), Some(Picture::IMAGEABLE.def()));
        let Route::TargetKey(hop) = route(Employee::PORTRAIT.def()) else { panic!("by a key of its own") };
        assert_eq!((hop.owner_columns, hop.target_columns), (&[0][..], &[3][..]));
        assert_eq!(hop.target_type, Some(Discriminator { column: 4, tag: "Employee" }));
        let misplaced = Employee::MISPLACED.def();
        let error = misplaced.kind.route(misplaced).unwrap_err();
        assert!(error.to_string().ends_with("stores `Employee` as `Employee`: write `tag = \"Employee\"`"), "{error}");
        // Which of several models leads back is not guessed.
        assert_eq!(Employee::PORTRAIT.def().inverse().unwrap(), None);
        assert_eq!(Picture::SUBJECT.def().inverse().unwrap(), None);
    }

    #[test]
    fn one_type_of_several_is_followed() {
        let Route::Through { through, source, source_type } = route(Employee::PRODUCTS.def()) else {
            panic!("through")
        };
        assert_eq!((through.name, source.name, source_type), ("pictures", "subject", Some("product")));
        let Route::Through { source, .. } = route(Employee::IMAGEABLES.def()) else { panic!("through") };
        assert_eq!(source.name, "imageable");
        let misnamed = Employee::MISNAMED.def();
        let error = misnamed.kind.route(misnamed).unwrap_err();
        assert!(error.to_string().contains("`Product` is stored as `source_type = \"product\"`"), "{error}");
    }

    #[test]
    fn targets_are_read() {
        let values = &mut [Value::Int(1), Value::Int(2), Value::Text("product".into()), Value::Null, Value::Null];
        let mut picture = Picture::from_values(values).unwrap();
        assert!(picture.imageable().is_err() && picture.subject().is_err());
        picture.imageable = BelongsTo::from(Some(Imageable::from(Product { id: 2, origin: RowOrigin::default() })));
        picture.subject = BelongsTo::from(None);
        let imageable: &Imageable = picture.imageable().unwrap();
        assert!(matches!(imageable, Imageable::NewProduct(product) if product.id == 2));
        assert_eq!(picture.subject().unwrap(), None);
        let employee = Employee::from_values(&mut [Value::Int(1)]).unwrap();
        assert!(employee.pictures().is_err() && employee.portrait().is_err());
        assert!(employee.products().is_err() && employee.imageables().is_err() && employee.misnamed().is_err());
    }

    #[test]
    fn associations_of_one_variant_can_be_preloaded() {
        let requests = Picture::IMAGEABLE.with(Imageable::EMPLOYEE.with(Employee::PICTURES)).into_requests();
        assert_eq!(requests[0].children[0].association, Employee::PICTURES.def());
    }

    // Keys of two columns.
    #[derive(Model, Clone, Debug)]
    #[model(primary_key = "user_id, group_code")]
    struct Membership {
        user_id: i64,
        group_code: String,
        #[has_many(as = "subject", foreign_key = "subject_user, subject_code")]
        notes: HasMany<Note>,
    }

    #[derive(Polymorphic, Clone, Debug)]
    enum Subject {
        Membership(Membership),
    }

    #[derive(Model, Clone, Debug)]
    struct Note {
        id: i64,
        subject_user: i64,
        subject_code: Option<String>,
        subject_type: String,
        #[belongs_to(polymorphic, foreign_key = "subject_user, subject_code")]
        subject: BelongsTo<Subject>,
    }

    #[test]
    fn keys_may_have_several_columns() {
        let Route::Polymorphic { owner_columns, .. } = route(Note::SUBJECT.def()) else { panic!("polymorphic") };
        assert_eq!(owner_columns, [1, 2]);
        let Route::TargetKey(hop) = route(Membership::NOTES.def()) else { panic!("by a key of its own") };
        assert_eq!(hop.target_columns, [1, 2]);
    }
}

mod shapes {
    use super::*;

    const PAGE: &str = "draft";

    #[derive(Model, Clone, Debug)]
    struct Author {
        id: i64,
        born_in: i64,
        #[has_many(scope = latest)]
        latest: HasMany<Post>,
        #[has_many(scope = "self::functions::drafts", order = [Post::YEAR.desc(), Post::ID.asc()], limit = 3, offset = 1)]
        drafts: HasMany<Post>,
        #[has_many(filter = Post::STATE.ne(PAGE).and(Post::YEAR.gt(1900)), inverse_of = "author", include = Post::AUTHOR)]
        published: HasMany<Post>,
        #[has_many(scope_by_owner = of_birth_year, inverse_of = false)]
        early: HasMany<Post>,
        #[has_one(order = Post::YEAR.asc(), readonly)]
        first: HasOne<Option<Post>>,
        #[has_many(through = "latest", source = "readers", distinct, filter = Reader::ID.gt(0))]
        readers: HasManyThrough<Reader>,
        #[has_many]
        posts: HasMany<Post>,
    }

    #[derive(Model, Clone, Debug)]
    #[model(default_scope = "Post::not_deleted", discriminator = "kind", tag = "post")]
    struct Post {
        id: i64,
        origin: RowOrigin,
        author_id: i64,
        year: i64,
        state: String,
        #[column(name = "type")]
        kind: Option<String>,
        #[belongs_to(inverse_of = "posts", filter = Author::BORN_IN.gt(1800))]
        author: BelongsTo<Author>,
        #[has_and_belongs_to_many(distinct, order = Reader::ID.asc(), limit = 10)]
        readers: HasAndBelongsToMany<Reader>,
    }

    #[derive(Model, Clone, Debug)]
    #[model(discriminator = "state")]
    struct Reader {
        id: i64,
        state: String,
    }

    impl Post {
        fn not_deleted(posts: Scope<Self>) -> Scope<Self> {
            posts.filter(Post::STATE.ne("deleted"))
        }
    }

    fn latest(posts: Scope<Post>) -> Scope<Post> {
        posts.order_by(Post::ID.desc())
    }

    fn of_birth_year(author: &Author, posts: Scope<Post>) -> Scope<Post> {
        posts.filter(Post::YEAR.eq(author.born_in))
    }

    mod functions {
        use super::{Post, Scope};

        pub(super) fn drafts(posts: Scope<Post>) -> Scope<Post> {
            posts.filter(Post::STATE.eq("draft")).limit(2)
        }
    }

    fn shape(association: &AssociationDef) -> ScopeDef {
        association.options.scope.unwrap()()
    }

    #[test]
    fn scopes_are_functions_or_stand_in_the_attribute() {
        assert_eq!(shape(Author::LATEST.def()), Scope::<Post>::new().order_by(Post::ID.desc()).into_def());
        let expected = Scope::<Post>::new().order_by([Post::YEAR.desc(), Post::ID.asc()]).limit(2).offset(1);
        let expected = expected.filter(Post::STATE.eq("draft")).into_def();
        assert_eq!(shape(Author::DRAFTS.def()), expected, "the function has the last word");
        let expected = Scope::<Post>::new().filter(Post::STATE.ne("draft").and(Post::YEAR.gt(1900)));
        assert_eq!(shape(Author::PUBLISHED.def()), expected.preload(Post::AUTHOR).into_def());
        let expected = Scope::<Reader>::new().distinct().order_by(Reader::ID.asc()).limit(10).into_def();
        assert_eq!(shape(Post::READERS.def()), expected);
        let expected = Scope::<Reader>::new().distinct().filter(Reader::ID.gt(0)).into_def();
        assert_eq!(shape(Author::READERS.def()), expected);
        assert!(Author::POSTS.def().options.scope.is_none() && Author::EARLY.def().options.scope.is_none());
    }

    #[test]
    fn scopes_may_depend_on_the_owner() {
        let scope = Author::EARLY.def().options.owner_scope.unwrap();
        let author = Author::from_values(&mut [Value::Int(1), Value::Int(1815)]).unwrap();
        assert_eq!(scope(&author), Scope::<Post>::new().filter(Post::YEAR.eq(1815)).into_def());
        assert_eq!(scope(&0 as &dyn Any), ScopeDef::default(), "not an author");
    }

    #[test]
    fn other_options_are_kept() {
        assert!(Author::FIRST.def().options.readonly && Author::FIRST.def().options.optional);
        assert!(!Author::LATEST.def().options.readonly);
        assert_eq!(Author::FIRST.def().read_only_by(), Some(Author::FIRST.def()));
        assert_eq!(Author::READERS.def().read_only_by(), None);
        assert_eq!(Author::EARLY.def().options.inverse, Inverse::None);
        assert_eq!(Author::POSTS.def().options.inverse, Inverse::Automatic);
        assert_eq!(Author::PUBLISHED.def().inverse().unwrap(), Some(Post::AUTHOR.def()));
        assert_eq!(Post::AUTHOR.def().inverse().unwrap(), Some(Author::POSTS.def()));
    }

    #[test]
    fn models_have_scopes_of_their_own() {
        assert_eq!(Post::DEF.discriminator, Some(Discriminator { column: 4, tag: "post" }));
        assert_eq!(Post::DEF.default_scope.unwrap()(), Post::not_deleted(Scope::new()).into_def());
        assert_eq!(Reader::DEF.discriminator, Some(Discriminator { column: 1, tag: "Reader" }));
        assert!(Author::DEF.default_scope.is_none() && Author::DEF.discriminator.is_none());
    }

    #[test]
    fn accessors_exist() {
        let author = Author::from_values(&mut [Value::Int(1), Value::Int(1815)]).unwrap();
        assert!(author.latest().is_err() && author.drafts().is_err() && author.published().is_err());
        assert!(author.early().is_err() && author.first().is_err() && author.readers().is_err());
        assert!(author.posts().is_err());
        let mut row = [Value::Int(1), Value::Int(1), Value::Int(1), Value::Text("".into()), Value::Null];
        let post = Post::from_values(&mut row).unwrap();
        assert!(post.author().is_err() && post.readers().is_err());
        assert_eq!((Post::AUTHOR_ID.index(), Post::KIND.name(), Author::ID.index()), (1, "type", 0));
    }
}

mod accessors {
    use assoc_core::{AssociationNotLoaded, NotLoadedReason};

    use super::*;

    #[derive(Model, Clone, Debug)]
    struct User {
        id: i64,
        #[has_many(accessor = false)]
        posts: HasMany<Post>,
        #[has_many(accessor)]
        drafts: HasMany<Post>,
        #[has_and_belongs_to_many(accessor = false)]
        groups: HasAndBelongsToMany<Group, Membership>,
        // Nothing of this name is written, so it can be had.
        #[has_one(accessor = false)]
        key: HasOne<Option<Post>>,
    }

    #[derive(Model, Clone, Debug)]
    struct Post {
        id: i64,
        user_id: i64,
        #[belongs_to(accessor = false)]
        user: BelongsTo<User>,
    }

    #[derive(Model, Clone, Debug)]
    struct Group {
        id: i64,
    }

    #[derive(Model, Clone, Debug)]
    #[model(table = "groups_users")]
    struct Membership {
        user_id: i64,
        group_id: i64,
    }

    impl User {
        fn posts(&self) -> Result<usize, AssociationNotLoaded> {
            self.posts.get().map(<[Post]>::len).map_err(|reason| User::POSTS.not_loaded(reason))
        }

        fn groups_with_join_rows(&self) -> usize {
            self.groups.get_with_join_rows().map_or(0, Iterator::count)
        }
    }

    impl Post {
        fn user(&self) -> Option<&User> {
            self.user.get().ok()
        }
    }

    #[test]
    fn accessors_can_be_ones_own() {
        let user = User::from_values(&mut [Value::Int(1)]).unwrap();
        let own = user.posts().unwrap_err();
        assert_eq!(own, AssociationNotLoaded::new("User", "posts", NotLoadedReason::NotRequested));
        let (derived, of_drafts) = (user.drafts().unwrap_err(), User::DRAFTS.not_loaded(NotLoadedReason::NotRequested));
        assert_eq!(derived, of_drafts);
        assert_eq!((user.groups_with_join_rows(), Model::key(&user)), (0, 1));
        let post = Post::from_values(&mut [Value::Int(1), Value::Int(1)]).unwrap();
        assert!(post.user().is_none());
        assert_eq!(User::KEY.name(), "key");
    }
}
