/** @import {State} from "../state/model.js" */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { endsSignIn, errorBody, sentence } from "../errors.js";
import { html, useChat } from "./html.js";
import { ThemeToggle } from "./theme_toggle.js";

const LONGEST_NAME = 64;

/** @param {{entry: State["entry"], invited: boolean, app_name: string}} props */
export function NameEntry({ entry, invited, app_name }) {
  const { account, storage } = useChat();
  const [name, setName] = useState(entry.name || storage.name);
  const [error, setError] = useState(entry.reason ? sentence(entry.reason) : "");
  const [busy, setBusy] = useState(false);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useLayoutEffect(() => input.current?.select(), []);

  const onSubmit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (!name.trim()) {
      setError("Please enter a name.");
      input.current?.focus();
      return;
    }
    setBusy(true);
    try {
      await account.signIn(name.trim());
    } catch (failure) {
      const body = errorBody(failure);
      setError(endsSignIn(body) ? body.message : sentence(body));
      setBusy(false);
      input.current?.focus();
    }
  };

  return html`
    <main class="entry">
      <div class="entry-corner"><${ThemeToggle} /></div>
      <form class="entry-card" onSubmit=${onSubmit} novalidate>
        <img src="/assets/icons/icon.svg" alt="" width="56" height="56" />
        <h1>${app_name}</h1>
        <p class="entry-lead">${invited ? "You have been invited to a chat. Say who you are and come in." : "Chat with bots, and with everybody you share a link with."}</p>
        <label class="field">
          <span>Your name</span>
          <input ref=${input} data-testid="name-input" name="name" value=${name} maxlength=${LONGEST_NAME} autocomplete="nickname"
            placeholder="Ada" required aria-invalid=${error ? "true" : "false"} aria-describedby="name-error"
            onInput=${(/** @type {any} */ event) => { setName(event.target.value); setError(""); }} />
        </label>
        <p id="name-error" class="field-error" role="alert" data-testid="name-error">${error}</p>
        <button class="button button-primary button-wide" data-testid="name-submit" disabled=${busy}>
          ${busy ? "One moment…" : invited ? "Join the chat" : "Start chatting"}
        </button>
        <p class="entry-note">No account needed. Others see this name.</p>
      </form>
    </main>
  `;
}
