/**
 * Names of bots to choose from while one is being typed: a listbox on the text field, after the
 * combobox pattern of the ARIA Authoring Practices. The focus stays in the field.
 *
 * @import {BotInfo} from "../protocol.js"
 * @import {RefObject} from "preact"
 * @typedef {{start: number, names: string[], chosen: number}} Open
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { begunMention, withMention } from "../mentions.js";
import { classes, html } from "./html.js";

const LIST_ID = "mention-list";
const optionId = (/** @type {number} */ index) => `mention-option-${index}`;

/**
 * @param {{area: RefObject<HTMLTextAreaElement | null>, names: string[], onChange: (text: string) => void}} props
 */
export function useMentions({ area, names, onChange }) {
  const [open, setOpen] = useState(/** @type {Open | null} */ (null));
  /** Where the `@` stands for which the list was closed by hand. */
  const closed = useRef(-1);
  const caret = useRef(/** @type {number | null} */ (null));

  useLayoutEffect(() => {
    if (caret.current !== null) area.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  /** To be told whenever the text or the caret may have changed. */
  const look = () => {
    const field = area.current;
    const begun = field && begunMention(field.value, field.selectionStart, names);
    if (!begun || begun.start !== closed.current) closed.current = -1;
    if (!begun || begun.start === closed.current) return setOpen(null);
    const same = open?.start === begun.start && open.names.join() === begun.names.join();
    if (!same) setOpen({ ...begun, chosen: 0 });
  };
  const close = () => {
    closed.current = open?.start ?? -1;
    setOpen(null);
  };
  const insert = (/** @type {number} */ index) => {
    const field = area.current;
    if (!open || !field) return;
    const done = withMention(field.value, open.start, field.selectionStart, open.names[index]);
    caret.current = done.caret;
    setOpen(null);
    onChange(done.text);
  };

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key was for the list
   */
  const onKey = (event) => {
    if (!open || event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return false;
    const { names, chosen } = open;
    const move = (/** @type {number} */ by) => setOpen({ ...open, chosen: (chosen + by + names.length) % names.length });
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter" || event.key === "Tab") insert(chosen);
    else if (event.key === "Escape") close();
    else return false;
    event.preventDefault();
    return true;
  };

  const field_props = open
    ? {
        role: "combobox",
        "aria-autocomplete": "list",
        "aria-haspopup": "listbox",
        "aria-expanded": "true",
        "aria-controls": LIST_ID,
        "aria-activedescendant": optionId(open.chosen),
      }
    : {};
  return { open, field_props, look, hide: () => setOpen(null), onKey, insert };
}

/** @param {{open: Open | null, bots: BotInfo[], onChoose: (index: number) => void}} props */
export function MentionList({ open, bots, onChoose }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [open?.chosen]);
  return html`
    <p class="visually-hidden" role="status">${open ? `${open.names.length} ${open.names.length === 1 ? "bot" : "bots"} to choose from` : ""}</p>
    ${open && html`<ul ref=${list} id=${LIST_ID} class="mention-list" role="listbox" aria-label="Bots" data-testid="mention-list">
      ${open.names.map((name, index) => html`
        <li key=${name} id=${optionId(index)} class=${classes("mention-option", index === open.chosen && "mention-chosen")} role="option" aria-selected=${String(index === open.chosen)}
          data-testid="mention-option" onMouseDown=${(/** @type {MouseEvent} */ event) => event.preventDefault()} onClick=${() => onChoose(index)}>
          <strong>@${name}</strong> <small>${bots.find((bot) => bot.name === name)?.description}</small>
        </li>
      `)}
    </ul>`}
  `;
}
