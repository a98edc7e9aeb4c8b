//! The derives of `assoc`: [`Model`](macro@Model) for structs that are rows, [`Polymorphic`](macro@Polymorphic) for
//! enums of models, [`ColumnType`](macro@ColumnType) for newtypes that are columns.
//!
//! Programs use them through `assoc-repo`, which re-exports them; this documentation holds there too. The derives write
//! constants and thin functions: no attribute costs anything at run time, and each costs little at compile time.
//!
//! A derive reports all mistakes at once, each at its attribute or field. The compiler finds mistakes that concern
//! another struct (its foreign key column, the column's type) in the constants, and reports them at the same places.

use errors::Errors;
use expand::Root;
use proc_macro::TokenStream;
use syn::DeriveInput;

mod attributes;
mod callbacks;
mod column_type;
mod dependent;
mod errors;
mod expand;
mod follow;
mod holder;
mod kinds;
mod literal;
mod names;
mod options;
mod parse;
mod plain_options;
mod polymorphic;
#[cfg(test)]
mod snapshots;
mod validate;

/// Makes a struct with named fields a model: a row of a table, with columns and associations.
///
/// The struct must be `Clone`. Each field is a column, unless it is an association or skipped.
///
/// ```
/// use assoc_core::{AssociationNotLoaded, BelongsTo, HasMany, Model};
/// use assoc_macros::Model;
///
/// #[derive(Model, Debug, Clone)]
/// struct User {
///     id: i64,
///     name: String,
///     #[has_many]
///     posts: HasMany<Post>,
/// }
///
/// #[derive(Model, Debug, Clone)]
/// #[model(table = "blog.articles")]
/// struct Post {
///     id: i64,
///     user_id: i64,
///     #[column(name = "headline", length = 80)]
///     title: String,
///     #[belongs_to]
///     user: BelongsTo<User>,
/// }
///
/// assert_eq!(User::DEF.table.to_string(), "users");
/// assert_eq!(Post::TITLE.name(), "headline");
/// assert_eq!(User::POSTS.def().inverse().unwrap(), Some(Post::USER.def()));
///
/// fn titles(user: &User) -> Result<Vec<&str>, AssociationNotLoaded> {
///     Ok(user.posts()?.iter().map(|post| post.title.as_str()).collect())
/// }
/// ```
///
/// # What is written
///
/// * `impl Model`: the definition `User::DEF`, reading of rows, the primary key.
/// * For each column a constant, the field's name in upper case: `User::NAME: Column<User, String>`.
/// * For each association a constant, `User::POSTS: Association<User, Post, HasMany<Post>>`, and a method that reads
///   its loaded rows: `user.posts()`.
///
/// Constants and methods are as visible as their fields.
///
/// # On the struct: `#[model(…)]`
///
/// | option | meaning | without it |
/// |---|---|---|
/// | `table = "users"`, `table = "blog.users"` | the table, with its schema if it is not the default one | the struct's name in snake case, its last word in the plural: `BlogPost` is in `blog_posts`, `Person` in `people` |
/// | `primary_key = "code"`, `primary_key = "user_id, group_id"` | the fields (by their Rust names) that are the primary key, up to four | the field `id` if there is one, otherwise no primary key |
/// | `auto_increment = false` | the program sets the key | the database makes an integer key of one column, unless it is also the foreign key of a `belongs_to`, or the column has a default |
/// | `default_scope = published` | a function from `Scope<Self>` to `Scope<Self>`, which every read of the model applies unless it says `unscoped` | nothing |
/// | `rules = Self::rules` | a function from `Rules<Self>` to `Rules<Self>`: what a row satisfies before it is written | only what the types and the table say |
/// | `discriminator = "kind"` | the text field that distinguishes this model from others in the same table | no other model uses the table |
/// | `tag = "special"` | this model's value in the discriminator | the struct's name |
/// | `read_back` | inserts and updates read their rows back, because triggers change them | a returned row lacks the changes of triggers that run after the statement |
/// | `callbacks` | functions run when rows are saved and destroyed: those of [`#[callbacks] impl Callbacks`](macro@callbacks) | none do |
/// | `crate = "my_orm::assoc"` | where the core (or a crate that re-exports its `__private` module) is | `assoc_core`, or `assoc_repo` |
///
/// ```
/// # use assoc_core::Model;
/// # use assoc_macros::Model;
/// #[derive(Model, Clone)]
/// #[model(table = "memberships", primary_key = "user_id, group_id")]
/// struct Membership {
///     user_id: i64,
///     group_id: i64,
/// }
///
/// let membership = Membership { user_id: 7, group_id: 3 };
/// assert_eq!(membership.key(), (7, 3));
/// ```
///
/// # On a column: `#[column(…)]`
///
/// | option | meaning |
/// |---|---|
/// | `name = "headline"` | its name in the database; without it, the field's (`r#type` is stored in `type`) |
/// | `default` | the database fills in the column when an insert leaves it out |
/// | `default = "CURRENT_TIMESTAMP"` | the same, with the SQL expression that `CREATE TABLE` states |
/// | `length = 80` | the length of a text column, for `CREATE TABLE` on databases that want one |
/// | `precision = 12, scale = 2` | the digits of a decimal column, and those of them after the point (0 without `scale`), for `CREATE TABLE` |
/// | `generated` | the database computes the column: a changeset cannot set it, and an update reads it back |
/// | `generated = "price * amount"` | the same, with the SQL expression that `CREATE TABLE` states (`GENERATED ALWAYS AS (…) STORED`) |
/// | `default_with = Uuid::now_v7` | a function gives its value when an insert leaves it out: a key that the application makes |
/// | `created_at` | holds the time of the insert, in UTC: a date and time, or a date, of `chrono`, `time` or `jiff` |
/// | `updated_at` | holds the time of the insert, and of each update that writes something |
/// | `lock_version` | an integer that counts the updates of the row; an update or delete of a row that has another one by then is refused (`Stale`) |
/// | `counter_cache` | an integer, or an `Option` of one, that counts the rows that belong to the row by a `belongs_to` with `counter_cache`: 0 in new rows, and never set by a changeset |
/// | `read_back` | an update reads the column back, because the database changes it (`ON UPDATE CURRENT_TIMESTAMP`) or stores another form of the value (`ENUM`) |
///
/// What is set in a changeset goes before `default_with`, `created_at` and `updated_at`. A `lock_version` can be set for a new
/// row only.
///
/// A field with `#[model(skip)]` is not stored: a row that is read has `Default::default()` there. A field of type
/// `RowOrigin` is not stored either: it says whether the row was loaded as read-only, see `readonly` [below](#scopes-and-other-options).
///
/// ```
/// # use assoc_core::metadata::ColumnDefault;
/// # use assoc_core::Model;
/// # use assoc_macros::Model;
/// #[derive(Model, Clone)]
/// struct Note {
///     id: i64,
///     #[column(default = "'draft'", length = 10)]
///     r#type: String,
///     #[model(skip)]
///     unsaved_changes: bool,
/// }
///
/// assert_eq!(Note::TYPE.name(), "type");
/// assert_eq!(Note::DEF.columns[1].default, ColumnDefault::Sql("'draft'"));
/// assert_eq!(Note::DEF.columns.len(), 2);
/// ```
///
/// # On an association: `#[belongs_to]`, `#[has_one]`, `#[has_many]`, `#[has_and_belongs_to_many]`
///
/// Exactly one of the four, on a field of the type of the same name:
///
/// | attribute | field | the foreign key is |
/// |---|---|---|
/// | `#[belongs_to]` | `BelongsTo<User>`, or `BelongsTo<Option<User>>` if there may be no target | here: the field `user_id` for an association `user` |
/// | `#[has_one]` | `HasOne<Address>` or `HasOne<Option<Address>>` | at the target: its field `user_id` for a struct `User` |
/// | `#[has_many]` | `HasMany<Post>` | at the target: its field `user_id` for a struct `User` |
/// | `#[has_many(through = "…")]` | `HasManyThrough<Group>` | that of another association, see [below](#through) |
/// | `#[has_and_belongs_to_many]` | `HasAndBelongsToMany<Tag>` | in a join table, see [below](#join-tables) |
///
/// | option | meaning | without it |
/// |---|---|---|
/// | `foreign_key = "author_id"` | the fields of the model on which the foreign key is | see above |
/// | `primary_key = "code"` | the fields of the other model that it refers to | that model's primary key |
///
/// Both name fields by their Rust names, and both can name several, with commas between them; the first refers to the
/// first. A foreign key has the type of the key it refers to, or is an `Option` of it: anything else does not
/// compile.
///
/// ```
/// # use assoc_core::{BelongsTo, HasMany, Model};
/// # use assoc_macros::Model;
/// #[derive(Model, Clone)]
/// struct Employee {
///     id: i64,
///     manager_id: Option<i64>,
///     country_code: String,
///     #[belongs_to]
///     manager: BelongsTo<Option<Employee>>,
///     #[has_many(foreign_key = "manager_id")]
///     subordinates: HasMany<Employee>,
///     #[belongs_to(foreign_key = "country_code", primary_key = "code")]
///     country: BelongsTo<Country>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Country {
///     id: i64,
///     code: String,
/// }
///
/// assert_eq!(Employee::MANAGER.def().inverse().unwrap(), Some(Employee::SUBORDINATES.def()));
/// ```
///
/// ## Through
///
/// `through` names another association of the struct, declared before or after. The target of that association has the
/// *source*: the association to the targets of this one. All owners of a row share it: `user.groups()` is a
/// `&[Arc<Group>]`.
///
/// | option | meaning | without it |
/// |---|---|---|
/// | `through = "memberships"` | the association it goes through | |
/// | `source = "group"` | the association that it continues with | the one with this association's name, in the singular or else in the plural |
/// | `source_type = "Post"` | the type of a polymorphic source to follow: the tag of its variant | |
///
/// Both may be `through` associations themselves. A `#[has_one(through = "…")]` is in a `HasOne`, and its `through` is
/// a `has_one` or `belongs_to`.
///
/// ```
/// # use assoc_core::{BelongsTo, HasMany, HasManyThrough, Model};
/// # use assoc_macros::Model;
/// #[derive(Model, Clone)]
/// struct User {
///     id: i64,
///     #[has_many]
///     memberships: HasMany<Membership>,
///     #[has_many(through = "memberships")]
///     groups: HasManyThrough<Group>,
///     #[has_many(through = "groups", source = "memberships")]
///     memberships_around: HasManyThrough<Membership>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Membership {
///     id: i64,
///     user_id: i64,
///     group_id: i64,
///     #[belongs_to]
///     group: BelongsTo<Group>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Group {
///     id: i64,
///     #[has_many]
///     memberships: HasMany<Membership>,
/// }
///
/// assert_eq!(User::GROUPS.def().association_kind().name(), "has_many through");
/// ```
///
/// ## Join tables
///
/// A `has_and_belongs_to_many` uses a join table, which needs no model. These options name its columns, by their names
/// in the database:
///
/// | option | meaning | without it |
/// |---|---|---|
/// | `join_table = "posts_tags"` | the table, with its schema if need be | both tables' names in alphabetical order (by bytes), their common beginning up to a `_` only once: `catalog_categories_products` |
/// | `foreign_key = "post_id"` | its columns that refer to this struct | `post_id` for a struct `Post` |
/// | `association_foreign_key = "tag_id"` | its columns that refer to the target | `tag_id` for a target `Tag` |
///
/// ```
/// # use assoc_core::{HasAndBelongsToMany, Model};
/// # use assoc_macros::Model;
/// #[derive(Model, Clone)]
/// struct Post {
///     id: i64,
///     #[has_and_belongs_to_many]
///     tags: HasAndBelongsToMany<Tag>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Tag {
///     id: i64,
///     #[has_and_belongs_to_many]
///     posts: HasAndBelongsToMany<Post>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Person {
///     id: i64,
///     #[has_and_belongs_to_many(
///         join_table = "friendships",
///         foreign_key = "person_id",
///         association_foreign_key = "friend_id"
///     )]
///     friends: HasAndBelongsToMany<Person>,
/// }
/// ```
///
/// A join table with more columns than the two keys can have a model: the second parameter of the field's type. The
/// same statements load its rows beside the targets, for reading. `foreign_key` and `association_foreign_key` then name
/// fields of that model, the model's table is the join table, and a second method reads both,
/// `post.tags_with_join_rows()`.
///
/// ```
/// # use assoc_core::{AssociationNotLoaded, HasAndBelongsToMany, Model};
/// # use assoc_macros::Model;
/// #[derive(Model, Clone)]
/// struct Post {
///     id: i64,
///     #[has_and_belongs_to_many]
///     tags: HasAndBelongsToMany<Tag, PostTag>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Tag {
///     id: i64,
/// }
///
/// #[derive(Model, Clone)]
/// #[model(table = "posts_tags")]
/// struct PostTag {
///     post_id: i64,
///     tag_id: i64,
///     position: i64,
/// }
///
/// fn first(post: &Post) -> Result<Option<&Tag>, AssociationNotLoaded> {
///     let mut tags = post.tags_with_join_rows()?;
///     Ok(tags.find(|(_, link)| link.position == 1).map(|(tag, _)| tag))
/// }
/// ```
///
/// ## Polymorphic associations
///
/// A `#[belongs_to(polymorphic)]` refers to one of several models, the variants of an enum with
/// [`Polymorphic`](macro@Polymorphic). The owner stores the type beside the key. The other side declares `as`.
///
/// | option | of | meaning | without it |
/// |---|---|---|---|
/// | `polymorphic` | `belongs_to` | the target is an enum of models | |
/// | `foreign_type = "imageable_type"` | `belongs_to` | the field that stores the type, a `String` or `Option<String>` | `imageable_type` for an association `imageable` |
/// | `unknown_type = "not_loaded"` | `belongs_to` | an association whose row names an unknown type stays not loaded, and reading it is an error that says so | an error: `unknown_type = "error"` |
/// | `as = "imageable"` | `has_one`, `has_many` | the association of the target that refers back | |
/// | `foreign_key`, `foreign_type` | the same | the target's fields for key and type | `imageable_id` and `imageable_type` |
/// | `tag = "employee"` | the same | the stored type of this struct: the tag of its variant | the struct's name |
///
/// ```
/// # use assoc_core::{BelongsTo, HasMany, Model};
/// # use assoc_macros::{Model, Polymorphic};
/// #[derive(Polymorphic, Clone)]
/// enum Imageable {
///     Employee(Employee),
///     Product(Product),
/// }
///
/// #[derive(Model, Clone)]
/// struct Picture {
///     id: i64,
///     imageable_id: Option<i64>,
///     imageable_type: Option<String>,
///     #[belongs_to(polymorphic)]
///     imageable: BelongsTo<Option<Imageable>>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Employee {
///     id: i64,
///     #[has_many(as = "imageable")]
///     pictures: HasMany<Picture>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Product {
///     id: i64,
/// }
/// ```
///
/// ## Deprecated associations
///
/// `#[deprecated(note = "…")]` beside the attribute applies to the association's constant and methods as well as to its
/// field. The compiler warns about code that names them, but not about the derived code.
///
/// ```
/// # use assoc_core::{HasMany, Model};
/// # use assoc_macros::Model;
/// #[derive(Model, Clone)]
/// struct User {
///     id: i64,
///     #[deprecated(note = "read `articles`")]
///     #[has_many]
///     posts: HasMany<Post>,
///     #[has_many]
///     articles: HasMany<Post>,
/// }
/// #
/// # #[derive(Model, Clone)]
/// # struct Post {
/// #     id: i64,
/// #     user_id: i64,
/// # }
/// ```
///
/// ## Scopes and other options
///
/// | option | of | meaning |
/// |---|---|---|
/// | `filter = Post::STATE.eq("new")` | all | only rows that satisfy a condition |
/// | `order = Post::ID.desc()`, `order = [Post::STATE.asc(), Post::ID.desc()]` | all | their order; a `has_one` takes the first |
/// | `limit = 3`, `offset = 1` | lists | the number of rows per owner, and the number of rows per owner to skip first |
/// | `distinct` | `through`, `has_and_belongs_to_many` | each row once per owner |
/// | `include = Post::AUTHOR` | all | an association that is loaded whenever the rows are |
/// | `scope = latest` | all | a function from `Scope<Post>` to `Scope<Post>`, which receives the options above as a scope; it may also `select` and `group_by` columns |
/// | `scope_by_owner = of_birth_year` | all | a function of the owner as well: from `&User` and `Scope<Post>` to `Scope<Post>` |
/// | `autosave = false`, `autosave = true` | all | whether new and changed members that are given to a changeset are saved with it; with `false` it takes rows that exist, and links them. Without it they are saved |
/// | `validate = false` | all | problems that the application found in members do not refuse the save of their owner |
/// | `readonly` | all | the repo refuses to save or delete loaded rows; the target has a field of type `RowOrigin` for the mark |
/// | `inverse_of = "author"`, `inverse_of = false` | all | the association of the target that refers back, or `false` if there is none; without it, the only one over the same key |
/// | `dependent = "destroy"`, `"delete"`, `"nullify"`, `"restrict_with_error"`, `"restrict_with_exception"`, `"database"` | all but `has_and_belongs_to_many`, whose links always go; a `belongs_to` takes the first two | what becomes of the rows when their owner is destroyed; without it, nothing |
/// | `counter_cache`, `counter_cache = "replies_count"` | `belongs_to` | the target's column `comments_count`, or another one, counts the rows that belong to it; it says `#[column(counter_cache)]`. Of a polymorphic association each model has it |
/// | `counter_cache_active = false` | `belongs_to` | the counter is kept, and not yet read in place of a count |
/// | `counter_cache = "replies_count"` | `has_many` | which of the owner's columns counts its rows, where several do |
/// | `touch`, `touch = "discussed_at, seen_at"` | `belongs_to`, `has_one` | a written row sets the target's `updated_at`, and these columns |
/// | `before_add`, `after_add`, `before_remove`, `after_remove` `= f`, or `= [f, g]` | lists | functions that run when rows become members by a save, and when they are members no longer: `async fn(&Self, &T, &CallbackContext) -> Result<()>`, of `before_add` with a `&Change<T>`; for models that derive from `assoc_repo` |
/// | `accessor = false` | all | the derive writes no method, so that the program can write one of this name |
///
/// Of these, a polymorphic `belongs_to` takes `include`, `autosave`, `validate`, `readonly`, `inverse_of = false`, `dependent`,
/// `counter_cache`, `touch` and `accessor`.
///
/// A hand-written accessor gets from the field what the derived one returns:
///
/// ```
/// # use assoc_core::{AssociationNotLoaded, HasMany, Model};
/// # use assoc_macros::Model;
/// #[derive(Model, Clone)]
/// struct User {
///     id: i64,
///     #[has_many(accessor = false)]
///     posts: HasMany<Post>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Post {
///     id: i64,
///     user_id: i64,
///     draft: bool,
/// }
///
/// impl User {
///     fn posts(&self) -> Result<Vec<&Post>, AssociationNotLoaded> {
///         let posts = self.posts.get().map_err(|reason| User::POSTS.not_loaded(reason))?;
///         Ok(posts.iter().filter(|post| !post.draft).collect())
///     }
/// }
/// ```
///
/// For an association with join rows beside the targets, both methods are left out; `self.tags.get_with_join_rows()`
/// reads the join rows.
///
/// ```
/// # use assoc_core::{BelongsTo, HasMany, HasOne, Model, RowOrigin, Scope};
/// # use assoc_macros::Model;
/// #[derive(Model, Clone)]
/// struct User {
///     id: i64,
///     born_in: i64,
///     #[has_many(filter = Post::STATE.ne("draft"), order = Post::ID.desc(), limit = 3)]
///     posts: HasMany<Post>,
///     #[has_one(order = [Post::YEAR.asc(), Post::ID.asc()], inverse_of = "user")]
///     first: HasOne<Option<Post>>,
///     #[has_many(scope = drafts, readonly)]
///     drafts: HasMany<Post>,
///     #[has_many(scope_by_owner = before_birth)]
///     mistaken: HasMany<Post>,
/// }
///
/// fn drafts(posts: Scope<Post>) -> Scope<Post> {
///     posts.filter(Post::STATE.eq("draft")).order_by(Post::YEAR.desc())
/// }
///
/// fn before_birth(user: &User, posts: Scope<Post>) -> Scope<Post> {
///     posts.filter(Post::YEAR.lt(user.born_in))
/// }
///
/// #[derive(Model, Clone)]
/// struct Post {
///     id: i64,
///     user_id: i64,
///     year: i64,
///     state: String,
///     origin: RowOrigin,
///     #[belongs_to]
///     user: BelongsTo<User>,
/// }
/// ```
///
/// ## Hand-written SQL
///
/// A hand-written statement can replace the look-up by key of a `has_many` or `has_and_belongs_to_many`.
///
/// | option | meaning |
/// |---|---|
/// | `finder_sql = mentions_of` | a function from `&User` to `RawSql`, which selects exactly the target's columns, in their order |
/// | `counter_sql = count_mentions_of` | a function from `&User` to the `RawSql` that counts the rows; without it, the rows of `finder_sql` are counted |
///
/// `filter`, `order`, `limit`, `offset`, `scope`, `include` and `readonly` can be declared as well; keys, `join_table`,
/// `through`, `as`, `scope_by_owner`, `distinct` and `inverse_of` cannot.
///
/// ```
/// # use assoc_core::{HasMany, Model, RawSql, Value};
/// # use assoc_macros::Model;
/// #[derive(Model, Clone)]
/// struct User {
///     id: i64,
///     name: String,
///     #[has_many(finder_sql = mentions_of)]
///     mentions: HasMany<Post>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Post {
///     id: i64,
///     body: String,
/// }
///
/// fn mentions_of(user: &User) -> RawSql {
///     RawSql::new("SELECT id, body FROM posts WHERE body LIKE ?", [Value::from(format!("%@{}%", user.name))])
/// }
/// ```
///
/// # Names that are taken
///
/// No column can be named `def` or `primary_key`, because of `User::DEF` and `User::PRIMARY_KEY`. Give the field
/// another name and keep the name of the column with `#[column(name = "def")]`. No association can have these names
/// either, nor `build`, `change`, `key`, `value`, `set_value`, `bare`, `clone`, `from_values`, `row_origin` or
/// `row_origin_mut`, because those are methods of every model.
#[proc_macro_derive(Model, attributes(model, column, belongs_to, has_one, has_many, has_and_belongs_to_many))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    expand_model(input.into(), Root::Core).into()
}

