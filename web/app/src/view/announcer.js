/**
 * Reads finished messages out: a live region on the timeline itself would stammer each token.
 *
 * @import {Event, Participant} from "../protocol.js"
 * @import {Room} from "../state/model.js"
 */
import { useRef } from "preact/hooks";
import { plainLine } from "../format.js";
import { html } from "./html.js";

const REMEMBERED = 5;
const TOLD = new Set(["message_created", "reply_failed"]);

/** @param {{room: Room | undefined, me: Participant}} props */
export function Announcer({ room, me }) {
  const since = useRef({ session_id: "", seq: 0 });
  const joined = room?.status === "joined" ? room : undefined;
  if (joined && since.current.session_id !== joined.session_id) {
    since.current = { session_id: joined.session_id, seq: joined.last_seq };
  }
  const said = (joined?.events ?? []).filter(
    (event) => event.seq > since.current.seq && TOLD.has(event.type) && event.sender.id !== me.id,
  );
  return html`
    <div role="log" aria-live="polite" aria-label="New messages" class="visually-hidden" data-testid="announcer">
      ${said.slice(-REMEMBERED).map((event) => html`<p key=${event.seq}>${spoken(event)}</p>`)}
    </div>
  `;
}

/** @param {Event} event */
function spoken({ type, sender, data }) {
  return type === "reply_failed" ? `${sender.name} could not answer. ${data.message}` : `${sender.name}: ${plainLine(data.text)}`;
}
