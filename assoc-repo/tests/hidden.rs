//! A required target that a filter may hide.
#![allow(clippy::unwrap_used)]

use assoc_repo::prelude::*;
use assoc_repo::{HiddenBy, NotLoadedReason};
use assoc_sqlite::Sqlite;

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
}

#[derive(Model, Debug, Clone)]
struct Post {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: BelongsTo<User>,
}

#[test]
fn is_told_apart_from_a_missing_one() {
    pollster::block_on(async {
        let repo = Repo::new(Sqlite::memory()?);
        repo.create_table::<User>().await?;
        repo.create_table::<Post>().await?;
        repo.insert(Post::build().set(Post::USER_ID, 1)).await?;
        let reason = |posts: &[Post]| posts[0].user().unwrap_err().reason();
        assert_eq!(reason(&repo.all(Query::preload(Post::USER)).await?), NotLoadedReason::NoRow);
        let cut = Query::preload(Post::USER.filter(User::ID.ne(1)));
        assert_eq!(reason(&repo.all(cut).await?), NotLoadedReason::Hidden(HiddenBy::Requested));
        let filtered = repo.filtered(|model| (model == User::DEF).then(|| User::ID.ne(1).into_expr()));
        let posts = filtered.all(Query::preload(Post::USER)).await?;
        assert_eq!(reason(&posts), NotLoadedReason::Hidden(HiddenBy::FilteredRepo));
        Ok::<(), Error>(())
    })
    .unwrap();
}
