/**
 * @import {Participant, SessionOverview} from "../protocol.js"
 * @import {Room} from "../state/model.js"
 */
import { useState } from "preact/hooks";
import { titleOf } from "../format.js";
import { Avatar } from "./avatar.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { ShareDialog } from "./share.js";

const SHOWN_FACES = 3;

/**
 * @param {{room: Room, overview: SessionOverview | undefined, me: Participant, owner: boolean, members: boolean,
 *   onMenu: () => void, onMembers: () => void, onSummary: () => void, onSettings: () => void}} props
 */
export function RoomHead({ room, overview, me, owner, members, onMenu, onMembers, onSummary, onSettings }) {
  const [sharing, setSharing] = useState(false);
  const session = room.session ?? overview;
  const people = Object.values(room.members);
  const online = people.filter((member) => member.online).length;
  const faces = people.filter((member) => member.participant.id !== me.id).slice(0, SHOWN_FACES);
  const shareable = owner || (session && session.visibility !== "private");
  return html`
    <header class="room-head">
      <button type="button" class="icon-button only-narrow" aria-label="Show the list of chats" data-testid="menu" onClick=${onMenu}><${Icon} name="menu" /></button>
      <div class="room-title">
        <h1 data-testid="room-title">${session ? titleOf(session) : "…"}</h1>
        <p>
          ${session?.visibility === "public" && html`<${Icon} name="globe" size="13" />`}
          ${session?.visibility === "private" && html`<${Icon} name="lock" size="13" />`}
          ${session?.visibility === "link" && html`<${Icon} name="link" size="13" />`}
          <span data-testid="online-count">${people.length ? `${people.length} ${people.length === 1 ? "member" : "members"}, ${online} online` : "Opening…"}</span>
        </p>
      </div>
      <button type="button" class="faces" aria-pressed=${members} aria-label=${members ? "Hide members" : "Show members"} data-testid="members-toggle" onClick=${onMembers}>
        ${faces.map((member) => html`<${Avatar} key=${member.participant.id} participant=${member.participant} size="small" />`)}
        <${Icon} name="people" />
      </button>
      ${shareable && html`<button type="button" class="button button-small button-invite" data-testid="invite" aria-label="Invite" onClick=${() => setSharing(true)}>
        <${Icon} name="link" size="17" /><span class="only-wide">Invite</span>
      </button>`}
      <button type="button" class="icon-button" aria-label="Summary of this chat" data-testid="summarize" onClick=${onSummary}><${Icon} name="summary" /></button>
      <button type="button" class="icon-button" aria-label="Settings of this chat" data-testid="session-settings" onClick=${onSettings}><${Icon} name="settings" /></button>
    </header>
    ${sharing && html`<${ShareDialog} room=${room} owner=${owner} onClose=${() => setSharing(false)} />`}
  `;
}
