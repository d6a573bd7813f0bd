/**
 * The scrolling middle of a room. It follows the newest message while the reader is at the end, and
 * else holds what is being read in place, whatever comes in or grows above.
 *
 * @import {Event, MessageCreatedEvent, Participant} from "../protocol.js"
 * @import {Room} from "../state/model.js"
 * @import {Item} from "../timeline.js"
 * @import {Place} from "./reading_place.js"
 */
import { Component } from "preact";
import { dayLabel, titleOf } from "../format.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { Failure, Message, Notice, Outgoing } from "./message.js";
import { holdRows, rowsInView } from "./reading_place.js";
import { ReplyView } from "./reply.js";

const NEAR_END_PX = 60;
const NEAR_START_PX = 240;

/**
 * @typedef {object} Props
 * @property {Room} room
 * @property {Item[]} items
 * @property {Participant} me
 * @property {boolean} online
 * @property {{seq: number} | null} target a message to go to; a new object goes there again
 * @property {(event: MessageCreatedEvent) => void} onReply
 * @property {(seq: number) => void} onRead
 * @property {() => void} onOlder
 */

/** @extends {Component<Props, {at_end: boolean, seen: number, editing: number | null}>} */
export class Timeline extends Component {
  /** @type {HTMLElement | null} */
  scroller = null;
  /** @type {ResizeObserver | null} */
  resized = null;
  following = true;
  /** @type {number | null} what to go to, as soon as it is here: it may be loaded and not drawn yet */
  wanted = null;
  /** @type {Place[]} what is being read, while that is not the end */
  places = [];
  state = { at_end: true, seen: 0, editing: null };

  componentDidMount() {
    this.resized = new ResizeObserver(() => (this.following ? this.toEnd() : this.hold(this.places)));
    const scroller = /** @type {HTMLElement} */ (this.scroller);
    this.resized.observe(scroller);
    this.resized.observe(/** @type {Element} */ (scroller.firstElementChild));
    document.addEventListener("visibilitychange", this.markRead);
    window.addEventListener("focus", this.markRead);
    this.toEnd();
    this.markRead();
  }

  componentWillUnmount() {
    this.resized?.disconnect();
    document.removeEventListener("visibilitychange", this.markRead);
    window.removeEventListener("focus", this.markRead);
  }

  getSnapshotBeforeUpdate() {
    return this.following ? [] : this.rowsInView();
  }

  /**
   * @param {Props} previous
   * @param {unknown} _state
   * @param {Place[]} places
   */
  componentDidUpdate(previous, _state, places) {
    const { room, items } = this.props;
    const paged = previous.room.events[0]?.seq > room.events[0]?.seq;
    const sent = items.at(-1)?.kind === "outgoing" && items.at(-1)?.key !== previous.items.at(-1)?.key;
    if (this.props.target !== previous.target) this.wanted = this.props.target?.seq ?? null;
    if (this.wanted !== null && this.show(this.wanted)) this.wanted = null;
    else if (this.following || sent) this.toEnd();
    // A page may have joined the row at the upper edge to a group: it has lost its heading.
    else this.hold(paged ? [...places.filter(({ y }) => y >= 0), ...places] : places);
    if (previous.room.last_seq !== room.last_seq || previous.room.status !== room.status) this.markRead();
  }

  /**
   * Brings a message into the middle and gives it the focus; whether it is there.
   *
   * @param {number} seq
   */
  show(seq) {
    const found = /** @type {HTMLElement | null} */ (this.scroller?.querySelector(`[data-testid="message"][data-seq="${seq}"]`));
    if (!found) return false;
    this.following = false;
    found.tabIndex = -1;
    found.scrollIntoView({ block: "center" });
    found.focus({ preventScroll: true });
    found.classList.add("message-found");
    found.addEventListener("blur", () => found.classList.remove("message-found"), { once: true });
    this.places = this.rowsInView();
    return true;
  }

  rowsInView() {
    return rowsInView(/** @type {HTMLElement} */ (this.scroller));
  }

  /** @param {Place[]} places */
  hold(places) {
    holdRows(/** @type {HTMLElement} */ (this.scroller), places);
    this.places = this.rowsInView();
  }

  toEnd = () => {
    const scroller = /** @type {HTMLElement} */ (this.scroller);
    this.following = true;
    scroller.scrollTop = scroller.scrollHeight;
  };

  onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = /** @type {HTMLElement} */ (this.scroller);
    const at_end = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    this.following = at_end;
    if (!at_end) this.places = this.rowsInView();
    if (at_end !== this.state.at_end) this.setState({ at_end, seen: this.props.room.last_seq });
    if (at_end) this.markRead();
    const { room, onOlder } = this.props;
    if (scrollTop < NEAR_START_PX && room.status === "joined" && !room.complete && !room.paging) onOlder();
  };

  markRead = () => {
    const { room, onRead } = this.props;
    if (this.following && !document.hidden && room.status === "joined" && room.last_seq > 0) onRead(room.last_seq);
  };

  edit = (/** @type {number | null} */ editing) => {
    this.setState({ editing });
    if (editing === null) /** @type {HTMLElement | null} */ (document.querySelector('[data-testid="composer"]'))?.focus();
  };

  /**
   * @param {Props} props
   * @param {{at_end: boolean, seen: number, editing: number | null}} state
   */
  render({ room, items, me, online, onReply, onOlder }, { at_end, seen, editing }) {
    const fresh = at_end ? 0 : room.events.filter((event) => isFresh(event, seen, me)).length;
    const several = Object.values(room.replies).filter((reply) => reply.state !== "stopped").length > 1;
    return html`
      <div class="timeline-frame">
        <div class="timeline" ref=${(/** @type {HTMLElement | null} */ element) => { this.scroller = element; }} onScroll=${this.onScroll}
          tabindex="0" role="region" aria-label="Messages" data-testid="timeline">
          <div class="timeline-inner">
            <${Beginning} room=${room} items=${items} onOlder=${onOlder} />
            ${items.map((item) => html`<${Row} key=${item.key} item=${item} room=${room} several=${several} online=${online} editing=${item.kind === "message" && item.event.seq === editing}
              onEdit=${this.edit} onReply=${onReply} />`)}
          </div>
        </div>
        ${!at_end && html`<button type="button" class="jump" data-testid="jump-to-latest" onClick=${this.toEnd}>
          <${Icon} name="down" size="18" />${fresh ? `${fresh} new` : "Latest"}
        </button>`}
      </div>
    `;
  }
}

/**
 * A new message of somebody else; what took the place of an older one is not below, but where that was.
 *
 * @param {Event} event
 * @param {number} seen
 * @param {Participant} me
 */
function isFresh({ seq, type, data, sender }, seen, me) {
  return seq > seen && type === "message_created" && sender.id !== me.id && !data.replaces;
}

/**
 * @param {{item: Item, room: Room, several: boolean, online: boolean, editing: boolean, onEdit: (seq: number | null) => void, onReply: (event: MessageCreatedEvent) => void}} props
 */
function Row({ item, room, several, online, editing, onEdit, onReply }) {
  switch (item.kind) {
    case "day":
      return html`<div class="day"><time dateTime=${item.at}>${dayLabel(item.at)}</time></div>`;
    case "unread":
      return html`<div class="day day-unread" data-testid="unread-divider"><span>New messages</span></div>`;
    case "notice":
      return html`<${Notice} item=${item} />`;
    case "failure":
      return html`<${Failure} item=${item} />`;
    case "outgoing":
      return html`<${Outgoing} item=${item} online=${online} />`;
    case "reply":
      return html`<${ReplyView} reply=${item.reply} session_id=${room.session_id} several=${several} />`;
    default:
      return html`<${Message} newest=${item.event} cut=${item.cut} earlier=${item.earlier} own=${item.own} head=${item.head} retry=${item.retry} last=${item.last} quoted=${item.quoted}
        editing=${editing} onEdit=${onEdit} onReply=${onReply} />`;
  }
}

/** @param {{room: Room, items: Item[], onOlder: () => void}} props */
function Beginning({ room, items, onOlder }) {
  if (room.status === "joining" && !room.events.length) {
    return html`<div class="skeleton" aria-label="Loading messages" role="img"><i></i><i></i><i></i></div>`;
  }
  if (!room.complete) {
    return html`<div class="older"><button type="button" class="button button-small" data-testid="load-older" onClick=${onOlder} disabled=${room.paging}>
      ${room.paging ? "Loading…" : "Load older messages"}
    </button></div>`;
  }
  const silent = !items.some(({ kind }) => kind === "message" || kind === "outgoing");
  const bot = room.session?.bot;
  return html`<div class="beginning" data-testid="beginning">
    <h2>${silent ? "Say something" : room.session ? titleOf(room.session) : ""}</h2>
    <p>${silent
      ? bot && room.session?.reply_policy === "always"
        ? `${bot} answers every message. Invite others with the link button above.`
        : bot && room.session?.reply_policy === "mention"
          ? `Mention @${bot} to get an answer. Invite others with the link button above.`
          : "Only people are here. Invite others with the link button above."
      : "This is where it began."}</p>
  </div>`;
}
