// A conversation over the namespace `/`, from npm's socket.io-client. See test_rasa.py.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";

const { io } = createRequire(process.env.WEB_PACKAGE)(process.env.CLIENT);
const options = { forceNew: true, transports: process.env.TRANSPORTS.split(" ") };

async function conversation(session_id, message) {
  const socket = io(process.env.SERVER, options);
  await once(socket, "connect");
  socket.emit("session_request", { session_id });
  const [confirmed] = await once(socket, "session_confirm");
  socket.emit("user_uttered", { message, customData: {}, session_id: confirmed });
  const [said] = await once(socket, "bot_uttered");
  assert.deepEqual(said, { text: message });
  socket.close();
  return confirmed;
}

const first = await conversation(null, "hello");
assert.equal(await conversation(first, "again"), first);
