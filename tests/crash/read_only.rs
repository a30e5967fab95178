//! Data directories in which nothing can be written: found out at start, in one line.

use std::fs;
use std::os::unix::fs::symlink;

use crate::harness::{PASSWORD, Program, Server};
use crate::tools::Namespace;

/// How a start was refused: its line, with the data directory as `DATA`.
#[track_caller]
fn refusal(program: &Program) -> String {
    let Err((status, log)) = program.clone().set("RUST_LOG", "off").try_start() else {
        panic!("it started")
    };
    assert_eq!((status.code(), log.len()), (Some(1), 1), "{log:?}");
    line(program, &log[0])
}

fn line(program: &Program, said: &str) -> String {
    let data = program.data().display().to_string();
    said.trim_end().strip_prefix("sessiond: ").unwrap().replace(&data, "DATA")
}

/// A directory that a server has used, where `script` has mounted what it wants over `$data`.
fn used(script: &str) -> Option<(Namespace, Program)> {
    let (program, _, _) = Server::of("session_db_auth").stop();
    let data = program.data().display().to_string();
    let space = Namespace::with(&format!("data={data}; {script}"))?;
    let program = program.within(&space.around());
    Some((space, program))
}

const READ_ONLY: &str = r#"mount --bind "$data" "$data"; mount -o remount,ro,bind "$data""#;

#[test]
fn a_read_only_directory_is_one_line_at_start() {
    let Some((_space, program)) = used(READ_ONLY) else { return };
    assert_eq!(refusal(&program), "DATA/.lock: Read-only file system (os error 30)");
}

#[test]
fn a_directory_in_which_no_file_can_be_made_is_one_line_at_start() {
    let lock = r#"cp "$data/.lock" "$data/../lock"; mount --bind "$data/../lock" "$data/.lock""#;
    let Some((_space, program)) = used(&format!("{READ_ONLY}; {lock}")) else { return };
    let expected = "DATA: nothing can be written to it: Read-only file system (os error 30)";
    assert_eq!(refusal(&program), expected);
    for command in
        [&["user", "add", "bob@example.com"][..], &["user", "delete", "admin@example.com"]]
    {
        let output = program.run(command, PASSWORD);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), line(&program, &said).as_str()), (Some(1), expected));
    }
    // What only reads goes on.
    for command in [&["check"][..], &["export"], &["user", "list"]] {
        let output = program.run(command, "");
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_one_line_at_start() {
    let read_only = r#"mkdir "$data/in"; mount --bind "$data/in" "$data/in"; mount -o remount,ro,bind "$data/in""#;
    let Some((_space, program)) = used(read_only) else { return };
    let missing = program.data().join("in/missing").display().to_string();
    let refused = refusal(&program.set("DATA_DIR", &missing));
    assert_eq!(refused, "DATA/in/missing: Read-only file system (os error 30)");
}

#[test]
fn a_symbolic_link_counts_as_what_it_points_to() {
    let program = Program::of("session_db_auth");
    symlink("nowhere", program.data()).unwrap();
    assert_eq!(refusal(&program), "DATA: No such file or directory (os error 2)");
    assert!(!program.folder().join("nowhere").exists());
    fs::create_dir(program.folder().join("nowhere")).unwrap();
    program.start().admin();
}

#[test]
fn a_start_leaves_nothing_that_it_tried_out_with() {
    let server = Server::of("session_db_auth");
    let names = fs::read_dir(server.data()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".lock", "User.journal", "pages.key"]);
}
