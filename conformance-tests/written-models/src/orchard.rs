//! Orchards whose members take their foreign keys from the inverses, baskets with a condition in JSON, cards that need an owner,
//! and shoots whose callbacks grow others by handles.

use assoc_core::{Error, Result};
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
use serde_json::{Value as Json, json};

/// The trees hold `home_id`, which only they say.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "orchards")]
pub struct Orchard {
    pub id: i64,
    #[column(length = 40)]
    pub name: String,
    #[column(counter_cache)]
    pub trees_count: i64,
    #[has_many(inverse_of = "home", dependent = "nullify")]
    pub trees: HasMany<Tree>,
    #[has_one(inverse_of = "home", order = Tree::ID.asc())]
    pub oldest: HasOne<Option<Tree>>,
    #[has_many(through = "trees")]
    pub nests: HasManyThrough<Nest>,
    // The same trees, which do not lead back.
    #[has_many(foreign_key = "home_id", inverse_of = false)]
    pub plants: HasMany<Tree>,
    #[has_many(scope = Self::sorted)]
    pub baskets: HasMany<Basket>,
    // Its key cannot be `NULL`.
    #[has_one]
    pub deed: HasOne<Option<Deed>>,
}

impl Orchard {
    /// What the label of a sorted basket says.
    pub fn label() -> Json {
        json!({ "grade": 1, "kinds": ["apple", "O'Pear"], "none": null })
    }

    fn sorted(scope: Scope<Basket>) -> Scope<Basket> {
        scope.filter(Basket::LABEL.eq(Self::label()))
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "trees")]
pub struct Tree {
    pub id: i64,
    pub home_id: Option<i64>,
    #[column(length = 40)]
    pub kind: String,
    #[belongs_to(foreign_key = "home_id", counter_cache)]
    pub home: BelongsTo<Option<Orchard>>,
    #[has_many]
    pub nests: HasMany<Nest>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "nests")]
pub struct Nest {
    pub id: i64,
    pub tree_id: i64,
    pub eggs: i32,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "baskets")]
pub struct Basket {
    pub id: i64,
    pub orchard_id: Option<i64>,
    pub label: Json,
    pub weight: i32,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "deeds")]
pub struct Deed {
    pub id: i64,
    pub orchard_id: i64,
    #[column(length = 40)]
    pub text: String,
}

/// A key of two columns.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "plots", primary_key = "region, number")]
pub struct Plot {
    pub region: i64,
    pub number: i32,
    #[has_many(inverse_of = "plot", dependent = "nullify")]
    pub beds: HasMany<Bed>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "beds")]
pub struct Bed {
    pub id: i64,
    pub in_region: Option<i64>,
    pub plot_number: Option<i32>,
    #[belongs_to(foreign_key = "in_region, plot_number")]
    pub plot: BelongsTo<Option<Plot>>,
}

/// One that is to grow `depth` generations: each inserts the next by a handle, and what is added and destroyed is written down by
/// handles as well.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shoots", callbacks)]
pub struct Shoot {
    pub id: i64,
    pub parent_id: Option<i64>,
    pub depth: i64,
    #[column(counter_cache)]
    pub shoots_count: i64,
    #[column(counter_cache)]
    pub rings_count: i64,
    // A tree, by the key of the other side.
    #[has_many(inverse_of = "parent", dependent = "destroy", after_add = Self::ring, before_remove = Self::bare)]
    pub shoots: HasMany<Shoot>,
    #[belongs_to(counter_cache)]
    pub parent: BelongsTo<Option<Shoot>>,
    #[has_many(dependent = "destroy", before_add = Self::thin)]
    pub rings: HasMany<Ring>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "rings", callbacks)]
pub struct Ring {
    pub id: i64,
    pub shoot_id: i64,
    pub width: i64,
    #[belongs_to(counter_cache)]
    pub shoot: BelongsTo<Shoot>,
}

/// What was written down of shoots that are gone.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stumps")]
pub struct Stump {
    pub id: i64,
    pub depth: i64,
    pub rings: i64,
}

impl Shoot {
    // A shoot grows a ring for each that is added to it.
    async fn ring(parent: &Shoot, shoot: &Shoot, cx: &CallbackContext<'_>) -> Result<()> {
        let mut parent = parent.clone();
        cx.repo().association(&mut parent, Shoot::RINGS).create(Ring::build().set(Ring::WIDTH, shoot.depth)).await?;
        Ok(())
    }

    // And loses them before one is taken away.
    async fn bare(parent: &Shoot, _: &Shoot, cx: &CallbackContext<'_>) -> Result<()> {
        let mut parent = parent.clone();
        cx.repo().association(&mut parent, Shoot::RINGS).destroy_all().await.map(drop)
    }

    async fn thin(_: &Shoot, ring: &Change<Ring>, _: &CallbackContext<'_>) -> Result<()> {
        match ring.get(Ring::WIDTH)? {
            Some(width) if width < 0 => Err(Error::other("a ring has a width")),
            _ => Ok(()),
        }
    }
}

#[callbacks]
impl Callbacks for Shoot {
    async fn after_insert(shoot: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        if shoot.depth > 0 {
            let mut parent = shoot.clone();
            let next = Shoot::build().set(Shoot::DEPTH, shoot.depth - 1);
            cx.repo().association(&mut parent, Shoot::SHOOTS).create(next).await?;
        }
        Ok(())
    }

    async fn before_destroy(shoot: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        let rings = cx.repo().association(shoot, Shoot::RINGS).count().await?;
        let stump = Stump::build().set(Stump::DEPTH, shoot.depth).set(Stump::RINGS, rings.cast_signed());
        cx.repo().insert(stump).await.map(drop)
    }
}

#[callbacks]
impl Callbacks for Ring {
    // A ring of a shoot that is there already is widened by the next one.
    async fn before_insert(ring: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
        if let (Some(shoot), Some(width)) = (ring.get(Ring::SHOOT_ID)?, ring.get(Ring::WIDTH)?) {
            let shoot = cx.repo().get_or_fail::<Shoot>(shoot, Query::new()).await?;
            let rings = cx.repo().association(&shoot, Shoot::RINGS);
            if let Some(widest) = rings.max(Ring::WIDTH).await? {
                ring.set(Ring::WIDTH, width.max(widest + 1));
            }
        }
        Ok(())
    }
}

pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Orchard>().await?;
    repo.create_table::<Tree>().await?;
    repo.create_table::<Nest>().await?;
    repo.create_table::<Basket>().await?;
    repo.create_table::<Deed>().await?;
    repo.create_table::<Plot>().await?;
    repo.create_table::<Bed>().await?;
    repo.create_table::<Shoot>().await?;
    repo.create_table::<Ring>().await?;
    repo.create_table::<Stump>().await
}
