/**
 * The shapes of the `/chat` protocol that this client relies on; types only.
 *
 * @typedef {{id: string, name: string, kind: "user" | "bot" | "operator"}} Participant
 * @typedef {"private" | "link" | "public"} Visibility
 * @typedef {"always" | "mention" | "off"} ReplyPolicy
 * @typedef {"owner" | "member" | "operator"} Role
 *
 * @typedef {object} Session
 * @property {string} id
 * @property {string} title
 * @property {Visibility} visibility
 * @property {ReplyPolicy} reply_policy
 * @property {string | null} bot the one that answers unasked; more of them may be members
 * @property {number} bot_turns
 * @property {string} created_by
 * @property {string} created_at
 * @property {number} last_seq
 *
 * @typedef {object} Standing what a session means to the reader of the list
 * @property {Role} role
 * @property {number} read_seq
 * @property {number} unread
 * @property {Event | null} last_message
 * @property {string} active_at
 *
 * @typedef {Session & Standing} SessionOverview
 *
 * @typedef {object} Member
 * @property {Participant} participant
 * @property {Role} role
 * @property {string} joined_at
 * @property {number} read_seq
 * @property {boolean} online
 *
 * @typedef {object} Event a durable event of a session's log
 * @property {string} session_id
 * @property {number} seq
 * @property {string} type
 * @property {Participant} sender
 * @property {string} created_at
 * @property {any} data
 *
 * @typedef {object} Reply
 * @property {string} reply_id
 * @property {string} session_id
 * @property {number} prompt_seq
 * @property {string} bot
 * @property {"queued" | "running" | "done" | "failed" | "stopped"} state
 * @property {number} attempt
 * @property {string} text
 * @property {number | null} [result_seq] the message that it ended in
 *
 * @typedef {object} JoinAck
 * @property {Session} session
 * @property {Member[]} members
 * @property {Event[]} events
 * @property {number} from_seq
 * @property {number} to_seq
 * @property {boolean} complete
 * @property {Reply[]} replies
 *
 * @typedef {{seq: number, sender: Participant, text: string}} Highlight
 *
 * @typedef {object} Summary
 * @property {string} session_id
 * @property {number} total_messages
 * @property {{participant: Participant, messages: number}[]} messages_by_participant
 * @property {Record<string, number>} messages_by_kind
 * @property {string | null} first_message_at
 * @property {string | null} last_message_at
 * @property {"model" | "extractive"} method
 * @property {string | null} text
 * @property {string[]} topics
 * @property {"positive" | "neutral" | "negative" | "mixed" | null} sentiment
 * @property {Highlight[]} highlights
 * @property {number | null} covers_from_seq
 *
 * @typedef {{events: Event[], complete: boolean}} HistoryAck
 * @typedef {{name: string, description?: string}} BotInfo
 *
 * @typedef {object} ErrorBody
 * @property {string} code
 * @property {string} message
 * @property {boolean} retryable
 * @property {number} [retry_after_ms]
 * @property {number} [waiting] replies that would have come before
 * @property {string} [field]
 *
 * @typedef {object} TokenGrant
 * @property {string} token
 * @property {Participant} participant
 * @property {string} expires_at
 */

/** Events with a `seq`: they make up a session's log. */
export const DURABLE = new Set([
  "message_created",
  "message_edited",
  "message_deleted",
  "message_kept",
  "participant_joined",
  "participant_left",
  "session_updated",
  "reply_failed",
]);
