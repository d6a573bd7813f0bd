import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { sentence } from "../app/src/errors.js";
import { asSentence, badge, daysBetween, dayLabel, duration, hueOf, HUES, initials, listTime, plainLine, titleOf, typingLabel } from "../app/src/format.js";
import { highlighted } from "../app/src/highlight.js";
import { markdownBlocks } from "../app/src/markdown.js";
import { DURABLE } from "../app/src/durable.js";
import { parseRoute, routeHash } from "../app/src/router.js";

test("routes survive a round trip", () => {
  for (const [session_id, invite] of [[null, null], ["abc-_1", null], ["a b/ü", "c+d&e=f"]]) {
    assert.deepEqual(parseRoute(routeHash(session_id, invite)), { session_id, invite });
  }
});

test("anything else in the hash is the list", () => {
  for (const hash of ["", "#", "#/s/", "#/s/%E0%A4", "#/other/x"]) {
    assert.deepEqual(parseRoute(hash), { session_id: null, invite: null });
  }
});

test("days are counted by the calendar, not by 24 hours", () => {
  assert.equal(daysBetween(new Date(2026, 2, 28, 23, 59), new Date(2026, 2, 29, 0, 1)), 1);
  assert.equal(daysBetween(new Date(2026, 2, 29, 0, 1), new Date(2026, 2, 29, 23, 59)), 0);
});

test("days near today have names, others a date", () => {
  const now = new Date(2026, 10, 21, 12);
  const label = (/** @type {number} */ days) => dayLabel(new Date(2026, 10, 21 - days, 9).toISOString(), now, "en-GB");
  assert.deepEqual([label(0), label(1), label(3)], ["Today", "Yesterday", "Wednesday"]);
  assert.match(label(30), /22 October/);
  assert.match(label(400), /2025/);
});

test("the list shows a clock today and a date long ago", () => {
  const now = new Date(2026, 10, 21, 12);
  assert.equal(listTime(new Date(2026, 10, 21, 9, 5).toISOString(), now, "en-GB"), "09:05");
  assert.equal(listTime(new Date(2026, 9, 1).toISOString(), now, "en-GB"), "1 Oct");
});

test("initials are first and last, whatever the script", () => {
  assert.deepEqual(["Ada Lovelace", "ada", "Ada B. Cee", "山田", "🎉 x", " "].map(initials), ["AL", "A", "AC", "山", "🎉X", "?"]);
});

test("a colour stays the same for an id and within the palette", () => {
  assert.equal(hueOf("p-1"), hueOf("p-1"));
  assert.ok(hueOf("p-🎉") < HUES);
});

test("long counts are cut", () => assert.deepEqual([badge(7), badge(100)], ["7", "99+"]));

test("typing reads as a sentence for any number of people", () => {
  assert.deepEqual([[], ["A"], ["A", "B"], ["A", "B", "C"]].map(typingLabel), ["", "A is typing…", "A and B are typing…", "A and 2 others are typing…"]);
});

test("Markdown becomes one plain line for the list", () => {
  assert.equal(plainLine("# Hi\n\n- **bold** [link](https://x)\n```js\ncode\n```"), "Hi bold link code");
});

test("HTML inside Markdown is text", () => {
  const html = markdownBlocks("<img src=x onerror=alert(1)> and <b>x</b>\n\n<script>alert(1)</script>").join("");
  assert.doesNotMatch(html, /<(?:img|b|script)/);
});

test("hostile nesting is shown as plain text, quickly", () => {
  for (const text of [">".repeat(16_000), "> ".repeat(8000), "[".repeat(16_000), "- ".repeat(8000), "*a ".repeat(5000), "![[".repeat(5000)]) {
    const started = performance.now();
    assert.ok(markdownBlocks(text).length > 0);
    assert.ok(performance.now() - started < 2000);
  }
  assert.equal(markdownBlocks(">".repeat(99)).join(""), `<p>${"&gt;".repeat(99)}</p>`);
});

test("a code block cannot break out of its attribute", () => {
  const html = markdownBlocks('```"><img src=x>\n<b>\n```').join("");
  assert.doesNotMatch(html, /<(?:img|b)>|<img/);
});

test("images become links, so that nothing is loaded from elsewhere", () => {
  assert.match(markdownBlocks("![cat](https://example.org/c.png)").join(""), /<a href="https:\/\/example.org\/c.png">cat<\/a>/);
});

