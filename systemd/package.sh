#!/usr/bin/env bash
# Builds the Debian package and prints its path: systemd/package.sh [--profile PROFILE] [bookworm | trixie]
#
# Debian 12, bookworm, has systemd 252, which does not know every word of the unit; what is for trixie fits 253 and newer. Without
# an argument it is the one that fits this machine. The profile is Cargo's, and release where none is given: dev is built quickly, and
# good enough to try a package. Needs cargo-deb: cargo install --locked cargo-deb
set -euo pipefail
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/.."

profile=release
fast=
if [[ ${1-} == --profile && $# -ge 2 ]]; then
    profile=$2
    [[ $profile == release ]] || fast=--fast
    shift 2
fi
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

notices=$(rustc --print sysroot)/share/doc/rust/COPYRIGHT-library.html
if [[ ! -f $notices ]]; then
    echo "this toolchain has no notices of Rust's standard library, which have to go with the programs: $notices" >&2
    exit 1
fi

cargo build --profile "$profile" --locked --features pages --bins >&2
# Cargo calls one folder otherwise than the profile.
folder=${CARGO_TARGET_DIR:-target}/${profile/#dev/debug}
"$folder/erasured-pages" target/pages >&2
rm -rf target/notices && mkdir -p target/notices
systemd/licences.sh | gzip -9n >target/notices/copyright.crates.gz
gzip -9n <"$notices" >target/notices/copyright.rust.html.gz
cargo deb --locked --no-build --quiet --profile "$profile" --strip ${fast:+"$fast"} ${variant:+--variant "$variant"}