#[doc(hidden)]
#[proc_macro_derive(RepoModel, attributes(model, column, belongs_to, has_one, has_many, has_and_belongs_to_many))]
pub fn derive_repo_model(input: TokenStream) -> TokenStream {
    expand_model(input.into(), Root::Repo).into()
}

/// Makes a newtype a column type: the database stores the wrapped value.
///
/// ```
/// use assoc_core::{BelongsTo, ColumnType, Model, SqlType};
/// use assoc_macros::{ColumnType, Model};
///
/// #[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq)]
/// #[column_type(key)]
/// struct UserId(i64);
///
/// #[derive(ColumnType, Debug, Clone)]
/// struct Email(String);
///
/// #[derive(Model, Clone)]
/// struct User {
///     id: UserId,
///     email: Option<Email>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Post {
///     id: i64,
///     user_id: UserId, // An `i64` would not compile: it is no key of a user.
///     #[belongs_to]
///     user: BelongsTo<User>,
/// }
///
/// assert_eq!(UserId::SQL_TYPE, SqlType::Int(64));
/// assert_eq!(User { id: UserId(7), email: None }.key(), UserId(7));
/// ```
///
/// # `#[column_type(…)]`
///
/// | option | meaning |
/// |---|---|
/// | `key` | the type can be a primary key; it must then be `Clone`, `PartialEq` and `Debug` |
/// | `crate = "my_orm::assoc"` | where the core (or a crate that re-exports its `__private` module) is |
#[proc_macro_derive(ColumnType, attributes(column_type))]
pub fn derive_column_type(input: TokenStream) -> TokenStream {
    expand_column_type(input.into(), Root::Core).into()
}