test("code is coloured where the language is known and kept where it is not", () => {
  assert.match(highlighted("def f(): pass", "python"), /hljs-keyword/);
  assert.equal(highlighted("<a>", "nonsense"), "&lt;a&gt;");
});

test("blocks that are finished do not change while the text grows", () => {
  const [first] = markdownBlocks("# Title\n\npara");
  assert.equal(markdownBlocks("# Title\n\nparagraph goes on\n\n```js\nlet")[0], first);
});

test("every error reads as a sentence", () => {
  for (const code of /** @type {const} */ (["offline", "not_found", "session_full", "rate_limited", "internal"])) {
    assert.match(sentence({ code, message: "m", retryable: false, retry_after_ms: 2500 }), /^[A-Z].*[.]/);
  }
  assert.equal(sentence({ code: /** @type {any} */ ("brand_new"), message: "Server words.", retryable: false }), "Server words.");
  assert.match(sentence({ code: "invalid_payload", message: "too long", retryable: false, field: "title" }), /title/);
});

test("a busy server says how many come first, and a spent quota until when", () => {
  const said = (/** @type {import("../app/src/errors.js").ProblemCode} */ code, /** @type {object} */ more) => sentence({ code, message: "m", retryable: true, ...more });
  assert.equal(said("busy", { waiting: 3 }), "3 replies wait before yours. Please try again in a moment.");
  assert.match(said("busy", { waiting: 1 }), /^1 reply waits before yours[.]/);
  assert.match(said("busy", {}), /^Too many replies wait already[.]/);
  assert.match(said("quota_exceeded", { retry_after_ms: 18_720_000 }), /in 5 hours 12 minutes, after midnight UTC[.]$/);
  assert.match(said("conflict", { message: "the message is whole" }), /: the message is whole[.]$/);
});

test("a wait is told in hours and minutes, rounded up", () => {
  assert.deepEqual([1, 60_000, 61_000, 3_600_000, 7_260_000].map(duration), ["1 minute", "1 minute", "2 minutes", "1 hour", "2 hours 1 minute"]);
});

test("a server's words end in a full stop, once", () => {
  assert.deepEqual(["KEY is not set", "The model is away.", "Why?"].map(asSentence), ["KEY is not set.", "The model is away.", "Why?"]);
});

test("mentions of bots are marked, in any case, and nobody else's", () => {
  const [block] = markdownBlocks("Hello @Sage and @grace, **@echo** [see @sage](https://x.org)", ["sage", "echo"]);
  assert.deepEqual([...block.matchAll(/<span class="mention">([^<]*)</g)].map(([, name]) => name), ["@Sage", "@echo", "@sage"]);
});

test("what looks like a mention in code, in an address or in markup is left alone", () => {
  for (const text of ["`@sage`", "```\n@sage\n```", "    @sage", "me@sage.org", "https://x.org/@sage", "[x](https://x.org/?@sage)"]) {
    assert.doesNotMatch(markdownBlocks(text, ["sage"]).join(""), /mention/, text);
  }
  assert.match(markdownBlocks("<b onclick=x>@sage</b>", ["sage"]).join(""), /^<p>&lt;b onclick=x&gt;<span class="mention">@sage<\/span>&lt;/);
});

test("rooms with different bots are marked each by its own", () => {
  const marked = (/** @type {string[]} */ bots) => markdownBlocks("@one @two", bots).join("").match(/mention/g)?.length ?? 0;
  assert.deepEqual([["one"], ["one", "two"], [], ["one"]].map(marked), [1, 2, 0, 1]);
});

test("this client knows every event of the log and has words for every error", () => {
  const names = (/** @type {string} */ file, /** @type {string} */ table) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8").split(`<!-- derived: ${table} -->`)[1].split("<!-- end -->")[0];
    return [...text.matchAll(/^[|] `(\w+)` [|]/gm)].map(([, name]) => name);
  };
  assert.deepEqual(names("README.md", "durable").filter((name) => !DURABLE.has(name)), []);
  const wordless = names("docs/protocol.md", "errors").filter((code) => sentence({ code: /** @type {any} */ (code), message: "m", retryable: false }) === "m.");
  // No client of ours asks for an event that does not exist.
  assert.deepEqual(wordless, ["unknown_event"]);
});

test("a session without a title goes by its bot", () => {
  assert.equal(titleOf({ title: "Tea", bot: "ada" }), "Tea");
  assert.equal(titleOf({ title: "", bot: "ada" }), "Chat with ada");
  assert.equal(titleOf({ title: "", bot: null }), "Untitled");
});
