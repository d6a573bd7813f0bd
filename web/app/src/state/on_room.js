/**
 * What happens in rooms: their logs, running replies, typing, presence, read marks.
 *
 * @import {Event} from "../protocol.js"
 * @import {Handlers} from "../state.js"
 * @import {Room, State} from "./model.js"
 */
import { withoutSession } from "./on_sessions.js";
import { settled } from "./outbox.js";
import { newOverview, overviewAfter, overviewFromRoom, overviewRead } from "./overviews.js";
import { repliesQueued, replyFound, replyGrew, replyStarted, replyStopped, withoutReply } from "./replies.js";
import { eventArrived, historyLoaded, newRoom, roomJoined, roomRefused, trimmed, withMember, withoutTyping } from "./rooms.js";

/**
 * @param {State} state
 * @param {Event} event
 * @returns {State}
 */
export function durableEvent(state, event) {
  const known = state.rooms[event.session_id];
  const me = state.me?.id;
  if (!known) return state;
  const arrived = eventArrived(known, event);
  if (arrived === known) return state;
  if (arrived.last_seq === known.last_seq) return withRoom(state, arrived);
  if (event.type === "participant_left" && event.data.participant.id === me) return withoutSession(state, event.session_id);
  const room = trimmed(arrived, state.open === event.session_id);
  const overview = state.sessions[event.session_id];
  return {
    ...withRoom(state, room),
    sessions: overview
      ? { ...state.sessions, [overview.id]: overviewAfter(overview, event, me) }
      : state.sessions,
    outbox: settled(state.outbox, room, me),
  };
}

/** @type {Handlers} */
export const roomEvents = {
  room_joined: (state, { session_id, ack }) => {
    const room = roomJoined(state.rooms[session_id] ?? newRoom(session_id), ack);
    const me = state.me?.id ?? "";
    const overview = state.sessions[session_id] ?? newOverview(ack.session, me);
    return {
      ...withRoom(state, room),
      sessions: { ...state.sessions, [session_id]: overviewFromRoom(overview, room, me) },
      outbox: settled(state.outbox, room, me),
    };
  },

  room_refused: (state, { session_id, error }) => {
    const room = state.rooms[session_id];
    return room ? withRoom(state, roomRefused(room, error)) : state;
  },

  paging_changed: (state, { session_id, paging }) => inRoom(state, session_id, (room) => ({ ...room, paging })),

  history_loaded: (state, { session_id, ack }) => {
    const known = state.rooms[session_id];
    const overview = state.sessions[session_id];
    if (!known || !overview) return state;
    const room = historyLoaded(known, ack);
    const told = overviewFromRoom(overview, room, state.me?.id ?? "");
    return { ...withRoom(state, room), sessions: { ...state.sessions, [session_id]: told } };
  },

  replies_queued: (state, { session_id, replies }) => inRoom(state, session_id, (room) => repliesQueued(room, replies)),

  reply_found: (state, { session_id, reply }) => inRoom(state, session_id, (room) => replyFound(room, reply)),

  reply_started: (state, { data }) => inRoom(state, data.session_id, (room) => replyStarted(room, data)),

  reply_delta: (state, { data }) => inRoom(state, data.session_id, (room) => replyGrew(room, data)),

  /** Its message came before; where it did not, the hole in the log says so. */
  reply_finished: (state, { data }) =>
    inRoom(state, data.session_id, (room) => ({
      ...withoutReply(room, data.reply_id),
      known_seq: Math.max(room.known_seq, data.seq ?? 0),
    })),

  reply_stopped: (state, { data }) => inRoom(state, data.session_id, (room) => replyStopped(room, data)),

  typing_changed: (state, { data, at }) =>
    inRoom(state, data.session_id, (room) => {
      const { participant, typing } = data;
      if (!typing || participant.id === state.me?.id) return withoutTyping(room, participant.id);
      return { ...room, typing: { ...room.typing, [participant.id]: { participant, at } } };
    }),

  /** A client that vanished cannot say that it stopped typing. */
  typing_expired: (state, { before }) => {
    const rooms = Object.values(state.rooms).map((room) =>
      Object.entries(room.typing).reduce((kept, [id, { at }]) => (at < before ? withoutTyping(kept, id) : kept), room),
    );
    return rooms.every((room) => room === state.rooms[room.session_id])
      ? state
      : { ...state, rooms: Object.fromEntries(rooms.map((room) => [room.session_id, room])) };
  },

  presence_changed: (state, { data }) =>
    inRoom(state, data.session_id, (room) => {
      const member = room.members[data.participant.id];
      if (!member || member.online === data.online) return room;
      const seen = withMember(room, { ...member, online: data.online });
      return data.online ? seen : withoutTyping(seen, data.participant.id);
    }),

  read_changed: (state, { data }) => {
    const marked = inRoom(state, data.session_id, (room) => {
      const member = room.members[data.participant_id];
      return member && member.read_seq < data.seq ? withMember(room, { ...member, read_seq: data.seq }) : room;
    });
    const overview = marked.sessions[data.session_id];
    if (!overview || data.participant_id !== state.me?.id) return marked;
    const read = overviewRead(overview, marked.rooms[data.session_id], state.me?.id, data.seq);
    return { ...marked, sessions: { ...marked.sessions, [overview.id]: read } };
  },
};

/**
 * @param {State} state
 * @param {string} session_id
 * @param {(room: Room) => Room} change
 */
function inRoom(state, session_id, change) {
  const room = state.rooms[session_id];
  if (!room) return state;
  const changed = change(room);
  return changed === room ? state : withRoom(state, changed);
}

/**
 * @param {State} state
 * @param {Room} room
 * @returns {State}
 */
function withRoom(state, room) {
  return { ...state, rooms: { ...state.rooms, [room.session_id]: room } };
}
