import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { sessionCommands } from "../app/src/commands/sessions.js";
import { ChatError } from "../app/src/errors.js";
import { Store } from "../app/src/store.js";
import { countsLine, moodLabel, sourceLine, spanLine } from "../app/src/summary.js";
import { after, event, inRoom, message, SESSION_ID } from "./factories.js";

/** @type {any} */
const SUMMARY = { total_messages: 3, messages_by_kind: { user: 2, bot: 1, operator: 0 }, sentiment: "mixed", method: "model" };

test("a summary counts what people and bots said", () => {
  assert.equal(countsLine(SUMMARY), "3 messages, 1 of them by bots");
  assert.equal(countsLine({ ...SUMMARY, total_messages: 1, messages_by_kind: { user: 1 } }), "1 message");
  assert.equal(countsLine({ ...SUMMARY, total_messages: 2, messages_by_kind: { bot: 2 } }), "2 messages, all by bots");
});

test("a mood that is not known is not shown", () => {
  assert.equal(moodLabel(SUMMARY), "Mood: mixed");
  assert.equal(moodLabel({ ...SUMMARY, sentiment: null }), "");
});

test("a model's summary says that it may be wrong", () => {
  assert.match(sourceLine(SUMMARY), /may be wrong/);
  assert.doesNotMatch(sourceLine({ ...SUMMARY, method: "extractive" }), /model/);
});

test("a summary of one moment shows it once", () => {
  const at = "2026-01-01T12:00:00Z";
  assert.doesNotMatch(spanLine({ ...SUMMARY, first_message_at: at, last_message_at: at }, "en-GB"), /–/);
  assert.match(spanLine({ ...SUMMARY, first_message_at: at, last_message_at: "2026-01-02T12:00:00Z" }, "en-GB"), / – /);
  assert.equal(spanLine({ ...SUMMARY, first_message_at: null, last_message_at: null }), "");
});

test("a summary that cannot be had is complained of and is none", async () => {
  const complain = mock.fn();
  const request = mock.fn(async () => {
    throw new ChatError({ code: "too_many_in_flight", message: "", retryable: true });
  });
  const sessions = sessionCommands(/** @type {any} */ ({ store: new Store(), connection: { request }, complain }));
  assert.equal(await sessions.summarize(SESSION_ID), null);
  assert.equal(complain.mock.callCount(), 1);
});

test("a title that a bot gave shows in the list and in the room at once", () => {
  /** @type {import("../app/src/protocol.js").Participant} */
  const bot = { id: "bot:echo", name: "echo", kind: "bot" };
  const settings = { title: "Cooking rice", visibility: "private", reply_policy: "always", bot: "echo" };
  const state = after(inRoom(), message(1), event(2, "session_updated", settings, bot));
  assert.equal(state.sessions[SESSION_ID].title, "Cooking rice");
  assert.equal(state.rooms[SESSION_ID].session?.title, "Cooking rice");
});
