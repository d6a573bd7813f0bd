/**
 * @import {Highlight, Summary} from "../protocol.js"
 * @import {Room} from "../state/model.js"
 */
import { useEffect, useState } from "preact/hooks";
import { countsLine, moodLabel, sourceLine, spanLine } from "../summary.js";
import { Dialog } from "./dialog.js";
import { html, useChat } from "./html.js";

/** @param {{room: Room, onJump: (seq: number) => void, onClose: () => void}} props */
export function SummaryDialog({ room, onJump, onClose }) {
  const { sessions } = useChat();
  const [summary, setSummary] = useState(/** @type {Summary | null} */ (null));
  useEffect(() => {
    sessions.summarize(room.session_id).then((made) => (made ? setSummary(made) : onClose()));
  }, []);
  return html`
    <${Dialog} title="Summary" onClose=${onClose} testid="summary-dialog">
      <p class=${summary ? "visually-hidden" : "dialog-text"} role="status">${summary ? "The summary is here." : "Summing up…"}</p>
      ${summary && html`<${Content} summary=${summary} onJump=${onJump} />`}
    <//>
  `;
}

/** @param {{summary: Summary, onJump: (seq: number) => void}} props */
function Content({ summary, onJump }) {
  const { text, topics, highlights } = summary;
  if (!summary.total_messages) return html`<p class="dialog-text" data-testid="summary-empty">Nothing has been said here yet.</p>`;
  const mood = moodLabel(summary);
  return html`
    <div class="summary" data-testid="summary">
      ${text && html`<p class="summary-text" data-testid="summary-text">${text}</p>`}
      ${topics.length > 0 && html`<section aria-labelledby="summary-topics">
        <h3 id="summary-topics">Topics</h3>
        <ul class="topics" data-testid="summary-topics">${topics.map((topic) => html`<li key=${topic}>${topic}</li>`)}</ul>
      </section>`}
      ${highlights.length > 0 && html`<section aria-labelledby="summary-highlights">
        <h3 id="summary-highlights">Highlights</h3>
        <ul class="highlights">${highlights.map((highlight, index) => html`<li key=${index}><${Quoted} highlight=${highlight} onJump=${onJump} /></li>`)}</ul>
      </section>`}
      <p class="summary-counts" data-testid="summary-counts">
        ${mood && html`<strong data-testid="summary-mood">${mood}</strong><br />`}${countsLine(summary)}<br />${spanLine(summary)}
      </p>
      <p class="summary-source" data-testid="summary-source">${sourceLine(summary)}</p>
    </div>
  `;
}

/** @param {{highlight: Highlight, onJump: (seq: number) => void}} props */
function Quoted({ highlight: { seq, sender, text }, onJump }) {
  return html`<button type="button" class="highlight" data-testid="summary-highlight" data-seq=${seq} onClick=${() => onJump(seq)}>
    <q>${text}</q> <small>${sender.name}</small>
  </button>`;
}