#[doc(hidden)]
#[proc_macro_derive(RepoColumnType, attributes(column_type))]
pub fn derive_repo_column_type(input: TokenStream) -> TokenStream {
    expand_column_type(input.into(), Root::Repo).into()
}

/// Makes an enum of models, one per variant, the target of polymorphic associations.
///
/// The enum must be `Clone`. Each variant contains one model, and no two variants the same model.
///
/// ```
/// use assoc_core::{BelongsTo, HasMany, Model, Polymorphic as _};
/// use assoc_macros::{Model, Polymorphic};
///
/// #[derive(Polymorphic, Clone)]
/// enum Commentable {
///     Post(Post),
///     #[polymorphic(tag = "photo")]
///     Picture(Picture),
/// }
///
/// #[derive(Model, Clone)]
/// struct Comment {
///     id: i64,
///     commentable_id: i64,
///     commentable_type: String,
///     #[belongs_to(polymorphic)]
///     commentable: BelongsTo<Commentable>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Post {
///     id: i64,
///     #[has_many(as = "commentable")]
///     comments: HasMany<Comment>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Picture {
///     id: i64,
///     #[has_many(as = "commentable", tag = "photo")]
///     comments: HasMany<Comment>,
/// }
///
/// let tags: Vec<_> = Commentable::VARIANTS.iter().map(|variant| variant.tag).collect();
/// assert_eq!(tags, ["Post", "photo"]);
///
/// // The associations to load for the posts among the targets.
/// let tree = Comment::COMMENTABLE.with(Commentable::POST.with(Post::COMMENTS));
/// # let _ = tree;
/// let target = Commentable::from(Post { id: 1, comments: HasMany::default() });
/// assert!(matches!(target, Commentable::Post(_)));
/// ```
///
/// # What is written
///
/// * `impl Polymorphic`: the models with their tags.
/// * For each variant a constant, its name in upper case (`BLOG_POST` of `BlogPost`), and `From` of its model.
///
/// # `#[polymorphic(…)]`
///
/// | option | on | meaning |
/// |---|---|---|
/// | `tag = "photo"` | a variant | the variant's value in the type column; without it, the model's name |
/// | `primary_key = "passport"`, `primary_key = "room, code"` | a variant | the fields of its model that the foreign key refers to; without it, the model's primary key |
/// | `crate = "my_orm::assoc"` | the enum | where the core (or a crate that re-exports its `__private` module) is |
///
/// All types share the foreign key, so all their keys have the same number and types of columns. If a type has a
/// special key, its other side names the same key:
///
/// ```
/// # use assoc_core::{BelongsTo, HasMany, Model};
/// # use assoc_macros::{Model, Polymorphic};
/// #[derive(Polymorphic, Clone)]
/// enum Recipient {
///     #[polymorphic(primary_key = "passport")]
///     Citizen(Citizen),
///     Firm(Firm),
/// }
///
/// #[derive(Model, Clone)]
/// struct Parcel {
///     id: i64,
///     to_number: String,
///     to_type: String,
///     #[belongs_to(polymorphic, foreign_key = "to_number")]
///     to: BelongsTo<Recipient>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Citizen {
///     id: i64,
///     passport: String,
///     #[has_many(as = "to", primary_key = "passport", foreign_key = "to_number")]
///     parcels: HasMany<Parcel>,
/// }
///
/// #[derive(Model, Clone)]
/// #[model(primary_key = "registration")]
/// struct Firm {
///     registration: String,
/// }
/// ```
///
/// The key and the foreign key must be stored in the same form; their Rust types may differ, so a newtype fits the type
/// that it wraps.
#[proc_macro_derive(Polymorphic, attributes(polymorphic))]
pub fn derive_polymorphic(input: TokenStream) -> TokenStream {
    expand_polymorphic(input.into(), Root::Core).into()
}

