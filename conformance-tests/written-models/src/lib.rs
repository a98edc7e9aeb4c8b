//! The models that only cases of writing have, by fixture.

#[doc(hidden)]
pub mod binders;
#[doc(hidden)]
pub mod callbacks;
#[doc(hidden)]
pub mod choirs;
#[doc(hidden)]
pub mod circles;
#[doc(hidden)]
pub mod circus;
#[doc(hidden)]
pub mod counted;
#[doc(hidden)]
pub mod diary;
#[doc(hidden)]
pub mod firms;
#[doc(hidden)]
pub mod followers;
#[doc(hidden)]
pub mod graphs;
#[doc(hidden)]
pub mod guild;
#[doc(hidden)]
pub mod league;
#[doc(hidden)]
pub mod museum;
#[doc(hidden)]
pub mod newsroom;
#[doc(hidden)]
pub mod orchard;
#[doc(hidden)]
pub mod orchestra;
#[doc(hidden)]
pub mod pirates;
#[doc(hidden)]
pub mod quizzes;
#[doc(hidden)]
pub mod recipes;
#[doc(hidden)]
pub mod registry;
#[doc(hidden)]
pub mod removals;
#[doc(hidden)]
pub mod school;
#[doc(hidden)]
pub mod sheets;
#[doc(hidden)]
pub mod stored;
#[doc(hidden)]
pub mod studio;
#[doc(hidden)]
pub mod tenancy;
#[doc(hidden)]
pub mod tracker;
