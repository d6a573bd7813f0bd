/** @import {State} from "../state/model.js" */
import { html } from "./html.js";

/** @param {{connection: State["connection"]}} props */
export function Banner({ connection }) {
  const text = bannerText(connection);
  return html`
    <div role="status" class="banner-slot">
      ${text && html`<div class="banner" data-testid="banner" data-status=${connection.draining ? "draining" : connection.status}>
        <span class="spinner" aria-hidden="true"></span>${text}
      </div>`}
    </div>
  `;
}

/** @param {State["connection"]} connection */
function bannerText({ status, ever, draining }) {
  if (draining) return "The server is restarting. You will be reconnected in a moment.";
  if (status === "offline" && ever) return "Connection lost. Reconnecting… What you write is kept and sent later.";
  if (status === "offline") return "The server cannot be reached. Trying again…";
  return "";
}
