/** @import {MessageCreatedEvent, SessionOverview} from "../protocol.js" */
import { badge, fullTime, hueOf, initials, listTime, plainLine, titleOf } from "../format.js";
import { routeHash } from "../router.js";
import { classes, html, memo } from "./html.js";

export const SessionItem = memo(
  /** @param {{overview: SessionOverview, open: boolean, me: string}} props */
  ({ overview, open, me }) => {
    const title = titleOf(overview);
    const { unread, last_message, active_at } = overview;
    return html`
      <li>
        <a class=${classes("session", open && "session-open", unread > 0 && "session-unread")} href=${routeHash(overview.id)}
          aria-current=${open ? "page" : undefined} data-testid="session-item" data-session-id=${overview.id}>
          <span class=${classes("session-mark", `hue-${hueOf(overview.id)}`)} aria-hidden="true">${initials(title)}</span>
          <span class="session-text">
            <span class="session-line">
              <span class="session-title">${title}</span>
              <time dateTime=${active_at} title=${fullTime(active_at)}>${listTime(active_at)}</time>
            </span>
            <span class="session-line">
              <span class="session-last">${lastLine(last_message, me)}</span>
              ${unread > 0 && html`<span class="badge" data-testid="unread" aria-label=${`${badge(unread)} unread`}>${badge(unread)}</span>`}
            </span>
          </span>
        </a>
      </li>
    `;
  },
);

/**
 * @param {MessageCreatedEvent | null} message
 * @param {string} me
 */
function lastLine(message, me) {
  if (!message) return "No messages yet";
  if (message.data.deleted_at) return "Message deleted";
  return `${message.sender.id === me ? "You" : message.sender.name}: ${plainLine(message.data.text)}`;
}
