/**
 * Errors of the protocol, and what a person is told about them.
 *
 * @import {ErrorBody, ErrorCode} from "./protocol.js"
 *
 * @typedef {ErrorCode | "offline" | "timeout"} ProblemCode
 * @typedef {Omit<ErrorBody, "code"> & {code: ProblemCode}} Problem an error of the protocol, or one that never got there
 */
import { asSentence, duration } from "./format.js";

/** A request that the server refused, or that never reached it (`offline`, `timeout`, `payload_too_large`). */
export class ChatError extends Error {
  /** @param {Problem} body */
  constructor(body) {
    super(body.message);
    this.name = "ChatError";
    this.body = body;
  }
}

export const offline = () =>
  new ChatError({ code: "offline", message: "There is no connection", retryable: true });

export const timeout = () =>
  new ChatError({ code: "timeout", message: "The server did not answer in time", retryable: true });

export const tooLarge = () =>
  new ChatError({ code: "payload_too_large", message: "This is more than the server takes at once", retryable: false });

/**
 * @param {unknown} error
 * @returns {Problem}
 */
export function errorBody(error) {
  if (error instanceof ChatError) return error.body;
  return { code: "internal", message: String(error), retryable: false };
}

/** @param {Problem | null} error */
export function endsSignIn(error) {
  return error !== null && ["unauthorized", "token_expired", "token_revoked"].includes(error.code);
}

/** @type {Partial<Record<ProblemCode, string>>} */
const SENTENCES = {
  offline: "You are offline. It will work again once the connection is back.",
  timeout: "The server did not answer in time. Please try again.",
  blank_text: "A message needs some text.",
  text_too_long: "That message is too long.",
  not_found: "This chat does not exist, or you need an invite to see it.",
  not_member: "You are not a member of this chat any more.",
  forbidden: "You are not allowed to do that.",
  unauthorized: "Please enter your name again.",
  token_expired: "You were away for too long. Please enter your name again.",
  token_revoked: "You were signed out. Please enter your name again.",
  too_many_sessions: "You have reached the number of chats one person can have. Delete or leave one first.",
  session_full: "This chat is full.",
  too_many_bots: "This chat has as many bots as it may have. Remove one of them first.",
  too_many_invites: "This chat has too many invite links. Make the old ones invalid first.",
  too_many_connections: "Too many connections from your network. Trying again shortly.",
  too_many_in_flight: "Too much at once. Please try again.",
  slow_consumer: "Your connection could not keep up. Connecting again shortly.",
  payload_too_large: "That is too large to send.",
  payload_too_deep: "That could not be sent.",
  unknown_bot: "That bot does not exist any more.",
  draining: "The server is restarting. Please try again in a moment.",
  unavailable: "The server is not available right now. Please try again.",
  internal: "Something went wrong on the server.",
};

/** @param {Problem} error */
export function sentence(error) {
  if (error.code === "rate_limited") {
    const seconds = Math.ceil((error.retry_after_ms ?? 0) / 1000);
    return seconds > 1 ? `You are a little too fast. Try again in ${seconds} seconds.` : "You are a little too fast. Try again in a second.";
  }
  if (error.code === "invalid_payload") {
    return error.field ? `Please check “${error.field.replaceAll("_", " ")}”: ${error.message}` : `That was not accepted: ${error.message}`;
  }
  if (error.code === "busy") return `${waiting(error.waiting)} Please try again in a moment.`;
  if (error.code === "quota_exceeded") {
    const wait = error.retry_after_ms ? `in ${duration(error.retry_after_ms)}` : "tomorrow";
    return `You have used up your replies of today. You can ask again ${wait}, after midnight UTC.`;
  }
  if (error.code === "conflict") return `That cannot be done: ${asSentence(error.message)}`;
  return SENTENCES[error.code] ?? asSentence(error.message);
}

/** @param {number | undefined} replies */
function waiting(replies) {
  if (!replies) return "Too many replies wait already.";
  return replies === 1 ? "1 reply waits before yours." : `${replies} replies wait before yours.`;
}
