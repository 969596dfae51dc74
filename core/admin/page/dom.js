// Elements without a library. Text reaches the page as text nodes only: there is no way here to set HTML.

const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "selected", "open"]);
const SAFE_URL = /^(#|api\/v1\/|page\/|data:image\/|blob:)/;

/// An element: h("a", {href: "#/live", class: "row", onclick: f}, "text", node, [more]).
/// null, undefined and false are left out, as children and as properties.
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/// The same for SVG. Positions are attributes (x, width), which the page's Content-Security-Policy allows.
export function s(tag, props, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) setProperty(element, name, value);
  append(element, children);
  return element;
}

function setProperty(element, name, value) {
  if (name.startsWith("on") && typeof value === "function") {
    element.addEventListener(name.slice(2), value);
  } else if (name === "style" || name.startsWith("on") || name === "innerHTML" || name === "srcdoc") {
    throw new Error(`h() does not set ${name}`);
  } else if ((name === "href" || name === "src" || name === "action") && !SAFE_URL.test(value)) {
    throw new Error(`h() makes no link to ${value}`);
  } else if (PROPERTIES.has(name)) {
    element[name] = value ?? (name === "value" ? "" : false);
  } else if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? "" : value);
  }
}

/// Appends texts, nodes and lists of them.
export function append(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(upright(String(child))));
  }
}

/// Characters that turn the direction of what follows are shown as escapes: no text can pretend to be another.
export function upright(text) {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, (c) => "\\u" + c.charCodeAt(0).toString(16));
}

/// Replaces what is in `element`.
export function show(element, ...children) {
  element.textContent = "";
  append(element, children);
  return element;
}

const shown = new WeakMap();  // element -> {key, item}

/// Makes the children of `parent` those of `items`, in their order, and no others. An element stays as long as its key
/// is there and its item is the same object, so focus and selection survive; a changed item is made again. Each item
/// has a key of its own.
export function keyed(parent, items, keyOf, make) {
  const old = new Map();
  for (const child of parent.children) {
    if (shown.has(child)) old.set(shown.get(child).key, child);
  }
  const used = new Set();
  let at = parent.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    let element = old.get(key);
    if (element && shown.get(element).item !== item) {
      const fresh = make(item);
      if (at === element) at = fresh;
      const focused = element.contains(document.activeElement);
      element.replaceWith(fresh);
      if (focused) fresh.focus({preventScroll: true});
      element = fresh;
    }
    element ??= make(item);
    old.delete(key);
    used.add(element);
    shown.set(element, {key, item});
    if (element === at)
      at = at.nextSibling;
    else
      parent.insertBefore(element, at);
  }
  for (const child of [...parent.childNodes])
    if (!used.has(child)) child.remove();
}
