//! `build!`: a changeset as a struct literal.

use std::marker::PhantomData;

use assoc_core::{
    Association, BelongsTo, Column, ColumnType, HasMany, HasManyThrough, IntoColumn, JoinRow, Model, Through, ToOne,
};

use super::{Changeset, IntoChangeset, IntoMembers, IntoTarget, WritableMany, WritableOne};
use crate::Permit;

/// A changeset in the form of a struct literal: each field is set, associated or pushed. A literal within it is a new row
/// that is saved with it; a list gives members one by one; `..draft` begins with another changeset.
///
/// | field | value | the same as |
/// |---|---|---|
/// | a column | a value of its type | [`set`](Changeset::set) |
/// | `belongs_to` | a row, a changeset, a literal | [`associate`](Changeset::associate) |
/// | `has_one` | a row, a changeset, a literal | [`set_one`](Changeset::set_one) |
/// | an association to many | a list in `[]`, or anything that is pushed | [`push`](Changeset::push) |
///
/// A misspelt field is an error at the field. The macro is syntax alone: the derive emits nothing for it.
///
/// ```
/// use assoc_repo::prelude::*;
/// # use assoc_sqlite::Sqlite;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, pub name: String, #[has_many] pub posts: HasMany<Post> }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String, #[has_and_belongs_to_many] pub tags: HasAndBelongsToMany<Tag> }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Tag { pub id: i64, pub name: String }
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<User>().await?;
/// # repo.create_table::<Post>().await?;
/// # repo.create_table::<Tag>().await?;
/// # repo.execute_raw("CREATE TABLE posts_tags (post_id INTEGER, tag_id INTEGER)", []).await?;
/// let rust = repo.insert(build!(Tag { name: "rust" })).await?;
/// let name = "Ada";
/// let draft = build!(User {
///     name,
///     posts: [
///         Post { title: "On engines", tags: [&rust, Tag { name: "new" }] },
///         Post { title: "On looms" },
///     ],
/// });
/// let ada = repo.insert(draft).await?;
/// assert_eq!(ada.posts()?[0].tags()?[1].name, "new");
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[macro_export]
macro_rules! build {
    ($($draft:tt)*) => {
        $crate::__build::build!($crate; $($draft)*)
    };
}

/// A [`Permit`](crate::Permit) in the form of a struct literal: columns by their names, associations with what is permitted
/// of their members, as a literal or as a permit with options.
///
/// ```
/// use assoc_repo::prelude::*;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, pub name: String, pub email: String, #[has_many] pub posts: HasMany<Post>, #[has_one] pub desk: HasOne<Option<Desk>> }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Desk { pub id: i64, pub user_id: i64, pub room: i64 }
/// let permit = permit!(User {
///     name,
///     email,
///     desk: Desk { room },
///     posts: permit!(Post { title }).allow_destroy().limit(20),
/// });
/// let draft = User::cast([("name", "Ada"), ("email", "ada@example.org"), ("desk[room]", "7")], &permit);
/// assert!(draft.errors().is_empty());
/// ```
#[macro_export]
macro_rules! permit {
    ($($permit:tt)*) => {
        $crate::__build::permit!($crate; $($permit)*)
    };
}

/// What can be given to a field of `build!`: a column, or an association that can be written.
#[diagnostic::on_unimplemented(
    message = "`{X}` is no value of this field in `build!`",
    label = "the field takes another value",
    note = "a column takes a value of its type; an association takes rows (`&row`), changesets and literals, one to many in a \
            list: `posts: [Post {{ … }}]`"
)]
#[doc(hidden)]
pub trait BuildField<M, X, How> {
    fn give(self, draft: Changeset<M>, value: X) -> Changeset<M>;
}

/// What takes the elements of a list in `build!`: an association to many that can be written.
#[diagnostic::on_unimplemented(
    message = "this field takes no list in `build!`",
    label = "no association to many that can be written",
    note = "a list in `[]` gives members of an association to many: rows (`&row`), changesets and literals; an association to \
            one takes a single one of them, and a column of bytes takes `vec![…]`",
    note = "a `has_many through` can be written where it goes through a `has_many` whose rows belong to both owner and member; \
            otherwise write the association that it goes through"
)]
#[doc(hidden)]
pub trait BuildMembers {
    // A type that what is no such association does not have: the compiler then says nothing of the elements.
    type Members;

