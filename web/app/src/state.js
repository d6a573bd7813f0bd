/**
 * The whole client as a pure function: `reduce(state, event)`.
 *
 * Durable server events come as they are (`{type, seq, session_id, …}`), ephemeral ones as
 * `{type, data}`; the client's own events, such as an ack that arrived, have names of their own.
 * An event that does not fit (a duplicate, a late one, one of an unknown room) changes nothing.
 *
 * @import {State} from "./state/model.js"
 * @typedef {{type: string, [field: string]: any}} StateEvent
 * @typedef {Record<string, (state: State, event: any) => State>} Handlers
 */
import { DURABLE } from "./durable.js";
import { accountEvents } from "./state/on_account.js";
import { outboxEvents } from "./state/on_outbox.js";
import { durableEvent, roomEvents } from "./state/on_room.js";
import { sessionEvents } from "./state/on_sessions.js";

export { initialState } from "./state/model.js";

/** @type {Handlers} */
const handlers = { ...accountEvents, ...sessionEvents, ...roomEvents, ...outboxEvents };

/**
 * @param {State} state
 * @param {StateEvent} event
 * @returns {State}
 */
export function reduce(state, event) {
  if (DURABLE.has(event.type)) return durableEvent(state, /** @type {any} */ (event));
  return Object.hasOwn(handlers, event.type) ? handlers[event.type](state, event) : state;
}
