#!/usr/bin/env bash
# Tries the Debian packages without installing them. Everything else, in a Debian of its own: run.sh.
# usage: check.sh make|lintian|contents|unit|postinst|config|sdk BUILD WORK
set -euo pipefail
part=$1 build=$2 work=$3
source=$(cd "$(dirname "$0")/../.." && pwd)
shopt -s nullglob

fail() { printf '%s\n' "$@" >&2; exit 1; }
router() { echo "$work"/hookswitch_*.deb; }
sdk() { echo "$work"/hookswitch-dev_*.deb; }

# unpacked: what the router's package brings, and its scripts in DEBIAN, in a folder of this part's own.
unpacked() {
  rm -rf "$work/$part"
  dpkg-deb -R "$(router)" "$work/$part"
  echo "$work/$part"
}

case "$part" in
  make)
    rm -rf "$work"
    cd "$build"
    cpack -B "$work" >"$build/cpack.log" 2>&1 || fail "$(tail -n 40 "$build/cpack.log")"
    [ -e "$(router)" ] && [ -e "$(sdk)" ] || fail "there are only $(ls "$work")"
    ;;

  lintian)
    found=$(lintian --allow-root --fail-on none "$(router)" "$(sdk)")
    [ -z "$found" ] || fail "$found"
    ;;

  contents)
    contents=$(dpkg-deb -c "$(router)")
    # By its path below the root; "->" stands before what a link leads to.
    for path in /etc/hookswitch/hookswitch.yaml /etc/hookswitch/rules.d/billing.yaml.example /usr/bin/hookswitch \
      /usr/lib/systemd/system/hookswitch.service /usr/share/man/man1/hookswitch.1.gz \
      /usr/share/hookswitch/{hookswitch.schema.json,environment.example} \
      /usr/share/doc/hookswitch/{copyright,changelog.gz,README.md,config/OPERATING.md,config/environment.example} \
      /usr/share/doc/hookswitch/examples/events/completed.json; do
      grep -q " \.$path\$" <<<"$contents" || fail "$path is missing"
    done
    for page in "$source"/sinks/*/README.md; do
      sink=$(basename "$(dirname "$page")")
      grep -q " \./usr/share/doc/hookswitch/sinks/$sink/README.md\$" <<<"$contents" || fail "the page of $sink is missing"
      grep -q " \./usr/lib/hookswitch/sinks/$sink.so\$" <<<"$contents" || fail "$sink.so is missing"
    done
    if "$build/bin/hookswitch" --help | grep -q '^  completion '; then
      for path in bash-completion/completions/hookswitch zsh/vendor-completions/_hookswitch fish/vendor_completions.d/hookswitch.fish; do
        grep -q " \./usr/share/$path\$" <<<"$contents" || fail "the completion $path is missing"
      done
    fi
    others=$(awk '$2 != "root/root" || $1 ~ /^.....w|^........w/' <<<"$contents")
    [ -z "$others" ] || fail "others than root own or may write:" "$others"
    strays=$(grep -E 'fake|unruly|/debian/|quickstart|tests/' <<<"$contents" || true)
    [ -z "$strays" ] || fail "these belong to the source:" "$strays"
    [ "$(dpkg-deb -I "$(router)" conffiles)" = "$(find "$(unpacked)/etc" -type f | sed "s|^$work/$part||" | sort)" ] ||
      fail "not every file in /etc is a conffile"
    grep -q "has not chosen a licence yet" "$work/$part/usr/share/doc/hookswitch/copyright" || fail "the copyright file is another"
    # The version is written twice.
    version=$(dpkg-deb -f "$(router)" Version)
    [ "$(dpkg-parsechangelog -l "$source/config/debian/changelog" -S Version)" = "$version" ] ||
      fail "the changelog does not begin with $version"
    [ "$(dpkg-deb -f "$(sdk)" Architecture)" = all ] || fail "headers are the same for every machine"
    ;;

  unit)
    root=$(unpacked)
    cp /lib/systemd/system/*.target "$root/usr/lib/systemd/system"
    said=$(systemd-analyze verify --man=no --root="$root" hookswitch.service 2>&1 | grep hookswitch || true)
    [ -z "$said" ] || fail "$said"
    unit=$root/usr/lib/systemd/system/hookswitch.service
    # 1 to 100, from confined to exposed.
    systemd-analyze security --offline=yes --threshold=15 "$unit" >"$work/security" || fail "$(tail -n 30 "$work/security")"
    for line in Type=notify WatchdogSec=30s StateDirectory=hookswitch RuntimeDirectory=hookswitch User=hookswitch Group=hookswitch \
      'ExecReload=/usr/bin/hookswitch reload --url unix:/run/hookswitch/admin.sock'; do
      grep -qxF "$line" "$unit" || fail "the unit has no $line"
    done
    if grep -E '^(ExecStartPre|DynamicUser)=' "$unit"; then fail "the unit has what it must not have"; fi
    ;;

  postinst)
    root=$(unpacked)
    # Users and services are this machine's: the commands for them do nothing here, and every file stays its maker's.
    mkdir "$root/bin"
    for name in adduser systemctl $(grep -o 'deb-systemd-[a-z]*' "$root/DEBIAN/postinst"); do printf '#!/bin/sh\n' >"$root/bin/$name"; done
    # shellcheck disable=SC2016  # for the script to expand
    printf '#!/bin/sh\nexec /usr/bin/install $(echo "$@" | sed "s/-[og] hookswitch//g")\n' >"$root/bin/install"
    chmod +x "$root"/bin/*
    configure() { DPKG_ROOT=$root PATH=$root/bin:$PATH sh "$root/DEBIAN/postinst" configure "$@"; }
    secrets=$root/etc/hookswitch/environment

    configure "" | grep -q 127.0.0.1:8001 || fail "nobody is told where to look"
    [ "$(stat -c %a "$secrets")" = 640 ] || fail "others may read the secrets"
    [ "$(stat -c %a "$root/var/lib/hookswitch")" = 750 ] || fail "others may read the journal"
    for name in HOOKSWITCH_ADMIN_TOKEN BOLNA_WEBHOOK_SECRET; do
      grep -Eqx "$name=[0-9a-f]{64}" "$secrets" || fail "there is no $name"
    done
    [ "$(grep -c . "$secrets")" = "$(sort -u "$secrets" | grep -c .)" ] || fail "two secrets are the same"

    sed -i /BOLNA_WEBHOOK_SECRET/d "$secrets"
    cp "$secrets" "$work/before"
    configure 0.0.9
    cmp "$secrets" "$work/before" || fail "an upgrade changed the secrets"

    printf 'HOOKSWITCH_ADMIN_TOKEN=mine' >"$secrets"
    configure "" >"$work/said"
    grep -qx HOOKSWITCH_ADMIN_TOKEN=mine "$secrets" || fail "a token that was there is another now"
    grep -Eqx 'BOLNA_WEBHOOK_SECRET=[0-9a-f]{64}' "$secrets" || fail "what was missing is not there"
    ;;

  config)
    root=$(unpacked)
    config=$root/etc/hookswitch/hookswitch.yaml
    printf 'HOOKSWITCH_ADMIN_TOKEN=t\nBOLNA_WEBHOOK_SECRET=s\n' >"$root/secrets"
    chmod 640 "$root/secrets"
    check() { env -i "$root/usr/bin/hookswitch" check -c "$config" --env-file "$root/secrets" 2>&1; }
    said=$(check) || fail "the installed config is not valid:" "$said"
    # Without the marks of comments it is the sample.
    sed -i '/^# sinks:/,$ s/^# //' "$config"
    lines=$(diff "$source/config/hookswitch.yaml" "$config" | grep '^[<>]' || true)
    [ "$(grep -c . <<<"$lines")" = 2 ] && ! grep -v '^> # ' <<<"$lines" || fail "it is not the sample:" "$lines"
    echo 'SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/a1b2c3d4' >>"$root/secrets"
    said=$(check) || fail "$said"
    grep -q ': fine' <<<"$said" || fail "$said"
    ;;

  sdk)
    rm -rf "$work/sdk"
    dpkg-deb -x "$(sdk)" "$work/sdk"
    cmake -S "$source/examples/sinks" -B "$work/sdk/build" -DCMAKE_PREFIX_PATH="$work/sdk/usr" >"$work/sdk.log" 2>&1 || fail "$(cat "$work/sdk.log")"
    grep -q "hookswitch-sdk_DIR:PATH=$work/sdk/usr/" "$work/sdk/build/CMakeCache.txt" || fail "another SDK was found"
    ;;

  *) fail "usage: check.sh make|lintian|contents|unit|postinst|config|sdk BUILD WORK" ;;
esac
