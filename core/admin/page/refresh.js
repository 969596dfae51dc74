// What is shown is read again: soon after something changed, and from time to time by itself.

/// {now(), soon(), end()}. `read`, an async function that handles its errors, runs once at a time, so that answers come
/// in their order. now() returns a promise of a run that begins after the call. soon() runs it `soonMs` after the first
/// of any number of calls: what changes all the time does not put it off. `everyMs` after a run follows the next; 0:
/// none.
export function makeRefresh(read, {soonMs, everyMs = 0}) {
  let soonTimer = 0;
  let everyTimer = 0;
  let running = null;
  let next = null;
  let ended = false;

  async function run() {
    clearTimeout(soonTimer);
    clearTimeout(everyTimer);
    soonTimer = 0;
    try {
      await read();
    } finally {
      running = null;
      if (everyMs > 0 && !ended) everyTimer = setTimeout(now, everyMs);
    }
  }

  function now() {
    if (ended) return Promise.resolve();
    if (running === null) return running = run();
    return next ??= running.then(() => {
      next = null;
      return now();
    });
  }

  return {
    now,
    soon() {
      if (!ended) soonTimer ||= setTimeout(now, soonMs);
    },
    end() {
      ended = true;
      clearTimeout(soonTimer);
      clearTimeout(everyTimer);
    },
  };
}
