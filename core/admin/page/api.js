// The documented API as JSON. Errors are sentences that can be shown as they are.

import {queryText} from "./router.js";
import {readValue} from "./json_read.js";

export class ApiError extends Error {
  /// `status` 0: the router could not be reached. `body`: what it answered, {} if that was no JSON.
  constructor(status, body, sentence) {
    super(sentence);
    this.status = status;
    this.body = body;
    this.code = body.error ?? "";
  }

  /// Whether it may be answered later.
  get mayPass() {
    return this.status === 0 || this.status >= 500;
  }
}

let signInNeeded = () => {};

/// `callback` is called when the router asks who is there.
export function onSignInNeeded(callback) {
  signInNeeded = callback;
}

/// GET; `params` without empty values become the query. `exact`: numbers that JavaScript would round are kept as they
/// are written, as {exact: "12345678901234567890"}.
export function get(path, params = {}, {signal, exact = false} = {}) {
  const query = queryText(params);
  return call("GET", "/" + path + (query ? "?" + query : ""), {signal}, exact);
}

export function post(path, body, {signal, exact = false} = {}) {
  const init = {signal};
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = {"Content-Type": "application/json"};
  }
  return call("POST", "/" + path, init, exact);
}

/// The error with which GET `path` is refused now; null if it is answered, of which nothing is read, or if nobody
/// answers.
export async function refusalOf(path) {
  const end = new AbortController();
  try {
    const response = await fetch("api/v1/" + path, {credentials: "same-origin", cache: "no-store", signal: end.signal});
    if (response.ok) return null;
    const body = await response.json();
    return new ApiError(response.status, body, sentenceOf(response, body));
  } catch {
    return null;
  } finally {
    end.abort();
  }
}

/// Exchanges a token for a cookie. The token is kept nowhere.
export function signIn(token) {
  return call("POST", "/session", {headers: {Authorization: "Bearer " + token}}, false, true);
}

async function call(method, path, init, exact, quiet = false) {
  let response;
  let text;
  try {
    response = await fetch("api/v1" + path, {method, credentials: "same-origin", cache: "no-store", ...init});
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, {}, "The router does not answer. It may be stopped, or the connection to it is broken.");
  }
  let body = {};
  try {
    body = exact ? readValue(text) : JSON.parse(text);
  } catch {
    if (response.ok)
      throw new ApiError(response.status, {}, "The router answered something that is not JSON. Is a proxy in between?");
  }
  if (response.ok) return body;
  const error = new ApiError(response.status, body ?? {}, sentenceOf(response, body ?? {}));
  if (response.status === 401 && !quiet) signInNeeded(error);
  throw error;
}

function sentenceOf(response, body) {
  const detail = typeof body.detail === "string" ? body.detail : "";
  if (response.status === 401) return detail || "The router wants to know who is there.";
  if (response.status === 403) return "Not allowed: " + (detail || "this token may not do that.");
  if (response.status === 404 && !detail) return "The router does not have this.";
  if (detail) return detail.charAt(0).toUpperCase() + detail.slice(1);
  return `The router answered ${response.status} ${response.statusText}`.trim() + ".";
}

/// `path` with its parts encoded: at("events", id, "replay").
export function at(...parts) {
  return parts.map(encodeURIComponent).join("/");
}
