//! A repair that is cut short at any of its steps.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sessiond::store::repair::repair;

use super::{Contents, assert_kept, contents, disk_of, layouts, mend, sessions, users};
use crate::harness::simulated_disk::POWER_LOSSES;
use crate::harness::watched_files::{Fate, WatchedFiles};

/// Each layout with a fault in each of its files, and with one in all of them; the files with a
/// fault are last.
fn damaged() -> Vec<(Contents, Contents)> {
    let mut damaged = Vec::new();
    for sound in layouts() {
        let hit = |contents: &mut Contents, file: &str| {
            let content = contents.get_mut(file).unwrap();
            let place = content.len() / 2;
            content[place] ^= 0x80;
        };
        let mut all = sound.clone();
        for file in sound.keys() {
            let mut one = sound.clone();
            hit(&mut one, file);
            hit(&mut all, file);
            let faulty = one.iter().filter(|(name, content)| sound[*name] != **content);
            let faulty = faulty.map(|(name, content)| (name.clone(), content.clone())).collect();
            damaged.push((one, faulty));
        }
        damaged.push((all.clone(), all));
    }
    damaged
}

#[test]
fn a_crash_at_any_step_of_a_repair_loses_no_byte_and_lets_nobody_in() {
    for (before, faulty) in damaged() {
        let whole = disk_of(&before);
        mend(&whole).unwrap();
        let expected = users(&whole);
        for number in 0.. {
            let disk = disk_of(&before);
            let count = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&count);
            let files = WatchedFiles::new(disk.clone(), move |_| {
                let now = counted.fetch_add(1, Ordering::SeqCst);
                if now >= number { Fate::Torn } else { Fate::Done }
            });
            let done = repair(&files, Path::new("")).is_ok();
            for loss in POWER_LOSSES {
                let context = format!("from {number}, {loss:?}");
                let left = disk.after_power_loss(loss);
                let after = contents(&left);
                for (file, content) in &faulty {
                    assert_kept(file, content, &after, &context);
                }
                mend(&left).unwrap();
                let found = users(&left);
                assert!(found.keys().eq(expected.keys()), "{context}");
                for (id, user) in found {
                    assert_eq!(user, expected[&id], "{context}");
                }
                assert_eq!(sessions(&left), 0, "{context}");
                assert_eq!(mend(&left).unwrap().count(), 0, "{context}");
            }
            if done {
                break;
            }
        }
    }
}
