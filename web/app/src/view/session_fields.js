/**
 * The settings of a session, as form fields; shared by creating and changing one.
 *
 * @import {BotInfo} from "../protocol.js"
 * @typedef {{title: string, bot: string | null, visibility: string, reply_policy: string}} Settings
 */
import { html } from "./html.js";

const VISIBILITIES = [
  ["private", "Private", "Only people with an invite link"],
  ["link", "Link", "Anybody who knows the address"],
  ["public", "Public", "Listed for everybody on this server"],
];

const POLICIES = [
  ["always", "Every message"],
  ["mention", "When mentioned with @name"],
  ["off", "Never"],
];

/**
 * @param {{settings: Settings, bots: BotInfo[], onChange: (settings: Settings) => void}} props
 */
export function SessionFields({ settings, bots, onChange }) {
  const set = (/** @type {Partial<Settings>} */ changes) => onChange({ ...settings, ...changes });
  const unlisted = settings.bot && !bots.some(({ name }) => name === settings.bot);
  return html`
    <label class="field">
      <span>Title</span>
      <input data-testid="session-title" data-autofocus value=${settings.title} maxlength="120" placeholder="Untitled"
        onInput=${(/** @type {any} */ event) => set({ title: event.target.value })} />
    </label>
    <div class="field-row">
      <label class="field">
        <span>Bot</span>
        <select data-testid="session-bot" value=${settings.bot ?? ""} onChange=${(/** @type {any} */ event) => set({ bot: event.target.value || null })}>
          ${unlisted && html`<option value=${settings.bot}>${settings.bot}</option>`}
          ${bots.map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}
          <option value="">No bot</option>
        </select>
      </label>
      <label class="field">
        <span>It answers</span>
        <select data-testid="session-policy" value=${settings.reply_policy} disabled=${!settings.bot}
          onChange=${(/** @type {any} */ event) => set({ reply_policy: event.target.value })}>
          ${POLICIES.map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`)}
        </select>
      </label>
    </div>
    <fieldset class="choices">
      <legend>Who can come in</legend>
      ${VISIBILITIES.map(([value, label, hint]) => html`
        <label class="choice" key=${value}>
          <input type="radio" name="visibility" value=${value} checked=${settings.visibility === value} data-testid=${`visibility-${value}`}
            onChange=${() => set({ visibility: value })} />
          <span><strong>${label}</strong><small>${hint}</small></span>
        </label>
      `)}
    </fieldset>
  `;
}
