//! The tables of promises and faults in `docs/DURABILITY.md`: complete, and of tests that are there.

use std::fs;
use std::path::Path;

/// The rows of the tables, each as its cells.
fn rows() -> Vec<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/DURABILITY.md")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    lines.map(|line| line.split(" | ").map(str::to_owned).collect()).collect()
}

/// The numbers of the rows whose number begins with this letter.
fn numbers(letter: &str) -> Vec<String> {
    let numbers = rows().into_iter().map(|mut cells| cells.swap_remove(0));
    numbers.filter(|number| number.starts_with(letter)).collect()
}

/// The tests that a cell names: `file::test`, in backticks.
fn tests(cell: &str) -> impl Iterator<Item = (&str, &str)> {
    cell.split('`').skip(1).step_by(2).filter_map(|name| name.split_once("::"))
}

#[test]
fn every_promise_and_every_fault_has_a_row() {
    let expected = |letter: &str, last: usize| -> Vec<String> {
        (1..=last).map(|number| format!("{letter}{number}")).collect()
    };
    assert_eq!(numbers("V"), expected("V", 9));
    assert_eq!(numbers("D"), expected("D", 50));
}

#[test]
fn every_row_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for row in rows().iter().filter(|row| row[0].starts_with(['V', 'D'])) {
        let cell = row.last().unwrap();
        assert!(tests(cell).next().is_some(), "{} names no test", row[0]);
        for (file, test) in tests(cell) {
            let file = format!("{file}.rs");
            let below = if file.starts_with("src/") { root.to_owned() } else { root.join("tests") };
            let source = fs::read_to_string(below.join(&file));
            let source = source.unwrap_or_else(|cause| panic!("{}: {file}: {cause}", row[0]));
            assert!(source.contains(&format!("fn {test}(")), "{}: no {test} in {file}", row[0]);
        }
    }
}
