/**
 * The same chat on Node's socket.io: a plain relay, or durable where a database file is named.
 *
 *     node relay.mjs [FILE]
 *
 * Checks tokens and room membership, numbers the messages of a room, acknowledges with the event and
 * sends it to the room. With FILE every message is one fsynced transaction before that. With REDIS_URL
 * it is one of several, and takes everybody's word for the rooms that were made elsewhere.
 */

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "socket.io";

const people = new Map();
const rooms = new Map();
const insert = process.argv[2] === undefined ? null : await open(process.argv[2]);

async function adapter(url) {
  const { createAdapter } = await import("@socket.io/redis-adapter");
  const { createClient } = await import("redis");
  const publisher = createClient({ url });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  return createAdapter(publisher, subscriber);
}

async function open(file) {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
  database.exec(
    "CREATE TABLE event (session TEXT, seq INTEGER, sender TEXT, client_message_id TEXT, " +
      "text TEXT, created_at TEXT, PRIMARY KEY (session, seq), " +
      "UNIQUE (session, sender, client_message_id)) WITHOUT ROWID",
  );
  return database.prepare("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)");
}

const http = createServer((request, response) => {
  if (request.method !== "POST" || request.url !== "/api/v1/tokens") {
    response.writeHead(404).end();
    return;
  }
  let body = "";
  request.on("data", (piece) => (body += piece));
  request.on("end", () => {
    const token = randomUUID();
    const participant = { id: randomUUID(), name: JSON.parse(body).name, kind: "user" };
    people.set(token, participant);
    response.writeHead(201, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ token, participant }));
  });
});

const redis = process.env.REDIS_URL;
const io = new Server(http, { serveClient: false, adapter: redis && (await adapter(redis)) });
const chat = io.of("/chat");

chat.use((socket, next) => {
  const participant = people.get(socket.handshake.auth.token);
  if (participant === undefined) {
    next(new Error("unauthorized"));
    return;
  }
  socket.data.participant = participant;
  next();
});

chat.on("connection", (socket) => {
  const { participant } = socket.data;

  socket.on("create_session", (_, ack) => {
    const id = randomUUID();
    rooms.set(id, { seq: 0, members: new Set([participant.id]) });
    socket.join(id);
    ack({ ok: true, data: { session: { id } } });
  });

  socket.on("join_session", ({ session_id: id }, ack) => {
    if (redis && !rooms.has(id)) rooms.set(id, { seq: 0, members: new Set() });
    const room = rooms.get(id);
    if (room === undefined) {
      ack(refusal("not_found"));
      return;
    }
    room.members.add(participant.id);
    socket.join(id);
    ack({ ok: true, data: {} });
  });

  socket.on("send_message", (message, ack) => {
    const { session_id, text, client_message_id } = message;
    const room = rooms.get(session_id);
    if (room === undefined || !room.members.has(participant.id)) {
      ack(refusal("not_member"));
      return;
    }
    if (typeof text !== "string" || text.trim() === "" || text.length > 16_000) {
      ack(refusal("invalid_payload"));
      return;
    }
    const event = {
      session_id,
      seq: ++room.seq,
      type: "message_created",
      sender: participant,
      created_at: new Date().toISOString(),
      data: { text, client_message_id },
    };
    insert?.run(
      session_id, event.seq, participant.id, client_message_id, text, event.created_at,
    );
    chat.to(session_id).emit("message_created", event);
    ack({ ok: true, data: { message: event, duplicate: false } });
  });
});

function refusal(code) {
  return { ok: false, error: { code, message: code, retryable: false } };
}

http.listen(0, "127.0.0.1", 4096, () => {
  console.log(`ready: http://127.0.0.1:${http.address().port}`);
});
