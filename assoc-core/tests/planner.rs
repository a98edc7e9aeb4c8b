//! The planner by itself: from a request to nodes and steps, without a database.

use std::borrow::Cow;
use std::sync::Arc;

use assoc_core::dialect::{Capabilities, ColumnRole, Dialect};
use assoc_core::execution::FilterHook;
use assoc_core::metadata::ColumnDef;
use assoc_core::planner::{Fetch, Plan, Root, Source};
use assoc_core::sql::SqlWriter;
use assoc_core::{BelongsTo, Error, ErrorKind, HasMany, HasManyThrough, HasOne, IntoPreload, Model, Preload};
use assoc_macros::Model;

/// Standard SQL and nothing else.
#[derive(Debug, Default)]
struct Plain(Capabilities);

impl Dialect for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.0
    }

    fn quote(&self, identifier: &str, sql: &mut String) {
        sql.push_str(identifier);
    }

    fn column_type(&self, _: &ColumnDef, _: ColumnRole) -> Cow<'static, str> {
        "ANY".into()
    }
}

#[derive(Model, Debug, Clone)]
struct Author {
    id: i64,
    name: Option<String>,
    mentor_id: Option<i64>,
    #[belongs_to]
    mentor: BelongsTo<Option<Author>>,
    #[has_many]
    posts: HasMany<Post>,
    #[has_many]
    comments: HasMany<Comment>,
    #[has_one]
    gravatar: HasOne<Option<Gravatar>>,
    #[has_many(through = "posts", source = "comments")]
    received: HasManyThrough<Comment>,
}

#[derive(Model, Debug, Clone)]
struct Gravatar {
    id: i64,
    author_id: i64,
}

#[derive(Model, Debug, Clone)]
struct Post {
    id: i64,
    author_id: i64,
    #[belongs_to]
    author: BelongsTo<Author>,
    #[has_many]
    comments: HasMany<Comment>,
}

#[derive(Model, Debug, Clone)]
struct Comment {
    id: i64,
    post_id: i64,
    author_id: i64,
    body: String,
    #[belongs_to]
    author: BelongsTo<Author>,
}

fn plan<M: Model>(root: Root, preload: impl IntoPreload<M>) -> Result<Plan, Error> {
    Plan::new(M::DEF, root, preload.into_requests())
}

/// What each step selects and how many places it serves.
fn steps(plan: &Plan) -> Vec<(&'static str, usize)> {
    plan.steps().iter().map(|step| (step.select.model.name, step.serves.len())).collect()
}

#[test]
fn look_ups_of_one_model_merge_across_levels() {
    let plan = plan::<Post>(Root::Fetched, (Post::AUTHOR, Post::COMMENTS.with(Comment::AUTHOR))).unwrap();
    // Comments first, because their authors are looked up together with the posts'.
    assert_eq!(steps(&plan), [("Comment", 1), ("Author", 2)]);
}

#[test]
fn one_that_feeds_the_other_does_not_merge() {
    let plan = plan::<Author>(Root::Fetched, Author::MENTOR.with(Author::MENTOR)).unwrap();
    assert_eq!(steps(&plan), [("Author", 1), ("Author", 1)]);
    // The first finds mentors among the root's rows, the second among both.
    assert_eq!(plan.steps()[0].memory, [0]);
    assert_eq!(plan.steps()[1].memory, [0, 1]);
}

#[test]
fn steps_never_wait_for_each_other_in_a_circle() {
    let opposite = (
        Post::COMMENTS.with(Comment::AUTHOR.with(Author::POSTS)),
        Post::AUTHOR.with(Author::POSTS.with(Post::COMMENTS)),
    );
    let plan = plan::<Post>(Root::Fetched, opposite).unwrap();
    for (at, step) in plan.steps().iter().enumerate() {
        for served in &step.serves {
            let Some(fetched_by) = plan.nodes()[served.node].fetched_by else { continue };
            let Source::Step { step: feeder, .. } = plan.edge(fetched_by).source else { continue };
            assert!(feeder < at, "step {at} runs after its feeder {feeder}");
        }
    }
}

