// Login and logout.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { at, enter, follow, logIn, press, says, scenario, titled } from "./browser.mjs";
import { ADMIN, sessiond, site } from "./server.mjs";

scenario("a wrong password is told in words, and the address stays; the right one leads to the account", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await page.goto(`${server.url}/login`);
  await enter(page, { ...ADMIN, password: "wrong horse" });
  await says(page.getByRole("alert"), "Wrong e-mail address or password.");
  assert.equal(await page.getByLabel("E-mail").inputValue(), ADMIN.email);
  assert.equal(await page.getByLabel("Password", { exact: true }).inputValue(), "");
  await enter(page, ADMIN);
  await at(page, "/account");
  await titled(page, "My account");
});

scenario("what is missing is told at its field, by the browser and by the page", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await page.goto(`${server.url}/login`);
  await press(page, "Log in");
  assert.ok(await page.getByLabel("E-mail").evaluate((field) => field.matches(":invalid:focus")));
  // What the page says to browsers that do not look.
  await page.locator("form").evaluate((form) => { form.noValidate = true; });
  await press(page, "Log in");
  for (const [label, text] of [["E-mail", "Please enter an e-mail address."], ["Password", "Please enter a password."]]) {
    const field = page.getByLabel(label, { exact: true });
    await says(page, text);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    const described = (await field.getAttribute("aria-describedby")).trim();
    assert.equal(await page.locator(`#${described}`).textContent(), text);
  }
});

scenario("who is remembered is so after a restart of the browser, and nobody else is", async (t, open) => {
  const server = await sessiond(t);
  for (const [remember, landing] of [[true, "/account"], [false, "/login?return_to=%2Faccount"]]) {
    const folder = await mkdtemp(join(tmpdir(), "sessiond-browser-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const before = await open({ folder });
    await logIn(before, server, ADMIN, remember);
    await before.context().close();
    const after = await open({ folder });
    await after.goto(`${server.url}/account`);
    await at(after, landing);
    await after.context().close();
  }
});

scenario("the cookies are closed to scripts and other sites, and that of the pages ends with the browser", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await page.goto(`${server.url}/login?return_to=/admin`);
  await enter(page, ADMIN, true);
  await at(page, "/admin");
  // Something to tell is kept until it is told.
  await page.request.post(`${server.url}/account`, { form: { first_name: "Ada" }, maxRedirects: 0 });
  const cookies = await page.context().cookies();
  assert.deepEqual(cookies.map((cookie) => cookie.name).sort(), ["_my_session_id", "sessiond_pages"]);
  for (const { name, httpOnly, sameSite, expires } of cookies) {
    assert.ok(httpOnly, name);
    assert.equal(sameSite, "Lax", name);
    assert.equal(expires === -1, name === "sessiond_pages", name);
  }
  assert.equal(await page.evaluate(() => document.cookie), "");
});

scenario("a login leads back to an allowed place of another origin", async (t, open) => {
  const port = await site(t);
  const server = await sessiond(t, { ALLOWED_REDIRECTS: `localhost:${port}` });
  const target = `http://localhost:${port}/reports?week=7`;
  const page = await open();
  await page.goto(`${server.url}/login?return_to=${encodeURIComponent(target)}`);
  await says(page, `localhost:${port}`);
  // By a detour over a mistake.
  await enter(page, { ...ADMIN, password: "wrong horse" });
  await says(page, "Wrong e-mail address or password.");
  await enter(page, ADMIN);
  await at(page, target);
  await titled(page, "Hello");
  // Who is logged in already is told so, and goes on.
  await page.goto(`${server.url}/login?return_to=${encodeURIComponent(target)}`);
  await titled(page, "You are logged in");
  await follow(page, `Go on to localhost:${port}`);
  await at(page, target);
});

scenario("a hostile place to go back to leads to the account", async (t, open) => {
  const port = await site(t);
  const server = await sessiond(t, { ALLOWED_REDIRECTS: "app.example.com" });
  const page = await open();
  for (const target of [
    `http://localhost:${port}/`, `//localhost:${port}/`, `/\\localhost:${port}/`, `/\t/localhost:${port}/`,
    `http://app.example.com@localhost:${port}/`, `http://app.example.com.localhost:${port}/`, "javascript:alert(1)",
  ]) {
    await page.goto(`${server.url}/login?return_to=${encodeURIComponent(target)}`);
    await enter(page, ADMIN);
    await at(page, `${server.url}/account`);
    await press(page, "Log out");
    await at(page, "/login");
    await says(page, "You are logged out.");
  }
});

scenario("who is sent to log in comes back to what was asked for", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  for (const path of ["/account", "/admin/users?email=ad"]) {
    await page.goto(server.url + path);
    await at(page, `/login?return_to=${encodeURIComponent(path)}`);
    await enter(page, ADMIN);
    await at(page, path);
    await press(page, "Log out");
    await at(page, "/login");
  }
});

scenario("too many attempts are told kindly, with how long to wait", async (t, open) => {
  const server = await sessiond(t, { LOGIN_THROTTLE: "on", LOGIN_ATTEMPTS: "1" });
  const page = await open();
  await page.goto(`${server.url}/login`);
  for (let mistakes = 0; mistakes < 30; mistakes += 1) {
    await enter(page, { ...ADMIN, password: "wrong horse" });
    await says(page, /Wrong e-mail address or password\.|Please wait/);
    if (await page.getByText("Please wait").isVisible()) break;
  }
  await says(page.getByRole("alert"), /^Too many wrong attempts\. Please wait .*(second|minute)s?, and try again\.$/);
  assert.equal(await page.getByLabel("E-mail").inputValue(), ADMIN.email);
});

scenario("a password is shown to who asks to see it, and hidden before it is sent", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await page.goto(`${server.url}/login`);
  const field = page.locator("#password");
  await field.fill("wrong horse");
  assert.equal(await field.getAttribute("type"), "password");
  await press(page, "Show password");
  assert.equal(await field.getAttribute("type"), "text");
  await press(page, "Hide password");
  assert.equal(await field.getAttribute("type"), "password");
  await press(page, "Show password");
  // The page goes nowhere, so that what is left of it can be looked at.
  await page.locator("form").evaluate((form) => form.addEventListener("submit", (event) => event.preventDefault()));
  await page.getByLabel("E-mail").fill(ADMIN.email);
  await press(page, "Log in");
  assert.equal(await field.getAttribute("type"), "password");
});
