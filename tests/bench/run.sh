#!/usr/bin/env bash
# Measures hookswitch beside a bare Poco handler in one interleaved run and prints the ratio, then the latency from a call
# posted to its message arriving. Only figures of one run can be compared: machines drift.
# usage: tests/bench/run.sh [--rounds N] [--seconds S] [--connections C] [--rate R] [--latency-seconds S] [--build DIR]
#   [--postgres URL]
#   --build DIR   a Release build made with -DHOOKSWITCH_BENCH=ON; made if missing (default build-bench)
#   --postgres URL   also a router whose journal is there, in the schema hookswitch_bench, which is made anew for each round
# Other ways (a backlog that drains, a sink that is down, a purge of many deliveries): tests/bench/flow.sh.
# The same can be set by ROUNDS, ROUND_SECONDS, CONNECTIONS, RATE, LATENCY_SECONDS, BENCH_BUILD.
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${ROUNDS:-5}
seconds=${ROUND_SECONDS:-4}
connections=${CONNECTIONS:-64}
rate=${RATE:-40}
latency_seconds=${LATENCY_SECONDS:-15}
build=${BENCH_BUILD:-build-bench}
postgres=
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { sed -n '4,9s/^# //p' "$0" >&2; exit 2; }
  case "$1" in
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --connections) connections=$2 ;;
    --rate) rate=$2 ;;
    --latency-seconds) latency_seconds=$2 ;;
    --build) build=$2 ;;
    --postgres) postgres=$2 ;;
    *) sed -n '4,9s/^# //p' "$0" >&2; exit 2 ;;
  esac
  shift 2
done

.ci/packages build bench
[ -f "$build/CMakeCache.txt" ] ||
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DHOOKSWITCH_TESTS=OFF -DHOOKSWITCH_BENCH=ON >/dev/null
cmake --build "$build" --target hookswitch sink_slack hookswitch-load hookswitch-bare hookswitch-fake-slack routing_bench normalize_bench slack_bench >"$build/bench.log" 2>&1 ||
  { tail -n 40 "$build/bench.log" >&2; exit 1; }
bin=$build/bin
payload=tests/bench/load/payload.json

# On the disk of the build, not in /tmp, which may be memory: the journal's fsync is part of what is measured.
work=$(mktemp -d "$build/bench-XXXXXX")
work=$(realpath "$work")
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

wait_for() { # FILE PATTERN
  for _ in $(seq 200); do
    grep -q "$2" "$1" 2>/dev/null && return 0
    sleep 0.05
  done
  echo "no \"$2\" in $1:" >&2
  cat "$1" >&2
  return 1
}

stop() { # PID
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  local left=()
  for pid in "${pids[@]}"; do [ "$pid" = "$1" ] || left+=("$pid"); done
  pids=("${left[@]}")
}

start_bare() { # sets server and port
  "$bin/hookswitch-bare" >"$work/bare.out" 2>&1 &
  server=$!
  pids+=("$server")
  wait_for "$work/bare.out" '^listening on '
  port=$(sed -n 's/^listening on .*://p' "$work/bare.out")
}

start_router() { # WEBHOOK_URL PACE [postgres]; sets server and port
  local journal="{path: $work/router/journal.db}"
  if [ "${3:-}" = postgres ]; then
    psql -q "$postgres" -c 'SET client_min_messages = warning; DROP SCHEMA IF EXISTS hookswitch_bench CASCADE' >/dev/null
    journal="{postgres: {url: \"$postgres\", schema: hookswitch_bench}}"
  fi
  rm -rf "$work/router"
  mkdir "$work/router"
  printf %s "$1" >"$work/router/webhook"
  cat >"$work/router/hookswitch.yaml" <<YAML
version: 1
server: {listen: "127.0.0.1:0", max_connections: 4096}
admin: {listen: "127.0.0.1:0"}
journal: $journal
state_dir: $work/router
plugins: {paths: [$(realpath "$build")/lib/hookswitch/sinks]}
sources:
  bolna: {type: bolna, path: /bolna/webhook}
sinks:
  ops:
    plugin: slack
    config: {webhook_url: {file: $work/router/webhook}, allow_any_host: true}
    rate_limit: $2
rules:
  - {name: completed-calls, when: {status: completed}, send: [ops]}
YAML
  "$bin/hookswitch" serve -c "$work/router/hookswitch.yaml" 2>"$work/router/log" &
  server=$!
  pids+=("$server")
  wait_for "$work/router/log" '"event":"ready"'
  port=$(sed -n 's/.*"event":"ready".*"ingress":"[^"]*:\([0-9]*\)".*/\1/p' "$work/router/log")
}

