/** @import {State} from "../state/model.js" */
import { useState } from "preact/hooks";
import { Dialog } from "./dialog.js";
import { html, useChat } from "./html.js";
import { SessionFields } from "./session_fields.js";

const FIELDS = new Set(["title", "bot", "reply_policy", "visibility"]);

/** @param {{state: State, onClose: () => void}} props */
export function NewSession({ state, onClose }) {
  const { sessions } = useChat();
  const [busy, setBusy] = useState(false);
  const [settings, setSettings] = useState(
    /** @type {import("./session_fields.js").Settings} */ ({
      title: "",
      bot: state.server.default_bot ?? state.bots[0]?.name ?? null,
      visibility: "private",
      reply_policy: "always",
    }),
  );
  const onSubmit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    setBusy(true);
    if (await sessions.create({ ...settings, title: settings.title.trim() })) onClose();
    else setBusy(false);
  };
  return html`
    <${Dialog} title="New chat" onClose=${onClose} testid="new-session-dialog">
      <form onSubmit=${onSubmit}>
        <${SessionFields} settings=${settings} may=${FIELDS} bots=${state.bots}
          onChange=${(/** @type {Partial<import("./session_fields.js").Settings>} */ changed) => setSettings({ ...settings, ...changed })} />
        <footer class="dialog-foot">
          <button type="button" class="button" onClick=${onClose}>Cancel</button>
          <button class="button button-primary" data-testid="create-session" disabled=${busy}>Create chat</button>
        </footer>
      </form>
    <//>
  `;
}
