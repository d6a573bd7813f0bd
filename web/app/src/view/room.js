/**
 * An open session: who is in it, what was said, and a place to answer.
 *
 * @import {MessageCreatedEvent, Participant} from "../protocol.js"
 * @import {Room, State} from "../state/model.js"
 */
import { useEffect, useMemo, useState } from "preact/hooks";
import { sentence } from "../errors.js";
import { typingLabel } from "../format.js";
import { buildTimeline, liveReplies } from "../timeline.js";
import { Composer } from "./composer.js";
import { html, useChat } from "./html.js";
import { Icon } from "./icons.js";
import { Members } from "./members.js";
import { RoomBotsContext, useBotsOf } from "./room_bots.js";
import { RoomHead } from "./room_head.js";
import { SessionSettings } from "./session_settings.js";
import { SummaryDialog } from "./summary.js";
import { Timeline } from "./timeline.js";
import { useMedia } from "./use_media.js";

/** The protocol's default, until the server has said its own. */
const TEXT_CHARS = 16_000;

/** @param {{room: Room, state: State, me: Participant, onMenu: () => void}} props */
export function RoomView({ room, state, me, onMenu }) {
  const { messages, sync } = useChat();
  const wide = useMedia("(min-width: 1180px)");
  const [panel, setPanel] = useState(true);
  const [overlay, setOverlay] = useState(false);
  const [settings, setSettings] = useState(false);
  const [summary, setSummary] = useState(false);
  const [target, setTarget] = useState(/** @type {{seq: number} | null} */ (null));
  const [quote, setQuote] = useState(/** @type {MessageCreatedEvent | null} */ (null));
  const [unread_after, setUnreadAfter] = useState(/** @type {number | null} */ (null));
  const [members, setMembers] = wide ? [panel, setPanel] : [overlay, setOverlay];
  const id = room.session_id;
  const overview = state.sessions[id];
  const joined = room.status === "joined";

  useEffect(() => {
    if (joined && overview && overview.unread > 0 && overview.read_seq > 0) setUnreadAfter(overview.read_seq);
  }, [joined]);

  const entries = useMemo(() => state.outbox.filter((entry) => entry.session_id === id), [state.outbox, id]);
  const items = useMemo(() => buildTimeline(room, entries, me, unread_after), [room, entries, me, unread_after]);
  const running = liveReplies(room).find((reply) => reply.state === "running");
  const bots = useBotsOf(room, me);
  const typing = Object.values(room.typing).map(({ participant }) => participant.name);

  const jump = async (/** @type {number} */ seq) => {
    setSummary(false);
    await sync.loadBackTo(id, seq);
    setTarget({ seq });
  };

  if (room.status === "failed") return html`<${Refused} room=${room} onMenu=${onMenu} />`;
  const role = room.members[me.id]?.role ?? overview?.role;
  const owner = role === "owner";
  return html`
    <${RoomBotsContext.Provider} value=${bots}>
    <${RoomHead} room=${room} overview=${overview} me=${me} owner=${owner} members=${members} onMenu=${onMenu}
      onMembers=${() => setMembers(!members)} onSummary=${() => setSummary(true)} onSettings=${() => setSettings(true)} />
    <div class="room-body">
      <section class="room-talk" aria-label="Conversation">
        <${Timeline} key=${id} room=${room} items=${items} me=${me} target=${target} online=${state.connection.status === "online"} onReply=${setQuote}
          onRead=${(/** @type {number} */ seq) => messages.markRead(id, seq)} onOlder=${() => sync.loadOlder(id)} />
        <div class="typing" data-testid="typing" aria-live="off">${typing.length > 0 && html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>`}${typingLabel(typing)}</div>
        <${Composer} session_id=${id} disabled=${!joined && !room.events.length} limit=${state.limits.text_chars ?? TEXT_CHARS} running=${running} bots=${state.bots}
          quote=${quote} onQuoteDone=${() => setQuote(null)} title=${room.session?.title || "this chat"} mine=${lastOwn(room, me)} />
      </section>
      ${members && html`<${Members} room=${room} me=${me} overlay=${!wide} onClose=${() => setMembers(false)} />`}
    </div>
    ${summary && html`<${SummaryDialog} room=${room} onJump=${jump} onClose=${() => setSummary(false)} />`}
    ${settings && html`<${SessionSettings} room=${room} bots=${state.bots} role=${role} onClose=${() => setSettings(false)} />`}
    <//>
  `;
}

/**
 * @param {Room} room
 * @param {Participant} me
 */
function lastOwn(room, me) {
  return room.events.findLast((event) => event.type === "message_created" && event.sender.id === me.id && !event.data.deleted_at)?.seq;
}

/** @param {{room: Room, onMenu: () => void}} props */
function Refused({ room, onMenu }) {
  const { sync, navigate } = useChat();
  return html`
    <header class="room-head">
      <button type="button" class="icon-button only-narrow" aria-label="Show the list of chats" data-testid="menu" onClick=${onMenu}><${Icon} name="menu" /></button>
    </header>
    <section class="home" data-testid="room-refused">
      <h1>This chat is not open to you</h1>
      <p>${room.error && sentence(room.error)}</p>
      <div class="home-actions">
        <button type="button" class="button button-primary" onClick=${() => navigate({ session_id: null })}>Back to your chats</button>
        <button type="button" class="button" onClick=${() => sync.open(room.session_id, null)}>Try again</button>
      </div>
    </section>
  `;
}
