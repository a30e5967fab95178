//! Files that pages load. The name of each changes with what is in it, so it may be kept for ever.

use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use sha2::{Digest as _, Sha256};

/// A file that is compiled into the program.
pub struct Asset {
    folder: &'static str,
    extension: &'static str,
    kind: &'static str,
    /// What is in it.
    pub text: &'static str,
    path: OnceLock<String>,
}

impl Asset {
    /// One in this folder, like `/docs/`, of this media type.
    pub const fn new(
        folder: &'static str,
        extension: &'static str,
        kind: &'static str,
        text: &'static str,
    ) -> Self {
        Self { folder, extension, kind, text, path: OnceLock::new() }
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        self.path.get_or_init(|| {
            let hash = Sha256::digest(self.text);
            let hash = u64::from_be_bytes(hash[..8].try_into().expect("a digest has 32 bytes"));
            format!("{}{hash:016x}.{}", self.folder, self.extension)
        })
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
