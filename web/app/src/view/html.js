/** The little that every component needs of preact. */
import { html } from "htm/preact";
import { Component, createContext } from "preact";
import { useContext } from "preact/hooks";

export { html };

/**
 * @typedef {object} Chat what components may do
 * @property {ReturnType<typeof import("../commands/account.js").accountCommands>} account
 * @property {ReturnType<typeof import("../commands/sync.js").syncCommands>} sync
 * @property {ReturnType<typeof import("../commands/messages.js").messageCommands>} messages
 * @property {ReturnType<typeof import("../commands/sessions.js").sessionCommands>} sessions
 * @property {(text: string, tone?: "error" | "info") => void} toast
 * @property {(route: {session_id: string | null, invite?: string | null}) => void} navigate
 * @property {import("../storage.js").ClientStorage} storage
 */

export const ChatContext = createContext(/** @type {Chat} */ (/** @type {unknown} */ (null)));

/** @returns {Chat} */
export const useChat = () => useContext(ChatContext);

/**
 * A component that renders again only when one of its properties is another one.
 *
 * @template P
 * @param {(props: P) => any} render
 */
export function memo(render) {
  return /** @type {any} */ (
    class extends Component {
      /** @param {any} next */
      shouldComponentUpdate(next) {
        const now = /** @type {any} */ (this.props);
        const names = new Set([...Object.keys(now), ...Object.keys(next)]);
        return [...names].some((name) => now[name] !== next[name]);
      }

      render() {
        return html`<${render} ...${this.props} />`;
      }
    }
  );
}

/** @param {...(string | false | null | undefined)} names */
export const classes = (...names) => names.filter(Boolean).join(" ");
