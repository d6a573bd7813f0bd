// The whole protocol from npm's socket.io-client. The servers are started by test_protocol_js.py.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, afterEach, test } from "node:test";

import { Person, token, used } from "./person.mjs";

const { plain, limited, draining } = JSON.parse(process.env.SERVERS);
const LONG = Array.from({ length: 60 }, (_, n) => `wört${n}🎈`).join(" ");

const people = [];
async function person(name, options) {
  const one = await Person.connect(options?.url ?? plain, name, options);
  people.push(one);
  return one;
}
afterEach(() => people.splice(0).forEach((one) => one.close()));
after(() => {
  const lists = Object.entries(used).map(([key, set]) => [key, [...set].sort()]);
  writeFileSync(process.env.REPORT, JSON.stringify(Object.fromEntries(lists)));
});

async function session(owner, others = [], settings = {}) {
  const chosen = { bot: null, visibility: "link", ...settings };
  const { id } = (await owner.ask("create_session", chosen)).session;
  for (const other of others) await other.ask("join_session", { session_id: id });
  return id;
}

test("welcome says who one is", async () => {
  const ada = await person("Ada");
  assert.equal(ada.me.name, "Ada");
  assert.equal(ada.me.kind, "user");
  assert.ok(ada.welcome.limits.text_chars > 0);
  assert.ok(ada.welcome.bots.some((bot) => bot.name === "echo"));
  assert.ok(ada.welcome.server.version);
});

test("the connection ends up on the last of its transports", async () => {
  const ada = await person("Ada");
  const { engine } = ada.socket.io;
  const last = process.env.TRANSPORTS.split(" ").at(-1);
  if (engine.transport.name !== last) {
    await new Promise((resolve) => engine.once("upgrade", resolve));
  }
  assert.equal(engine.transport.name, last);
  const id = await session(ada);
  const said = await ada.say(id, "hello");
  assert.deepEqual(await ada.told("message_created"), said);
});

test("a connection without a valid token is refused with data", async () => {
  assert.equal((await Person.refusedBy(plain, {})).code, "unauthorized");
  assert.equal((await Person.refusedBy(plain, { token: "nobody's" })).code, "unauthorized");
  const revoked = await token(plain, "Ada");
  const ada = await person("Ada", { token: revoked });
  const headers = { authorization: `Bearer ${revoked}` };
  const answer = await fetch(`${plain}/api/v1/tokens/current`, { method: "DELETE", headers });
  assert.equal(answer.status, 204);
  await ada.ended;
  assert.equal((await Person.refusedBy(plain, { token: revoked })).code, "token_revoked");
});

test("an expired token ends its connection and is refused", async () => {
  const short = await token(limited, "Ada");
  const ada = await person("Ada", { url: limited, token: short });
  await ada.ended;
  const refusal = await Person.refusedBy(limited, { token: short });
  assert.equal(refusal.code, "token_expired");
  assert.equal(refusal.retryable, false);
});

test("every event is answered, whatever it is", async () => {
  const ada = await person("Ada");
  const id = await session(ada);
  await ada.refused("unknown_event", "make_coffee", {});
  for (const payload of [[], [null], [7], ["text"], [[]], [{}, {}]]) {
    await ada.refused("invalid_payload", "send_message", ...payload);
  }
  const wrong = await ada.refused("invalid_payload", "get_history", { session_id: id, limit: -1 });
  assert.equal(wrong.field, "limit");
  const deep = JSON.parse("[".repeat(500) + "]".repeat(500));
  await ada.refused("payload_too_deep", "create_session", { title: deep });
  const huge = { session_id: id, after_seq: 1e300 };
  await ada.refused("invalid_payload", "get_history", huge);
  await ada.ask("list_sessions");
});

