// Servers of a test's own, on free ports of loopback: sessiond, and another site.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ADMIN = { email: "admin@example.com", password: "correct horse 1" };

/** The longest that a start may take, in milliseconds. */
const PATIENCE = 20_000;

/** Starts sessiond with these settings, and ends it with the test `t`. */
export async function sessiond(t, settings = {}) {
  const folder = await mkdtemp(join(tmpdir(), "sessiond-browser-"));
  const child = spawn(process.env.SESSIOND, [], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      API_HOST: "127.0.0.1", API_PORT: "0", DATA_DIR: join(folder, "data"), UNSAFE_FAST_HASH: "1",
      LOGIN_THROTTLE: "off", LOG_FORMAT: "text", ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password,
      ...settings,
    },
  });
  const ended = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  return new Server(await address(child));
}

/** Where it listens, once it is ready. */
function address(child) {
  return new Promise((resolve, reject) => {
    let log = "";
    const fail = (why) => reject(new Error(`sessiond ${why}:\n${log}`));
    const timer = setTimeout(() => fail("does not answer"), PATIENCE);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => fail(`ended with ${code}`));
    const read = (part) => {
      log += part;
      // The line "data in" comes when the first admin is made and the port answers.
      const url = log.includes(" data in ") && log.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (url) {
        clearTimeout(timer);
        resolve(url[0]);
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
  });
}

class Server {
  constructor(url) {
    this.url = url;
  }

  /** A request to the API; what it answers, read. */
  async api(method, path, body, cookie) {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { "Content-Type": "application/json", ...(cookie && { Cookie: cookie }) },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    const cookies = answer.headers.getSetCookie().map((line) => line.split(";")[0]);
    return { cookie: cookies.join("; "), body: answer.status === 204 ? null : await answer.json() };
  }

  /** Logs in at the API: the cookie. */
  async login(who = ADMIN) {
    const { email, password } = who;
    return (await this.api("POST", "/auth_session/login", { email, password })).cookie;
  }

  /** Makes a user, and gives back who it is. */
  async user(email, more = {}, cookie = undefined) {
    const password = "battery staple 2";
    cookie ??= await this.login();
    const { body } = await this.api("POST", "/users", { email, password, ...more }, cookie);
    return { id: body.id, email, password };
  }
}

/** Another site, whose pages are these, by path; the rest is a greeting. It ends with the test `t`. */
export async function site(t, pages = {}) {
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><title>Another site</title>${pages[request.url] ?? "<h1>Hello</h1>"}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return server.address().port;
}
