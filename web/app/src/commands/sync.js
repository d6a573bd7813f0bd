/**
 * Staying level with the server: joining on every connect, closing holes, paging back.
 *
 * @import {History, Joined, JoinSession} from "../protocol.js"
 * @import {Room, State} from "../state/model.js"
 * @import {Context} from "./context.js"
 */
import { pause } from "../connection.js";
import { errorBody } from "../errors.js";
import { firstSeq } from "../state/log.js";

const FOLLOWED_SESSIONS = 30;
const PAGE = 50;
const HOLE_PAGE = 200;
const HOLE_PAGES = 20;
/** A missing event is often only late: it may be on its way behind an ack. */
const GRACE_MS = 150;
const GRACE_MOST_MS = 10_000;

/** @param {Context} context */
export function syncCommands({ store, connection, complain, navigate }) {
  /** @type {Map<string, Promise<void>>} */
  const joining = new Map();
  /** @type {Set<string>} */
  const repairing = new Set();
  /** @type {Map<string, string>} codes by session, kept until one of them has let us in */
  const invites = new Map();

  const room = (/** @type {string} */ id) => /** @type {Room | undefined} */ (store.state.rooms[id]);

  /** @param {string} session_id */
  function join(session_id) {
    const running = joining.get(session_id);
    if (running) return running;
    const started = joinNow(session_id).finally(() => joining.delete(session_id));
    joining.set(session_id, started);
    return started;
  }

  /** @param {string} session_id */
  async function joinNow(session_id) {
    const invite = invites.get(session_id);
    const cursor = room(session_id)?.last_seq ?? -1;
    /** @type {JoinSession} */
    const payload = { session_id };
    if (cursor >= 0) payload.after_seq = cursor;
    if (invite) payload.invite = invite;
    try {
      const ack = await connection.requestPatiently("join_session", payload);
      await entered(session_id, ack);
      if (invites.delete(session_id) && store.state.open === session_id) navigate({ session_id });
      await closeHole(session_id);
    } catch (error) {
      const body = errorBody(error);
      if (body.code === "offline") return;
      store.dispatch({ type: "room_refused", session_id, error: body });
    }
  }

  /**
   * Takes the snapshot in, and asks what became of the replies that were on their way and are not any
   * more: one that ended without a word left nothing in the log.
   *
   * @param {string} session_id
   * @param {Joined} ack
   */
  async function entered(session_id, ack) {
    store.dispatch({ type: "room_joined", session_id, ack });
    const running = new Set(ack.replies.map(({ reply_id }) => reply_id));
    for (const { reply_id, state } of Object.values(room(session_id)?.replies ?? {})) {
      if (state === "stopped" || running.has(reply_id)) continue;
      try {
        const { reply } = await connection.requestPatiently("get_reply", { session_id, reply_id });
        store.dispatch({ type: "reply_found", session_id, reply });
      } catch {
        return; // The next join asks again.
      }
    }
  }

  /**
   * After a long absence the newest events come first; the ones between are paged in behind them.
   *
   * @param {string} session_id
   */
  async function closeHole(session_id) {
    for (let pages = 0; pages < HOLE_PAGES && room(session_id)?.detached.length; pages += 1) {
      if (!(await page(session_id, HOLE_PAGE))) return;
    }
  }

  /**
   * @param {string} session_id
   * @param {number} limit
   */
  async function page(session_id, limit) {
    const known = room(session_id);
    if (!known || known.status !== "joined" || known.paging || known.complete) return false;
    store.dispatch({ type: "paging_changed", session_id, paging: true });
    try {
      const before_seq = firstSeq(known.events, known.last_seq);
      /** @type {History} */
      const ack = await connection.requestPatiently("get_history", { session_id, before_seq, limit });
      store.dispatch({ type: "history_loaded", session_id, ack });
      return true;
    } catch (error) {
      store.dispatch({ type: "paging_changed", session_id, paging: false });
      complain(error);
      return false;
    }
  }

  /** A room followed from the list starts at its cursor, so its first page is still to come. */
  async function fillView() {
    const known = store.state.open ? room(store.state.open) : undefined;
    if (known?.status === "joined" && !known.complete && known.events.length < PAGE / 2) await page(known.session_id, PAGE);
  }

  /** @param {string | null} before */
  async function list(before) {
    const ack = await connection.requestPatiently("list_sessions", before ? { before } : {});
    store.dispatch({ type: "sessions_listed", ...ack, first: before === null });
  }

  /** Follows the liveliest sessions, so that their unread counts move. */
  async function followListed() {
    const lively = Object.values(store.state.sessions)
      .sort((one, other) => (one.active_at < other.active_at ? 1 : -1))
      .slice(0, FOLLOWED_SESSIONS);
    for (const { id } of lively) await follow(id);
  }

  /** @param {string} session_id */
  async function follow(session_id) {
    const overview = store.state.sessions[session_id];
    if (!overview || session_id === store.state.open || !connection.socket.connected) return;
    const after_seq = room(session_id)?.last_seq ?? overview.last_seq;
    try {
      /** @type {Joined} */
      const ack = await connection.requestPatiently("join_session", { session_id, after_seq: Math.max(after_seq, 0) });
      await entered(session_id, ack);
    } catch {
      return;
    }
  }

  /** @param {Room} broken */
  async function repair({ session_id }) {
    if (repairing.has(session_id)) return;
    repairing.add(session_id);
    try {
      for (let wait_ms = GRACE_MS; connection.socket.connected && isBroken(room(session_id)); wait_ms *= 2) {
        await pause(Math.min(wait_ms, GRACE_MOST_MS));
        if (isBroken(room(session_id))) await join(session_id);
      }
    } finally {
      repairing.delete(session_id);
    }
  }

  return {
    /** To be run on every connect, the first and all later ones. */
    async connected() {
      const { open } = store.state;
      if (open) await join(open);
      try {
        await list(null);
      } catch (error) {
        complain(error);
      }
      await fillView();
      await followListed();
    },

    /**
     * @param {string | null} session_id
     * @param {string | null} invite
     */
    async open(session_id, invite) {
      if (session_id && invite) invites.set(session_id, invite);
      store.dispatch({ type: "session_opened", session_id });
      if (!session_id || !connection.socket.connected) return;
      if (invite || room(session_id)?.status !== "joined") await join(session_id);
      await fillView();
    },

    follow,

    /** @param {string} session_id */
    loadOlder: (session_id) => page(session_id, PAGE),

    /**
     * Pages back until the event is there, or the server gives no more.
     *
     * @param {string} session_id
     * @param {number} seq
     */
    async loadBackTo(session_id, seq) {
      for (let pages = 0; pages < HOLE_PAGES; pages += 1) {
        const known = room(session_id);
        if (!known || firstSeq(known.events, known.last_seq) <= seq || !(await page(session_id, HOLE_PAGE))) return;
      }
    },

    async loadMoreSessions() {
      if (store.state.next) await list(store.state.next).catch(complain);
    },

    /** @param {State} state */
    repairWhereBroken(state) {
      if (state.connection.status !== "online") return;
      for (const known of Object.values(state.rooms)) if (isBroken(known)) repair(known);
    },
  };
}

/** @param {Room | undefined} room */
function isBroken(room) {
  return room?.status === "joined" && (room.stale || room.known_seq > room.last_seq);
}
