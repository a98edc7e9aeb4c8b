//! Rows of a join table beside the targets of what a save returns.

use assoc_core::Result;
use assoc_core::driver::Dialect;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::quizzes::{self, Quiz, Word};

cases! { "saved_join_rows", Level::Write;
    of_new_owners lacks returned_rows,
    of_owners_that_exist lacks returned_rows,
    from_both_sides lacks returned_rows,
    seen_in_part,
}

// Rows between have no key by which they could be read once they are inserted, so none come back.
fn returned_rows(dialect: &dyn Dialect) -> Option<&'static str> {
    (!dialect.capabilities().insert_returning).then_some("INSERT … RETURNING")
}

fn word(text: &str) -> Changeset<Word> {
    Word::build().set(Word::TEXT, text)
}

async fn compare(cx: &mut Context, label: &str, quiz: &Quiz) -> Result<()> {
    let shown = |quiz: &Quiz| -> Result<Vec<(String, i64, Option<String>)>> {
        let pairs = quiz.words_with_join_rows()?;
        Ok(pairs.map(|(word, row)| (word.text.clone(), row.weight, row.note.clone())).collect())
    };
    let mut held = shown(quiz)?;
    let stored = cx.repo().get_or_fail::<Quiz>(quiz.id, Query::preload(Quiz::WORDS)).await?;
    let mut fresh = shown(&stored)?;
    cx.show(label, held.iter());
    held.sort();
    fresh.sort();
    cx.require(held == fresh, "as a fresh read gives it")
}

async fn of_new_owners(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    quizzes::tables(&repo).await?;
    let stored = repo.insert(word("stored")).await?;
    let draft = |title: &str| Quiz::build().set(Quiz::TITLE, title);
    let first = draft("first").push(Quiz::WORDS, &stored).push(Quiz::WORDS, word("new")).push(Quiz::WORDS, &stored);
    let first = cx.step("one", repo.insert(first)).await?;
    cx.require(first.words.is_loaded() && !first.words.is_partial(), "all there are")?;
    compare(cx, "first", &first).await?;
    let several = [
        draft("second"),
        draft("third").push(Quiz::WORDS, [word("a"), word("b")]),
        draft("fourth").push(Quiz::WORDS, &stored),
    ];
    let several = cx.step("several", repo.insert_all(several)).await?;
    for quiz in several.iter().skip(1) {
        compare(cx, &quiz.title, quiz).await?;
    }
    let none = cx
        .step("replaced by none", repo.insert(draft("fifth").replace(Quiz::WORDS, [] as [Changeset<Word>; 0])))
        .await?;
    compare(cx, "fifth", &none).await
}

// What it holds it keeps, and what is new comes behind; where it is not known which row is whose, nothing is loaded.
async fn of_owners_that_exist(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    quizzes::tables(&repo).await?;
    let draft = Quiz::build().set(Quiz::TITLE, "quiz").push(Quiz::WORDS, [word("a"), word("b")]);
    let quiz = repo.insert(draft).await?;
    let more = cx.step("one more", repo.update(quiz.change().push(Quiz::WORDS, word("c")))).await?;
    cx.require(more.words.is_loaded() && !more.words.is_partial(), "all there are")?;
    compare(cx, "more", &more).await?;
    let twice = more.words()?[0].clone();
    let change = more.change().push(Quiz::WORDS, &twice).push(Quiz::WORDS, word("d"));
    let more = cx.step("one of them once more, and another", repo.update(change)).await?;
    compare(cx, "twice", &more).await?;
    let bare = repo.get_or_fail::<Quiz>(quiz.id, Query::new()).await?;
    let part = cx.step("nothing is loaded", repo.update(bare.change().push(Quiz::WORDS, word("e")))).await?;
    let pairs: Vec<_> = part.words.loaded_with_join_rows().into_iter().flatten().collect();
    cx.show("the new one", pairs.iter().map(|(word, row)| (&word.text, row.weight)));
    cx.require(part.words.is_partial(), "a part")?;
    let change = more.change().replace(Quiz::WORDS, [word("f"), word("g")]);
    let replaced = cx.step("replaced", repo.update(change)).await?;
    compare(cx, "replaced", &replaced).await?;
    let kept = replaced.words()?[0].clone();
    let change = replaced.change().replace(Quiz::WORDS, [&kept]);
    let replaced = cx.step("one is kept", repo.update(change)).await?;
    cx.require(!replaced.words.is_loaded(), "not loaded")?;
    repo.update(replaced.change().push(Quiz::WORDS, word("h"))).await?;
    let loaded = repo.get_or_fail::<Quiz>(quiz.id, Query::preload(Quiz::WORDS)).await?;
    compare(cx, "loaded", &loaded).await?;
    let gone = loaded.words()?[0].clone();
    let less = cx.step("one less", repo.update(loaded.change().remove(Quiz::WORDS, &gone))).await?;
    cx.require(!less.words.is_loaded(), "not loaded")
}

async fn from_both_sides(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    quizzes::tables(&repo).await?;
    let quiz = Quiz::build().set(Quiz::TITLE, "quiz").shared();
    let draft = word("a").push(Word::QUIZZES, &quiz).push(Word::QUIZZES, Quiz::build().set(Quiz::TITLE, "other"));
    let word = cx.step("of the other side", repo.insert(draft)).await?;
    let pairs = word.quizzes_with_join_rows()?.map(|(quiz, row)| (quiz.title.clone(), row.weight));
    cx.show("pairs", pairs.collect::<Vec<_>>());
    Ok(())
}

async fn seen_in_part(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    quizzes::tables(&repo).await?;
    let draft = Quiz::build().set(Quiz::TITLE, "quiz").push(Quiz::HEAVY_WORDS, word("light"));
    let quiz = cx.step("which rows it sees is up to the database", repo.insert(draft)).await?;
    cx.require(!quiz.heavy_words.is_loaded(), "not loaded")?;
    let stored = repo.insert(word("twice")).await?;
    let draft = Quiz::build().set(Quiz::TITLE, "distinct").push(Quiz::DIFFERENT_WORDS, [&stored, &stored]);
    let quiz = cx.step("a distinct one", repo.insert(draft)).await?;
    cx.require(!quiz.different_words.is_loaded() || quiz.different_words.is_partial(), "not the whole")?;
    cx.rows("links", "SELECT quiz_id, weight FROM quiz_words ORDER BY quiz_id").await
}
