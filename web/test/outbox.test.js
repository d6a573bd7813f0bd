import assert from "node:assert/strict";
import { test } from "node:test";
import { OUTBOX_LIMIT } from "../app/src/state/outbox.js";
import { ClientStorage } from "../app/src/storage.js";
import { ada, after, grace, inRoom, message, room, SESSION_ID, texts } from "./factories.js";

/** @param {string} id @returns {import("../app/src/state/model.js").Outgoing} */
const entry = (id) => ({ client_message_id: id, participant_id: ada.id, session_id: SESSION_ID, text: `text ${id}`, created_at: `2026-01-01T00:00:0${id.length}Z`, state: "pending" });
/** @param {string} id */
const queue = (id) => ({ type: "message_queued", entry: entry(id) });
/** @param {number} seq @param {string} id */
const mine = (seq, id) => message(seq, `text ${id}`, ada, { client_message_id: id });

test("a message shows at once and is replaced by itself when it comes", () => {
  const state = after(inRoom(), queue("a"), mine(1, "a"));
  assert.deepEqual([state.outbox, texts(state)], [[], ["text a"]]);
});

test("ack first or event first, the message is there once", () => {
  const ack = { type: "message_acked", client_message_id: "a", message: mine(1, "a") };
  for (const order of [[ack, mine(1, "a")], [mine(1, "a"), ack]]) {
    const state = after(inRoom(), queue("a"), ...order);
    assert.deepEqual([state.outbox, texts(state)], [[], ["text a"]]);
  }
});

test("an ack that overtakes earlier events waits for them instead of making a hole", () => {
  const acked = after(inRoom(), queue("a"), { type: "message_acked", client_message_id: "a", message: mine(2, "a") });
  assert.equal(acked.outbox[0].state, "sent");
  assert.deepEqual(texts(acked), []);
  assert.equal(room(acked).known_seq, 2);
  const level = after(acked, message(1, "before"), mine(2, "a"));
  assert.deepEqual([level.outbox, texts(level)], [[], ["before", "text a"]]);
});

test("a refused message keeps its text and its error until it is tried again or discarded", () => {
  const error = { code: "text_too_long", message: "", retryable: false };
  const failed = after(inRoom(), queue("a"), { type: "message_failed", client_message_id: "a", error });
  assert.equal(failed.outbox[0].state, "failed");
  assert.equal(after(failed, { type: "message_retried", client_message_id: "a" }).outbox[0].state, "pending");
  assert.deepEqual(after(failed, { type: "message_discarded", client_message_id: "a" }).outbox, []);
});

test("a message stored before the connection broke is settled by the next join", () => {
  const state = after(inRoom(), queue("a"), {
    type: "room_joined",
    session_id: SESSION_ID,
    ack: { ...joined(), events: [mine(1, "a")], from_seq: 1, to_seq: 1 },
  });
  assert.deepEqual(state.outbox, []);
});

test("somebody else's message with the same id settles nothing", () => {
  const state = after(inRoom(), queue("a"), message(1, "mimic", grace, { client_message_id: "a" }));
  assert.equal(state.outbox.length, 1);
});

test("the outbox is bounded", () => {
  const many = Array.from({ length: OUTBOX_LIMIT + 5 }, (_, index) => queue(`id${index}`));
  assert.equal(after(inRoom(), ...many).outbox.length, OUTBOX_LIMIT);
});

test("unsent messages survive a reload, in order, and only for who wrote them", () => {
  const storage = new ClientStorage(memory());
  const [first, second] = [entry("b"), entry("aa")];
  storage.saveOutbox([second, first], []);
  assert.deepEqual(storage.loadOutbox(ada.id).map(({ client_message_id }) => client_message_id), ["b", "aa"]);
  assert.deepEqual(storage.loadOutbox(grace.id), []);
  storage.saveOutbox([second], [second, first]);
  assert.equal(storage.loadOutbox(ada.id).length, 1);
  storage.dropForeignOutbox(grace.id);
  assert.deepEqual(storage.loadOutbox(ada.id), []);
});

test("broken or refused storage costs only the memory", () => {
  const values = memory();
  values.setItem("chatserver.token", "{not json");
  assert.equal(new ClientStorage(values).grant, null);
  const refusing = new ClientStorage({ ...values, setItem() { throw new Error("quota"); } });
  refusing.name = "Ada";
  assert.equal(new ClientStorage(null).name, "");
});

function joined() {
  const { session, members } = room(inRoom());
  return { session, members: Object.values(members), complete: true, replies: [] };
}

/** @returns {import("../app/src/storage.js").KeyValue} */
function memory() {
  const values = new Map();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
    key: (index) => [...values.keys()][index] ?? null,
    get length() {
      return values.size;
    },
  };
}
