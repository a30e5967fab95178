//! A backup of all records.

use actix_web::{HttpResponse, web};

use super::body::Body;
use super::call::Call;
use super::view::BackupView;
use crate::auth::audit::Event;
use crate::auth::guard::Admin;
use crate::error::Result;
use crate::store::backups::Backups;

/// Makes a backup in the folder that the settings name. For admins.
pub async fn create(
    _: Admin,
    mut call: Call,
    backups: web::Data<Backups>,
    body: Body,
) -> Result<HttpResponse> {
    call.must_be_fresh_by(body).await?;
    call.caller.must_be_admin()?;
    let by = call.acting().await?;
    let backup = backups.make().await?;
    call.record(Event::BackupMade, None, by.detail(backup.name.clone()));
    Ok(HttpResponse::Created().json(BackupView::from(&backup)))
}
