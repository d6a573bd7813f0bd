/**
 * @import {BotInfo} from "../protocol.js"
 * @import {Room} from "../state/model.js"
 */
import { useState } from "preact/hooks";
import { ConfirmDialog, Dialog } from "./dialog.js";
import { html, useChat } from "./html.js";
import { SessionFields } from "./session_fields.js";

/** @param {{room: Room, bots: BotInfo[], owner: boolean, onClose: () => void}} props */
export function SessionSettings({ room, bots, owner, onClose }) {
  const { sessions } = useChat();
  const session = /** @type {import("../protocol.js").Session} */ (room.session);
  const { title, visibility, reply_policy, bot } = session;
  const [settings, setSettings] = useState(/** @type {import("./session_fields.js").Settings} */ ({ title, visibility, reply_policy, bot }));
  const [confirming, setConfirming] = useState(false);

  const onSubmit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const changed = changes(/** @type {any} */ (session), settings);
    const only_title = Object.keys(changed).length === 1 && "title" in changed;
    if (Object.keys(changed).length === 0) return onClose();
    const done = only_title ? await sessions.rename(session.id, settings.title.trim()) : await sessions.update(session.id, changed);
    if (done) onClose();
  };
  if (confirming) {
    return owner
      ? html`<${ConfirmDialog} title="Delete this chat?" text="Everything said in it is deleted for everybody. This cannot be undone." action="Delete chat"
          onConfirm=${() => sessions.remove(session.id)} onClose=${onClose} />`
      : html`<${ConfirmDialog} title="Leave this chat?" text="You will need a link or an invite to come back." action="Leave chat"
          onConfirm=${() => sessions.leave(session.id)} onClose=${onClose} />`;
  }
  return html`
    <${Dialog} title="Settings of this chat" onClose=${onClose} testid="settings-dialog">
      ${owner
        ? html`<form onSubmit=${onSubmit}>
            <${SessionFields} settings=${settings} bots=${bots} onChange=${setSettings} />
            <footer class="dialog-foot">
              <button type="button" class="button button-danger-quiet" data-testid="delete-session" onClick=${() => setConfirming(true)}>Delete chat</button>
              <span class="spacer"></span>
              <button type="button" class="button" onClick=${onClose}>Cancel</button>
              <button class="button button-primary" data-testid="save-settings">Save</button>
            </footer>
          </form>`
        : html`<p class="dialog-text">${bot ? `The bot ${bot} answers here.` : "No bot answers here."} Only the owner can change this chat.</p>
            <footer class="dialog-foot"><button type="button" class="button button-danger-quiet" data-testid="leave-session" onClick=${() => setConfirming(true)}>Leave chat</button></footer>`}
    <//>
  `;
}

/**
 * @param {Record<string, unknown>} before
 * @param {Record<string, any>} after
 */
function changes(before, after) {
  const trimmed = { ...after, title: after.title.trim() };
  return Object.fromEntries(Object.entries(trimmed).filter(([name, value]) => before[name] !== value));
}
