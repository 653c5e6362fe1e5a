#!/usr/bin/env bash
# Kills the daemon over and over beside an application that writes, and looks what is left of everybody.
#
#   tests/kill.sh [--kills N] [--seed SEED] [--release]
#
# Builds what it needs. Exit code 0 only when all holds; the last line is one sentence that says so, with its counts, or what does
# not hold. A thousand kills take some fifteen minutes on two quiet cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec tests/trial.sh kills "$@"
