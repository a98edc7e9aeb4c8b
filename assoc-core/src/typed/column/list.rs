//! Lists of a model's columns, for `select` and `group_by` of an association.

use super::Column;

/// A column of model `M`, or a tuple of up to twelve.
///
/// A program can implement it for columns that it chooses at run time, by their places:
///
/// ```
/// use assoc_core::{ColumnList, Model};
///
/// struct Named(Vec<&'static str>);
///
/// impl<M: Model> ColumnList<M> for Named {
///     fn indexes(self) -> Vec<usize> {
///         let place = |name| M::DEF.columns.iter().position(|column| column.name == name);
///         self.0.into_iter().filter_map(place).collect()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name columns of `{M}`",
    label = "not a column of `{M}`, nor a tuple of such",
    note = "name columns by their tokens: `Post::TITLE` or `(Post::ID, Post::TITLE)`"
)]
pub trait ColumnList<M> {
    /// The positions of the columns among the model's columns, in the order given.
    fn indexes(self) -> Vec<usize>;
}

impl<M, V> ColumnList<M> for Column<M, V> {
    fn indexes(self) -> Vec<usize> {
        vec![self.index()]
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),+) => {
        impl<M, $($name),+> ColumnList<M> for ($(Column<M, $name>,)+) {
            fn indexes(self) -> Vec<usize> {
                vec![$(self.$index.index()),+]
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
