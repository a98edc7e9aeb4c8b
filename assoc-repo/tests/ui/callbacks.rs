// Callbacks that never ran, or that are none.
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};

// The model says so, and has none.
#[derive(Model, Debug, Clone)]
#[model(callbacks)]
struct Missing {
    id: i64,
}

// It has some, and does not say so.
#[derive(Model, Debug, Clone)]
struct Silent {
    id: i64,
}

#[callbacks]
impl Callbacks for Silent {
    async fn before_save(_: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }
}

// Without the attribute the compiler does not know which functions are there.
#[derive(Model, Debug, Clone)]
#[model(callbacks)]
struct Plain {
    id: i64,
}

impl Callbacks for Plain {
    async fn before_save(_: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }
}

// Names.
#[derive(Model, Debug, Clone)]
#[model(callbacks)]
struct Misspelt {
    id: i64,
}

#[callbacks]
impl Callbacks for Misspelt {
    async fn before_create(_: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }
    async fn befor_save(_: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }
    async fn around(_: &Self, _: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }
}

// Places.
#[callbacks]
struct Elsewhere;

#[callbacks]
impl Misspelt {
    fn helper() {}
}

#[callbacks(after = "User")]
impl Callbacks for Elsewhere {}

// A callback of an association is a function of owner, member and context.
#[derive(Model, Debug, Clone)]
struct Owner {
    id: i64,
    #[has_many(before_add = "not a path")]
    first: HasMany<Member>,
    #[has_many(after_add = [Self::added, 3])]
    second: HasMany<Member>,
    #[has_one(before_remove = Self::added)]
    third: HasOne<Member>,
}

impl Owner {
    async fn added(_: &Owner, _: &Member, _: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }
}

#[derive(Model, Debug, Clone)]
struct Member {
    id: i64,
    owner_id: i64,
}

fn main() {}
