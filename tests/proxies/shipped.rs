//! What is in `deploy/`.

use std::fs;
use std::path::{Path, PathBuf};

/// A file or folder of `deploy/`.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

/// The text of a file.
pub fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("deploy/{name}: {error}"))
}

/// Copies a folder of `deploy/` as it is.
pub fn copy(name: &str, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(path(name)).unwrap() {
        let entry = entry.unwrap();
        let file = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            copy(&format!("{name}/{file}"), &to.join(file));
        } else {
            fs::copy(entry.path(), to.join(file)).unwrap();
        }
    }
}

/// Changes a line of a copied file, which must be there exactly once.
pub fn replace_line(file: &Path, line: &str, with: &str) {
    let text = fs::read_to_string(file).unwrap();
    let is_it = |candidate: &&str| candidate.trim() == line;
    assert_eq!(text.lines().filter(is_it).count(), 1, "{}: {line:?}", file.display());
    let changed = text.lines().map(|each| if each.trim() == line { with } else { each });
    fs::write(file, changed.collect::<Vec<_>>().join("\n") + "\n").unwrap();
}
