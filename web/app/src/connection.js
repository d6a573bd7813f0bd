/**
 * The socket: requests with acks, server events, and coming back after a loss.
 *
 * Nothing is sent while the socket is down: what must survive is in the outbox, and what must not
 * (typing, paging) would be wrong by the time it left.
 *
 * @import {ChatSocket, ClientToServerEvents, Done, ErrorBody, Payload} from "./protocol.js"
 */
/**
 * @typedef {keyof ClientToServerEvents} Name
 * @typedef {"idle" | "connecting" | "online" | "offline"} Status
 *
 * @typedef {object} Listener
 * @property {(name: string, payload: any) => void} event
 * @property {(status: Status) => void} status
 * @property {(error: ErrorBody) => void} refused
 */
import { ChatError, offline, timeout, tooLarge } from "./errors.js";

const ACK_TIMEOUT_MS = 15_000;
const PATIENT_TRIES = 4;
const RECONNECT_MIN_MS = 1000;
const RECONNECT_MAX_MS = 30_000;
/** What Socket.IO writes around an event: packet type, namespace, ack number. */
const ENVELOPE_BYTES = 32;

export class Connection {
  #refusals = 0;
  /** The server closes a connection that sends more; a message in the outbox would do so for ever. */
  #frame_bytes = Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** When a server that stops wants this client to come back: not with all the others.
   *  @type {number | null} */
  #return_ms = null;

  /**
   * @param {ChatSocket} socket made with `autoConnect: false`
   * @param {Listener} listener
   */
  constructor(socket, listener) {
    this.socket = socket;
    this.listener = listener;
    socket.onAny((name, payload) => listener.event(name, payload));
    socket.on("connect", () => {
      this.#refusals = 0;
      listener.status("online");
    });
    socket.on("disconnect", (reason) => {
      listener.status(reason === "io client disconnect" ? "idle" : "offline");
      if (reason === "io client disconnect") return;
      if (this.#return_ms !== null) this.#returnAsAsked(this.#return_ms);
      else if (reason === "io server disconnect") this.#retryLater(RECONNECT_MIN_MS);
    });
    socket.on("server_draining", ({ reconnect_after_ms }) => (this.#return_ms = reconnect_after_ms));
    socket.on("connect_error", (error) => this.#failed(error));
    socket.on("welcome", ({ limits }) => (this.#frame_bytes = limits?.frame_bytes ?? Infinity));
  }

  open() {
    this.listener.status("connecting");
    this.#return_ms = null;
    this.socket.io.reconnection(true);
    this.socket.connect();
  }

  close() {
    clearTimeout(this.#retry);
    this.socket.disconnect();
    this.listener.status("idle");
  }

  /**
   * Sends one event and gives the data of its ack.
   *
   * @template {Name} N
   * @param {N} name
   * @param {Payload<N>} payload
   * @param {number} [timeout_ms]
   * @returns {Promise<Done<N>>}
   * @throws {ChatError} `offline`, `timeout`, `payload_too_large`, or what the server refused with
   */
  async request(name, payload, timeout_ms = ACK_TIMEOUT_MS) {
    if (!this.socket.connected) throw offline();
    if (bytes([name, payload]) + ENVELOPE_BYTES > this.#frame_bytes) throw tooLarge();
    let ack;
    try {
      // That each name goes with its payload, the parameters have seen to.
      ack = await /** @type {any} */ (this.socket.timeout(timeout_ms)).emitWithAck(name, payload);
    } catch {
      throw this.socket.connected ? timeout() : offline();
    }
    if (!ack?.ok) throw new ChatError(ack?.error ?? { code: "internal", message: "The answer made no sense", retryable: false });
    return ack.data;
  }

  /**
   * Like `request`, for what the client does by itself: waits and tries again where that may help.
   *
   * @template {Name} N
   * @param {N} name
   * @param {Payload<N>} payload
   * @returns {Promise<Done<N>>}
   */
  async requestPatiently(name, payload) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.request(name, payload);
      } catch (error) {
        const body = error instanceof ChatError ? error.body : null;
        if (!body?.retryable || body.code === "offline" || tries === PATIENT_TRIES) throw error;
        await pause(Math.max(body.retry_after_ms ?? 0, 300 * 2 ** tries));
      }
    }
  }

  /**
   * In the place of the library's own delay, which knows nothing of how many others come.
   *
   * @param {number} delay_ms
   */
  #returnAsAsked(delay_ms) {
    this.#return_ms = null;
    this.socket.io.reconnection(false);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.socket.io.reconnection(true);
      this.socket.connect();
    }, delay_ms);
  }

  /** @param {Error & {data?: ErrorBody}} error */
  #failed(error) {
    this.listener.status("offline");
    if (!error.data?.code) {
      if (!this.socket.active) this.#retryLater(RECONNECT_MIN_MS);
      return;
    }
    if (!error.data.retryable) return this.listener.refused(error.data);
    this.#retryLater(error.data.retry_after_ms ?? RECONNECT_MIN_MS * 2 ** this.#refusals);
    this.#refusals += 1;
  }

  /**
   * A refused socket does not come back by itself; the spread keeps many of them from coming at once.
   *
   * @param {number} delay_ms
   */
  #retryLater(delay_ms) {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.socket.connect(), Math.min(delay_ms, RECONNECT_MAX_MS) * (1 + Math.random() / 2));
  }
}

/** @param {unknown} value */
function bytes(value) {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}

/** @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
