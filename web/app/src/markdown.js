/**
 * Markdown to HTML, in blocks, so that a growing text re-renders only its last block.
 *
 * HTML inside Markdown is shown as text. What comes out still has to pass `sanitize.js` before it
 * may touch the page.
 */
import { Marked } from "marked";

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => escaped(text),
    code: ({ text, lang }) => {
      const language = /^[\w+#-]*/.exec(lang ?? "")?.[0].toLowerCase() ?? "";
      return `<pre><code class="language-${escaped(language || "text")}">${escaped(text)}</code></pre>`;
    },
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

/**
 * @param {string} text
 * @returns {string[]} unsanitised HTML of each top-level block
 */
export function markdownBlocks(text) {
  return marked
    .lexer(text)
    .filter((token) => token.type !== "space")
    .map((token) => marked.parser([token]));
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
