/**
 * Which answers of bots belong together: versions of one answer, what cut one short, and which reply
 * can be asked for again. Pure functions of a room's loaded log.
 *
 * @import {Event, MessageCreatedEvent, ReplyFailedEvent} from "./protocol.js"
 * @import {LiveReply, Room} from "./state/model.js"
 * @typedef {MessageCreatedEvent & {data: {reply_id: string, reply_to: number}}} Answer
 * @typedef {Answer | ReplyFailedEvent} End what ended a reply
 * @typedef {{event: MessageCreatedEvent, cut: ReplyFailedEvent | null}} Version `cut`: the failure that ended it early
 */

/**
 * @typedef {object} Answers
 * @property {Map<number, MessageCreatedEvent[]>} versions see `versionsOf`
 * @property {Map<string, ReplyFailedEvent>} cuts see `cutsOf`
 * @property {Map<string, End>} ends see `endsOf`
 * @property {Set<number>} standing messages of which the next reply takes the place
 * @property {Set<number>} elsewhere events that are shown with another one
 * @property {number | undefined} last_prompt the one that was answered last
 */

/** @type {WeakMap<Event[], Answers>} a log stays the same while a reply grows, token by token */
const known = new WeakMap();

/**
 * @param {Event[]} events without holes
 * @returns {Answers}
 */
export function answersOf(events) {
  const found = known.get(events) ?? findAnswers(events);
  known.set(events, found);
  return found;
}

/**
 * @param {Event[]} events
 * @returns {Answers}
 */
function findAnswers(events) {
  const versions = versionsOf(events);
  const cuts = cutsOf(events);
  const ends = endsOf(events);
  const spoken = events.filter(isAnswer).filter(({ data }) => !data.deleted_at);
  const standing = new Map(spoken.map((event) => [keyOfEnd(event), event.seq]));
  const hidden = [...cuts.values(), ...[...versions.values()].flatMap((chain) => chain.slice(1))];
  const last = events.findLast(isEnd);
  return {
    versions,
    cuts,
    ends,
    standing: new Set(standing.values()),
    elsewhere: new Set(hidden.map(({ seq }) => seq)),
    last_prompt: last && promptOf(last),
  };
}

/**
 * What one bot says to one prompt; its newest reply alone can be asked for again.
 *
 * @param {number} prompt_seq
 * @param {string} bot_id
 */
export const answerKey = (prompt_seq, bot_id) => `${prompt_seq} ${bot_id}`;

/** @param {LiveReply} reply */
export const keyOfReply = (reply) => answerKey(reply.prompt_seq, reply.bot.id);

/**
 * @param {Event} event
 * @returns {event is Answer}
 */
export const isAnswer = (event) => event.type === "message_created" && Boolean(event.data.reply_id);

/**
 * @param {Event} event
 * @returns {event is End}
 */
export const isEnd = (event) => event.type === "reply_failed" || isAnswer(event);

/** @param {End} end */
export const keyOfEnd = (end) => answerKey(promptOf(end), end.sender.id);

/** @param {End} end */
const promptOf = (end) => (end.type === "reply_failed" ? end.data.prompt_seq : end.data.reply_to);

/**
 * Messages that took the place of others, oldest first, by the seq of the first one that is loaded.
 * A message whose predecessor is not loaded begins a place of its own until that is.
 *
 * @param {Event[]} events without holes
 * @returns {Map<number, MessageCreatedEvent[]>}
 */
export function versionsOf(events) {
  /** @type {Map<number, MessageCreatedEvent[]>} */
  const versions = new Map();
  /** @type {Map<number, number>} */
  const places = new Map();
  for (const event of events) {
    if (event.type !== "message_created") continue;
    const { replaces } = event.data;
    if (replaces === undefined || replaces >= event.seq) continue;
    const target = events[replaces - events[0].seq];
    if (target?.type !== "message_created") continue;
    const place = places.get(target.seq) ?? target.seq;
    places.set(event.seq, place);
    versions.set(place, [...(versions.get(place) ?? [target]), event]);
  }
  return versions;
}

/**
 * The failures that are told at the message which they cut short, by reply id; all others are lines
 * of their own.
 *
 * @param {Event[]} events
 * @returns {Map<string, ReplyFailedEvent>}
 */
export function cutsOf(events) {
  const short = events.filter(isAnswer).filter(({ data }) => data.failed && !data.deleted_at);
  const cut = new Set(short.map(({ data }) => data.reply_id));
  const told = events.filter((event) => event.type === "reply_failed").filter(({ data }) => cut.has(data.reply_id));
  return new Map(told.map((event) => [event.data.reply_id, event]));
}

/**
 * The newest end of a reply, for each prompt and bot.
 *
 * @param {Event[]} events
 * @returns {Map<string, End>}
 */
export function endsOf(events) {
  return new Map(events.filter(isEnd).map((event) => [keyOfEnd(event), event]));
}

/**
 * The ids of the replies that the server would let anybody ask for again.
 *
 * @param {Room} room
 * @param {Map<string, End>} ends
 * @returns {Set<string>}
 */
export function retryableReplies(room, ends) {
  const { session, events, members } = room;
  if (!session || session.reply_policy === "off") return new Set();
  const live = new Set(Object.values(room.replies).map(keyOfReply));
  const own = Object.values(members).find(({ participant }) => participant.kind === "bot" && participant.name === session.bot);
  const newest = [...ends].filter(([key, end]) => {
    if (live.has(key) || !mayBeRetried(end)) return false;
    const prompt_seq = promptOf(end);
    const prompt = events[prompt_seq - events[0].seq];
    if (prompt?.type === "message_created" && prompt.data.deleted_at) return false;
    if (members[end.sender.id]) return true;
    // The session's own bot is asked in the stead of one that has left, unless it was asked as well.
    const stead = own && answerKey(prompt_seq, own.participant.id);
    return stead !== undefined && !live.has(stead) && !ends.has(stead);
  });
  return new Set(newest.map(([, end]) => end.data.reply_id));
}

/**
 * Why an answer was cut short comes right after it, and says whether asking again can help.
 *
 * @param {End} end
 */
function mayBeRetried(end) {
  if (end.type === "reply_failed") return end.data.retryable !== false;
  return !end.data.failed && !end.data.deleted_at;
}
