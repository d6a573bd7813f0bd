/**
 * Sending, changing, keeping and reading messages; stopping and retrying replies.
 *
 * @import {Payload, Reply} from "../protocol.js"
 * @import {Outgoing} from "../state/model.js"
 * @import {Context} from "./context.js"
 */
import { pause } from "../connection.js";
import { errorBody } from "../errors.js";
import { OUTBOX_LIMIT } from "../state/outbox.js";

/** @typedef {"edit_message" | "delete_message" | "keep_message" | "stop_reply" | "retry_reply"} AboutMessages */

const TRIES = 5;
const TYPING_EVERY_MS = 2500;
/** Trying again at once would find the same queue; whoever waits is told instead. */
const TOLD_AT_ONCE = new Set(["busy"]);

/** @param {Context} context */
export function messageCommands({ store, connection, complain, toast }) {
  /** @type {Set<string>} */
  const flushing = new Set();
  /** @type {Map<string, number>} highest seq asked to be marked, by session */
  const marking = new Map();
  let typing_since = 0;

  /**
   * One message of a session at a time, so that they arrive in the order written.
   *
   * @param {string} session_id
   */
  async function flush(session_id) {
    if (flushing.has(session_id)) return;
    flushing.add(session_id);
    try {
      for (let entry = nextPending(session_id); entry; entry = nextPending(session_id)) {
        if (!(await deliver(entry))) return;
      }
    } finally {
      flushing.delete(session_id);
    }
  }

  /** @param {string} session_id */
  function nextPending(session_id) {
    return store.state.outbox.find((entry) => entry.session_id === session_id && entry.state === "pending");
  }

  /**
   * Repeating is safe whatever became of the first try: the server stores an id once.
   *
   * @param {Outgoing} entry
   * @returns {Promise<boolean>} whether its fate is known
   */
  async function deliver({ session_id, text, client_message_id, reply_to }) {
    for (let tries = 1; ; tries += 1) {
      try {
        const payload = { session_id, text, client_message_id, ...(reply_to ? { reply_to } : {}) };
        const { message } = await connection.request("send_message", payload);
        store.dispatch({ type: "message_acked", client_message_id, message });
        return true;
      } catch (error) {
        const body = errorBody(error);
        if (body.code === "offline") return false;
        if (!body.retryable || TOLD_AT_ONCE.has(body.code) || tries === TRIES) {
          store.dispatch({ type: "message_failed", client_message_id, error: body });
          return true;
        }
        await pause(Math.max(body.retry_after_ms ?? 0, 400 * 2 ** tries));
      }
    }
  }

  /**
   * @template {AboutMessages} N
   * @param {N} name
   * @param {Payload<N>} payload
   * @returns {Promise<boolean>} whether it worked; if not, it has been said
   */
  async function ask(name, payload) {
    try {
      const done = /** @type {{reply?: Reply, replies?: Reply[]}} */ (await connection.request(name, payload));
      const replies = done.replies ?? (done.reply ? [done.reply] : []);
      if (replies.length) store.dispatch({ type: "replies_queued", session_id: payload.session_id, replies });
      return true;
    } catch (error) {
      complain(error);
      return false;
    }
  }

  return {
    /** To be run on every connect. */
    flushAll() {
      for (const session_id of new Set(store.state.outbox.map((entry) => entry.session_id))) flush(session_id);
    },

    /**
     * @param {string} session_id
     * @param {string} text
     * @param {number} [reply_to]
     * @returns {boolean} false where too much is waiting already
     */
    send(session_id, text, reply_to) {
      const { me, outbox } = store.state;
      if (!me) return false;
      if (outbox.length >= OUTBOX_LIMIT) {
        toast("Too many unsent messages are waiting. Let them go out first.");
        return false;
      }
      /** @type {Outgoing} */
      const entry = {
        client_message_id: newId(),
        participant_id: me.id,
        session_id,
        text,
        ...(reply_to ? { reply_to } : {}),
        created_at: new Date().toISOString(),
        state: "pending",
      };
      store.dispatch({ type: "message_queued", entry });
      typing_since = 0;
      flush(session_id);
      return true;
    },

    /** @param {Outgoing} entry */
    retry({ client_message_id, session_id }) {
      store.dispatch({ type: "message_retried", client_message_id });
      flush(session_id);
    },

    /** @param {Outgoing} entry */
    discard({ client_message_id }) {
      store.dispatch({ type: "message_discarded", client_message_id });
    },

    /**
     * @param {string} session_id
     * @param {number} seq
     * @param {string} text
     * @param {boolean} [ask_again] lets the bots that it asks answer again
     */
    edit: (session_id, seq, text, ask_again = false) => ask("edit_message", { session_id, seq, text, ask_again }),

    /**
     * @param {string} session_id
     * @param {number} seq
     */
    remove: (session_id, seq) => ask("delete_message", { session_id, seq }),

    /**
     * @param {string} session_id
     * @param {number} seq
     */
    keep: (session_id, seq) => ask("keep_message", { session_id, seq }),

    /**
     * @param {string} session_id
     * @param {string} reply_id
     */
    stopReply: (session_id, reply_id) => ask("stop_reply", { session_id, reply_id }),

    /**
     * @param {string} session_id
     * @param {string} reply_id
     */
    retryReply: (session_id, reply_id) => ask("retry_reply", { session_id, reply_id }),

    /**
     * @param {string} session_id
     * @param {boolean} typing
     */
    setTyping(session_id, typing) {
      const due = typing ? Date.now() - typing_since > TYPING_EVERY_MS : typing_since > 0;
      if (!due) return;
      typing_since = typing ? Date.now() : 0;
      connection.request("set_typing", { session_id, typing }).catch(() => {});
    },

    /**
     * @param {string} session_id
     * @param {number} seq
     */
    async markRead(session_id, seq) {
      const overview = store.state.sessions[session_id];
      if (!overview || overview.read_seq >= seq || (marking.get(session_id) ?? 0) >= seq) return;
      marking.set(session_id, seq);
      try {
        const ack = await connection.request("mark_read", { session_id, seq });
        const data = { session_id, participant_id: store.state.me?.id, seq: ack.seq ?? seq };
        store.dispatch({ type: "read_changed", data });
      } catch {
        marking.delete(session_id);
      }
    },
  };
}

/** `crypto.randomUUID` is missing on plain-HTTP addresses other than localhost. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
