/**
 * The list of sessions and which of them is open.
 *
 * @import {SessionOverview} from "../protocol.js"
 * @import {Handlers} from "../state.js"
 * @import {State} from "./model.js"
 */
import { newOverview } from "./overviews.js";
import { newRoom, trimmed } from "./rooms.js";

/** @type {Handlers} */
export const sessionEvents = {
  /** The first page replaces the list, except for what is joined and may lie on a later page. */
  sessions_listed: (state, { sessions, next, first }) => {
    const kept = first ? pick(state.sessions, (id) => state.rooms[id]?.status === "joined") : state.sessions;
    const listed = Object.fromEntries(
      sessions.map((/** @type {SessionOverview} */ overview) => [overview.id, newest(kept[overview.id], overview)]),
    );
    return { ...state, sessions: { ...kept, ...listed }, next, listed: true };
  },

  session_added: (state, { data }) => {
    if (data.session.id in state.sessions) return state;
    const overview = newOverview(data.session, state.me?.id);
    return { ...state, sessions: { ...state.sessions, [overview.id]: overview } };
  },

  session_deleted: (state, { data }) => withoutSession(state, data.session_id),

  session_opened: (state, { session_id }) => {
    const left = state.open && state.open !== session_id ? state.rooms[state.open] : undefined;
    const rooms = left ? { ...state.rooms, [left.session_id]: trimmed(left, false) } : state.rooms;
    if (session_id === null) return { ...state, open: null, rooms };
    const room = rooms[session_id] ?? newRoom(session_id);
    return { ...state, open: session_id, rooms: { ...rooms, [session_id]: room } };
  },
};

/**
 * @param {State} state
 * @param {string} session_id
 * @returns {State}
 */
export function withoutSession(state, session_id) {
  return {
    ...state,
    sessions: pick(state.sessions, (id) => id !== session_id),
    rooms: pick(state.rooms, (id) => id !== session_id),
    outbox: state.outbox.filter((entry) => entry.session_id !== session_id),
    open: state.open === session_id ? null : state.open,
  };
}

/**
 * A list read before the latest events must not take them back.
 *
 * @param {SessionOverview | undefined} known
 * @param {SessionOverview} listed
 */
function newest(known, listed) {
  return known && known.last_seq > listed.last_seq ? known : listed;
}

/**
 * @template T
 * @param {Record<string, T>} record
 * @param {(id: string) => boolean} wanted
 * @returns {Record<string, T>}
 */
function pick(record, wanted) {
  return Object.fromEntries(Object.entries(record).filter(([id]) => wanted(id)));
}
