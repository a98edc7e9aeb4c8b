//! Properties 2, 3 and 4 of the design over random rows and random trees: preloading any number of owners gives each
//! exactly what reading for it alone would, in its order; nothing depends on what was in memory; no plan runs more
//! statements than it says. Conditions on associations look at the same rows.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of comparisons of each test. A failure
//! prints the seed of its database: with that as the first seed, it is the first to be looked at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use data::{Random, World};
use random::number;

#[path = "properties/data.rs"]
mod data;
#[path = "properties/graphs.rs"]
mod graphs;
#[path = "properties/keyed.rs"]
mod keyed;
#[path = "properties/loading.rs"]
mod loading;
#[path = "properties/looked_up_again.rs"]
mod looked_up_again;
#[path = "properties/marks.rs"]
mod marks;
#[path = "properties/people.rs"]
mod people;
mod random;
#[path = "properties/reading.rs"]
mod reading;
#[path = "properties/reference.rs"]
mod reference;
#[path = "properties/trees.rs"]
mod trees;

/// Runs a property on database after database until there were enough comparisons.
fn run(cases: u64, property: impl AsyncFn(&World, &mut Random) -> Result<usize, String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let cases = number("ASSOC_PROPERTY_CASES", cases) as usize;
    let mut seed = number("ASSOC_PROPERTY_SEED", 1);
    let mut compared = 0;
    while compared < cases {
        let mut random = Random::new(seed);
        let world = runtime.block_on(World::new(&mut random)).unwrap();
        match runtime.block_on(property(&world, &mut random)) {
            Ok(comparisons) => compared += comparisons,
            Err(what) => panic!("ASSOC_PROPERTY_SEED={seed}\n{what}\n{}", world.show()),
        }
        seed += 1;
    }
    println!("{compared} comparisons");
}

macro_rules! on_every_model {
    ($test:ident, $cases:literal, $function:ident) => {
        on_every_model! {
            $test, $cases, $function:
            people::User, people::Team, people::Profile, people::Badge, people::Post, people::Comment,
            people::Membership, people::Group, people::Skill, people::Login, marks::Tagging, marks::Tag, marks::Image,
            marks::Note, marks::SpecialNote, keyed::Shelf, keyed::Book, keyed::Hall, keyed::Seat, keyed::Ticket,
            keyed::Country, keyed::City, keyed::Street, keyed::Object, keyed::ObjectName, keyed::Account,
            keyed::Booking
        }
    };
    ($test:ident, $cases:literal, $function:ident: $($model:path),+) => {
        #[test]
        fn $test() {
            run($cases, async |world, random| {
                let mut compared = 0;
                for _ in 0..TREES_PER_WORLD {
                    $(compared += loading::$function::<$model>(world, random).await?;)+
                }
                Ok(compared)
            });
        }
    };
}

const TREES_PER_WORLD: usize = 3;

on_every_model!(a_query_with_preloads, 4_000, by_query);
on_every_model!(a_query_with_joins, 4_000, by_join);
on_every_model!(rows_in_hand, 2_500, in_hand);
on_every_model!(rows_with_changed_keys, 1_500, changed_keys);
on_every_model!(rows_of_two_models, 1_500, together);
on_every_model!(level_by_level, 1_500, level_by_level);
on_every_model!(conditions_on_associations, 20_000, conditions);

macro_rules! readers {
    ($($model:path { $($association:ident)+ })+) => {
        #[test]
        fn readers_and_side_loads() {
            run(4_000, async |world, random| {
                let mut compared = 0;
                // Boxed: a hundred futures in one function are too much for a test's stack.
                $($(compared += Box::pin(reading::read(world, random, <$model>::$association)).await?;)+)+
                Ok(compared)
            });
        }
    };
}

readers! {
    people::User {
        MANAGER REPORTS TEAM PROFILE TOP_POST POSTS PUBLISHED_POSTS BEST_POSTS LATER_POSTS FURTHER_POSTS WHOLE_POSTS
        DRAFTS MEMBERSHIPS GROUPS DISTINCT_GROUPS SOME_GROUPS FELLOW_MEMBERSHIPS FELLOWS FELLOW_POSTS
        RECEIVED_COMMENTS BEST_COMMENTS TAGS BADGE BADGES TEAM_LEAD TEAM_USERS LOWEST_BADGE SKILLS LAST_SKILLS
        FRIENDS FRIENDS_SKILLS JOINED_SKILLS SOME_JOINED_SKILLS OWN_JOINED_SKILLS JOINED_FRIENDS
        JOINED_FRIENDS_SKILLS SKILLS_BY_NAME SKILLED_POSTS
        OWN_POSTS OWN_COMMENTS OWN_GROUPS OWN_SKILLS OWN_BADGE IMAGES AVATAR NOTES ALL_NOTES
        SPECIAL_NOTES LOGINS POST_TITLES TITLE_COMMENTS RANK_FIRSTS FIRST_COMMENTS COMMENT_AUTHORS
    }
    people::Team {
        LEAD USERS POSTS OWN_POSTS BEST_POSTS TWO_BEST_POSTS RANK_FIRSTS NOTES GROUPS SKILLS TAGGINGS IMAGES
    }
    people::Badge { PROFILE USER }
    people::Post { USER COMMENTS LAST_COMMENT COMMENTERS TAGGINGS TAGS IMAGES USER_TEAM NEIGHBOUR_TITLES }
    people::Comment { PARENT REPLIES SECOND_REPLIES POST_USER }
    people::Group { USERS SOME_USERS RANKED_USERS }
    people::Skill { USERS POSTS COMMENTS NEIGHBOURS }
    people::Login { USER }
    marks::Tag { POSTS BEST_POSTS TEAMS USERS }
    marks::Note { USER PARENT CHILDREN FIRST_CHILD }
    marks::SpecialNote { PARENT CHILDREN }
    keyed::Shelf { BOOKS LAST_BOOKS FIRST_BOOK }
    keyed::Book { SHELF NEIGHBOURS }
    keyed::Hall { SEATS LAST_SEAT FIRST_SEATS SEATS_AGAIN TICKETS }
    keyed::Seat { HALL HALL_AGAIN TICKETS FURTHER_TICKETS }
    keyed::Ticket { SEAT HALL }
    keyed::Country { CITIES LAST_CITIES STREETS }
    keyed::City { COUNTRY STREETS NEIGHBOURS LAST_NEIGHBOUR NEAR_STREETS }
    keyed::Street { COUNTRY }
    keyed::Object { NAMES }
    keyed::ObjectName { OBJECT }
    keyed::Account { BOOKINGS }
    keyed::Booking { ACCOUNT }
}

#[test]
fn polymorphic_readers() {
    run(400, async |world, _| {
        let taggings = reading::read_polymorphic(world, marks::Tagging::TAGGABLE).await?;
        Ok(1 + taggings + reading::read_polymorphic(world, marks::Image::IMAGEABLE).await?)
    });
}
