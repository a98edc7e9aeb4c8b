//! The saves by hand: one statement a table, of lists.

use std::hint::black_box;
use std::sync::Arc;

use tokio_postgres::Client;

use crate::data::{self, NewPost, NewUser};
use crate::rows::saved;
use crate::{Outcome, ours};

const USERS: &str = "INSERT INTO users (name, email, age, created_at) \
                     SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) RETURNING id";
const POSTS: &str = "INSERT INTO posts (user_id, title, body, published) \
                     SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::boolean[]) RETURNING id";
const LINKS: &str = "INSERT INTO posts_tags (post_id, tag_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])";

/// Inserts users with their posts, and links to tags. The keys come in the order of the lists, as PostgreSQL inserts them.
pub(super) async fn insert(client: &mut Client, new: &[NewUser], tags: Option<&[Arc<ours::Tag>]>) -> Outcome<u64> {
    let tx = client.transaction().await?;
    let names: Vec<&str> = new.iter().map(|user| user.name.as_str()).collect();
    let emails: Vec<&str> = new.iter().map(|user| user.email.as_str()).collect();
    let ages: Vec<i64> = new.iter().map(|user| user.age).collect();
    let created: Vec<&str> = new.iter().map(|user| user.created_at.as_str()).collect();
    let rows = tx.query(USERS, &[&names, &emails, &ages, &created]).await?;
    let user_ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    let posts: Vec<(i64, &NewPost)> =
        user_ids.iter().zip(new).flat_map(|(id, user)| user.posts.iter().map(|post| (*id, post))).collect();
    let owners: Vec<i64> = posts.iter().map(|(owner, _)| *owner).collect();
    let titles: Vec<&str> = posts.iter().map(|(_, post)| post.title.as_str()).collect();
    let bodies: Vec<&str> = posts.iter().map(|(_, post)| post.body.as_str()).collect();
    let published: Vec<bool> = posts.iter().map(|(_, post)| post.published).collect();
    let rows = tx.query(POSTS, &[&owners, &titles, &bodies, &published]).await?;
    let post_ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    if let Some(tags) = tags {
        let links = post_ids.iter().enumerate();
        let (of, linked): (Vec<i64>, Vec<i64>) =
            links.flat_map(|(number, post)| data::tags_of(number).map(|tag| (*post, tags[tag].id))).unzip();
        tx.execute(LINKS, &[&of, &linked]).await?;
    }
    tx.commit().await?;
    let beside = |number| tags.map_or_else(Vec::new, |tags| data::tags_beside(tags, number));
    black_box(saved(new, &user_ids, &post_ids, beside));
    Ok(0)
}
