/**
 * What a room shows, top to bottom: days, messages in groups, notices, messages on their way, and
 * replies being written. Pure, so that it can be tested without a page.
 *
 * @import {Version} from "./answers.js"
 * @import {
 *   Event, MessageCreatedEvent, Participant, ParticipantJoinedEvent, ParticipantLeftEvent,
 *   ReplyFailedEvent, SessionUpdatedEvent
 * } from "./protocol.js"
 * @import {LiveReply, Outgoing, Room} from "./state/model.js"
 *
 * @typedef {{kind: "day", key: string, at: string}} DayItem
 * @typedef {{kind: "unread", key: string}} UnreadItem
 * @typedef {ParticipantJoinedEvent | ParticipantLeftEvent | SessionUpdatedEvent} Noticed
 * @typedef {{kind: "notice", key: string, event: Noticed}} NoticeItem
 * @typedef {object} MessageItem
 * @property {"message"} kind
 * @property {string} key
 * @property {MessageCreatedEvent} event
 * @property {boolean} own
 * @property {boolean} head first of a group: shows who speaks
 * @property {string | null} retry the reply to ask for again
 * @property {boolean} last answers the prompt that was answered last
 * @property {ReplyFailedEvent | null} cut the failure that ended it early
 * @property {Version[]} earlier what it took the place of, oldest first
 * @property {MessageCreatedEvent | null} quoted
 * @typedef {object} FailureItem
 * @property {"failure"} kind
 * @property {string} key
 * @property {ReplyFailedEvent} event
 * @property {string | null} retry
 * @property {boolean} over another reply followed it
 * @typedef {{kind: "outgoing", key: string, entry: Outgoing, head: boolean}} OutgoingItem
 * @typedef {{kind: "reply", key: string, reply: LiveReply}} ReplyItem
 * @typedef {DayItem | UnreadItem | NoticeItem | MessageItem | FailureItem | OutgoingItem | ReplyItem} Item
 */
import { answersOf, isAnswer, isEnd, keyOfEnd, keyOfReply, retryableReplies } from "./answers.js";
import { daysBetween } from "./format.js";

const GROUP_GAP_MS = 5 * 60_000;
const NOTICES = new Set(["participant_joined", "participant_left", "session_updated"]);

/**
 * @param {Event} event
 * @returns {event is Noticed}
 */
const isNotice = (event) => NOTICES.has(event.type);

/** One for all, so that a message without earlier versions is not drawn again for nothing. */
const NO_VERSIONS = /** @type {Version[]} */ ([]);

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
  const answers = answersIn(room);
  const replies = new Map(liveReplies(room).map((reply) => [keyOfReply(reply), reply]));

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
  const pushReply = (/** @type {LiveReply} */ reply) => {
    items.push({ kind: "reply", key: `r-${reply.reply_id}`, reply });
    replies.delete(keyOfReply(reply));
    speaker = null;
  };

  let divided = unread_after === null;
  for (const event of room.events) {
    const spoken = event.type === "message_created";
    if (!spoken && event.type !== "reply_failed" && !isNotice(event)) continue;
    if (answers.elsewhere.has(event.seq)) continue;
    dayOf(event.created_at, event.seq);
    if (!divided && spoken && event.seq > Number(unread_after) && event.sender.id !== me.id) {
      items.push({ kind: "unread", key: "unread" });
      divided = true;
      speaker = null;
    }
    if (spoken) {
      const versions = answers.versions.get(event.seq);
      const shown = versions?.at(-1) ?? event;
      const following = answers.standing.has(shown.seq) && isAnswer(shown) ? replies.get(keyOfEnd(shown)) : undefined;
      if (following?.state === "running") {
        pushReply(following);
        continue;
      }
      const own = event.sender.id === me.id;
      items.push({
        kind: "message",
        key: own ? (event.data.client_message_id ?? `m-${event.seq}`) : `m-${event.seq}`,
        event: shown,
        own,
        head: isHead(event.sender.id, event.created_at),
        retry: answers.retryOf(shown),
        last: shown.data.reply_id !== undefined && shown.data.reply_to === answers.last_prompt,
        cut: answers.cuts.get(shown.data.reply_id ?? "") ?? null,
        earlier: versions ? earlierOf(versions, answers.cuts) : NO_VERSIONS,
        quoted: quotedBy(shown, room),
      });
      if (following) pushReply(following);
    } else {
      speaker = null;
      if (event.type === "reply_failed") {
        const over = answers.ends.get(keyOfEnd(event)) !== event;
        items.push({ kind: "failure", key: `f-${event.seq}`, event, retry: answers.retryOf(event), over });
      } else items.push({ kind: "notice", key: `n-${event.seq}`, event });
    }
  }

  for (const reply of [...replies.values()]) pushReply(reply);
  for (const entry of outbox) {
    dayOf(entry.created_at, entry.client_message_id);
    items.push({ kind: "outgoing", key: entry.client_message_id, entry, head: isHead(me.id, entry.created_at) });
  }
  return items;
}

/**
 * Replies on their way, in the order in which they are shown and stopped: what is being written
 * comes before what waits.
 *
 * @param {Room} room
 */
export function liveReplies(room) {
  const waits = (/** @type {LiveReply} */ reply) => Number(reply.state === "queued");
  return Object.values(room.replies).sort((one, other) => waits(one) - waits(other) || one.prompt_seq - other.prompt_seq);
}

/** @param {Room} room */
function answersIn(room) {
  const answers = answersOf(room.events);
  const retryable = retryableReplies(room, answers.ends);
  return {
    ...answers,
    retryOf: (/** @type {Event} */ event) => (isEnd(event) && retryable.has(event.data.reply_id) ? event.data.reply_id : null),
  };
}

/**
 * @param {MessageCreatedEvent[]} versions
 * @param {Map<string, ReplyFailedEvent>} cuts
 * @returns {Version[]}
 */
function earlierOf(versions, cuts) {
  const earlier = versions.slice(0, -1).filter(({ data }) => !data.deleted_at);
  return earlier.map((event) => ({ event, cut: cuts.get(event.data.reply_id ?? "") ?? null }));
}

/**
 * A bot's answer right below its prompt needs no quote.
 *
 * @param {MessageCreatedEvent} event
 * @param {Room} room
 */
function quotedBy(event, room) {
  const { reply_to, reply_id } = event.data;
  if (!reply_to || reply_id) return null;
  const target = room.events[reply_to - room.events[0].seq];
  return target?.type === "message_created" ? target : null;
}
