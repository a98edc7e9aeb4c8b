//! Members whose key begins with the key of their owner, as the lines of an order have it.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "recipes")]
pub struct Recipe {
    pub id: i64,
    pub name: String,
    #[has_many(dependent = "delete")]
    pub ingredients: HasMany<Ingredient>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "ingredients", primary_key = "recipe_id, number")]
pub struct Ingredient {
    pub recipe_id: i64,
    pub number: i64,
    pub grams: i32,
}

pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Recipe>().await?;
    repo.create_table::<Ingredient>().await?;
    let recipe = |name: &str| {
        let ingredient = |number: i64| Ingredient::build().set(Ingredient::NUMBER, number).set(Ingredient::GRAMS, 10);
        Recipe::build().set(Recipe::NAME, name).push(Recipe::INGREDIENTS, [3, 4, 5, 6].map(ingredient))
    };
    repo.insert_all(["soup", "bread"].map(recipe)).await?;
    Ok(())
}
