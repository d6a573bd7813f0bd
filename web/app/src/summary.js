/**
 * What a session's summary says in words. Pure, so that it can be tested without a page.
 *
 * @import {Summary} from "./protocol.js"
 */
import { fullTime } from "./format.js";

/**
 * How much was said, and by whom.
 *
 * @param {Summary} summary
 */
export function countsLine({ total_messages, messages_by_kind }) {
  const bots = messages_by_kind.bot ?? 0;
  const messages = total_messages === 1 ? "1 message" : `${total_messages} messages`;
  if (!bots) return messages;
  return bots === total_messages ? `${messages}, all by bots` : `${messages}, ${bots} of them by bots`;
}

/**
 * @param {Summary} summary
 * @param {string} [locale]
 */
export function spanLine({ first_message_at, last_message_at }, locale) {
  if (!first_message_at || !last_message_at) return "";
  const [first, last] = [fullTime(first_message_at, locale), fullTime(last_message_at, locale)];
  return first === last ? first : `${first} – ${last}`;
}

/**
 * The mood, or nothing where it is not known.
 *
 * @param {Summary} summary
 */
export function moodLabel({ sentiment }) {
  return sentiment ? `Mood: ${sentiment}` : "";
}

/** @param {Summary} summary */
export function sourceLine({ method }) {
  return method === "model" ? "Written by a language model, which may be wrong. The quotes were checked." : "Found by counting and weighing words.";
}