#[test]
fn different_filters_do_not_merge() {
    let one = Author::POSTS.with(Post::COMMENTS.filter(Comment::BODY.eq("x")));
    let plan = plan::<Author>(Root::Fetched, (one, Author::COMMENTS)).unwrap();
    assert_eq!(steps(&plan), [("Post", 1), ("Comment", 1), ("Comment", 1)]);
}

#[test]
fn a_through_association_shares_its_parts() {
    let alone = plan::<Author>(Root::Fetched, Author::RECEIVED).unwrap();
    assert_eq!(steps(&alone), [("Post", 1), ("Comment", 1)]);
    // Nobody asked for posts: only their keys are read.
    assert_eq!(alone.steps()[0].select.only, Some(vec![Post::ID.index(), Post::AUTHOR_ID.index()]));
    let together = plan::<Author>(Root::Fetched, (Author::RECEIVED, Author::POSTS.with(Post::COMMENTS))).unwrap();
    assert_eq!(steps(&together), [("Post", 2), ("Comment", 2)]);
    assert_eq!(together.steps()[0].select.only, None);
}

#[test]
fn selections_share_a_statement_only_with_what_they_serve() {
    let columns = (Author::ID, Author::NAME);
    let own = |tree: &Plan| tree.steps().iter().map(|step| step.select.selected.clone()).collect::<Vec<_>>();
    let both =
        plan::<Post>(Root::Fetched, (Post::AUTHOR.select(columns), Post::COMMENTS.with(Comment::AUTHOR))).unwrap();
    assert_eq!(steps(&both), [("Comment", 1), ("Author", 1), ("Author", 1)]);
    // Those of whole rows look among no rows that have some columns.
    assert!(both.steps().iter().all(|step| step.memory.is_empty()), "{both:?}");
    let alike = (Post::AUTHOR.select(columns), Post::COMMENTS.with(Comment::AUTHOR.select(columns)));
    let alike = plan::<Post>(Root::Fetched, alike).unwrap();
    assert_eq!(steps(&alike), [("Comment", 1), ("Author", 2)]);
    assert_eq!(own(&alike)[1], Some(vec![Author::ID.index(), Author::NAME.index()]));
    // Links need their keys only: the selected posts have them.
    let links = (Author::RECEIVED, Author::POSTS.select((Post::ID, Post::AUTHOR_ID)));
    let links = plan::<Author>(Root::Fetched, links).unwrap();
    assert_eq!(steps(&links), [("Post", 2), ("Comment", 1)]);
    assert_eq!(links.steps()[0].select.only, None);
    assert_eq!(own(&links)[0], Some(vec![Post::ID.index(), Post::AUTHOR_ID.index()]));
}

#[test]
fn a_selection_without_a_needed_column_is_refused() {
    let refused = |result: Result<Plan, Error>| result.unwrap_err().to_string();
    let error = refused(plan::<Author>(Root::Fetched, Author::RECEIVED.select((Comment::ID, Comment::BODY))));
    assert_eq!(
        error,
        "Comment: `select` on `Author.received` leaves out `post_id`, the key that the association goes by: add it"
    );
    let tree = Author::COMMENTS.select((Comment::ID, Comment::AUTHOR_ID)).with(Comment::AUTHOR);
    assert!(refused(plan::<Author>(Root::Fetched, tree)).contains("the field `post_id` has no empty value"));
}

#[test]
fn rows_in_hand_stand_for_true_inverses_only() {
    let inverse = plan::<Author>(Root::Existing, Author::POSTS.with(Post::AUTHOR)).unwrap();
    assert_eq!(inverse.steps()[1].memory, [0]);
    let other = plan::<Author>(Root::Existing, Author::MENTOR).unwrap();
    assert!(other.steps()[0].memory.is_empty());
}

fn given_authors() -> Preload<Post, Author> {
    Post::AUTHOR.load_with(|_: Vec<i64>| async { Ok::<_, Error>(Vec::new()) })
}

