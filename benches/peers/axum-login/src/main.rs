//! A peer: axum-login over tower-sessions, whose sessions are in memory. All is as it comes, but
//! that the cookie is sent over plain http.

use std::convert::Infallible;
use std::io;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_login::{AuthManagerLayerBuilder, AuthUser, AuthnBackend, UserId, login_required};
use tower_sessions::{MemoryStore, SessionManagerLayer};
use user::{USER, User};

#[derive(Clone, Copy, Debug)]
struct Known(User);

impl AuthUser for Known {
    type Id = String;

    fn id(&self) -> String {
        self.0.id.to_owned()
    }

    fn session_auth_hash(&self) -> &[u8] {
        b"what changes with the password"
    }
}

/// Knows the one user, whose password is nothing.
#[derive(Clone)]
struct Backend;

impl AuthnBackend for Backend {
    type User = Known;
    type Credentials = ();
    type Error = Infallible;

    async fn authenticate(&self, (): ()) -> Result<Option<Known>, Infallible> {
        Ok(Some(Known(USER)))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<Known>, Infallible> {
        Ok((id == USER.id).then_some(Known(USER)))
    }
}

type AuthSession = axum_login::AuthSession<Backend>;

/// Lets everybody in, as the one user.
async fn log_in(mut session: AuthSession) -> StatusCode {
    match session.login(&Known(USER)).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn me(session: AuthSession) -> Result<Json<User>, StatusCode> {
    session.user.map(|Known(user)| Json(user)).ok_or(StatusCode::UNAUTHORIZED)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    let application = Router::new()
        .route("/api/v1/users/me", get(me))
        .route_layer(login_required!(Backend))
        .route("/login", post(log_in))
        .layer(AuthManagerLayerBuilder::new(Backend, sessions).build());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, application).await
}
