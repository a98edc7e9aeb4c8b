//! What a second preload reads again: a key of a row between that leads to no row. The targets come back without what was
//! loaded below them, so the property `rows_in_hand` does not expect it.

use assoc_core::LoadState;
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_sqlite::{Execution, Sqlite};

use crate::data::make_tables;
use crate::people::{Group, Membership, Post, User};

// A group with a member whose posts are partly loaded, perhaps beside a membership whose user does not exist.
async fn loaded_in_part(dangles: bool) -> Result<(Repo, Group)> {
    let repo = Repo::new(Sqlite::builder(":memory:").execution(Execution::Inline).open()?);
    make_tables(&repo).await?;
    let user = repo.insert(User::build().set(User::NAME, "A")).await?;
    repo.insert(Post::build().set(Post::USER_ID, user.id).set(Post::TITLE, "a").set(Post::PUBLISHED, true)).await?;
    let mut group = repo.insert(Group::build().set(Group::NAME, "a")).await?;
    let users = [Some(user.id), dangles.then_some(user.id + 1)];
    for id in users.into_iter().flatten() {
        let membership = Membership::build().set(Membership::GROUP_ID, group.id).set(Membership::LEVEL, 1);
        repo.insert(membership.set(Membership::USER_ID, id)).await?;
    }
    let posts = User::WHOLE_POSTS.limit(0);
    repo.preload(&mut group, (Group::MEMBERSHIPS, Group::USERS.with(posts))).await?;
    assert_eq!(group.users()?.len(), 1);
    assert!(group.users()?[0].whole_posts.is_partial());
    Ok((repo, group))
}

async fn again(dangles: bool) -> Result<(usize, LoadState)> {
    let (repo, mut group) = loaded_in_part(dangles).await?;
    let (result, statements) = repo.count_statements(repo.preload(&mut group, Group::USERS)).await;
    result?;
    assert_eq!(group.users()?.len(), 1);
    Ok((statements, group.users()?[0].whole_posts.state()))
}

#[test]
fn a_row_between_that_leads_nowhere() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(again(false)).unwrap(), (0, LoadState::Partial));
    assert_eq!(runtime.block_on(again(true)).unwrap(), (1, LoadState::NotLoaded));
}
