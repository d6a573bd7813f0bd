/**
 * What a room shows, top to bottom: days, messages in groups, notices, messages on their way, and
 * replies being written. Pure, so that it can be tested without a page.
 *
 * @import {Event, Participant} from "./protocol.js"
 * @import {LiveReply, Outgoing, Room} from "./state/model.js"
 *
 * @typedef {{kind: "day", key: string, at: string}} DayItem
 * @typedef {{kind: "unread", key: string}} UnreadItem
 * @typedef {{kind: "notice", key: string, event: Event}} NoticeItem
 * @typedef {object} MessageItem
 * @property {"message"} kind
 * @property {string} key
 * @property {Event} event
 * @property {boolean} own
 * @property {boolean} head first of a group: shows who speaks
 * @property {string | null} retry the reply to ask for again
 * @property {Event | null} quoted
 * @typedef {{kind: "failure", key: string, event: Event, retry: string | null}} FailureItem
 * @typedef {{kind: "outgoing", key: string, entry: Outgoing, head: boolean}} OutgoingItem
 * @typedef {{kind: "reply", key: string, reply: LiveReply}} ReplyItem
 * @typedef {DayItem | UnreadItem | NoticeItem | MessageItem | FailureItem | OutgoingItem | ReplyItem} Item
 */
import { daysBetween } from "./format.js";

const GROUP_GAP_MS = 5 * 60_000;
const NOTICES = new Set(["participant_joined", "participant_left", "session_updated"]);

/**
 * @param {Room} room
 * @param {Outgoing[]} outbox of this room
 * @param {Participant} me
 * @param {number | null} unread_after the read mark at the time of opening
 * @returns {Item[]}
 */
export function buildTimeline(room, outbox, me, unread_after = null) {
  /** @type {Item[]} */
  const items = [];
  /** @type {{id: string, at: number} | null} */
  let speaker = null;
  let last_at = "";
  const last_end = lastReplyEnd(room);

  const dayOf = (/** @type {string} */ at, /** @type {string | number} */ id) => {
    if (last_at && daysBetween(new Date(last_at), new Date(at)) === 0) return;
    items.push({ kind: "day", key: `day-${id}`, at });
    speaker = null;
    last_at = at;
  };
  const isHead = (/** @type {string} */ id, /** @type {string} */ created_at) => {
    const at = Date.parse(created_at);
    const head = speaker?.id !== id || at - speaker.at > GROUP_GAP_MS;
    speaker = { id, at };
    return head;
  };

  let divided = unread_after === null;
  for (const event of room.events) {
    const spoken = event.type === "message_created";
    if (!spoken && !NOTICES.has(event.type) && event.type !== "reply_failed") continue;
    dayOf(event.created_at, event.seq);
    if (!divided && spoken && event.seq > Number(unread_after) && event.sender.id !== me.id) {
      items.push({ kind: "unread", key: "unread" });
      divided = true;
      speaker = null;
    }
    const retry = event === last_end ? event.data.reply_id : null;
    if (spoken) {
      const own = event.sender.id === me.id;
      items.push({
        kind: "message",
        key: own ? (event.data.client_message_id ?? `m-${event.seq}`) : `m-${event.seq}`,
        event,
        own,
        head: isHead(event.sender.id, event.created_at),
        retry,
        quoted: quotedBy(event, room),
      });
    } else {
      speaker = null;
      if (event.type === "reply_failed") items.push({ kind: "failure", key: `f-${event.seq}`, event, retry });
      else items.push({ kind: "notice", key: `n-${event.seq}`, event });
    }
  }

  for (const reply of runningFirst(room)) items.push({ kind: "reply", key: `r-${reply.reply_id}`, reply });
  if (Object.keys(room.replies).length) speaker = null;
  for (const entry of outbox) {
    dayOf(entry.created_at, entry.client_message_id);
    items.push({ kind: "outgoing", key: entry.client_message_id, entry, head: isHead(me.id, entry.created_at) });
  }
  return items;
}

/**
 * A failed or stopped reply can be asked for again as long as nothing came after it from a bot.
 *
 * @param {Room} room
 */
function lastReplyEnd(room) {
  if (Object.values(room.replies).some((reply) => reply.state === "running")) return null;
  const end = room.events.findLast((event) => event.data.reply_id);
  if (!end) return null;
  if (end.type === "reply_failed") return end.data.retryable === false ? null : end;
  return end.data.stopped && !end.data.deleted_at ? end : null;
}

/** @param {Room} room */
function runningFirst(room) {
  return Object.values(room.replies).sort((one, other) => one.prompt_seq - other.prompt_seq);
}

/**
 * A bot's answer right below its prompt needs no quote.
 *
 * @param {Event} event
 * @param {Room} room
 */
function quotedBy(event, room) {
  const { reply_to, reply_id } = event.data;
  if (!reply_to || reply_id) return null;
  const target = room.events[reply_to - room.events[0].seq];
  return target?.type === "message_created" ? target : null;
}
