/** @import {State} from "../state/model.js" */
import { useEffect, useState } from "preact/hooks";
import { Announcer } from "./announcer.js";
import { Banner } from "./banner.js";
import { Discover } from "./discover.js";
import { Home } from "./home.js";
import { classes, html } from "./html.js";
import { NameEntry } from "./name_entry.js";
import { NewSession } from "./new_session.js";
import { RoomView } from "./room.js";
import { Sidebar } from "./sidebar.js";
import { Toasts } from "./toasts.js";

const APP_NAME = document.querySelector('meta[name="application-name"]')?.getAttribute("content") ?? "Chat";

/** @param {{state: State}} props */
export function App({ state }) {
  const [drawer, setDrawer] = useState(false);
  const [dialog, setDialog] = useState(/** @type {"new" | "discover" | null} */ (null));
  const unread = Object.values(state.sessions).reduce((sum, { unread }) => sum + unread, 0);
  const title = (state.open && state.sessions[state.open]?.title) || APP_NAME;

  useEffect(() => {
    document.title = `${unread ? `(${unread > 99 ? "99+" : unread}) ` : ""}${title}`;
  }, [unread, title]);
  useEffect(() => setDrawer(false), [state.open]);
  useEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) setDrawer(false);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  const toasts = html`<${Toasts} toasts=${state.toasts} />`;
  if (!state.me) return html`<${NameEntry} entry=${state.entry} invited=${state.open !== null} app_name=${APP_NAME} />${toasts}`;

  const room = state.open ? state.rooms[state.open] : undefined;
  const openDrawer = () => setDrawer(true);
  const create = () => setDialog("new");
  const discover = () => setDialog("discover");
  return html`
    <div class=${classes("shell", drawer && "drawer-open")}>
      <${Sidebar} state=${state} app_name=${APP_NAME} open=${drawer} onClose=${() => setDrawer(false)} onCreate=${create} onDiscover=${discover} />
      <div class="backdrop" onClick=${() => setDrawer(false)}></div>
      <main class="main" id="main">
        <${Banner} connection=${state.connection} />
        ${room
          ? html`<${RoomView} key=${room.session_id} room=${room} state=${state} me=${state.me} onMenu=${openDrawer} />`
          : html`<${Home} state=${state} onMenu=${openDrawer} onCreate=${create} onDiscover=${discover} />`}
      </main>
      ${dialog === "new" && html`<${NewSession} state=${state} onClose=${() => setDialog(null)} />`}
      ${dialog === "discover" && html`<${Discover} state=${state} onClose=${() => setDialog(null)} />`}
      <${Announcer} room=${room} me=${state.me} />
      ${toasts}
    </div>
  `;
}
