// One Socket.IO connection as npm's socket.io-client makes it, and a record of all that was used.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

// The client's own lock file says which versions; they are installed in its folder.
const { io } = createRequire(process.env.WEB_PACKAGE)(process.env.CLIENT);
const transports = process.env.TRANSPORTS.split(" ");

export const used = { asked: new Set(), told: new Set(), refused: new Set() };

const PATIENCE_MS = 10_000;

/** A guest's token, got over REST. */
export async function token(url, name) {
  const answer = await fetch(`${url}/api/v1/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  assert.equal(answer.status, 201);
  return (await answer.json()).token;
}

/** Whether the payload, or its `data`, has all these values. */
function matches(payload, fields) {
  const known = { ...payload.data, ...payload };
  return Object.entries(fields).every(([key, value]) => {
    try {
      assert.deepEqual(known[key], value);
      return true;
    } catch {
      return false;
    }
  });
}

export class Person {
  constructor(url, auth, options = {}) {
    this.everything = [];
    this.waiting = [];
    this.arrived = () => {};
    this.socket = io(`${url}/chat`, {
      auth,
      forceNew: true,
      reconnection: false,
      transports,
      ...options,
    });
    this.socket.onAny((name, payload) => {
      used.told.add(name);
      this.everything.push([name, payload]);
      this.waiting.push([name, payload]);
      this.arrived();
    });
    this.ended = new Promise((resolve) => this.socket.on("disconnect", resolve));
  }

  /** Connected and welcomed. */
  static async connect(url, name, options = {}) {
    const person = new Person(url, { token: options.token ?? (await token(url, name)) }, options);
    person.welcome = await person.told("welcome");
    person.me = person.welcome.participant;
    return person;
  }

  /** The `data` of the `connect_error` with which the server refuses. */
  static async refusedBy(url, auth) {
    const person = new Person(url, auth);
    const error = await new Promise((resolve) => person.socket.on("connect_error", resolve));
    person.close();
    assert.ok(error.message);
    used.refused.add(error.data.code);
    return error.data;
  }

  close() {
    this.socket.disconnect();
  }

  /** The whole ack. */
  async call(event, ...payload) {
    // Version 3 has neither `timeout` nor `emitWithAck`.
    const ack = await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no answer to ${event}`)), PATIENCE_MS);
      this.socket.emit(event, ...payload, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
    });
    assert.equal(typeof ack.ok, "boolean");
    if (!ack.ok) used.refused.add(ack.error.code);
    return ack;
  }

  /** The `data` of the ack of an event that succeeds. */
  async ask(event, payload = {}) {
    const ack = await this.call(event, payload);
    assert.ok(ack.ok, `${event}: ${JSON.stringify(ack)}`);
    used.asked.add(event);
    return ack.data;
  }

  /** The `error` of the ack of an event that fails, of which the code is known. */
  async refused(code, event, ...payload) {
    const { ok, error } = await this.call(event, ...payload);
    assert.equal(ok, false);
    assert.equal(error.code, code);
    assert.ok(error.message);
    assert.equal(typeof error.retryable, "boolean");
    return error;
  }

  /** Waits for a server event with these fields, and takes it out. */
  async told(name, fields = {}) {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const index = this.waiting.findIndex(([n, payload]) => n === name && matches(payload, fields));
      if (index >= 0) return this.waiting.splice(index, 1)[0][1];
      await new Promise((resolve, reject) => {
        this.arrived = resolve;
        deadline.onabort = () =>
          reject(
            new Error(
              `not told ${name} ${JSON.stringify(fields)}, but ${JSON.stringify(this.waiting)}`,
            ),
          );
      });
    }
  }

  /** Everything of that name that ever came. */
  heard(name) {
    return this.everything.filter(([n]) => n === name).map(([, payload]) => payload);
  }

  async say(session_id, text, more = {}) {
    const client_message_id = crypto.randomUUID();
    const sent = await this.ask("send_message", { session_id, text, client_message_id, ...more });
    return sent.message;
  }
}
