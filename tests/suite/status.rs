use crate::harness::Server;

#[test]
fn the_status_is_open_to_everybody() {
    let server = Server::of("session_db_auth");
    let answer = server.get("/api/v1/status").send();
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"status":"OK"}"#));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}
