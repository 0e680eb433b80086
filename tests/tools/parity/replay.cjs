// Resolves cases with the npm package: each comes as a line of standard input, what came of it goes out as a line of JSON.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const path = require("node:path");
const readline = require("node:readline");
const { createRequire, syncBuiltinESMExports } = require("node:module");

const load = createRequire(path.join(process.argv[2], "package.json"));
let sdk, port;
const LOCAL = /^(127\..*|localhost|\[?::1\]?)$/;
// The agents of containers have no name that a region could be read from.
const AGENT = /^169\.254\./;

// Every request goes to the loopback server, which is told whom it was for.
const plain = http.request;
const redirected = (options, ...rest) => {
  const host = options.hostname ?? options.host ?? "localhost";
  if (LOCAL.test(host)) return plain(options, ...rest);
  const { agent, hostname, protocol, ...others } = options;
  const headers = { ...options.headers, ...(AGENT.test(host) ? {} : { "X-Parity-Host": host }) };
  return plain({ ...others, host: "127.0.0.1", port: Number(port), headers }, ...rest);
};
http.request = redirected;
https.request = redirected;
syncBuiltinESMExports();

// Chance puts off retries, and the expiry of an instance's keys.
Math.random = () => 0.4;

// What a rejection that nobody waits for does to a process is not the subject.
process.on("unhandledRejection", () => {});
for (const name of ["log", "warn", "error", "info", "debug"]) console[name] = () => {};
process.emitWarning = () => {};

const EXPORTS = {
  from_sso: "fromSSO",
  from_default_chain: "fromNodeProviderChain",
};
const SETTINGS = { region_name: "region", endpoint_url: "endpoint" };
// Names of users and services, which are no options.
const VERBATIM = new Set(["params", "cache"]);

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

// A case says what a function does, because data holds no functions.
function callable(said, isAsync) {
  const call = () => {
    if ("raises" in said) {
      const extra = "try_next_link" in said ? { tryNextLink: said.try_next_link } : {};
      throw Object.assign(new Error(said.raises), extra);
    }
    return said.returns === "nothing" ? undefined : revived(said.returns);
  };
  return isAsync ? async () => call() : call;
}

// Times are text in a case.
function revived(value) {
  if (value && typeof value === "object" && "expiration" in value) {
    return { ...value, expiration: new Date(value.expiration) };
  }
  return value;
}

function cacheOf(content) {
  const kept = new Map(Object.entries(content));
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

function option(name, value) {
  if (name === "cache") return cacheOf(value);
  if (VERBATIM.has(name)) return value;
  if (name === "timeout") return value * 1000;
  if (name === "client_config") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [SETTINGS[key], one]));
  }
  if (name === "logins") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, given(one)]));
  }
  return given(value);
}

function given(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  if ("provider" in value) return build(value);
  if ("returns" in value || "raises" in value) return callable(value, true);
  return revived(value);
}

function build(described) {
  const make = sdk[EXPORTS[described.provider] ?? camel(described.provider)];
  const { links, expire_after: after, ...rest } = described.options ?? {};
  if (links !== undefined || described.provider === "create_credential_chain") {
    const chain = make(...(links ?? []).map(given));
    return after === undefined ? chain : chain.expireAfter(after * 1000);
  }
  const entries = Object.entries(rest).map(([name, value]) => [camel(name), option(name, value)]);
  return make(...(entries.length ? [Object.fromEntries(entries)] : []));
}

function time(date) {
  return Number.isNaN(date.getTime()) ? "no time" : date.toISOString().replace(".000Z", "Z");
}

function keys(found) {
  return {
    access_key: found.accessKeyId,
    secret_key: found.secretAccessKey,
    token: found.sessionToken,
    expiration: found.expiration && time(found.expiration),
    account_id: found.accountId,
    identity_id: found.identityId,
    credential_scope: found.credentialScope,
  };
}

const OURS = /^(ProviderError|CredentialsProviderError|TokenProviderError|InstanceMetadataV1FallbackError)$/;

function failure(error) {
  const kind = error.$fault ? "service" : OURS.test(error.name) ? "provider" : "other";
  return {
    kind,
    code: kind === "service" ? error.name : undefined,
    try_next_link: Boolean(error.tryNextLink),
    name: error.name,
    message: String(error.message),
  };
}

// Each case has its own variables and server, and modules that remember nothing of the case before.
async function replay(described, environment) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
  for (const name of Object.keys(require.cache)) delete require.cache[name];
  sdk = load("@aws-sdk/credential-providers");
  const outcomes = [];
  const caller = {};
  if (described.client_region) caller.region = async () => described.client_region;
  if (described.client_profile) caller.profile = described.client_profile;
  const args = Object.keys(caller).length ? { callerClientConfig: caller } : {};
  let provider;
  for (let call = 0; call < (described.calls ?? 1); call++) {
    try {
      provider ??= build(described);
      const found = await provider(call ? { ...args, forceRefresh: true } : args);
      outcomes.push({ keys: keys(found) });
    } catch (error) {
      outcomes.push({ error: failure(error) });
    }
  }
  return outcomes;
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const hangs = setTimeout(() => process.exit(1), 60_000);
    const described = JSON.parse(line);
    port = described.port;
    fs.writeSync(1, `${JSON.stringify(await replay(described.case, described.environment))}\n`);
    clearTimeout(hangs);
  }
  process.exit(0);
}

main();
