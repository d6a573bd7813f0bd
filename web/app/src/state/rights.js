/**
 * Who may change what of a session; the server decides, this says what to offer.
 *
 * @import {Role} from "../protocol.js"
 */

const SETTINGS = ["title", "visibility", "reply_policy", "bot", "bot_turns"];
const OPERATORS = ["reply_policy", "bot"];

/**
 * @param {Role | undefined} role
 * @returns {Set<string>} names of settings; whoever may set `bot` may add and remove bots
 */
export function settableBy(role) {
  if (role === "owner") return new Set(SETTINGS);
  return new Set(role === "operator" ? OPERATORS : []);
}
