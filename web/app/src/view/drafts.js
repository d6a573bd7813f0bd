/** What was being written, per session, for as long as the tab lives. */
const PREFIX = "chatserver.draft.";

export const drafts = {
  /** @param {string} session_id */
  get(session_id) {
    try {
      return sessionStorage.getItem(PREFIX + session_id) ?? "";
    } catch {
      return "";
    }
  },

  /**
   * @param {string} session_id
   * @param {string} text
   */
  set(session_id, text) {
    try {
      if (text) sessionStorage.setItem(PREFIX + session_id, text);
      else sessionStorage.removeItem(PREFIX + session_id);
    } catch {
      return;
    }
  },
};
