/**
 * @import {Version} from "../answers.js"
 * @import {MessageCreatedEvent, Participant, ReplyFailedEvent} from "../protocol.js"
 * @import {FailureItem, NoticeItem, OutgoingItem} from "../timeline.js"
 */
import { useState } from "preact/hooks";
import { sentence } from "../errors.js";
import { asSentence, clockTime, fullTime, plainLine } from "../format.js";
import { Avatar } from "./avatar.js";
import { ConfirmDialog } from "./dialog.js";
import { classes, html, memo, useChat } from "./html.js";
import { Icon } from "./icons.js";
import { MarkdownView } from "./markdown_view.js";
import { MessageEditor } from "./message_editor.js";
import { MessageFoot, Pager } from "./message_foot.js";

export const Message = memo(
  /**
   * @param {{newest: MessageCreatedEvent, cut: ReplyFailedEvent | null, earlier: Version[], own: boolean, head: boolean, retry: string | null, last: boolean,
   *   quoted: MessageCreatedEvent | null, editing: boolean, onEdit: (seq: number | null) => void, onReply: (event: MessageCreatedEvent) => void}} props
   */
  ({ newest, cut, earlier, own, head, retry, last, quoted, editing, onEdit, onReply }) => {
    const { messages } = useChat();
    const [deleting, setDeleting] = useState(false);
    const versions = [...earlier, { event: newest, cut }];
    const [turned, setTurned] = useState({ seq: 0, under: 0 });
    // A page turned to is left as soon as there is a newer answer.
    const at = Math.max(0, turned.under === newest.seq ? versions.findIndex(({ event }) => event.seq === turned.seq) : earlier.length);
    const shown = versions[at];
    const is_newest = at === earlier.length;
    const { event } = shown;
    const { sender, seq, session_id, created_at, data } = event;
    const gone = Boolean(data.deleted_at);
    return html`
      <article class=${classes("message", own ? "message-own" : `message-${sender.kind}`, head && "message-head")} data-testid="message"
        data-seq=${seq} data-state=${gone ? "deleted" : "sent"} data-sender=${sender.name} data-kind=${sender.kind} aria-label=${`${sender.name}, ${clockTime(created_at)}`}>
        ${!own && html`<div class="message-side">${head && html`<${Avatar} participant=${sender} />`}</div>`}
        <div class="message-main">
          ${head && html`<${Byline} sender=${sender} at=${created_at} own=${own} />`}
          ${quoted && html`<${Quote} event=${quoted} />`}
          ${editing
            ? html`<${MessageEditor} event=${event} onDone=${() => onEdit(null)} />`
            : html`<div class=${classes("bubble", gone && "bubble-gone")}>
                ${gone ? "Message deleted" : html`<${MarkdownView} text=${data.text} />`}
              </div>`}
          ${!gone && !editing && html`<${MessageFoot} event=${event} cut=${shown.cut} newest=${is_newest} retry=${is_newest ? retry : null} last=${last} />`}
          ${earlier.length > 0 && html`<${Pager} at=${at} of=${versions.length} onTurn=${(/** @type {number} */ to) => setTurned({ seq: versions[to].event.seq, under: newest.seq })} />`}
        </div>
        ${!gone && !editing && html`<div class="message-actions">
          <button type="button" class="icon-button icon-small" aria-label="Reply to this message" data-testid="reply-to" onClick=${() => onReply(event)}><${Icon} name="reply" size="16" /></button>
          ${is_newest && retry && !last && !data.stopped && !data.failed && html`<button type="button" class="icon-button icon-small" aria-label="Answer again" title="Answer again" data-testid="retry-reply"
            onClick=${() => messages.retryReply(session_id, retry)}><${Icon} name="retry" size="16" /></button>`}
          ${own && html`
            <button type="button" class="icon-button icon-small" aria-label="Edit this message" data-testid="edit-message" onClick=${() => onEdit(seq)}><${Icon} name="edit" size="16" /></button>
            <button type="button" class="icon-button icon-small" aria-label="Delete this message" data-testid="delete-message" onClick=${() => setDeleting(true)}><${Icon} name="trash" size="16" /></button>
          `}
        </div>`}
        ${deleting && html`<${ConfirmDialog} title="Delete this message?" text="It disappears for everybody." action="Delete"
          onConfirm=${() => messages.remove(session_id, seq)} onClose=${() => setDeleting(false)} />`}
      </article>
    `;
  },
);

/** @param {{sender: Participant, at: string, own: boolean}} props */
export function Byline({ sender, at, own }) {
  return html`<header class="byline">
    ${!own && html`<strong>${sender.name}</strong>`}
    ${sender.kind === "bot" && html`<span class="tag">Bot</span>`}
    <time dateTime=${at} title=${fullTime(at)}>${clockTime(at)}</time>
  </header>`;
}

/** @param {{event: MessageCreatedEvent}} props */
export function Quote({ event }) {
  return html`<blockquote class="quote"><strong>${event.sender.name}</strong> ${event.data.deleted_at ? "Message deleted" : plainLine(event.data.text)}</blockquote>`;
}

/** @param {{item: OutgoingItem, online: boolean}} props */
export function Outgoing({ item: { entry, head }, online }) {
  const { messages } = useChat();
  const failed = entry.state === "failed";
  return html`
    <article class=${classes("message message-own message-outgoing", head && "message-head", failed && "message-failed")} data-testid="message" data-state=${entry.state} data-client-id=${entry.client_message_id}>
      <div class="message-main">
        <div class="bubble"><${MarkdownView} text=${entry.text} /></div>
        <div class="message-foot">
          ${failed
            ? html`<span class="mark mark-error"><${Icon} name="alert" size="14" /> Not sent. ${entry.error && sentence(entry.error)}</span>
                <button type="button" class="text-button" data-testid="retry-send" onClick=${() => messages.retry(entry)}>Try again</button>
                <button type="button" class="text-button" data-testid="discard-send" onClick=${() => messages.discard(entry)}>Discard</button>`
            : html`<span class="mark"><${Icon} name="clock" size="13" /> ${online ? "Sending…" : "Waiting for the connection"}</span>`}
        </div>
      </div>
    </article>
  `;
}

/** @param {{item: FailureItem}} props */
export function Failure({ item: { event, retry, over } }) {
  const { messages } = useChat();
  return html`
    <div class=${classes("failure", over && "failure-mild")} data-testid="reply-failed" data-seq=${event.seq}>
      <${Icon} name="alert" size="18" />
      <span><strong>${event.sender.name} could not answer.</strong> ${asSentence(event.data.message)}</span>
      ${retry && html`<button type="button" class="button button-small" data-testid="retry-reply" onClick=${() => messages.retryReply(event.session_id, retry)}>Try again</button>`}
    </div>
  `;
}

/** @param {{item: NoticeItem}} props */
export function Notice({ item: { event } }) {
  return html`<p class="notice" data-testid="notice" data-seq=${event.seq}>${noticeText(event)}</p>`;
}

/** @param {NoticeItem["event"]} event */
function noticeText(event) {
  const { sender } = event;
  if (event.type === "participant_joined") return `${event.data.participant.name} joined`;
  if (event.type === "participant_left") return `${event.data.participant.name} left`;
  // Bots change nothing but the title of a chat that has none.
  if (sender.kind === "bot") return `${sender.name} called this chat “${event.data.title}”`;
  return `${sender.name} changed the settings of this chat`;
}
