//! Changing passwords: one's own, and as an admin that of somebody else.

use actix_web::{HttpResponse, web};

use super::auth_session::answer_with;
use super::body::{Body, CURRENT_PASSWORD};
use super::openapi::bodies::PasswordChange;
use super::openapi::parameters::Somebody;
use super::openapi::refusals::{BODY, FRESH, MAY_LACK, NEW_PASSWORD, NOT_FOR_ALL, PASSWORD_CHANGE};
use super::view::UserView;
use crate::acts::Call;
use crate::error::Result;

/// Gives a user another password: himself, with the current one (ASVS 6.2.3); or an admin, after
/// which the user must change it unless `must_change` is false. Ends all sessions of the user but
/// the one that asks, which gets a new id.
#[utoipa::path(
    put, path = "/api/v1/users/{id}/password", tag = "users", operation_id = "changePassword",
    summary = "Give a user another password", params(Somebody), request_body = PasswordChange,
    description = "One's own, with the current one; or as an admin that of somebody else, which \
        needs a fresh login, or the password. All sessions of the user end but the one in use.",
    responses((status = 200, description = "The user", body = UserView<'static>,
        headers(("Set-Cookie" = String,
            description = "The session cookie, with a new secret; with one's own password alone")))),
    extensions(("x-codes" = json!([
        NOT_FOR_ALL, MAY_LACK, BODY, PASSWORD_CHANGE, NEW_PASSWORD, FRESH
    ]))),
)]
pub async fn change(mut call: Call, id: web::Path<String>, body: Body) -> Result<HttpResponse> {
    let user = call.subject(&id).await?;
    let fields = body.json().await?;
    let (user, session) = if call.is_himself(user.id) {
        let current = fields.required(CURRENT_PASSWORD)?;
        let new = fields.required("new_password")?;
        // It is his own choice; but of the right type it must be.
        fields.boolean("must_change")?;
        call.change_own_password(&user, current, new).await?
    } else {
        let new = fields.required("new_password")?;
        let must_change = fields.boolean("must_change")?.unwrap_or(true);
        let proof = fields.text(CURRENT_PASSWORD)?;
        (call.set_password(&user, new, must_change, proof).await?, None)
    };
    Ok(answer_with(call.auth.as_ref(), session.as_ref(), UserView::from(user.as_ref())))
}
