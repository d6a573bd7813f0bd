import assert from "node:assert/strict";
import { test } from "node:test";
import { buildTimeline, liveReplies } from "../app/src/timeline.js";
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

/** @param {number} seq @param {object} more */
const answer = (seq, more = {}) => message(seq, `answer ${seq}`, bot, { reply_to: 1, reply_id: `r${seq}`, ...more });
/** @param {string} reply_id */
const started = (reply_id) => ({ type: "reply_started", data: { session_id: SESSION_ID, reply_id, attempt: 1, prompt_seq: 1, bot } });
/** @param {import("../app/src/timeline.js").Item[]} items */
const messages = (items) => items.flatMap((item) => (item.kind === "message" ? [item] : []));

test("an answer that replaces another stands in its place, under its key, with the earlier ones behind it", () => {
  const before = inRoom([message(1, "q", ada), answer(2), message(3, "thanks", ada)]);
  const items = messages(timeline(after(before, answer(4, { replaces: 2 }), answer(5, { replaces: 4 }))));
  assert.deepEqual(items.map(({ key, event: { seq } }) => [key, seq]), [["m-1", 1], ["m-2", 5], ["m-3", 3]]);
  assert.deepEqual(items[1].earlier.map((version) => version.event.seq), [2, 4]);
  assert.deepEqual(messages(timeline(before)).map(({ key }) => key), ["m-1", "m-2", "m-3"]);
});

test("deleted and unloaded answers are not paged back to", () => {
  const gone = answer(2, { text: "", deleted_at: "t" });
  const [, shown] = messages(timeline(inRoom([message(1, "q", ada), gone, answer(3, { replaces: 2 })])));
  assert.deepEqual([shown.event.seq, shown.earlier], [3, []]);
  const [alone] = messages(timeline(inRoom([answer(7, { replaces: 2 })], { complete: false })));
  assert.deepEqual([alone.event.seq, alone.earlier], [7, []]);
});

test("a deleted newest answer says so, and the earlier ones can still be read", () => {
  const events = [message(1, "q", ada), answer(2), answer(3, { replaces: 2, text: "", deleted_at: "t" })];
  const [, shown] = messages(timeline(inRoom(events)));
  assert.deepEqual([shown.event.data.deleted_at, shown.earlier.length, shown.retry], ["t", 1, null]);
});

test("what replaces an answer is written in its place, and waits and stops below it", () => {
  const before = inRoom([message(1, "q", ada), answer(2), message(3, "thanks", ada)]);
  const running = after(before, started("r4"));
  assert.deepEqual(kinds(timeline(running)), ["day", "message", "reply", "message"]);
  const queued = { type: "replies_queued", session_id: SESSION_ID, replies: [{ reply_id: "r4", prompt_seq: 1, bot: "corpus", state: "queued" }] };
  assert.deepEqual(kinds(timeline(after(before, queued))), ["day", "message", "message", "reply", "message"]);
  const stopped = { type: "reply_stopped", data: { session_id: SESSION_ID, reply_id: "r4", seq: null } };
  assert.deepEqual(kinds(timeline(after(running, stopped))), ["day", "message", "message", "reply", "message"]);
  const other = after(before, { ...started("r4"), data: { ...started("r4").data, prompt_seq: 3 } });
  assert.deepEqual(kinds(timeline(other)).at(-1), "reply");
});

test("an answer cut short and its failure are one", () => {
  const failed = event(3, "reply_failed", { reply_id: "r2", prompt_seq: 1, message: "Away.", retryable: true }, bot);
  const cut = timeline(inRoom([message(1, "q", ada), answer(2, { failed: true }), failed]));
  assert.deepEqual(kinds(cut), ["day", "message", "message"]);
  assert.deepEqual([messages(cut)[1].cut?.seq, messages(cut)[1].retry], [3, "r2"]);
  const again = messages(timeline(inRoom([message(1, "q", ada), answer(2, { failed: true }), failed, answer(4, { replaces: 2 })])));
  assert.deepEqual([again[1].cut, again[1].retry, again[1].earlier[0].cut?.seq], [null, "r4", 3]);
});

test("a failure that another reply followed is over", () => {
  const failed = event(2, "reply_failed", { reply_id: "r2", prompt_seq: 1, message: "Away.", retryable: true }, bot);
  const over = (/** @type {any[]} */ ...events) => timeline(inRoom([message(1, "q", ada), failed, ...events])).flatMap((item) => (item.kind === "failure" ? [item.over] : []));
  assert.deepEqual([over(), over(answer(3))], [[false], [true]]);
});

test("only answers to the prompt that was answered last are the last ones", () => {
  const items = messages(timeline(inRoom([message(1, "q", ada), answer(2), message(3, "q", ada), answer(4, { reply_to: 3 })])));
  assert.deepEqual(items.map(({ last }) => last), [false, false, false, true]);
});

test("what is being written comes before what waits", () => {
  const waits = { type: "replies_queued", session_id: SESSION_ID, replies: [{ reply_id: "r9", prompt_seq: 1, bot: "corpus", state: "queued" }] };
  const writes = { ...started("r4"), data: { ...started("r4").data, prompt_seq: 2 } };
  const state = after(inRoom([message(1, "q", ada), message(2, "q", ada)]), waits, writes);
  assert.deepEqual(liveReplies(room(state)).map(({ reply_id }) => reply_id), ["r4", "r9"]);
});

test("an answer to a message shows what it answers, a bot's reply to its prompt does not", () => {
  const items = timeline(inRoom([message(1), message(2, "yes", ada, { reply_to: 1 }), message(3, "beep", bot, { reply_to: 2, reply_id: "r" })]));
  const quotes = items.flatMap((item) => (item.kind === "message" ? [item.quoted?.seq ?? null] : []));
  assert.deepEqual(quotes, [null, 1, null]);
});
