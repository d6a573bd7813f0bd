/**
 * A room: the loaded stretch of a session's log, its members, and what happens in it now.
 *
 * @import {Problem} from "../errors.js"
 * @import {
 *   Event, History, Joined, Member, ParticipantJoinedEvent, SessionUpdated
 * } from "../protocol.js"
 * @import {Room} from "./model.js"
 */
import { isEnd } from "../answers.js";
import { firstSeq, mergeLog, patched } from "./log.js";
import { mergeReplies, withoutReply } from "./replies.js";

const LOADED_IN_VIEW = 2000;
const LOADED_BESIDE = 200;

/**
 * @param {string} session_id
 * @returns {Room}
 */
export function newRoom(session_id) {
  return {
    session_id,
    status: "joining",
    error: null,
    session: null,
    members: {},
    events: [],
    last_seq: -1,
    known_seq: -1,
    complete: false,
    detached: [],
    stale: false,
    paging: false,
    replies: {},
    typing: {},
  };
}

/**
 * Takes a snapshot in. What it continues is kept; where it says that too much was missed, the old
 * stretch waits in `detached` until paging meets it.
 *
 * @param {Room} room
 * @param {Joined} ack
 * @returns {Room}
 */
export function roomJoined(room, ack) {
  const known = room.last_seq >= 0;
  const continues = known && ack.from_seq <= room.last_seq + 1;
  const older = room.detached.length ? room.detached : room.events;
  const members = Object.fromEntries(ack.members.map((member) => [member.participant.id, member]));
  const joined = { ...room, members };
  const last_seq = continues ? Math.max(room.last_seq, ack.to_seq) : ack.to_seq;
  return {
    ...joined,
    status: "joined",
    error: null,
    session: { ...ack.session, last_seq },
    events: continues ? mergeLog(room.events, ack.events) : ack.events,
    last_seq,
    known_seq: Math.max(last_seq, ack.session.last_seq),
    complete: continues ? room.complete : ack.from_seq <= 1,
    detached: continues || !known ? room.detached : older,
    stale: false,
    replies: withoutEnded(mergeReplies(joined, ack.replies), ack.events),
    typing: {},
  };
}

/**
 * @param {Room} room
 * @param {Problem} error
 * @returns {Room}
 */
export function roomRefused(room, error) {
  return { ...room, status: "failed", error, paging: false };
}

/**
 * Prepends a page of history; a page that reaches the detached stretch brings it back.
 *
 * @param {Room} room
 * @param {History} ack
 * @returns {Room}
 */
export function historyLoaded(room, ack) {
  let events = mergeLog(ack.events, room.events);
  let { complete } = ack;
  let detached = room.detached;
  if (detached.length && firstSeq(events, room.last_seq) <= detached[detached.length - 1].seq + 1) {
    complete = detached[0].seq <= 1;
    events = mergeLog(detached, events);
    detached = [];
  }
  if (complete) detached = [];
  return { ...room, events: patched(events), complete, detached, paging: false };
}

/**
 * Appends the next durable event. One already applied is dropped, one after a hole is only
 * remembered in `known_seq`, so that the missing ones are asked for.
 *
 * @param {Room} room
 * @param {Event} event
 * @returns {Room}
 */
export function eventArrived(room, event) {
  if (room.status !== "joined" || event.seq <= room.last_seq) return room;
  if (event.seq > room.last_seq + 1) return { ...room, known_seq: Math.max(room.known_seq, event.seq) };
  const grown = {
    ...room,
    events: mergeLog(room.events, [event]),
    last_seq: event.seq,
    known_seq: Math.max(room.known_seq, event.seq),
    session: room.session && { ...room.session, last_seq: event.seq },
    complete: room.complete || event.seq === 1,
  };
  return applied(grown, event);
}

/**
 * Forgets the oldest loaded events, so that a long-lived page stays small.
 *
 * @param {Room} room
 * @param {boolean} in_view
 * @returns {Room}
 */
export function trimmed(room, in_view) {
  const limit = in_view ? LOADED_IN_VIEW : LOADED_BESIDE;
  if (room.events.length <= limit * 1.5) return room;
  return { ...room, events: room.events.slice(-limit), complete: false, detached: [] };
}

/**
 * @param {Room} room
 * @param {Event} event
 * @returns {Room}
 */
function applied(room, event) {
  switch (event.type) {
    case "message_created":
      return withoutTyping(event.data.reply_id ? withoutReply(room, event.data.reply_id) : room, event.sender.id);
    case "reply_failed":
      return withoutReply(room, event.data.reply_id);
    case "participant_joined":
      return withMember(room, memberFrom(room, event));
    case "participant_left":
      return withoutMember(room, event.data.participant.id, event.data.new_owner);
    case "session_updated":
      return { ...room, session: room.session && { ...room.session, ...settingsOf(event.data) } };
    default:
      return room;
  }
}

/** @param {SessionUpdated} data */
export function settingsOf({ title, visibility, reply_policy, bot, bot_turns = 0 }) {
  return { title, visibility, reply_policy, bot, bot_turns };
}

/**
 * @param {Room} room
 * @param {ParticipantJoinedEvent} event
 * @returns {Member}
 */
function memberFrom(room, event) {
  const { participant, role, read_seq } = event.data;
  const known = room.members[participant.id];
  return {
    participant,
    role,
    joined_at: event.created_at,
    read_seq: read_seq ?? known?.read_seq ?? 0,
    online: known?.online ?? participant.kind === "bot",
  };
}

/**
 * @param {Room} room
 * @param {Member} member
 * @returns {Room}
 */
export function withMember(room, member) {
  return { ...room, members: { ...room.members, [member.participant.id]: member } };
}

/**
 * @param {Room} room
 * @param {string} participant_id
 * @param {string} [new_owner]
 * @returns {Room}
 */
function withoutMember(room, participant_id, new_owner) {
  const { [participant_id]: _gone, ...members } = room.members;
  const heir = new_owner ? members[new_owner] : undefined;
  if (heir) members[heir.participant.id] = { ...heir, role: "owner" };
  return withoutTyping({ ...room, members }, participant_id);
}

/**
 * @param {Room} room
 * @param {string} participant_id
 * @returns {Room}
 */
export function withoutTyping(room, participant_id) {
  if (!(participant_id in room.typing)) return room;
  const { [participant_id]: _gone, ...typing } = room.typing;
  return { ...room, typing };
}

/**
 * @param {Room["replies"]} replies
 * @param {Event[]} events
 */
function withoutEnded(replies, events) {
  const ended = new Set(events.filter(isEnd).map((event) => event.data.reply_id));
  return Object.fromEntries(Object.entries(replies).filter(([id]) => !ended.has(id)));
}
