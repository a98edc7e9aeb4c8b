//! The typed face of one type of a polymorphic association: the constant `Imageable::EMPLOYEE`.

use std::fmt;
use std::marker::PhantomData;

use super::preload::IntoPreload;
use crate::metadata::model::Model;
use crate::metadata::request::Request;

/// The token of a variant. It preloads associations of the variant's model below a polymorphic association:
/// `Picture::IMAGEABLE.with(Imageable::EMPLOYEE.with(Employee::MANAGER))`.
pub struct Variant<E, M>(PhantomData<fn() -> (E, M)>);

impl<E, M> Clone for Variant<E, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, M> Copy for Variant<E, M> {}

impl<E, M> fmt::Debug for Variant<E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variant")
    }
}

impl<E, M> Variant<E, M> {
    /// Makes the token. The derive calls this.
    #[doc(hidden)]
    #[must_use]
    #[allow(clippy::new_without_default)] // Only ever used in constants.
    pub const fn new() -> Self {
        Variant(PhantomData)
    }
}

impl<E, M: Model> Variant<E, M> {
    /// Loads associations of the targets of this variant, for one more statement per association.
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
    /// let tree = Comment::SUBJECT.with(Subject::POST.with(Post::LINES)); // photos have no lines
    /// # assert_ne!(tree, Comment::SUBJECT.preload());
    /// ```
    #[must_use]
    pub fn with(self, preload: impl IntoPreload<M>) -> VariantPreload<E> {
        VariantPreload { requests: preload.into_requests(), target: PhantomData }
    }
}

/// The associations to load for the targets of one variant.
pub struct VariantPreload<E> {
    requests: Vec<Request>,
    target: PhantomData<fn() -> E>,
}

impl<E> Clone for VariantPreload<E> {
    fn clone(&self) -> Self {
        VariantPreload { requests: self.requests.clone(), target: PhantomData }
    }
}

impl<E> fmt::Debug for VariantPreload<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.requests, f)
    }
}

impl<E> IntoPreload<E> for VariantPreload<E> {
    fn into_requests(self) -> Vec<Request> {
        self.requests
    }
}
