// Administration.
import assert from "node:assert/strict";

import { at, confirm, enter, follow, logIn, press, says, scenario, stale, titled } from "./browser.mjs";
import { ADMIN, sessiond } from "./server.mjs";

const BOB = { email: "bob@example.com", password: "battery staple 2" };

/** Fills the form for a new user, and sends it. */
async function create(page, user) {
  await page.getByLabel("E-mail").fill(user.email);
  await page.getByLabel("Password", { exact: true }).fill(user.password);
  await press(page, "Create user");
}

/** The rows of the table of users. */
const rows = (page) => page.getByRole("table", { name: "Users" }).locator("tbody tr");

scenario("an admin makes a user, who must change the password, and is let on then", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await logIn(page, server);
  await follow(page, "Administration");
  await follow(page, "New user");
  assert.ok(await page.getByLabel("Must change it at the first login").isChecked());
  await page.getByLabel("First name").fill("Bob");
  await create(page, { ...BOB, password: "short" });
  await says(page.locator("#password-error"), "Too short");
  assert.equal(await page.getByLabel("E-mail").inputValue(), BOB.email);
  assert.equal(await page.getByLabel("First name").inputValue(), "Bob");
  await create(page, { ...BOB, email: ADMIN.email });
  await says(page.locator("#email-error"), "Another user has this e-mail address.");
  await create(page, BOB);
  await says(page, "bob@example.com can log in now.");
  await says(page, "Must change password");

  const other = await open();
  await other.goto(`${server.url}/account`);
  await enter(other, BOB);
  await at(other, "/account/password");
  await says(other, "Your password must be changed before you can go on.");
  await other.goto(`${server.url}/account`);
  await at(other, "/account/password");
  await other.getByLabel("Current password", { exact: true }).fill(BOB.password);
  await other.getByLabel("New password", { exact: true }).fill("a quite other horse 3");
  await press(other, "Change password");
  await at(other, "/account");
  await says(other, "Your password is changed.");
  assert.equal(await other.getByRole("link", { name: "Administration" }).count(), 0);
  await other.goto(`${server.url}/admin`);
  await titled(other, "This is not for you");
});

scenario("a disabled user is out at once, and in again when enabled", async (t, open) => {
  const server = await sessiond(t);
  const user = await server.user(BOB.email);
  const [page, other] = [await open(), await open()];
  await logIn(other, server, user);
  await logIn(page, server);
  await page.goto(`${server.url}/admin/users/${user.id}`);
  await press(page, "Disable");
  await says(page, "bob@example.com is disabled. All sessions of this user have ended.");
  await other.goto(`${server.url}/account`);
  await at(other, "/login?return_to=%2Faccount");
  await enter(other, user);
  await other.getByRole("alert").waitFor();
  await press(page, "Enable");
  await says(page, "bob@example.com can log in again.");
  await enter(other, user);
  await at(other, "/account");
});

scenario("a user becomes an administrator and is none again, and the last one stays one", async (t, open) => {
  const server = await sessiond(t);
  const user = await server.user(BOB.email);
  const [page, other] = [await open(), await open()];
  await logIn(page, server);
  const change = async (role) => {
    await page.getByLabel("Role").selectOption(role);
    await press(page, "Change role");
  };
  await page.goto(`${server.url}/admin/users/${user.id}`);
  await change("admin");
  await says(page, "bob@example.com is an administrator now.");
  await logIn(other, server, user);
  await follow(other, "Administration");
  await titled(other, "Administration");
  await change("user");
  await says(page, "bob@example.com is a user now.");
  await other.goto(`${server.url}/admin`);
  await at(other, /\/admin$|\/login\?/);
  assert.notEqual(await other.getByRole("heading", { level: 1 }).textContent(), "Administration");
  await page.goto(`${server.url}/admin/users?email=${ADMIN.email}`);
  await follow(page, ADMIN.email);
  await says(page, "This is you.");
  await change("user");
  await says(page, "The last administrator who is not disabled must stay one.");
});

