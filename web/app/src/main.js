/** Puts the parts together: state, socket, storage, commands, page. */
import { io } from "socket.io-client";
import { accountCommands } from "./commands/account.js";
import { messageCommands } from "./commands/messages.js";
import { sessionCommands } from "./commands/sessions.js";
import { syncCommands } from "./commands/sync.js";
import { Connection } from "./connection.js";
import { endsSignIn, errorBody, sentence } from "./errors.js";
import { DURABLE } from "./durable.js";
import { parseRoute, routeHash } from "./router.js";
import { browserStorage, ClientStorage } from "./storage.js";
import { Store } from "./store.js";
import { mountPage } from "./view/page.js";

const TYPING_LASTS_MS = 6000;
const TOAST_LASTS_MS = 7000;

const store = new Store();
const storage = new ClientStorage(browserStorage());

const socket = io("/chat", {
  autoConnect: false,
  // A WebSocket needs no sticky load balancer; polling is for networks that let none through.
  transports: ["websocket", "polling"],
  tryAllTransports: true,
  auth: (send) => send({ token: storage.grant?.token }),
  reconnectionDelay: 500,
  reconnectionDelayMax: 8000,
});

const connection = new Connection(socket, {
  event(name, payload) {
    store.dispatch(DURABLE.has(name) ? payload : { type: name, data: payload ?? {}, at: Date.now() });
    if (name === "session_added") sync.follow(payload.session.id);
  },
  status(status) {
    store.dispatch({ type: "connection_changed", status });
    if (status !== "online") return;
    sync.connected();
    messages.flushAll();
  },
  refused(error) {
    if (endsSignIn(error)) account.refused(error);
    else toast(sentence(error));
  },
});

let toasts = 0;

/**
 * @param {string} text
 * @param {"error" | "info"} [tone]
 */
function toast(text, tone = "error") {
  toasts += 1;
  const id = toasts;
  store.dispatch({ type: "toast_shown", toast: { id, tone, text } });
  setTimeout(() => store.dispatch({ type: "toast_closed", id }), TOAST_LASTS_MS);
}

/** @param {unknown} error */
function complain(error) {
  const body = errorBody(error);
  if (endsSignIn(body)) account.refused(body);
  else toast(sentence(body));
  return body;
}

/** @param {{session_id: string | null, invite?: string | null}} route */
function navigate({ session_id, invite }) {
  const hash = routeHash(session_id, invite);
  const same = parseRoute(location.hash).session_id === session_id;
  if (same) history.replaceState(null, "", hash);
  else location.hash = hash;
}

const context = { store, connection, storage, navigate, toast, complain };
const account = accountCommands(context);
const sync = syncCommands(context);
const messages = messageCommands(context);
const sessions = sessionCommands(context);

function followRoute() {
  const { session_id, invite } = parseRoute(location.hash);
  sync.open(session_id, invite);
}

store.subscribe((state, previous) => {
  if (state.me && state.outbox !== previous.outbox) storage.saveOutbox(state.outbox, previous.outbox);
  if (state.rooms !== previous.rooms) sync.repairWhereBroken(state);
  if (state.me && previous.open && !state.open && parseRoute(location.hash).session_id === previous.open) {
    toast("This chat is not available any more.", "info");
    navigate({ session_id: null });
  }
});
setInterval(() => store.dispatch({ type: "typing_expired", before: Date.now() - TYPING_LASTS_MS }), 1000);
window.addEventListener("hashchange", followRoute);

followRoute();
mountPage(store, { account, sync, messages, sessions, toast, navigate, storage });
account.resume();
