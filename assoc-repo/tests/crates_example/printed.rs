//! How the example prints: colours and widths.

use super::*;

/// What the example prints with these variables, of a graph of 20 packages.
fn printed(variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let json = tempfile::NamedTempFile::new().unwrap();
    fs::write(json.path(), metadata(20)).unwrap();
    let mut command = Command::new(program());
    command.args(["--database", "sqlite::memory:", "--metadata"]).arg(json.path()).args(arguments);
    command.env_remove("COLUMNS").env_remove("NO_COLOR").envs(variables.iter().copied()).current_dir(root());
    without_times(&Run::of(command.output().unwrap()).report())
}

/// How long a query took differs from run to run.
fn without_times(report: &str) -> String {
    let time = |line: &str| match line.rsplit_once(", ").filter(|(_, rest)| rest.ends_with(" ms)")) {
        Some((before, _)) => format!("{before})\n"),
        None => format!("{line}\n"),
    };
    report.lines().map(time).collect()
}

const OUTPUTS: [&[&str]; 4] =
    [&[], &["--sql"], &["--tree", "package-19", "--sql"], &["--why", "package-0", "--depth", "20"]];

#[test]
fn colours() {
    for output in OUTPUTS {
        let plain = printed(&[], output);
        assert!(!plain.contains('\x1b'), "no terminal, no colours: {plain}");
        assert_eq!(printed(&[], &[output, &["--color", "never"]].concat()), plain);
        let colored = printed(&[("NO_COLOR", "1")], &[output, &["--color=always"]].concat());
        assert!(colored.contains("\x1b["), "asked for by the user: {colored}");
        let mut bare = colored;
        for code in ["0", "1", "2", "32", "33", "36"] {
            bare = bare.replace(&format!("\x1b[{code}m"), "");
        }
        assert_eq!(bare, plain);
    }
}

#[test]
fn widths() {
    let letters = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>();
    for output in OUTPUTS {
        let wide = printed(&[], output);
        for width in [100, 72, 50, 40] {
            let folded = printed(&[("COLUMNS", &width.to_string())], output);
            let longest = folded.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(longest <= width, "{longest} in {width}:\n{folded}");
            // Nothing is lost where there is room for names and for numbers.
            if width == 100 && output.is_empty() {
                assert_eq!(letters(&folded), letters(&wide));
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_cut() {
    let folded = printed(&[("COLUMNS", "40")], &["--top", "3"]);
    // Name, dependents, of these direct, dependencies: the numbers stay.
    assert_has(&folded, &["  pack…  dependents  directly  brings in\n"]);
    let tree = printed(&[("COLUMNS", "40")], &["--tree", "package-19", "--depth", "12"]);
    assert!(tree.lines().any(|line| line.ends_with('…') && line.contains("│   │   │   ")), "{tree}");
}
