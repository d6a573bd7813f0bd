/**
 * Replies on their way: they wait, then their text grows by deltas, each with its offset in code points.
 *
 * @import {Participant, Reply, ReplyStarted} from "../protocol.js"
 * @import {LiveReply, Room} from "./model.js"
 */
import { isEnd } from "../answers.js";
import { codePointLength, dropCodePoints } from "../codepoints.js";

/**
 * @param {Room} room
 * @param {ReplyStarted} data
 * @returns {Room}
 */
export function replyStarted(room, data) {
  const known = room.replies[data.reply_id];
  if (hasEnded(room, data.reply_id) || (known && known.attempt >= data.attempt)) return room;
  return withReply(withoutOlder(room, data.prompt_seq, data.bot), {
    reply_id: data.reply_id,
    prompt_seq: data.prompt_seq,
    bot: data.bot,
    attempt: data.attempt,
    text: "",
    length: 0,
    state: "running",
  });
}

/**
 * Replies that an ack says wait for their turn; one that began meanwhile is left as it is.
 *
 * @param {Room} room
 * @param {Reply[]} replies
 * @returns {Room}
 */
export function repliesQueued(room, replies) {
  return replies.reduce((kept, { reply_id, prompt_seq, bot, state }) => {
    if (state !== "queued" || kept.replies[reply_id] || hasEnded(kept, reply_id)) return kept;
    const who = botOf(kept, bot);
    return withReply(withoutOlder(kept, prompt_seq, who), {
      reply_id,
      prompt_seq,
      bot: who,
      attempt: 0,
      text: "",
      length: 0,
      state: "queued",
    });
  }, room);
}

/**
 * A delta in order is appended, an overlap is trimmed, an older attempt is dropped; a hole marks
 * the room stale, so that it is joined again and the text so far comes with the ack.
 *
 * @param {Room} room
 * @param {{reply_id: string, attempt: number, offset: number, text: string}} data
 * @returns {Room}
 */
export function replyGrew(room, data) {
  const known = room.replies[data.reply_id];
  if (!known) return hasEnded(room, data.reply_id) ? room : { ...room, stale: true };
  if (known.state === "stopped" || data.attempt < known.attempt) return room;
  /** @type {LiveReply} */
  const reply = data.attempt > known.attempt ? { ...known, state: "running", attempt: data.attempt, text: "", length: 0 } : known;
  if (data.offset > reply.length) return { ...withReply(room, reply), stale: true };
  const fresh = dropCodePoints(data.text, reply.length - data.offset);
  if (fresh === "") return reply === known ? room : withReply(room, reply);
  return withReply(room, {
    ...reply,
    text: reply.text + fresh,
    length: reply.length + codePointLength(fresh),
  });
}

/**
 * A reply stopped before its first word leaves no message, so its prompt keeps a place to retry from.
 *
 * @param {Room} room
 * @param {{reply_id: string, seq: number | null}} data
 * @returns {Room}
 */
export function replyStopped(room, data) {
  const known = room.replies[data.reply_id];
  if (!known) return room;
  const followed = Object.values(room.replies).some((reply) => reply !== known && isSame(reply, known.prompt_seq, known.bot));
  if (data.seq !== null || followed) return withoutReply(room, data.reply_id);
  return withReply(room, { ...known, state: "stopped" });
}

/**
 * @param {Room} room
 * @param {string} reply_id
 * @returns {Room}
 */
export function withoutReply(room, reply_id) {
  if (!(reply_id in room.replies)) return room;
  const { [reply_id]: _gone, ...replies } = room.replies;
  return { ...room, replies };
}

/**
 * The replies of a join ack replace what was known; the longer text of an attempt wins, because
 * deltas are applied as they come and an ack may be older than the last of them. One that is not
 * listed keeps its place until `replyFound` says what became of it: it may have ended without a word.
 *
 * @param {Room} room
 * @param {Reply[]} replies
 * @returns {Record<string, LiveReply>}
 */
export function mergeReplies(room, replies) {
  /** @type {Record<string, LiveReply>} */
  const merged = {};
  for (const reply of replies) {
    const known = room.replies[reply.reply_id];
    const length = codePointLength(reply.text ?? "");
    const newer = known && (known.attempt > reply.attempt || (known.attempt === reply.attempt && known.length >= length));
    merged[reply.reply_id] = newer
      ? known
      : {
          reply_id: reply.reply_id,
          prompt_seq: reply.prompt_seq,
          bot: botOf(room, reply.bot),
          attempt: reply.attempt,
          text: reply.text ?? "",
          length,
          state: "running",
        };
  }
  return { ...room.replies, ...merged };
}

/**
 * What a look-up says of a reply that was heard of. Of one that has not ended more will be heard; one
 * that has is in the log, unless it said nothing.
 *
 * @param {Room} room
 * @param {Reply} reply
 * @returns {Room}
 */
export function replyFound(room, { reply_id, state, result_seq = null }) {
  if (state === "queued" || state === "running") return room;
  return state === "stopped" ? replyStopped(room, { reply_id, seq: result_seq }) : withoutReply(room, reply_id);
}

/**
 * @param {Room} room
 * @param {string} name
 * @returns {Participant}
 */
function botOf(room, name) {
  const bots = Object.values(room.members).map((member) => member.participant).filter(({ kind }) => kind === "bot");
  return bots.find((bot) => bot.name === name) ?? { id: `bot:${name}`, name, kind: "bot" };
}

/**
 * Without the stopped replies that a new one of the same bot follows. Where the bot has left, another
 * one may be asked in its stead.
 *
 * @param {Room} room
 * @param {number} prompt_seq
 * @param {Participant} bot
 * @returns {Room}
 */
function withoutOlder(room, prompt_seq, bot) {
  const older = Object.values(room.replies).filter(
    (reply) => reply.state === "stopped" && (isSame(reply, prompt_seq, bot) || (reply.prompt_seq === prompt_seq && !room.members[reply.bot.id])),
  );
  return older.reduce((kept, reply) => withoutReply(kept, reply.reply_id), room);
}

/**
 * @param {LiveReply} reply
 * @param {number} prompt_seq
 * @param {Participant} bot
 */
function isSame(reply, prompt_seq, bot) {
  return reply.prompt_seq === prompt_seq && reply.bot.id === bot.id;
}

/**
 * @param {Room} room
 * @param {string} reply_id
 */
function hasEnded(room, reply_id) {
  return room.events.some((event) => isEnd(event) && event.data.reply_id === reply_id);
}

/**
 * @param {Room} room
 * @param {LiveReply} reply
 * @returns {Room}
 */
function withReply(room, reply) {
  return { ...room, replies: { ...room.replies, [reply.reply_id]: reply } };
}
