/**
 * @import {BotInfo, Role, Session} from "../protocol.js"
 * @import {Room} from "../state/model.js"
 * @import {Settings} from "./session_fields.js"
 */
import { useState } from "preact/hooks";
import { settableBy } from "../state/rights.js";
import { ConfirmDialog, Dialog } from "./dialog.js";
import { html, useChat } from "./html.js";
import { SessionBots } from "./session_bots.js";
import { SessionFields } from "./session_fields.js";

/** @param {{room: Room, bots: BotInfo[], role: Role | undefined, onClose: () => void}} props */
export function SessionSettings({ room, bots, role, onClose }) {
  const { sessions } = useChat();
  const session = /** @type {Session} */ (room.session);
  const may = settableBy(role);
  const owner = role === "owner";
  // Only what was changed here: the rest follows the session, which others may change meanwhile.
  const [edits, setEdits] = useState(/** @type {Partial<Settings>} */ ({}));
  const [confirming, setConfirming] = useState(false);

  const onSubmit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const changed = changes(session, edits);
    const only_title = Object.keys(changed).length === 1 && "title" in changed;
    if (Object.keys(changed).length === 0) return onClose();
    const done = only_title ? await sessions.rename(session.id, changed.title ?? "") : await sessions.update(session.id, changed);
    if (done) onClose();
  };
  if (confirming) {
    return owner
      ? html`<${ConfirmDialog} title="Delete this chat?" text="Everything said in it is deleted for everybody. This cannot be undone." action="Delete chat"
          onConfirm=${() => sessions.remove(session.id)} onClose=${onClose} />`
      : html`<${ConfirmDialog} title="Leave this chat?" text="You will need a link or an invite to come back." action="Leave chat"
          onConfirm=${() => sessions.leave(session.id)} onClose=${onClose} />`;
  }
  const end = owner
    ? html`<button type="button" class="button button-danger-quiet" data-testid="delete-session" onClick=${() => setConfirming(true)}>Delete chat</button>`
    : html`<button type="button" class="button button-danger-quiet" data-testid="leave-session" onClick=${() => setConfirming(true)}>Leave chat</button>`;
  return html`
    <${Dialog} title="Settings of this chat" onClose=${onClose} testid="settings-dialog">
      ${may.size === 0 && html`<p class="dialog-text">Only the owner can change this chat.</p>`}
      <form onSubmit=${onSubmit}>
        <${SessionFields} settings=${{ ...session, ...edits }} before=${session} may=${may} bots=${bots}
          onChange=${(/** @type {Partial<Settings>} */ changed) => setEdits({ ...edits, ...changed })}>
          <${SessionBots} room=${room} bots=${bots} may_change=${may.has("bot")} />
        <//>
        <footer class="dialog-foot">
          ${end}
          ${may.size > 0 && html`<span class="spacer"></span>
            <button type="button" class="button" onClick=${onClose}>Cancel</button>
            <button class="button button-primary" data-testid="save-settings">Save</button>`}
        </footer>
      </form>
    <//>
  `;
}

/**
 * @param {Record<string, any>} before
 * @param {Partial<Settings>} edits
 * @returns {Partial<Settings>}
 */
function changes(before, edits) {
  const trimmed = edits.title === undefined ? edits : { ...edits, title: edits.title.trim() };
  return Object.fromEntries(Object.entries(trimmed).filter(([name, value]) => before[name] !== value));
}