#[doc(hidden)]
#[proc_macro_derive(RepoPolymorphic, attributes(polymorphic))]
pub fn derive_repo_polymorphic(input: TokenStream) -> TokenStream {
    expand_polymorphic(input.into(), Root::Repo).into()
}

#[doc(hidden)]
#[proc_macro]
pub fn build(input: TokenStream) -> TokenStream {
    expand_literal(input.into(), literal::build).into()
}

#[doc(hidden)]
#[proc_macro]
pub fn permit(input: TokenStream) -> TokenStream {
    expand_literal(input.into(), literal::permit).into()
}

// As an expression, also where there are mistakes.
fn expand_literal(
    input: proc_macro2::TokenStream,
    expand: fn(proc_macro2::TokenStream, &mut Errors) -> Option<proc_macro2::TokenStream>,
) -> proc_macro2::TokenStream {
    let mut errors = Errors::default();
    let code = expand(input, &mut errors);
    let errors = errors.into_compile_errors();
    if errors.is_empty() { quote::quote!(#code) } else { quote::quote!({ #errors }) }
}

/// Above `impl Callbacks for User`: declares which callbacks the model has. The struct says `#[model(callbacks)]`.
///
/// It leaves the `impl` as it is, and writes a constant table of the functions that are there. So a save or a destroy knows,
/// before it runs, whether a callback must see the rows, and a function that is misspelt is an error.
///
/// `#[callbacks(crate = "my_orm::repo")]` says where `assoc_repo` is, for a program that has it under another name.
///
/// ```ignore
/// use assoc_repo::prelude::*;
///
/// #[callbacks]
/// impl Callbacks for User {
///     async fn before_save(user: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
///         // …
///         Ok(())
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn callbacks(options: TokenStream, item: TokenStream) -> TokenStream {
    callbacks::expand(options.into(), item.into()).into()
}

fn expand_model(input: proc_macro2::TokenStream, root: Root) -> proc_macro2::TokenStream {
    expanded(input, |input, errors| {
        let model = parse::model(input, errors)?;
        let model = validate::model(model, errors);
        Some(if errors.is_empty() { expand::model(&model, root) } else { expand::stand_in(&model, root) })
    })
}

fn expand_column_type(input: proc_macro2::TokenStream, root: Root) -> proc_macro2::TokenStream {
    expanded(input, |input, errors| {
        let newtype = column_type::newtype(input, errors)?;
        Some(expand::column_type(&newtype, root))
    })
}

fn expand_polymorphic(input: proc_macro2::TokenStream, root: Root) -> proc_macro2::TokenStream {
    expanded(input, |input, errors| {
        let polymorphic = polymorphic::polymorphic(input, errors)?;
        Some(expand::polymorphic(&polymorphic, root, !errors.is_empty()))
    })
}

fn expanded(
    input: proc_macro2::TokenStream,
    expand: impl FnOnce(DeriveInput, &mut Errors) -> Option<proc_macro2::TokenStream>,
) -> proc_macro2::TokenStream {
    let mut errors = Errors::default();
    let code = match syn::parse2(input) {
        Ok(input) => expand(input, &mut errors),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    let mut output = errors.into_compile_errors();
    output.extend(code);
    output
}
