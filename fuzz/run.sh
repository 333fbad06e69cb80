#!/bin/sh
# fuzz/run.sh TARGET [SECONDS [OPTION...]]: looks for inputs that break a rule of the target, for an hour or so many seconds.
#
# Starts from tests/it/fuzz/seeds/TARGET, and goes on in fuzz/corpus/TARGET. What breaks a rule is left in fuzz/broken; as a
# line in hex it belongs to the seeds. Needs a C++ compiler. Options are libFuzzer's.
set -eu
cd "$(dirname "$0")"
target=$1
seconds=${2:-3600}
shift $(($# < 2 ? $# : 2))
seeds=../tests/it/fuzz/seeds/$target
[ -f "$seeds" ] || { echo "there is no target $target, but these:" ../tests/it/fuzz/seeds/*; exit 2; }
mkdir -p "corpus/$target" broken
grep -v '^#' "$seeds" | nl -ba -w1 -s' ' | while read -r number hex; do
    printf %s "$hex" | xxd -r -p >"corpus/$target/seed-$number"
done
# Counters and comparisons are watched in d2mtop and what it is made of, but not in build scripts: hence the --target.
RUSTFLAGS='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
 -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Cdebug-assertions -Coverflow-checks'
# The versions are those of the project; only libFuzzer comes with it.
cp ../Cargo.lock .
RUSTFLAGS=$(echo $RUSTFLAGS) cargo build --release --target x86_64-unknown-linux-gnu
FUZZ_TARGET=$target exec target/x86_64-unknown-linux-gnu/release/d2mtop-fuzz "corpus/$target" \
    -artifact_prefix="broken/$target-" -max_len=8192 -max_total_time="$seconds" -print_final_stats=1 "$@"
