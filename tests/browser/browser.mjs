// Chromium, and what every page of it must keep to.
import assert from "node:assert/strict";
import { test } from "node:test";

import { chromium } from "playwright-core";

import { ADMIN } from "./server.mjs";

const LAUNCH = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  // Its sandbox does not work for root; it sees no other pages than ours.
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
};

/** The longest that a page may take for anything, in milliseconds. */
const PATIENCE = 15_000;

let shared;

/** A case; it is given what it needs to open browsers. */
export function scenario(sentence, steps) {
  test(sentence, { timeout: 240_000 }, async (t) => {
    shared ??= await chromium.launch(LAUNCH);
    const watch = new Watch();
    await steps(t, (options) => fresh(t, watch, options));
    assert.deepEqual(watch.complaints, [], "complaints of the browser");
  });
}

test.after(async () => {
  await shared?.close();
});

/** A browser of somebody else, with nothing in it. Gives a page of it. */
async function fresh(t, watch, options = {}) {
  const { folder, ...rest } = options;
  const context = folder
    ? await chromium.launchPersistentContext(folder, { ...LAUNCH, ...rest })
    : await shared.newContext(rest);
  t.after(() => context.close());
  context.setDefaultTimeout(PATIENCE);
  watch.over(context);
  return context.pages()[0] ?? (await context.newPage());
}

/** Takes down what a browser complains of: whatever it will not load or run, and what is thrown. */
class Watch {
  complaints = [];

  over(context) {
    context.on("console", (message) => {
      // That an answer has a status of its own is no complaint of ours.
      const told = message.text();
      if (message.type() === "error" && !told.startsWith("Failed to load resource: the server responded")) {
        this.complaints.push(told);
      }
    });
    context.on("weberror", (error) => this.complaints.push(String(error.error())));
    context.on("requestfailed", (request) => {
      const why = request.failure()?.errorText;
      if (why !== "net::ERR_ABORTED") this.complaints.push(`${request.url()}: ${why}`);
    });
  }
}

/** Fills the form of the login and sends it. */
export async function enter(page, { email, password }, remember = false) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  if (remember) await page.getByLabel("Keep me logged in").check();
  await press(page, "Log in");
}

/** Logs in, and is at the account. */
export async function logIn(page, server, who = ADMIN, remember = false) {
  await page.goto(`${server.url}/login`);
  await enter(page, who, remember);
  await at(page, /\/account(\/password)?$/);
}

export const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

export const follow = (page, name) => page.getByRole("link", { name, exact: true }).click();

/** Waits until the page is at this address: a whole one, a path, or a pattern. */
export async function at(page, where) {
  const is = typeof where === "string" ? (url) => [url.href, url.pathname + url.search].includes(where) : where;
  await page.waitForURL(is).catch((error) => {
    throw new Error(`${page.url()} instead of ${where}: ${error.message}`);
  });
}

/** Waits until the page says this. */
export const says = (page, text) => page.getByText(text).first().waitFor();

/** Waits until the title of the page is this. */
export const titled = (page, text) => page.getByRole("heading", { level: 1, name: text, exact: true }).waitFor();

/** Gives the password once more where it is asked for, and is then where it leads. */
export async function confirm(page, password = ADMIN.password) {
  await titled(page, "Confirm that it is you");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await press(page, "Go on");
}

/** Waits until the login of this admin counts as fresh no more. Of this user he may then set no password. */
export async function stale(page, server, user) {
  for (;;) {
    const to = await page.request.get(`${server.url}/admin/users/${user.id}/password`, { maxRedirects: 0 });
    if (to.headers().location === "/login/confirm") return;
    await page.waitForTimeout(50);
  }
}
