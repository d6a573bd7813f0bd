/** Small makers of protocol shapes, with only what a test speaks of spelled out. */

/**
 * @import {Event, Joined, Participant} from "../app/src/protocol.js"
 * @import {State} from "../app/src/state/model.js"
 */
import { initialState, reduce } from "../app/src/state.js";

/** @type {Participant} */
export const ada = { id: "p-ada", name: "Ada", kind: "user" };
/** @type {Participant} */
export const grace = { id: "p-grace", name: "Grace", kind: "user" };
/** @type {Participant} */
export const bot = { id: "p-bot", name: "corpus", kind: "bot" };

export const SESSION_ID = "s-1";

/**
 * @param {number} seq
 * @param {string} type
 * @param {any} data
 * @param {Participant} sender
 * @returns {any} an Event, as far as the test says
 */
export function event(seq, type, data, sender = grace) {
  return { session_id: SESSION_ID, seq, type, sender, created_at: at(seq), data };
}

/**
 * @param {number} seq
 * @param {string} text
 * @param {Participant} sender
 * @param {object} more
 */
export function message(seq, text = `message ${seq}`, sender = grace, more = {}) {
  return event(seq, "message_created", { text, ...more }, sender);
}

/** @param {number} seq */
export function at(seq) {
  return new Date(Date.UTC(2026, 0, 1, 12, 0, seq)).toISOString();
}

/**
 * @param {Event[]} events
 * @param {Partial<Joined>} more
 * @returns {Joined}
 */
export function joinAck(events, more = {}) {
  const to_seq = more.to_seq ?? events.at(-1)?.seq ?? 0;
  return {
    session: {
      id: SESSION_ID,
      title: "Engines",
      visibility: "private",
      reply_policy: "always",
      bot: "corpus",
      bot_turns: 0,
      created_by: ada.id,
      created_at: at(0),
      last_seq: to_seq,
    },
    members: [ada, grace, bot].map((participant) => ({
      participant,
      role: participant === ada ? "owner" : "member",
      joined_at: at(0),
      read_seq: 0,
      online: true,
    })),
    events,
    from_seq: events[0]?.seq ?? to_seq + 1,
    to_seq,
    complete: true,
    replies: [],
    ...more,
  };
}

/**
 * @param {State} state
 * @param {...any} events
 */
export function after(state, ...events) {
  return events.reduce(reduce, state);
}

/** Ada, signed in. */
export function signedIn() {
  return after(initialState(), { type: "signed_in", participant: ada, outbox: [] });
}

/**
 * Ada in a room that holds `events`.
 *
 * @param {Event[]} events
 * @param {Partial<Joined>} more
 */
export function inRoom(events = [], more = {}) {
  return after(
    signedIn(),
    { type: "session_opened", session_id: SESSION_ID },
    { type: "room_joined", session_id: SESSION_ID, ack: joinAck(events, more) },
  );
}

/** @param {State} state */
export const room = (state) => state.rooms[SESSION_ID];

/** @param {State} state */
export const texts = (state) => room(state).events.filter((event) => event.type === "message_created").map(({ data }) => data.text);

/**
 * @param {State} state
 * @param {number} index
 * @returns {any}
 */
export const dataOf = (state, index) => room(state).events[index].data;

/** @param {State} state */
export const seqs = (state) => room(state).events.map(({ seq }) => seq);
