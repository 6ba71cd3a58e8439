#!/bin/bash -eu
# Builds every target with its seeds and its dictionary, as ClusterFuzzLite wants them in $OUT.
# The image brings a nightly compiler of its own; the toolchain file is for everything else.
export RUSTUP_TOOLCHAIN=${RUSTUP_TOOLCHAIN:-nightly}
cargo fuzz build -O --debug-assertions --codegen-units 16 --no-trace-compares
cargo run --quiet -p proofhouse-fuzz-bodies -- seeds "$WORK/seeds"
for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "fuzz/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    if [ -f "fuzz/dictionaries/$target.dict" ]; then
        cp "fuzz/dictionaries/$target.dict" "$OUT/"
    fi
    mkdir -p "$WORK/corpus/$target"
    cp "fuzz/corpus/$target/"* "$WORK/seeds/$target/"* "$WORK/corpus/$target/"
    zip -q -j -r "$OUT/${target}_seed_corpus.zip" "$WORK/corpus/$target"
done
