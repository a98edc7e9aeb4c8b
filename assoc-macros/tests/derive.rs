//! Models that use everything the derives have, and what comes out: definitions, rows, tokens, accessors.
#![deny(missing_docs, unused, clippy::all, clippy::pedantic)]
#![allow(clippy::unwrap_used, clippy::panic)] // The helpers of tests count as production code.

use assoc_core::metadata::{AssociationKind, ColumnDefault, Route, TableRef};
use assoc_core::{
    AssociationNotLoaded, BelongsTo, Column, ColumnType, HasMany, HasOne, Key, LoadState, Model, NotLoadedReason,
    SqlType, Value,
};
use assoc_macros::{ColumnType, Model};

#[derive(Model, Clone, Debug, PartialEq)]
struct User {
    id: i64,
    name: String,
    company_id: Option<i64>,
    #[has_many(foreign_key = "author_id")]
    posts: HasMany<Post>,
    #[has_many(foreign_key = "editor_id")]
    edited: HasMany<Post>,
    #[has_one]
    address: HasOne<Option<Address>>,
    #[belongs_to]
    company: BelongsTo<Option<Company>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "blog.articles")]
struct Post {
    id: i64,
    author_id: i64,
    editor_id: Option<i64>,
    #[column(name = "headline", length = 80)]
    title: String,
    #[column(default)]
    created_at: Option<String>,
    #[column(default = "'draft'")]
    state: String,
    #[model(skip)]
    rank: u8,
    #[belongs_to]
    author: BelongsTo<User>,
    #[belongs_to]
    editor: BelongsTo<Option<User>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Address {
    id: i64,
    user_id: i64,
    r#type: String,
    #[belongs_to]
    user: BelongsTo<User>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Company {
    id: i64,
    code: String,
    #[has_many]
    users: HasMany<User>,
    #[has_many(primary_key = "code", foreign_key = "company_code")]
    invoices: HasMany<Invoice>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key = "number")]
struct Invoice {
    company_code: Option<String>,
    number: String,
    #[belongs_to(foreign_key = "company_code", primary_key = "code")]
    company: BelongsTo<Option<Company>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Employee {
    id: EmployeeId,
    manager_id: Option<EmployeeId>,
    #[belongs_to]
    manager: BelongsTo<Option<Employee>>,
    #[has_many(foreign_key = "manager_id")]
    subordinates: HasMany<Self>,
}

#[derive(ColumnType, Clone, Copy, Debug, PartialEq)]
#[column_type(key)]
struct EmployeeId(i64);

#[derive(ColumnType, Clone, Debug, PartialEq)]
struct Nickname {
    text: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "memberships", primary_key = "user_id, group_code")]
struct Membership {
    group_code: String,
    user_id: i64,
    nickname: Nickname,
    #[belongs_to]
    user: BelongsTo<User>,
    #[has_many(foreign_key = "user_id, group_code")]
    badges: HasMany<Badge>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Badge {
    id: i64,
    user_id: i64,
    group_code: Option<String>,
    #[belongs_to(foreign_key = "user_id, group_code")]
    membership: BelongsTo<Option<Membership>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(primary_key = "user_id")]
struct Profile {
    user_id: i64,
    #[belongs_to]
    user: BelongsTo<User>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(auto_increment = false)]
struct Country {
    id: u32,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Tagging {
    tag: String,
}

fn route<M: Model>(association: &str) -> (&'static [usize], &'static [usize], bool) {
    let association = M::DEF.association(association).unwrap();
    let (Route::OwnerKey(hop) | Route::TargetKey(hop)) = association.kind.route(association).unwrap() else {
        panic!("{association:?} goes by a key of its own")
    };
    (hop.owner_columns, hop.target_columns, hop.unique)
}

#[test]
fn the_definition_holds_table_columns_and_key() {
    let def = Post::DEF;
    assert_eq!(def.name, "Post");
    assert_eq!(def.table, TableRef { schema: Some("blog"), name: "articles" });
    assert_eq!(def.primary_key, [0]);
    let columns: Vec<_> =
        def.columns.iter().map(|c| (c.name, c.field, c.sql_type, c.nullable, c.default, c.length)).collect();
    assert_eq!(
        columns,
        [
            ("id", "id", SqlType::Int(64), false, ColumnDefault::AutoIncrement, None),
            ("author_id", "author_id", SqlType::Int(64), false, ColumnDefault::None, None),
            ("editor_id", "editor_id", SqlType::Int(64), true, ColumnDefault::None, None),
            ("headline", "title", SqlType::Text, false, ColumnDefault::None, Some(80)),
            ("created_at", "created_at", SqlType::Text, true, ColumnDefault::Database, None),
            ("state", "state", SqlType::Text, false, ColumnDefault::Sql("'draft'"), None),
        ]
    );
}

#[test]
fn a_key_counts_up_if_it_is_a_single_integer_that_refers_to_nothing() {
    let default = |def: &assoc_core::metadata::ModelDef, column: usize| def.columns[column].default;
    assert_eq!(default(User::DEF, 0), ColumnDefault::AutoIncrement);
    assert_eq!(default(Employee::DEF, 0), ColumnDefault::AutoIncrement);
    assert_eq!(default(Invoice::DEF, 1), ColumnDefault::None, "text");
    assert_eq!(default(Membership::DEF, 1), ColumnDefault::None, "composite");
    assert_eq!(default(Profile::DEF, 0), ColumnDefault::None, "a foreign key");
    assert_eq!(default(Country::DEF, 0), ColumnDefault::None, "auto_increment = false");
}

#[test]
fn tables_are_inferred() {
    assert_eq!(User::DEF.table, TableRef { schema: None, name: "users" });
    assert_eq!(Company::DEF.table.name, "companies");
    assert_eq!(Address::DEF.table.name, "addresses");
    assert_eq!(Country::DEF.table.name, "countries");
}

#[test]
fn associations_are_listed_in_their_order() {
    let names: Vec<_> = User::DEF.associations.iter().map(|a| (a.name, a.association_kind())).collect();
    assert_eq!(
        names,
        [
            ("posts", AssociationKind::HasMany),
            ("edited", AssociationKind::HasMany),
            ("address", AssociationKind::HasOne),
            ("company", AssociationKind::BelongsTo)
        ]
    );
    let optional: Vec<_> = User::DEF.associations.iter().map(|a| a.options.optional).collect();
    assert_eq!(optional, [false, false, true, true]);
    assert!(!Post::AUTHOR.def().options.optional);
    assert_eq!(User::POSTS.name(), "posts");
    assert_eq!(User::POSTS.def(), User::DEF.association("posts").unwrap());
    assert_eq!((User::POSTS.def().target)(), Post::DEF);
    assert_eq!((User::COMPANY.def().owner)(), User::DEF);
}

#[test]
fn two_associations_to_one_table_have_their_own_keys() {
    assert_eq!(route::<User>("posts"), (&[0][..], &[1][..], false));
    assert_eq!(route::<User>("edited"), (&[0][..], &[2][..], false));
    assert_eq!(route::<Post>("author"), (&[1][..], &[0][..], true));
    assert_eq!(route::<Post>("editor"), (&[2][..], &[0][..], true));
    assert_eq!(User::POSTS.def().inverse().unwrap(), Some(Post::AUTHOR.def()));
    assert_eq!(Post::EDITOR.def().inverse().unwrap(), Some(User::EDITED.def()));
}

#[test]
fn keys_follow_defaults_and_options() {
    assert_eq!(route::<User>("address"), (&[0][..], &[1][..], false));
    assert_eq!(route::<User>("company"), (&[2][..], &[0][..], true));
    assert_eq!(route::<Company>("users"), (&[0][..], &[2][..], false));
    assert_eq!(route::<Company>("invoices"), (&[1][..], &[0][..], false));
    assert_eq!(route::<Invoice>("company"), (&[0][..], &[1][..], false));
}

#[test]
fn a_table_can_refer_to_itself() {
    assert_eq!(route::<Employee>("manager"), (&[1][..], &[0][..], true));
    assert_eq!(route::<Employee>("subordinates"), (&[0][..], &[1][..], false));
    assert_eq!((Employee::MANAGER.def().target)(), Employee::DEF);
    assert_eq!(Employee::SUBORDINATES.def().inverse().unwrap(), Some(Employee::MANAGER.def()));
}

#[test]
fn composite_keys_keep_the_order_they_are_named_in() {
    assert_eq!(Membership::PRIMARY_KEY, [1, 0]);
    assert_eq!(Membership::DEF.primary_key, [1, 0]);
    assert_eq!(route::<Membership>("badges"), (&[1, 0][..], &[1, 2][..], false));
    assert_eq!(route::<Badge>("membership"), (&[1, 2][..], &[1, 0][..], true));
    let mut row = [Value::Text("rust".into()), Value::Int(7), Value::Null];
    let membership = Membership::from_values(&mut row).unwrap();
    let key: (i64, String) = membership.key();
    assert_eq!(key, (7, "rust".to_owned()));
}

#[test]
fn a_model_can_be_without_key() {
    assert!(Tagging::DEF.primary_key.is_empty());
    let tagging = Tagging { tag: "x".to_owned() };
    assert_eq!(<Tagging as Model>::Key::WIDTH, 0);
    tagging.key();
}

fn post() -> Post {
    let mut row = [
        Value::Int(1),
        Value::Int(2),
        Value::Null,
        Value::Text("Hello".into()),
        Value::Null,
        Value::Text("draft".into()),
    ];
    Post::from_values(&mut row).unwrap()
}

#[test]
fn rows_become_structs_without_associations() {
    let post = post();
    assert_eq!((post.id, post.author_id, post.editor_id, post.title.as_str()), (1, 2, None, "Hello"));
    assert_eq!(post.rank, 0);
    assert!(!post.author.is_loaded() && !post.editor.is_loaded());
}

#[test]
fn wrong_rows_are_errors_that_name_the_column() {
    let short = Country::from_values(&mut []).unwrap_err();
    assert!(short.to_string().contains("Country"), "{short}");
    let mut row = [Value::Int(1), Value::Int(2), Value::Null, Value::Null, Value::Null, Value::Null];
    let null = Post::from_values(&mut row).unwrap_err();
    assert!(null.to_string().contains("`Post.headline`"), "{null}");
}

#[test]
fn values_are_read_by_index() {
    let post = post();
    assert_eq!(post.value(0), Value::Int(1));
    assert_eq!(post.value(2), Value::Null);
    assert_eq!(post.value(3), Value::Text("Hello".into()));
    assert_eq!(post.value(6), Value::Null, "there is no such column");
    assert_eq!(post.key(), 1);
}

#[test]
fn values_are_set_by_index() {
    let mut post = post();
    post.editor = BelongsTo::from(None);
    post.set_value(3, &mut Value::Text("Bye".into())).unwrap();
    post.set_value(2, &mut Value::Int(9)).unwrap();
    post.set_value(6, &mut Value::Int(9)).unwrap();
    assert_eq!((post.title.as_str(), post.editor_id), ("Bye", Some(9)));
    assert!(post.editor.is_loaded(), "associations stay");
    let error = post.set_value(0, &mut Value::Null).unwrap_err();
    assert!(error.to_string().contains("`Post.id`"), "{error}");
}

#[test]
fn bare_rows_keep_what_is_not_stored_but_no_association() {
    let mut post = post();
    post.rank = 3;
    post.editor = BelongsTo::from(None);
    let bare = post.bare();
    assert_eq!(bare.rank, 3);
    assert_eq!(bare.editor.state(), LoadState::NotLoaded);
    assert_eq!(Post { editor: BelongsTo::default(), ..post }, bare);
}

#[test]
fn column_tokens_know_index_name_and_type() {
    let title: Column<Post, String> = Post::TITLE;
    assert_eq!((title.index(), title.name()), (3, "headline"));
    let kind: Column<Address, String> = Address::TYPE;
    assert_eq!((kind.index(), kind.name()), (2, "type"));
    assert_eq!(Address::DEF.columns[2].field, "type");
    let columns = [User::ID.index(), User::NAME.index(), User::COMPANY_ID.index()];
    assert_eq!(columns, [0, 1, 2]);
    assert_eq!([Post::STATE, Post::TITLE].map(Column::name), ["state", "headline"]);
    assert_eq!((Post::ID.index(), Post::AUTHOR_ID.index(), Post::EDITOR_ID.index()), (0, 1, 2));
    assert_eq!((Post::CREATED_AT.index(), Company::CODE.index(), Invoice::NUMBER.index()), (4, 1, 1));
    assert_eq!(Membership::NICKNAME.index(), 2);
}

#[test]
fn accessors_read_what_is_loaded() {
    let mut user = User::from_values(&mut [Value::Int(1), Value::Text("Ada".into()), Value::Null]).unwrap();
    user.posts = HasMany::from(vec![post()]);
    user.address = HasOne::from(None);
    let posts: &[Post] = user.posts().unwrap();
    assert_eq!(posts.len(), 1);
    assert_eq!(user.address(), Ok(None));
    let mut post = post();
    post.author = BelongsTo::from(Some(user));
    let author: &User = post.author().unwrap();
    assert_eq!(author.name, "Ada");
    post.editor = BelongsTo::from(Some(author.bare()));
    assert_eq!(post.editor().unwrap().map(|editor| editor.id), Some(1));
}

#[test]
fn accessors_of_what_is_not_loaded_say_what_to_do() {
    let mut post = post();
    let error = post.author().unwrap_err();
    assert_eq!(error, AssociationNotLoaded::new("Post", "author", NotLoadedReason::NotRequested));
    assert_eq!(
        error.to_string(),
        "association `Post.author` is not loaded: add `Query::preload(Post::AUTHOR)` or call `repo.preload`"
    );
    post.author = BelongsTo::from(None);
    assert_eq!(post.author().unwrap_err().reason(), NotLoadedReason::NoRow);
    let user = User { id: 1, name: String::new(), company_id: None, ..user_without_anything() };
    assert_eq!(user.posts().unwrap_err().association(), "posts");
    assert!(user.edited().is_err() && user.address().is_err() && user.company().is_err());
}

fn user_without_anything() -> User {
    User::from_values(&mut [Value::Int(0), Value::Text("".into()), Value::Null]).unwrap()
}

#[test]
fn newtypes_are_columns_and_keys() {
    assert_eq!(EmployeeId::SQL_TYPE, SqlType::Int(64));
    assert_eq!((EmployeeId::NULLABLE, Nickname::NULLABLE), (false, true));
    assert_eq!(EmployeeId::absent(), None);
    assert_eq!(Nickname::absent(), Some(Nickname { text: None }));
    let employee = Employee::from_values(&mut [Value::Int(7), Value::Int(1)]).unwrap();
    assert_eq!((employee.key(), employee.manager_id), (EmployeeId(7), Some(EmployeeId(1))));
    assert_eq!(employee.value(0), Value::Int(7));
    let mut key = Vec::new();
    employee.key().push_values(&mut key);
    assert_eq!(key, [Value::Int(7)]);
    let _largest = Employee::ID.max();
    let error = Employee::from_values(&mut [Value::Text("x".into()), Value::Null]).unwrap_err();
    assert!(error.to_string().contains("`Employee.id`"), "{error}");
}

#[test]
fn other_accessors_exist() {
    let badge = Badge::from_values(&mut [Value::Int(1), Value::Int(7), Value::Null]).unwrap();
    assert!(badge.membership().is_err());
    let employee = Employee::from_values(&mut [Value::Int(7), Value::Int(1)]).unwrap();
    assert!(employee.manager().is_err() && employee.subordinates().is_err());
}

#[test]
fn tokens_and_conditions_compare_and_hash() {
    use std::collections::HashSet;

    assert_eq!(User::NAME, User::NAME);
    assert_ne!(User::POSTS, User::EDITED);
    assert_eq!(HashSet::from([User::POSTS, User::EDITED, User::POSTS]).len(), 2);
    assert_eq!(HashSet::from([User::NAME, User::NAME]).len(), 1);
    assert_eq!(User::NAME.eq("Ada").and(User::ID.gt(1)), User::NAME.eq("Ada").and(User::ID.gt(1)));
    assert_ne!(User::NAME.eq("Ada"), User::NAME.eq("Bob"));
    assert_eq!(User::NAME.asc(), User::NAME.asc());
    assert_ne!(User::NAME.asc(), User::NAME.desc());
    assert_eq!(User::ID.max(), User::ID.max());
    assert_eq!(Post::AUTHOR.filter(User::ID.gt(1)), Post::AUTHOR.filter(User::ID.gt(1)));
    assert_ne!(Post::AUTHOR.limit(1), Post::AUTHOR.limit(2));
}
