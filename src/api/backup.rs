//! A backup of all records.

use actix_web::{HttpResponse, web};

use super::body::{Body, proof};
use super::openapi::bodies::FreshProof;
use super::openapi::refusals::{BACKUP, BODY, FORM, FRESH, NOT_FOR_ALL};
use super::view::BackupView;
use crate::acts::Call;
use crate::auth::audit::Event;
use crate::auth::guard::Admin;
use crate::error::Result;
use crate::store::backups::Backups;

/// Makes a backup in the folder that the settings name. For admins.
#[utoipa::path(
    post, path = "/api/v1/admin/backup", tag = "admin", operation_id = "createBackup",
    summary = "Make a backup",
    description = "In the folder `BACKUP_DIR`. For admins. Needs a fresh login, or the password.",
    request_body = Option<FreshProof>,
    responses((status = 201, description = "The backup", body = BackupView<'static>)),
    extensions(("x-codes" = json!([NOT_FOR_ALL, FRESH, BODY, FORM, BACKUP]))),
)]
pub async fn create(
    _: Admin,
    mut call: Call,
    backups: web::Data<Backups>,
    body: Body,
) -> Result<HttpResponse> {
    let proof = proof(&call, body).await?;
    call.must_be_fresh(proof).await?;
    call.caller.must_be_admin()?;
    let by = call.acting().await?;
    let backup = backups.make().await?;
    call.record(Event::BackupMade, None, by.detail(backup.name.clone()));
    Ok(HttpResponse::Created().json(BackupView::from(&backup)))
}
