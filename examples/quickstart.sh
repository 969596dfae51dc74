#!/usr/bin/env bash
# From a fresh Debian 12 to a Slack message: installs what is missing, builds, starts the router beside a stand-in for Slack,
# posts one real call event and shows the message that came out.
#   SLACK_WEBHOOK_URL=https://hooks.slack.com/services/… examples/quickstart.sh     sends to the real Slack instead
set -euo pipefail
cd "$(dirname "$0")/.."

.ci/packages build
echo "building (a few minutes the first time) …"
log=$(mktemp)
if ! { cmake -S . -B build -G Ninja && cmake --build build --target hookswitch sink_slack hookswitch-fake-slack; } >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  exit 1
fi
rm -f "$log"

work=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

# wait_for FILE PATTERN: until the pattern stands in the file, at most 15 seconds.
wait_for() {
  for _ in $(seq 150); do
    grep -q "$2" "$1" 2>/dev/null && return 0
    sleep 0.1
  done
  return 1
}

if [ -n "${SLACK_WEBHOOK_URL:-}" ]; then
  export SLACK_WEBHOOK_URL
  any_host=false
else
  build/bin/hookswitch-fake-slack --print >"$work/slack.txt" 2>&1 &
  pids+=($!)
  wait_for "$work/slack.txt" '^listening on ' || { cat "$work/slack.txt" >&2; exit 1; }
  export SLACK_WEBHOOK_URL="http://$(sed -n 's/^listening on //p' "$work/slack.txt")/services/T0QUICK/B0START/standin"
  any_host=true
fi

cat >"$work/hookswitch.yaml" <<YAML
version: 1
server: {listen: 127.0.0.1:0}
admin: {listen: 127.0.0.1:0}
journal: {path: $work/journal.db}
sources:
  bolna: {type: bolna, path: /bolna/webhook}
sinks:
  ops:
    plugin: slack
    config: {webhook_url: {env: SLACK_WEBHOOK_URL}, allow_any_host: $any_host}
rules:
  - name: ended-calls
    send: [ops]
YAML

build/bin/hookswitch serve -c "$work/hookswitch.yaml" 2>"$work/log.jsonl" &
pids+=($!)
wait_for "$work/log.jsonl" '"event":"ready"' || { echo "the router did not start:" >&2; cat "$work/log.jsonl" >&2; exit 1; }
ingress=$(sed -n 's/.*"event":"ready".*"ingress":"\([^"]*\)".*/\1/p' "$work/log.jsonl")

echo
echo "posting examples/events/completed.json to http://$ingress/bolna/webhook"
echo "the router answers: $(curl -sS -X POST --data-binary @examples/events/completed.json "http://$ingress/bolna/webhook")"

if ! wait_for "$work/log.jsonl" '"event":"delivery_delivered"'; then
  echo "nothing arrived at Slack; the router's log says:" >&2
  cat "$work/log.jsonl" >&2
  exit 1
fi
echo
if [ "$any_host" = false ]; then
  echo "delivered: look at your Slack channel"
else
  # A message is shown whole before the stand-in answers, so it stands in the file by now.
  sed '/^listening on /d' "$work/slack.txt" | grep . || { echo "the stand-in shows no message" >&2; exit 1; }
fi
