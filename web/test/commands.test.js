import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { accountCommands } from "../app/src/commands/account.js";
import { messageCommands } from "../app/src/commands/messages.js";
import { syncCommands } from "../app/src/commands/sync.js";
import { ChatError, offline } from "../app/src/errors.js";
import { ClientStorage } from "../app/src/storage.js";
import { Store } from "../app/src/store.js";
import { ada, joinAck, message, SESSION_ID } from "./factories.js";

test("messages of a session leave one by one, in the order written", async () => {
  const { store, messages, sent } = room(async (_name, payload) => acked(payload, sent.length));
  messages.send(SESSION_ID, "one");
  messages.send(SESSION_ID, "two");
  await settle();
  assert.deepEqual(sent.map(({ text }) => text), ["one", "two"]);
  assert.deepEqual(store.state.outbox, []);
});

test("a message that could not leave waits, and goes with the same id on the next connect", async () => {
  let up = false;
  const { store, messages, sent } = room(async (_name, payload) => {
    if (!up) throw offline();
    return acked(payload, 1);
  });
  messages.send(SESSION_ID, "patient");
  await settle();
  assert.equal(store.state.outbox[0].state, "pending");
  up = true;
  messages.flushAll();
  await settle();
  assert.deepEqual(store.state.outbox, []);
  assert.equal(new Set(sent.map(({ client_message_id }) => client_message_id)).size, 1);
});

test("a refused message fails alone, the ones behind it still go", async () => {
  const { store, messages, sent } = room(async (_name, payload) => {
    if (payload.text === "bad") throw new ChatError({ code: "text_too_long", message: "", retryable: false });
    return acked(payload, 1);
  });
  messages.send(SESSION_ID, "bad");
  messages.send(SESSION_ID, "good");
  await settle();
  assert.deepEqual(sent.map(({ text }) => text), ["bad", "good"]);
  assert.deepEqual(store.state.outbox.map(({ text, state }) => [text, state]), [["bad", "failed"]]);
});

test("who is refused for a full queue is told at once, and nothing is sent again", async () => {
  const { store, messages, sent } = room(async () => {
    throw new ChatError({ code: "busy", message: "", retryable: true, waiting: 3 });
  });
  messages.send(SESSION_ID, "please");
  await settle();
  assert.equal(sent.length, 1);
  assert.deepEqual(store.state.outbox.map(({ state, error }) => [state, error?.waiting]), [["failed", 3]]);
});

test("replies that an ack says wait are shown to wait", async () => {
  const waiting = { reply_id: "r", prompt_seq: 1, bot: "corpus", state: "queued" };
  const { store, messages, requests } = room(async (name) => (name === "edit_message" ? { replies: [waiting] } : { reply: { ...waiting, reply_id: "again" } }));
  await messages.edit(SESSION_ID, 1, "better", true);
  await messages.retryReply(SESSION_ID, "old");
  assert.deepEqual(requests[0], ["edit_message", { session_id: SESSION_ID, seq: 1, text: "better", ask_again: true }]);
  assert.deepEqual(Object.values(store.state.rooms[SESSION_ID].replies).map(({ reply_id, state }) => [reply_id, state]), [["r", "queued"], ["again", "queued"]]);
});

test("a hole in the log is closed by joining after the cursor", async () => {
  const { store, sync, requests } = room(async () => joinAck([message(1), message(2)], { from_seq: 1 }));
  store.subscribe((state) => sync.repairWhereBroken(state));
  store.dispatch(message(2));
  await until(() => store.state.rooms[SESSION_ID].last_seq === 2);
  assert.deepEqual(requests, [["join_session", { session_id: SESSION_ID, after_seq: 0 }]]);
});