test("a session is created, changed, listed, summed up and deleted", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const phone = await person("Ada", { token: ada.socket.auth.token });
  const id = await session(ada, [bob], { title: "Tea", visibility: "public" });
  assert.equal((await phone.told("session_added")).session.id, id);
  assert.equal((await ada.told("participant_joined", { participant: bob.me })).data.role, "member");
  const renamed = await ada.ask("rename_session", { session_id: id, title: "Coffee" });
  assert.equal(renamed.session.title, "Coffee");
  await bob.told("session_updated", { title: "Coffee", bot: null });
  await ada.ask("update_session", { session_id: id, bot: "echo", reply_policy: "mention" });
  await bob.told("session_updated", { bot: "echo", reply_policy: "mention" });
  await bob.refused("forbidden", "rename_session", { session_id: id, title: "mine" });
  await ada.refused("unknown_bot", "update_session", { session_id: id, bot: "hal" });
  await ada.say(id, "The kettle whistles in the kitchen.");
  const mine = (await bob.ask("list_sessions", { limit: 1 })).sessions;
  assert.deepEqual([mine[0].id, mine[0].unread, mine[0].role], [id, 1, "member"]);
  const open = (await bob.ask("list_sessions", { scope: "public" })).sessions;
  assert.ok(open.some((one) => one.id === id));
  const { summary } = await ada.ask("summarize_session", { session_id: id });
  assert.equal(summary.total_messages, 1);
  await bob.ask("leave_session", { session_id: id });
  await ada.told("participant_left", { participant: bob.me });
  await bob.refused("not_member", "get_history", { session_id: id });
  await ada.ask("delete_session", { session_id: id });
  assert.deepEqual(await phone.told("session_deleted"), { session_id: id });
  await ada.refused("not_found", "join_session", { session_id: id });
});

test("a session has several bots", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const id = await session(ada, [bob], { bot: "echo" });
  const { session: with_two } = await ada.ask("add_bot", { session_id: id, bot: "broken" });
  assert.equal(with_two.bot, "echo");
  const broken = { id: "bot:broken", name: "broken", kind: "bot" };
  await bob.told("participant_joined", { participant: broken });
  await bob.refused("forbidden", "remove_bot", { session_id: id, bot: "echo" });
  await ada.ask("remove_bot", { session_id: id, bot: "echo" });
  assert.equal((await bob.told("participant_left")).data.participant.name, "echo");
  await bob.told("session_updated", { bot: null });
});

test("a private session is joined with an invite", async () => {
  const [ada, bob, eve] = [await person("Ada"), await person("Bob"), await person("Eve")];
  const id = await session(ada, [], { visibility: "private" });
  await bob.refused("not_found", "join_session", { session_id: id });
  const { invite, expires_at } = await ada.ask("create_invite", { session_id: id });
  assert.ok(new Date(expires_at) > new Date());
  await bob.ask("join_session", { session_id: id, invite });
  await ada.ask("revoke_invites", { session_id: id });
  await eve.refused("not_found", "join_session", { session_id: id, invite });
  await ada.say(id, "a secret");
  await bob.told("message_created");
  await eve.ask("list_sessions");
  assert.deepEqual(eve.heard("message_created"), []);
});

test("messages are sent once, edited, deleted and paged", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const id = await session(ada, [bob]);
  const payload = { session_id: id, text: "Grüße 🎈", client_message_id: "one" };
  const first = await ada.ask("send_message", payload);
  assert.equal(first.duplicate, false);
  assert.deepEqual(await bob.told("message_created"), first.message);
  const again = await ada.ask("send_message", payload);
  assert.deepEqual(again, { message: first.message, duplicate: true });
  await ada.refused("conflict", "send_message", { ...payload, text: "other" });
  await ada.refused("blank_text", "send_message", { ...payload, text: " " });
  const { seq } = first.message;
  const reply = await bob.say(id, "hello", { reply_to: seq });
  assert.equal(reply.data.reply_to, seq);
  await bob.refused("forbidden", "edit_message", { session_id: id, seq, text: "x" });
  await ada.ask("edit_message", { session_id: id, seq, text: "my secret" });
  assert.equal((await bob.told("message_edited")).data.text, "my secret");
  await ada.ask("delete_message", { session_id: id, seq });
  assert.equal((await bob.told("message_deleted")).data.seq, seq);
  const page = await bob.ask("get_history", { session_id: id, after_seq: 0, limit: 200 });
  assert.equal(page.complete, true);
  assert.deepEqual(page.events.map((event) => event.seq), [1, 2, 3, 4, 5, 6]);
  assert.ok(!JSON.stringify(page).includes("secret"));
  const newest = await bob.ask("get_history", { session_id: id, before_seq: 5, limit: 2 });
  assert.deepEqual([newest.events.map((event) => event.seq), newest.complete], [[3, 4], false]);
});

