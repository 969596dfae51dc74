#!/usr/bin/env bash
# Measures a whole way, from a call posted to its message at a sink, beside its limit: the same bytes with nothing
# between. Figures are "middle (least-most)" over interleaved rounds; only those of one run can be compared.
# usage: tests/bench/flow.sh [--build DIR] [--rounds N] [--plugin slack|webhook] [SCENARIO…]   (default: all but watched, paced and purge)
#   sustained  accept, route, deliver and record at once, 32 connections that each send on when they are answered, 128 slots
#   watched    the same beside ten readers of the admin API's stream, and without
#   paced      the same at 12,000 calls a second, which wait for nobody
#   steady     as paced, at 0.164 of what a bare Poco handler answers at the time: on the machine that 12,000 a second were
#              chosen for, where that handler answers 73,000, it is those 12,000
#   drain      100,000 waiting deliveries into a sink that answers at once
#   backlog    what an event costs while 1,000 and while 1,000,000 deliveries wait for another sink
#   down       three sinks' latency while a fourth answers, refuses connections, hangs
#   purge      one sink's latency, and that of /readyz, while 100,000 of 1,000,000 deliveries that wait for another are purged;
#              a round takes some 2.5 minutes: tests/bench/flow.sh --rounds 1 purge
#   --build DIR   a Release build made with -DHOOKSWITCH_BENCH=ON; made if missing (default build-bench)
set -euo pipefail
cd "$(dirname "$0")/../.."

build=${BENCH_BUILD:-build-bench}
rounds=3
plugin=slack
scenarios=()
while [ $# -gt 0 ]; do
  case "$1" in
    --build) build=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --plugin) plugin=$2; shift ;;
    sustained | watched | paced | steady | drain | backlog | down | purge) scenarios+=("$1") ;;
    *) sed -n '4,15s/^# //p' "$0" >&2; exit 2 ;;
  esac
  shift
done
[ ${#scenarios[@]} -gt 0 ] || scenarios=(sustained steady drain backlog down)

.ci/packages build bench
[ -f "$build/CMakeCache.txt" ] ||
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHOOKSWITCH_TESTS=OFF -DHOOKSWITCH_BENCH=ON >/dev/null
cmake --build "$build" --target hookswitch sink_slack sink_webhook hookswitch-flow hookswitch-bare >"$build/bench.log" 2>&1 ||
  { tail -n 40 "$build/bench.log" >&2; exit 1; }
plugins=$(realpath "$build")/lib/hookswitch/sinks

# On the disk of the build, not in /tmp, which may be memory: the journal's fsync is part of what is measured.
work=$(realpath "$(mktemp -d "$build/bench-XXXXXX")")
trap 'rm -rf "$work"' EXIT
echo "$(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg) before the start"
for scenario in "${scenarios[@]}"; do
  more=()
  [ "$scenario" != down ] || more=(--rate 300 --seconds 8)
  [ "$scenario" != purge ] || more=(--rate 200 --seconds 12)
  [ "$scenario" != backlog ] || more=(--events 30000)
  [ "$scenario" != sustained ] || more=(--bare "$build/bin/hookswitch-bare")
  if [ "$scenario" = steady ]; then
    scenario=paced
    more=(--bare "$build/bin/hookswitch-bare" --of-bare 0.164)
  fi
  echo
  "$build/bin/hookswitch-flow" "$scenario" --router "$build/bin/hookswitch" --plugins "$plugins" --plugin "$plugin" \
    --work "$work/router" --payload tests/bench/load/payload.json --rounds "$rounds" "${more[@]}"
done
