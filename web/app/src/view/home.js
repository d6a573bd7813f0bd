/** What stands in for a room while none is open: the way into the first one. */
import { html, useChat } from "./html.js";
import { Icon } from "./icons.js";

/**
 * @param {{state: import("../state/model.js").State, onMenu: () => void, onCreate: () => void, onDiscover: () => void}} props
 */
export function Home({ state, onMenu, onCreate, onDiscover }) {
  const { sessions } = useChat();
  const some = Object.keys(state.sessions).length > 0;
  const bots = state.bots.slice(0, 4);
  return html`
    <header class="room-head home-head">
      <button type="button" class="icon-button only-narrow" aria-label="Show the list of chats" data-testid="menu" onClick=${onMenu}><${Icon} name="menu" /></button>
    </header>
    <section class="home" data-testid="home" aria-labelledby="home-title">
      <img src="/assets/icons/icon.svg" alt="" width="64" height="64" />
      <h1 id="home-title">${some ? "Pick up where you left off" : `Welcome, ${state.me?.name}`}</h1>
      <p>${some ? "Choose a chat from the list, or start another one." : "A chat is a room: you, a bot that answers, and whoever you share its link with."}</p>
      <div class="home-actions">
        <button type="button" class="button button-primary" data-testid="home-new-session" onClick=${onCreate}><${Icon} name="plus" size="18" /> New chat</button>
        <button type="button" class="button" onClick=${onDiscover}><${Icon} name="compass" size="18" /> Public chats</button>
      </div>
      ${bots.length > 0 && html`
        <h2 class="home-sub">Talk to</h2>
        <ul class="bot-cards">
          ${bots.map((bot) => html`<li key=${bot.name}>
            <button type="button" class="bot-card" data-testid="bot-card" onClick=${() => sessions.create({ title: "", bot: bot.name })}>
              <strong>${bot.name}</strong><span>${bot.description || "A bot on this server"}</span>
            </button>
          </li>`)}
        </ul>
      `}
    </section>
  `;
}
