//! A Diesel application before and after it adopts `assoc` for its associations. A test counts the lines that change.

pub mod after;
pub mod before;
