// How every page and state of it looks and is read: axe, light and dark, down to small phones. Screenshots of all
// go to $SCREENSHOTS.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

import { at, enter, logIn, press, says, scenario, stale, titled } from "./browser.mjs";
import { ADMIN, sessiond, site } from "./server.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
/** The smallest phone, and a desktop at 200 %: 640 px are left of it to a page. */
const NARROW = [{ width: 320, height: 640 }, { width: 640, height: 400 }];
const SCREENSHOTS = process.env.SCREENSHOTS;

/** Looks at a page as it is now, in light and dark, on desktop and phone. */
async function look(page, name) {
  // Colours that still change are not those that are meant.
  await page.emulateMedia({ reducedMotion: "reduce" });
  for (const size of [...NARROW, DESKTOP, PHONE]) {
    await page.setViewportSize(size);
    const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(needs <= has, `${name} scrolls sideways at ${size.width} px: it needs ${needs}`);
    if (NARROW.includes(size)) continue;
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await judge(page, `${name}, ${size.width} px, ${colorScheme}`);
      if (!SCREENSHOTS) continue;
      const path = join(SCREENSHOTS, `${name}-${size === PHONE ? "phone" : "desktop"}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: "light" });
}

/** Asks axe. */
async function judge(page, where) {
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(
    (rules) => axe.run({ runOnly: rules, preload: false, resultTypes: ["violations"] }),
    RULES,
  );
  assert.ok(passes.length > 10, `axe has looked at ${where}`);
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(told, [], where);
}

/** Sends the form of a page as it is, whatever the browser thinks of it. */
async function send(page, button) {
  await page.getByRole("button", { name: button, exact: true }).evaluate((it) => { it.form.noValidate = true; });
  await press(page, button);
}

const AGENTS = [
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "curl/8.9.1",
];

/** A server with somebody in it. */
async function peopled(t, settings) {
  const server = await sessiond(t, settings);
  const cookie = await server.login();
  const bob = await server.user("bob@example.com", { first_name: "Bob", last_name: "Dobbs" }, cookie);
  for (const agent of AGENTS) for (const who of [ADMIN, bob]) await server.login(who, { "User-Agent": agent });
  await server.user(`${"very-long-name-of-somebody.".repeat(2)}x@example-of-a-long-domain.example.com`, {}, cookie);
  await server.user("carol@example.com", { first_name: "Carol" }, cookie);
  const me = (await server.api("GET", "/users/me", undefined, cookie)).body.id;
  await server.api("PUT", `/users/${me}`, { first_name: "Ada", last_name: "Lovelace" }, cookie);
  await server.api("DELETE", "/auth_session/logout", undefined, cookie);
  return { server, bob };
}

scenario("the login looks well and is read well in each of its states", async (t, open) => {
  const { server } = await peopled(t, { ALLOWED_REDIRECTS: "app.example.com", LOGIN_THROTTLE: "on", LOGIN_ATTEMPTS: "2" });
  const page = await open();
  await page.goto(`${server.url}/login`);
  await look(page, "login");
  await send(page, "Log in");
  await says(page, "Please enter a password.");
  await look(page, "login-missing");
  await page.goto(`${server.url}/login?return_to=${encodeURIComponent("https://app.example.com/")}`);
  await enter(page, { ...ADMIN, password: "wrong horse" });
  await says(page, "Wrong e-mail address or password.");
  await look(page, "login-wrong");
  await logIn(page, server);
  await page.goto(`${server.url}/login?return_to=${encodeURIComponent("https://app.example.com/")}`);
  await titled(page, "You are logged in");
  await look(page, "logged-in");
  await page.goto(`${server.url}/logout`);
  await look(page, "logout");
  await press(page, "Log out");
  await says(page, "You are logged out.");
  await look(page, "logged-out");
  for (let mistakes = 0; mistakes < 30 && !(await page.getByText("Please wait").isVisible()); mistakes += 1) {
    await enter(page, { ...ADMIN, password: "wrong horse" });
    await page.getByRole("alert").waitFor();
  }
  await says(page, "Please wait");
  await look(page, "login-throttled");
});

scenario("the account looks well and is read well in each of its states", async (t, open) => {
  const { server, bob } = await peopled(t);
  const page = await open();
  await logIn(page, server);
  await look(page, "account");
  await press(page, "Save name");
  await says(page, "Your name is saved.");
  await look(page, "account-saved");
  await page.getByLabel("First name").fill("x".repeat(300));
  await press(page, "Save name");
  await page.locator("#first_name-error").waitFor();
  await look(page, "account-mistake");
  await page.goto(`${server.url}/account/password`);
  await look(page, "password");
  await page.getByLabel("Current password", { exact: true }).fill("wrong horse");
  await page.getByLabel("New password", { exact: true }).fill("short");
  await press(page, "Change password");
  await page.locator(".error").first().waitFor();
  await look(page, "password-mistake");
  const other = await open();
  await logIn(other, server, bob);
  await other.goto(`${server.url}/admin`);
  await look(other, "not-for-you");
});

scenario("the administration looks well and is read well in each of its states", async (t, open) => {
  const { server, bob } = await peopled(t);
  const page = await open();
  await logIn(page, server);
  for (const [name, path] of [
    ["admin", "/admin"], ["users", "/admin/users"], ["users-none", "/admin/users?email=nobody"],
    ["users-gone", "/admin/users?after=00000000-0000-4000-8000-000000000000"], ["new-user", "/admin/users/new"],
    ["user", `/admin/users/${bob.id}`], ["set-password", `/admin/users/${bob.id}/password`],
    ["no-such-page", "/nowhere"], ["not-so", "/admin/users/new/more"],
  ]) {
    await page.goto(server.url + path);
    await look(page, name);
  }
  await page.goto(`${server.url}/admin/users/${bob.id}/password`);
  await page.getByLabel("Password", { exact: true }).fill("short");
  await press(page, "Set password");
  await page.locator("#password-error").waitFor();
  await look(page, "set-password-mistake");
  await page.goto(`${server.url}/admin/users/new`);
  await page.getByLabel("E-mail").fill("nobody");
  await send(page, "Create user");
  await page.locator(".error").first().waitFor();
  await look(page, "new-user-mistake");
  await page.getByLabel("E-mail").fill("dave@example.com");
  await page.getByLabel("Password", { exact: true }).fill("battery staple 2");
  await press(page, "Create user");
  await says(page, "can log in now.");
  await press(page, "Disable");
  await says(page, "is disabled.");
  await look(page, "user-disabled");
  await page.goto(`${server.url}/admin/users?email=${ADMIN.email}`);
  await page.getByRole("link", { name: ADMIN.email }).click();
  await says(page, "This is you.");
  await look(page, "user-myself");
  const other = await open();
  await other.goto(`${server.url}/login`);
  await enter(other, { email: "dave@example.com", password: "battery staple 2" });
  await other.getByRole("alert").waitFor();
});

scenario("what is asked for or told on the way looks well and is read well", async (t, open) => {
  const { server, bob } = await peopled(t, { REAUTH_WINDOW: "1" });
  const page = await open();
  await logIn(page, server);
  await stale(page, server, bob);
  await page.goto(`${server.url}/account`);
  await press(page, "End all other sessions");
  await titled(page, "Confirm that it is you");
  await look(page, "confirm");
  await page.getByLabel("Password", { exact: true }).fill("wrong horse");
  await press(page, "Go on");
  await says(page, "This is not the password.");
  await look(page, "confirm-mistake");
  const port = await site(t, { "/": `<form method="post" action="${server.url}/account"><button>Send</button></form>` });
  await page.goto(`http://127.0.0.1:${port}/`);
  await press(page, "Send");
  await titled(page, "This was sent by another site");
  await look(page, "other-site");
  await page.goto(`${server.url}/account`);
  await server.api("DELETE", "/users/me/sessions", { current_password: ADMIN.password }, await server.login());
  await press(page, "Save name");
  await titled(page, "You are not logged in any more");
  await look(page, "session-ended");
  await server.user("erin@example.com", { must_change: true });
  await page.goto(`${server.url}/login`);
  await enter(page, { email: "erin@example.com", password: "battery staple 2" });
  await at(page, "/account/password");
  await look(page, "must-change");
});
