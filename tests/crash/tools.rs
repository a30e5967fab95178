//! Chance that can be repeated, and what a test needs of the machine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

/// SplitMix64: the same numbers from the same seed, for choices and nothing else.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of its own for part `number` of what this one decides.
    pub fn part(&self, number: u64) -> Self {
        let mut part = Self(self.0 ^ number.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        part.next();
        part
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a length is no longer than 64 bits");
        usize::try_from(self.next() % end).expect("it is below a length")
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<'t, T>(&mut self, list: &'t [T]) -> Option<&'t T> {
        if list.is_empty() { None } else { list.get(self.below(list.len())) }
    }
}

/// A number from the environment.
pub fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable}='{value}': must be a whole number")))
}

/// Says something in a test that passes, too.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether the long way is asked for (`just crash`).
pub fn is_long() -> bool {
    std::env::var("CRASH").is_ok_and(|value| value == "long")
}

/// Whether this machine can do what a test needs. Where it cannot, the test says that it is skipped,
/// or has failed if that is not to be.
pub fn can(what: &str, works: bool) -> bool {
    if !works {
        let demanded = std::env::var("DEMAND_FAULTS").is_ok_and(|value| value == "1");
        assert!(!demanded, "{what} does not work here, and DEMAND_FAULTS=1");
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        say(&format!("{test}: SKIPPED, since {what} does not work here"));
    }
    works
}

#[expect(clippy::disallowed_methods, reason = "tests start programs")]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// Whether a command ends well.
pub fn works(command_line: &[&str]) -> bool {
    let mut command = command(command_line[0]);
    command.args(&command_line[1..]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

pub fn can_trace() -> bool {
    can("strace", works(&["strace", "-D", "-f", "-q", "-o", "/dev/null", "true"]))
}

/// File systems that only this test and its programs see, for as long as this value lives.
pub struct Namespace {
    holder: Child,
}

impl Namespace {
    /// With what this shell script mounts; none where that is not permitted.
    pub fn with(script: &str) -> Option<Self> {
        let mounts = ["unshare", "-rm", "sh", "-c", "nsenter -V && mount -t tmpfs tmpfs /tmp"];
        if !can("a mount in a namespace (unshare -rm)", works(&mounts)) {
            return None;
        }
        // It ends with its input, and so with this process.
        let script = format!("set -e; {script}; echo mounted; exec cat");
        let mut unshare = command("unshare");
        unshare.args(["-rm", "sh", "-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = unshare.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n", "the script failed");
        Some(Self { holder })
    }

    /// What starts a program in it.
    pub fn around(&self) -> Vec<String> {
        let target = self.holder.id().to_string();
        let nsenter = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", &target, "--"];
        nsenter.map(str::to_owned).to_vec()
    }

    /// A path in it, as it is seen from here.
    pub fn path(&self, path: &std::path::Path) -> std::path::PathBuf {
        format!("/proc/{}/root{}", self.holder.id(), path.display()).into()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
