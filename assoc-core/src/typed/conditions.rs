//! Conditions on the targets of an association: `User::POSTS.any(…)`, `.none(…)`, `.associated()`, `.missing()`.

use super::association::Association;
use super::filter::Filter;
use super::variant::Variant;
use crate::metadata::association::{AssociationDef, HasVariant, Linkage};
use crate::metadata::expr::{Comparison, Expr, Operand};
use crate::metadata::model::{Model, ModelDef};

impl<O, T, H> Association<O, T, H> {
    fn related(self, filter: Expr) -> Filter<O> {
        Filter::new(Expr::related(self.def(), filter))
    }

    /// Owners with at least one target that satisfies a condition. The condition is an `EXISTS`, so it never repeats an
    /// owner. The targets are those that loading the association gives: the one row of a `has_one`, and the rows within
    /// the limit of an association that has one.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let with_good_posts = User::POSTS.any(Post::STARS.gt(3)); // for `Query::filter`
    /// # let _ = with_good_posts;
    /// ```
    #[must_use]
    pub fn any(self, filter: Filter<T>) -> Filter<O> {
        self.related(filter.into_expr())
    }

    /// Owners without a target that satisfies a condition.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// // Users without a post of that title, also those without any post.
    /// let others = User::POSTS.none(Post::TITLE.eq("Looms"));
    /// assert_eq!(others, !User::POSTS.any(Post::TITLE.eq("Looms")));
    /// ```
    #[must_use]
    pub fn none(self, filter: Filter<T>) -> Filter<O> {
        self.any(filter).not()
    }

    /// Owners whose association refers to this row: `Query::filter(Post::AUTHOR.is(&ann))`. For a `belongs_to` the
    /// condition compares the owner's foreign key; for other kinds it is an `EXISTS` on the target's primary key. A row
    /// whose key is `NULL` has no owners.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// # let ada = User { id: 1, name: "Ada".to_owned(), age: None, posts: HasMany::default() };
    /// let of_ada = Post::USER.is(&ada); // user_id = ?
    /// # let _ = of_ada;
    /// ```
    #[must_use]
    pub fn is<R>(self, target: &R) -> Filter<O>
    where
        R: Model,
        T: OfType<R>,
    {
        self.is_any_of(std::slice::from_ref(target))
    }

    /// Owners whose association refers to at least one of these rows. An empty slice matches no owner.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// # let users: Vec<User> = Vec::new();
    /// let of_them = Post::USER.is_any_of(&users); // user_id IN (…)
    /// # let _ = of_them;
    /// ```
    #[must_use]
    pub fn is_any_of<R>(self, targets: &[R]) -> Filter<O>
    where
        R: Model,
        T: OfType<R>,
    {
        let targets: Vec<&R> = targets.iter().collect();
        Filter::new(refers_to_any(self.def(), &targets))
    }

    /// Owners with at least one target.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let writers = User::POSTS.associated(); // EXISTS (…)
    /// # let _ = writers;
    /// ```
    #[must_use]
    pub fn associated(self) -> Filter<O> {
        self.related(Expr::always())
    }

    /// Owners without a target: the association refers to nothing, or to rows that do not exist.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// assert_eq!(User::POSTS.missing(), !User::POSTS.associated()); // NOT EXISTS (…)
    /// ```
    #[must_use]
    pub fn missing(self) -> Filter<O> {
        self.associated().not()
    }
}

/// A value that an association could be compared with. There is none: the message says what to write instead.
#[diagnostic::on_unimplemented(
    message = "an association is not compared with a value such as `{Self}`: its columns are",
    label = "not what an association holds",
    note = "owners of a row that satisfies a condition: `User::POSTS.any(Post::TITLE.eq(\"On looms\"))`",
    note = "the row that a `belongs_to` refers to: `Post::USER.is(&user)`, or by its key `Post::USER_ID.eq(1)`"
)]
pub trait ComparedWithAssociation<O> {
    #[doc(hidden)]
    fn compared(self, with: &'static AssociationDef) -> Filter<O>;
}

// Without these, the compiler finds `PartialEq::eq`, and asks for a reference to an association.
impl<O, T, H> Association<O, T, H> {
    #[doc(hidden)]
    #[must_use]
    #[allow(clippy::should_implement_trait)] // `User::POSTS == User::COMMENTS` works as well, through `PartialEq`.
    pub fn eq(self, value: impl ComparedWithAssociation<O>) -> Filter<O> {
        value.compared(self.def())
    }

