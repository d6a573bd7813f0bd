import assert from "node:assert/strict";
import { test } from "node:test";
import { ada, after, bot, event, grace, inRoom, joinAck, room, SESSION_ID, signedIn } from "./factories.js";

const RUNS = 300;
const STEPS = 60;

/** A server of one session, as simple as it can be: the log, with rows that show the text as it stands. */
class Log {
  /** @type {any[]} */
  events = [];

  /** @param {string} type @param {any} data @param {any} sender */
  append(type, data, sender) {
    const made = event(this.events.length + 1, type, data, sender);
    this.events.push(made);
    if (type === "message_edited") this.#change(data.seq, { text: data.text, edited_at: data.edited_at });
    if (type === "message_kept") this.#change(data.seq, { kept: true });
    if (type === "message_deleted") this.#change(data.seq, { text: "", deleted_at: data.deleted_at });
    return made;
  }

  /** @param {number} seq @param {object} changes */
  #change(seq, changes) {
    const row = this.events[seq - 1];
    this.events[seq - 1] = { ...row, data: { ...row.data, ...changes } };
  }

  /** @param {number} after_seq */
  join(after_seq, window = Infinity) {
    const missed = this.events.slice(after_seq);
    const events = missed.slice(-window);
    const session = { ...joinAck([]).session, title: this.title, last_seq: this.events.length };
    return joinAck(events, {
      to_seq: this.events.length,
      session,
      members: this.members(),
      complete: events.length === missed.length,
    });
  }

  get title() {
    return this.events.findLast(({ type }) => type === "session_updated")?.data.title ?? "Engines";
  }

  members() {
    const left = new Set();
    for (const { type, data } of this.events) {
      if (type === "participant_left") left.add(data.participant.id);
      if (type === "participant_joined") left.delete(data.participant.id);
    }
    return joinAck([]).members.filter(({ participant }) => !left.has(participant.id));
  }

  /** @param {number} before_seq */
  page(before_seq, limit = 7) {
    const from = Math.max(0, before_seq - 1 - limit);
    return { events: this.events.slice(from, before_seq - 1), complete: from === 0 };
  }
}

test("stale state plus lossy, doubled and shuffled events is fresh state after recovery", () => {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const random = generator(seed);
    const log = new Log();
    /** @type {any[]} */
    const wire = [];
    let stale = inRoom([], { session: log.join(0).session });

    for (let step = 0; step < STEPS; step += 1) {
      const made = randomEvent(log, random);
      if (made && random() > 0.15) wire.push(made);
      if (made && random() < 0.1) wire.push(made);
      if (random() < 0.1) wire.sort(() => random() - 0.5);
      while (wire.length && random() < 0.7) stale = after(stale, wire.shift());
      if (random() < 0.05) stale = recovered(stale, log, random);
    }
    stale = recovered(after(stale, ...wire), log, random);
    const fresh = after(signedIn(), { type: "session_opened", session_id: SESSION_ID }, { type: "room_joined", session_id: SESSION_ID, ack: log.join(0) });
    assert.deepEqual(visible(stale), visible(fresh), `seed ${seed}`);
  }
});

/** What anybody can see of a room. @param {import("../app/src/state/model.js").State} state */
function visible(state) {
  const { events, members, session, complete, last_seq, known_seq, replies } = room(state);
  const people = Object.values(members).map(({ participant, role }) => `${participant.name} ${role}`).sort();
  const { unread, last_message } = state.sessions[SESSION_ID];
  const shown = events.map((shownEvent) => (shownEvent.type === "message_edited" ? shownEvent.seq : shownEvent));
  return { shown, people, session, complete, last_seq, known_seq, replies, unread, last_message };
}

/** Joins after the cursor, sometimes told that too much is missing, then pages back until complete. */
function recovered(/** @type {import("../app/src/state/model.js").State} */ state, /** @type {Log} */ log, /** @type {() => number} */ random) {
  const window = random() < 0.4 ? 4 : Infinity;
  let level = after(state, { type: "room_joined", session_id: SESSION_ID, ack: log.join(room(state).last_seq, window) });
  while (!room(level).complete) {
    const first = room(level).events[0]?.seq ?? room(level).last_seq + 1;
    level = after(level, { type: "history_loaded", session_id: SESSION_ID, ack: log.page(first) });
  }
  return level;
}

/** @param {Log} log @param {() => number} random */
function randomEvent(log, random) {
  const sender = [ada, grace, bot][Math.floor(random() * 3)];
  const messages = log.events.filter(({ type, data }) => type === "message_created" && !data.deleted_at);
  const target = messages[Math.floor(random() * messages.length)];
  const choice = random();
  const stamp = `t${log.events.length}`;
  if (choice < 0.5 || !target) return log.append("message_created", { text: `text ${log.events.length}` }, sender);
  if (choice < 0.7) return log.append("message_edited", { seq: target.seq, text: `edit ${stamp}`, edited_at: stamp }, sender);
  if (choice < 0.75 && !target.data.kept) return log.append("message_kept", { seq: target.seq }, ada);
  if (choice < 0.8) return log.append("message_deleted", { seq: target.seq, deleted_at: stamp }, sender);
  if (choice < 0.9) return log.append("session_updated", { title: stamp, visibility: "private", reply_policy: "always", bot: "corpus", bot_turns: 2 }, ada);
  const present = log.members().some(({ participant }) => participant.id === grace.id);
  return present
    ? log.append("participant_left", { participant: grace }, grace)
    : log.append("participant_joined", { participant: grace, role: "member" }, grace);
}

/** Mulberry32, so that a failing seed can be run again. @param {number} seed */
function generator(seed) {
  let value = seed;
  return () => {
    value = (value + 0x6d2b79f5) | 0;
    let mixed = Math.imul(value ^ (value >>> 15), 1 | value);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
