/** @import {MessageCreatedEvent} from "../protocol.js" */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { grow } from "./grow.js";
import { html, useChat } from "./html.js";
import { useRoomBots } from "./room_bots.js";

/** @param {{event: MessageCreatedEvent, onDone: () => void}} props */
export function MessageEditor({ event: { session_id, seq, data }, onDone }) {
  const { messages } = useChat();
  const { asked } = useRoomBots();
  const [text, setText] = useState(data.text);
  const [busy, setBusy] = useState(false);
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  // Before it is shown: what somebody does to the text at once must not be undone.
  useLayoutEffect(() => {
    const field = /** @type {HTMLTextAreaElement} */ (area.current);
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
    grow(field);
  }, []);

  const save = async (ask_again = false) => {
    if (!text.trim() || (text === data.text && !ask_again)) return onDone();
    setBusy(true);
    if (await messages.edit(session_id, seq, text, ask_again)) onDone();
    else setBusy(false);
  };
  const bots = text.trim() ? asked(text) : [];
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") onDone();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  };
  return html`
    <div class="editor">
      <textarea ref=${area} rows="1" value=${text} aria-label="Edit the message" data-testid="edit-input" disabled=${busy} onKeyDown=${onKeyDown}
        onInput=${(/** @type {any} */ event) => { setText(event.target.value); grow(event.target); }}></textarea>
      <div class="editor-foot">
        <button type="button" class="button button-small" onClick=${onDone}>Cancel</button>
        ${bots.length > 0 && html`<button type="button" class="button button-small" title=${`${bots.join(", ")} will answer again`} data-testid="edit-ask-again"
          onClick=${() => save(true)} disabled=${busy}>Save and ask again</button>`}
        <button type="button" class="button button-small button-primary" data-testid="edit-save" onClick=${() => save()} disabled=${busy}>Save</button>
      </div>
    </div>
  `;
}
