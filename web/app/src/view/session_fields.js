/**
 * The settings of a session, as form fields; shared by creating and changing one.
 *
 * @import {BotInfo, ReplyPolicy, Visibility} from "../protocol.js"
 * @typedef {{title: string, bot: string | null, visibility: Visibility, reply_policy: ReplyPolicy, bot_turns?: number}} Settings
 */
import { html } from "./html.js";

/** @type {[Visibility, string, string][]} */
const VISIBILITIES = [
  ["private", "Private", "Only people with an invite link"],
  ["link", "Link", "Anybody who knows the address"],
  ["public", "Public", "Listed for everybody on this server"],
];

/** @type {[ReplyPolicy, string][]} */
const POLICIES = [
  ["always", "Every message"],
  ["mention", "When mentioned with @name"],
  ["off", "Never"],
];

const MOST_TURNS = 8;

/**
 * @param {{settings: Settings, before?: Settings, may: Set<string>, bots: BotInfo[], onChange: (changes: Partial<Settings>) => void, children?: any}} props
 *   `before`: the settings as they are, where there are any; `may`: names of those to be offered; `children` follow what is about bots
 */
export function SessionFields({ settings, before, may, bots, onChange, children }) {
  const unlisted = settings.bot && !bots.some(({ name }) => name === settings.bot);
  const leaving = before?.bot && before.bot !== settings.bot ? before.bot : null;
  return html`
    ${may.has("title") && html`<label class="field">
      <span>Title</span>
      <input data-testid="session-title" data-autofocus value=${settings.title} maxlength="120" placeholder="Untitled"
        onInput=${(/** @type {any} */ event) => onChange({ title: event.target.value })} />
    </label>`}
    <div class="field-row">
      ${may.has("bot") && html`<label class="field">
        <span>${before ? "Main bot" : "Bot"}</span>
        <select data-testid="session-bot" value=${settings.bot ?? ""} aria-describedby=${leaving ? "bot-hint" : undefined}
          onChange=${(/** @type {any} */ event) => onChange({ bot: event.target.value || null })}>
          ${unlisted && html`<option value=${settings.bot}>${settings.bot}</option>`}
          ${bots.map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}
          <option value="">No bot</option>
        </select>
        ${leaving && html`<small id="bot-hint" data-testid="bot-hint">${leaving} leaves the chat then.</small>`}
      </label>`}
      ${may.has("reply_policy") && html`<label class="field">
        <span>${before ? "Bots answer" : "It answers"}</span>
        <select data-testid="session-policy" value=${settings.reply_policy} disabled=${!settings.bot && !before}
          onChange=${(/** @type {any} */ event) => onChange({ reply_policy: event.target.value })}>
          ${POLICIES.map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`)}
        </select>
      </label>`}
    </div>
    ${may.has("bot_turns") && html`<label class="field">
      <span>Bots may answer bots</span>
      <select data-testid="session-bot-turns" value=${settings.bot_turns ?? 0} aria-describedby="turns-hint"
        onChange=${(/** @type {any} */ event) => onChange({ bot_turns: Number(event.target.value) })}>
        ${Array.from({ length: MOST_TURNS + 1 }, (_, turns) => html`<option key=${turns} value=${turns}>${turnsLabel(turns)}</option>`)}
      </select>
      <small id="turns-hint">One that is mentioned by another, until a person says something again.</small>
    </label>`}
    ${children}
    ${may.has("visibility") && html`<fieldset class="choices">
      <legend>Who can come in</legend>
      ${VISIBILITIES.map(([value, label, hint]) => html`
        <label class="choice" key=${value}>
          <input type="radio" name="visibility" value=${value} checked=${settings.visibility === value} data-testid=${`visibility-${value}`}
            onChange=${() => onChange({ visibility: value })} />
          <span><strong>${label}</strong><small>${hint}</small></span>
        </label>
      `)}
    </fieldset>`}
  `;
}

/** @param {number} turns */
function turnsLabel(turns) {
  if (turns === 0) return "Never";
  return turns === 1 ? "Once" : `Up to ${turns} times`;
}
