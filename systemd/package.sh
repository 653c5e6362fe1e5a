#!/usr/bin/env bash
# Builds the Debian package and prints its path: systemd/package.sh [bookworm | trixie]
#
# Debian 12, bookworm, has systemd 252, which does not know every word of the unit; what is for trixie fits 253 and newer. Without
# an argument it is the one that fits this machine. Needs cargo-deb: cargo install --locked cargo-deb
set -euo pipefail
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/.."

variant=
case ${1-} in
"")
    version=$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p' || true)
    if [[ -n $version && $version -lt 253 ]]; then
        variant=bookworm
    fi
    ;;
bookworm) variant=bookworm ;;
trixie) ;;
*)
    echo "cannot build a package for $1: give bookworm or trixie" >&2
    exit 2
    ;;
esac
if ! cargo deb --version >/dev/null 2>&1; then
    echo "cargo-deb is not there: cargo install --locked cargo-deb" >&2
    exit 1
fi

cargo build --release --locked --features pages --bins >&2
"${CARGO_TARGET_DIR:-target}/release/erasured-pages" target/pages >&2
cargo deb --locked --no-build --quiet ${variant:+--variant "$variant"}
