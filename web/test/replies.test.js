import assert from "node:assert/strict";
import { test } from "node:test";
import { codePointLength, dropCodePoints } from "../app/src/codepoints.js";
import { after, bot, event, inRoom, joinAck, message, room, SESSION_ID } from "./factories.js";

const started = (attempt = 1) => ({ type: "reply_started", data: { session_id: SESSION_ID, reply_id: "r", attempt, prompt_seq: 1, bot } });
/** @param {number} offset @param {string} text @param {number} attempt */
const delta = (offset, text, attempt = 1) => ({ type: "reply_delta", data: { session_id: SESSION_ID, reply_id: "r", attempt, offset, text } });
const running = (text = "", attempt = 1) => ({ reply_id: "r", session_id: SESSION_ID, prompt_seq: 1, bot: "corpus", state: /** @type {const} */ ("running"), attempt, text, error: null, result_seq: null });
/** @param {import("../app/src/state/model.js").State} state */
const reply = (state) => room(state).replies.r;

test("code points are counted, not UTF-16 units", () => {
  assert.equal(codePointLength("a🎉b"), 3);
  assert.equal(dropCodePoints("a🎉b", 2), "b");
  assert.equal(dropCodePoints("ab", 9), "");
});

test("deltas add up by offset, also across emoji", () => {
  const state = after(inRoom([message(1)]), started(), delta(0, "🎉👩‍🚀 "), delta(5, "ok"));
  assert.equal(reply(state).text, "🎉👩‍🚀 ok");
  assert.equal(reply(state).length, 7);
});

test("a delta that comes twice is not added twice", () => {
  const state = after(inRoom([message(1)]), started(), delta(0, "🎉a"), delta(0, "🎉a"));
  assert.equal(reply(state).text, "🎉a");
});

test("a delta that overlaps is trimmed to what is new", () => {
  const state = after(inRoom([message(1)]), started(), delta(0, "🎉ab"), delta(1, "abcd"));
  assert.equal(reply(state).text, "🎉abcd");
});

test("a delta after a hole asks for the text so far instead of showing a torn one", () => {
  const torn = after(inRoom([message(1)]), started(), delta(0, "ab"), delta(5, "x"));
  assert.equal(reply(torn).text, "ab");
  assert.equal(room(torn).stale, true);
  const ack = joinAck([], { from_seq: 2, to_seq: 1, replies: [running("ab123x")] });
  const healed = after(torn, { type: "room_joined", session_id: SESSION_ID, ack }, delta(6, "y"));
  assert.equal(reply(healed).text, "ab123xy");
  assert.equal(room(healed).stale, false);
});

test("a delta of a reply that was never announced asks for the text so far", () => {
  assert.equal(room(after(inRoom([message(1)]), delta(3, "x"))).stale, true);
});

test("a new attempt starts over, and the old one's late deltas are dropped", () => {
  const state = after(inRoom([message(1)]), started(), delta(0, "first"), started(2), delta(0, "second", 2), delta(5, "late"));
  assert.equal(reply(state).text, "second");
});

test("a joiner in the middle goes on from the text so far", () => {
  const state = after(inRoom([message(1)], { replies: [running("half 🎉")] }), delta(5, "🎉 way"));
  assert.equal(reply(state).text, "half 🎉 way");
  assert.equal(reply(state).bot.id, bot.id);
});

test("an older snapshot does not take back what has streamed since", () => {
  const ack = joinAck([], { from_seq: 2, to_seq: 1, replies: [running("ab")] });
  const state = after(inRoom([message(1)]), started(), delta(0, "abcd"), { type: "room_joined", session_id: SESSION_ID, ack });
  assert.equal(reply(state).text, "abcd");
});

test("the final message takes the place of the streamed text, and nothing revives it", () => {
  const final = message(2, "done", bot, { reply_id: "r" });
  const state = after(inRoom([message(1)]), started(), delta(0, "do"), final, delta(2, "ne"), started(), {
    type: "reply_finished",
    data: { session_id: SESSION_ID, reply_id: "r", seq: 2 },
  });
  assert.deepEqual(room(state).replies, {});
  assert.equal(room(state).stale, false);
});

test("a finish whose message never came says that something is missing", () => {
  const state = after(inRoom([message(1)]), started(), { type: "reply_finished", data: { session_id: SESSION_ID, reply_id: "r", seq: 2 } });
  assert.deepEqual(room(state).replies, {});
  assert.equal(room(state).known_seq, 2);
});

