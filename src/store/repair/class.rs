//! The files of one class, read past their faults, and what is to take their place.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lines::Lines;
use super::names::Names;
use super::quarantine::{self, keep};
use super::{Fault, Lost, entries, lines};
use crate::models::{User, UserId};
use crate::store::change::Op;
use crate::store::files::{self, Files, directory_of};
use crate::store::journal::{self, Chain};
use crate::store::load::Paths;
use crate::store::record::Record;
use crate::store::table::Table;
use crate::store::{OpenError, snapshot};

/// A class as it was found, and as it shall be.
pub struct Class<R: Record> {
    paths: Paths,
    found: Vec<Found>,
    table: Table<R>,
    /// The keys of all records that stand in any of the files.
    seen: BTreeSet<R::Key>,
    /// Whether the files hold something else than the table.
    changed: bool,
    /// Whether all its files are to be kept, also those without a fault.
    keep_all: bool,
}

/// One of its files.
struct Found {
    path: PathBuf,
    content: Vec<u8>,
    lost: Vec<Lost>,
    kept: Option<PathBuf>,
}

impl<R: Record> Class<R> {
    /// Reads what can be read, and changes nothing.
    pub fn read(files: &dyn Files, directory: &Path) -> Result<Self, OpenError> {
        let paths = Paths::of::<R>(directory);
        let table = Table::default();
        let (found, seen) = (Vec::new(), BTreeSet::new());
        let mut class = Self { paths, found, table, seen, changed: false, keep_all: false };
        let Paths { json, journal, folding } = class.paths.clone();
        let mut aside = None;
        for path in [json.clone(), folding.clone(), journal] {
            let content = files.read(&path).map_err(|cause| OpenError::io(&path, &cause))?;
            let Some(content) = content else { continue };
            let lost = if path == json {
                class.take_entries(&content)
            } else {
                let lines = class.take_lines(&path, &content, aside)?;
                class.hold_together(aside, lines.after, &path);
                aside = Some(lines.end);
                lines.lost
            };
            // One that was moved aside had all its lines whole.
            let torn = |lost: Lost| Lost { torn: lost.torn && path != folding, ..lost };
            let lost: Vec<Lost> = lost.into_iter().map(torn).collect();
            class.changed |= !lost.is_empty();
            class.found.push(Found { path, content, lost, kept: None });
        }
        Ok(class)
    }

    fn take_entries(&mut self, content: &[u8]) -> Vec<Lost> {
        let entries = entries::read::<R>(content);
        entries.records.into_iter().for_each(|record| self.apply(&[Op::Put(record)]));
        entries.lost
    }

    fn apply(&mut self, ops: &[Op<R>]) {
        self.seen.extend(ops.iter().map(Op::key));
        self.table.apply(ops);
    }

    fn take_lines(
        &mut self,
        path: &Path,
        content: &[u8],
        aside: Option<Chain>,
    ) -> Result<Lines<R>, OpenError> {
        if let Some(first) = lines::is_later::<R>(content) {
            let what = format!("is '{first}', of a later version: nothing has been changed");
            return Err(OpenError::Unusable(format!("{}: {what}", path.display())));
        }
        let lines = lines::read::<R>(content, aside);
        lines.changes.iter().for_each(|ops| self.apply(ops));
        Ok(lines)
    }

    /// Finds out that the journal that was moved aside has lost its end, if nothing else of it.
    fn hold_together(&mut self, aside: Option<Chain>, after: Option<Chain>, path: &Path) {
        let has_lost = aside.zip(after).is_some_and(|(end, after)| end != after);
        if let Some(found) = self.found.last_mut().filter(|found| has_lost && found.lost.is_empty())
        {
            let (at, what) = (found.content.len(), format!("{} goes on", path.display()));
            let what = format!("does not end where {what}");
            found.lost.push(Lost::between(&found.content, at, at, what));
            self.changed = true;
        }
    }

    /// Whether something was lost that had been answered.
    pub fn is_in_doubt(&self) -> bool {
        self.found.iter().flat_map(|found| &found.lost).any(|lost| !lost.torn)
    }

    /// Leaves no record; tells how many there were.
    pub fn end_all(&mut self) -> usize {
        let ended = self.table.count();
        if ended > 0 {
            (self.changed, self.keep_all) = (true, true);
            self.table = Table::default();
        }
        ended
    }

    /// Keeps the files that have a fault, as they are; tells the faults.
    pub fn keep_aside(&mut self, files: &dyn Files) -> Result<Vec<Fault>, OpenError> {
        let mut faults = Vec::new();
        for found in &mut self.found {
            if found.lost.is_empty() && !self.keep_all {
                continue;
            }
            let kept = keep(files, &found.path, &found.content)?;
            let file = &found.path;
            let fault = |place| Fault { file: file.clone(), place, kept: kept.clone() };
            faults.extend(found.lost.iter().cloned().map(fault));
            found.kept = Some(kept);
        }
        Ok(faults)
    }

