#!/usr/bin/env bash
# Installs the package in a fresh Debian that runs its own systemd, upgrades, removes and purges it, and looks each time at
# what is there: tests/package.sh [--root DIR] PACKAGE.deb
#
# The package is the one that systemd/package.sh prints. Needs root, and mmdebstrap with a Debian archive for a root of its own; --root
# takes one that is there, of the Debian that the package is for (with systemd, dbus and procps in it), and works on a copy. Takes a
# minute or two, and leaves nothing behind. The last line says how it has ended.
set -euo pipefail
exec </dev/null

failed() {
    echo "the package does not do what it should: $*"
    exit 1
}

base=
if [[ ${1-} == --root && $# -ge 2 ]]; then
    base=$2
    shift 2
fi
[[ $# -eq 1 && -f $1 ]] || { echo "give the package: tests/package.sh [--root DIR] PACKAGE.deb" >&2; exit 2; }
[[ $EUID -eq 0 ]] || { echo "only root can install a Debian and boot it" >&2; exit 2; }
deb=$(realpath "$1")
suite=trixie
[[ $(dpkg-deb --field "$deb" Depends) != *"systemd (>= 252)"* ]] || suite=bookworm

scratch=$(mktemp --directory)
root=$scratch/root
. "$(dirname "${BASH_SOURCE[0]}")/boot.sh"

clean_up() {
    shut_down
    rm -rf "$scratch"
}
trap clean_up EXIT

step() {
    printf '== %s\n' "$*"
}

# What one dpkg says, which it says again where it fails.
dpkg_says() {
    said=$(inside dpkg "$@" 2>&1) || { printf '%s\n' "$said"; failed "dpkg $*"; }
}

says() {
    [[ $said == *"$1"* ]] || failed "nobody says: $1"
}

is() {
    local expected=$1 found
    shift
    found=$(inside "$@" 2>&1 || true)
    [[ $found == "$expected" ]] || failed "$*: $found instead of $expected"
}

there() {
    local path
    for path; do
        [[ -e $root/$path || -L $root/$path ]] || failed "there is no $path"
    done
}

gone() {
    local path
    for path; do
        [[ ! -e $root/$path && ! -L $root/$path ]] || failed "there still is $path"
    done
}

held() {
    inside erasurectl holds 2>/dev/null | grep -q 'prospect/1011.*lawsuit' || failed "$1: the legal hold is no longer known"
}

# The same package under a later version.
later() {
    rm -rf "$scratch/later"
    dpkg-deb --raw-extract "$deb" "$scratch/later"
    sed -i "s/^Version: .*/Version: $1/" "$scratch/later/DEBIAN/control"
    dpkg-deb --root-owner-group -Znone --build "$scratch/later" "$root/later.deb" >/dev/null
}

step "a fresh Debian, $suite"
debian "$suite" "$root" "$base"
codename=$(sed -n 's/^VERSION_CODENAME=//p' "$root/etc/os-release")
[[ $codename == "$suite" ]] || failed "it is for $suite, and the root is $codename"
cp "$deb" "$root/package.deb"
boot "$root" "$scratch/console" || failed "its Debian does not boot"

step "install"
dpkg_says --install /package.deb
says "erasured has no settings yet, and is not started"
there usr/bin/erasured usr/bin/erasurectl usr/lib/sysusers.d/erasured.conf \
    usr/share/man/man{8/erasured.8,1/erasurectl.1,5/erasured.toml.5,5/erasured-category.5}.gz \
    usr/share/bash-completion/completions/erasure{d,ctl} usr/share/zsh/vendor-completions/_erasure{d,ctl} \
    usr/share/fish/vendor_completions.d/erasure{d,ctl}.fish \
    usr/share/doc/erasured/{copyright{,.crates.gz,.rust.html.gz},changelog.Debian.gz,README.md,examples/crm/categories/prospect.toml} \
    usr/share/doc/erasured/docs/{auditors,clerks,how-it-works,measured,operators,removal,runbook}.md
gone etc/erasured var/lib/erasured/state.db
is "" dpkg --verify erasured
is inactive systemctl is-active erasured.service
is disabled systemctl is-enabled erasured.service
inside getent passwd erasured >/dev/null || failed "there is no user erasured"

step "settings, and the daemon under its unit"
# The demo's CRM and settings, without its decisions.
inside erasured demo --once --dir /root/demo >/dev/null 2>&1 || failed "the demo"
inside sh -ec '
    mv /root/demo/config /etc/erasured
    groupadd --system crm
    mkdir /var/lib/crm
    mv /etc/erasured/crm.db /var/lib/crm/
    chown -R root:crm /var/lib/crm
    chmod 2770 /var/lib/crm
    chmod 660 /var/lib/crm/crm.db
    sed -i "s|sqlite:crm.db|sqlite:/var/lib/crm/crm.db|" /etc/erasured/erasured.toml
    mkdir /etc/systemd/system/erasured.service.d
    cp /usr/share/doc/erasured/examples/source.conf /etc/systemd/system/erasured.service.d/
    rm -r /root/demo
    systemctl daemon-reload
    systemctl enable --quiet --now erasured.service
' || { inside journalctl --no-pager -u erasured; failed "the daemon does not start"; }
is active systemctl is-active erasured.service
is erasured ps -o user= -p "$(inside systemctl show --property MainPID --value erasured.service)"
# The demo has erased in this database: to the new state it comes from another installation.
inside sh -c 'systemctl stop erasured.service erasured.socket && erasured reopen crm && systemctl start erasured.service' >/dev/null ||
    failed "erasured reopen"
inside erasurectl run prepare --wait >/dev/null 2>&1 || failed "erasurectl run prepare"
inside erasurectl hold prospect/1011 --reason lawsuit --reference "3 Cg 17/26" >/dev/null || failed "erasurectl hold"
held "before all else"
record=$(inside erasurectl list --category prospect --state proposed --csv | sed -n 's/^\(prospect\/[0-9]*\),.*/\1/p' | sed -n '/1011/!{p;q}')
[[ -n $record ]] || failed "nothing is proposed"
inside erasurectl confirm "$record" >/dev/null || failed "erasurectl confirm $record"
erased=$(inside erasurectl --json run erase --wait | tr -d ' \n' | sed -n 's/.*"job":"erase","deleted":\([0-9]*\),"anonymised":\([0-9]*\).*/\1\2/p')
[[ $erased == 01 || $erased == 10 ]] || failed "the final run erased $erased"

step "upgrade while it runs"
before=$(inside systemctl show --property MainPID --value erasured.service)
later 0.1.1-1
dpkg_says --install /later.deb
is active systemctl is-active erasured.service
[[ $(inside systemctl show --property MainPID --value erasured.service) != "$before" ]] || failed "the old program still runs"
held "after an upgrade"
inside erasurectl audit verify | grep -q intact || failed "the trail does not hold after an upgrade"

step "upgrade while it is stopped"
inside systemctl stop erasured.service erasured.socket
later 0.1.2-1
dpkg_says --install /later.deb
is inactive systemctl is-active erasured.service
is enabled systemctl is-enabled erasured.service
inside systemctl start erasured.service

step "remove"
dpkg_says --remove erasured
says "/var/lib/erasured is kept"
is "" pgrep -x erasured
gone usr/bin/erasured usr/bin/erasurectl usr/lib/systemd/system/erasured.service usr/share/man/man8/erasured.8.gz
there var/lib/erasured/state.db var/lib/erasured/keys etc/erasured/erasured.toml var/lib/crm/crm.db

step "install again"
dpkg_says --install /package.deb
[[ $said != *"no settings yet"* ]] || failed "its settings are not seen"
inside systemctl start erasured.service || failed "it does not start with what was kept"
held "after a removal"

step "purge"
dpkg_says --purge erasured
says "/var/lib/erasured is deleted"
says "/etc/erasured is kept"
is "" pgrep -x erasured
gone var/lib/erasured etc/systemd/system/multi-user.target.wants/erasured.service \
    etc/systemd/system/sockets.target.wants/erasured.socket etc/systemd/system/erasured.service \
    etc/systemd/system/erasured.socket
there etc/erasured/erasured.toml var/lib/crm/crm.db

step "end"
echo "the package installs, upgrades, is removed and is purged as it should, in $suite"
