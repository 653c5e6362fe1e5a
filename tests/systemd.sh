#!/usr/bin/env bash
# Takes the daemon through its whole life under a real systemd: a Debian root is booted in namespaces of its own, with no
# network but its own loopback, and the units of this repository in it as they are.
#
#   tests/systemd.sh [--root DIR] [--keep]
#
# Needs root, util-linux, and mmdebstrap with Debian's packages for a root of its own; --root takes one that is there (with
# systemd, dbus, procps and sqlite3 in it) and works on a copy. --keep leaves the copy. Builds what it needs. Exit code 0 only when all
# holds; the last line is one sentence.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

base='' keep=''
while (($#)); do
    case $1 in
    --root) base=$2 && shift 2 ;;
    --keep) keep=1 && shift ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 2 ;;
    esac
done
[[ $(id -u) == 0 ]] || { echo "this needs root: it makes namespaces and a root file system" >&2; exit 1; }

exec 3>&1
scratch=$(mktemp -d)
root=$scratch/root
. tests/boot.sh

tidy() {
    shut_down
    if [[ -z $keep ]]; then rm -rf "$scratch"; else echo "left in $scratch"; fi
}
trap tidy EXIT
trap 'fail "line $LINENO: $BASH_COMMAND"' ERR

checks=0
say() { printf '== %s\n' "$*"; }
fail() {
    trap - ERR
    # Whatever failed may have its output elsewhere.
    printf 'FAILED: %s\n' "$*" >&3
    inside journalctl --no-pager -n 60 -u erasured >&3 2>/dev/null || true
    exit 1
}
holds() {
    local what=$1
    shift
    "$@" || fail "$what"
    checks=$((checks + 1))
    say "$what"
}
# Waits for something that can be seen, and not for ever.
wait_until() {
    local what=$1 tries=600
    shift
    until "$@" >/dev/null 2>&1; do
        ((tries--)) || fail "waited in vain: $what"
        sleep 0.1
    done
}

as_clerk() { inside setpriv --reuid=clerk --regid=clerk --init-groups -- "$@"; }
property() { inside systemctl show -P "$1" erasured; }
is_active() { [[ $(property ActiveState) == active && $(property SubState) == running ]]; }
journal_has() { inside journalctl --no-pager -u erasured | grep -qF -- "$1"; }
customers() { inside sqlite3 /var/lib/crm/crm.db 'SELECT count(*) FROM customer'; }
# The newest of the main process's lines in /proc.
process() { inside sed -n "s/^$1:[[:space:]]*//p" "/proc/$(property MainPID)/status"; }

say "build"
cargo build --quiet --locked
target=$(cargo metadata --format-version=1 --no-deps --locked | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')

say "a root with systemd"
debian trixie "$root" "$base"
version=$(chroot "$root" systemctl --version | sed -n 's/^systemd \([0-9]*\).*/\1/p')
service=systemd/erasured.service
((version >= 253)) || service=systemd/252/erasured.service

say "the programs, the units, an application"
install -m 755 "$target/debug/erasured" "$target/debug/erasurectl" "$root/usr/bin/"
install -m 644 "$service" systemd/erasured.socket "$root/etc/systemd/system/"
install -D -m 644 systemd/erasured.sysusers "$root/etc/sysusers.d/erasured.conf"
install -D -m 644 systemd/source.conf "$root/etc/systemd/system/erasured.service.d/source.conf"
chroot "$root" systemd-sysusers
chroot "$root" groupadd crm
chroot "$root" useradd --no-create-home --groups erasured clerk
mkdir -p "$root/etc/erasured/categories" "$root/var/lib/crm" "$root/var/log/journal"
cat >"$root/etc/erasured/erasured.toml" <<'TOML'
version = 1
time_zone = "UTC"
[source.crm]
url = "sqlite:/var/lib/crm/crm.db"
max_lock = "5 ms"
[notice]
command = ["/bin/sh", "-c", "cat >>/var/lib/erasured/notices"]
[[grant]]
users = ["clerk"]
permissions = ["view", "decide", "run", "audit"]
TOML
cat >"$root/etc/erasured/categories/customer.toml" <<'TOML'
version = 1
source = "crm"
table = "customer"
key = ["id"]
identity = ["name"]
label = "{name}"
[brake]
share = "100 %"
[[criterion]]
name = "inactive"
since = "last_contact_on"
period = "3 years"
[erase.anonymise]
name = "null"
last_contact_on = "null"
TOML
chroot "$root" sqlite3 /var/lib/crm/crm.db "
    PRAGMA journal_mode = WAL;
    CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, last_contact_on TEXT);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO customer SELECT i, 'Customer ' || i, iif(i <= 2900, '2015-01-01', '2999-01-01') FROM n;" >/dev/null
