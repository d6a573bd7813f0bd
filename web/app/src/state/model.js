/**
 * The client's own state; types only.
 *
 * @import {Problem} from "../errors.js"
 * @import {
 *   BotInfo, Event, Member, Participant, Session, SessionOverview
 * } from "../protocol.js"
 *
 * @typedef {object} LiveReply a reply that has not become a message yet
 * @property {string} reply_id
 * @property {number} prompt_seq
 * @property {Participant} bot
 * @property {number} attempt
 * @property {string} text
 * @property {number} length of `text` in code points
 * @property {"queued" | "running" | "stopped"} state `stopped` stays only where nothing was said
 *
 * @typedef {object} Room
 * @property {string} session_id
 * @property {"joining" | "joined" | "failed"} status
 * @property {Problem | null} error why joining failed
 * @property {Session | null} session
 * @property {Record<string, Member>} members by participant id
 * @property {Event[]} events ascending, without holes, ending at `last_seq`
 * @property {number} last_seq the cursor: everything up to here is applied
 * @property {number} known_seq highest seq heard of; above `last_seq` something is missing
 * @property {boolean} complete the log's beginning is loaded
 * @property {Event[]} detached an earlier stretch, until paging closes the hole before `events`
 * @property {boolean} stale a running reply has a hole: its text must be asked for again
 * @property {boolean} paging a page of history is on its way
 * @property {Record<string, LiveReply>} replies by reply id
 * @property {Record<string, {participant: Participant, at: number}>} typing by participant id
 *
 * @typedef {object} Outgoing a message on its way
 * @property {string} client_message_id
 * @property {string} participant_id
 * @property {string} session_id
 * @property {string} text
 * @property {number} [reply_to]
 * @property {string} created_at
 * @property {"pending" | "sent" | "failed"} state
 * @property {number} [seq] known once acked
 * @property {Problem} [error]
 *
 * @typedef {{id: number, tone: "error" | "info", text: string}} Toast
 *
 * @typedef {object} State
 * @property {Participant | null} me
 * @property {{name: string, reason: Problem | null}} entry what the name entry shows
 * @property {{status: "idle" | "connecting" | "online" | "offline", ever: boolean, draining: boolean}} connection
 * @property {BotInfo[]} bots
 * @property {Record<string, number>} limits
 * @property {{name: string, version: string, default_bot: string | null}} server
 * @property {Record<string, SessionOverview>} sessions by session id
 * @property {boolean} listed the first page of sessions has arrived
 * @property {string | null} next cursor of the next page of sessions
 * @property {string | null} open the session in view
 * @property {Record<string, Room>} rooms by session id
 * @property {Outgoing[]} outbox in sending order
 * @property {Toast[]} toasts
 */

/** @returns {State} */
export function initialState() {
  return {
    me: null,
    entry: { name: "", reason: null },
    connection: { status: "idle", ever: false, draining: false },
    bots: [],
    limits: {},
    server: { name: "", version: "", default_bot: null },
    sessions: {},
    listed: false,
    next: null,
    open: null,
    rooms: {},
    outbox: [],
    toasts: [],
  };
}
