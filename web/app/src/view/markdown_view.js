/**
 * Markdown on the page. Blocks keep their elements while later ones grow, so that a selection in a
 * streaming reply survives.
 */
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { markdownBlocks } from "../markdown.js";
import { sanitized } from "../sanitize.js";
import { copyText } from "./clipboard.js";
import { html, memo } from "./html.js";
import { useRoomBots } from "./room_bots.js";

export const MarkdownView = memo(
  /** @param {{text: string}} props */
  ({ text }) => {
    const { names } = useRoomBots();
    const blocks = useMemo(() => markdownBlocks(text, names).map(sanitized), [text, names]);
    return html`<div class="markdown">${blocks.map((block, index) => html`<${Block} key=${index} block=${block} />`)}</div>`;
  },
);

const Block = memo(
  /** @param {{block: string}} props */
  ({ block }) => {
    const ref = useRef(/** @type {HTMLElement | null} */ (null));
    useLayoutEffect(() => {
      for (const pre of ref.current?.querySelectorAll("pre") ?? []) frameCode(pre);
    }, [block]);
    return html`<div ref=${ref} class="markdown-block" dangerouslySetInnerHTML=${{ __html: block }}></div>`;
  },
);

/** @param {HTMLPreElement} pre */
function frameCode(pre) {
  const code = pre.querySelector("code");
  const language = /language-([\w+#-]+)/.exec(code?.className ?? "")?.[1] ?? "text";
  if (code && language !== "text") colour(code, language).catch(() => {});
  const frame = document.createElement("div");
  frame.className = "code";
  const head = document.createElement("div");
  head.className = "code-head";
  const label = document.createElement("span");
  label.textContent = language;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "code-copy";
  button.dataset.testid = "copy-code";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    button.textContent = (await copyText(code?.textContent ?? "")) ? "Copied" : "Not allowed";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  pre.tabIndex = 0;
  pre.replaceWith(frame);
  head.append(label, button);
  frame.append(head, pre);
}

/**
 * The grammars are many files, so they come with the first code that needs them.
 *
 * @param {HTMLElement} code
 * @param {string} language
 */
async function colour(code, language) {
  const { highlighted } = await import("../highlight.js");
  code.innerHTML = sanitized(highlighted(code.textContent ?? "", language));
}
