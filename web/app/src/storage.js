/**
 * What survives a reload. Every outgoing message has a key of its own, so that tabs do not
 * overwrite each other's; a browser that refuses storage only costs the survival.
 *
 * @import {Token} from "./protocol.js"
 * @import {Outgoing} from "./state/model.js"
 * @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} KeyValue
 * @typedef {Token & {granted_at: number}} StoredGrant `granted_at` by this machine's clock
 */
import { OUTBOX_LIMIT } from "./state/outbox.js";

const PREFIX = "chatserver.";
const OUTBOX = `${PREFIX}outbox.`;

export class ClientStorage {
  /** @param {KeyValue | null} values */
  constructor(values) {
    this.values = values;
  }

  /** @returns {StoredGrant | null} */
  get grant() {
    const grant = this.#read(`${PREFIX}token`);
    return grant?.token && grant.participant?.id ? grant : null;
  }

  set grant(grant) {
    if (grant) this.#write(`${PREFIX}token`, grant);
    else this.#remove(`${PREFIX}token`);
  }

  /** The name to offer at the next entry. */
  get name() {
    return String(this.#read(`${PREFIX}name`) ?? "");
  }

  set name(name) {
    this.#write(`${PREFIX}name`, name);
  }

  /** @returns {"light" | "dark" | null} `null` follows the system */
  get theme() {
    const theme = this.#read(`${PREFIX}theme`);
    return theme === "light" || theme === "dark" ? theme : null;
  }

  set theme(theme) {
    if (theme) this.#write(`${PREFIX}theme`, theme);
    else this.#remove(`${PREFIX}theme`);
  }

  /**
   * Unsent messages of a participant, oldest first.
   *
   * @param {string} participant_id
   * @returns {Outgoing[]}
   */
  loadOutbox(participant_id) {
    const entries = this.#keys().filter((key) => key.startsWith(OUTBOX)).map((key) => this.#read(key));
    return entries
      .filter((entry) => entry?.participant_id === participant_id && entry.state !== "sent")
      .sort((one, other) => (one.created_at < other.created_at ? -1 : 1))
      .slice(-OUTBOX_LIMIT);
  }

  /**
   * @param {Outgoing[]} outbox
   * @param {Outgoing[]} previous
   */
  saveOutbox(outbox, previous) {
    const kept = new Set(outbox.map((entry) => entry.client_message_id));
    for (const entry of previous) if (!kept.has(entry.client_message_id)) this.#remove(OUTBOX + entry.client_message_id);
    for (const entry of outbox) if (!previous.includes(entry)) this.#write(OUTBOX + entry.client_message_id, entry);
  }

  /** @param {string} participant_id whose messages stay; nobody else can send the others any more */
  dropForeignOutbox(participant_id) {
    for (const key of this.#keys()) {
      if (key.startsWith(OUTBOX) && this.#read(key)?.participant_id !== participant_id) this.#remove(key);
    }
  }

  #keys() {
    try {
      return Array.from({ length: this.values?.length ?? 0 }, (_, index) => this.values?.key(index) ?? "");
    } catch {
      return [];
    }
  }

  /**
   * @param {string} key
   * @returns {any}
   */
  #read(key) {
    try {
      return JSON.parse(this.values?.getItem(key) ?? "null");
    } catch {
      return null;
    }
  }

  /**
   * @param {string} key
   * @param {unknown} value
   */
  #write(key, value) {
    try {
      this.values?.setItem(key, JSON.stringify(value));
    } catch {
      return;
    }
  }

  /** @param {string} key */
  #remove(key) {
    try {
      this.values?.removeItem(key);
    } catch {
      return;
    }
  }
}

/** The browser's storage, or `null` where even asking for it is refused. */
export function browserStorage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
