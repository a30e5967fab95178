//! What a guarded request costs.

use std::fs;

use super::*;

behind_each![a_guarded_request_is_one_question_and_no_write, a_wrong_credential_is_shown_once];

fn a_guarded_request_is_one_question_and_no_write(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let session = site.admin();
    let journal = || fs::read(site.sessiond.data().join("UserSession.journal")).unwrap();
    let before = journal();
    for number in 0..10 {
        let path = format!("/app/{number}");
        assert_eq!(site.get(&path).session(&session).send().status, 200);
        let post = site.client().post(&path).session(&session);
        assert_eq!(post.json(&json!({ "n": number })).send().status, 200);
    }
    assert_eq!(site.app.received().len(), 20);
    assert_eq!(site.questions().len(), 20);
    // The log has the last of them, once it has this one.
    assert_eq!(
        site.sessiond.get("/api/v1/status").header("X-Request-Id", "last").send().status,
        200
    );
    site.sessiond.wait_for("request_id=last");
    let log = site.sessiond.log();
    let asked = log.iter().filter(|line| line.contains("path=/api/v1/auth_session/verify "));
    assert_eq!(asked.count(), 20, "{log:#?}");
    assert_eq!(journal(), before);
}

/// Else one mistake would count as two guesses.
fn a_wrong_credential_is_shown_once(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    assert_eq!(site.get("/app/").basic("bob@example.com", "wrong").send().status, 401);
    let questions = site.questions();
    let shown = questions.iter().map(|question| question.header("authorization").len());
    assert_eq!(shown.sum::<usize>(), 1, "{} questions", questions.len());
}
