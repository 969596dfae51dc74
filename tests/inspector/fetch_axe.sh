#!/usr/bin/env bash
# Fetches axe-core, which finds what keeps people from using a page, into a folder. Exits 77 where the network does not give it.
# usage: fetch_axe.sh DIRECTORY
set -euo pipefail

version=4.14.1
sha512=FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ== # as registry.npmjs.org states it

[ $# -eq 1 ] || { echo "usage: fetch_axe.sh DIRECTORY" >&2; exit 2; }
[ "$(cat "$1/version" 2>/dev/null)" = "$version" ] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! curl -fsS --max-time 60 --retry 2 -o "$work/axe.tgz" "https://registry.npmjs.org/axe-core/-/axe-core-$version.tgz"; then
  echo "axe-core cannot be fetched: the page is not checked with it" >&2
  exit 77
fi
[ "$(openssl dgst -sha512 -binary "$work/axe.tgz" | base64 -w0)" = "$sha512" ] || { echo "axe-core $version is not what it was" >&2; exit 1; }
tar -xzf "$work/axe.tgz" -C "$work" package/axe.min.js package/LICENSE
mkdir -p "$1"
mv "$work/package/axe.min.js" "$work/package/LICENSE" "$1"
echo "$version" >"$1/version"
