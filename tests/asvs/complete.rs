//! The lists themselves: nothing is missing, nothing is there twice, every claim can be looked up.

use std::collections::BTreeSet;

use crate::registry::{Row, Way};
use crate::{STANDARD, chapters, files, table};

/// These tests under their full names.
pub fn tests() -> impl Iterator<Item = (String, fn())> {
    let tests: [(&str, fn()); 5] = [
        ("all 345 requirements are there, in order", every_requirement_is_there),
        ("no name is there twice", no_name_is_there_twice),
        ("every tested row has a test", every_tested_row_has_a_test),
        ("every section that is named exists", every_section_exists),
        ("the claim names what is open at levels 1 and 2", the_claim_names_what_is_open),
    ];
    tests.into_iter().map(|(sentence, test)| (format!("registry: {sentence}"), test))
}

fn rows() -> impl Iterator<Item = &'static Row> {
    chapters().flat_map(|chapter| chapter.rows)
}

fn every_requirement_is_there() {
    let mut levels = [0; 3];
    for (chapter, number) in STANDARD.iter().zip(1_u32..) {
        let mut before = (number, 0, 0);
        for row in chapter.rows {
            let parts: Vec<u32> = row.id.split('.').map(|part| part.parse().unwrap()).collect();
            let [chapter, section, requirement] = parts[..] else { panic!("{}", row.id) };
            let follows = (chapter, section, requirement) == (number, before.1, before.2 + 1);
            let begins = (chapter, section, requirement) == (number, before.1 + 1, 1);
            assert!(follows || begins, "{} does not follow {before:?}", row.id);
            before = (chapter, section, requirement);
            levels[usize::from(row.level.unwrap()) - 1] += 1;
        }
        assert!(chapter.title.starts_with(&format!("V{number} ")), "{}", chapter.title);
    }
    assert_eq!(levels, [70, 183, 92]);
}

fn no_name_is_there_twice() {
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    for row in rows() {
        assert!(ids.insert(row.id), "{}", row.id);
        for (sentence, _) in row.way.tests() {
            assert!(names.insert(row.name_of(sentence)), "{} {sentence}", row.id);
        }
    }
}

fn every_tested_row_has_a_test() {
    for row in rows() {
        let needs_one = matches!(row.way, Way::Tested(_) | Way::Documented(..));
        assert!(!needs_one || !row.way.tests().is_empty(), "{}", row.id);
        let (Way::Open(why) | Way::NotApplicable(why)) = row.way else { continue };
        assert!(!why.is_empty(), "{} says why", row.id);
    }
}

fn every_section_exists() {
    for row in rows() {
        let Some(section) = row.way.section() else { continue };
        let (document, anchor) = section.split_once('#').unwrap();
        assert!(files::anchors(document).iter().any(|a| a == anchor), "{}: {section}", row.id);
    }
}

fn the_claim_names_what_is_open() {
    let claim = table::claim();
    let named = |id: &str| claim.split([' ', ',', '(', ')', '\n', ':', ';']).any(|w| w == id);
    for row in rows().filter(|row| matches!(row.level, Some(1 | 2))) {
        let open = matches!(row.way, Way::Open(_));
        assert_eq!(open, named(row.id), "{}: open is {open}, named is not the same", row.id);
    }
}
