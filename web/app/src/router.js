/**
 * Hash routes: `#/` is the list, `#/s/<session_id>?invite=<code>` a session.
 *
 * @typedef {{session_id: string | null, invite: string | null}} Route
 */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function parseRoute(hash) {
  const match = /^#\/s\/([^/?]+)(?:\?(.*))?$/.exec(hash);
  const session_id = match && decoded(match[1]);
  if (!match || !session_id) return { session_id: null, invite: null };
  return { session_id, invite: new URLSearchParams(match[2] ?? "").get("invite") || null };
}

/**
 * @param {string | null} session_id
 * @param {string | null} [invite]
 */
export function routeHash(session_id, invite = null) {
  if (!session_id) return "#/";
  const query = invite ? `?${new URLSearchParams({ invite })}` : "";
  return `#/s/${encodeURIComponent(session_id)}${query}`;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
