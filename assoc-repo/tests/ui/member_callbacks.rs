// Callbacks of associations that do not fit.
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Change};

#[derive(Model, Debug, Clone)]
struct Owner {
    id: i64,
    // Before a row becomes a member, it is a change.
    #[has_many(before_add = Self::of_row)]
    first: HasMany<Member>,
    // Of another model.
    #[has_many(after_add = Self::of_owner)]
    second: HasMany<Member>,
    // Not asynchronous.
    #[has_many(before_remove = Self::at_once)]
    third: HasMany<Member>,
    #[has_many(after_remove = Self::missing)]
    fourth: HasMany<Member>,
    // It returns nothing.
    #[has_many(after_remove = Self::nothing)]
    fifth: HasMany<Member>,
}

impl Owner {
    async fn of_row(_: &Owner, _: &Member, _: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }
    async fn of_owner(_: &Owner, _: &Owner, _: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }
    async fn nothing(_: &Owner, _: &Member, _: &CallbackContext<'_>) {}
    fn at_once(_: &Owner, _: &Member, _: &CallbackContext<'_>) -> Result<()> {
        Ok(())
    }
}

#[derive(Model, Debug, Clone)]
struct Member {
    id: i64,
    owner_id: i64,
}

fn main() {
    let _: Option<Change<Member>> = None;
}
