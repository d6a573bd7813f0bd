import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Connection } from "../app/src/connection.js";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

test("after a server that stops, the page comes back when it was asked to, and not before", () => {
  const { socket } = connected();
  socket.emit("server_draining", { reconnect_after_ms: 7000 });
  socket.emit("disconnect", "transport close");
  assert.equal(socket.io.reconnects, false, "the library would come back by itself");
  mock.timers.tick(6999);
  assert.equal(socket.connects, 1);
  mock.timers.tick(1);
  assert.equal(socket.connects, 2);
  assert.equal(socket.io.reconnects, true, "from here on it is the library's business");
});

test("a loss that nobody announced is left to the library", () => {
  const { socket } = connected();
  socket.emit("disconnect", "transport close");
  assert.equal(socket.io.reconnects, true);
  mock.timers.tick(60_000);
  assert.equal(socket.connects, 1);
});

test("an announcement counts once", () => {
  const { socket } = connected();
  socket.emit("server_draining", { reconnect_after_ms: 100 });
  socket.emit("disconnect", "transport close");
  mock.timers.tick(100);
  socket.emit("connect");
  socket.emit("disconnect", "ping timeout");
  assert.equal(socket.io.reconnects, true);
});

test("who signs out while waiting does not come back; who signs in again does at once", () => {
  const { socket, connection } = connected();
  socket.emit("server_draining", { reconnect_after_ms: 100 });
  socket.emit("disconnect", "transport close");
  connection.close();
  mock.timers.tick(100);
  assert.equal(socket.connects, 1);
  connection.open();
  assert.equal(socket.connects, 2);
  assert.equal(socket.io.reconnects, true);
});

/** As much of a Socket.IO socket as a connection uses. */
class Socket extends EventEmitter {
  connects = 0;
  active = true;
  connected = false;
  io = {
    reconnects: true,
    /** @param {boolean} wanted */
    reconnection(wanted) {
      this.reconnects = wanted;
    },
  };

  connect() {
    this.connects += 1;
  }

  disconnect() {}
  onAny() {}
}

function connected() {
  const socket = new Socket();
  const listener = { event() {}, status() {}, refused() {} };
  const connection = new Connection(/** @type {any} */ (socket), listener);
  connection.open();
  socket.emit("connect");
  return { socket, connection };
}