chroot "$root" sh -c 'chgrp -R crm /var/lib/crm && chmod g+ws /var/lib/crm && chmod 664 /var/lib/crm/*'

say "boot"
boot "$root" "$scratch/console" || fail "systemd $version does not come up"

say "socket activation"
inside systemctl enable --quiet erasured.socket erasured.service
inside systemctl start erasured.socket
holds "the socket is there before the daemon, for its group" \
    test "$(inside stat -c '%U:%G %a' /run/erasured/admin.sock)" = "erasured:erasured 660"
holds "the daemon is not there yet" test "$(property ActiveState)" = inactive
as_clerk erasurectl status >"$scratch/status"
holds "who connects starts it, and is answered" grep -q customer "$scratch/status"
wait_until "the daemon is ready" is_active
refused() { ! inside setpriv --reuid=nobody --regid=nogroup --clear-groups erasurectl status 2>"$scratch/refused"; }
holds "who is not in the group does not get in" refused

say "the sandbox"
holds "it runs as its own user" test "$(inside stat -c %U "/proc/$(property MainPID)")" = erasured
holds "without capabilities" test "$(process CapEff)$(process CapBnd)" = 00000000000000000000000000000000
holds "with no way to new ones, and with its calls filtered" test "$(process NoNewPrivs)$(process Seccomp)" = 12
in_sandbox() { nsenter -t "$(inside_pid)" -m -n -- setpriv --reuid=erasured --regid=erasured --clear-groups -- "$@"; }
# The main process as it is called out here: only one of deeper namespaces has two numbers. Others end while they are looked at.
inside_pid() {
    { cat /proc/[0-9]*/status 2>/dev/null || true; } |
        awk -v pid="$(property MainPID)" '/^Pid:/ { own = $2 } /^NSpid:/ && NF > 2 && $NF == pid { print own }' | tail -n 1
}
cannot() { ! "$@" 2>/dev/null; }
holds "it cannot write to /etc" cannot in_sandbox touch /etc/erasured/erasured.toml
holds "nor to /usr" cannot in_sandbox touch /usr/bin/erasured
only_loopback() { [[ $(nsenter -t "$(inside_pid)" -n -- sed -n 's/^ *\([^ ]*\):.*/\1/p' /proc/net/dev) == lo ]]; }
holds "and sees no network but a loopback of its own" only_loopback

say "the main job"
as_clerk erasurectl run prepare --wait >/dev/null
digest=$(as_clerk erasurectl --json list --digest | sed -n 's/.*"digest": *"\([^"]*\)".*/\1/p')
as_clerk erasurectl confirm --all --digest "$digest" --yes-confirm 2900 >/dev/null
is_told() { inside grep -qF '"subject":"erasured: 2900 new proposals"' /var/lib/erasured/notices; }
wait_until "somebody is told" is_told
holds "all are there" test "$(customers)" = 3000

