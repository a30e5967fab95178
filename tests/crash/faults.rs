//! One story, told over and over: with the program killed at its first system call of a kind on its
//! files, at the second, and so on until it comes through untouched; and the same with a call that
//! fails.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;

use serde_json::json;

use crate::harness::{ADMIN, Answer, PASSWORD, Program, Request, Server};
use crate::tools::{Chance, can_trace, is_long, number, say};

const NEW_PASSWORD: &str = "a new password 3";
/// How a call ends.
const FAULTS: [&str; 4] = ["signal=SIGKILL", "error=EIO", "error=ENOSPC", "error=EINTR"];
/// Files of a class, and the calls on them.
const FILES: &[&str] = &["journal", "journal.folding", "json", "json.tmp"];
const CALLS: &[&str] =
    &["openat", "read", "write", "fdatasync", "ftruncate", "rename", "unlink", "statx"];
/// Calls on the directory itself.
const DIRECTORY_CALLS: &[&str] = &["openat", "fsync", "getdents64"];
/// In a short run: one of so many kinds of calls, and one of their first.
const SAMPLE: usize = 4;
const SAMPLED_CALLS: usize = 4;

/// Who there is before the story begins.
struct Scene {
    program: Program,
    ann: String,
    bob: String,
    cat: String,
    admin: String,
    /// A session of Ann's that is logged out, and one of Cat's that changes her password.
    leaving: String,
    changing: String,
    /// Another one of Cat's, which ends by that.
    other: String,
}

impl Scene {
    fn new() -> Self {
        let server = Program::of("session_db_auth").set("LOGIN_THROTTLE", "off").start();
        let [ann, bob, cat] =
            ["ann", "bob", "cat"].map(|n| server.add_user(&format!("{n}@example.com")));
        let session = |name: &str| server.log_in(&format!("{name}@example.com"), PASSWORD);
        let [leaving, changing, other] = ["ann", "cat", "cat"].map(session);
        let admin = server.admin();
        // Killed, so that the journals are there, and a stop folds them.
        let program = server.kill();
        Self { program, ann, bob, cat, admin, leaving, changing, other }
    }

    /// The same again in another directory, after which all but the name is as it was.
    fn again(&self) -> Program {
        let copy = Program::of("session_db_auth").set("LOGIN_THROTTLE", "off");
        fs::create_dir(copy.data()).unwrap();
        for entry in fs::read_dir(self.program.data()).unwrap() {
            let file = entry.unwrap();
            fs::copy(file.path(), copy.data().join(file.file_name())).unwrap();
        }
        copy
    }

    fn story(&self, server: &Server) -> [Request; 6] {
        let user = |id: &str| format!("/api/v1/users/{id}");
        let new_user = json!({ "email": "dan@example.com", "password": PASSWORD });
        let passwords = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
        let [me, login, logout] =
            ["users/me/password", "auth_session/login", "auth_session/logout"]
                .map(|path| format!("/api/v1/{path}"));
        [
            server.post("/api/v1/users").bearer(&self.admin).json(&new_user),
            server.put(&user(&self.ann)).bearer(&self.admin).json(&json!({ "last_name": "Lee" })),
            server.post(&login).form(&[("email", "ann@example.com"), ("password", PASSWORD)]),
            server.delete(&logout).bearer(&self.leaving),
            server.put(&me).bearer(&self.changing).json(&passwords),
            server.delete(&user(&self.bob)).bearer(&self.admin),
        ]
    }
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Refused,
    Open,
}

/// What is read after the story, in its order: for each request whether its change is there.
fn found(scene: &Scene, server: &Server, made: Option<&str>) -> [Option<bool>; 6] {
    let users = server.get("/api/v1/users").bearer(&scene.admin).send();
    assert_eq!(users.status, 200, "{}", users.body);
    let list = users.json();
    let named = |email: &str| list.as_array().unwrap().iter().find(|user| user["email"] == email);
    let lives = |session: &str| {
        let status = server.get("/api/v1/users/me").bearer(session).send().status;
        assert!([200, 403].contains(&status), "{status}");
        status == 200
    };
    let works = |password: &str| {
        let form = [("email", "cat@example.com"), ("password", password)];
        server.login(&form).send().status == 200
    };
    assert!(named(ADMIN).is_some() && named("cat@example.com").unwrap()["id"] == *scene.cat);
    let is_new = works(NEW_PASSWORD);
    assert_eq!(works(PASSWORD), !is_new, "one password, and only one");
    for session in [&scene.changing, &scene.other] {
        assert_eq!(lives(session), !is_new, "never a new password and an old session");
    }
    [
        Some(named("dan@example.com").is_some()),
        Some(named("ann@example.com").unwrap()["last_name"] == *"Lee"),
        made.map(lives),
        Some(!lives(&scene.leaving)),
        Some(is_new),
        Some(named("bob@example.com").is_none()),
    ]
}

