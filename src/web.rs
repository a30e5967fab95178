//! Pages for people: the documentation of the API, and login, account and administration. Everything
//! comes from here, and the policy of each answer says so.

mod asset;
mod docs;
mod pages;

use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpResponse, web};
use bytes::Bytes;

use crate::api::{Document, get, resource};

use docs::DocsPage;
pub use pages::{Health, Pages, nothing_here};

/// What a page may load: its stylesheet.
const POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// A page may be kept, and is asked for again.
const ASK_AGAIN: (HeaderName, &str) = (header::CACHE_CONTROL, "no-cache");

/// The methods of what is only read.
const READ: &str = "GET, HEAD";

/// The documentation of the API: for programs, and for people.
#[derive(Clone)]
pub struct Docs {
    document: web::Data<Document>,
    page: web::Data<DocsPage>,
}

impl Docs {
    /// That show this document, of a service that is reached at this address, if that is known.
    pub fn new(document: Document, address: Option<String>) -> Self {
        let page = DocsPage::new(address);
        Self { document: web::Data::new(document), page: web::Data::new(page) }
    }

    /// Adds the page at `/docs`, and what the API shows its document from; nothing for none.
    pub fn configure(docs: Option<Self>, config: &mut web::ServiceConfig) {
        let Some(Self { document, page }) = docs else { return };
        config.app_data(document).app_data(page);
        for path in ["/docs", "/docs/"] {
            config.service(resource(path, READ).route(get().to(docs_page)));
        }
        config.service(resource(docs::STYLESHEET.path(), READ).route(get().to(stylesheet)));
    }
}

async fn docs_page(document: web::Data<Document>, page: web::Data<DocsPage>) -> HttpResponse {
    answer("text/html; charset=utf-8", ASK_AGAIN, page.html(&document))
}

async fn stylesheet() -> HttpResponse {
    docs::STYLESHEET.answer()
}

fn answer(kind: &str, caching: (HeaderName, &'static str), body: Bytes) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, kind)).insert_header(POLICY);
    answer.insert_header(caching).body(body)
}