test("pipelined events take effect in the order sent", async () => {
  const ada = await person("Ada");
  const id = await session(ada);
  const sent = await Promise.all(Array.from({ length: 50 }, (_, n) => ada.say(id, `${n}`)));
  assert.deepEqual(sent.map(({ seq }) => seq), sent.map((_, n) => n + 2));
});

test("coming back brings exactly what was missed", async () => {
  const ada = await person("Ada");
  const bob = await person("Bob");
  const id = await session(ada, [bob]);
  const had = await ada.say(id, "before");
  bob.close();
  const missed = [];
  for (let n = 0; n < 5; n++) missed.push(await ada.say(id, `missed ${n}`));
  const back = await person("Bob", { token: bob.socket.auth.token });
  const joined = await back.ask("join_session", { session_id: id, after_seq: had.seq });
  assert.deepEqual(joined.events, missed);
  assert.deepEqual([joined.complete, joined.to_seq], [true, missed.at(-1).seq]);
  const live = await ada.say(id, "live");
  assert.deepEqual(await back.told("message_created"), live);
});

test("presence, typing and read marks are told", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const id = await session(ada, [bob]);
  await ada.told("presence_changed", { participant: bob.me, online: true });
  await bob.ask("set_typing", { session_id: id, typing: true });
  await ada.told("typing_changed", { participant: bob.me, typing: true });
  const { seq } = await ada.say(id, "read this");
  assert.deepEqual(await bob.ask("mark_read", { session_id: id, seq }), { seq });
  await ada.told("read_changed", { session_id: id, participant_id: bob.me.id, seq });
  bob.close();
  await ada.told("typing_changed", { participant: bob.me, typing: false });
  await ada.told("presence_changed", { participant: bob.me, online: false });
});

test("a reply streams by offset in code points, also for who joins midway", async () => {
  const [ada, bob] = [await person("Ada"), await person("Bob")];
  const id = await session(ada, [], { bot: "echo" });
  const prompt = await ada.say(id, LONG);
  const { reply_id } = await ada.told("reply_started", { prompt_seq: prompt.seq, attempt: 1 });
  await ada.told("reply_delta");
  const joined = await bob.ask("join_session", { session_id: id });
  let text = joined.replies[0].text;
  assert.equal(joined.replies[0].reply_id, reply_id);
  const { seq } = await bob.told("reply_finished", { reply_id });
  for (const delta of bob.heard("reply_delta")) {
    assert.equal(delta.offset, [...text].length);
    text += delta.text;
  }
  assert.equal(text, LONG);
  const message = await bob.told("message_created", { reply_id });
  assert.deepEqual([message.seq, message.data.text], [seq, LONG]);
});

