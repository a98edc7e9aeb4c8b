//! Requests deeper than their rows, rows deeper than a part of a plan, and rows that lead back to themselves.

use assoc_core::{Error, ErrorKind, Result};
use assoc_repo::prelude::*;
use assoc_repo::{Include, Repo};
use conformance_harness::{Context, KeyOrder, Level, cases};
use conformance_models::blog::{self, Author, Post};
use conformance_models::pictures::{self, Employee, Imageable, Person};

cases! { "deep_requests", Level::Kind;
    a_small_tree,
    a_long_chain,
    in_hand,
    filtered,
    rows_that_are_their_own_parents,
    cycles_below_a_tail,
    cycles_through_a_join_table,
    paths,
    polymorphic_paths,
    included_paths,
    by_join,
    more_levels_than_can_be_loaded,
    bounded_by_statements,
}

const LEVELS: i64 = 70;

/// Authors, each but the first a student of the one before.
async fn chain(repo: &Repo) -> Result<()> {
    blog::tables(repo).await?;
    let author = |id: i64| {
        let mentor = (id > 1).then_some(id - 1);
        Author::build().set(Author::ID, id).set(Author::NAME, format!("author {id}")).set(Author::MENTOR_ID, mentor)
    };
    repo.insert_all((1..=LEVELS).map(author)).await.map(|_| ())
}

/// Authors with these mentors.
async fn authors(repo: &Repo, mentors: &[(i64, i64)]) -> Result<()> {
    blog::tables(repo).await?;
    let author = |(id, mentor): &(i64, i64)| {
        Author::build()
            .set(Author::ID, *id)
            .set(Author::NAME, format!("author {id}"))
            .set(Author::MENTOR_ID, Some(*mentor))
    };
    repo.insert_all(mentors.iter().map(author)).await.map(|_| ())
}

/// The authors from one down to the last whose students are loaded.
fn down(first: &Author) -> Result<Vec<i64>> {
    let (mut ids, mut next) = (vec![first.id], first);
    while let Some(students) = next.students.loaded() {
        let Some(student) = students.first() else { return Ok(ids) };
        ids.push(student.id);
        next = student;
    }
    Err(Error::other(format!("students of {} are not loaded", next.id)))
}

/// The authors from one up to the last whose mentor is loaded, and whether that one has none.
fn up(first: &Author) -> (Vec<i64>, bool) {
    let (mut ids, mut next) = (vec![first.id], first);
    while let Ok(Some(mentor)) = next.mentor() {
        ids.push(mentor.id);
        next = mentor;
    }
    (ids, next.mentor().is_ok())
}

fn is_cycle(error: &Error, row: &str) -> bool {
    matches!(error.kind(), ErrorKind::PreloadTooDeep { levels: 32, cycle: Some(found), .. } if found == row)
}

async fn a_small_tree(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    for levels in [1_000_000, usize::MAX] {
        let ann = Query::filter(Author::NAME.eq("Ann")).preload(Author::STUDENTS.recursive(levels));
        let authors = cx.step("down, until a level is empty", repo.all_by_key(ann)).await?;
        cx.require(down(&authors[0])? == [1, 2, 3], "the whole tree")?;
        let cyd = Query::filter(Author::NAME.eq("Cyd")).preload(Author::MENTOR.recursive(levels));
        let authors = cx.step("up, until there is none", repo.all_by_key(cyd)).await?;
        cx.require(up(&authors[0]) == (vec![3, 2, 1], true), "all mentors")?;
    }
    let tree = Author::STUDENTS.with((Author::POSTS.with(Post::COMMENTS), Author::GRAVATAR)).recursive(usize::MAX);
    let all = cx.step("with what each has", repo.all_by_key(Query::preload(tree))).await?;
    cx.show("authors", all);
    let none = Query::filter(Author::ID.gt(99)).preload(Author::STUDENTS.recursive(usize::MAX));
    cx.step("of none", repo.all_by_key(none)).await?;
    Ok(())
}

