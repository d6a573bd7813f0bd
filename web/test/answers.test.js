import assert from "node:assert/strict";
import { test } from "node:test";
import { cutsOf, endsOf, retryableReplies, versionsOf } from "../app/src/answers.js";
import { ada, after, bot, event, inRoom, joinAck, message, room, SESSION_ID } from "./factories.js";

const echo = { id: "p-echo", name: "echo", kind: /** @type {const} */ ("bot") };
/** @param {number} seq @param {object} more */
const answer = (seq, more = {}, who = bot) => message(seq, `answer ${seq}`, who, { reply_to: 1, reply_id: `r${seq}`, ...more });
/** @param {number} seq @param {object} more */
const failure = (seq, more = {}, who = bot) =>
  event(seq, "reply_failed", { reply_id: `r${seq}`, prompt_seq: 1, code: "model_unavailable", message: "Away.", retryable: true, ...more }, who);
const prompt = message(1, "question", ada);

/** @param {import("../app/src/protocol.js").Event[]} events @param {any} more */
function retryable(events, more = {}) {
  const there = room(inRoom(events, more));
  return [...retryableReplies(there, endsOf(there.events))];
}

test("a chain of answers has the place of its first", () => {
  const versions = versionsOf([prompt, answer(2), answer(3, { replaces: 2 }), message(4), answer(5, { replaces: 3 })]);
  assert.deepEqual([...versions].map(([place, chain]) => [place, chain.map(({ seq }) => seq)]), [[2, [2, 3, 5]]]);
});

test("an answer whose predecessor is not loaded, is no message, or comes later stands for itself", () => {
  assert.equal(versionsOf([answer(7, { replaces: 2 })]).size, 0);
  assert.equal(versionsOf([prompt, failure(2), answer(3, { replaces: 2 })]).size, 0);
  assert.equal(versionsOf([prompt, answer(2, { replaces: 2 }), answer(3, { replaces: 9 })]).size, 0);
});

test("a failure is told at the answer that it cut short, as long as that is there", () => {
  const cut = answer(2, { failed: true, reply_id: "r3" });
  assert.deepEqual([...cutsOf([prompt, cut, failure(3)]).keys()], ["r3"]);
  assert.equal(cutsOf([failure(3)]).size, 0);
  assert.equal(cutsOf([answer(2, { failed: true, reply_id: "r3", deleted_at: "t" }), failure(3)]).size, 0);
});

test("the newest reply of each bot to each prompt can be asked for again", () => {
  const members = [...joinAck([]).members, { participant: echo, role: /** @type {const} */ ("member"), joined_at: "t", read_seq: 0, online: true }];
  const events = [prompt, answer(2), answer(3, {}, echo), answer(4, { replaces: 2 }), message(5, "more", ada), answer(6, { reply_to: 5 })];
  assert.deepEqual(retryable(events, { members }).sort(), ["r3", "r4", "r6"]);
});

test("a failure that says so cannot be asked for again, nor a cut answer before its failure came", () => {
  assert.deepEqual(retryable([prompt, failure(2)]), ["r2"]);
  assert.deepEqual(retryable([prompt, failure(2, { retryable: false })]), []);
  const cut = answer(2, { failed: true, reply_id: "r3" });
  assert.deepEqual(retryable([prompt, cut]), []);
  assert.deepEqual(retryable([prompt, cut, failure(3)]), ["r3"]);
});

test("nothing can be asked for again where the prompt or the answer was deleted, or nobody answers", () => {
  assert.deepEqual(retryable([message(1, "", ada, { deleted_at: "t" }), answer(2)]), []);
  assert.deepEqual(retryable([prompt, answer(2, { deleted_at: "t" })]), []);
  assert.deepEqual(retryable([prompt, answer(2)], { session: { ...joinAck([]).session, reply_policy: "off" } }), []);
});

test("a bot that has left is stood in for by the session's own, unless that was asked as well", () => {
  assert.deepEqual(retryable([prompt, answer(2, {}, echo)]), ["r2"]);
  assert.deepEqual(retryable([prompt, answer(2, {}, echo), answer(3)]), ["r3"]);
  assert.deepEqual(retryable([prompt, answer(2, {}, echo)], { session: { ...joinAck([]).session, bot: null } }), []);
});

test("what is being answered cannot be asked for again meanwhile", () => {
  const state = inRoom([prompt, answer(2)]);
  const started = { type: "reply_started", data: { session_id: SESSION_ID, reply_id: "r3", attempt: 1, prompt_seq: 1, bot } };
  const there = room(after(state, started));
  assert.equal(retryableReplies(there, endsOf(there.events)).size, 0);
});
