/**
 * The list of sessions; on a narrow page a drawer.
 *
 * @import {State} from "../state/model.js"
 */
import { Avatar } from "./avatar.js";
import { html, useChat } from "./html.js";
import { Icon } from "./icons.js";
import { SessionItem } from "./session_item.js";
import { ThemeToggle } from "./theme_toggle.js";
import { useMedia } from "./use_media.js";

/**
 * @param {{state: State, app_name: string, open: boolean, onClose: () => void, onCreate: () => void, onDiscover: () => void}} props
 */
export function Sidebar({ state, app_name, open, onClose, onCreate, onDiscover }) {
  const { sync } = useChat();
  const narrow = useMedia("(max-width: 760px)");
  const me = /** @type {import("../protocol.js").Participant} */ (state.me);
  const sessions = Object.values(state.sessions).sort((one, other) => (one.active_at < other.active_at ? 1 : -1));
  return html`
    <aside class="sidebar" aria-label="Chats" inert=${narrow && !open} data-testid="sidebar">
      <header class="sidebar-head">
        <a class="brand" href="#/"><img src="/assets/icons/icon.svg" alt="" width="26" height="26" />${app_name}</a>
        <button type="button" class="icon-button" aria-label="Discover public chats" data-testid="discover" onClick=${onDiscover}><${Icon} name="compass" /></button>
        ${narrow && html`<button type="button" class="icon-button" aria-label="Close the list of chats" onClick=${onClose}><${Icon} name="close" /></button>`}
      </header>
      <button type="button" class="button button-primary button-wide" data-testid="new-session" onClick=${onCreate}>
        <${Icon} name="plus" size="18" /> New chat
      </button>
      <nav class="sessions" aria-label="Your chats">
        <ul data-testid="session-list">
          ${sessions.map((overview) => html`<${SessionItem} key=${overview.id} overview=${overview} open=${overview.id === state.open} me=${me.id} />`)}
        </ul>
        ${!state.listed && state.connection.status !== "offline" && html`<div class="skeleton-list" aria-hidden="true"><i></i><i></i><i></i></div>`}
        ${state.listed && !sessions.length && html`<p class="sessions-empty">No chats yet. Start one, or open a link that somebody sent you.</p>`}
        ${state.next && html`<button type="button" class="button button-quiet button-wide" data-testid="more-sessions" onClick=${() => sync.loadMoreSessions()}>Show more</button>`}
      </nav>
      <${Profile} me=${me} online=${state.connection.status === "online"} />
    </aside>
  `;
}

/** @param {{me: import("../protocol.js").Participant, online: boolean}} props */
function Profile({ me, online }) {
  const { account } = useChat();
  return html`
    <footer class="profile" data-testid="profile">
      <${Avatar} participant=${me} online=${online} />
      <span class="profile-name"><strong>${me.name}</strong><small data-testid="connection">${online ? "Online" : "Offline"}</small></span>
      <${ThemeToggle} />
      <button type="button" class="icon-button" aria-label="Sign out" data-testid="sign-out" onClick=${() => account.signOut()}><${Icon} name="exit" /></button>
    </footer>
  `;
}