async fn a_long_chain(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    chain(&repo).await?;
    let first = Query::filter(Author::ID.eq(1)).preload(Author::STUDENTS.recursive(usize::MAX));
    let authors = cx.step("down", repo.all(first)).await?;
    cx.require(down(&authors[0])? == (1..=LEVELS).collect::<Vec<_>>(), "the whole chain")?;
    let last = Query::filter(Author::ID.eq(LEVELS)).preload(Author::MENTOR.recursive(usize::MAX));
    let authors = cx.step("up", repo.all(last)).await?;
    cx.require(up(&authors[0]) == ((1..=LEVELS).rev().collect(), true), "the whole chain")?;
    for levels in [31, 32, 33, 64, 65] {
        let some = Query::filter(Author::ID.eq(1)).preload(Author::STUDENTS.recursive(levels));
        let title = format!("{levels} levels");
        let authors = cx.step(&title, repo.all(some)).await?;
        let mut next = &authors[0];
        for _ in 0..levels {
            next = &next.students()?[0];
        }
        cx.require(next.id == 1 + levels as i64 && next.students().is_err(), "and no more")?;
    }
    let all = Query::order_by(Author::ID.asc()).preload(Author::MENTOR.recursive(usize::MAX));
    let authors = cx.step("all are in memory", repo.all(all)).await?;
    for author in &authors {
        cx.require(up(author) == ((1..=author.id).rev().collect(), true), "each has its way up")?;
    }
    Ok(())
}

async fn in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    chain(&repo).await?;
    let whole = || Author::STUDENTS.recursive(usize::MAX);
    let mut first = repo.get_or_fail::<Author>(1, Query::new()).await?;
    cx.step("ten levels", repo.preload(&mut first, Author::STUDENTS.recursive(10))).await?;
    cx.step("the other levels", repo.preload(&mut first, whole())).await?;
    cx.require(down(&first)? == (1..=LEVELS).collect::<Vec<_>>(), "the whole chain")?;
    cx.step("all levels are there", repo.preload(&mut first, whole())).await?;
    let posts = Author::STUDENTS.with(Author::POSTS).recursive(usize::MAX);
    cx.step("something else on each level", repo.preload(&mut first, posts)).await?;
    cx.require(down(&first)? == (1..=LEVELS).collect::<Vec<_>>(), "still the whole chain")?;
    cx.step("all anew", repo.reload(&mut first, whole())).await?;
    cx.require(down(&first)? == (1..=LEVELS).collect::<Vec<_>>(), "the whole chain again")?;
    let students = repo.get_association(&first, Author::STUDENTS, Query::preload(whole()));
    let students = cx.step("by a reader", students).await?;
    cx.require(down(&students[0])? == (2..=LEVELS).collect::<Vec<_>>(), "the whole chain below")
}

async fn filtered(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    chain(&repo).await?;
    let repo = repo.filtered(|model| (model == Author::DEF).then(|| Author::NAME.ne("author 60").into_expr()));
    let first = Query::filter(Author::ID.eq(1)).preload(Author::STUDENTS.recursive(usize::MAX));
    let authors = cx.step("a level without rows ends it", repo.all(first)).await?;
    cx.require(down(&authors[0])? == (1..60).collect::<Vec<_>>(), "filters are on every level")
}

async fn rows_that_are_their_own_parents(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    authors(&repo, &[(1, 1), (2, 1)]).await?;
    let one = |preload| Query::filter(Author::ID.eq(1)).preload(preload);
    let five = cx.step("five levels", repo.all(one(Author::MENTOR.recursive(5)))).await?;
    cx.require(up(&five[0]) == (vec![1; 6], false), "five levels of the same row")?;
    let most = cx.step("as many as are loaded anyway", repo.all(one(Author::MENTOR.recursive(32)))).await?;
    cx.require(up(&most[0]) == (vec![1; 33], false), "32 levels of the same row")?;
    let error = cx.fails("up without end", repo.all(one(Author::MENTOR.recursive(usize::MAX)))).await?;
    cx.note("message", &error);
    cx.require(is_cycle(&error, "Author 1"), "the row is named")?;
    let error = cx.fails("down without end", repo.all(one(Author::STUDENTS.recursive(1_000_000)))).await?;
    cx.require(is_cycle(&error, "Author 1"), "the row is named")?;
    let mut two = repo.get_or_fail::<Author>(2, Query::new()).await?;
    let before = two.clone();
    let error = cx.fails("in hand", repo.preload(&mut two, Author::MENTOR.recursive(usize::MAX))).await?;
    cx.require(is_cycle(&error, "Author 1") && two == before, "nothing is changed")
}

