#!/bin/bash
# The part of run.sh that is run in the new Debian, as its root. Where no systemd runs, what it would do is done by hand,
# with the unit's own lines.
set -euo pipefail
cd /packages
export DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
unit=/usr/lib/systemd/system/hookswitch.service
secrets=/etc/hookswitch/environment
config=/etc/hookswitch/hookswitch.yaml
router=

has_systemd() { [ -d /run/systemd/system ]; }
log() { if has_systemd; then journalctl -u hookswitch -o cat --no-pager; else cat /packages/log; fi; }
fail() {
  printf '%s\n' "$@" >&2
  log | tail -n 20 >&2
  exit 1
}
apt() { apt-get -q -y --no-install-recommends "$@" >/packages/apt.log 2>&1 || fail "$(cat /packages/apt.log)"; }
# eventually SECONDS COMMAND…: until it succeeds.
eventually() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "in vain: $*"
    sleep 0.2
  done
}
is_ready() { curl -fsS http://127.0.0.1:8001/readyz; }
# started: after an installation, which starts it where there is a systemd.
started() {
  if has_systemd; then
    systemctl is-active hookswitch >/dev/null || fail "it was not started"
    router=$(systemctl show -p MainPID --value hookswitch)
  else
    install -d -m 0750 -o hookswitch -g hookswitch /run/hookswitch
    # shellcheck disable=SC2046  # the words of the unit
    setpriv --reuid hookswitch --regid hookswitch --init-groups --no-new-privs env -i \
      $(sed -n 's/^Environment=//p' $unit) $(sed -n 's/^ExecStart=//p' $unit) 2>>/packages/log &
    router=$!
    eventually 10 is_ready
  fi
  is_ready >/dev/null || fail "it is not ready"
}
# stopped: before an upgrade's restart and a removal where nobody else does it.
stopped() {
  has_systemd && return
  kill "$router"
  wait "$router" || fail "the router ended with $?"
}
reload() {
  if has_systemd; then
    systemctl reload hookswitch
  else
    $(sed -n 's/^ExecReload=//p' $unit) >>/packages/log 2>&1
  fi
}
secret() { sed -n "s/^$1=//p" $secrets; }
post() { # post CALL
  sed "s/\"id\": *\"[^\"]*\"/\"id\": \"$1\"/" completed.json |
    curl -sS --fail-with-body -H "X-Webhook-Secret: $(secret BOLNA_WEBHOOK_SECRET)" --data-binary @- http://127.0.0.1:8000/bolna/webhook
}
states() { hookswitch deliveries --format json | grep -o '"state":"[a-z_]*"' | sort | uniq -c | tr -s ' ' | sed 's/^ //'; }
as_nobody() { setpriv --reuid nobody --regid nogroup --clear-groups "$@" >/dev/null 2>&1; }

echo "   install, and the first event"
began=$SECONDS
apt install /packages/hookswitch_0*.deb
getent passwd hookswitch | grep -q ':/var/lib/hookswitch:/usr/sbin/nologin$' || fail "no user: $(getent passwd hookswitch)"
[ "$(stat -c '%U:%G %a' $secrets)" = "root:hookswitch 640" ] || fail "others may read $secrets"
[ "$(stat -c '%U:%G %a' /var/lib/hookswitch)" = "hookswitch:hookswitch 750" ] || fail "others may read the journal"
[ -L /etc/systemd/system/multi-user.target.wants/hookswitch.service ] || fail "the service is not enabled"
started
post first | grep -q '"ok":true' || fail "the first event is refused"
hookswitch events | grep -q completed || fail "the first event is not listed"
echo "   ($((SECONDS - began)) s)"

[ "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8001/api/v1/status)" = 401 ] || fail "the admin API asks for no token"
curl -fsS -H "Authorization: Bearer $(secret HOOKSWITCH_ADMIN_TOKEN)" http://127.0.0.1:8001/api/v1/status | grep -q '"version"' ||
  fail "the token of the installation is refused"
as_nobody hookswitch status && fail "anybody may use the socket"
as_nobody cat $secrets && fail "anybody may read $secrets"

echo "   the operator's rules"
hookswitch plugin receive --listen 127.0.0.1:9000 --answer 503 >/packages/refused &
receiver=$!
url=http://127.0.0.1:9000/services/T0/B0/x
sed -i '/^# sinks:/,$ s/^# //; s/webhook_url:/allow_any_host: true\n      webhook_url:/' $config
if has_systemd; then
  # As a credential, which only the service sees.
  install -D -m 600 /dev/stdin /etc/hookswitch/secrets/ops_webhook <<<$url
  install -D -m 644 /dev/stdin /etc/systemd/system/hookswitch.service.d/secrets.conf \
    <<<$'[Service]\nLoadCredential=ops_webhook:/etc/hookswitch/secrets/ops_webhook'
  sed -i 's|webhook_url: .*|webhook_url: {file: /run/credentials/hookswitch.service/ops_webhook}|' $config
  systemctl daemon-reload
  systemctl restart hookswitch || fail "it does not start with a credential"
  started
else
  echo "SLACK_WEBHOOK_URL=$url" >>$secrets
fi
reload || fail "the unit's reload fails"
cp $config /packages/good.yaml
printf 'rules: [\n' >$config
reload 2>/dev/null && fail "a broken file is reloaded"
log | grep -q '^/etc/hookswitch/hookswitch.yaml:1:8: error' || fail "the reload does not say what is wrong"
cp /packages/good.yaml $config

echo "   an upgrade while deliveries wait"
for n in 1 2 3; do post "call-$n" | grep -q '"deliveries":1' || fail "call-$n is not routed"; done
eventually 10 grep -q POST /packages/refused
[ "$(states)" = '3 "state":"pending"' ] || fail "$(states)"
token=$(secret HOOKSWITCH_ADMIN_TOKEN)
old=$router
apt install /packages/hookswitch_9*.deb
stopped
[ ! -e "/proc/$old" ] || fail "the old router still runs"
kill "$receiver"
hookswitch plugin receive --listen 127.0.0.1:9000 --answer 200 >/packages/taken &
receiver=$!
started
all_delivered() { [ "$(states)" = '3 "state":"delivered"' ]; }
eventually 60 all_delivered
[ "$(grep -c '^POST' /packages/taken)" = 3 ] || fail "they came more than once:" "$(cat /packages/taken)"
cmp $config /packages/good.yaml || fail "the upgrade changed the config"
[ "$(secret HOOKSWITCH_ADMIN_TOKEN)" = "$token" ] || fail "the upgrade changed the token"

echo "   the SDK"
apt install /packages/hookswitch-dev_0*.deb
[ -e /usr/include/hookswitch/sink.h ] || fail "no header"
apt purge hookswitch-dev

echo "   remove, install again, purge"
old=$router
stopped
kill "$receiver"
apt remove hookswitch
[ ! -e "/proc/$old" ] || fail "the router outlives its package"
[ ! -e /usr/bin/hookswitch ] && [ ! -e $unit ] || fail "it is still there"
[ -s /var/lib/hookswitch/journal.db ] && [ -s $secrets ] && [ -s $config ] || fail "a removal takes what is the operator's"
apt install /packages/hookswitch_9*.deb
[ "$(secret HOOKSWITCH_ADMIN_TOKEN)" = "$token" ] || fail "another token"
started
hookswitch events | grep -q call-3 || fail "the events are gone"
stopped
rm -rf /etc/hookswitch/secrets /etc/systemd/system/hookswitch.service.d
apt purge hookswitch
left=$(find / -xdev -name '*hookswitch*' -not -path '/packages/*' -not -path '/proc/*' -not -path '/var/cache/*')
[ -z "$left" ] || fail "a purge leaves:" "$left"
apt install /packages/hookswitch_9*.deb
[ "$(secret HOOKSWITCH_ADMIN_TOKEN)" != "$token" ] || fail "the old token"
started
[ "$(hookswitch events 2>/dev/null | grep -c completed)" = 0 ] || fail "old events"
stopped