scenario("the sessions of a user are ended one by one, and all at once", async (t, open) => {
  const server = await sessiond(t);
  const user = await server.user(BOB.email);
  for (let sessions = 0; sessions < 3; sessions += 1) await server.login(user);
  const [page, other] = [await open(), await open()];
  await logIn(other, server, user);
  await logIn(page, server);
  await page.goto(`${server.url}/admin/users/${user.id}`);
  const sessions = page.getByRole("table").locator("tbody tr");
  assert.equal(await sessions.count(), 4);
  await sessions.filter({ hasText: "curl" }).or(sessions).last().getByRole("button").click();
  await says(page, "The session has ended.");
  assert.equal(await sessions.count(), 3);
  await press(page, "End all sessions");
  await says(page, "All sessions of bob@example.com have ended.");
  assert.equal(await sessions.count(), 0);
  await other.goto(`${server.url}/account`);
  await at(other, "/login?return_to=%2Faccount");
});

scenario("a set password is asked for its own proof, ends the sessions and must be changed", async (t, open) => {
  const server = await sessiond(t, { REAUTH_WINDOW: "2" });
  const user = await server.user(BOB.email);
  const [page, other] = [await open(), await open()];
  await logIn(other, server, user);
  await logIn(page, server);
  await stale(page, server, user);
  await page.goto(`${server.url}/admin/users/${user.id}`);
  await follow(page, "Set a password");
  // A machine that is slow is asked once more.
  for (let tries = 0; tries < 5; tries += 1) {
    await at(page, /\/login\/confirm$/);
    await says(page, "set a password for this user");
    await confirm(page);
    await at(page, `/admin/users/${user.id}/password`);
    await page.getByLabel("Password", { exact: true }).fill("some other horse 4");
    await press(page, "Set password");
    await page.getByText(/has another password|Confirm that it is you/).first().waitFor();
    if (page.url().endsWith(user.id)) break;
  }
  await says(page, "bob@example.com has another password. All sessions of this user have ended.");
  await other.goto(`${server.url}/account`);
  await enter(other, { ...user, password: "some other horse 4" });
  await at(other, "/account/password");
});

scenario("a change of role that needs the password is carried out when it is given", async (t, open) => {
  const server = await sessiond(t, { REAUTH_WINDOW: "1" });
  const user = await server.user(BOB.email);
  const page = await open();
  await logIn(page, server);
  await stale(page, server, user);
  await page.goto(`${server.url}/admin/users/${user.id}`);
  await page.getByLabel("Role").selectOption("admin");
  await press(page, "Change role");
  await says(page, "change the role of this user");
  await confirm(page);
  await at(page, `/admin/users/${user.id}`);
  await says(page, "bob@example.com is an administrator now.");
  assert.equal(await page.getByLabel("Role").inputValue(), "admin");
});

scenario("users are found by a part of their address, and shown page by page", async (t, open) => {
  const server = await sessiond(t);
  const cookie = await server.login();
  for (let number = 10; number < 71; number += 1) await server.user(`user${number}@example.com`, {}, cookie);
  const page = await open();
  await logIn(page, server);
  await page.goto(`${server.url}/admin`);
  await says(page.locator(".figures"), "62");
  await page.getByRole("main").getByRole("link", { name: "Users", exact: true }).click();
  assert.equal(await rows(page).count(), 50);
  await follow(page, "Next page");
  assert.equal(await rows(page).count(), 12);
  await follow(page, "First page");
  assert.equal(await rows(page).count(), 50);
  await page.getByLabel("Search by e-mail").fill("R1");
  await press(page, "Search");
  await at(page, "/admin/users?email=R1");
  assert.equal(await rows(page).count(), 10);
  await page.getByLabel("Search by e-mail").fill("nobody <b>");
  await press(page, "Search");
  await says(page, "nobody <b>");
  assert.equal(await rows(page).count(), 0);
  await page.goto(`${server.url}/admin/users?after=${"0".repeat(8)}-0000-4000-8000-${"0".repeat(12)}`);
  await says(page.getByRole("alert"), "Begin at the first page.");
  await follow(page, "First page");
  assert.equal(await rows(page).count(), 50);
});
