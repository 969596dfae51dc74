// The whole state of the page is its address: `#/event/ID?rev=2`. Views are found by their path.

const views = [];
let unknown = null;

/// A view: see README.md. `path` has `:name` for a part that varies.
export function register(view) {
  views.push({view, parts: view.path.split("/").filter(Boolean)});
}

export function registered() {
  return views.map((entry) => entry.view);
}

/// The view for what no other view answers.
export function registerUnknown(view) {
  unknown = view;
}

/// "#/event/a%2Fb?rev=2" of ("/event/:id", {id: "a/b"}, {rev: 2}); empty values are left out of the query.
export function href(path, params = {}, query = {}) {
  const used = path.replace(/:(\w+)/g, (_, name) => encodeURIComponent(params[name]));
  const text = queryText(query);
  return "#" + used + (text ? "?" + text : "");
}

export function queryText(query) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "" && value !== false)
      search.set(name, value === true ? "1" : value);
  }
  return search.toString();
}

/// {view, params, query, path} of an address's hash.
export function parse(hash) {
  const text = hash.replace(/^#/, "") || "/live";
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  const query = Object.fromEntries(new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)));
  const given = path.split("/").filter(Boolean).map(decode);
  for (const {view, parts} of views) {
    const params = match(parts, given);
    if (params) return {view, params, query, path};
  }
  return {view: unknown, params: {}, query, path};
}

function match(parts, given) {
  if (parts.length !== given.length) return null;
  const params = {};
  for (let i = 0; i < parts.length; ++i) {
    if (parts[i].startsWith(":"))
      params[parts[i].slice(1)] = given[i];
    else if (parts[i] !== given[i])
      return null;
  }
  return params;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function here() {
  return parse(location.hash);
}

/// Goes to an address made by href(). `replace`: without a new entry in the history.
export function go(address, {replace = false} = {}) {
  if (address === location.hash) return;
  if (replace) {
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = address;
  }
}

/// Changes values of the query; null removes one.
export function setQuery(changes, options) {
  const {path, query} = here();
  go(href(path.replace(/:/g, "%3A"), {}, {...query, ...changes}), options);
}
