/** @import {Toast} from "../state/model.js" */
import { classes, html } from "./html.js";

/** @param {{toasts: Toast[]}} props */
export function Toasts({ toasts }) {
  return html`
    <div class="toasts" role="status" aria-live="polite">
      ${toasts.map((toast) => html`<div key=${toast.id} class=${classes("toast", `toast-${toast.tone}`)} data-testid="toast">${toast.text}</div>`)}
    </div>
  `;
}
