#!/usr/bin/env bash
# Installs, upgrades, removes and purges the Debian packages in a Debian 12 of their own, made by debootstrap: first without
# an init system, as in a container, then under systemd. Takes some minutes, wants root and a Debian mirror
# ($DEBIAN_MIRROR), and leaves nothing behind.
# usage: tests/package/run.sh [BUILD]     BUILD is a folder in which everything is built; default: build
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build}")
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
[ "$(id -u)" -eq 0 ] || { echo "only root can make a Debian in a folder" >&2; exit 1; }
.ci/packages package test

work=$(mktemp -d /var/tmp/hookswitch-package-XXXXXX)
tree=$work/tree
groups=$(findmnt -rno TARGET -t cgroup2 | head -n 1)
group=$groups/hookswitch-package-$$
booted=
cleanup() {
  # unshare ends by no other signal.
  if [ -n "$booted" ]; then
    kill -KILL "$booted" || true
    wait "$booted" 2>/dev/null || true
  fi
  for _ in $(seq 50); do
    [ -d "$group" ] || break
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
  done
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT
quietly() { "$@" >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }; }
in_tree() { quietly chroot "$tree" sh -c "DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends $*"; }

echo "== two versions"
mkdir "$work/new"
(cd "$build" && quietly cpack -B "$work/packages" && quietly cpack -B "$work/new" -D CPACK_PACKAGE_VERSION=9.0.0)

echo "== a Debian 12"
quietly debootstrap --variant=minbase --include=curl bookworm "$tree" "$mirror"
mkdir "$tree/packages"
cp "$work"/packages/*.deb "$work"/new/*.deb tests/package/inside.sh examples/events/completed.json "$tree/packages"
# All is fetched now: later there is no network, and so nobody else on the ports of the installed config.
in_tree update
in_tree install --download-only '/packages/hookswitch_0*.deb' '/packages/hookswitch-dev_0*.deb' systemd
cp -a "$tree" "$work/with-systemd"

echo "== without an init system"
unshare --mount --pid --net --fork --kill-child sh -ec \
  'mount -t proc proc "$0/proc"; mount -t tmpfs tmpfs "$0/run"; ip link set lo up; exec chroot "$0" /packages/inside.sh' "$tree"

echo "== under systemd"
tree=$work/with-systemd
mkdir "$group" || { echo "no control group can be made here, so no systemd can be booted" >&2; exit 1; }
in_tree install systemd
tests/package/boot.sh "$tree" "$group" </dev/null >"$work/boot" 2>&1 &
booted=$!
# Its first process is the child of unshare, which boot.sh has become.
enter() { nsenter -t "$(pgrep -P "$booted")" --mount --pid --net --uts --ipc --cgroup --root --wd "$@"; }
for _ in $(seq 100); do
  state=$(enter systemctl is-system-running 2>/dev/null || true)
  case "$state" in running | degraded) break ;; esac
  sleep 0.2
done
case "$state" in running | degraded) ;; *) cat "$work/boot" >&2; echo "systemd does not boot: $state" >&2; exit 1 ;; esac
enter /packages/inside.sh
echo "== all is well"
