//! Calls of a collection's methods on a single target, and the reverse. They do not compile, and the compiler says which methods the
//! handle has.

use std::future::Ready;

use assoc_core::Result;

use crate::collection::Collection;
use crate::singular::Singular;

mod sealed {
    pub trait OfMany {}
    pub trait OfOne {}
}

/// A handle of members, which no single target is: no type implements it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an association to one has no members: this is a method of a collection",
    label = "the association leads to one row at most",
    note = "a handle of one target reads by `get`, `load` and `exists`, and writes by `set`, `create` and `clear`"
)]
pub trait OfMany: sealed::OfMany {
    fn never(&self) -> Ready<Result<()>>;
}

/// A handle of one target, which no collection is: no type implements it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an association to many has no single target: this is a method of a handle of one",
    label = "the association leads to any number of rows",
    note = "a collection reads by `all`, `load`, `first` and `find`, and writes by `push`, `create`, `replace`, `delete` and `clear`"
)]
pub trait OfOne: sealed::OfOne {
    fn never(&self) -> Ready<Result<()>>;
}

// Methods of the other sort of handle, which need what no type has.
macro_rules! refused {
    ($handle:ident needs $bound:ident: $($name:ident($($given:ident: $type:ident),*);)+) => {
        impl<R, T, A> $handle<'_, R, T, A> {
            $(
                #[doc(hidden)]
                pub fn $name<$($type),*>(&mut self, $($given: $type),*) -> Ready<Result<()>>
                where
                    Self: $bound,
                {
                    $(let _ = $given;)*
                    self.never()
                }
            )+
        }
    };
}

refused! {
    Singular needs OfMany:
    push(members: M);
    append(members: M);
    push_with(members: M, write: W);
    replace(members: M);
    delete(members: M);
    destroy(members: M);
    delete_all();
    destroy_all();
    ids();
    set_ids(keys: K);
    delete_ids(keys: K);
    destroy_ids(keys: K);
    find(key: K);
    find_all(keys: K);
    all();
    count();
    size();
    first();
    last();
    create_all(changesets: M);
    insert_all(changesets: M);
}

refused! {
    Collection needs OfOne:
    get();
    set(target: M);
}
