//! What holders answer about their state, and that it survives what is done to the rows in memory.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use assoc_core::execution::rows::Rows;
use assoc_core::execution::{Children, Links, RowKeys};
use assoc_core::{BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, LoadState, Model, Taken};
use assoc_macros::Model;

#[derive(Model, Debug, Clone, PartialEq)]
struct Post {
    id: i64,
    author_id: i64,
    #[belongs_to]
    author: BelongsTo<Author>,
    #[has_and_belongs_to_many]
    tags: HasAndBelongsToMany<Tag, PostTag>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Author {
    id: i64,
    #[has_many]
    posts: HasMany<Post>,
    #[has_one]
    last: HasOne<Option<Post>>,
    #[has_many(through = "posts", source = "tags")]
    tags: HasManyThrough<Tag>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Tag {
    id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts_tags")]
struct PostTag {
    post_id: i64,
    tag_id: i64,
    position: i64,
}

/// Neither `PartialEq` nor `Debug`: its holders are neither, and work.
#[derive(Model, Clone)]
struct Bare {
    id: i64,
    #[has_many(foreign_key = "id")]
    others: HasMany<Bare>,
}

fn post(id: i64) -> Post {
    Post { id, author_id: 1, author: BelongsTo::default(), tags: HasAndBelongsToMany::default() }
}

fn link(tag_id: i64) -> PostTag {
    PostTag { post_id: 1, tag_id, position: tag_id }
}

#[test]
fn rows_taken_out_and_put_back_are_what_they_were() {
    let mut posts = HasMany::partial(vec![post(1), post(2)]);
    let rows = posts.take().unwrap();
    assert_eq!((posts.state(), rows.is_partial(), rows.len()), (LoadState::NotLoaded, true, 2));
    posts = HasMany::from(rows);
    assert_eq!(posts, HasMany::partial(vec![post(1), post(2)]));

    let mut last: HasOne<Option<Post>> = HasOne::partial(None);
    last = last.take().unwrap().into();
    assert_eq!((last.state(), last.loaded()), (LoadState::Partial, Some(None)));

    let mut author: BelongsTo<Author> = BelongsTo::partial(None);
    author = author.take().unwrap().into();
    assert!(author.is_partial());

    let mut tags = HasManyThrough::partial(vec![Tag { id: 1 }]);
    tags = tags.take().unwrap().into();
    assert_eq!((tags.is_partial(), tags.get().map(<[_]>::len)), (true, Ok(1)));

    let mut tags = HasAndBelongsToMany::partial_with_join_rows(vec![(Tag { id: 1 }, link(1))]);
    tags = tags.take_with_join_rows().unwrap().into();
    assert_eq!((tags.is_partial(), tags.join_rows()), (true, Some(&[link(1)][..])));

    // All of them stay all of them, and nothing stays nothing.
    let mut posts = HasMany::from(vec![post(1)]);
    posts = posts.take().unwrap().into();
    assert_eq!(posts.state(), LoadState::Loaded);
    assert_eq!(HasMany::<Post>::default().take(), None);
    let partial = std::mem::take(&mut HasMany::partial(vec![post(1)]));
    assert!(partial.is_partial() && partial.clone().is_partial());
}

#[test]
fn rows_are_added_and_removed_in_the_state_they_are_in() {
    for (state, mut posts) in
        [(LoadState::Loaded, HasMany::from(vec![])), (LoadState::Partial, HasMany::partial(vec![post(1), post(2)]))]
    {
        let rows = posts.loaded_mut().unwrap();
        rows.retain(|post| post.id != 1);
        rows.push(post(3));
        assert_eq!((posts.state(), posts.loaded().unwrap().last().unwrap().id), (state, 3));
    }
    assert_eq!(HasMany::<Post>::default().loaded_mut(), None);

    let mut tags = HasManyThrough::partial(vec![]);
    tags.loaded_mut().unwrap().push(Arc::new(Tag { id: 1 }));
    assert_eq!((tags.is_partial(), tags.get().map(<[_]>::len)), (true, Ok(1)));

    let mut last = HasOne::<Option<Post>>::partial(Some(post(1)));
    assert_eq!(last.replace(None).map(Taken::into_inner), Some(Some(post(1))));
    assert_eq!((last.is_partial(), last.loaded()), (true, Some(None)));
    last.replace(Some(post(2)));
    last.loaded_mut().unwrap().unwrap().author_id = 5;
    assert_eq!((last.is_partial(), last.get().unwrap().map(|post| post.author_id)), (true, Some(5)));
    let mut nothing = HasOne::<Option<Post>>::default();
    assert!(nothing.replace(Some(post(1))).is_none() && !nothing.is_loaded());
}

#[test]
fn a_shared_target_is_copied_before_it_is_changed() {
    let shared =
        Arc::new(Author { id: 1, posts: HasMany::default(), last: HasOne::default(), tags: HasManyThrough::default() });
    let mut one: BelongsTo<Author> = BelongsTo::from_shared(Some(Arc::clone(&shared)));
    let other = one.clone();
    assert!(Arc::ptr_eq(&one.shared().unwrap(), &shared) && Arc::ptr_eq(&other.shared().unwrap(), &shared));
    one.loaded_mut().unwrap().unwrap().id = 2;
    assert_eq!((one.get().unwrap().id, other.get().unwrap().id, shared.id), (2, 1, 1));
    // Alone with it, it is not copied.
    let before: *const Author = one.get().unwrap();
    one.loaded_mut().unwrap().unwrap().id = 3;
    assert!(std::ptr::eq(before, one.get().unwrap()));
    let replaced = one.replace(Some(shared)).unwrap();
    assert_eq!((replaced.as_ref().unwrap().id, one.get().unwrap().id), (3, 1));
}

#[test]
fn join_rows_stay_beside_their_targets() {
    let pairs = (1..=4).map(|id| (Tag { id }, link(id))).collect();
    let mut tags = HasAndBelongsToMany::<Tag, PostTag>::partial_with_join_rows(pairs);
    let mut rows = tags.loaded_with_join_rows_mut().unwrap();
    rows.push(Tag { id: 5 }, link(5));
    rows.retain(|tag, link| {
        link.position += 10;
        tag.id != 2
    });
    assert_eq!(rows.remove(0).map(|(tag, link)| (tag.id, link.position)), Some((1, 11)));
    assert_eq!((rows.remove(3), rows.len()), (None, 3));
    let left: Vec<_> =
        tags.get_with_join_rows().unwrap().map(|(tag, link)| (tag.id, link.tag_id, link.position)).collect();
    assert_eq!((left, tags.is_partial()), (vec![(3, 3, 13), (4, 4, 14), (5, 5, 15)], true));

    let mut none = HasAndBelongsToMany::<Tag, PostTag>::from(Vec::<(Tag, PostTag)>::new());
    none.loaded_with_join_rows_mut().unwrap().push(Tag { id: 1 }, link(1));
    assert_eq!(none.join_rows(), Some(&[link(1)][..]));
}

#[test]
fn states_and_rows_make_holders_equal() {
    let (all, part) = (HasMany::from(vec![post(1)]), HasMany::partial(vec![post(1)]));
    assert_ne!(all, part);
    assert_ne!(all, HasMany::default());
    assert_ne!(all, HasMany::from(vec![post(2)]));
    assert_ne!(all, HasMany::from(vec![]));
    assert_ne!(HasMany::from(vec![]), all);
    assert_ne!(all, HasMany::from(vec![post(1), post(1)]));
    assert_eq!(HasMany::<Post>::from(vec![]), HasMany::from(vec![]));
    let one = HasAndBelongsToMany::from(vec![(Tag { id: 1 }, link(1))]);
    assert_ne!(one, HasAndBelongsToMany::from(vec![(Tag { id: 1 }, link(2))]));
    assert_eq!(one, one.clone());
    assert_ne!(HasOne::<Option<Post>>::from(None), HasOne::from(Some(post(1))));
    assert_ne!(BelongsTo::<Option<Tag>>::from(Some(Tag { id: 1 })), BelongsTo::from(Some(Tag { id: 2 })));
}

#[test]
fn states_are_shown() {
    let tag = || Tag { id: 1 };
    let shown = [
        format!("{:?}", HasMany::<Tag>::default()),
        format!("{:?}", HasMany::<Tag>::from(vec![])),
        format!("{:?}", HasMany::partial(vec![tag(), tag()])),
        format!("{:?}", HasOne::<Tag>::from(Some(tag()))),
        format!("{:?}", BelongsTo::<Option<Tag>>::partial(None)),
        format!("{:?}", HasManyThrough::from(vec![tag()])),
        format!("{:?}", HasAndBelongsToMany::from(vec![(tag(), link(1))])),
        format!("{:#?}", HasMany::from(vec![tag()])),
    ];
    let expected = [
        "NotLoaded",
        "Loaded([])",
        "Partial([Tag { id: 1 }, Tag { id: 1 }])",
        "Loaded(Some(Tag { id: 1 }))",
        "Partial(None)",
        "Loaded([Tag { id: 1 }])",
        "Loaded([Tag { id: 1 }], [PostTag { post_id: 1, tag_id: 1, position: 1 }])",
        "Loaded(\n    [\n        Tag {\n            id: 1,\n        },\n    ],\n)",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_target_without_traits_can_be_held() {
    let row = Bare { id: 1, others: HasMany::from(vec![Bare { id: 2, others: HasMany::default() }]) };
    assert_eq!(row.clone().others().unwrap()[0].id, 2);
}

fn authors(count: i64) -> Vec<Author> {
    let author =
        |id| Author { id, posts: HasMany::default(), last: HasOne::default(), tags: HasManyThrough::default() };
    (0..count).map(author).collect()
}

// More rows than fit into the pieces in which a list gives its memory back.
fn many_posts(count: i64) -> Box<dyn Rows> {
    let mut posts = Vec::with_capacity(2 * count as usize);
    posts.extend((0..count).map(post));
    Box::new(posts)
}

#[test]
fn rows_move_to_their_owners_in_order_and_leave_no_memory_behind() {
    let posts = Author::DEF.association("posts").unwrap().field_access;
    let runs_of =
        [vec![0, 3_000, 1, 0, 1_999, 0], vec![0, 0, 5_000], vec![5_000, 0], vec![1; 5_000], vec![2_000, 2_000]];
    for runs in runs_of {
        let mut owners = authors(runs.len() as i64);
        let links = Links::Runs(runs.clone());
        posts.attach(&mut owners, Children::Owned(many_posts(5_000)), &links, &|_| false, LoadState::Loaded);
        let mut next = 0;
        for (owner, run) in owners.iter_mut().zip(runs) {
            let own = owner.posts.loaded_mut().unwrap();
            let ids = next..next + i64::from(run);
            assert!(own.iter().map(|post| post.id).eq(ids.clone()), "{ids:?}");
            assert_eq!(own.capacity(), own.len(), "{ids:?}");
            next = ids.end;
        }
    }
}

#[test]
fn owners_that_are_skipped_drop_their_rows() {
    let posts = Author::DEF.association("posts").unwrap().field_access;
    let mut owners = authors(3);
    let links = Links::Runs(vec![1_000, 3_000, 1_000]);
    posts.attach(&mut owners, Children::Owned(many_posts(5_000)), &links, &|at| at == 1, LoadState::Loaded);
    assert!(!owners[1].posts.is_loaded());
    assert_eq!(owners[0].posts.get().unwrap().last().unwrap().id, 999);
    assert_eq!(owners[2].posts.get().unwrap()[0].id, 4_000);
}

#[test]
fn rows_that_are_shared_stay_in_order() {
    for count in [0, 1, 2, 5_000] {
        let shared = many_posts(count).into_shared().downcast::<Vec<Arc<Post>>>().unwrap();
        assert!(shared.iter().map(|post| post.id).eq(0..count), "{count}");
    }
}

#[test]
fn rows_tell_the_keys_of_some() {
    let rows = many_posts(5_000);
    assert_eq!(rows.keys_of(&[0], 4_998..5_000), RowKeys::Ints(vec![Some(4_998), Some(4_999)]));
    assert_eq!(rows.keys(&[0], 4_999), RowKeys::Ints(vec![Some(4_999)]));
    assert!(rows.keys(&[0], 5_000).is_empty() && rows.keys(&[0], 5_001).is_empty());
    assert_eq!(rows.keys_of(&[0], 4_999..5_001), RowKeys::Ints(vec![Some(4_999)]));
}

#[test]
fn holders_are_small_and_plain() {
    fn plain<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() -> usize {
        size_of::<T>()
    }
    let sizes = [
        plain::<HasMany<Post>>(),
        plain::<HasOne<Option<Post>>>(),
        plain::<BelongsTo<Author>>(),
        plain::<HasManyThrough<Tag>>(),
        plain::<HasAndBelongsToMany<Tag, PostTag>>(),
    ];
    // Rows behind others remember by a mark which rows between they were loaded for.
    let (plain, marked) = (3 * size_of::<usize>(), 3 * size_of::<usize>() + size_of::<u64>());
    assert_eq!(sizes, [plain, marked, plain, marked, marked]);
}
