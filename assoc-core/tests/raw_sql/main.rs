//! Random texts through the scanner of raw SQL.
#![allow(clippy::unwrap_used, clippy::panic)]

mod property;

/// The scanner's marks, and what may stand between them.
const PIECES: [&str; 34] = [
    "'",
    "\"",
    "`",
    "[",
    "]",
    "(",
    ")",
    "-",
    "--",
    "-- ",
    "/*",
    "*/",
    "/",
    "*",
    "#",
    "\\",
    "?",
    "??",
    ";",
    "\n",
    " ",
    "$",
    "$$",
    "$a$",
    "E",
    " e'",
    "a",
    "1",
    "ä",
    "\u{1F980}",
    "\0",
    "!",
    "M!",
    "\t",
];

#[test]
fn random_texts_are_read_as_a_naive_lexer_reads_them() {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut whole = 0;
    for _ in 0..60_000 {
        let length = random(14);
        // Few kinds of pieces in one text, so that they meet.
        let few: Vec<&str> = (0..1 + random(6)).map(|_| PIECES[random(PIECES.len())]).collect();
        let text: String = (0..length).map(|_| few[random(few.len())]).collect();
        whole += property::scanning_holds(&text);
    }
    assert!(whole > 20_000, "only {whole} texts held together: the pieces are chosen badly");
}
