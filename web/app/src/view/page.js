/**
 * Draws the state, at most once per frame.
 *
 * @import {Store} from "../store.js"
 * @import {Chat} from "./html.js"
 */
import { render } from "preact";
import { App } from "./app.js";
import { ChatContext, html } from "./html.js";

const HIDDEN_EVERY_MS = 250;

/**
 * @param {Store} store
 * @param {Chat} chat
 */
export function mountPage(store, chat) {
  const root = /** @type {HTMLElement} */ (document.getElementById("app"));
  let drawn = false;

  function draw() {
    drawn = false;
    render(html`<${ChatContext.Provider} value=${chat}><${App} state=${store.state} /><//>`, root);
  }

  /** A page in the background gets no frames, but its title still counts unread messages. */
  function drawSoon() {
    if (drawn) return;
    drawn = true;
    if (document.hidden) setTimeout(draw, HIDDEN_EVERY_MS);
    else requestAnimationFrame(draw);
  }

  document.addEventListener("visibilitychange", () => !document.hidden && draw());
  store.subscribe(drawSoon);
  root.replaceChildren();
  draw();
}
