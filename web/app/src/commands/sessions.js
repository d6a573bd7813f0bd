/**
 * Creating, changing, sharing and leaving sessions.
 *
 * @import {Problem} from "../errors.js"
 * @import {ClientToServerEvents, CreateSession, Done, Payload, Summary, UpdateSession} from "../protocol.js"
 * @import {Context} from "./context.js"
 */
import { endsSignIn, errorBody } from "../errors.js";
import { routeHash } from "../router.js";

/** A model may take its time; see CHATSERVER_SUMMARY_SECONDS. */
const SUMMARY_TIMEOUT_MS = 60_000;

/** @param {Context} context */
export function sessionCommands({ store, connection, navigate, toast, complain }) {
  /**
   * @template {keyof ClientToServerEvents} N
   * @param {N} name
   * @param {Payload<N>} payload
   * @param {number} [timeout_ms]
   * @returns {Promise<Done<N> | null>} the ack's data, or null where it failed, which has then been said
   */
  async function ask(name, payload, timeout_ms) {
    try {
      return await connection.request(name, payload, timeout_ms);
    } catch (error) {
      complain(error);
      return null;
    }
  }

  /**
   * @template {keyof ClientToServerEvents} N
   * @param {N} name
   * @param {Payload<N>} payload
   * @returns {Promise<Problem | null>} why it failed, for the caller to say
   */
  async function attempt(name, payload) {
    try {
      await connection.request(name, payload);
      return null;
    } catch (error) {
      const body = errorBody(error);
      if (endsSignIn(body)) complain(error);
      return body;
    }
  }

  return {
    /** @param {CreateSession} settings */
    async create(settings) {
      const data = await ask("create_session", settings);
      if (!data) return false;
      store.dispatch({ type: "session_added", data });
      navigate({ session_id: data.session.id });
      return true;
    },

    /**
     * @param {string} session_id
     * @param {Omit<UpdateSession, "session_id">} changes
     */
    update: (session_id, changes) => ask("update_session", { session_id, ...changes }),

    /**
     * @param {string} session_id
     * @param {string} title
     */
    rename: (session_id, title) => ask("rename_session", { session_id, title }),

    /**
     * @param {string} session_id
     * @param {string} bot
     */
    addBot: (session_id, bot) => attempt("add_bot", { session_id, bot }),

    /**
     * @param {string} session_id
     * @param {string} bot
     */
    removeBot: (session_id, bot) => attempt("remove_bot", { session_id, bot }),

    /** @param {string} session_id */
    async remove(session_id) {
      if (!(await ask("delete_session", { session_id }))) return;
      store.dispatch({ type: "session_deleted", data: { session_id } });
      navigate({ session_id: null });
    },

    /** @param {string} session_id */
    async leave(session_id) {
      if (!(await ask("leave_session", { session_id }))) return;
      store.dispatch({ type: "session_deleted", data: { session_id } });
      navigate({ session_id: null });
    },

    /**
     * The address that lets another person in; only a private session needs a code in it.
     *
     * @param {string} session_id
     * @returns {Promise<string | null>}
     */
    async inviteUrl(session_id) {
      const session = store.state.rooms[session_id]?.session;
      const base = `${location.origin}${location.pathname}`;
      if (session && session.visibility !== "private") return base + routeHash(session_id);
      const data = await ask("create_invite", { session_id });
      return data && base + routeHash(session_id, data.invite);
    },

    /** @param {string} session_id */
    async revokeInvites(session_id) {
      if (await ask("revoke_invites", { session_id })) toast("All invite links of this chat have stopped working.", "info");
    },

    /**
     * @param {string} session_id
     * @returns {Promise<Summary | null>}
     */
    async summarize(session_id) {
      const data = await ask("summarize_session", { session_id }, SUMMARY_TIMEOUT_MS);
      return data && data.summary;
    },

    async listPublic() {
      const data = await ask("list_sessions", { scope: "public" });
      return data?.sessions ?? [];
    },
  };
}
