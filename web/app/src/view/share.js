/** @import {Room} from "../state/model.js" */
import { useEffect, useRef, useState } from "preact/hooks";
import { copyText } from "./clipboard.js";
import { Dialog } from "./dialog.js";
import { html, useChat } from "./html.js";

/** @param {{room: Room, owner: boolean, onClose: () => void}} props */
export function ShareDialog({ room, owner, onClose }) {
  const { sessions, toast } = useChat();
  const [url, setUrl] = useState("");
  const [copied, setCopied] = useState(false);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const is_private = room.session?.visibility === "private";

  const copy = async (/** @type {string} */ text) => {
    if (await copyText(text)) setCopied(true);
    else {
      input.current?.select();
      toast("Select the link and copy it by hand.", "info");
    }
  };
  useEffect(() => {
    sessions.inviteUrl(room.session_id).then((made) => {
      if (!made) return onClose();
      setUrl(made);
      copyText(made).then(setCopied);
    });
  }, []);

  return html`
    <${Dialog} title="Invite people" onClose=${onClose} testid="share-dialog">
      <p class="dialog-text">${is_private ? "Whoever opens this link can join the chat and read what was said so far." : "Anybody with this link can join the chat."}</p>
      <div class="copy-row">
        <input ref=${input} readonly value=${url} aria-label="Invite link" data-testid="invite-url" onFocus=${() => input.current?.select()} />
        <button type="button" class="button button-primary" data-testid="copy-invite" data-autofocus onClick=${() => copy(url)} disabled=${!url}>${copied ? "Copied" : "Copy"}</button>
      </div>
      <p class="visually-hidden" role="status">${copied ? "The link is in your clipboard." : ""}</p>
      ${is_private && owner && html`<footer class="dialog-foot">
        <button type="button" class="button button-quiet" data-testid="revoke-invites" onClick=${() => { sessions.revokeInvites(room.session_id); onClose(); }}>Make all links invalid</button>
      </footer>`}
    <//>
  `;
}
