/**
 * The bots of a session: who they are, and for whoever may, adding and removing them. Each takes
 * effect at once.
 *
 * @import {BotInfo} from "../protocol.js"
 * @import {Room} from "../state/model.js"
 */
import { useRef, useState } from "preact/hooks";
import { sentence } from "../errors.js";
import { botNames } from "../mentions.js";
import { Avatar } from "./avatar.js";
import { html, useChat } from "./html.js";
import { Icon } from "./icons.js";

/** @param {{room: Room, bots: BotInfo[], may_change: boolean}} props */
export function SessionBots({ room, bots, may_change }) {
  const { sessions } = useChat();
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const [wanted, setWanted] = useState("");
  const section = useRef(/** @type {HTMLElement | null} */ (null));
  const names = botNames(room);
  const others = bots.filter(({ name }) => !names.includes(name));
  const next = others.some(({ name }) => name === wanted) ? wanted : (others[0]?.name ?? "");

  const change = async (/** @type {typeof sessions.addBot} */ command, /** @type {string} */ bot) => {
    setBusy(true);
    const failure = await command(room.session_id, bot);
    setError(failure ? sentence(failure) : "");
    setBusy(false);
    // The button that was pressed may be gone.
    section.current?.focus();
  };
  return html`
    <section ref=${section} class="session-bots" tabindex="-1" aria-labelledby="session-bots-title" data-testid="session-bots">
      <h3 id="session-bots-title">Bots</h3>
      ${names.length === 0 && html`<p class="dialog-text">No bot is in this chat.</p>`}
      <ul>
        ${names.map((name) => html`
          <li key=${name} class="member" data-testid="session-bot-item" data-bot=${name}>
            <${Avatar} participant=${{ id: `bot:${name}`, name, kind: "bot" }} size="small" />
            <span class="member-text"><strong>${name}</strong><small>${answers(room, name)}</small></span>
            ${may_change && html`<button type="button" class="button button-small button-danger-quiet" aria-label=${`Remove ${name}`} data-testid="remove-bot" disabled=${busy}
              onClick=${() => change(sessions.removeBot, name)}>Remove</button>`}
          </li>
        `)}
      </ul>
      ${may_change && others.length > 0 && html`<div class="copy-row">
        <select aria-label="Bot to add" data-testid="bot-to-add" value=${next} onChange=${(/** @type {any} */ event) => setWanted(event.target.value)}>
          ${others.map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select>
        <button type="button" class="button" data-testid="add-bot" disabled=${busy} onClick=${() => change(sessions.addBot, next)}><${Icon} name="plus" size="17" /> Add</button>
      </div>`}
      ${may_change && html`<p class="field-error" role="alert" data-testid="bots-error">${error}</p>`}
    </section>
  `;
}

/**
 * @param {Room} room
 * @param {string} name
 */
function answers({ session }, name) {
  if (!session || session.reply_policy === "off") return "Does not answer";
  return session.bot === name && session.reply_policy === "always" ? "Answers every message" : `Answers when mentioned with @${name}`;
}
