//! OAuth and OpenID Connect.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V10 OAuth and OpenID Connect",
    rows: &[
        requirement("10.1.1", 2, "Tokens reach only the parts that need them").not_applicable(
            "no OAuth and no OpenID Connect: neither client, resource server nor provider",
        ),
        requirement(
            "10.1.2",
            2,
            "Answers of the authorization server count only in the flow that asked",
        )
        .not_applicable(
            "no OAuth and no OpenID Connect: neither client, resource server nor provider",
        ),
        requirement("10.2.1", 2, "The code flow cannot be forged across sites")
            .not_applicable("no OAuth client here"),
        requirement("10.2.2", 2, "Several authorization servers cannot be mixed up")
            .not_applicable("no OAuth client here"),
        requirement("10.2.3", 3, "Only the scopes that are needed are asked for")
            .not_applicable("no OAuth client here"),
        requirement("10.3.1", 2, "Access tokens are meant for this service")
            .not_applicable("no OAuth resource server here"),
        requirement("10.3.2", 2, "What a token delegates bounds what is allowed")
            .not_applicable("no OAuth resource server here"),
        requirement("10.3.3", 2, "A user is known by claims that are never given to another")
            .not_applicable("no OAuth resource server here"),
        requirement("10.3.4", 2, "The demanded strength of login is checked in the token")
            .not_applicable("no OAuth resource server here"),
        requirement("10.3.5", 3, "Stolen access tokens are useless to others")
            .not_applicable("no OAuth resource server here"),
        requirement("10.4.1", 1, "Redirect addresses are compared exactly with a list per client")
            .not_applicable("no authorization server here"),
        requirement("10.4.2", 1, "An authorization code works once")
            .not_applicable("no authorization server here"),
        requirement("10.4.3", 1, "An authorization code lives shortly")
            .not_applicable("no authorization server here"),
        requirement("10.4.4", 1, "A client may use only the grants that it needs")
            .not_applicable("no authorization server here"),
        requirement("10.4.5", 1, "Refresh tokens of public clients cannot be replayed")
            .not_applicable("no authorization server here"),
        requirement("10.4.6", 2, "PKCE is demanded, and never plain")
            .not_applicable("no authorization server here"),
        requirement("10.4.7", 2, "Clients that registered themselves are not trusted")
            .not_applicable("no authorization server here"),
        requirement("10.4.8", 2, "Refresh tokens end at a fixed time")
            .not_applicable("no authorization server here"),
        requirement("10.4.9", 2, "Users can revoke tokens")
            .not_applicable("no authorization server here"),
        requirement("10.4.10", 2, "Confidential clients authenticate on the back channel")
            .not_applicable("no authorization server here"),
        requirement("10.4.11", 2, "Clients get only the scopes that they need")
            .not_applicable("no authorization server here"),
        requirement("10.4.12", 3, "A client may use only the response modes that it needs")
            .not_applicable("no authorization server here"),
        requirement("10.4.13", 3, "The code grant comes with pushed requests")
            .not_applicable("no authorization server here"),
        requirement("10.4.14", 3, "Access tokens are bound to who holds them")
            .not_applicable("no authorization server here"),
        requirement("10.4.15", 3, "Authorization details come from the client's back end")
            .not_applicable("no authorization server here"),
        requirement("10.4.16", 3, "Clients prove themselves with keys")
            .not_applicable("no authorization server here"),
        requirement("10.5.1", 2, "ID tokens cannot be replayed")
            .not_applicable("no OpenID Connect client here"),
        requirement("10.5.2", 2, "Users are known by what is never given to another")
            .not_applicable("no OpenID Connect client here"),
        requirement("10.5.3", 2, "Metadata of a provider names the expected issuer")
            .not_applicable("no OpenID Connect client here"),
        requirement("10.5.4", 2, "An ID token is meant for this client")
            .not_applicable("no OpenID Connect client here"),
        requirement("10.5.5", 2, "Back-channel logout cannot be forged")
            .not_applicable("no OpenID Connect client here"),
        requirement("10.6.1", 2, "Only safe response modes")
            .not_applicable("no OpenID provider here"),
        requirement("10.6.2", 2, "Nobody is logged out against his will")
            .not_applicable("no OpenID provider here"),
        requirement("10.7.1", 2, "Users agree to each authorization")
            .not_applicable("no authorization server here"),
        requirement("10.7.2", 2, "Users see what they agree to")
            .not_applicable("no authorization server here"),
        requirement("10.7.3", 2, "Users can look at and take back what they agreed to")
            .not_applicable("no authorization server here"),
    ],
};
