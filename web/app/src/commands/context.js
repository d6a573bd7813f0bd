/**
 * What every command works with; types only.
 *
 * @import {Connection} from "../connection.js"
 * @import {Problem} from "../errors.js"
 * @import {ClientStorage} from "../storage.js"
 * @import {Store} from "../store.js"
 *
 * @typedef {object} Context
 * @property {Store} store
 * @property {Connection} connection
 * @property {ClientStorage} storage
 * @property {(route: {session_id: string | null, invite?: string | null}) => void} navigate
 * @property {(text: string, tone?: "error" | "info") => void} toast
 * @property {(error: unknown) => Problem} complain shows an error as a toast
 */
export {};
