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

.ci/packages build package test bench
jobs=$(nproc)
export CTEST_OUTPUT_ON_FAILURE=1

build() { # build DIRECTORY "TARGETS" [cmake options]
  local directory=$1 targets=$2 start=$SECONDS
  shift 2
  cmake -S . -B "$directory" -G Ninja "$@" >"$directory.log" 2>&1 || { cat "$directory.log" >&2; exit 1; }
  # shellcheck disable=SC2086  # the targets are words
  cmake --build "$directory" -j "$jobs" ${targets:+--target $targets} >"$directory.log" 2>&1 ||
    { tail -n 60 "$directory.log" >&2; exit 1; }
  rm -f "$directory.log"
  echo "   built in $((SECONDS - start)) s"
}

run() { # run DIRECTORY [ctest options]; the verdict that counts is the last one, so this one is shown only where something failed
  local directory=$1 start=$SECONDS
  shift
  (cd "$directory" && ctest -j "$jobs" "$@" >ctest.log 2>&1) ||
    { grep -vE ' Passed +[0-9.]+ sec$|^ +Start ' "$directory/ctest.log" >&2; exit 1; }
  echo "   passed in $((SECONDS - start)) s"
}

if [ -z "$quick" ]; then
  echo "== format"
  git ls-files '*.cpp' '*.h' '*.hpp' '*.c' | xargs clang-format --dry-run --Werror

  # clang compiles sanitized code in two thirds of gcc's time, and analyses what each mutex guards (-Wthread-safety).
  # Line numbers are all that a report needs of debug information. Compiled together, it takes a third less.
  sanitized="-DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-g1"
  sanitized+=" -DHOOKSWITCH_UNITY=ON"
  echo "== address and undefined-behaviour sanitizers"
  fuzzers=$(basename -a -s .cpp tests/fuzz/*_fuzz.cpp | xargs)
  # shellcheck disable=SC2086
  build build-asan "unit_tests $fuzzers" $sanitized -DHOOKSWITCH_SANITIZE=address,undefined -DHOOKSWITCH_FUZZ=ON
  ASAN_OPTIONS=detect_stack_use_after_return=1 run build-asan -L unit

  echo "== fuzzers, ${FUZZ_SECONDS:=15} seconds each"
  # One seed, so that a run says the same again; more seconds (or the program itself, without a seed) search further.
  fuzz() {
    local name=$1 work
    work=$(mktemp -d)
    if ! "build-asan/bin/${name}_fuzz" -seed=1 -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$work/" "$work" "tests/fuzz/corpus/$name" >"$work/log" 2>&1; then
      tail -n 40 "$work/log" >&2
      echo "the input that broke $name is in $work" >&2
      return 1
    fi
    rm -rf "$work"
  }
  export -f fuzz
  export FUZZ_SECONDS
  basename -a -s _fuzz build-asan/bin/*_fuzz | xargs -P "$jobs" -I{} bash -c 'fuzz {}'

  echo "== thread sanitizer"
  threaded="journal_test ingress_test delivery_dispatcher_test http_client_test"
  # shellcheck disable=SC2086
  build build-tsan "$threaded hookswitch sink_slack sink_file ledger_test" $sanitized -DHOOKSWITCH_SANITIZE=thread
  run build-tsan --no-tests=error -R "^(${threaded// /|})\$"
  [ "$(grep -c ' Passed ' build-tsan/ctest.log)" = "$(wc -w <<<"$threaded")" ] || { echo "not all of $threaded ran" >&2; exit 1; }
  # The whole router under load. Its processes end in many ways, so what counts is that none of them left a report.
  rm -f build-tsan/report.*
  failed=
  LEDGER_SECONDS=20 TSAN_OPTIONS="log_path=$PWD/build-tsan/report suppressions=$PWD/tests/e2e/tsan.supp" \
    build-tsan/bin/ledger_test --gtest_brief=1 >build-tsan/ledger.log 2>&1 || failed=1
  if [ -n "$failed" ] || compgen -G "build-tsan/report.*" >/dev/null; then
    tail -n 60 build-tsan/ledger.log >&2
    cat build-tsan/report.* >&2 || true
    exit 1
  fi
fi

echo "== every test"
options=()
# From nothing this takes a third less time. Where something is built already, less is compiled file by file.
[ -e build/CMakeCache.txt ] || options=(-DHOOKSWITCH_UNITY=ON)
[ -n "$quick" ] || options+=(-DHOOKSWITCH_BENCH=ON)
build build "" "${options[@]}"
cd build
# Most of them wait, for a disk or a clock.
exec ctest -j $((3 * jobs))
