/** A modal on the native element: it holds the focus, gives it back, and closes on Esc by itself. */
import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.js";
import { Icon } from "./icons.js";

/**
 * @param {{title: string, onClose: () => void, children: any, testid: string}} props
 */
export function Dialog({ title, onClose, children, testid }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const mounted = useRef(true);
  useEffect(() => {
    const dialog = /** @type {HTMLDialogElement} */ (ref.current);
    dialog.showModal();
    /** @type {HTMLElement | null} */ (dialog.querySelector("[data-autofocus]"))?.focus();
    return () => {
      mounted.current = false;
      dialog.close();
    };
  }, []);
  // Closing gives the focus back, but its event comes when another dialog may already stand here.
  const onClosed = () => mounted.current && onClose();
  const onBackdrop = (/** @type {MouseEvent} */ event) => {
    if (event.target === ref.current) onClose();
  };
  return html`
    <dialog ref=${ref} class="dialog" aria-labelledby="dialog-title" data-testid=${testid} onClose=${onClosed} onMouseDown=${onBackdrop}>
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id="dialog-title">${title}</h2>
          <button type="button" class="icon-button" aria-label="Close" data-testid="dialog-close" onClick=${onClose}>
            <${Icon} name="close" />
          </button>
        </header>
        ${children}
      </div>
    </dialog>
  `;
}

/**
 * @param {{title: string, text: string, action: string, onConfirm: () => void, onClose: () => void}} props
 */
export function ConfirmDialog({ title, text, action, onConfirm, onClose }) {
  return html`
    <${Dialog} title=${title} onClose=${onClose} testid="confirm-dialog">
      <p class="dialog-text">${text}</p>
      <footer class="dialog-foot">
        <button type="button" class="button" onClick=${onClose}>Cancel</button>
        <button type="button" class="button button-danger" data-testid="confirm" data-autofocus
          onClick=${() => { onClose(); onConfirm(); }}>${action}</button>
      </footer>
    <//>
  `;
}
