/**
 * The list of sessions: what each shows there, and how many messages wait in it.
 *
 * @import {Event, Session, SessionOverview} from "../protocol.js"
 * @import {Room} from "./model.js"
 */
import { patched } from "./log.js";
import { settingsOf } from "./rooms.js";

/** The server counts no further, so neither does the client. */
export const UNREAD_CAP = 100;

/**
 * @param {Session} session
 * @param {string | undefined} me
 * @returns {SessionOverview}
 */
export function newOverview(session, me) {
  return {
    ...session,
    role: session.created_by === me ? "owner" : "member",
    read_seq: 0,
    unread: 0,
    last_message: null,
    active_at: session.created_at,
  };
}

/**
 * @param {SessionOverview} overview
 * @param {Event} event
 * @param {string | undefined} me
 * @returns {SessionOverview}
 */
export function overviewAfter(overview, event, me) {
  if (event.seq <= overview.last_seq) return overview;
  const next = { ...overview, last_seq: event.seq };
  switch (event.type) {
    case "message_created":
      return {
        ...next,
        last_message: event,
        active_at: event.created_at,
        unread: Math.min(UNREAD_CAP, next.unread + (isUnread(event, next.read_seq, me) ? 1 : 0)),
      };
    case "message_edited":
    case "message_deleted":
    case "message_kept":
      return { ...next, last_message: next.last_message && patched([next.last_message], [event])[0] };
    case "session_updated":
      return { ...next, ...settingsOf(event.data) };
    case "participant_left":
      return event.data.new_owner === me ? { ...next, role: "owner" } : next;
    default:
      return next;
  }
}

/**
 * What a snapshot says about its session, for a list that lacks it or has fallen behind.
 *
 * @param {SessionOverview} overview
 * @param {Room} room
 * @param {string} me
 * @returns {SessionOverview}
 */
export function overviewFromRoom(overview, room, me) {
  const mine = room.members[me];
  const last_message = room.events.findLast((event) => event.type === "message_created") ?? overview.last_message;
  const joined = {
    ...overview,
    ...room.session,
    last_seq: room.last_seq,
    role: mine?.role ?? overview.role,
    last_message,
    active_at: last_message?.created_at ?? overview.active_at,
  };
  return overviewRead(joined, room, me, Math.max(overview.read_seq, mine?.read_seq ?? 0));
}

/**
 * Moves the read mark and counts what is left after it, as far as the loaded log can tell.
 *
 * @param {SessionOverview} overview
 * @param {Room | undefined} room
 * @param {string | undefined} me
 * @param {number} read_seq
 * @returns {SessionOverview}
 */
export function overviewRead(overview, room, me, read_seq) {
  if (read_seq < overview.read_seq) return overview;
  if (read_seq >= overview.last_seq) return { ...overview, read_seq, unread: 0 };
  const counted = room?.events.filter((event) => isUnread(event, read_seq, me)).length ?? 0;
  const exact = room?.events.length && room.events[0].seq <= read_seq + 1;
  const unread = exact ? counted : Math.max(counted, overview.unread);
  return { ...overview, read_seq, unread: Math.min(UNREAD_CAP, unread) };
}

/**
 * @param {Event} event
 * @param {number} read_seq
 * @param {string | undefined} me
 */
function isUnread(event, read_seq, me) {
  return event.type === "message_created" && event.seq > read_seq && event.sender.id !== me;
}
