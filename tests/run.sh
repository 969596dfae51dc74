#!/usr/bin/env bash
# Installs what is missing, builds and runs every test of hookswitch.
# usage: tests/run.sh [--quick]     --quick leaves out the sanitizer builds and the fuzzers
set -euo pipefail
cd "$(dirname "$0")/.."

quick=
case "${1:-}" in
  "") ;;
  --quick) quick=1 ;;
  *) echo "usage: tests/run.sh [--quick]" >&2; exit 2 ;;
esac

.ci/packages build test bench
jobs=$(nproc)
export CTEST_OUTPUT_ON_FAILURE=1

build() { # build DIRECTORY [cmake options]
  local directory=$1
  shift
  cmake -S . -B "$directory" -G Ninja "$@" >"$directory.log" 2>&1 || { cat "$directory.log" >&2; exit 1; }
  cmake --build "$directory" -j "$jobs" >"$directory.log" 2>&1 || { tail -n 60 "$directory.log" >&2; exit 1; }
  rm -f "$directory.log"
}

if [ -z "$quick" ]; then
  echo "== address and undefined-behaviour sanitizers"
  build build-asan -DCMAKE_BUILD_TYPE=Debug -DHOOKSWITCH_SANITIZE=address,undefined
  (cd build-asan && ASAN_OPTIONS=detect_stack_use_after_return=1 ctest -j "$jobs" -L unit --quiet)

  echo "== thread sanitizer"
  build build-tsan -DCMAKE_BUILD_TYPE=Debug -DHOOKSWITCH_SANITIZE=thread
  (cd build-tsan && ctest -j "$jobs" -L threads --quiet)

  echo "== fuzzers, ${FUZZ_SECONDS:=15} seconds each"
  build build-fuzz -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
    -DHOOKSWITCH_FUZZ=ON -DHOOKSWITCH_TESTS=OFF -DHOOKSWITCH_SANITIZE=address,undefined
  for target in build-fuzz/bin/*_fuzz; do
    name=$(basename "$target" _fuzz)
    work=$(mktemp -d)
    if ! "$target" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$work/" "$work" \
        "tests/fuzz/corpus/$name" >"$work/log" 2>&1; then
      tail -n 40 "$work/log" >&2
      echo "the input that broke $name is in $work" >&2
      exit 1
    fi
    rm -rf "$work"
  done
fi

echo "== every test"
build build
cd build
exec ctest -j "$jobs"
