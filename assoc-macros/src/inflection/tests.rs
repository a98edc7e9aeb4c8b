//! The inflections beside those of Rails and of the crate `cruet`, which works with Rails' regular expressions.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::names;

/// Words in the singular: names that models have, and every ordinary noun of the tables.
const NOUNS: &str = include_str!("nouns.txt");

/// Why `cruet` is not followed, and the nouns whose plural it gets wrong.
const PLURALS: [(&str, &str); 9] = [
    (
        "it takes a singular in -s for a plural",
        "bias canvas ibis lens mantis metropolis pancreas pelvis rhinoceros trellis",
    ),
    ("it adds -es to a hard -ch", "epoch eunuch loch monarch oligarch patriarch stomach tech"),
    ("its -man is the whole word only", "chairman craftsman fireman postman salesman spokesman"),
    ("its -ouse and -ice reach beyond mice and lice", "blouse slice"),
    ("it takes -ova for the plural of ovum", "casanova nova"),
    ("it takes every -ese for a people", "diocese"),
    ("Rails makes `media` of it, and `cruet` makes `medias` of `media`", "medium"),
    ("it knows -ief of no word", "thief"),
    ("it adds -es to -zz and to no other -z", "waltz"),
];

/// Why `cruet` is not followed, and the nouns that it does not find in their plural.
const SINGULARS: [(&str, &str); 11] = [
    (
        "it knows no plural in -uses but buses and statuses",
        "apparatus bonus campus census chorus circus genius nexus plus prospectus",
    ),
    (
        "it knows few singulars in -s",
        "atlas bias canvas gas ibis iris lens mantis metropolis pancreas pelvis rhinoceros trellis",
    ),
    (
        "it knows few Latin and Greek words",
        "addendum agendum alga alumna alumnus aphelion appendix automaton bacillus cactus candelabrum cherub codex criterion \
         curriculum extremum focus fungus locus murex noumenon nucleus ovum perihelion phenomenon quorum radius seraph stimulus \
         syllabus terminus uterus vertebra",
    ),
    (
        "it knows no men, children and people",
        "chairman child craftsman fireman grandchild person postman salesman salesperson spokesman",
    ),
    (
        "for it every -ves comes of -f or -fe",
        "cave curve drive glove grave love move nerve olive slave valve wave hoof leaf loaf sheaf thief",
    ),
    (
        "it drops the e of -che and -sse",
        "ache avalanche cache cliche crevasse headache impasse moustache niche posse psyche quiche",
    ),
    ("it drops the e of -oe", "canoe doe hoe oboe toe woe"),
    (
        "for it every -ies comes of -y",
        "brownie calorie cookie freebie genie hoodie indie pie pixie rookie selfie smoothie tie zombie",
    ),
    (
        "it knows few plurals of -sis",
        "catharsis dialysis emphasis genesis hypnosis metastasis neurosis oasis paralysis psychosis",
    ),
    ("for it -buses and -bases are of a bus and a basis", "abuse codebase"),
    ("it adds -es to -zz and to no other -z", "waltz"),
];

/// Words that are near a rule of others.
const NEAR: &str = "pdu pdus, vcpu vcpus, icu icus, milieu milieus, bus buses, minibus minibuses, plus pluses, lumen lumens, foramen \
    foramens, nightlife nightlives, olive olives, fieldmouse fieldmice, cosmos cosmoses, gumshoe gumshoes, overshoe overshoes, masseuse \
    masseuses, hypotenuse hypotenuses, nursery nurseries, misery miseries, miniseries miniseries, patisserie patisseries, tranche \
    tranches, backhoe backhoes, necktie neckties, collie collies, nemesis nemeses, archdiocese archdioceses, subspecies subspecies";

/// What Rails' own tests expect, without words of two parts that have a space between.
const RAILS: &str = "search searches, switch switches, fix fixes, box boxes, process processes, address addresses, case cases, \
    stack stacks, wish wishes, category categories, query queries, ability abilities, agency agencies, movie movies, archive \
    archives, index indices, wife wives, half halves, move moves, salesperson salespeople, person people, spokesman spokesmen, \
    man men, woman women, basis bases, diagnosis diagnoses, diagnosis_a diagnosis_as, datum data, medium media, analysis \
    analyses, node_child node_children, child children, experience experiences, day days, comment comments, foobar foobars, \
    newsletter newsletters, old_news old_news, news news, series series, species species, quiz quizzes, perspective \
    perspectives, ox oxen, photo photos, tomato tomatoes, dwarf dwarves, elf elves, information information, equipment \
    equipment, bus buses, status statuses, status_code status_codes, mouse mice, louse lice, house houses, octopus octopi, \
    virus viri, alias aliases, portfolio portfolios, vertex vertices, matrix matrices, matrix_fu matrix_fus, axis axes, testis \
    testes, crisis crises, rice rice, shoe shoes, horse horses, prize prizes, edge edges, database databases, slice slices, \
    sex sexes, zombie zombies, money money, sheep sheep, jeans jeans, police police";

/// Words that Rails and this crate treat differently: Rails' plural, and why it is not taken.
const UNLIKE_RAILS: [(&str, &str, &str); 5] = [
    ("safe", "saves", "these are what a goalkeeper makes"),
    ("stadium", "stadia", "stadiums are built; `cruet` agrees"),
    ("buffalo", "buffaloes", "both are English; `cruet` has the shorter one"),
    ("fish", "fish", "both are English; `cruet` has `fishes`, which tells one from many"),
    ("cow", "kine", "Rails has given it up"),
];

