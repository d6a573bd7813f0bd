/**
 * Markdown to HTML, in blocks, so that a growing text re-renders only its last block.
 *
 * HTML inside Markdown is shown as text. What comes out still has to pass `sanitize.js` before it
 * may touch the page.
 */
import { Marked } from "marked";
import { mentionPattern } from "./mentions.js";

/** @param {RegExp | null} mentions */
const parserFor = (mentions) => new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    text(token) {
      if ("tokens" in token && token.tokens) return this.parser.parseInline(token.tokens);
      const text = "escaped" in token && token.escaped ? token.text : escaped(token.text);
      return mentions ? text.replace(mentions, '<span class="mention">$&</span>') : text;
    },
    html: (token) => ("block" in token && token.block ? plainBlock(token.text) : escaped(token.text)),
    code: ({ text, lang }) => {
      const language = /^[\w+#-]*/.exec(lang ?? "")?.[0].toLowerCase() ?? "";
      return `<pre><code class="language-${escaped(language || "text")}">${escaped(text)}</code></pre>`;
    },
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

/** Quotes within quotes beyond this are an attack on the parser's stack and the page's layout. */
const TOO_DEEP = /^(?:[ \t]*>){16}/m;

/** Parsers by the names they mark; a page shows few rooms in turn. */
const PARSERS = 8;
/** @type {Map<string, Marked>} */
const parsers = new Map();

/** @param {string[]} bots */
function parserOf(bots) {
  const key = bots.join("\n");
  const known = parsers.get(key) ?? parserFor(mentionPattern(bots));
  if (parsers.size >= PARSERS) parsers.clear();
  parsers.set(key, known);
  return known;
}

/**
 * @param {string} text
 * @param {string[]} [bots] whose mentions are marked, outside of code
 * @returns {string[]} unsanitised HTML of each top-level block
 */
export function markdownBlocks(text, bots = []) {
  const marked = parserOf(bots);
  if (TOO_DEEP.test(text)) return [plainBlock(text)];
  try {
    return marked
      .lexer(text)
      .filter((token) => token.type !== "space")
      .map((token) => marked.parser([token]));
  } catch {
    // One message that cannot be parsed must not take the page with it.
    return [plainBlock(text)];
  }
}

/** @param {string} text */
function plainBlock(text) {
  return `<p>${escaped(text.trim()).replaceAll("\n", "<br>")}</p>`;
}

/** @param {string} text */
export function escaped(text) {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
