/**
 * Coming in by name, staying in by renewal, going out.
 *
 * @import {Problem} from "../errors.js"
 * @import {Token} from "../protocol.js"
 * @import {Context} from "./context.js"
 */
import { grantToken, renewToken, revokeToken } from "../api.js";
import { endsSignIn, errorBody } from "../errors.js";

const RENEW_AFTER_MS = 1000;
const RETRY_AFTER_MS = 5000;
const RENEW_AT_MOST_MS = 12 * 3_600_000;

/** @param {Context} context */
export function accountCommands({ store, connection, storage }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let renewal;

  /** @param {Token} grant */
  function keep(grant) {
    storage.grant = { ...grant, granted_at: Date.now() };
    storage.name = grant.participant.name;
    renewLater();
  }

  function renewLater() {
    clearTimeout(renewal);
    const grant = storage.grant;
    if (!grant) return;
    const half = (Date.parse(grant.expires_at) - grant.granted_at) / 2;
    const due = grant.granted_at + Math.min(Math.max(half, RENEW_AFTER_MS), RENEW_AT_MOST_MS);
    renewal = setTimeout(renew, Math.max(due - Date.now(), 0));
  }

  async function renew() {
    const grant = storage.grant;
    if (!grant) return;
    try {
      keep(await renewToken(grant.token));
    } catch (error) {
      const body = errorBody(error);
      if (endsSignIn(body)) leave(body);
      else renewal = setTimeout(renew, RETRY_AFTER_MS);
    }
  }

  /** @param {Problem | null} reason */
  function leave(reason) {
    clearTimeout(renewal);
    storage.grant = null;
    connection.close();
    store.dispatch({ type: "signed_out", reason });
  }

  function enter() {
    const grant = storage.grant;
    if (!grant) return;
    storage.dropForeignOutbox(grant.participant.id);
    store.dispatch({
      type: "signed_in",
      participant: grant.participant,
      outbox: storage.loadOutbox(grant.participant.id),
    });
    connection.open();
    renewLater();
  }

  return {
    /** Goes on with the token of the last visit, or waits for a name. */
    resume() {
      if (storage.grant) enter();
      else store.dispatch({ type: "signed_out", reason: null });
    },

    /**
     * @param {string} name
     * @throws {import("../errors.js").ChatError}
     */
    async signIn(name) {
      keep(await grantToken(name));
      enter();
    },

    signOut() {
      const grant = storage.grant;
      if (grant) revokeToken(grant.token).catch(() => {});
      leave(null);
    },

    /** @param {Problem} reason */
    refused(reason) {
      leave(reason);
    },
  };
}