test("a reply is stopped and asked for again", async () => {
  const ada = await person("Ada");
  const id = await session(ada, [], { bot: "echo" });
  await ada.say(id, LONG);
  const { reply_id } = await ada.told("reply_started");
  await ada.told("reply_delta");
  await ada.ask("stop_reply", { session_id: id, reply_id });
  const stopped = await ada.told("reply_stopped", { reply_id });
  const partial = await ada.told("message_created", { reply_id });
  assert.deepEqual([partial.seq, partial.data.stopped], [stopped.seq, true]);
  const ended = (await ada.ask("get_reply", { session_id: id, reply_id })).reply;
  assert.deepEqual([ended.state, ended.message.seq], ["stopped", partial.seq]);
  const { reply } = await ada.ask("retry_reply", { session_id: id, reply_id });
  assert.notEqual(reply.reply_id, reply_id);
  await ada.refused("conflict", "retry_reply", { session_id: id, reply_id });
  const whole = await ada.told("message_created", { reply_id: reply.reply_id });
  assert.equal(whole.data.replaces, partial.seq);
  await ada.ask("keep_message", { session_id: id, seq: partial.seq });
  assert.equal((await ada.told("message_kept")).data.seq, partial.seq);
  const edit = { session_id: id, seq: whole.data.reply_to, text: "short", ask_again: true };
  const { replies } = await ada.ask("edit_message", edit);
  const short = await ada.told("message_created", { reply_id: replies[0].reply_id });
  assert.deepEqual([short.data.text, short.data.replaces], ["short", whole.seq]);
});

test("a reply that fails is told durably", async () => {
  const ada = await person("Ada");
  const id = await session(ada, [], { bot: "broken" });
  const prompt = await ada.say(id, "hello?");
  const failed = await ada.told("reply_failed");
  assert.equal(failed.data.prompt_seq, prompt.seq);
  assert.equal(failed.data.code, "out_for_tea");
  assert.equal(failed.seq, prompt.seq + 1);
});

test("every bound has its name", async () => {
  const [ada, bob] = [
    await person("Ada", { url: limited }),
    await person("Bob", { url: limited }),
  ];
  const id = await session(ada, [bob], { bot: "echo" }).catch(() => null);
  assert.equal(id, null, "ada, the bot, and no room for bob");
  const { id: own } = (await ada.ask("list_sessions")).sessions[0];
  await bob.refused("session_full", "join_session", { session_id: own });
  await ada.refused("too_many_sessions", "create_session", {});
  const text = "x".repeat(21);
  await ada.refused("text_too_long", "send_message", {
    session_id: own, text, client_message_id: "a",
  });
  await ada.refused("too_many_bots", "add_bot", { session_id: own, bot: "corpus" });
  await ada.ask("create_invite", { session_id: own });
  await ada.refused("too_many_invites", "create_invite", { session_id: own });
  await ada.say(own, "a b c d e f g h i");
  const second = { session_id: own, text: "b", client_message_id: "b" };
  const busy = await ada.refused("busy", "send_message", second);
  assert.deepEqual([busy.retryable, busy.waiting], [true, 1]);
  const { reply_id } = await ada.told("reply_started");
  await ada.ask("stop_reply", { session_id: own, reply_id });
  await ada.told("reply_stopped", { reply_id });
  const quota = await ada.refused("quota_exceeded", "send_message", second);
  assert.ok(quota.retry_after_ms > 0 && quota.retry_after_ms <= 86_400_000);
  let limitedBy = null;
  while (limitedBy === null) limitedBy = (await bob.call("list_sessions", {})).error ?? null;
  assert.equal(limitedBy.code, "rate_limited");
  assert.ok(limitedBy.retry_after_ms > 0);
  const third = await Person.refusedBy(limited, { token: await token(limited, "Eve") });
  assert.equal(third.code, "too_many_connections");
  assert.equal(third.retryable, true);
});

test("a draining server says so, and the client comes back by itself", async () => {
  const ada = await person("Ada", { url: draining, reconnection: true, reconnectionDelay: 50 });
  const id = await session(ada);
  const { seq } = await ada.say(id, "before");
  console.log("READY TO DRAIN");
  assert.ok((await ada.told("server_draining")).reconnect_after_ms >= 0);
  await ada.ended;
  await ada.told("welcome");
  const joined = await ada.ask("join_session", { session_id: id, after_seq: seq });
  assert.deepEqual([joined.events, joined.complete], [[], true]);
});
