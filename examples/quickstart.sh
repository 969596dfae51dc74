#!/usr/bin/env bash
# From a fresh Debian 12 to a Slack message: installs what is missing, builds, has `hookswitch demo` start the router beside a
# stand-in for Slack, post the webhooks of one call, and show the message that came out.
#   SLACK_WEBHOOK_URL=https://hooks.slack.com/services/… examples/quickstart.sh     sends to the real Slack instead
set -euo pipefail
cd "$(dirname "$0")/.."

.ci/packages build
echo "building (a few minutes the first time) …"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake -S . -B build -G Ninja && cmake --build build --target hookswitch sink_slack; } >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  exit 1
fi

echo
echo "posting the webhooks of one call, and what the router makes of each:"
if [ -n "${SLACK_WEBHOOK_URL:-}" ]; then
  build/bin/hookswitch demo --calls 1 --to-slack
  echo "delivered: look at your Slack channel"
else
  build/bin/hookswitch demo --calls 1
fi
echo
echo "build/bin/hookswitch demo goes on with more calls, and shows them in the inspector, until Ctrl-C."
