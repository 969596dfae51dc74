// Times as people read them: local, short; the exact one on hover. Durations with their units.

import {h} from "./dom.js";

const two = (n) => String(n).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function clockText(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/// "09:02:03" today, "4 Mar 09:02" this year, else "4 Mar 2025 09:02".
export function shortText(date, now = new Date()) {
  if (date.toDateString() === now.toDateString()) return clockText(date);
  const day = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  const year = date.getFullYear() === now.getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${day}${year} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/// "2026-03-04 14:32:03.114 +05:30, that is 09:02:03.114 UTC".
export function exactText(date) {
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const local =
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockText(date)}.${ms} ${zone}`;
  return offset === 0 ? local.replace(" +00:00", " UTC") : `${local}, that is ${date.toISOString().slice(11, 23)} UTC`;
}

/// "now", "40 s ago", "3 m ago", "2 h ago", "5 d ago"; "in 3 m" for what is to come.
export function agoText(date, now = Date.now()) {
  const seconds = Math.round((now - date.getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size < 3) return "now";
  const text = size < 60 ? `${size} s` :
    size < 3600 ? `${Math.floor(size / 60)} m` :
    size < 86400 ? `${Math.floor(size / 3600)} h` :
                   `${Math.floor(size / 86400)} d`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

/// "0s", "27s", "1m 13s", "2h 5m" of seconds.
export function durationText(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${whole % 60}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h ${Math.floor(whole % 3600 / 60)}m`;
  return `${Math.floor(whole / 86400)}d ${Math.floor(whole % 86400 / 3600)}h`;
}

/// "84 ms", "1.2 s", "3m 20s".
export function msText(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(1)} s`;
  return durationText(ms / 1000);
}

/// "20,000": the same everywhere, so that texts can be compared.
export function countText(n) {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/// A <time> with the short text; null gives "–".
export function timeOf(iso) {
  if (!iso) return h("span", {class: "muted"}, "–");
  const date = new Date(iso);
  return h("time", {datetime: iso, title: exactText(date)}, shortText(date));
}

/// A <time> with "3 m ago", which stays right.
export function agoOf(iso) {
  if (!iso) return h("span", {class: "muted"}, "never");
  const date = new Date(iso);
  return h("time", {datetime: iso, title: exactText(date), class: "ago", "data-ago": "1"}, agoText(date));
}

setInterval(() => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const text = agoText(new Date(element.getAttribute("datetime")));
    if (element.textContent !== text) element.textContent = text;
  }
}, 1000);
