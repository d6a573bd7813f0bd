import assert from "node:assert/strict";
import { test } from "node:test";
import { buildTimeline } from "../app/src/timeline.js";
import { ada, after, bot, event, grace, inRoom, message, room, SESSION_ID } from "./factories.js";

/** @param {import("../app/src/state/model.js").State} state @param {number | null} unread_after */
const timeline = (state, unread_after = null) => buildTimeline(room(state), state.outbox, ada, unread_after);
/** @param {import("../app/src/timeline.js").Item[]} items */
const kinds = (items) => items.map(({ kind }) => kind);

test("messages of one speaker within minutes form a group", () => {
  const items = timeline(inRoom([message(1), message(2), message(3, "mine", ada), message(4)]));
  const heads = items.flatMap((item) => (item.kind === "message" ? [item.head] : []));
  assert.deepEqual(heads, [true, false, true, true]);
});

test("a new day gets a separator and a new group", () => {
  const later = { ...message(2), created_at: "2026-01-03T12:00:00Z" };
  const items = timeline(inRoom([message(1), later]));
  assert.deepEqual(kinds(items), ["day", "message", "day", "message"]);
});

test("edits are not shown as lines of their own, but people coming and settings are", () => {
  const items = timeline(
    inRoom([
      message(1),
      event(2, "message_edited", { seq: 1, text: "x", edited_at: "t" }),
      event(3, "participant_joined", { participant: grace, role: "member" }),
    ]),
  );
  assert.deepEqual(kinds(items), ["day", "message", "notice"]);
});

test("the line above unread messages stands before the first one of somebody else", () => {
  const items = timeline(inRoom([message(1), message(2, "mine", ada), message(3)]), 1);
  assert.deepEqual(kinds(items), ["day", "message", "message", "unread", "message"]);
});

test("a message keeps its key when it turns from sending to sent", () => {
  const entry = { client_message_id: "c1", participant_id: ada.id, session_id: SESSION_ID, text: "hi", created_at: new Date().toISOString(), state: "pending" };
  const sending = after(inRoom(), { type: "message_queued", entry });
  const sent = after(sending, message(1, "hi", ada, { client_message_id: "c1" }));
  assert.equal(timeline(sending).at(-1)?.key, "c1");
  assert.equal(timeline(sent).at(-1)?.key, "c1");
});

test("only the last reply can be asked for again, and only while none is running", () => {
  const failed = (/** @type {number} */ seq) => event(seq, "reply_failed", { reply_id: `r${seq}`, prompt_seq: 1, message: "no", retryable: true }, bot);
  const state = inRoom([message(1), failed(2), failed(3)]);
  const retries = timeline(state).flatMap((item) => (item.kind === "failure" ? [item.retry] : []));
  assert.deepEqual(retries, [null, "r3"]);
  const running = after(state, { type: "reply_started", data: { session_id: SESSION_ID, reply_id: "r4", attempt: 1, prompt_seq: 1, bot } });
  assert.ok(timeline(running).every((item) => item.kind !== "failure" || item.retry === null));
});

test("an answer to a message shows what it answers, a bot's reply to its prompt does not", () => {
  const items = timeline(inRoom([message(1), message(2, "yes", ada, { reply_to: 1 }), message(3, "beep", bot, { reply_to: 2, reply_id: "r" })]));
  const quotes = items.flatMap((item) => (item.kind === "message" ? [item.quoted?.seq ?? null] : []));
  assert.deepEqual(quotes, [null, 1, null]);
});
