//! A join table whose rows have values that the database fills in.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "quizzes")]
pub(crate) struct Quiz {
    pub(crate) id: i64,
    pub(crate) title: String,
    #[has_and_belongs_to_many]
    pub(crate) words: HasAndBelongsToMany<Word, QuizWord>,
    #[has_and_belongs_to_many(distinct)]
    pub(crate) different_words: HasAndBelongsToMany<Word, QuizWord>,
    // The same rows, of which it sees some.
    #[has_and_belongs_to_many]
    pub(crate) heavy_words: HasAndBelongsToMany<Word, HeavyWord>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "words")]
pub(crate) struct Word {
    pub(crate) id: i64,
    pub(crate) text: String,
    #[has_and_belongs_to_many]
    pub(crate) quizzes: HasAndBelongsToMany<Quiz, QuizWord>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "quiz_words")]
pub(crate) struct QuizWord {
    pub(crate) quiz_id: i64,
    pub(crate) word_id: i64,
    #[column(default = "5")]
    pub(crate) weight: i64,
    #[column(length = 20)]
    pub(crate) note: Option<String>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "quiz_words", default_scope = heavy)]
pub(crate) struct HeavyWord {
    pub(crate) quiz_id: i64,
    pub(crate) word_id: i64,
    #[column(default = "5")]
    pub(crate) weight: i64,
}

fn heavy(words: Scope<HeavyWord>) -> Scope<HeavyWord> {
    words.filter(HeavyWord::WEIGHT.gt(7))
}

pub(crate) async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Quiz>().await?;
    repo.create_table::<Word>().await?;
    repo.create_table::<QuizWord>().await
}
