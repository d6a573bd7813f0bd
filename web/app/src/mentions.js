/**
 * Bots spoken to by name. The same rules as the server's, which decides whom a message asks.
 *
 * @import {Participant, Session} from "./protocol.js"
 * @import {Room} from "./state/model.js"
 */

/** What Markdown shows as code, fenced or between single backticks on one line. */
const CODE = /```[\s\S]*?(?:```|$)|`[^`\n]*`/g;
/** Bots that one message asks at most. */
const MOST_ASKED = 3;
/** A letter, digit or underscore of any script. */
const WORD = "[\\p{L}\\p{N}_]";
/** An `@` where a name may be begun, and what is typed of it up to the caret. */
const BEGUN = new RegExp(`(?<!${WORD}|[.+/-])@([^@\\n]{0,60})$`, "u");

/**
 * Finds `@name` of the bots in text that is no code; null where there are no bots.
 *
 * @param {string[]} bots
 * @returns {RegExp | null}
 */
export function mentionPattern(bots) {
  if (!bots.length) return null;
  const longest_first = [...bots].sort((one, other) => other.length - one.length);
  const names = longest_first.map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|");
  return new RegExp(`(?<!${WORD}|[.+/-])@(${names})(?![-./]?${WORD})`, "giu");
}

/**
 * Whom `text` asks if `sender` says it: those it mentions, or else the session's own bot.
 *
 * @param {Pick<Session, "bot" | "reply_policy">} session
 * @param {Participant} sender
 * @param {string[]} bots names of those that are members
 * @param {string} text
 * @returns {string[]} in the order of mention
 */
export function askedBots(session, sender, bots, text) {
  if (session.reply_policy === "off" || sender.kind === "bot") return [];
  const pattern = mentionPattern(bots);
  const spoken = pattern ? [...text.replace(CODE, " ").matchAll(pattern)].map((match) => match[1].toLowerCase()) : [];
  const found = [...new Set(spoken)].flatMap((name) => bots.filter((bot) => bot.toLowerCase() === name));
  if (found.length) return found.slice(0, MOST_ASKED);
  const unasked = session.reply_policy === "always" && sender.kind === "user";
  return unasked && session.bot ? [session.bot] : [];
}

/**
 * The name that is being typed at the caret, and the bots that it may become; null where none is.
 *
 * A name that is whole offers nothing more, so that Enter sends.
 *
 * @param {string} text
 * @param {number} caret in UTF-16 units
 * @param {string[]} bots
 * @returns {{start: number, names: string[]} | null} `start` is where the `@` stands
 */
export function begunMention(text, caret, bots) {
  const before = text.slice(0, caret);
  const begun = BEGUN.exec(before);
  if (!begun || isInCode(before.slice(0, begun.index))) return null;
  const typed = begun[1].toLowerCase();
  const names = bots.filter((name) => name.toLowerCase().startsWith(typed));
  const whole = names.some((name) => name.toLowerCase() === typed);
  return names.length && !whole ? { start: begun.index, names } : null;
}

/**
 * @param {string} text
 * @param {number} start of the `@`
 * @param {number} caret
 * @param {string} name
 * @returns {{text: string, caret: number}} with the whole name in the place of what was typed of it
 */
export function withMention(text, start, caret, name) {
  const rest = text.slice(caret);
  const inserted = `${text.slice(0, start)}@${name}${/^\s/.test(rest) ? "" : " "}`;
  return { text: inserted + rest, caret: inserted.length + (/^\s/.test(rest) ? 1 : 0) };
}

/**
 * The names of a room's bots, in the order of the alphabet.
 *
 * @param {Pick<Room, "members">} room
 */
export function botNames({ members }) {
  const bots = Object.values(members).filter(({ participant }) => participant.kind === "bot");
  return bots.map(({ participant }) => participant.name).sort();
}

/**
 * Whether what follows `before` stands in code: in a fence, or between backticks that may be closed yet.
 *
 * @param {string} before
 */
function isInCode(before) {
  const rest = before.replace(/```[\s\S]*?```|(```)|`[^`\n]*`/g, "$1");
  return /```|`[^`\n]*$/.test(rest);
}
