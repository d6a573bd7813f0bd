import assert from "node:assert/strict";
import { test } from "node:test";
import { sectionsOf, shapesOf, typeOf } from "../app/src/docs/contract.js";

const ref = (/** @type {string} */ name) => ({ $ref: `#/components/schemas/${name}` });
const named = (/** @type {string} */ name) => ({ $ref: `#/channels/chat/messages/${name}` });

const contract = {
  channels: {
    chat: {
      messages: {
        ask: { name: "ask", summary: "a question", payload: ref("Ask"), "x-socketio-packet": "EVENT" },
        ask_done: { name: "ask_done", payload: { properties: { ok: { const: true }, data: ref("Answer") } } },
        refused: { name: "refused", payload: { properties: { ok: { const: false }, error: ref("ErrorBody") } } },
        told: { name: "told", summary: "news", payload: ref("Answer"), "x-socketio-packet": "EVENT" },
      },
    },
  },
  operations: {
    ask: { tags: [{ name: "client events" }], messages: [named("ask")], reply: { messages: [named("ask_done"), named("refused")] } },
    told: { tags: [{ name: "signals" }], messages: [named("told")] },
  },
  components: {
    schemas: {
      Ask: {
        properties: {
          text: { type: "string", minLength: 1, maxLength: 9, description: "what to ask" },
          limit: { type: "integer", minimum: 1, default: 5 },
        },
        required: ["text"],
      },
      Answer: { properties: { kind: ref("Kind"), more: { anyOf: [{ type: "integer", maximum: 3 }, { type: "null" }] } }, required: ["kind", "more"] },
      Kind: { description: "of an answer", enum: ["yes", "no"] },
      ErrorBody: { properties: {} },
    },
  },
};

test("an event shows its payload, its ack and the error", () => {
  const [entry] = sectionsOf(contract)[1].entries;
  assert.deepEqual([entry.name, entry.doc], ["ask", "a question"]);
  assert.deepEqual(entry.payloads.map(({ label, type }) => [label, type[0].to]), [
    ["payload", "Ask"],
    ["ack, {ok: true, data}", "Answer"],
    ["or {ok: false, error}", "ErrorBody"],
  ]);
  assert.deepEqual(entry.payloads[0].fields, [
    { name: "text", optional: false, type: [{ text: "string" }], rules: "1 to 9 characters", doc: "what to ask" },
    { name: "limit", optional: true, type: [{ text: "integer" }], rules: "at least 1; 5 unless given", doc: "" },
  ]);
});

test("every operation stands in the section of its tag", () => {
  assert.deepEqual(sectionsOf(contract).map(({ id, entries }) => [id, entries.map(({ name }) => name)]), [
    ["connection", []],
    ["client-events", ["ask"]],
    ["log", []],
    ["signals", ["told"]],
  ]);
});

test("shapes that are no objects are told by their type", () => {
  const kind = shapesOf(contract).find(({ name }) => name === "Kind");
  assert.deepEqual([kind?.doc, kind?.fields, kind?.type.map(({ text }) => text).join("")], ["of an answer", [], '"yes" or "no"']);
});

test("types read as words, and lead to the shapes they name", () => {
  assert.deepEqual(typeOf({ type: "array", items: ref("Kind") }), [{ text: "list of " }, { text: "Kind", to: "Kind" }]);
  assert.deepEqual(typeOf({ anyOf: [{ type: "integer" }, { type: "null" }] }).map(({ text }) => text), ["integer", " or ", "null"]);
  assert.deepEqual(typeOf({ type: "object", additionalProperties: { type: "string" } }).map(({ text }) => text), ["map of ", "string"]);
  assert.deepEqual(typeOf({ const: true }), [{ text: "true" }]);
});
