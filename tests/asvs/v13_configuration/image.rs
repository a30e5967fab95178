//! The container image.

use super::controls;
use crate::files;

pub fn the_image_is_bare() {
    let dockerfile = files::read("Dockerfile");
    let (_, image) = dockerfile.split_once("\nFROM scratch\n").expect("it begins empty");
    assert!(!image.contains("\nFROM "), "nothing comes after it");
    let lines =
        |word: &str| -> Vec<&str> { image.lines().filter(|line| line.starts_with(word)).collect() };
    assert_eq!(lines("USER"), ["USER 65532:65532"]);
    assert_eq!(lines("RUN"), Vec::<&str>::new());
    let (_, folder) = dockerfile.split_once("cp target/*/release/sessiond /image/bin/").unwrap();
    assert!(folder.starts_with("sessiond\n"), "the program is all that is put there");
    assert_eq!(
        lines("COPY"),
        [
            "COPY --from=build /image/bin/ /",
            "COPY --from=build --chown=65532:65532 /image/state/ /"
        ]
    );
    assert!(dockerfile.contains("chmod 700 /image/state/data"));
    assert!(lines("EXPOSE")[0] > "EXPOSE 1023", "no privileged port");
    let section = controls("Privileges");
    assert!(section.contains("runs as 65532") && section.contains("starts no other program"));
}

pub fn the_image_has_no_history() {
    let context = files::read(".dockerignore");
    assert!(context.lines().any(|line| line == "*") && !context.contains("!.git"), "{context}");
    let dockerfile = files::read("Dockerfile");
    let copies: Vec<&str> = dockerfile
        .lines()
        .filter(|line| line.starts_with("COPY") && !line.contains("--from"))
        .collect();
    let needed = ["Cargo.toml Cargo.lock ./", "README.md ./", "templates templates", "src src"];
    assert_eq!(copies, needed.map(|what| format!("COPY {what}")));
}
