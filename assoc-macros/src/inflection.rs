//! English nouns in the singular and in the plural.
//!
//! A word is looked up whole, then by its end among words that are irregular, and then falls under a rule of its last letters. A word
//! that has the asked number already comes back as it is. The tables are in [`words`]. They are no regular expressions, because every
//! program that derives a model would compile the engine, which costs more than the derives.

// Many words a line.
#[rustfmt::skip]
mod words;

#[cfg(test)]
mod tests;

use words::{
    ENDINGS, HARD_CH, NO_MAN, NO_MEN, NO_SERIES, SINGULAR_IN_S, UNCOUNTABLE, WITH_E, WITH_IE, WITH_SIS, WITH_U,
    WITH_USE, WORDS,
};

/// `posts` of `post`. A plural stays as it is.
pub(crate) fn plural(word: &str) -> String {
    if word.is_empty() || UNCOUNTABLE.contains(&word) {
        return word.to_owned();
    }
    if let Some(pair) = irregular(word) {
        return format!("{}{}", pair.before, pair.plural);
    }
    if word.ends_with('s') {
        return match word.strip_suffix("sis") {
            Some(before) => format!("{before}ses"),
            None if is_singular_in_s(word) => format!("{word}es"),
            None => word.to_owned(),
        };
    }
    let hisses = ["x", "sh", "zz", "tz"].iter().any(|end| word.ends_with(end))
        || (word.ends_with("ch") && !HARD_CH.contains(&word));
    if hisses || ["hero", "ato", "gro"].iter().any(|end| word.ends_with(end)) {
        return format!("{word}es");
    }
    match word.strip_suffix('y') {
        Some(before) if makes_ies(before) => format!("{before}ies"),
        // `Japanese`, and no `cheese`.
        None if word.strip_suffix("ese").is_some_and(ends_in_consonant) && !word.ends_with("diocese") => {
            word.to_owned()
        }
        _ => format!("{word}s"),
    }
}

/// `post` of `posts`. A singular stays as it is.
pub(crate) fn singular(word: &str) -> String {
    if UNCOUNTABLE.contains(&word) {
        return word.to_owned();
    }
    if let Some(pair) = irregular(word) {
        return format!("{}{}", pair.before, pair.singular);
    }
    let Some(shorter) = word.strip_suffix('s').filter(|shorter| !shorter.is_empty()) else { return word.to_owned() };
    let is_series = word.ends_with("series") && !NO_SERIES.contains(&word);
    if is_singular_in_s(word) || is_series || ["sis", "news"].iter().any(|end| word.ends_with(end)) {
        return word.to_owned();
    }
    let Some(stem) = shorter.strip_suffix('e') else { return shorter.to_owned() };
    if !SINGULAR_IN_S.contains(&stem) && WITH_SIS.iter().any(|end| word.ends_with(end)) {
        return format!("{}is", &word[..word.len() - 2]);
    }
    match stem.strip_suffix('i') {
        // `ties` and `pies` are too short to come of a `-y`.
        Some(before) if makes_ies(before) && before.chars().count() > 1 && !WITH_IE.contains(&shorter) => {
            format!("{before}y")
        }
        None if takes_es(stem) && !WITH_E.contains(&shorter) && !shorter.ends_with("shoe") => stem.to_owned(),
        _ => shorter.to_owned(),
    }
}

/// A word that no rule covers: what stands before its irregular end, and the two forms of that end.
struct Irregular<'a> {
    before: &'a str,
    singular: &'static str,
    plural: &'static str,
}

fn irregular(word: &str) -> Option<Irregular<'_>> {
    let whole = WORDS.iter().find(|(singular, plural)| *singular == word || *plural == word);
    if let Some(&(singular, plural)) = whole {
        return Some(Irregular { before: "", singular, plural });
    }
    let by_end = ENDINGS.iter().find_map(|&(singular, plural)| {
        let before = word.strip_suffix(singular).or_else(|| word.strip_suffix(plural))?;
        Some(Irregular { before, singular, plural })
    });
    by_end.or_else(|| man(word))
}

// `salesman` and `salesmen`, and neither `human` nor `specimen`.
fn man(word: &str) -> Option<Irregular<'_>> {
    let in_the_singular = || word.strip_suffix("man").filter(|_| !NO_MAN.iter().any(|noun| word.ends_with(noun)));
    let in_the_plural = || word.strip_suffix("men").filter(|_| !NO_MEN.contains(&word));
    let before = in_the_singular().or_else(in_the_plural)?;
    Some(Irregular { before, singular: "man", plural: "men" })
}

// `address`, `status` and `lens`, and neither `menus` nor `tags`.
fn is_singular_in_s(word: &str) -> bool {
    let in_us = |before: &str| {
        // `vcpus` are several: without a vowel before it, `u` is the last letter of an abbreviation.
        before.contains(['a', 'e', 'i', 'o', 'u', 'y'])
            && !before.ends_with(['a', 'o', 'u'])
            && !WITH_U.iter().any(|noun| is_its_plural(word, noun))
    };
    word.ends_with("ss") || SINGULAR_IN_S.contains(&word) || word.strip_suffix("us").is_some_and(in_us)
}

fn is_its_plural(word: &str, noun: &str) -> bool {
    word.strip_suffix('s') == Some(noun)
}

// Whether the plural of `stem` ends in `-es`, so that the `e` is no part of the word.
fn takes_es(stem: &str) -> bool {
    let in_us = || {
        stem.ends_with("us")
            && !["aus", "eus", "ous"].iter().any(|end| stem.ends_with(end))
            && !WITH_USE.contains(&stem)
    };
    SINGULAR_IN_S.contains(&stem)
        || ["x", "ch", "sh", "ss", "zz", "tz", "o"].iter().any(|end| stem.ends_with(end))
        || in_us()
}

// Whether `-y` after this becomes `-ies`: after a consonant, and after the `qu` of `soliloquy`.
fn makes_ies(before: &str) -> bool {
    before.ends_with("qu") || ends_in_consonant(before)
}

fn ends_in_consonant(text: &str) -> bool {
    text.chars().next_back().is_some_and(|last| !matches!(last, 'a' | 'e' | 'i' | 'o' | 'u' | 'y'))
}
