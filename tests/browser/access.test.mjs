// Without a script, and without a mouse.
import assert from "node:assert/strict";

import { at, confirm, enter, follow, logIn, press, says, scenario, stale, titled } from "./browser.mjs";
import { ADMIN, sessiond } from "./server.mjs";

scenario("everything works without JavaScript", async (t, open) => {
  const server = await sessiond(t, { REAUTH_WINDOW: "2" });
  const [page, other] = [await open({ javaScriptEnabled: false }), await open()];
  await logIn(other, server);
  await page.goto(`${server.url}/account`);
  await enter(page, { ...ADMIN, password: "wrong horse" });
  await says(page, "Wrong e-mail address or password.");
  await enter(page, ADMIN, true);
  await at(page, "/account");
  assert.equal(await page.getByRole("button", { name: "Show password" }).count(), 0);

  await page.getByLabel("First name").fill("Ada");
  await press(page, "Save name");
  await says(page, "Your name is saved.");
  await page.getByRole("button", { name: /^End: / }).click();
  await says(page, "The session has ended.");
  await other.reload();
  await at(other, "/login?return_to=%2Faccount");

  await follow(page, "Administration");
  await follow(page, "New user");
  await page.getByLabel("E-mail").fill("bob@example.com");
  await page.getByLabel("Password", { exact: true }).fill("battery staple 2");
  await page.getByLabel("Must change it at the first login").uncheck();
  await press(page, "Create user");
  await says(page, "bob@example.com can log in now.");
  const bob = { id: page.url().split("/").at(-1), email: "bob@example.com", password: "battery staple 2" };
  await logIn(other, server, bob);
  await stale(page, server, bob);
  await page.reload();
  await press(page, "End all sessions");
  await confirm(page);
  await says(page, "All sessions of bob@example.com have ended.");
  await press(page, "Disable");
  await says(page, "bob@example.com is disabled.");
  await press(page, "Enable");
  await says(page, "bob@example.com can log in again.");
  await page.getByRole("link", { name: "Users", exact: true }).click();
  await page.getByLabel("Search by e-mail").fill("bob");
  await press(page, "Search");
  await follow(page, bob.email);

  await follow(page, "My account");
  await follow(page, "Change password");
  await page.getByLabel("Current password", { exact: true }).fill(ADMIN.password);
  await page.getByLabel("New password", { exact: true }).fill("a quite other horse 3");
  await press(page, "Change password");
  await says(page, "Your password is changed.");
  await press(page, "Log out");
  await says(page, "You are logged out.");
});

/** What Tab comes to, once around the page: where each stands, and whether its focus can be seen. */
async function tour(page) {
  const seen = [];
  for (let steps = 0; steps < 60; steps += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate((controls) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      const visible = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
      return { at: [...document.querySelectorAll(controls)].indexOf(document.activeElement), visible };
    }, CONTROLS);
    if (stop.at === -1) continue;
    if (seen.some((before) => before.at === stop.at)) return seen;
    seen.push(stop);
  }
  throw new Error("Tab does not come around");
}

const CONTROLS = "a[href], button, select, input:not([hidden])";

scenario("Tab comes to every control in the order of the page, and is seen where it is", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  const check = async () => {
    const stops = await tour(page);
    const places = stops.map((stop) => stop.at);
    const first = places.indexOf(0);
    const inOrder = [...places.slice(first), ...places.slice(0, first)];
    const all = await page.locator(CONTROLS).count();
    assert.deepEqual(inOrder, [...Array(all).keys()], page.url());
    assert.ok(stops.every((stop) => stop.visible), `${page.url()}: ${JSON.stringify(stops)}`);
  };
  await page.goto(`${server.url}/login`);
  await check();
  await server.login();
  await logIn(page, server);
  await check();
  await page.goto(`${server.url}/admin/users/new`);
  await check();
});

scenario("the keyboard alone logs in, skips to the content and logs out", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await page.goto(`${server.url}/login`);
  // The cursor stands in the first field.
  await page.keyboard.type(ADMIN.email);
  await page.keyboard.press("Tab");
  await page.keyboard.type(ADMIN.password);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  assert.ok(await page.getByLabel("Keep me logged in").isChecked());
  await page.keyboard.press("Enter");
  await at(page, "/account");
  await titled(page, "My account");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  assert.ok(await page.getByText("Skip to the content").evaluate((link) => link.getBoundingClientRect().left >= 0));
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.ok(await page.getByLabel("First name").evaluate((field) => field === document.activeElement));
});