#[test]
fn rows_of_the_applications_own_share_nothing() {
    let tree = (given_authors(), Post::COMMENTS.with(Comment::AUTHOR.with(Author::MENTOR)));
    let plan = plan::<Post>(Root::Fetched, tree).unwrap();
    assert_eq!(steps(&plan), [("Author", 1), ("Comment", 1), ("Author", 1), ("Author", 1)]);
    let given = plan.steps().iter().position(|step| matches!(step.fetch, Fetch::Function(_))).unwrap();
    assert!(plan.steps()[given].memory.is_empty(), "rows in memory do not stand for its rows");
    // Node 1 holds the given authors, node 3 those of comments: mentors are looked for among the latter only.
    assert_eq!(plan.steps()[3].memory, [3]);
    let text = plan.explain(&Plain::default(), Some("SELECT 1")).unwrap();
    assert!(text.contains("author: belongs_to Author [2], by `load_with`\n"), "{text}");
    assert!(text.contains("[2] no statement: the function given for Post.author\n"), "{text}");
}

#[test]
fn one_function_is_equal_to_itself_alone() {
    let given = given_authors();
    plan::<Post>(Root::Fetched, (given.clone(), given.with(Author::POSTS))).unwrap();
    let error = plan::<Post>(Root::Fetched, (given_authors(), given_authors())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConflictingPreload { association: "author", .. }));
}

#[test]
fn contradictions_are_refused() {
    let twice = (Author::POSTS, Author::POSTS.limit(1));
    let error = plan::<Author>(Root::Fetched, twice).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConflictingPreload { association: "posts", what: "limits", .. }));
    let error = plan::<Author>(Root::Fetched, Author::POSTS.distinct()).unwrap_err();
    assert!(error.to_string().contains("reaches each row once"), "{error}");
}

mod includes {
    use assoc_core::Scope;

    use super::*;

    // Everything brings everything else, twice over.
    #[derive(Model, Debug, Clone)]
    #[model(default_scope = with_rooms)]
    struct House {
        id: i64,
        #[has_many(include = (Room::HOUSE, Room::DOORS))]
        rooms: HasMany<Room>,
        #[has_many(include = Door::HOUSE)]
        doors: HasMany<Door>,
    }

    fn with_rooms(houses: Scope<House>) -> Scope<House> {
        houses.preload((House::ROOMS, House::DOORS))
    }

    #[derive(Model, Debug, Clone)]
    struct Room {
        id: i64,
        house_id: i64,
        #[belongs_to]
        house: BelongsTo<House>,
        #[has_many(include = (Door::ROOM.with(Room::HOUSE), Door::HOUSE))]
        doors: HasMany<Door>,
    }

    #[derive(Model, Debug, Clone)]
    struct Door {
        id: i64,
        house_id: i64,
        room_id: i64,
        #[belongs_to(include = House::ROOMS)]
        house: BelongsTo<House>,
        #[belongs_to]
        room: BelongsTo<Room>,
    }

    /// The ways from a node down, each as the names on it.
    fn ways(plan: &Plan, node: usize, way: &str, all: &mut Vec<String>) {
        for edge in &plan.nodes()[node].edges {
            let way = format!("{way}/{}", edge.association.qualified_name());
            ways(plan, edge.child, &way, all);
            all.push(way);
        }
    }

    fn all_ways(plan: &Plan) -> Vec<String> {
        let mut all = Vec::new();
        ways(plan, 0, "", &mut all);
        all
    }

    #[test]
    fn circles_end_where_they_repeat() {
        let plan = plan::<Room>(Root::Fetched, Room::HOUSE).unwrap();
        let all = all_ways(&plan);
        assert!(all.iter().any(|way| way == "/Room.house/House.rooms/Room.doors/Door.house/House.doors"), "{all:#?}");
        for way in &all {
            // What was asked for is there besides.
            let mut names: Vec<&str> = way.split('/').skip(2).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{way}");
        }
        // A level of them all is few statements: ways that need the same rows share them.
        assert!(plan.steps().len() < 40, "{} of {}", plan.steps().len(), all.len());
    }