say "a stop in the middle of a run"
as_clerk erasurectl run erase >/dev/null
fewer() { (($(customers) < 3000)); }
wait_until "a batch is over" fewer
inside systemctl stop erasured.service 2>/dev/null
holds "the stop is a clean one" test "$(property Result)" = success
left=$(customers)
holds "it came in the middle ($left left)" test "$left" -gt 100
holds "the socket is still there" inside test -S /run/erasured/admin.sock
as_clerk erasurectl status >/dev/null
all_gone() { [[ $(customers) == 100 ]]; }
wait_until "the rest is erased after the start" all_gone
erased() { as_clerk erasurectl audit export | grep '"kind":"erased"' | grep -o '"keys":\[[^]]*\]' | grep -o '"[0-9][0-9]*"'; }
each_once() { [[ $(erased | wc -l) == 2900 && $(erased | sort -u | wc -l) == 2900 ]]; }
is_idle() { ! as_clerk erasurectl runs | grep -Eq 'queued|running'; }
wait_until "the run is over" is_idle
holds "each is erased once" each_once
holds "the trail holds" as_clerk erasurectl audit verify

say "reload"
inside sed -i 's/^time_zone = .*/time_zone = "Europe\/Vienna"/' /etc/erasured/erasured.toml
inside systemctl reload erasured
is_in_vienna() { as_clerk erasurectl --json status | grep -q Europe/Vienna; }
holds "new settings are in force when the reload returns" is_in_vienna
inside sed -i 's/^time_zone = .*/time_zone = "Europe\/Atlantis"/' /etc/erasured/erasured.toml
inside systemctl reload erasured || true
holds "with a fault in them the old ones stay" is_in_vienna
holds "and the journal says why" journal_has Atlantis
inside sed -i 's/^time_zone = .*/time_zone = "UTC"/' /etc/erasured/erasured.toml

say "the watchdog"
inside mkdir -p /run/systemd/system/erasured.service.d
inside sh -c 'printf "[Service]\nWatchdogSec=10s\nRestartSec=100ms\n" >/run/systemd/system/erasured.service.d/quick.conf'
inside systemctl daemon-reload
inside systemctl restart erasured
restarts() { (($(property NRestarts) >= $1)); }
before=$(property MainPID)
sleep 21
holds "a daemon that is well is left alone" test "$(property MainPID)" = "$before"
# The process is well, and whoever connects finds nobody.
inside mv /run/erasured/admin.sock /run/erasured/aside
wait_until "a daemon that answers nobody is started anew" restarts 1
inside mv /run/erasured/aside /run/erasured/admin.sock
holds "the journal says why" journal_has "no sign of life is sent"
wait_until "it is ready again" is_active
inside kill -STOP "$(property MainPID)"
wait_until "a daemon that stands still is started anew" restarts 2
wait_until "it is ready again" is_active
as_clerk erasurectl status >/dev/null
inside rm -r /run/systemd/system/erasured.service.d
inside systemctl daemon-reload

say "a kill"
before=$(property MainPID)
inside kill -KILL "$before"
is_another() { is_active && [[ $(property MainPID) != "$before" ]]; }
wait_until "a daemon that was killed is started anew" is_another
holds "the trail holds" as_clerk erasurectl audit verify