fn reasons(table: &[(&'static str, &'static str)]) -> BTreeMap<&'static str, &'static str> {
    table.iter().flat_map(|&(reason, nouns)| nouns.split_whitespace().map(move |noun| (noun, reason))).collect()
}

// Each table lists exactly the words that differ, so that it cannot grow stale.
fn differ(found: &BTreeSet<&'static str>, table: &[(&'static str, &'static str)]) {
    let listed: BTreeSet<&str> = reasons(table).into_keys().collect();
    let unlisted: Vec<_> = found.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(found).collect();
    assert!(unlisted.is_empty() && stale.is_empty(), "not listed: {unlisted:?}, listed and not different: {stale:?}");
}

#[test]
fn plurals_are_those_of_cruet_where_it_is_right() {
    let differing = NOUNS.split_whitespace().filter(|noun| plural(noun) != cruet::to_plural(noun));
    differ(&differing.collect(), &PLURALS);
}

#[test]
fn singulars_are_those_of_cruet_where_it_is_right() {
    let differing = NOUNS.split_whitespace().filter(|noun| cruet::to_singular(&plural(noun)) != *noun);
    differ(&differing.collect(), &SINGULARS);
}

#[test]
fn the_plural_of_a_plural_is_itself() {
    for noun in NOUNS.split_whitespace() {
        let plural = plural(noun);
        assert_eq!(super::plural(&plural), plural, "{noun}");
    }
}

#[test]
fn the_singular_of_a_plural_is_the_word_and_stays_it() {
    for noun in NOUNS.split_whitespace() {
        let plural = plural(noun);
        assert_eq!(singular(&plural), noun, "{plural}");
        assert_eq!(singular(noun), noun, "{noun}");
    }
}

// Of two nouns with one plural, the singular is the one that Rails takes.
#[test]
fn two_nouns_may_have_one_plural() {
    for (noun, other) in [("base", "basis"), ("axe", "axis"), ("leave", "leaf")] {
        assert_eq!(plural(noun), plural(other));
        assert_eq!(singular(&plural(noun)), other);
    }
}

#[test]
fn words_without_a_plural_stay_as_they_are() {
    for noun in UNCOUNTABLE {
        assert_eq!(plural(noun), *noun);
        assert_eq!(singular(noun), *noun);
    }
    assert_eq!(UNCOUNTABLE.iter().collect::<BTreeSet<_>>().len(), UNCOUNTABLE.len());
}

#[test]
fn irregular_words_stand_once_in_the_tables() {
    let pairs = WORDS.iter().chain(ENDINGS);
    let forms: Vec<&str> = pairs.flat_map(|(singular, plural)| [*singular, *plural]).collect();
    assert_eq!(forms.iter().collect::<BTreeSet<_>>().len(), forms.len());
    for (singular, plural) in WORDS.iter().chain(ENDINGS) {
        assert_eq!(super::plural(singular), *plural);
        assert_eq!(super::singular(plural), *singular);
    }
}

#[test]
fn words_of_the_tests_of_rails_are_as_there() {
    for pair in RAILS.split(',').chain(NEAR.split(',')) {
        let (noun, plural) = pair.trim().split_once(' ').unwrap();
        assert_eq!(names::plural(noun), plural, "{noun}");
        assert_eq!(names::plural(plural), plural, "{noun}");
        assert_eq!(names::singular(plural), noun, "{plural}");
    }
    for (noun, plural, why) in UNLIKE_RAILS {
        assert_ne!(names::plural(noun), plural, "{noun}: {why}");
    }
}

// What `cruet` itself tests, without the words that it turns into none: `codebasis`.
#[test]
fn words_of_the_tests_of_cruet_are_as_there() {
    for (noun, plural) in [
        ("bacon", "bacon"),
        ("crate", "crates"),
        ("dish", "dishes"),
        ("foo_bar", "foo_bars"),
        ("geometry", "geometries"),
        ("glass", "glasses"),
        ("goodnews", "goodnews"),
        ("lady", "ladies"),
        ("motive", "motives"),
        ("ovotestis", "ovotestes"),
        ("pitch", "pitches"),
        ("potato", "potatoes"),
        ("prognosis", "prognoses"),
        ("reply", "replies"),
        ("section_difficulty", "section_difficulties"),
        ("soliloquy", "soliloquies"),
        ("test", "tests"),
        ("vengeance", "vengeance"),
        ("witch", "witches"),
        ("zoology", "zoology"),
    ] {
        assert_eq!(names::plural(noun), plural, "{noun}");
        assert_eq!(names::singular(plural), noun, "{plural}");
    }
}

// Ends of all rules, alone and after letters of one to four bytes: what comes out can be part of an identifier again.
#[test]
fn any_identifier_has_a_plural_and_a_singular() {
    let starts = ["", "a", "q", "ß", "İ", "語", "e\u{301}", "𝒳", "_", "a_", "r", "X", "9"];
    let ends = [
        "", "s", "es", "ses", "sis", "us", "uses", "ies", "y", "quy", "oes", "ves", "ches", "men", "man", "people",
        "news", "ese", "ß", "é", "語", "𝒳", "_", "S", "ice", "ouse", "ss", "i", "a",
    ];
    for start in starts {
        for (middle, end) in ends.iter().flat_map(|middle| ends.iter().map(move |end| (middle, end))) {
            let name = format!("{start}{middle}{end}");
            for inflected in [names::plural(&name), names::singular(&name)] {
                assert_eq!(inflected.is_empty(), name.is_empty(), "{name}");
                assert!(name.is_empty() || inflected.chars().all(|letter| letter != ' '), "{name}");
            }
        }
    }
}
