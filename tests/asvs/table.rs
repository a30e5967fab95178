//! The table of all requirements, as `docs/ASVS.md` holds it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::{fs, iter};

use crate::files;
use crate::registry::{Chapter, Row, Way};

/// Where the table is kept.
const DOCUMENT: &str = "docs/ASVS.md";
/// What stands before it there; above are words that people write.
const MARK: &str = "<!-- From here on: `just asvs`. -->\n";

/// How the tests went that have run, by their names.
#[derive(Default)]
pub struct Results(Mutex<BTreeMap<String, bool>>);

impl Results {
    /// Runs a test; one that panics has failed.
    pub fn run(&self, name: String, test: fn()) {
        self.0.lock().unwrap().insert(name.clone(), false);
        test();
        self.0.lock().unwrap().insert(name, true);
    }

    /// How many have run.
    pub fn number(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn of(&self, name: &str) -> Option<bool> {
        self.0.lock().unwrap().get(name).copied()
    }

    /// What the table says of a row; none where it has tests and they have not run.
    fn of_row(&self, row: &Row) -> Option<&'static str> {
        let tests = row.way.tests();
        let passed: Option<Vec<bool>> =
            tests.iter().map(|(sentence, _)| self.of(&row.name_of(sentence))).collect();
        Some(match passed?.as_slice() {
            [] => "",
            all if all.contains(&false) => "failed",
            _ => "passed",
        })
    }
}

/// Which rows are wanted.
#[derive(Clone, Copy, PartialEq)]
pub enum Rows {
    All,
    /// Those whose tests have run.
    Run,
}

/// The tables of these chapters with these results.
pub fn of<'a>(
    chapters: impl Iterator<Item = &'a Chapter> + Clone,
    results: &Results,
    rows: Rows,
) -> String {
    let mut lines = Vec::new();
    if rows == Rows::All {
        lines.extend(summary(chapters.clone()));
    }
    for chapter in chapters {
        let wanted = |row: &&Row| rows == Rows::All || !row.way.tests().is_empty();
        let rows = chapter.rows.iter().filter(wanted);
        let rows = rows.filter_map(|row| Some(line(row, results.of_row(row)?)));
        let rows: Vec<String> = rows.collect();
        if !rows.is_empty() {
            let head =
                "| requirement | level | in our words | way | test, document or reason | result |";
            lines.extend([String::new(), format!("## {}", chapter.title), String::new()]);
            lines.extend([head.to_owned(), "|---|---|---|---|---|---|".to_owned()]);
            lines.extend(rows);
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn line(row: &Row, result: &str) -> String {
    let level = row.level.map(|level| level.to_string()).unwrap_or_default();
    let link = row.way.section().map(|section| {
        let from_docs =
            section.strip_prefix("docs/").map_or_else(|| format!("../{section}"), str::to_owned);
        format!("[{section}]({from_docs})")
    });
    let sentences = row.way.tests().iter().map(|(sentence, _)| (*sentence).to_owned());
    let how = match row.way {
        Way::Open(text) | Way::NotApplicable(text) => text.to_owned(),
        _ => link.into_iter().chain(sentences).collect::<Vec<_>>().join("; "),
    };
    let cells = [row.id, &level, row.text, row.way.name(), &how, result];
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// How many requirements of each level are met in which way.
fn summary<'a>(chapters: impl Iterator<Item = &'a Chapter>) -> Vec<String> {
    let mut counts = BTreeMap::<&str, [usize; 3]>::new();
    for row in chapters.flat_map(|chapter| chapter.rows) {
        if let Some(level) = row.level {
            counts.entry(row.way.name()).or_default()[usize::from(level) - 1] += 1;
        }
    }
    let head = ["", "| requirements | level 1 | level 2 | level 3 |", "|---|---|---|---|"];
    let lines = counts
        .into_iter()
        .map(|(way, [one, two, three])| format!("| {way} | {one} | {two} | {three} |"));
    head.into_iter().map(str::to_owned).chain(lines).collect()
}

/// What people write above the table.
pub fn claim() -> String {
    let document = files::read(DOCUMENT);
    let (claim, _) = document.split_once(MARK).expect("docs/ASVS.md has its mark");
    claim.to_owned()
}

/// Holds that the document has this table, or writes it where `UPDATE_ASVS` is set.
pub fn compare(table: &str) -> ExitCode {
    let expected = format!("{}{MARK}{table}", claim());
    let found = files::read(DOCUMENT);
    if found == expected {
        return ExitCode::SUCCESS;
    }
    if std::env::var_os("UPDATE_ASVS").is_some() {
        fs::write(files::path(DOCUMENT), expected).unwrap();
        println!("{DOCUMENT} has been rewritten");
        return ExitCode::SUCCESS;
    }
    let lines = found.lines().map(Some).chain(iter::repeat(None));
    let stale = expected.lines().zip(lines).find(|(expected, found)| Some(*expected) != *found);
    let first = stale.map_or("too long", |(expected, _)| expected);
    eprintln!("{DOCUMENT} differs from this run ({first}): `just asvs` rewrites it");
    ExitCode::FAILURE
}
