//! Why a cursor says no place in an order.

/// What is wrong with the cursor of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CursorProblem {
    /// Its text is not one that this library made: it is cut off, changed, or of another version.
    Unreadable,
    /// It was made by a query in another order.
    OtherOrder,
}

impl CursorProblem {
    pub(super) const fn says(self) -> &'static str {
        match self {
            CursorProblem::Unreadable => "the cursor cannot be read: it is cut off, changed, or of another version",
            CursorProblem::OtherOrder => "the cursor was made by a query in another order",
        }
    }
}
