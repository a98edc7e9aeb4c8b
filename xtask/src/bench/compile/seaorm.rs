//! Programs of SeaORM over sqlx, as its guide writes them: an entity a module, `load_many`.

use std::fmt::Write as _;

use super::program::Place;

pub(super) fn dependencies() -> String {
    "sea-orm = { version = \"2\", default-features = false, features = [\"macros\", \"runtime-tokio\", \"sqlx-sqlite\"] }\n\
     tokio = { version = \"1\", default-features = false, features = [\"rt-multi-thread\"] }\n"
        .to_owned()
}

/// An entity, and a function that reads rows with what belongs to them.
pub(super) fn model(place: &Place) -> String {
    let number = place.number;
    let edited = place.edited.column();
    let keys: String = place.parents().map(|parent| format!("    pub m{parent}_id: i64,\n")).collect();
    let mut model = format!(
        "use sea_orm::entity::prelude::*;\nuse sea_orm::{{LoaderTrait, QueryOrder}};\n\n\
         #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]\n#[sea_orm(table_name = \"m{number}s\")]\npub struct Model {{\n    \
         #[sea_orm(primary_key)]\n    pub id: i64,\n    pub name: String,\n    pub note: Option<String>,\n    \
         pub {edited}: i64,\n{keys}}}\n\n#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]\npub enum Relation {{\n"
    );
    // Writing to a String cannot fail.
    for parent in place.parents() {
        let _ = write!(
            model,
            "    #[sea_orm(belongs_to = \"super::m{parent}::Entity\", from = \"Column::M{parent}Id\", to = \
             \"super::m{parent}::Column::Id\")]\n    M{parent},\n"
        );
    }
    for child in place.children() {
        let _ = write!(model, "    #[sea_orm(has_many = \"super::m{child}::Entity\")]\n    M{child},\n");
    }
    model.push_str("}\n");
    for other in place.parents().chain(place.children()) {
        let _ = write!(
            model,
            "\nimpl Related<super::m{other}::Entity> for Entity {{\n    fn to() -> RelationDef {{\n        \
             Relation::M{other}.def()\n    }}\n}}\n"
        );
    }
    model.push_str("\nimpl ActiveModelBehavior for ActiveModel {}\n");
    let read = "Entity::find().filter(Column::Name.eq(name)).order_by_asc(Column::Id).all(db).await";
    let _ = match place.children().next() {
        Some(child) => write!(
            model,
            "\npub async fn named(db: &DatabaseConnection, name: &str) -> Result<Vec<(Model, Vec<super::m{child}::Model>)>, DbErr> \
             {{\n    let owners = {read}?;\n    let children = owners.load_many(super::m{child}::Entity, db).await?;\n    \
             Ok(owners.into_iter().zip(children).collect())\n}}\n"
        ),
        None => write!(
            model,
            "\npub async fn named(db: &DatabaseConnection, name: &str) -> Result<Vec<Model>, DbErr> {{\n    {read}\n}}\n"
        ),
    };
    // The last model loads no others.
    if place.children().next().is_none() { model.replace("{LoaderTrait, QueryOrder}", "QueryOrder") } else { model }
}

pub(super) const PROGRAM: &str = r#"use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, ConnectionTrait, Database, LoaderTrait, QueryOrder};

mod users {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::posts::Entity")]
        Posts,
    }

    impl Related<super::posts::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Posts.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod posts {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "posts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub user_id: i64,
        pub title: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::users::Entity", from = "Column::UserId", to = "super::users::Column::Id")]
        User,
        #[sea_orm(has_many = "super::comments::Entity")]
        Comments,
    }

    impl Related<super::users::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::User.def()
        }
    }

    impl Related<super::comments::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Comments.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod comments {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "comments")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub post_id: i64,
        pub body: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::posts::Entity", from = "Column::PostId", to = "super::posts::Column::Id")]
        Post,
    }

    impl Related<super::posts::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Post.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let db = Database::connect("sqlite::memory:").await?;
        db.execute_unprepared("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").await?;
        db.execute_unprepared("CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL)").await?;
        db.execute_unprepared("CREATE TABLE comments (id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL, body TEXT NOT NULL)").await?;
        let ada = users::ActiveModel { name: Set("Ada".to_owned()), ..Default::default() }.insert(&db).await?;
        let post = posts::ActiveModel { title: Set("First".to_owned()), user_id: Set(ada.id), ..Default::default() };
        let post = post.insert(&db).await?;
        comments::ActiveModel { body: Set("Well".to_owned()), post_id: Set(post.id), ..Default::default() }.insert(&db).await?;
        let all = users::Entity::find().order_by_asc(users::Column::Id).all(&db).await?;
        let of_users = all.load_many(posts::Entity, &db).await?;
        for (user, posts) in all.iter().zip(of_users) {
            let of_posts = posts.load_many(comments::Entity, &db).await?;
            for (post, comments) in posts.iter().zip(of_posts) {
                println!("{} {} {}", user.name, post.title, comments.len());
            }
        }
        Ok(())
    })
}
"#;
