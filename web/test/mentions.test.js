import assert from "node:assert/strict";
import { test } from "node:test";
import { askedBots, begunMention, botNames, withMention } from "../app/src/mentions.js";
import { ada, bot, inRoom, room } from "./factories.js";

const BOTS = ["echo", "echo-2", "Ada Bot", "corpus", "c++"];
const always = { bot: "echo", reply_policy: /** @type {const} */ ("always") };
const mention = { bot: "echo", reply_policy: /** @type {const} */ ("mention") };
/** @param {string} text */
const mentioned = (text) => askedBots(mention, ada, BOTS, text);
/** @param {string} text the caret stands at its end */
const offered = (text) => begunMention(text, text.length, BOTS)?.names ?? [];

test("a mention is a name at its boundaries outside of code, as the server reads it", () => {
  const cases = /** @type {[string, string[]][]} */ ([
    ["@echo", ["echo"]],
    ["hello @ECHO, how are you?", ["echo"]],
    ["(@echo)", ["echo"]],
    ["@echo's turn. Or @corpus.", ["echo", "corpus"]],
    ["@corpus before @echo, and @corpus again", ["corpus", "echo"]],
    ["@echo @echo-2 @corpus @c++", ["echo", "echo-2", "corpus"]],
    ["@ada bot knows", ["Ada Bot"]],
    ["@c++!", ["c++"]],
    ["größer:@echo", ["echo"]],
    ["echo", []],
    ["@echoes @echo_3 @echo-3 @echo.org @echo/pkg", []],
    ["me@echo you.@echo https://chat.example/@echo", []],
    ["`@echo` and ```\n@corpus\n``` and ``` @echo", []],
    ["a ` alone hides nobody: @echo\n`", ["echo"]],
    ["@nobody", []],
    ["@", []],
    ["@\u0130da", []],
  ]);
  for (const [text, bots] of cases) assert.deepEqual(mentioned(text), bots, text);
});

test("the policy decides whether a mention is needed", () => {
  const operator = { ...ada, kind: /** @type {const} */ ("operator") };
  assert.deepEqual(askedBots(always, ada, BOTS, "hello"), ["echo"]);
  assert.deepEqual(askedBots(always, ada, BOTS, "hello @corpus"), ["corpus"]);
  assert.deepEqual(askedBots(always, operator, BOTS, "hello"), []);
  assert.deepEqual(askedBots(mention, ada, BOTS, "hello"), []);
  assert.deepEqual(askedBots({ ...always, reply_policy: "off" }, ada, BOTS, "@echo"), []);
  assert.deepEqual(askedBots({ ...always, bot: null }, ada, [], "hello"), []);
  assert.deepEqual(askedBots(always, bot, BOTS, "@echo"), []);
});

test("an @ that begins a name offers the bots it may become", () => {
  assert.deepEqual(offered("hello @"), BOTS);
  assert.deepEqual(offered("hello @E"), ["echo", "echo-2"]);
  assert.deepEqual(offered("@ada b"), ["Ada Bot"]);
  assert.deepEqual(begunMention("hi @co, you", 6, BOTS), { start: 3, names: ["corpus"] });
});

test("nothing is offered for a whole name, another one, an address, or in code", () => {
  for (const text of ["@echo", "@grace", "me@e", "x.@e", "`@e", "a `b` and `@e", "```\n@e", "@e\n", "@ech o", "e"]) {
    assert.deepEqual(offered(text), [], text);
  }
  assert.deepEqual(offered("`b` @e"), ["echo", "echo-2"]);
  assert.deepEqual(offered("```\nx\n``` @e"), ["echo", "echo-2"]);
  assert.equal(begunMention("@", 1, []), null);
});

test("the chosen name takes the place of what was typed, with one space after it", () => {
  assert.deepEqual(withMention("hi @co", 3, 6, "corpus"), { text: "hi @corpus ", caret: 11 });
  assert.deepEqual(withMention("hi @co you", 3, 6, "corpus"), { text: "hi @corpus you", caret: 11 });
});

test("a room's bots are its members that are bots", () => {
  assert.deepEqual(botNames(room(inRoom())), ["corpus"]);
});
