/**
 * Messages on their way: shown at once, settled by the ack or by the message itself, whichever
 * comes first.
 *
 * @import {Problem} from "../errors.js"
 * @import {Event} from "../protocol.js"
 * @import {Outgoing, Room} from "./model.js"
 */

export const OUTBOX_LIMIT = 100;

/**
 * @param {Outgoing[]} outbox
 * @param {Outgoing} entry
 * @returns {Outgoing[]}
 */
export function queued(outbox, entry) {
  const known = outbox.some(({ client_message_id }) => client_message_id === entry.client_message_id);
  return known || outbox.length >= OUTBOX_LIMIT ? outbox : [...outbox, entry];
}

/**
 * An acked message stays until the room's log reaches it: events before it may still be missing.
 *
 * @param {Outgoing[]} outbox
 * @param {string} client_message_id
 * @param {Event} message
 * @param {Room | undefined} room
 * @returns {Outgoing[]}
 */
export function acked(outbox, client_message_id, message, room) {
  if (!room || room.last_seq >= message.seq) return without(outbox, client_message_id);
  return change(outbox, client_message_id, { state: "sent", seq: message.seq, error: undefined });
}

/**
 * @param {Outgoing[]} outbox
 * @param {string} client_message_id
 * @param {Problem} error
 */
export function failed(outbox, client_message_id, error) {
  return change(outbox, client_message_id, { state: "failed", error });
}

/**
 * @param {Outgoing[]} outbox
 * @param {string} client_message_id
 */
export function retried(outbox, client_message_id) {
  return change(outbox, client_message_id, { state: "pending", error: undefined });
}

/**
 * @param {Outgoing[]} outbox
 * @param {string} client_message_id
 */
export function without(outbox, client_message_id) {
  const kept = outbox.filter((entry) => entry.client_message_id !== client_message_id);
  return kept.length === outbox.length ? outbox : kept;
}

/**
 * Drops what the room's log now shows.
 *
 * @param {Outgoing[]} outbox
 * @param {Room} room
 * @param {string | undefined} me
 */
export function settled(outbox, room, me) {
  const waiting = outbox.filter((entry) => entry.session_id === room.session_id);
  if (!waiting.length) return outbox;
  const said = room.events.filter((event) => event.type === "message_created");
  const mine = said.filter((event) => event.sender.id === me);
  const shown = new Set(mine.map((event) => event.data.client_message_id));
  const done = waiting.filter(
    (entry) => shown.has(entry.client_message_id) || (entry.seq !== undefined && entry.seq <= room.last_seq),
  );
  return done.length ? outbox.filter((entry) => !done.includes(entry)) : outbox;
}

/**
 * @param {Outgoing[]} outbox
 * @param {string} client_message_id
 * @param {Partial<Outgoing>} changes
 */
function change(outbox, client_message_id, changes) {
  return outbox.map((entry) => (entry.client_message_id === client_message_id ? { ...entry, ...changes } : entry));
}
