/**
 * A stretch of a session's log: ascending events without holes, whose messages show the text as it
 * stands now.
 *
 * @import {
 *   Event, MessageCreated, MessageDeletedEvent, MessageEditedEvent, MessageKeptEvent
 * } from "../protocol.js"
 * @typedef {MessageEditedEvent | MessageDeletedEvent | MessageKeptEvent} Change
 */

const CHANGES = new Set(["message_edited", "message_deleted", "message_kept"]);

/**
 * @param {Event} event
 * @returns {event is Change}
 */
const isChange = (event) => CHANGES.has(event.type);

/**
 * @param {Event[]} events
 * @param {number} last_seq the cursor, which an empty stretch ends at
 */
export function firstSeq(events, last_seq) {
  return events.length ? events[0].seq : last_seq + 1;
}

/**
 * Joins two adjoining or overlapping stretches, `older` first; each event stays once.
 *
 * @param {Event[]} older
 * @param {Event[]} newer
 */
export function mergeLog(older, newer) {
  if (!older.length) return patched(newer);
  const last = older[older.length - 1].seq;
  const rest = newer.length && newer[0].seq > last ? newer : newer.filter((event) => event.seq > last);
  return rest.length ? patched([...older, ...rest], rest) : older;
}

/**
 * Replays edits, deletions and keepings on the messages they speak of, in log order. A page read before an
 * edit may arrive after it, so a whole stretch can be replayed: the last change wins either way.
 *
 * @template {Event} E
 * @param {E[]} events
 * @param {Event[]} [changes] those not replayed yet
 */
export function patched(events, changes = events) {
  let result = events;
  for (const change of changes) {
    if (!isChange(change)) continue;
    const index = change.data.seq - events[0].seq;
    const target = result[index];
    if (target?.type !== "message_created") continue;
    const data = changedData(target.data, change);
    if (data === target.data) continue;
    if (result === events) result = [...events];
    result[index] = /** @type {E} */ (/** @type {Event} */ ({ ...target, data }));
  }
  return result;
}

/**
 * @param {MessageCreated} data of the message
 * @param {Change} change
 * @returns {MessageCreated}
 */
function changedData(data, change) {
  if (change.type === "message_kept") return data.kept ? data : { ...data, kept: true };
  if (change.type === "message_deleted") {
    return data.deleted_at === change.data.deleted_at ? data : { ...data, text: "", deleted_at: change.data.deleted_at };
  }
  if (data.deleted_at || (data.text === change.data.text && data.edited_at === change.data.edited_at)) return data;
  return { ...data, text: change.data.text, edited_at: change.data.edited_at };
}
