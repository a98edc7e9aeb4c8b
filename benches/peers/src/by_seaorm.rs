//! The same workloads as SeaORM's guide writes them, over sqlx: `load_many` and `load_one`, or a join for a single row. A
//! connection of SeaORM has one type for all databases, so each of them only says how to connect.

use std::hint::black_box;
use std::sync::Arc;

use sea_orm::{
    ColumnTrait, ConnectOptions, Database, DatabaseConnection, DbErr, EntityTrait, LoaderTrait, QueryFilter, QueryOrder,
};
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::data::PAGE;
use crate::rounds::Peer;
use crate::rows::{Summed, total, total_of_graph};
use crate::workload::{Inputs, Workload};

mod entities;

use entities::{comments, posts, tags, users};

pub(crate) struct SeaOrm {
    runtime: Arc<Runtime>,
    db: DatabaseConnection,
}

impl Peer for SeaOrm {
    fn name(&self) -> &'static str {
        "seaorm"
    }

    fn does(&self, workload: Workload) -> bool {
        use Workload::{W1, W2, W3, W4, W5, W6, W7, W9};
        matches!(workload, W1 | W2 | W3 | W4 | W5 | W6 | W7 | W9)
    }

    fn run(&mut self, workload: Workload, inputs: &Arc<Inputs>, check: bool) -> Outcome<u64> {
        let db = &self.db;
        let run = async {
            match workload {
                Workload::W1 => gets(db, &inputs.keys, check).await,
                Workload::W2 => users_posts(db, check).await,
                Workload::W3 => graph(db, None, check).await,
                Workload::W4 => posts_user(db, check).await,
                Workload::W5 => posts_tags(db, check).await,
                Workload::W6 => users_profile(db, check).await,
                Workload::W7 => users_comments(db, check).await,
                Workload::W9 => graph(db, Some(PAGE), check).await,
                other => Err(DbErr::Custom(format!("{other:?} is not written for SeaORM"))),
            }
        };
        Ok(self.runtime.block_on(run)?)
    }
}

impl SeaOrm {
    /// Over a pool of one connection, which sqlx tests before each statement, as it does by default.
    pub(crate) fn connect(runtime: Arc<Runtime>, mut options: ConnectOptions) -> Outcome<Self> {
        options.max_connections(1).sqlx_logging(false);
        let db = runtime.block_on(Database::connect(options))?;
        Ok(SeaOrm { runtime, db })
    }
}

async fn gets(db: &DatabaseConnection, keys: &[i64], check: bool) -> Result<u64, DbErr> {
    let mut total = 0_u64;
    for key in keys {
        let user = users::Entity::find_by_id(*key).one(db).await?;
        let user = user.ok_or_else(|| DbErr::RecordNotFound(key.to_string()))?;
        if check {
            total = total.wrapping_add(user.sum(0));
        }
        black_box(&user);
    }
    Ok(total)
}

async fn all_users(db: &DatabaseConnection) -> Result<Vec<users::Model>, DbErr> {
    users::Entity::find().order_by_asc(users::Column::Id).all(db).await
}

async fn users_posts(db: &DatabaseConnection, check: bool) -> Result<u64, DbErr> {
    let users = all_users(db).await?;
    let posts = users.load_many(posts::Entity, db).await?;
    let owned: Vec<(users::Model, Vec<posts::Model>)> = users.into_iter().zip(posts).collect();
    black_box(&owned);
    Ok(total(&owned, check))
}

// The posts of all users in one list, to load what belongs to them, and how many each user has.
fn flat(posts: Vec<Vec<posts::Model>>) -> (Vec<posts::Model>, Vec<usize>) {
    let counts = posts.iter().map(Vec::len).collect();
    (posts.into_iter().flatten().collect(), counts)
}

async fn graph(db: &DatabaseConnection, page: Option<(i64, i64)>, check: bool) -> Result<u64, DbErr> {
    let users = match page {
        None => all_users(db).await?,
        Some((from, to)) => {
            let page = users::Entity::find().filter(users::Column::Id.between(from, to));
            page.order_by_asc(users::Column::Id).all(db).await?
        }
    };
    let (posts, counts) = flat(users.load_many(posts::Entity, db).await?);
    let comments = posts.load_many(comments::Entity, db).await?;
    let mut posts = posts.into_iter().zip(comments);
    let graph: Vec<_> =
        users.into_iter().zip(counts).map(|(user, own)| (user, posts.by_ref().take(own).collect::<Vec<_>>())).collect();
    black_box(&graph);
    Ok(total_of_graph(&graph, check))
}

async fn posts_user(db: &DatabaseConnection, check: bool) -> Result<u64, DbErr> {
    let posts = posts::Entity::find().order_by_asc(posts::Column::Id).all(db).await?;
    let users = posts.load_one(users::Entity, db).await?;
    let owned: Vec<(posts::Model, Option<users::Model>)> = posts.into_iter().zip(users).collect();
    black_box(&owned);
    Ok(total(&owned, check))
}

async fn posts_tags(db: &DatabaseConnection, check: bool) -> Result<u64, DbErr> {
    let posts = posts::Entity::find().order_by_asc(posts::Column::Id).all(db).await?;
    let tags = posts.load_many(tags::Entity, db).await?;
    let owned: Vec<(posts::Model, Vec<tags::Model>)> = posts.into_iter().zip(tags).collect();
    black_box(&owned);
    Ok(total(&owned, check))
}

async fn users_profile(db: &DatabaseConnection, check: bool) -> Result<u64, DbErr> {
    let users = users::Entity::find().find_also_related(entities::profiles::Entity);
    let owned = users.order_by_asc(users::Column::Id).all(db).await?;
    black_box(&owned);
    Ok(total(&owned, check))
}

async fn users_comments(db: &DatabaseConnection, check: bool) -> Result<u64, DbErr> {
    let users = all_users(db).await?;
    let (posts, counts) = flat(users.load_many(posts::Entity, db).await?);
    let mut comments = posts.load_many(comments::Entity, db).await?.into_iter();
    let owned: Vec<(users::Model, Vec<comments::Model>)> = users
        .into_iter()
        .zip(counts)
        .map(|(user, posts)| (user, comments.by_ref().take(posts).flatten().collect()))
        .collect();
    black_box(&owned);
    Ok(total(&owned, check))
}