    /// Where the files are that were kept.
    pub fn kept(&self) -> Vec<PathBuf> {
        self.found.iter().filter_map(|found| found.kept.clone()).collect()
    }

    /// Puts what shall be in place of the files. Each step is durable before the next, and after
    /// each of them a start finds what shall be, or a fault that is there still.
    pub fn replace(&self, files: &dyn Files) -> Result<(), OpenError> {
        if !self.changed {
            return Ok(());
        }
        let Paths { json, journal, folding } = &self.paths;
        if self.found.iter().any(|found| found.path != *json) {
            // It comes last at a start, so with it in place no other file brings anything back.
            let write = |out: &mut dyn io::Write| out.write_all(&self.outcome()?);
            files::replace(files, journal, &temporary(journal), write)
                .map_err(|cause| OpenError::io(journal, &cause))?;
        }
        snapshot::replace(files, json, &self.table).map_err(|cause| OpenError::io(json, &cause))?;
        for path in [folding, journal] {
            let removed = files.remove(path);
            let removed = removed.and_then(|()| files.sync_directory(directory_of(path)));
            removed.map_err(|cause| OpenError::io(path, &cause))?;
        }
        Ok(())
    }

    /// A journal that comes to what shall be, whatever the files before it hold.
    fn outcome(&self) -> io::Result<Vec<u8>> {
        let gone = self.seen.iter().filter(|key| self.table.get(key).is_none());
        let ops = gone.map(|key| Op::Remove(*key)).chain(self.table.iter().map(Op::Put));
        let ops: Vec<Op<R>> = ops.collect();
        Ok(journal::content::<R>(&[serde_json::to_vec(&ops)?]))
    }

    /// Removes what a crash left half-written; tells what it was.
    pub fn remove_leftovers(&self, files: &dyn Files) -> Result<Vec<PathBuf>, OpenError> {
        let Paths { json, journal, folding } = &self.paths;
        let kept = [json, folding, journal].map(|path| quarantine::temporary(path));
        let mut removed = Vec::new();
        for path in [snapshot::temporary(json), temporary(journal)].into_iter().chain(kept) {
            let error = |cause: io::Error| OpenError::io(&path, &cause);
            if files.open_read(&path).map_err(error)?.is_some() {
                files.remove(&path).map_err(error)?;
                files.sync_directory(directory_of(&path)).map_err(error)?;
                removed.push(path);
            }
        }
        Ok(removed)
    }
}

/// Where a journal is written before it takes its place.
fn temporary(journal: &Path) -> PathBuf {
    journal.with_extension("journal.tmp")
}

impl Class<User> {
    /// Takes out what contradicts itself, and disables every user whom lost bytes name. Tells who
    /// was enabled till then, and whether something may be lost that names nobody who is left.
    pub fn settle(&mut self) -> (Vec<UserId>, bool) {
        let ids = Names::of(&self.table);
        let (mut named, mut nameless) = (BTreeSet::new(), false);
        for found in &self.found {
            for lost in found.lost.iter().filter(|lost| !lost.torn) {
                let whom = ids.in_bytes(lost.of(&found.content));
                // Where a file ends before its time, there was more than can be seen.
                nameless |= whom.is_empty() || lost.at + lost.length == found.content.len();
                named.extend(whom);
            }
        }
        self.leave_one_of_each(&named);
        let enabled = named.iter().filter_map(|id| self.table.get(id)).filter(|u| !u.disabled);
        let enabled: Vec<Arc<User>> = enabled.collect();
        for user in &enabled {
            let mut disabled = User::clone(user);
            disabled.set_disabled(true);
            self.table.apply(&[Op::Put(Arc::new(disabled))]);
        }
        (enabled.iter().map(|user| user.id).collect(), nameless)
    }

    /// Of users with one address the first stays, unless it is he who is in doubt.
    fn leave_one_of_each(&mut self, doubtful: &BTreeSet<UserId>) {
        let mut holders = HashMap::new();
        for user in self.table.iter().collect::<Vec<_>>() {
            let address = user.unique().unwrap_or_default();
            let Some(first) = holders.insert(address.clone(), user.id) else { continue };
            let doubts = [first, user.id].map(|id| doubtful.contains(&id));
            let (goes, stays) =
                if doubts == [true, false] { (first, user.id) } else { (user.id, first) };
            holders.insert(address, stays);
            self.table.apply(&[Op::Remove(goes)]);
            let what = format!("{stays} and {goes} have one e-mail address, and {goes} goes");
            // It stands in any of the files, perhaps in more than one.
            if let Some(found) = self.found.first_mut() {
                found.lost.push(Lost { line: 1, at: 0, length: 0, what, torn: false });
            }
            (self.changed, self.keep_all) = (true, true);
        }
    }
}