    #[test]
    fn what_is_asked_for_begins_anew() {
        let below = |plan: &Plan, way: &str| {
            let mut below: Vec<String> =
                all_ways(plan).iter().filter_map(|all| all.strip_prefix(way).map(str::to_owned)).collect();
            below.sort_unstable();
            below
        };
        let once = plan::<Room>(Root::Fetched, Room::HOUSE).unwrap();
        let again = plan::<Room>(Root::Fetched, Room::HOUSE.with(House::ROOMS.with(Room::HOUSE))).unwrap();
        // The same below it wherever it stands.
        assert_eq!(below(&once, "/Room.house"), below(&again, "/Room.house/House.rooms/Room.house"));
    }
}

mod tags {
    use assoc_core::Polymorphic as _;
    use assoc_macros::Polymorphic;

    use super::*;

    #[derive(Polymorphic, Debug, Clone)]
    enum Subject {
        #[polymorphic(tag = "person")]
        Person(Person),
        Place(Place),
    }

    #[derive(Model, Debug, Clone)]
    struct Photo {
        id: i64,
        subject_id: i64,
        subject_type: String,
        #[belongs_to(polymorphic)]
        subject: BelongsTo<Option<Subject>>,
    }

    #[derive(Model, Debug, Clone)]
    struct Person {
        id: i64,
        #[has_many(as = "subject", tag = "person")]
        photos: HasMany<Photo>,
        // Stored as `person`. Without the tag it does not compile.
        #[has_one(as = "subject", tag = "Person")]
        portrait: HasOne<Option<Photo>>,
    }

    #[derive(Model, Debug, Clone)]
    struct Place {
        id: i64,
        #[has_many(as = "subject")]
        photos: HasMany<Photo>,
    }

    /// None of the subjects: its rows are written by someone else.
    #[derive(Model, Debug, Clone)]
    struct Statue {
        id: i64,
        #[has_many(as = "subject", tag = "art")]
        photos: HasMany<Photo>,
    }

    #[test]
    fn are_those_of_the_other_side() {
        assert_eq!(Subject::VARIANTS[0].tag, "person");
        plan::<Person>(Root::Fetched, Person::PHOTOS).unwrap();
        plan::<Place>(Root::Fetched, Place::PHOTOS).unwrap();
        plan::<Statue>(Root::Fetched, Statue::PHOTOS).unwrap();
        let error = plan::<Person>(Root::Fetched, Person::PORTRAIT).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Person: the association `Person.portrait` looks for rows of type `Person`, but `Photo.subject` stores \
             `Person` as `person`: write `tag = \"person\"`"
        );
    }
}

mod circles {
    use super::*;

    #[derive(Model, Debug, Clone)]
    struct Hen {
        id: i64,
        #[has_many]
        eggs: HasMany<Egg>,
        mother_id: Option<i64>,
        #[has_many(foreign_key = "mother_id")]
        daughters: HasMany<Hen>,
        // In one model: each is the other's source.
        #[has_many(through = "daughters", source = "nests")]
        chicks: HasManyThrough<Nest>,
        #[has_many(through = "daughters", source = "chicks")]
        nests: HasManyThrough<Nest>,
        // Across two: each is the other's source.
        #[has_many(through = "eggs", source = "hens")]
        mothers: HasManyThrough<Hen>,
        // Not in a circle itself, but leads into one.
        #[has_many(through = "eggs", source = "hens")]
        aunts: HasManyThrough<Hen>,
    }

    #[derive(Model, Debug, Clone)]
    struct Egg {
        id: i64,
        hen_id: i64,
        nest_id: i64,
        #[belongs_to]
        hen: BelongsTo<Hen>,
        #[has_many(foreign_key = "id", primary_key = "nest_id")]
        nests: HasMany<Nest>,
        #[has_many(through = "hen", source = "mothers")]
        hens: HasManyThrough<Hen>,
    }

    #[derive(Model, Debug, Clone)]
    struct Nest {
        id: i64,
        #[has_many]
        eggs: HasMany<Egg>,
    }

