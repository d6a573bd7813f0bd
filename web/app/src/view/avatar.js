/** @import {Participant} from "../protocol.js" */
import { hueOf, initials } from "../format.js";
import { classes, html, memo } from "./html.js";

export const Avatar = memo(
  /** @param {{participant: Participant, size?: "small" | "normal" | "large", online?: boolean}} props */
  ({ participant, size = "normal", online }) => html`
    <span class=${classes("avatar", `avatar-${size}`, `hue-${hueOf(participant.id)}`, participant.kind === "bot" && "avatar-bot")} aria-hidden="true">
      ${participant.kind === "bot" ? html`<${BotFace} />` : initials(participant.name)}
      ${online !== undefined && html`<span class=${classes("dot", online && "dot-online")}></span>`}
    </span>
  `,
);

function BotFace() {
  return html`<svg viewBox="0 0 24 24" width="62%" height="62%" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round">
    <rect x="4" y="8" width="16" height="11" rx="4" />
    <path d="M12 8V4.500M9 13v1M15 13v1" />
    <circle cx="12" cy="3.500" r="1" fill="currentColor" stroke="none" />
  </svg>`;
}
