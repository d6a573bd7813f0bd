/**
 * Optimistic sends.
 *
 * @import {Handlers} from "../state.js"
 */
import { eventArrived } from "./rooms.js";
import { durableEvent } from "./on_room.js";
import { acked, failed, queued, retried, without } from "./outbox.js";

/** @type {Handlers} */
export const outboxEvents = {
  message_queued: (state, { entry }) => ({ ...state, outbox: queued(state.outbox, entry) }),

  /** The message of an ack is the event itself, so it is taken in like one that came live. */
  message_acked: (state, { client_message_id, message }) => {
    const room = state.rooms[message.session_id];
    const next = room && eventArrived(room, message).last_seq > room.last_seq;
    const shown = next ? durableEvent(state, message) : state;
    const outbox = acked(shown.outbox, client_message_id, message, shown.rooms[message.session_id]);
    const known = shown.rooms[message.session_id];
    if (!known || known.known_seq >= message.seq) return { ...shown, outbox };
    return { ...shown, outbox, rooms: { ...shown.rooms, [known.session_id]: { ...known, known_seq: message.seq } } };
  },

  message_failed: (state, { client_message_id, error }) => ({
    ...state,
    outbox: failed(state.outbox, client_message_id, error),
  }),

  message_retried: (state, { client_message_id }) => ({
    ...state,
    outbox: retried(state.outbox, client_message_id),
  }),

  message_discarded: (state, { client_message_id }) => ({
    ...state,
    outbox: without(state.outbox, client_message_id),
  }),
};