figure() { # NAME LINE
  sed -n "s/.*\b$1=\([0-9.]*\).*/\1/p" <<<"$2"
}

spread() { # numbers on stdin: median (least-most)
  sort -n | awk 'function f(x) {return sprintf(x >= 100 ? "%.0f" : "%.3g", x)}
    {v[NR]=$1} END {m = NR % 2 ? v[(NR+1)/2] : (v[NR/2]+v[NR/2+1])/2; print f(m) " (" f(v[1]) "-" f(v[NR]) ")"}'
}

busy() { # cores used by others during a second
  local a b
  a=$(awk '/^cpu / {print $2+$3+$4+$7+$8}' /proc/stat)
  sleep 1
  b=$(awk '/^cpu / {print $2+$3+$4+$7+$8}' /proc/stat)
  awk -v d=$((b - a)) -v t="$(getconf CLK_TCK)" 'BEGIN {printf "%.2f", d/t}'
}

foreign=$(busy)
echo "$(nproc) cores, $foreign of them busy with other things before the start"
awk -v f="$foreign" 'BEGIN {exit !(f > 0.3)}' && echo "NOTE: the machine is not quiet; take the ratio, not the figures"

"$bin/hookswitch-fake-slack" --keep 10 >"$work/slack.out" 2>&1 &
pids+=($!)
wait_for "$work/slack.out" '^listening on '
slack=http://$(sed -n 's/^listening on //p' "$work/slack.out")/services/T0/B0/bench

measure() { # NAME PATH: one line of figures into $work/NAME.figures
  local line
  line=$("$bin/hookswitch-load" --port "$port" --path "$2" --payload "$payload" --connections "$connections" \
    --seconds "$seconds" --pid "$server") || { echo "$1 did not answer every request: $line" >&2; exit 1; }
  echo "$line" >>"$work/$1.figures"
  printf '  %-10s %s\n' "$1" "$line"
  stop "$server"
}

echo
echo "accepting: $connections keep-alive connections, $(wc -c <"$payload") byte payloads, $rounds rounds of $seconds s each"
for round in $(seq "$rounds"); do
  order="bare router ${postgres:+postgres}"
  [ $((round % 2)) = 1 ] || order="${postgres:+postgres} router bare"
  for side in $order; do
    if [ "$side" = bare ]; then
      start_bare
      measure bare /bolna/webhook
    else
      start_router "$slack" '{max: 1, per: 1s}' "$side"
      measure "$side" /bolna/webhook
    fi
  done
done

for side in bare router ${postgres:+postgres}; do
  case $side in
    bare) echo "bare Poco handler: drains the body, answers 200" ;;
    router) echo "hookswitch: parsed, routed, on disk, answered" ;;
    postgres) echo "hookswitch with its journal in PostgreSQL" ;;
  esac
  for name in per_second p50 p99 max cpu_per_request; do
    printf '  %-16s %s\n' "$name" "$(while read -r line; do figure "$name" "$line"; done <"$work/$side.figures" | spread)"
  done
done
ratio() { # SIDE OTHER: requests a second
  paste -d' ' <(while read -r line; do figure per_second "$line"; done <"$work/$1.figures") \
    <(while read -r line; do figure per_second "$line"; done <"$work/$2.figures") | awk '{print $1/$2}' | spread
}
echo "hookswitch / bare, requests a second: $(ratio router bare)"
[ -z "$postgres" ] || echo "PostgreSQL / SQLite, requests a second: $(ratio postgres router)"

echo
echo "end to end: $rate calls a second for $latency_seconds s, from when a call is due to when its message arrives"
for side in router ${postgres:+postgres}; do
  coproc load { "$bin/hookswitch-load" --sink --payload "$payload" --path /bolna/webhook --connections 8 --rate "$rate" \
    --seconds "$latency_seconds" 2>&1; }
  load_pid=$!
  pids+=("$load_pid")
  read -r url <&"${load[0]}"
  start_router "$url" '{max: 100000, per: 1s, burst: 100000}' "$side"
  echo "$port $server" >&"${load[1]}"
  read -r line <&"${load[0]}"
  echo "  $side: $line"
  stop "$server"
  wait "$load_pid" || true
done

echo
echo "the parts on the way, nanoseconds each: one event read, routed, drawn for Slack"
for part in normalize routing slack; do
  "$bin/${part}_bench" --benchmark_min_time=0.2 --benchmark_format=console 2>/dev/null | sed -n 's/^/  /; /ns/p'
done