say "keys from the service manager"
inside systemctl stop erasured.service 2>/dev/null
inside sh -c 'mkdir -p -m 700 /etc/credstore && mv /var/lib/erasured/keys/* /etc/credstore/ && rmdir /var/lib/erasured/keys'
inside systemctl start erasured.service
holds "it starts with keys that are credentials" is_active
holds "and makes none of its own" cannot inside test -e /var/lib/erasured/keys
inside systemctl stop erasured.service 2>/dev/null
inside mv /etc/credstore/checkpoint-key /root/
refuses_to_start() { ! inside systemctl start erasured.service 2>/dev/null; }
holds "with one of them it refuses to start" refuses_to_start
holds "and the journal says which is missing" journal_has "no checkpoint-key"
inside mv /root/checkpoint-key /etc/credstore/
inside systemctl reset-failed erasured.service
inside systemctl start erasured.service
holds "it starts again when both are there" is_active
inside systemctl stop erasured.socket erasured.service
holds "a client finds nobody when the socket is stopped, too" cannot as_clerk erasurectl status
by_hand() { { inside erasured clock 2>&1 || true; } | grep -qF -- '-p LoadCredential=checkpoint-key erasured'; }
holds "a command by hand has no keys, and says how it gets them" by_hand
with_keys() { inside systemd-run --quiet --pipe --wait -p LoadCredential=fingerprint-key -p LoadCredential=checkpoint-key "$@"; }
clock() { with_keys -p User=erasured erasured clock | grep -q 'is believed'; }
holds "a command that systemd runs with them works" clock
reopen() { with_keys -p User=erasured -p SupplementaryGroups=crm erasured reopen crm | grep -q 'was not closed'; }
holds "also one that needs the application's database" reopen
plan() { with_keys -p User=erasured -p SupplementaryGroups=crm erasured plan | grep -q '^erase, if it ran now'; }
holds "and a plan, which needs the keys of the state" plan
inside cp -a /var/lib/erasured /root/state-before
rotate() { with_keys erasured rotate "$1" --to /root/next-key | grep -q 'in /root/next-key'; }
holds "the key of checkpoints is exchanged by root" rotate checkpoint-key
inside mv /etc/credstore/checkpoint-key /root/checkpoint-key.before
inside mv /root/next-key /etc/credstore/checkpoint-key
holds "and that of fingerprints, with the new one of checkpoints in its place" rotate fingerprint-key
inside mv /root/next-key /etc/credstore/fingerprint-key
inside systemctl start erasured.socket erasured.service
holds "it starts with the new ones" is_active
holds "the trail holds" as_clerk erasurectl audit verify

say "keys that are encrypted, and a state from before the exchange"
inside systemctl stop erasured.socket erasured.service
inside mkdir -p -m 700 /etc/credstore.encrypted
for key in checkpoint-key fingerprint-key; do
    inside systemd-creds encrypt --name=$key /etc/credstore/$key /etc/credstore.encrypted/$key
done
inside mv /etc/credstore /root/credstore
encrypted() {
    inside systemd-run --quiet --pipe --wait -p User=erasured -p LoadCredentialEncrypted=fingerprint-key \
        -p LoadCredentialEncrypted=checkpoint-key erasured clock | grep -q 'is believed'
}
holds "a command has them from where they are encrypted" encrypted
decrypted() {
    inside systemd-creds decrypt --name="$1" "/etc/credstore.encrypted/$1" "/root/$1"
    inside cmp "/root/$1" "/root/credstore/$1"
}
holds "and their plain text can be had back" decrypted checkpoint-key
# systemd looks there first, also for what the unit says is not encrypted.
inside rm -r /etc/credstore.encrypted
inside mv /root/credstore /etc/credstore
inside sh -c 'mv /var/lib/erasured /root/state-after && cp -a /root/state-before /var/lib/erasured'
refuses() { { with_keys -p User=erasured erasured clock 2>&1 || true; } | grep -qF "$1"; }
holds "it does not go with the fingerprint key of now" refuses 'was exchanged since this state was written'
inside cp -p /etc/credstore/fingerprint-key /root/fingerprint-key.after
inside sed -i '$d' /etc/credstore/fingerprint-key
holds "nor, without that one's last line, with the checkpoint key of now" refuses 'signed with another checkpoint key'
inside mv /etc/credstore/checkpoint-key /root/checkpoint-key.after
inside cp -p /root/checkpoint-key.before /etc/credstore/checkpoint-key
holds "but with the one from before" clock
inside sh -c 'rm -r /var/lib/erasured && mv /root/state-after /var/lib/erasured'
holds "the newer state goes with neither" refuses 'fingerprints were taken with the key'
inside mv /root/fingerprint-key.after /etc/credstore/fingerprint-key
holds "and not with the older checkpoint key" refuses 'signed with another checkpoint key'
inside mv /root/checkpoint-key.after /etc/credstore/checkpoint-key
inside systemctl start erasured.socket erasured.service
holds "with both of its own it goes on" is_active

say "shut down"
inside systemctl poweroff >/dev/null 2>&1 || kill -s RTMIN+4 "$init"
wait_until "the system is down" is_over
printf 'systemd %s took the daemon through its whole life: start by socket, sandbox, main job, stop in the middle, reload, watchdog, kill and credentials; %s checks held\n' "$version" "$checks"
