//! Every target on its corpus, and on some random inputs made of it: a short fuzz run without a fuzzer.

use std::path::Path;

use fuzz_targets::TARGETS;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// What numbers, dates and SQL are made of.
const MARKS: &[u8] = b"0123456789+-:. TZeE'\"`[]()/*#\\?;$!M\n";

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or(0)
    }

    // Another input: parts of two, with some bytes changed.
    fn input(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = Vec::new();
        for _ in 0..=self.below(2) {
            let from = &corpus[self.below(corpus.len())];
            let start = if self.below(3) == 0 { self.below(from.len() + 1) } else { 0 };
            input.extend_from_slice(&from[start..]);
        }
        for _ in 0..self.below(4) {
            let at = self.below(input.len() + 1);
            let byte = match self.below(3) {
                0 => self.next().to_le_bytes()[0],
                1 => MARKS[self.below(MARKS.len())],
                _ => [0, 1, 127, 128, 255][self.below(5)],
            };
            match self.below(3) {
                0 => input.insert(at, byte),
                1 if at < input.len() => input[at] = byte,
                2 if at < input.len() => drop(input.remove(at)),
                _ => {}
            }
        }
        input
    }
}

#[test]
fn every_target() {
    let inputs = number("ASSOC_FUZZ_INPUTS", 3_000);
    for target in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target.name);
        let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let corpus: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        for (file, input) in files.iter().zip(&corpus) {
            println!("{}", file.display());
            (target.run)(input);
        }
        let seed = number("ASSOC_FUZZ_SEED", 1);
        let mut random = Random(seed);
        for _ in 0..inputs / target.every {
            let input = random.input(&corpus);
            if let Err(panic) = std::panic::catch_unwind(|| (target.run)(&input)) {
                eprintln!("{} fails on {:?}", target.name, input.escape_ascii().to_string());
                std::panic::resume_unwind(panic);
            }
        }
    }
}
