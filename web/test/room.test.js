import assert from "node:assert/strict";
import { test } from "node:test";
import { ada, dataOf, after, event, grace, inRoom, joinAck, message, room, seqs, SESSION_ID, texts } from "./factories.js";

test("a message that follows the last one is appended", () => {
  const state = after(inRoom([message(1)]), message(2, "next"));
  assert.deepEqual(texts(state), ["message 1", "next"]);
  assert.equal(room(state).last_seq, 2);
});

test("a duplicate or late event changes nothing at all", () => {
  const state = inRoom([message(1), message(2)]);
  assert.equal(after(state, message(2), message(1)), state);
});

test("an event after a hole is not shown but says that something is missing", () => {
  const state = after(inRoom([message(1)]), message(3));
  assert.deepEqual(seqs(state), [1]);
  assert.equal(room(state).known_seq, 3);
});

test("joining again after the cursor fills the hole exactly once", () => {
  const ack = joinAck([message(2), message(3)], { from_seq: 2 });
  const state = after(inRoom([message(1)]), message(3), { type: "room_joined", session_id: SESSION_ID, ack }, message(3), message(4));
  assert.deepEqual(seqs(state), [1, 2, 3, 4]);
  assert.equal(room(state).known_seq, room(state).last_seq);
});

test("an edit changes the message it speaks of", () => {
  const state = after(inRoom([message(1, "teh")]), event(2, "message_edited", { seq: 1, text: "the", edited_at: "t" }));
  assert.deepEqual(texts(state), ["the"]);
  assert.equal(dataOf(state, 0).edited_at, "t");
});

test("a deletion erases the text, and a later replayed edit does not bring it back", () => {
  const state = after(
    inRoom([message(1, "oops")]),
    event(2, "message_deleted", { seq: 1, deleted_at: "t" }),
    event(3, "message_edited", { seq: 1, text: "oops again", edited_at: "u" }),
  );
  assert.deepEqual(texts(state), [""]);
});

test("a cut answer that is kept says so, also when its page is read later", () => {
  const kept = event(3, "message_kept", { seq: 2 });
  const cut = message(2, "half", ada, { stopped: true });
  assert.equal(dataOf(after(inRoom([message(1), cut]), kept), 1).kept, true);
  const paged = after(inRoom([kept], { complete: false }), { type: "history_loaded", session_id: SESSION_ID, ack: { events: [message(1), cut], complete: true } });
  assert.equal(dataOf(paged, 1).kept, true);
});

test("an edit of a message that is not loaded is harmless", () => {
  const state = after(inRoom([message(5)], { complete: false }), event(6, "message_edited", { seq: 2, text: "x", edited_at: "t" }));
  assert.deepEqual(texts(state), ["message 5"]);
});

test("a page of history read before an edit arrives after it and still shows the edit", () => {
  const state = after(
    inRoom([message(3)], { complete: false }),
    event(4, "message_edited", { seq: 2, text: "new", edited_at: "t" }),
    { type: "history_loaded", session_id: SESSION_ID, ack: { events: [message(1), message(2, "old")], complete: true } },
  );
  assert.deepEqual(texts(state), ["message 1", "new", "message 3"]);
  assert.equal(room(state).complete, true);
});

test("a page that overlaps the loaded log doubles nothing", () => {
  const state = after(inRoom([message(2), message(3)], { complete: false }), {
    type: "history_loaded",
    session_id: SESSION_ID,
    ack: { events: [message(1), message(2)], complete: true },
  });
  assert.deepEqual(seqs(state), [1, 2, 3]);
});

test("after a long absence the newest window is shown, and paging brings the old stretch back", () => {
  const window = [message(8), message(9)];
  const joined = after(inRoom([message(1), message(2)]), {
    type: "room_joined",
    session_id: SESSION_ID,
    ack: joinAck(window, { complete: false }),
  });
  assert.deepEqual(seqs(joined), [8, 9]);
  assert.equal(room(joined).complete, false);
  const half = after(joined, { type: "history_loaded", session_id: SESSION_ID, ack: { events: [message(5), message(6), message(7)], complete: false } });
  assert.deepEqual(seqs(half), [5, 6, 7, 8, 9]);
  const whole = after(half, { type: "history_loaded", session_id: SESSION_ID, ack: { events: [message(3), message(4)], complete: false } });
  assert.deepEqual(seqs(whole), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(room(whole).complete, true);
  assert.deepEqual(room(whole).detached, []);
});

test("members come and go, and a leaving owner hands over", () => {
  const linus = { id: "p-linus", name: "Linus", kind: "user" };
  const joined = after(inRoom(), event(1, "participant_joined", { participant: linus, role: "member" }, /** @type {any} */ (linus)));
  assert.equal(room(joined).members["p-linus"].role, "member");
  const left = after(joined, event(2, "participant_left", { participant: ada, new_owner: grace.id }, grace));
  assert.equal(left.rooms[SESSION_ID], undefined, "I left, so the room is gone");
  const other = after(joined, event(2, "participant_left", { participant: linus }, grace));
  assert.equal(room(other).members["p-linus"], undefined);
});

test("changed settings show in the room and in the list", () => {
  const settings = { title: "New", visibility: "link", reply_policy: "off", bot: null };
  const state = after(inRoom(), event(1, "session_updated", settings));
  assert.equal(room(state).session?.title, "New");
  assert.equal(state.sessions[SESSION_ID].visibility, "link");
});

test("a deleted session disappears everywhere, also while it is open", () => {
  const state = after(inRoom([message(1)]), { type: "session_deleted", data: { session_id: SESSION_ID } });
  assert.deepEqual([state.open, state.rooms, state.sessions], [null, {}, {}]);
});

test("events of unknown rooms and unknown kinds are ignored", () => {
  const state = inRoom();
  assert.equal(after(state, { ...message(1), session_id: "other" }, { type: "brand_new", data: {} }, { type: "toString" }), state);
});

test("typing shows until the message, the end of typing, the time, or the connection ends it", () => {
  const typing = { type: "typing_changed", data: { session_id: SESSION_ID, participant: grace, typing: true }, at: 1000 };
  const state = after(inRoom(), typing);
  assert.deepEqual(Object.keys(room(state).typing), [grace.id]);
  const ends = [
    message(1),
    { ...typing, data: { ...typing.data, typing: false } },
    { type: "typing_expired", before: 2000 },
    { type: "connection_changed", status: "offline" },
    { type: "presence_changed", data: { session_id: SESSION_ID, participant: grace, online: false } },
  ];
  for (const end of ends) assert.deepEqual(room(after(state, end)).typing, {}, end.type);
  assert.equal(after(state, { type: "typing_expired", before: 500 }), state);
});

test("my own typing on another device is not shown to me", () => {
  const typing = { type: "typing_changed", data: { session_id: SESSION_ID, participant: ada, typing: true }, at: 1 };
  assert.deepEqual(room(after(inRoom(), typing)).typing, {});
});

test("presence moves the dot of a member", () => {
  const state = after(inRoom(), { type: "presence_changed", data: { session_id: SESSION_ID, participant: grace, online: false } });
  assert.equal(room(state).members[grace.id].online, false);
});