async fn cycles_below_a_tail(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    // 9 → 8 → 7 → 5 → 6 → 7: a tail of two and a cycle of three; 1 is on its own.
    authors(&repo, &[(9, 8), (8, 7), (7, 5), (5, 6), (6, 7), (1, 99)]).await?;
    let all = Query::order_by(Author::ID.asc()).preload(Author::MENTOR.recursive(usize::MAX));
    let error = cx.fails("up", repo.all(all)).await?;
    let in_cycle = |error: &Error| ["Author 5", "Author 6", "Author 7"].iter().any(|row| is_cycle(error, row));
    cx.require(in_cycle(&error), "a row of the cycle is named")?;
    let seven = Query::filter(Author::ID.eq(7)).preload(Author::STUDENTS.recursive(usize::MAX));
    let error = cx.fails("down", repo.all(seven)).await?;
    cx.require(in_cycle(&error), "a row of the cycle is named")?;
    // Rows that occur again before a recursion begins are not cycles of the recursion.
    let one = Query::filter(Author::ID.eq(1)).preload(Author::STUDENTS.with(Author::MENTOR.recursive(usize::MAX)));
    cx.step("beside the cycle", repo.all(one)).await?;
    Ok(())
}

async fn cycles_through_a_join_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    repo.execute_raw("DELETE FROM friendships", []).await?;
    repo.execute_raw("INSERT INTO friendships VALUES (1, 2), (2, 1)", []).await?;
    let one = |levels| Query::<Person>::filter(Person::ID.eq(1)).preload(Person::FRIENDS.recursive(levels));
    let people = cx.step("friends of friends of friends", repo.all(one(3))).await?;
    cx.show("people", people);
    let error = cx.fails("without end", repo.all(one(usize::MAX))).await?;
    cx.require(is_cycle(&error, "Person 1") || is_cycle(&error, "Person 2"), "the row is named")?;
    repo.execute_raw("DELETE FROM friendships WHERE this_person_id = 2", []).await?;
    cx.step("with an end", repo.all(one(usize::MAX))).await?;
    Ok(())
}

async fn paths(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let long = vec!["students"; 100_000].join(".");
    let ann = Query::filter(Author::NAME.eq("Ann")).preload_path(&long)?;
    let copy = ann.clone();
    let authors = cx.step("a path of 100,000 names", repo.all(ann)).await?;
    cx.require(down(&authors[0])? == [1, 2, 3], "as far as there are rows")?;
    cx.require(copy.explain(&repo)?.contains("goes on from here"), "the plan says that it is not all")?;
    let error = Query::<Author>::preload_path(&format!("{long}.student")).err().map(|error| error.to_string());
    cx.note("a name that is not there", error.unwrap_or_default());
    let loops = vec!["posts.author"; 60].join(".");
    let mut ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let include = Include::<Author>::allow([loops.as_str()])?;
    let work = repo.preload(&mut ann, include.parse(&loops)?);
    cx.step("a path that goes to and fro is as long as it is written", work).await?;
    let mut next = &ann;
    for _ in 0..60 {
        next = next.posts()?[0].author()?.unwrap_or(next);
    }
    cx.require(next.id == 1 && next.posts().is_err(), "and no longer")
}

