#!/usr/bin/env bash
# Builds the trials of tests/trial with the places at which a daemon can be killed, and starts one of them.
#
#   tests/trial.sh kills|soak [--release] ARGUMENT…
#   tests/trial.sh --help
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
profile=()
words=()
for word in "$@"; do
    case $word in
    --release) profile=(--release) ;;
    --help | -h) words=(--help) && break ;;
    *) words+=("$word") ;;
    esac
done
# Cargo would have the last word if it ran the program, whatever that says.
program=$(cargo test --quiet --locked "${profile[@]}" --features failpoints --test trial --no-run --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\/trial-[^"/]*\)".*/\1/p' | tail -n 1)
exec "$program" "${words[@]}"
