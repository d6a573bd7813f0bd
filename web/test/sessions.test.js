import assert from "node:assert/strict";
import { test } from "node:test";
import { settableBy } from "../app/src/state/rights.js";
import { ada, after, at, event, grace, inRoom, joinAck, message, SESSION_ID, signedIn } from "./factories.js";

/** @param {import("../app/src/state/model.js").State} state */
const overview = (state) => state.sessions[SESSION_ID];
/** @param {string} participant_id @param {number} seq */
const read = (participant_id, seq) => ({ type: "read_changed", data: { session_id: SESSION_ID, participant_id, seq } });

test("messages of others count as unread, mine do not", () => {
  const state = after(inRoom(), message(1), message(2, "mine", ada), message(3));
  assert.equal(overview(state).unread, 2);
  assert.equal(overview(state).last_message?.seq, 3);
});

test("a read mark from any of my devices clears what it covers", () => {
  const state = after(inRoom(), message(1), message(2), message(3));
  assert.equal(overview(after(state, read(ada.id, 2))).unread, 1);
  assert.equal(overview(after(state, read(ada.id, 3))).unread, 0);
  assert.equal(overview(after(state, read(ada.id, 3), read(ada.id, 1))).unread, 0, "marks do not move back");
});

test("another member's read mark is theirs alone", () => {
  const state = after(inRoom(), message(1, "hi", ada), message(2), read(grace.id, 2));
  assert.equal(state.rooms[SESSION_ID].members[grace.id].read_seq, 2);
  assert.equal(overview(state).unread, 1);
});

test("the count stops at its cap", () => {
  const many = Array.from({ length: 150 }, (_, index) => message(index + 1));
  assert.equal(overview(after(inRoom(), ...many)).unread, 100);
});

test("an edit or deletion of the last message shows in the list", () => {
  const state = after(inRoom(), message(1, "teh"), event(2, "message_edited", { seq: 1, text: "the", edited_at: "t" }));
  assert.equal(overview(state).last_message?.data.text, "the");
  const deleted = after(state, event(3, "message_deleted", { seq: 1, deleted_at: "t" }));
  assert.equal(overview(deleted).last_message?.data.text, "");
});

test("only the owner sets everything, an operator who answers and how, others nothing", () => {
  assert.deepEqual([...settableBy("operator")].sort(), ["bot", "reply_policy"]);
  assert.ok(["title", "visibility", "bot", "reply_policy", "bot_turns"].every((name) => settableBy("owner").has(name)));
  assert.deepEqual([settableBy("member").size, settableBy(undefined).size], [0, 0]);
});

test("a list read before the latest message does not take it back", () => {
  const state = after(inRoom(), message(1));
  const listed = { ...overview(state), last_seq: 0, unread: 0, last_message: null };
  assert.equal(overview(after(state, { type: "sessions_listed", sessions: [listed], next: null, first: true })).unread, 1);
});

test("the first page forgets sessions that are gone, later pages add", () => {
  const one = { ...overview(inRoom()), id: "s-2" };
  const state = after(signedIn(), { type: "sessions_listed", sessions: [one], next: "c", first: true });
  const more = after(state, { type: "sessions_listed", sessions: [{ ...one, id: "s-3" }], next: null, first: false });
  assert.deepEqual(Object.keys(more.sessions), ["s-2", "s-3"]);
  assert.deepEqual(Object.keys(after(more, { type: "sessions_listed", sessions: [one], next: null, first: true }).sessions), ["s-2"]);
});

test("a session made on another device appears, once", () => {
  const added = { type: "session_added", data: { session: joinAck([]).session } };
  const state = after(signedIn(), added);
  assert.equal(overview(state).role, "owner");
  assert.equal(after(state, added), state);
});

test("signing out forgets everything but the name and where to return to", () => {
  const reason = { code: "token_expired", message: "", retryable: false };
  const state = after(inRoom([message(1)]), { type: "signed_out", reason });
  assert.deepEqual([state.me, state.sessions, state.entry, state.open], [null, {}, { name: "Ada", reason }, SESSION_ID]);
  assert.deepEqual([state.rooms[SESSION_ID].status, state.rooms[SESSION_ID].events], ["joining", []]);
});

test("the newest activity is the last message's, not the last rename's", () => {
  const settings = { title: "x", visibility: "private", reply_policy: "off", bot: null };
  const state = after(inRoom(), message(1), event(2, "session_updated", settings));
  assert.equal(overview(state).active_at, at(1));
});
