#!/bin/bash -eu
# Builds every target with its seeds, dictionary and options, as ClusterFuzzLite wants them in $OUT.
set -o pipefail
# Over the toolchain file, and over a compiler that the image names: the newest nightly one.
export RUSTUP_TOOLCHAIN=nightly
source scripts/lib/fuzz

# Rust has no sanitizer of undefined behaviour, and `coverage` is none.
case ${SANITIZER:-address} in
address | leak | memory | thread) sanitizer=${SANITIZER:-address} ;;
*) sanitizer=none ;;
esac
# The image's `cargo` knows a build for coverage by its first word: `cargo +nightly` would hide it.
cargo fuzz build -O --debug-assertions --codegen-units 16 --no-trace-compares --sanitizer "$sanitizer"
# The sanitizer's flags are for targets: with them no procedural macro can be loaded.
env -u RUSTFLAGS -u CFLAGS -u CXXFLAGS \
    cargo run --quiet -p proofhouse-fuzz-bodies -- seeds "$WORK/seeds"
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "fuzz/target/$FUZZ_HOST/release/$target" "$OUT/"
    if [ -f "fuzz/dictionaries/$target.dict" ]; then
        cp "fuzz/dictionaries/$target.dict" "$OUT/"
    fi
    printf '[libfuzzer]\nmax_len = %d\nentropic = 0\n' "$(len_max "$target")" >"$OUT/$target.options"
    mkdir -p "$WORK/corpus/$target"
    for inputs in "fuzz/corpus/$target" "fuzz/regressions/$target" "$WORK/seeds/$target"; do
        if [ -d "$inputs" ]; then
            cp -r "$inputs/." "$WORK/corpus/$target/"
        fi
    done
    zip -q -j -r "$OUT/${target}_seed_corpus.zip" "$WORK/corpus/$target"
done
