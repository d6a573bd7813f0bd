/**
 * Who is here, how the connection stands, and what is said about it.
 *
 * @import {Handlers} from "../state.js"
 */
import { initialState } from "./model.js";
import { newRoom } from "./rooms.js";

const TOASTS_SHOWN = 4;

/** @type {Handlers} */
export const accountEvents = {
  signed_in: (state, { participant, outbox }) => ({
    ...state,
    me: participant,
    entry: { name: participant.name, reason: null },
    outbox: outbox ?? [],
  }),

  signed_out: (state, { reason }) => ({
    ...initialState(),
    entry: { name: state.me?.name ?? state.entry.name, reason: reason ?? null },
    open: state.open,
    rooms: state.open ? { [state.open]: newRoom(state.open) } : {},
    toasts: state.toasts,
  }),

  welcome: (state, { data }) => ({
    ...state,
    me: data.participant ?? state.me,
    bots: data.bots ?? [],
    limits: data.limits ?? {},
    server: { ...state.server, ...data.server },
  }),

  connection_changed: (state, { status }) => ({
    ...state,
    connection: {
      status,
      ever: state.connection.ever || status === "online",
      draining: status === "online" ? false : state.connection.draining,
    },
    rooms: status === "online" ? state.rooms : silenced(state.rooms),
  }),

  server_draining: (state) => ({ ...state, connection: { ...state.connection, draining: true } }),

  toast_shown: (state, { toast }) => ({
    ...state,
    toasts: [...state.toasts.filter(({ text }) => text !== toast.text), toast].slice(-TOASTS_SHOWN),
  }),

  toast_closed: (state, { id }) => ({ ...state, toasts: state.toasts.filter((toast) => toast.id !== id) }),
};

/**
 * Nobody can be seen typing through a closed connection.
 *
 * @param {import("./model.js").State["rooms"]} rooms
 */
function silenced(rooms) {
  return Object.fromEntries(Object.entries(rooms).map(([id, room]) => [id, { ...room, typing: {} }]));
}
