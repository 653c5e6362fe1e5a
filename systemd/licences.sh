#!/usr/bin/env bash
# Prints the notices of all that the programs are linked with, word for word: systemd/licences.sh
#
# What is linked is what Cargo links: the normal dependencies with the features that are built, without what runs in the compiler only.
# A crate without a text, or under a licence that nobody has allowed below, is a failure and nothing is left out for it.
set -euo pipefail
exec </dev/null
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# None of them asks for more of a program than that its notices are handed on.
allowed=" Apache-2.0 BSD-2-Clause BSD-3-Clause BSL-1.0 ISC MIT Unicode-3.0 Unlicense Zlib "

failed() {
    echo "cannot tell the licences: $*" >&2
    exit 1
}

host=$(rustc -vV | sed -n 's/^host: //p')
crates=$(cargo tree --locked --target "$host" --edges normal,no-proc-macro --prefix none --no-dedupe --format '{p}|{l}')
places=$(cargo metadata --locked --format-version=1 --filter-platform "$host" | grep -o '"manifest_path":"[^"]*/Cargo.toml"')

# Files of a crate that have to do with licences, in its folder or in one for them.
names='^(licen[sc]es?/[^/]*|(un)?(licen[sc]e|copying|copyright|notice|authors)[^/]*)$'
# Texts by their digests, and whose they are.
declare -A text_of=() whose=()
digests=()
list=
while IFS='|' read -r package licence; do
    read -r name version _ <<<"$package"
    [[ $name != erasured ]] || continue
    crate=$name-${version#v}
    # A slash is how OR was once written. A choice is refused, too, when one of its licences is not known: somebody looks at it then.
    for id in ${licence//[\/()]/ }; do
        [[ $id == OR || $id == AND || $allowed == *" $id "* ]] || failed "$crate is under $licence, and nobody has allowed $id"
    done
    place=$(grep -F -m 1 "/$crate/Cargo.toml\"" <<<"$places" | cut -d '"' -f 4) || failed "there is no source of $crate"
    place=${place%/Cargo.toml}
    mapfile -t files < <(find "$place/" -maxdepth 2 -type f -printf '%P\n' | grep -Ei "$names" | sort)
    [[ -n $licence && ${#files[@]} -gt 0 ]] || failed "$crate has no licence"
    list+="$name ${version#v}: $licence"$'\n'
    for file in "${files[@]}"; do
        digest=$(sha256sum <"$place/$file")
        [[ -n ${text_of[$digest]-} ]] || digests+=("$digest")
        text_of[$digest]=$place/$file
        whose[$digest]+="$crate "
    done
done < <(sort -u <<<"$crates")
[[ ${#digests[@]} -gt 0 ]] || failed "no crate is found"

cat <<HEAD
The programs erasured and erasurectl are linked with the Rust libraries below, each under its own licence. Their notices follow, each
text once, with the names of those that it came with. SQLite, which libsqlite3-sys brings, is in the public domain. The notices of
Rust's standard library are in a file beside this one.

$list
HEAD
for digest in "${digests[@]}"; do
    printf '%.0s=' {1..100}
    printf '\n%s\n\n' "$(fmt --width=100 <<<"${whose[$digest]}")"
    tr -d '\r' <"${text_of[$digest]}"
    printf '\n'
done