    fn members(self) -> Self::Members;
}

/// An association to which a list gives members.
#[doc(hidden)]
pub struct Members<A>(A);

impl<A: Copy> Members<A> {
    pub fn add<M: Model, T: Model, How>(&self, draft: Changeset<M>, member: impl IntoMembers<T, How>) -> Changeset<M>
    where
        A: WritableMany<M, T>,
    {
        draft.push(self.0, member)
    }
}

/// What stands alone in `permit!`: a column.
#[diagnostic::on_unimplemented(
    message = "only a column stands alone in `permit!`",
    label = "no column",
    note = "of an association, say which columns of its members are permitted: `posts: Post {{ title }}`, or with options `posts: \
            permit!(Post {{ title }}).allow_destroy()`"
)]
#[doc(hidden)]
pub trait PermitColumn<M> {
    fn add(self, permit: Permit<M>) -> Permit<M>;
}

#[diagnostic::do_not_recommend]
impl<M: Model, V: ColumnType> PermitColumn<M> for Column<M, V> {
    fn add(self, permit: Permit<M>) -> Permit<M> {
        permit.column(self)
    }
}

#[doc(hidden)]
pub struct AsColumn(());
#[doc(hidden)]
pub struct AsOwner<How>(PhantomData<How>);
#[doc(hidden)]
pub struct AsOne<T, How>(PhantomData<(T, How)>);
#[doc(hidden)]
pub struct AsMany<T, How>(PhantomData<(T, How)>);

impl<M: Model, V: ColumnType, X: IntoColumn<V>> BuildField<M, X, AsColumn> for Column<M, V> {
    fn give(self, draft: Changeset<M>, value: X) -> Changeset<M> {
        draft.set(self, value)
    }
}

impl<M: Model, T, S: ToOne<Target = T>, How, X: IntoTarget<T, How>> BuildField<M, X, AsOwner<How>>
    for Association<M, T, BelongsTo<S>>
{
    fn give(self, draft: Changeset<M>, value: X) -> Changeset<M> {
        draft.associate(self, value)
    }
}

impl<M: Model, T, How, A: WritableOne<M, T>, X: IntoTarget<T, How>> BuildField<M, X, AsOne<T, How>> for A {
    fn give(self, draft: Changeset<M>, value: X) -> Changeset<M> {
        draft.set_one(self, value)
    }
}

impl<M: Model, T: Model, How, A: WritableMany<M, T>, X: IntoMembers<T, How>> BuildField<M, X, AsMany<T, How>> for A {
    fn give(self, draft: Changeset<M>, value: X) -> Changeset<M> {
        draft.push(self, value)
    }
}

macro_rules! build_members {
    ($([$($link:tt)*] $holder:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<M: Model, T: Model $($link)*> BuildMembers for Association<M, T, $holder> {
            type Members = Members<Self>;

            fn members(self) -> Members<Self> {
                Members(self)
            }
        }
    )*};
}

build_members!(
    [] HasMany<T>,
    [, J: JoinRow] HasManyThrough<T, J>,
    [, J: JoinRow] Through<HasManyThrough<T, J>, true>
);

/// What the output of `build!` and `permit!` refers to. Not for anyone else: it changes without notice.
#[doc(hidden)]
pub mod __build {
    use assoc_core::Model;
    pub use assoc_macros::{build, permit};

    use super::{BuildField, BuildMembers, Changeset, IntoChangeset, PermitColumn};
    use crate::Permit;

    /// The changeset that a literal continues.
    pub fn begin<M: Model>(draft: impl IntoChangeset<M>) -> Changeset<M> {
        draft.into_changeset()
    }

    /// Gives a field its value.
    pub fn field<M, X, How>(field: impl BuildField<M, X, How>, draft: Changeset<M>, value: X) -> Changeset<M> {
        field.give(draft, value)
    }

    /// What takes the elements of a list. It has a method, because the compiler reports a missing bound of a function twice.
    pub struct Lists;

    impl Lists {
        pub fn members<F: BuildMembers>(&self, field: F) -> F::Members {
            field.members()
        }
    }

    /// Permits a column.
    pub fn permitted<M>(column: impl PermitColumn<M>, permit: Permit<M>) -> Permit<M> {
        column.add(permit)
    }
}
