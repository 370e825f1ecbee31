// Slack's Web API for tests: the npm package `emulate` behind a small proxy that makes it as strict as Slack.
//
//   node slack_standin.mjs EMULATE_DIST SEED_JSON
//
// Prints one line of JSON, {"url": ...}, when ready, and ends when its standard input is closed, so that it
// never outlives the tests. Loopback only. What the proxy adds:
//   - GET and query arguments become the form post that `emulate` understands;
//   - unknown tokens and unknown methods are refused as Slack refuses them, metadata is shown only on request;
//   - POST /_control/fault   {method, times, status, retry_after, error, delay, drop, after} goes wrong on purpose:
//                            `delay` in ms, `drop` cuts the connection, `after` lets Slack do the work first;
//   - POST /_control/chaos   {seed, limited, broken, dropped} shares of all calls that are answered with 429 or 503,
//                            or cut off, half of those after Slack did the work; GET /_control/harm counts them;
//   - POST /_control/events  {url} sends the workspace's events there, signed;
//   - POST /_control/socket  {url, token} hands that url to whoever asks for a socket with that token;
//   - GET  /_control/state   what the workspace holds;  GET /_control/calls  every call, with its arguments;
//   - POST /response/ANY     takes what an app sends to a response_url; GET /_control/responses shows it;
//   - POST /_control/user    {user, ...} changes how a user is shown: is_restricted, tz, deleted;
//   - POST /_control/channel {channel, ...} changes how a channel is shown: is_private;
//   - POST /_control/reset   forgets everything.
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [dist, seedPath] = process.argv.slice(2);
const seed = JSON.parse(readFileSync(seedPath, "utf8"));
// `emulate` takes no more than 5,000 calls with one token, which Slack does not know: a fresh one takes over before.
const MOST_CALLS = 3000;
let served = 0;
let { workspace, upstream, reset, close } = await startWorkspace();
const faults = [];
const calls = [];
const responses = [];
const shownAs = new Map();
const harm = { limited: 0, broken: 0, dropped: 0, unheard: 0 };
let chaos = null;
let socket = null;

async function startWorkspace() {
  const name = readdirSync(dist).find(
    (file) => file.endsWith(".js") && /export \{[^}]*\bslackPlugin\b[^}]*\}/.test(readFileSync(join(dist, file), "utf8")),
  );
  if (!name) throw new Error(`no Slack service in ${dist}`);
  const service = await import(pathToFileURL(join(dist, name)));
  const { createEmulator } = await import(pathToFileURL(join(dist, "api.js")));
  let context;
  const register = service.slackPlugin.register;
  service.slackPlugin.register = (app, store, webhooks, ...rest) => {
    context = { store, webhooks };
    return register(app, store, webhooks, ...rest);
  };
  const emulator = await createEmulator({ service: "slack", port: 0, hostname: "127.0.0.1", seed: { slack: seed } });
  const port = new URL(emulator.url).port;
  return {
    workspace: { slack: service.getSlackStore(context.store), webhooks: context.webhooks },
    upstream: `http://127.0.0.1:${port}`,
    reset: () => emulator.reset(),
    close: () => emulator.close(),
  };
}

const startAfresh = async () => {
  if (served < MOST_CALLS) return reset();
  await close();
  served = 0;
  ({ workspace, upstream, reset, close } = await startWorkspace());
};

const bodyOf = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const answer = (response, content, status = 200, headers = {}) => {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(content));
};

const argumentsOf = (url, request, body) => {
  const given = Object.fromEntries(url.searchParams);
  if (request.method === "GET") return given;
  const text = body.toString("utf8");
  const type = request.headers["content-type"] ?? "";
  if (type.includes("json")) return { ...given, ...JSON.parse(text || "{}") };
  return type.includes("urlencoded") ? { ...given, ...Object.fromEntries(new URLSearchParams(text)) } : given;
};

const control = {
  fault: (content) => (faults.push({ times: 1, ...content }), { ok: true }),
  chaos: (content) => ((chaos = { ...content, random: seeded(content.seed) }), { ok: true }),
  harm: () => harm,
  events: (content) => workspace.webhooks.register({ url: content.url, events: ["*"], active: true, owner: "slack" }),
  socket: (content) => ((socket = content), { ok: true }),
  calls: () => calls,
  responses: () => responses,
  user: ({ user, ...changes }) => (shownAs.set(user, changes), { ok: true }),
  channel: ({ channel, ...changes }) => (shownAs.set(channel, changes), { ok: true }),
  reset: async () => (await startAfresh(), (chaos = socket = null), Object.keys(harm).forEach((kind) => (harm[kind] = 0)), (faults.length = calls.length = responses.length = 0), shownAs.clear(), { ok: true }),
  state: () => {
    const kinds = ["messages", "ephemeralMessages", "views", "files", "channels", "users"];
    return Object.fromEntries(kinds.map((kind) => [kind, workspace.slack[kind].all()]));
  },
};

