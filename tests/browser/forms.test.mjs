// What is sent from elsewhere, twice, or too late; and what is not there.
import assert from "node:assert/strict";

import { at, follow, logIn, press, says, scenario, titled } from "./browser.mjs";
import { sessiond, site } from "./server.mjs";

scenario("a form of another origin does nothing, and its page says what to do", async (t, open) => {
  const server = await sessiond(t);
  const form = (path) => `<form method="post" action="${server.url}${path}"><input name="first_name" value="Eve"><button>Send</button></form>`;
  // The same host at another port is the same site: the session comes along.
  const port = await site(t, { "/account": form("/account"), "/logout": form("/logout"), "/login": form("/login") });
  const page = await open();
  await logIn(page, server);
  for (const path of ["/account", "/logout", "/login"]) {
    await page.goto(`http://127.0.0.1:${port}${path}`);
    await press(page, "Send");
    await titled(page, "This was sent by another site");
    await follow(page, "Open the page");
    await at(page, path);
  }
  await page.goto(`${server.url}/account`);
  assert.equal(await page.getByLabel("First name").inputValue(), "");
});

scenario("a form that is sent again after going back does no harm", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await logIn(page, server);
  await page.goto(`${server.url}/admin/users/new`);
  const send = async () => {
    await page.getByLabel("E-mail").fill("bob@example.com");
    await page.getByLabel("Password", { exact: true }).fill("battery staple 2");
    await press(page, "Create user");
  };
  await send();
  await says(page, "bob@example.com can log in now.");
  // What is loaded again is the page that it led to.
  await page.reload();
  assert.equal(await page.getByText("can log in now").count(), 0);
  await page.goBack();
  await send();
  await says(page, "Another user has this e-mail address.");

  await server.login();
  await page.goto(`${server.url}/account`);
  const other = await page.context().newPage();
  await other.goto(`${server.url}/account`);
  for (const each of [page, other]) {
    await each.getByRole("button", { name: /^End: / }).first().click();
  }
  await says(other, "This session had ended already.");
  assert.equal(await page.getByText("The session has ended.").count(), 1);
});

scenario("a form that is sent after the session has ended says so, and leads to where it goes on", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await logIn(page, server);
  await page.getByLabel("First name").fill("Ada");
  await server.api("DELETE", "/users/me/sessions", { current_password: "correct horse 1" }, await server.login());
  await press(page, "Save name");
  await titled(page, "You are not logged in any more");
  await follow(page, "Log in");
  await page.getByLabel("Password", { exact: true }).waitFor();
  // A logout finds nothing left to do.
  await logIn(page, server);
  await server.api("DELETE", "/users/me/sessions", { current_password: "correct horse 1" }, await server.login());
  await press(page, "Log out");
  await at(page, "/login");
  await says(page, "You are logged out.");
});

scenario("an unknown page says so, and leads back", async (t, open) => {
  const server = await sessiond(t);
  const page = await open();
  await logIn(page, server);
  for (const path of ["/nowhere", "/account/nowhere", "/admin/users/nobody", "/login/nowhere"]) {
    const answer = await page.goto(server.url + path);
    assert.equal(answer.status(), 404, path);
    await titled(page, "There is no such page");
    await page.getByRole("main").getByRole("link", { name: "My account" }).click();
    await titled(page, "My account");
  }
  // Who looks what is here at all finds his account.
  await page.goto(`${server.url}/`);
  await titled(page, "My account");
});
