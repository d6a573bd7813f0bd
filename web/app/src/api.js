/**
 * The few things asked over HTTP: tokens.
 *
 * @import {Token} from "./protocol.js"
 */
import { ChatError, offline } from "./errors.js";

/**
 * @param {string} name
 * @returns {Promise<Token>}
 */
export function grantToken(name) {
  return post("/api/v1/tokens", { body: JSON.stringify({ name }), headers: { "Content-Type": "application/json" } });
}

/**
 * @param {string} token
 * @returns {Promise<Token>}
 */
export function renewToken(token) {
  return post("/api/v1/tokens/renew", { headers: { Authorization: `Bearer ${token}` } });
}

/** @param {string} token */
export async function revokeToken(token) {
  await fetch("/api/v1/tokens/current", { method: "DELETE", headers: { Authorization: `Bearer ${token}` }, keepalive: true });
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function post(path, options) {
  let response;
  try {
    response = await fetch(path, { method: "POST", ...options });
  } catch {
    throw offline();
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw new ChatError({
    code: body.code ?? (response.status === 401 ? "unauthorized" : "unavailable"),
    message: body.detail ?? body.message ?? body.title ?? `The server answered ${response.status}`,
    retryable: body.retryable ?? response.status >= 500,
    retry_after_ms: body.retry_after_ms,
    field: body.field,
  });
}
