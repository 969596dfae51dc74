// Times that can be chosen by one click, in the reader's own time zone.

import {clockText} from "./time.js";

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

export function weekdayOf(date) {
  return WEEKDAYS[date.getDay()];
}

function dayAt(now, days, hour) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
}

/// Ends of a pause: [{label, at}]; at null: until it is resumed.
export function pausePresets(now) {
  const hour = new Date(now.getTime() + 3600000);
  const evening = dayAt(now, 0, 18);
  return [
    {label: `1 hour, to ${clockText(hour).slice(0, 5)}`, at: hour},
    evening > now ? {label: "18:00 today", at: evening} : {label: "18:00 tomorrow", at: dayAt(now, 1, 18)},
    {label: "9:00 tomorrow", at: dayAt(now, 1, 9)},
    {label: "it is resumed", at: null},
  ];
}

/// When a payload may be tried as if it came: [{label, date}], the next such time; date null: as it is.
export function tryPresets(now) {
  const next = (weekday, hour) => {
    const days = (weekday - now.getDay() + 7) % 7;
    return dayAt(now, days === 0 && now.getHours() >= hour ? 7 : days, hour);
  };
  return [
    {label: "As it is", date: null},
    {label: "Night, 3:00", date: dayAt(now, now.getHours() < 3 ? 0 : 1, 3)},
    {label: "Sunday 20:00", date: next(0, 20)},
    {label: "Monday 10:00", date: next(1, 10)},
  ];
}
