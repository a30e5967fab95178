//! Users: found, and made.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Scope, web};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::api::{Body, Fields, get};
use crate::auth::accounts::NewUser;
use crate::auth::guard::Admin;
use crate::clock::Timestamp;
use crate::error::{Code, Result};
use crate::models::{Role, User};
use crate::web::pages::answer::{page, page_about, see_other};
use crate::web::pages::view::{Field, NewUserPage, Notice, UserRow, UsersPage, When};
use crate::web::pages::visit::Visit;
use crate::web::pages::{at, words};

/// The most users on one page.
const PAGE: usize = 50;

/// Adds the routes to those under `/admin`.
pub fn routes(scope: Scope) -> Scope {
    let scope = at(scope, "/users", "GET, HEAD", |page| page.route(get().to(list)));
    at(scope, "/users/new", "GET, HEAD, POST", |page| {
        page.route(get().to(show_form)).route(web::post().to(create))
    })
}

async fn list(_: Admin, visit: Visit) -> Result<HttpResponse> {
    let query = Fields::from_query(&visit.call.request, &["email", "after"])?;
    let search = query.text("email")?.unwrap_or_default().trim().to_owned();
    let after = query.text("after")?.filter(|after| !after.is_empty());
    let from = after.as_deref().and_then(|id| id.parse().ok());
    let mut view = UsersPage {
        frame: visit.frame(),
        first: after.is_some().then(|| address(&search, None)),
        search,
        users: Vec::new(),
        next: None,
        problem: None,
    };
    let found = if after.is_some() && from.is_none() {
        None
    } else {
        // One more than is shown tells whether there is a next page.
        visit.call.accounts.find(&view.search, from, PAGE + 1).await?
    };
    let Some(mut users) = found else {
        view.problem =
            Some("The user after whom this page begins is gone. Begin at the first page.".into());
        return Ok(page(StatusCode::NOT_FOUND, &view));
    };
    if users.len() > PAGE {
        users.truncate(PAGE);
        view.next = users.last().map(|last| address(&view.search, Some(&last.id.to_string())));
    }
    let now = visit.now();
    view.users = users.iter().map(|user| row(user, now)).collect();
    Ok(page(StatusCode::OK, &view))
}

/// Where a page of the list is.
fn address(search: &str, after: Option<&str>) -> String {
    let search = utf8_percent_encode(search, NON_ALPHANUMERIC);
    let after = after.map_or_else(String::new, |after| format!("&after={after}"));
    format!("/admin/users?email={search}{after}")
}

/// A user, as tables show him.
pub fn row(user: &User, now: Timestamp) -> UserRow {
    UserRow {
        id: user.id.to_string(),
        email: user.email.as_str().to_owned(),
        name: user.display_name(),
        role: user.role.to_string(),
        disabled: user.disabled,
        must_change: user.must_change,
        created: When::of(user.created_at, now),
    }
}

async fn show_form(_: Admin, visit: Visit) -> Result<HttpResponse> {
    let view = NewUserPage {
        frame: visit.frame(),
        must_change: true,
        rules: words::password_rules(),
        ..NewUserPage::default()
    };
    Ok(page(StatusCode::OK, &view))
}

async fn create(_: Admin, mut visit: Visit, body: Body) -> Result<HttpResponse> {
    let fields = body.any().await?;
    let error = match made(&mut visit, &fields).await {
        Ok((notice, path)) => {
            visit.state.tell(&notice);
            return Ok(see_other(&path));
        }
        Err(error) => words::of_a_form(error)?,
    };
    let typed =
        |name| fields.text(name).map(|text| Field { value: text.unwrap_or_default(), error: None });
    let mut view = NewUserPage {
        frame: visit.frame(),
        email: typed("email")?,
        first_name: typed("first_name")?,
        last_name: typed("last_name")?,
        password_error: None,
        must_change: fields.flag("must_change")?.unwrap_or(false),
        rules: words::password_rules(),
        problem: None,
    };
    let told = words::of(&error);
    match error.code() {
        Code::EmailMissing | Code::EmailInvalid | Code::EmailTaken => view.email.error = Some(told),
        Code::PasswordMissing
        | Code::PasswordTooShort
        | Code::PasswordTooLong
        | Code::PasswordTooCommon
        | Code::PasswordGuessable => view.password_error = Some(told),
        _ => {
            let name = words::at_a_name(&error, &mut view.first_name, &mut view.last_name);
            view.problem = name.err();
        }
    }
    Ok(page_about(&error, &view))
}

async fn made(visit: &mut Visit, fields: &Fields) -> Result<(Notice, String)> {
    let new = NewUser {
        email: fields.required("email")?.trim().to_owned(),
        password: fields.required("password")?,
        first_name: given(fields, "first_name")?,
        last_name: given(fields, "last_name")?,
        role: Role::User,
        must_change: fields.flag("must_change")?.unwrap_or(false),
    };
    let user = visit.call.create_user(new).await?;
    let notice = Notice::good(format!("{} can log in now.", user.email.as_str()));
    Ok((notice, format!("/admin/users/{}", user.id)))
}

/// What was typed into a field that may stay empty.
fn given(fields: &Fields, name: &str) -> Result<Option<String>> {
    Ok(fields.text(name)?.filter(|text| !text.is_empty()))
}
