//! A join table whose rows have values that the database fills in.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "quizzes")]
pub struct Quiz {
    pub id: i64,
    pub title: String,
    #[has_and_belongs_to_many]
    pub words: HasAndBelongsToMany<Word, QuizWord>,
    #[has_and_belongs_to_many(distinct)]
    pub different_words: HasAndBelongsToMany<Word, QuizWord>,
    // The same rows, of which it sees some.
    #[has_and_belongs_to_many]
    pub heavy_words: HasAndBelongsToMany<Word, HeavyWord>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "words")]
pub struct Word {
    pub id: i64,
    pub text: String,
    #[has_and_belongs_to_many]
    pub quizzes: HasAndBelongsToMany<Quiz, QuizWord>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "quiz_words")]
pub struct QuizWord {
    pub quiz_id: i64,
    pub word_id: i64,
    #[column(default = "5")]
    pub weight: i64,
    #[column(length = 20)]
    pub note: Option<String>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "quiz_words", default_scope = heavy)]
pub struct HeavyWord {
    pub quiz_id: i64,
    pub word_id: i64,
    #[column(default = "5")]
    pub weight: i64,
}

fn heavy(words: Scope<HeavyWord>) -> Scope<HeavyWord> {
    words.filter(HeavyWord::WEIGHT.gt(7))
}

pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Quiz>().await?;
    repo.create_table::<Word>().await?;
    repo.create_table::<QuizWord>().await
}
