/**
 * @import {Member, Participant} from "../protocol.js"
 * @import {Room} from "../state/model.js"
 */
import { useEffect } from "preact/hooks";
import { Avatar } from "./avatar.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/** @param {{room: Room, me: Participant, overlay: boolean, onClose: () => void}} props */
export function Members({ room, me, overlay, onClose }) {
  useEffect(() => {
    if (!overlay) return;
    const onKey = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && onClose();
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [overlay]);
  const members = Object.values(room.members).sort(byPresence);
  return html`
    ${overlay && html`<div class="backdrop backdrop-shown" onClick=${onClose}></div>`}
    <aside class="members" aria-label="Members" data-testid="members">
      <header class="members-head">
        <h2>Members</h2>
        <button type="button" class="icon-button" aria-label="Close members" onClick=${onClose}><${Icon} name="close" /></button>
      </header>
      <ul>
        ${members.map(({ participant, role, online }) => html`
          <li key=${participant.id} class="member" data-testid="member" data-online=${String(online)}>
            <${Avatar} participant=${participant} online=${online} />
            <span class="member-text">
              <strong>${participant.name}</strong>
              <small>${participant.id === me.id ? "You · " : ""}${describe(participant, role)}${online ? " · online" : ""}</small>
            </span>
          </li>
        `)}
      </ul>
    </aside>
  `;
}

/**
 * @param {Participant} participant
 * @param {string} role
 */
function describe(participant, role) {
  if (participant.kind === "bot") return "Bot";
  if (role === "owner") return "Owner";
  return role === "operator" ? "Operator" : "Member";
}

/**
 * @param {Member} one
 * @param {Member} other
 */
function byPresence(one, other) {
  return Number(other.online) - Number(one.online) || one.participant.name.localeCompare(other.participant.name);
}
