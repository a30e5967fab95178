"""Who asks, and whom for: what schemathesis needs to know of the service.

Operations that end sessions or users are asked for by an admin who is made for that one request, and
on his behalf; all others by the first admin. With ANONYMOUS nobody is logged in.
"""

import itertools
import json
import os
import string
from http.cookiejar import DefaultCookiePolicy

import requests
import schemathesis
from hypothesis import strategies as st

API = os.environ["BASE_URL"] + "/api/v1"
EMAIL, PASSWORD = os.environ["ADMIN_EMAIL"], os.environ["ADMIN_PASSWORD"]
ANONYMOUS = os.environ.get("ANONYMOUS")

# By their ids: what ends the session that asks, or gives it a new secret.
ENDING = {
    "login", "logout", "refreshSession", "reauthenticate", "endSession", "endSessions",
    "endEverybodysSessions", "updateUser", "deleteUser", "changePassword",
}

# Whoever asks is told by his token alone.
web = requests.Session()
web.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
counter = itertools.count()
SOMEBODY = "Bearer somebody"

# Passwords that are not on the list of common ones, and whose characters are a byte each.
letters = st.text(string.ascii_letters + string.digits + " -_.", min_size=8, max_size=200)
schemathesis.openapi.format("password", letters.map(lambda text: text + "~7"))


def operation_id(case):
    return case.operation.definition.raw["operationId"]


class Person:
    """Somebody who has logged in."""

    def __init__(self, email, password):
        answer = web.post(f"{API}/auth_session/login", json={"email": email, "password": password})
        answer.raise_for_status()
        self.id = answer.json()["id"]
        self.token = answer.headers["Set-Cookie"].split(";")[0].split("=", 1)[1]

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    def session(self):
        return web.get(f"{API}/auth_session", headers=self.headers()).json()["id"]

    def is_logged_in(self):
        return web.get(f"{API}/users/me", headers=self.headers()).status_code == 200


admin = None


def first_admin():
    """The first admin, who logs in anew when somebody has ended all sessions."""
    global admin
    if admin is None or not admin.is_logged_in():
        admin = Person(EMAIL, PASSWORD)
    return admin


def throw_away():
    """An admin for one request."""
    boss, email = first_admin(), f"one-{next(counter)}@contract.example"
    body = {"email": email, "password": PASSWORD}
    made = web.post(f"{API}/users", json=body, headers=boss.headers())
    made.raise_for_status()
    change = {"role": "admin", "current_password": PASSWORD}
    path = f"{API}/users/{made.json()['id']}"
    web.put(path, json=change, headers=boss.headers()).raise_for_status()
    return Person(email, PASSWORD)


if not ANONYMOUS:

    @schemathesis.auth(refresh_interval=None)
    class Bearer:
        """Marks requests that somebody is to ask for; requests are made long before they are sent."""

        def get(self, case, context):
            return SOMEBODY

        def set(self, case, marker, context):
            case.headers = {**(case.headers or {}), "Authorization": marker}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Lets somebody ask who is logged in now. A login that is tried speaks for no other request."""
    if kwargs.get("session") is not None:
        kwargs["session"].cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    if (case.headers or {}).get("Authorization") == SOMEBODY:
        person = throw_away() if operation_id(case) in ENDING else first_admin()
        case.headers.update(person.headers())
        name_somebody(case, person)


def name_somebody(case, person):
    """Every other request is about somebody who is there; nothing happens to the first admin."""
    path, query = case.path_parameters or {}, case.query or {}
    there = next(counter) % 2 == 0 or path.get("id") == first_admin().id
    if there and is_uuid(path.get("id")):
        path["id"] = person.id
    if there and is_uuid(path.get("session")) and path["id"] in ("me", person.id):
        path["session"] = person.session()
    if operation_id(case) == "listUsers" and is_uuid(query.get("after")):
        query["after"] = person.id


@schemathesis.hook
def filter_case(context, case):
    """A form has each field once, and no list; a part of a multipart form has its name in a header,
    which holds no other characters. What is said to violate a password alone violates nothing."""
    if only_violates_passwords(case):
        return False
    if not isinstance(case.body, dict) or case.media_type == "application/json":
        return True
    names = case.body if case.media_type == "multipart/form-data" else ()
    return not any(isinstance(value, (list, dict)) for value in case.body.values()) and all(
        name.isascii() and name.isprintable() for name in names
    )


def only_violates_passwords(case):
    """The format `password` is a hint to those who show a form; no text is at odds with it."""
    mutations = case.meta.phase.data.mutations if case.meta else ()
    return bool(mutations) and all(
        change.keywords == ("format",) and change.schema_pointer.endswith("password")
        for change in mutations
    )


def is_uuid(text):
    return isinstance(text, str) and len(text) == 36 and text.count("-") == 4


@schemathesis.check
def code_is_documented(ctx, response, case):
    """A failure has one of the codes that the document lists for this operation and status."""
    if response.status_code < 400 or response.status_code == 405:
        return
    root = case.operation.schema.raw_schema
    answer = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    if "$ref" in answer:
        answer = root["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    code = json.loads(response.content)["code"]
    assert code in answer.get("x-codes", []), f"{response.status_code} {code} is not documented"
