/** @import {Event} from "./protocol.js" */

/**
 * Of each type there is, so that none is forgotten here when the protocol has another.
 *
 * @type {Record<Event["type"], true>}
 */
const TYPES = {
  message_created: true,
  message_edited: true,
  message_deleted: true,
  message_kept: true,
  participant_joined: true,
  participant_left: true,
  session_updated: true,
  reply_failed: true,
};

/** Events with a `seq`: they make up a session's log. */
export const DURABLE = new Set(Object.keys(TYPES));
