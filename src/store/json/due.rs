//! When a journal is worth folding.

use crate::store::snapshot::Size;

/// Tells when to fold: so that all files together stay within three times what the records take
/// (while a fold goes on there are the old file, the new one, and a journal each), and that a start
/// has no long journal to read.
pub struct Due {
    json: Size,
    min: u64,
    /// The length of the journal up to which it is not tried again after a failure.
    failed_at: u64,
}

impl Due {
    /// With this file, and a minimum in bytes.
    pub const fn new(json: Size, min: u64) -> Self {
        Self { json, min, failed_at: 0 }
    }

    /// Whether a journal of this length is worth a fold where there are so many records now.
    pub fn is_now(&self, journal: u64, records: usize) -> bool {
        let each = self.json.length.checked_div(self.json.records).unwrap_or(0);
        let live = each.saturating_mul(records as u64);
        let outgrown = journal > (live / 2).max(self.min);
        let wasteful = self.json.length + journal > (live + live / 2).max(self.min);
        outgrown || wasteful
    }

    /// Whether there is anything to fold, and more than when it failed.
    pub const fn may_be_tried(&self, journal: u64) -> bool {
        journal > self.failed_at
    }

    /// The journal has been folded into this file.
    pub const fn folded(&mut self, json: Size) {
        *self = Self::new(json, self.min);
    }

    /// It could not be; it is tried again when it has grown once more.
    pub const fn failed(&mut self, journal: u64) {
        self.failed_at = journal.saturating_add(self.min);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: u64 = 1000;

    fn due(length: u64, records: u64) -> Due {
        Due::new(Size { length, records }, MIN)
    }

    #[test]
    fn a_journal_is_folded_when_it_is_half_as_long_as_what_the_records_take() {
        assert!(!due(0, 0).is_now(MIN, 5));
        assert!(due(0, 0).is_now(MIN + 1, 5));
        assert!(!due(100_000, 100).is_now(50_000, 100));
        assert!(due(100_000, 100).is_now(50_001, 100));
        assert!(!due(100_000, 100).is_now(50_001, 200), "they take more by now");
    }

    #[test]
    fn a_file_of_records_that_are_gone_is_written_anew() {
        assert!(!due(100_000, 100).is_now(1_000, 68));
        assert!(due(100_000, 100).is_now(1_000, 67));
        assert!(due(100_000, 100).is_now(1, 0));
        assert!(!due(900, 1).is_now(1, 0), "nothing to be gained");
    }

    #[test]
    fn all_files_stay_within_three_times_what_the_records_take() {
        for (records, step) in [(1_000, 1_i64), (1_000, -1), (1_000, 0)] {
            let (mut files, mut live, mut journal) = (due(1_000_000, 1_000), records, 0);
            for _ in 0..900 {
                live += step;
                journal += if step < 0 { 100 } else { 1_000 };
                let now = u64::try_from(live).unwrap();
                let takes = now * 1_000;
                // As a fold would find and make it, and as long a journal again meanwhile.
                let most = files.json.length + journal + takes + takes / 2;
                assert!(most <= 3 * takes + 3 * MIN, "{most} for {takes}");
                if files.is_now(journal, usize::try_from(now).unwrap()) {
                    files.folded(Size { length: takes, records: now });
                    journal = 0;
                }
            }
        }
    }

    #[test]
    fn after_a_failure_it_is_tried_again_when_the_journal_has_grown() {
        let mut files = due(0, 0);
        assert!(!files.may_be_tried(0) && files.may_be_tried(1));
        files.failed(5_000);
        assert!(!files.may_be_tried(6_000) && files.may_be_tried(6_001));
        files.folded(Size::default());
        assert!(files.may_be_tried(1));
    }
}
