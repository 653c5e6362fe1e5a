#!/usr/bin/env bash
# Lets the daemon work for long beside an application that writes, with clerks who decide at random.
#
#   tests/soak.sh [--minutes N] [--seed SEED] [--release]
#
# Builds what it needs. Exit code 0 only when all holds; the last line is one sentence that says so, with its counts, or what does
# not hold.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec tests/trial.sh soak "$@"
