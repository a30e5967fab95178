//! Users and sessions to put into a store, and what a test does with futures and refusals.

use std::fmt::Debug;

use actix_web::ResponseError as _;
use sessiond::error::Result;

pub use sessiond::store::behaviour::records::*;

/// How a change was refused: status and text.
pub fn refusal<T: Debug>(result: Result<T>) -> String {
    let error = result.expect_err("should have been refused");
    format!("{} {error}", error.status_code().as_u16())
}