const isKnown = (token) =>
  seed.tokens.some((known) => known.token === token) || Boolean(workspace.slack.tokens.findOneBy("token", token));

// Numbers from 0 to 1, always the same for a seed: a linear congruential generator (Numerical Recipes).
const seeded = (seed) => () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;

const mishap = (method) => {
  const drawn = chaos.random();
  const { limited = 0, broken = 0, dropped = 0 } = chaos;
  if (drawn < limited) return (harm.limited += 1), { status: 429 };
  if (drawn < limited + broken) return (harm.broken += 1), { status: 503 };
  if (drawn >= limited + broken + dropped) return undefined;
  const after = chaos.random() < 0.5;
  harm.dropped += 1;
  if (after && method === "chat.postMessage") harm.unheard += 1;
  return { drop: true, after };
};

const faultFor = (method) => {
  if (chaos) return mishap(method);
  const fault = faults.find((one) => one.times > 0 && (one.method === method || one.method === "*"));
  if (fault) fault.times -= 1;
  return fault;
};

const goWrong = async (fault, response) => {
  if (fault.delay) await new Promise((resume) => setTimeout(resume, fault.delay));
  if (fault.drop) return response.destroy(), true;
  if (fault.status === 429) {
    return answer(response, { ok: false, error: "ratelimited" }, 429, { "retry-after": String(fault.retry_after ?? 1) }), true;
  }
  if (fault.status) return answer(response, { ok: false, error: "internal_error" }, fault.status), true;
  if (fault.error) return answer(response, { ok: false, error: fault.error }), true;
  return false;
};

const withoutMetadata = (content) => {
  for (const message of content.messages ?? []) delete message.metadata;
  return content;
};

async function callMethod(method, request, url, body, response) {
  const args = argumentsOf(url, request, body);
  calls.push({ method, args, at: Date.now() / 1000 });
  const fault = faultFor(method);
  if (fault && !fault.after && (await goWrong(fault, response))) return;
  const token = (request.headers.authorization ?? "").replace(/^Bearer\s+/i, "").trim();
  if (!token) return answer(response, { ok: false, error: "not_authed" });
  if (socket && method === "apps.connections.open") {
    return answer(response, token === socket.token ? { ok: true, url: socket.url } : { ok: false, error: "invalid_auth" });
  }
  if (!/^Basic\s/i.test(token) && !isKnown(token)) return answer(response, { ok: false, error: "invalid_auth" });
  const flat = Object.entries(args).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
  served += 1;
  const result = await fetch(`${upstream}/api/${method}`, {
    method: "POST",
    headers: { authorization: request.headers.authorization, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(flat),
  });
  if (result.status === 404) return answer(response, { ok: false, error: "unknown_method", req_method: method });
  let content = await result.json();
  if (!["true", "1"].includes(String(args.include_all_metadata).toLowerCase())) content = withoutMetadata(content);
  for (const one of [content.user, content.channel, ...(content.members ?? [])])
    if (one?.id) Object.assign(one, shownAs.get(one.id));
  if (fault && fault.after && (await goWrong(fault, response))) return;
  const granted = seed.tokens.find((one) => one.token === token)?.scopes;
  answer(response, content, result.status, granted ? { "x-oauth-scopes": granted.join(",") } : {});
}

async function passOn(request, url, body, response) {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([key]) => !["host", "content-length"].includes(key)));
  const given = request.method === "GET" ? undefined : body;
  const result = await fetch(upstream + url.pathname + url.search, { method: request.method, headers, body: given });
  response.writeHead(result.status, { "content-type": result.headers.get("content-type") ?? "text/plain" });
  response.end(Buffer.from(await result.arrayBuffer()));
}

const server = createServer(async (request, response) => {
  try {
    const url = new URL(request.url, "http://127.0.0.1");
    const body = await bodyOf(request);
    const [, area, name] = url.pathname.split("/");
    if (area === "_control") answer(response, await control[name](body.length ? JSON.parse(body) : {}));
    else if (area === "response") responses.push({ url: url.pathname, ...JSON.parse(body) }), answer(response, { ok: true });
    else if (area === "api") await callMethod(name, request, url, body, response);
    else await passOn(request, url, body, response);
  } catch (error) {
    answer(response, { ok: false, error: String(error) }, 500);
  }
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
