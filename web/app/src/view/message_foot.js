/**
 * What stands below a message: how it ended, its other versions, and what can be done about it.
 *
 * @import {MessageCreatedEvent, ReplyFailedEvent} from "../protocol.js"
 */
import { asSentence, fullTime } from "../format.js";
import { html, useChat } from "./html.js";
import { Icon } from "./icons.js";

const WHY_KEEP = "Bots are not shown what was cut short, unless somebody keeps it.";

/**
 * @param {{event: MessageCreatedEvent, cut: ReplyFailedEvent | null, newest: boolean, retry: string | null, last: boolean}} props
 *   `newest`: nothing took its place; `retry`: the reply to ask for again; `last`: it answers the
 *   prompt that was answered last
 */
export function MessageFoot({ event, cut, newest, retry, last }) {
  const { messages } = useChat();
  const { session_id, seq, data } = event;
  const short = Boolean(data.stopped || data.failed);
  const again = () => retry && messages.retryReply(session_id, retry);
  const keep =
    newest && short && !data.kept && html`<button type="button" class="text-button" title=${WHY_KEEP} data-testid="keep-message"
      onClick=${() => messages.keep(session_id, seq)}><${Icon} name="keep" size="15" /> Keep</button>`;
  return html`
    ${cut && html`<div class="failure failure-cut" data-testid="reply-failed">
      <${Icon} name="alert" size="18" />
      <span><strong>Cut off.</strong> ${asSentence(cut.data.message)}</span>
      ${keep}
      ${retry && html`<button type="button" class="button button-small" data-testid="retry-reply" onClick=${again}>Try again</button>`}
    </div>`}
    <div class="message-foot">
      ${data.stopped && html`<span class="mark" data-testid="stopped">Stopped</span>`}
      ${data.failed && !cut && html`<span class="mark mark-error" data-testid="cut-off">Cut off</span>`}
      ${data.kept && html`<span class="mark" title="Bots are shown this, as they are shown whole answers." data-testid="kept"><${Icon} name="keep" size="14" /> Kept</span>`}
      ${data.edited_at && html`<span class="mark" title=${fullTime(data.edited_at)} data-testid="edited">edited</span>`}
      ${retry && !cut && (short || last) && html`<button type="button" class="text-button" data-testid="retry-reply" onClick=${again}><${Icon} name="retry" size="15" /> Answer again</button>`}
      ${!cut && keep}
    </div>
  `;
}

/**
 * Turns over the answers to one prompt.
 *
 * @param {{at: number, of: number, onTurn: (at: number) => void}} props `at` counts from 0
 */
export function Pager({ at, of, onTurn }) {
  const turn = (/** @type {number} */ to) => () => to >= 0 && to < of && onTurn(to);
  // A disabled button would lose the focus to the page.
  return html`
    <div class="pager" role="group" aria-label="Answers to the same message" data-testid="answer-pager">
      <button type="button" class="icon-button icon-small" aria-label="Earlier answer" aria-disabled=${at === 0} data-testid="earlier-answer" onClick=${turn(at - 1)}><${Icon} name="back" size="16" /></button>
      <span aria-live="polite"><span class="visually-hidden">Answer ${at + 1} of ${of}</span><span aria-hidden="true">${at + 1}/${of}</span></span>
      <button type="button" class="icon-button icon-small" aria-label="Later answer" aria-disabled=${at === of - 1} data-testid="later-answer" onClick=${turn(at + 1)}><${Icon} name="forth" size="16" /></button>
    </div>
  `;
}