    #[doc(hidden)]
    #[must_use]
    pub fn ne(self, value: impl ComparedWithAssociation<O>) -> Filter<O> {
        self.eq(value).not()
    }
}

impl<O, E, H> Association<O, E, H> {
    /// Owners whose polymorphic association names one model: `Query::filter(Picture::IMAGEABLE.of_type(Imageable::EMPLOYEE))`.
    /// It compares the column of the type, and does not look at the target, which may be gone.
    ///
    /// ```
    /// # use assoc_core::{BelongsTo, HasMany};
    /// # #[derive(assoc_macros::Polymorphic, Debug, Clone)]
    /// # enum Subject { Post(Post), Photo(Photo) }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Comment {
    /// #     id: i64,
    /// #     subject_id: i64,
    /// #     subject_type: String,
    /// #     #[belongs_to(polymorphic)]
    /// #     subject: BelongsTo<Subject>,
    /// # }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Post { id: i64, #[has_many] lines: HasMany<Line> }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Photo { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Line { id: i64, post_id: i64 }
    /// let of_posts = Comment::SUBJECT.of_type(Subject::POST); // for `Query::filter`
    /// assert_ne!(of_posts, Comment::SUBJECT.of_type(Subject::PHOTO));
    /// ```
    #[must_use]
    pub fn of_type<M: Model>(self, variant: Variant<E, M>) -> Filter<O>
    where
        E: HasVariant<M>,
    {
        // The token says the model by its type.
        let _ = variant;
        let definition = self.def();
        Filter::new(match definition.linkage() {
            Ok(Linkage::OwnerKeyAndType { type_column, variants, .. }) => {
                let column = &(definition.owner)().columns[type_column];
                match variants.iter().find(|variant| (variant.model)() == M::DEF) {
                    Some(variant) => Expr::tagged(column, variant.tag),
                    None => Expr::Any(Vec::new()),
                }
            }
            // The SQL writer returns the error of a contradictory declaration when it reaches this condition.
            _ => Expr::related(definition, Expr::always()),
        })
    }
}

/// A target of type `R`: the association's target model, or one variant of a polymorphic enum, for which
/// `#[derive(Polymorphic)]` implements it.
#[diagnostic::on_unimplemented(message = "this association does not lead to `{R}`", label = "it leads to `{Self}`")]
pub trait OfType<R> {}

impl<T: Model> OfType<T> for T {}

// The condition that an association refers to at least one of `targets`.
fn refers_to_any<R: Model>(association: &'static AssociationDef, targets: &[&R]) -> Expr {
    let owner = (association.owner)();
    match association.linkage() {
        Ok(Linkage::OwnerKey(key)) => have_values_of(owner, key.owner_columns, targets, key.target_columns),
        Ok(Linkage::OwnerKeyAndType { type_column, owner_columns, variants }) => {
            match variants.iter().find(|variant| (variant.model)() == R::DEF) {
                Some(variant) => Expr::tagged(&owner.columns[type_column], variant.tag).and(have_values_of(
                    owner,
                    owner_columns,
                    targets,
                    variant.key,
                )),
                None => Expr::Any(Vec::new()),
            }
        }
        // The SQL writer returns the error of a contradictory declaration when it reaches this condition.
        Ok(Linkage::TargetKey(_) | Linkage::JoinRecord(_) | Linkage::ReadOnly(_)) | Err(_) => {
            let filter = have_values_of(R::DEF, R::PRIMARY_KEY, targets, R::PRIMARY_KEY);
            Expr::related(association, filter)
        }
    }
}

// The condition that `columns` equal the values of `of` in at least one of `rows`. A row with a `NULL` among them is
// skipped.
fn have_values_of<R: Model>(model: &ModelDef, columns: &[usize], rows: &[&R], of: &[usize]) -> Expr {
    let keys = rows.iter().filter_map(|row| R::DEF.key_in(*row, of));
    let operand = |column: usize| Operand::Column(model.columns[column].column_ref());
    match columns {
        // Rows of a table without a key cannot be identified, so none matches.
        [] => Expr::Any(Vec::new()),
        [column] => {
            Expr::In { operand: operand(*column), values: keys.flat_map(|key| key.values().to_vec()).collect() }
        }
        columns => Expr::Any(
            keys.map(|key| {
                let equal = columns.iter().zip(key.values()).map(|(column, value)| Expr::Compare {
                    left: operand(*column),
                    op: Comparison::Eq,
                    right: Operand::Value(value.clone()),
                });
                Expr::All(equal.collect())
            })
            .collect(),
        ),
    }
}
