/**
 * @import {BotInfo, MessageCreatedEvent} from "../protocol.js"
 * @import {LiveReply} from "../state/model.js"
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { codePointLength } from "../codepoints.js";
import { plainLine } from "../format.js";
import { drafts } from "./drafts.js";
import { grow } from "./grow.js";
import { classes, html, useChat } from "./html.js";
import { Icon } from "./icons.js";
import { MentionList, useMentions } from "./mention_list.js";
import { useRoomBots } from "./room_bots.js";

const COUNT_FROM = 0.9;

/**
 * @param {{session_id: string, disabled: boolean, limit: number, running: LiveReply | undefined, bots: BotInfo[],
 *   quote: MessageCreatedEvent | null, onQuoteDone: () => void, title: string, mine: number | undefined}} props
 */
export function Composer({ session_id, disabled, limit, running, bots, quote, onQuoteDone, title, mine }) {
  const { messages } = useChat();
  const [text, setText] = useState(() => drafts.get(session_id));
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const length = codePointLength(text);
  const ready = text.trim() !== "" && length <= limit && !disabled;

  useEffect(() => {
    const field = /** @type {HTMLTextAreaElement} */ (area.current);
    if (window.matchMedia("(hover: hover)").matches && !document.querySelector("dialog[open]")) field.focus();
    grow(field);
    return () => messages.setTyping(session_id, false);
  }, [session_id, disabled]);
  useEffect(() => {
    if (quote) area.current?.focus();
  }, [quote]);

  const change = (/** @type {string} */ value) => {
    setText(value);
    drafts.set(session_id, value);
    messages.setTyping(session_id, value.trim() !== "");
  };
  const { names, asked } = useRoomBots();
  const mentions = useMentions({ area, names: names.filter((name) => asked(`@${name}`).length), onChange: change });
  const send = () => {
    if (!ready || !messages.send(session_id, text.trim(), quote?.seq)) return;
    setText("");
    drafts.set(session_id, "");
    onQuoteDone();
    const field = /** @type {HTMLTextAreaElement} */ (area.current);
    field.value = "";
    grow(field);
    field.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing || mentions.onKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape" && quote) onQuoteDone();
    else if (event.key === "ArrowUp" && !text && mine) {
      event.preventDefault();
      /** @type {HTMLElement | null} */ (document.querySelector(`[data-seq="${mine}"] [data-testid="edit-message"]`))?.click();
    }
  };

  return html`
    <form class="composer" onSubmit=${(/** @type {SubmitEvent} */ event) => { event.preventDefault(); send(); }}>
      ${quote && html`<div class="composer-quote" data-testid="composer-quote">
        <${Icon} name="reply" size="16" /><span><strong>${quote.sender.name}</strong> ${plainLine(quote.data.text)}</span>
        <button type="button" class="icon-button icon-small" aria-label="Do not reply to this message" onClick=${onQuoteDone}><${Icon} name="close" size="16" /></button>
      </div>`}
      <div class="composer-row">
        <${MentionList} open=${mentions.open} bots=${bots} onChoose=${mentions.insert} />
        <textarea ref=${area} rows="1" value=${text} placeholder=${`Message ${title}`} aria-label="Message" data-testid="composer" disabled=${disabled}
          enterkeyhint="send" ...${mentions.field_props} onKeyDown=${onKeyDown} onKeyUp=${mentions.look} onClick=${mentions.look}
          onBlur=${() => { mentions.hide(); messages.setTyping(session_id, false); }}
          onInput=${(/** @type {any} */ event) => { change(event.target.value); grow(event.target); mentions.look(); }}></textarea>
        ${running && html`<button type="button" class="round-button round-stop" aria-label=${`Stop ${running.bot.name}`} title="Stop the reply" data-testid="stop-reply"
          onClick=${() => messages.stopReply(session_id, running.reply_id)}><span class="stop-square" aria-hidden="true"></span></button>`}
        <button class="round-button" aria-label="Send" data-testid="send" disabled=${!ready}><${Icon} name="send" /></button>
      </div>
      <p class="composer-hint">
        <span class="only-wide"><kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> starts a new line. Markdown works.</span>
        ${length > limit * COUNT_FROM && html`<span class=${classes("count", length > limit && "count-over")} role="status">${(limit - length).toLocaleString()} characters left</span>`}
      </p>
    </form>
  `;
}