test("a failure ends the reply", () => {
  const failure = event(2, "reply_failed", { reply_id: "r", prompt_seq: 1, code: "unavailable", message: "no", retryable: true }, bot);
  assert.deepEqual(room(after(inRoom([message(1)]), started(), failure)).replies, {});
});

test("a reply stopped before its first word stays, so that it can be asked for again", () => {
  const stopped = { type: "reply_stopped", data: { session_id: SESSION_ID, reply_id: "r", seq: null } };
  const state = after(inRoom([message(1)]), started(), stopped, delta(0, "late"));
  assert.equal(reply(state).state, "stopped");
  assert.equal(reply(state).text, "");
  const again = after(state, { type: "reply_started", data: { ...started().data, reply_id: "r2" } });
  assert.deepEqual(Object.keys(room(again).replies), ["r2"]);
});

const echo = { id: "p-echo", name: "echo", kind: "bot" };
const queued = (reply_id = "r", prompt_seq = 1) => ({ type: "replies_queued", session_id: SESSION_ID, replies: [{ ...running(), reply_id, prompt_seq, state: "queued" }] });
const stopped = (reply_id = "r") => ({ type: "reply_stopped", data: { session_id: SESSION_ID, reply_id, seq: null } });

test("a reply waits from its ack until it starts", () => {
  const waiting = after(inRoom([message(1)]), queued());
  assert.deepEqual([reply(waiting).state, reply(waiting).bot.id], ["queued", bot.id]);
  const begun = after(waiting, started(), delta(0, "hi"));
  assert.deepEqual([reply(begun).state, reply(begun).text], ["running", "hi"]);
});

test("an ack that comes late takes nothing back", () => {
  const begun = after(inRoom([message(1)]), started(), delta(0, "hi"));
  assert.equal(after(begun, queued()), begun);
  const ended = after(begun, message(2, "hi", bot, { reply_id: "r" }));
  assert.equal(after(ended, queued()), ended);
});

test("a stopped reply makes room for the next of the same bot alone", () => {
  const both = after(inRoom([message(1)]), started(), { ...started(), data: { ...started().data, reply_id: "e", bot: echo } }, stopped(), stopped("e"));
  assert.deepEqual(Object.keys(room(after(both, queued("r2"))).replies).sort(), ["r2"], "echo has left, so corpus may stand in for it");
  const members = [...Object.values(room(both).members), { participant: echo, role: "member", joined_at: "t", read_seq: 0, online: true }];
  const here = after(inRoom([message(1)], /** @type {any} */ ({ members })), started(), { ...started(), data: { ...started().data, reply_id: "e", bot: echo } }, stopped(), stopped("e"));
  assert.deepEqual(Object.keys(room(after(here, queued("r2"))).replies).sort(), ["e", "r2"]);
});

test("a reply stopped for the sake of the next one leaves no trace of its own", () => {
  const state = after(inRoom([message(1)]), started(), queued("r2"), stopped());
  assert.deepEqual(Object.keys(room(state).replies), ["r2"]);
});

const rejoined = { type: "room_joined", session_id: SESSION_ID, ack: joinAck([], { from_seq: 2, to_seq: 1 }) };
/** @param {object} outcome */
const found = (outcome) => ({ type: "reply_found", session_id: SESSION_ID, reply: { ...running(), result_seq: null, ...outcome } });

test("a reply that a snapshot does not list keeps its place until it is known what became of it", () => {
  const away = after(inRoom([message(1)]), started(), rejoined);
  assert.equal(reply(away).state, "running");
  assert.equal(reply(after(away, found({ state: "stopped" }))).state, "stopped", "it can be asked for again");
  assert.deepEqual(room(after(away, found({ state: "stopped", result_seq: 9 }))).replies, {});
  assert.deepEqual(room(after(away, found({ state: "done", result_seq: 9 }))).replies, {});
  assert.deepEqual(room(after(away, found({ state: "failed" }))).replies, {});
});

test("a reply that still waits after a reconnect is shown to wait", () => {
  const away = after(inRoom([message(1)]), queued(), rejoined);
  assert.equal(reply(after(away, found({ state: "queued" }))).state, "queued");
});

test("a snapshot whose events end a reply needs nobody to be asked", () => {
  const ack = joinAck([message(2, "done", bot, { reply_id: "r" })]);
  assert.deepEqual(room(after(inRoom([message(1)]), started(), { ...rejoined, ack })).replies, {});
});