/// Tells the story with a fault. True if the fault came about.
fn tell(scene: &Scene, paths: &[String], call: &str, fault: &str, when: usize) -> bool {
    let context = format!("{call}:{fault}:when={when} on {}", paths.join(" "));
    let program = scene.again();
    let inject = format!("inject={call}:{fault}:when={when}");
    let mut strace = ["strace", "-D", "-f", "-q", "-o", "/dev/stderr", "-e", &inject]
        .map(str::to_owned)
        .to_vec();
    for path in paths {
        strace.extend(["-P".to_owned(), program.data().join(path).display().to_string()]);
    }
    let is_kill = fault == "signal=SIGKILL";
    let (mut outcomes, mut made) = ([Outcome::Refused; 6], None);
    let (program, is_hit) = match program.clone().within(&strace).try_start() {
        Err((status, log)) => {
            let hit =
                status.signal() == Some(9) || log.iter().any(|line| line.contains("INJECTED"));
            let said = log.iter().filter(|line| line.starts_with("sessiond: ")).count();
            assert_eq!((hit, said), (true, usize::from(!is_kill)), "{context}: {log:?}");
            (program, true)
        }
        Ok(server) => {
            for (number, request) in scene.story(&server).into_iter().enumerate() {
                let answer = request.try_send();
                outcomes[number] = outcome(answer.as_ref(), &context);
                made = made.or(answer.filter(|_| number == 2).and_then(|a| a.session_id()));
            }
            server.signal("TERM");
            let (_, status, log) = server.ended();
            let hit =
                status.signal() == Some(9) || log.iter().any(|line| line.contains("INJECTED"));
            assert!(is_kill && hit || !outcomes.contains(&Outcome::Open), "{context}: {log:?}");
            (program, hit)
        }
    };
    let server = program.start();
    let first = found(scene, &server, made.as_deref());
    for (number, (is_there, outcome)) in first.iter().zip(outcomes).enumerate() {
        let Some(is_there) = is_there else { continue };
        let may_be = outcome == Outcome::Open || *is_there == (outcome == Outcome::Done);
        assert!(may_be, "{context}: request {number} was {outcome:?}, and there is {first:?}");
    }
    // What was open does not flip.
    assert_eq!(found(scene, &server.kill().start(), made.as_deref()), first, "{context}");
    is_hit
}

fn outcome(answer: Option<&Answer>, context: &str) -> Outcome {
    match answer.map(|answer| answer.status) {
        None => Outcome::Open,
        Some(200 | 201) => Outcome::Done,
        Some(503) => Outcome::Refused,
        Some(other) => panic!("{context}: {other}"),
    }
}

#[test]
fn no_system_call_on_the_files_may_fail_or_be_the_last_and_lose_anything() {
    if !can_trace() {
        return;
    }
    let scene = Scene::new();
    let seed = number("SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let mut chance = Chance::new(seed);
    let (mut told, mut hits) = (0, 0);
    let of_class = |class: &str| FILES.iter().map(|file| format!("{class}.{file}")).collect();
    let files: [Vec<String>; 2] = ["User", "UserSession"].map(of_class);
    let targets = [(&files[0], CALLS), (&files[1], CALLS), (&vec![String::new()], DIRECTORY_CALLS)];
    for (paths, calls) in targets {
        for (call, fault) in calls.iter().flat_map(|call| FAULTS.map(|fault| (call, fault))) {
            if !is_long() {
                let when = 1 + chance.below(SAMPLED_CALLS);
                if chance.once_in(SAMPLE) {
                    hits += usize::from(tell(&scene, paths, call, fault, when));
                    told += 1;
                }
                continue;
            }
            let mut when = 1;
            while tell(&scene, paths, call, fault, when) {
                when += 1;
            }
            (told, hits) = (told + when, hits + when - 1);
        }
    }
    say(&format!("crash: SEED={seed}, the story told {told} times, {hits} of them with a fault"));
}
