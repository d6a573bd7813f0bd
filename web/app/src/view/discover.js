/** Sessions that anybody may join. */
import { useEffect, useState } from "preact/hooks";
import { listTime, titleOf } from "../format.js";
import { routeHash } from "../router.js";
import { Dialog } from "./dialog.js";
import { html, useChat } from "./html.js";

/** @param {{state: import("../state/model.js").State, onClose: () => void}} props */
export function Discover({ state, onClose }) {
  const { sessions } = useChat();
  const [found, setFound] = useState(/** @type {import("../protocol.js").SessionOverview[] | null} */ (null));
  useEffect(() => {
    sessions.listPublic().then(setFound);
  }, []);
  return html`
    <${Dialog} title="Public chats" onClose=${onClose} testid="discover-dialog">
      ${found === null && html`<p class="dialog-text">Looking…</p>`}
      ${found?.length === 0 && html`<p class="dialog-text">Nobody has opened a public chat yet. You could be the first: start a chat and choose “Public”.</p>`}
      <ul class="found">
        ${found?.map((session) => html`<li key=${session.id}>
          <a href=${routeHash(session.id)} data-testid="public-session" onClick=${onClose}>
            <strong>${titleOf(session)}</strong>
            <small>${session.id in state.sessions ? "You are in it" : session.bot ? `with ${session.bot}` : "people only"} · ${listTime(session.active_at ?? session.created_at)}</small>
          </a>
        </li>`)}
      </ul>
    <//>
  `;
}
