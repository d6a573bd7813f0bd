/**
 * Reads finished messages out: a live region on the timeline itself would stammer each token.
 *
 * @import {MessageCreatedEvent, Participant, ReplyFailedEvent} from "../protocol.js"
 * @import {Room} from "../state/model.js"
 */
import { useRef } from "preact/hooks";
import { plainLine } from "../format.js";
import { html } from "./html.js";

const REMEMBERED = 5;

/** @param {{room: Room | undefined, me: Participant}} props */
export function Announcer({ room, me }) {
  const since = useRef({ session_id: "", seq: 0 });
  const joined = room?.status === "joined" ? room : undefined;
  if (joined && since.current.session_id !== joined.session_id) {
    since.current = { session_id: joined.session_id, seq: joined.last_seq };
  }
  const told = (joined?.events ?? []).filter((event) => event.type === "message_created" || event.type === "reply_failed");
  const said = told.filter((event) => event.seq > since.current.seq && event.sender.id !== me.id);
  return html`
    <div role="log" aria-live="polite" aria-label="New messages" class="visually-hidden" data-testid="announcer">
      ${said.slice(-REMEMBERED).map((event) => html`<p key=${event.seq}>${spoken(event)}</p>`)}
    </div>
  `;
}

/** @param {MessageCreatedEvent | ReplyFailedEvent} event */
function spoken(event) {
  const { name } = event.sender;
  return event.type === "reply_failed" ? `${name} could not answer. ${event.data.message}` : `${name}: ${plainLine(event.data.text)}`;
}