test("after a reconnect it is asked what became of the replies that are not running any more", async () => {
  const { store, sync, requests } = room(async (name) => {
    if (name === "get_reply") return { reply: { reply_id: "r", prompt_seq: 1, bot: "corpus", state: "stopped", attempt: 1, text: "", result_seq: null } };
    return name === "join_session" ? joinAck([]) : { sessions: [], next: null };
  });
  store.dispatch({ type: "reply_started", data: { session_id: SESSION_ID, reply_id: "r", attempt: 1, prompt_seq: 1, bot: { id: "bot:corpus", name: "corpus", kind: "bot" } } });
  await sync.connected();
  assert.deepEqual(requests.filter(([name]) => name === "get_reply"), [["get_reply", { session_id: SESSION_ID, reply_id: "r" }]]);
  assert.equal(store.state.rooms[SESSION_ID].replies.r.state, "stopped");
});

test("an invite is used once and then leaves the address", async () => {
  const { store, sync, requests, routes } = room(async () => joinAck([message(1)]));
  store.dispatch({ type: "session_deleted", data: { session_id: SESSION_ID } });
  await sync.open(SESSION_ID, "code");
  assert.deepEqual(requests[0], ["join_session", { session_id: SESSION_ID, invite: "code" }]);
  assert.deepEqual(routes, [{ session_id: SESSION_ID }]);
});

test("a token is renewed at half its life, and a refused renewal leads back to the name entry", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  const calls = mock.method(globalThis, "fetch", async (/** @type {string} */ path) => {
    const refused = calls.mock.callCount() > 1;
    const grant = { token: "t", participant: ada, expires_at: new Date(Date.now() + 60_000).toISOString() };
    return new Response(JSON.stringify(refused ? { code: "token_revoked" } : grant), { status: refused ? 401 : 200, headers: { "X-Path": path } });
  });
  const { store, account } = room(async () => ({}));
  await account.signIn("Ada");
  mock.timers.tick(29_000);
  assert.equal(calls.mock.callCount(), 1);
  mock.timers.tick(2000);
  await settle();
  assert.equal(calls.mock.calls[1].arguments[0], "/api/v1/tokens/renew");
  assert.ok(store.state.me);
  mock.timers.tick(31_000);
  await settle();
  assert.equal(store.state.me, null);
  assert.deepEqual([store.state.entry.name, store.state.entry.reason?.code], ["Ada", "token_revoked"]);
  mock.timers.reset();
  mock.restoreAll();
});

/**
 * Ada in an empty room, on a connection that answers with `answer`.
 *
 * @param {(name: string, payload: any) => Promise<any>} answer
 */
function room(answer) {
  const store = new Store();
  store.dispatch({ type: "signed_in", participant: ada, outbox: [] });
  store.dispatch({ type: "connection_changed", status: "online" });
  store.dispatch({ type: "session_opened", session_id: SESSION_ID });
  store.dispatch({ type: "room_joined", session_id: SESSION_ID, ack: joinAck([]) });
  /** @type {any[]} */
  const requests = [];
  /** @type {any[]} */
  const sent = [];
  /** @type {any[]} */
  const routes = [];
  const request = (/** @type {string} */ name, /** @type {any} */ payload) => {
    requests.push([name, payload]);
    if (name === "send_message") sent.push(payload);
    return answer(name, payload);
  };
  const connection = { request, requestPatiently: request, socket: { connected: true }, open() {}, close() {} };
  const context = /** @type {any} */ ({
    store,
    connection,
    storage: new ClientStorage(storageValues()),
    navigate: (/** @type {any} */ route) => routes.push(route),
    toast() {},
    complain: (/** @type {any} */ error) => assert.fail(error),
  });
  return { store, requests, sent, routes, account: accountCommands(context), messages: messageCommands(context), sync: syncCommands(context) };
}

/** @param {any} payload @param {number} seq */
function acked({ text, client_message_id }, seq) {
  return { message: message(seq, text, ada, { client_message_id }), duplicate: false };
}

function storageValues() {
  /** @type {Map<string, string>} */
  const values = new Map();
  return {
    getItem: (/** @type {string} */ key) => values.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void values.set(key, value),
    removeItem: (/** @type {string} */ key) => void values.delete(key),
    key: (/** @type {number} */ index) => [...values.keys()][index] ?? null,
    length: 0,
  };
}

/** @param {() => boolean} holds */
async function until(holds) {
  const deadline = Date.now() + 5000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, "it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Lets everything that is already answered take its effect. */
async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