    #[allow(clippy::unwrap_used)] // The helpers of tests count as production code.
    fn refused(result: Result<impl std::fmt::Debug, Error>) -> String {
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidQuery { .. }), "{error:?}");
        error.to_string()
    }

    #[test]
    fn are_named() {
        let message = refused(plan::<Hen>(Root::Fetched, Hen::CHICKS));
        assert_eq!(
            message,
            "Hen: the association `Hen.chicks` goes through itself, by way of `Hen.nests`, then `Hen.chicks`: declare \
             one of them by a key of its own"
        );
        let message = refused(plan::<Hen>(Root::Existing, Hen::MOTHERS));
        assert!(message.contains("`Egg.hens`, then `Hen.mothers`:"), "{message}");
        let message = refused(plan::<Hen>(Root::Existing, Hen::AUNTS));
        assert!(message.contains("`Egg.hens`, then `Hen.mothers`, then `Egg.hens`:"), "{message}");
        // Parts of associations that are fine.
        plan::<Hen>(Root::Existing, (Hen::EGGS.with(Egg::NESTS.with(Nest::EGGS)), Hen::EGGS.with(Egg::HEN))).unwrap();
    }

    #[test]
    fn are_found_before_any_sql_is_written() {
        let dialect = Plain::default();
        for filter in [Hen::NESTS.associated().into_expr(), Egg::HENS.any(Hen::ID.gt(1)).into_expr()] {
            let message = refused(SqlWriter::new(&dialect).condition(&filter));
            assert!(message.contains("goes through itself"), "{message}");
            let hook: FilterHook = Arc::new(|_| None);
            let message = refused(filter.with_filters(&hook));
            assert!(message.contains("goes through itself"), "{message}");
        }
        // Looking for an inverse is no request: there is none.
        assert_eq!(Hen::NESTS.def().inverse().unwrap(), None);
    }
}

#[test]
fn the_plan_prints_as_a_tree() {
    let tree = (Author::POSTS.with(Post::COMMENTS.with(Comment::AUTHOR)), Author::GRAVATAR, Author::RECEIVED);
    let text = plan::<Author>(Root::Fetched, tree).unwrap().explain(&Plain::default(), Some("SELECT 1")).unwrap();
    let expected = "\
Author [1]
├─ posts: has_many Post [2], one statement for 2 places
│  └─ comments: has_many Comment [4], one statement for 2 places
│     └─ author: belongs_to Author [5], from memory where the row is known
├─ gravatar: has_one Gravatar [3]
└─ received: has_many through Comment [2, 4]

[1] SELECT 1
[2] SELECT id, author_id FROM posts WHERE author_id IN (?) ORDER BY author_id, id
[3] SELECT id, author_id FROM gravatars WHERE author_id IN (?) ORDER BY author_id, id
[4] SELECT id, post_id, author_id, body FROM comments WHERE post_id IN (?) ORDER BY post_id, id
[5] for rows not in memory: SELECT id, name, mentor_id FROM authors WHERE id IN (?)

5 statements, 4 deep: 4 turns where a database takes independent statements together
";
    assert_eq!(text, expected);
}

#[test]
fn a_dialect_without_limits_per_owner_says_so() {
    let plan = plan::<Author>(Root::Fetched, Author::POSTS.limit(2)).unwrap();
    let error = plan.explain(&Plain::default(), None).unwrap_err();
    assert_eq!(error.to_string(), "plain does not support a limit per owner (of Post)");
}

#[test]
fn a_dialect_without_window_functions_groups_nothing() {
    let remedy = "it needs window functions";
    for tree in [Author::COMMENTS.group_by(Comment::BODY), Author::RECEIVED.group_by((Comment::BODY, Comment::POST_ID))]
    {
        let error = plan::<Author>(Root::Fetched, tree).unwrap().explain(&Plain::default(), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("plain does not support `group_by` on an association (of Comment): {remedy}")
        );
    }
}

#[test]
fn groups_are_no_hindrance_to_a_shared_statement() {
    let both = (Author::RECEIVED.group_by(Comment::BODY), Author::POSTS.with(Post::COMMENTS));
    let both = plan::<Author>(Root::Fetched, both).unwrap();
    assert_eq!(steps(&both), [("Post", 2), ("Comment", 2)]);
    let different = (Author::COMMENTS.group_by(Comment::BODY), Author::POSTS.with(Post::COMMENTS));
    assert_eq!(
        steps(&plan::<Author>(Root::Fetched, different).unwrap()),
        [("Comment", 1), ("Post", 1), ("Comment", 1)]
    );
}
