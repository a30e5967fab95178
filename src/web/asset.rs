//! What the pages load.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

/// A file that pages load. Its path has the hash of what is in it, so it may be kept for ever.
pub struct Asset {
    /// What is in it.
    pub text: &'static str,
    kind: &'static str,
    folder: &'static str,
    ending: &'static str,
    path: OnceLock<String>,
}

impl Asset {
    /// A stylesheet.
    pub const fn stylesheet(folder: &'static str, text: &'static str) -> Self {
        Self::new(folder, "css", "text/css; charset=utf-8", text)
    }

    /// A script.
    pub const fn script(folder: &'static str, text: &'static str) -> Self {
        Self::new(folder, "js", "text/javascript; charset=utf-8", text)
    }

    /// A picture in SVG.
    pub const fn picture(folder: &'static str, text: &'static str) -> Self {
        Self::new(folder, "svg", "image/svg+xml", text)
    }

    const fn new(
        folder: &'static str,
        ending: &'static str,
        kind: &'static str,
        text: &'static str,
    ) -> Self {
        Self { text, kind, folder, ending, path: OnceLock::new() }
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        self.path
            .get_or_init(|| format!("{}/{:016x}.{}", self.folder, hash(self.text), self.ending))
    }

    /// The answer that has it.
    pub fn answer(&self) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        answer.insert_header((CONTENT_TYPE, self.kind));
        answer
            .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"));
        answer.insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
        answer.body(self.text)
    }
}

/// A number that is another one when the text is.
fn hash(text: &str) -> u64 {
    let mut hasher = foldhash::quality::FixedState::default().build_hasher();
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_another_one_when_what_is_in_it_is() {
        let [one, same, other] = ["a {}", "a {}", "b {}"].map(|it| Asset::stylesheet("/place", it));
        assert_eq!(one.path(), same.path());
        assert_ne!(one.path(), other.path());
        let name = one.path().strip_prefix("/place/").and_then(|it| it.strip_suffix(".css"));
        assert!(name.unwrap().bytes().all(|b| b.is_ascii_hexdigit()), "{}", one.path());
    }
}