async fn polymorphic_paths(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let path = vec!["pictures.imageable"; 1_000].join(".");
    let none = Query::<Employee>::filter(Employee::ID.eq(1)).preload_path(&path)?;
    let employees = cx.step("2,000 names, no pictures", repo.all(none)).await?;
    cx.show("employees", employees);
    let path = vec!["pictures.imageable"; 40].join(".");
    let two = Query::<Employee>::filter(Employee::ID.eq(2)).preload_path(&path)?;
    let (employees, statements) = repo.count_statements(repo.all(two)).await;
    cx.note("statements for 80 names", statements);
    let employees = employees?;
    let mut next = &employees[0];
    for _ in 0..40 {
        let Some(Imageable::Employee(back)) = next.pictures()?[1].imageable()? else {
            return Err(Error::other("no owner"));
        };
        next = back;
    }
    cx.require(next.id == 2 && next.pictures().is_err(), "as deep as it is written")
}

async fn included_paths(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let long = vec!["students"; 100_000].join(".");
    let include = Include::<Author>::allow([long.clone(), "posts.comments".to_owned()])?;
    for (list, fine) in [
        (long.clone(), true),
        (format!("posts, {}", vec!["students"; 5_000].join(".")), true),
        ("post".to_owned(), false),
        ("posts.".to_owned(), false),
        ("posts.comments.author".to_owned(), false),
        (format!("{long}.students"), false),
    ] {
        cx.require(include.parse(&list).is_ok() == fine, &list.chars().take(40).collect::<String>())?;
    }
    let bounded = include.clone().at_most_levels(5);
    cx.require(bounded.parse(&long).is_err(), "bounded in levels")?;
    let authors =
        cx.step("included", repo.all_by_key(Query::preload(include.parse(&format!("posts.comments,{long}"))?))).await?;
    cx.require(down(&authors[0])? == [1, 2, 3], "as far as there are rows")
}

async fn by_join(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let ann = || Query::filter(Author::NAME.eq("Ann"));
    let joined = cx.step("three levels", repo.all(ann().eager_load(Author::STUDENTS.recursive(3)))).await?;
    cx.require(joined == repo.all(ann().preload(Author::STUDENTS.recursive(3))).await?, "as by key")?;
    let error = cx.fails("no end", repo.all(ann().eager_load(Author::STUDENTS.recursive(usize::MAX)))).await?;
    cx.note("message", error);
    let error = cx.fails("no end", repo.all(ann().join(Author::STUDENTS.recursive(usize::MAX)))).await?;
    cx.note("message", error);
    let below = ann().eager_load(Author::STUDENTS).preload(Author::STUDENTS.with(Author::MENTOR.recursive(usize::MAX)));
    let authors = cx.step("below what is joined", repo.all(below)).await?;
    cx.require(up(&authors[0].students()?[0]) == (vec![2, 1], true), "by key below")?;
    let where_students = Query::<Author>::includes(Author::STUDENTS.recursive(usize::MAX))
        .filter(Author::STUDENTS.joined(Author::NAME.eq("Bob")));
    let authors = cx.step("joined where a condition looks", repo.all(where_students)).await?;
    cx.require(authors.len() == 1 && down(&authors[0])? == [1, 2, 3], "and by key below")
}

async fn more_levels_than_can_be_loaded(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    authors(&repo, &[(1, 1)]).await?;
    let path = vec!["mentor"; 10_001].join(".");
    let error = cx.fails("10,001 levels", repo.all(Query::<Author>::preload_path(&path)?)).await?;
    cx.note("message", &error);
    let too_deep = matches!(error.kind(), ErrorKind::PreloadTooDeep { levels, cycle: None, .. } if *levels >= 10_000);
    cx.require(too_deep, "a limit of levels")
}

async fn bounded_by_statements(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    chain(&repo).await?;
    // A limit for each owner makes each level a statement on every database.
    let students = || Author::STUDENTS.limit(9).recursive(usize::MAX);
    let first = || Query::filter(Author::ID.eq(1)).preload(students());
    cx.step("one more for the empty level", repo.all(first().max_statements(71))).await?;
    for limit in [3, 40, 70] {
        let error = cx.fails("too few", repo.all(first().max_statements(limit))).await?;
        cx.require(matches!(error.kind(), ErrorKind::TooManyStatements { .. }), "a budget holds in every part")?;
    }
    Ok(())
}
