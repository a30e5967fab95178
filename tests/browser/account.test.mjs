// One's own account.
import assert from "node:assert/strict";

import { at, confirm, enter, follow, logIn, press, says, scenario, stale, titled } from "./browser.mjs";
import { ADMIN, sessiond } from "./server.mjs";

const NEW = { email: ADMIN.email, password: "a quite other horse 3" };

/** Fills the form on which one's own password is changed, and sends it. */
async function change(page, current, next) {
  await page.getByLabel("Current password", { exact: true }).fill(current);
  await page.getByLabel("New password", { exact: true }).fill(next);
  await press(page, "Change password");
}

/** What happens to who asks for the account and is logged in no more. */
async function isOut(page, server) {
  await page.goto(`${server.url}/account`);
  await at(page, "/login?return_to=%2Faccount");
}

scenario("a name is saved, and one that cannot be is told at its field and stays as typed", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await logIn(page, server);
  await page.getByLabel("First name").fill("Ada");
  await page.getByLabel("Last name").fill("Lovelace");
  await press(page, "Save name");
  await says(page, "Your name is saved.");
  await says(page.locator(".who"), "Ada Lovelace");
  // Told once.
  await page.reload();
  assert.equal(await page.getByText("Your name is saved.").count(), 0);
  const long = "x".repeat(2000);
  await page.getByLabel("First name").fill(long);
  await press(page, "Save name");
  await page.locator("#first_name-error").waitFor();
  assert.equal(await page.getByLabel("First name").getAttribute("aria-invalid"), "true");
  assert.equal(await page.getByLabel("First name").inputValue(), long);
});

scenario("with a changed password the other browser is out, and only the new one lets in", async (t, open) => {
  const server = await sessiond(t);
  const [page, other] = [await open(), await open()];
  await logIn(page, server);
  await logIn(other, server);
  await follow(page, "Change password");
  await says(page, "At least");
  await change(page, "not the password", NEW.password);
  await says(page.locator("#current_password-error"), "This is not the password.");
  await change(page, ADMIN.password, "short");
  await says(page.locator("#new_password-error"), "Too short");
  for (const label of ["Current password", "New password"]) {
    assert.equal(await page.getByLabel(label, { exact: true }).inputValue(), "");
  }
  await change(page, ADMIN.password, NEW.password);
  await at(page, "/account");
  await says(page, "Your password is changed.");
  await isOut(other, server);
  await enter(other, ADMIN);
  await says(other, "Wrong e-mail address or password.");
  await enter(other, NEW);
  await at(other, "/account");
  await page.reload();
  await titled(page, "My account");
});

scenario("a session is ended from another browser, and all others at once", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  const phone = await open({ userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1" });
  const third = await open();
  for (const each of [phone, third, page]) await logIn(each, server);
  const rows = page.getByRole("table").locator("tbody tr");
  assert.equal(await rows.count(), 3);
  await says(rows.first(), "This session");
  await rows.filter({ hasText: "iPhone" }).getByRole("button").click();
  await says(page, "The session has ended.");
  assert.equal(await rows.count(), 2);
  await isOut(phone, server);
  await third.reload();
  await titled(third, "My account");
  await press(page, "End all other sessions");
  await says(page, "All other sessions have ended.");
  assert.equal(await rows.count(), 1);
  assert.equal(await page.getByRole("button", { name: "End all other sessions" }).count(), 0);
  await isOut(third, server);
});

scenario("times are told from now, and exactly to who points at them", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await logIn(page, server);
  const time = page.locator("tbody time").first();
  assert.equal(await time.textContent(), "just now");
  assert.match(await time.getAttribute("title"), /^\d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d:\d\d UTC$/);
});

scenario("a login of some time ago is asked for the password, and then the others end as asked", async (t, open) => {
  const server = await sessiond(t, { REAUTH_WINDOW: "1" });
  const user = await server.user("bob@example.com");
  const [page, other] = [await open(), await open()];
  await logIn(other, server);
  await logIn(page, server);
  await stale(page, server, user);
  await press(page, "End all other sessions");
  await at(page, "/login/confirm");
  await says(page, "end all other sessions");
  await confirm(page, "not the password");
  await says(page.locator("#password-error"), "This is not the password.");
  await confirm(page);
  await at(page, "/account");
  await says(page, "All other sessions have ended.");
  await isOut(other, server);
  // Done once: the way back leads to nothing that could be done again.
  await page.goto(`${server.url}/login/confirm`);
  await says(page, "There is nothing left to confirm");
});

scenario("who does not go on after being asked for the password has done nothing", async (t, open) => {
  const server = await sessiond(t, { REAUTH_WINDOW: "1" });
  const user = await server.user("bob@example.com");
  const [page, other] = [await open(), await open()];
  await logIn(other, server);
  await logIn(page, server);
  await stale(page, server, user);
  await press(page, "End all other sessions");
  await titled(page, "Confirm that it is you");
  await follow(page, "Cancel");
  await at(page, "/account");
  await other.reload();
  await titled(other, "My account");
});
