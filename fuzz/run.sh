#!/bin/sh
# run.sh DIRECTORY SECONDS TARGET…: fuzzes each target for its share of the time, with AddressSanitizer. What is found
# is kept in DIRECTORY/found, new inputs in DIRECTORY/corpus.
set -eu
directory=$1 seconds=$2
shift 2
[ $# -gt 0 ] || { echo "run.sh: no target" >&2; exit 1; }
fail() { echo "make fuzz needs $*" >&2; exit 1; }

command -v rustup >/dev/null || fail "rustup with a nightly toolchain: https://rustup.rs"
rustup run nightly cargo --version >/dev/null 2>&1 || fail "a nightly toolchain: rustup toolchain install nightly"
command -v "${CXX:-c++}" >/dev/null || fail "a C++ compiler, for libFuzzer: on Debian apt-get install g++"
host=$(rustup run nightly rustc -vV | sed -n 's/^host: //p')

cd "$(dirname "$0")"
RUSTFLAGS=-Zsanitizer=address RUSTC_WORKSPACE_WRAPPER=$PWD/rustc.sh rustup run nightly \
  cargo build --release --locked --features libfuzzer --target "$host" --target-dir "$directory"

mkdir -p "$directory/found" "$directory/tmp"
export TMPDIR=$directory/tmp
status=0
share=$((seconds / $#))
for target in "$@"; do
  program=$directory/$host/release/$target
  mkdir -p "$directory/corpus/$target"
  echo "$target, for $share s"
  "$program" -max_total_time=$share -timeout=20 -rss_limit_mb=4096 -max_len=1024 -len_control=0 -print_final_stats=1 \
    -artifact_prefix="$directory/found/$target-" "$directory/corpus/$target" "corpus/$target" || status=1
done
rm -rf "$TMPDIR"
exit $status
