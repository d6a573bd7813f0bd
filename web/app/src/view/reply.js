/** @import {LiveReply} from "../state/model.js" */
import { useEffect, useRef, useState } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { html, memo, useChat } from "./html.js";
import { Icon } from "./icons.js";
import { MarkdownView } from "./markdown_view.js";

/** Rendering may take this share of the time at most. */
const BUSY_SHARE = 0.25;

export const ReplyView = memo(
  /** @param {{reply: LiveReply, session_id: string, several: boolean}} props `several`: this is not the only one */
  ({ reply, session_id, several }) => {
    const { messages } = useChat();
    const text = usePaced(reply.text);
    const { bot, state, reply_id } = reply;
    if (state === "stopped") {
      return html`
        <div class="failure failure-mild" data-testid="reply-stopped" data-reply-id=${reply_id}>
          <span>${bot.name} was stopped before it said anything.</span>
          <button type="button" class="button button-small" data-testid="retry-reply" onClick=${() => messages.retryReply(session_id, reply_id)}><${Icon} name="retry" size="15" /> Answer again</button>
        </div>
      `;
    }
    return html`
      <article class="message message-bot message-head message-live" data-testid="reply-streaming" data-reply-id=${reply_id} data-state=${state === "queued" ? "queued" : text ? "streaming" : "thinking"} aria-busy="true">
        <div class="message-side"><${Avatar} participant=${bot} /></div>
        <div class="message-main">
          <header class="byline"><strong>${bot.name}</strong><span class="tag">Bot</span></header>
          ${text
            ? html`<div class="bubble"><${MarkdownView} text=${text} /></div>`
            : state === "queued"
              ? html`<div class="thinking" data-testid="queued"><${Icon} name="clock" size="15" /> Waiting for its turn…</div>`
              : html`<div class="thinking" data-testid="thinking"><span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>Thinking…</div>`}
          ${several && html`<div class="message-foot"><button type="button" class="text-button" aria-label=${`Stop ${bot.name}`} data-testid="stop-this-reply"
            onClick=${() => messages.stopReply(session_id, reply_id)}><${Icon} name="stop" size="15" /> Stop</button></div>`}
        </div>
      </article>
    `;
  },
);

/**
 * The latest text, but less often the longer its rendering takes.
 *
 * @param {string} text
 */
function usePaced(text) {
  const [shown, setShown] = useState(text);
  const pace = useRef({ asked: 0, rest_ms: 0 });
  useEffect(() => {
    if (text === shown) {
      pace.current.rest_ms = pace.current.asked ? (performance.now() - pace.current.asked) / BUSY_SHARE : 0;
      return undefined;
    }
    const show = () => {
      pace.current.asked = performance.now();
      setShown(text);
    };
    if (text.length < shown.length || !shown) {
      show();
      return undefined;
    }
    const due = Math.min(pace.current.asked + pace.current.rest_ms - performance.now(), 400);
    const timer = setTimeout(() => requestAnimationFrame(show), Math.max(due, 0));
    return () => clearTimeout(timer);
  }, [text, shown]);
  return shown;
}
