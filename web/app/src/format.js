/** How times, names and counts are written. */

/** @param {Date} date */
function dayStart(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/**
 * Whole calendar days between two moments, in local time; a day of 23 or 25 hours counts as one.
 *
 * @param {Date} earlier
 * @param {Date} later
 */
export function daysBetween(earlier, later) {
  return Math.round((dayStart(later) - dayStart(earlier)) / 86_400_000);
}

/**
 * @param {string} iso
 * @param {string} [locale]
 */
export function clockTime(iso, locale) {
  return new Date(iso).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
}

/**
 * @param {string} iso
 * @param {string} [locale]
 */
export function fullTime(iso, locale) {
  return new Date(iso).toLocaleString(locale, { dateStyle: "full", timeStyle: "short" });
}

/**
 * @param {string} iso
 * @param {Date} [now]
 * @param {string} [locale]
 */
export function dayLabel(iso, now = new Date(), locale) {
  const date = new Date(iso);
  const days = daysBetween(date, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return date.toLocaleDateString(locale, { weekday: "long" });
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long", year });
}

/**
 * Short enough for a list: a clock time today, a weekday this week, else a date.
 *
 * @param {string} iso
 * @param {Date} [now]
 * @param {string} [locale]
 */
export function listTime(iso, now = new Date(), locale) {
  const date = new Date(iso);
  const days = daysBetween(date, now);
  if (days <= 0) return clockTime(iso, locale);
  if (days === 1) return "Yesterday";
  if (days < 7) return date.toLocaleDateString(locale, { weekday: "short" });
  const year = date.getFullYear() === now.getFullYear() ? undefined : "2-digit";
  return date.toLocaleDateString(locale, { day: "numeric", month: "short", year });
}

/** @param {string} name */
export function initials(name) {
  const words = name.trim().split(/[\s._-]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  const text = letters.map((word) => [...word][0]).join("");
  return text.toLocaleUpperCase() || "?";
}

export const HUES = 10;

/**
 * The same person has the same colour everywhere.
 *
 * @param {string} id
 */
export function hueOf(id) {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + /** @type {number} */ (letter.codePointAt(0))) >>> 0;
  return hash % HUES;
}

/** @param {number} count */
export function badge(count) {
  return count > 99 ? "99+" : String(count);
}

/** @param {string[]} names */
export function typingLabel(names) {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return `${names[0]} and ${names.length - 1} others are typing…`;
}

/**
 * Hours and minutes, rounded up.
 *
 * @param {number} ms
 */
export function duration(ms) {
  const minutes = Math.max(1, Math.ceil(ms / 60_000));
  const parts = [count(Math.floor(minutes / 60), "hour"), count(minutes % 60, "minute")];
  return parts.filter(Boolean).join(" ");
}

/**
 * @param {number} number
 * @param {string} unit
 */
function count(number, unit) {
  return number && `${number} ${unit}${number === 1 ? "" : "s"}`;
}

/** @param {{title: string, bot: string | null}} session also one that nobody has given a title yet */
export function titleOf({ title, bot }) {
  return title || (bot ? `Chat with ${bot}` : "Untitled");
}

/** @param {string} text words that may lack a full stop, such as a server's */
export function asSentence(text) {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** @param {string} text Markdown, to be shown on one line */
export function plainLine(text) {
  return text
    .slice(0, 300)
    .replace(/```\w*/g, " ")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^\s*(?:[#>]+|[-*+]|\d+\.)\s+/gm, "")
    .replace(/[*_`~]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
