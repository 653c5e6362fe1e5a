#!/usr/bin/env bash
# Drafts settings for real applications' databases, fills in what `erasured init` suggests, and holds them against `erasured
# check`, `plan` and a whole job: of a webmail (Roundcube, from Debian's package), of a business suite (Tryton, from PyPI, whose
# SQLite databases declare no reference), each with some dozens of people; and of those that lie beside the checkout.
#
#   tests/schemas.sh [--keep]
#
# Needs no root: apt-get with Debian's package lists, dpkg-deb, and python3 with venv and pip, which take the packages from
# their registries. Nothing is installed outside a scratch folder, which --keep leaves. Builds what it needs. Exit code 0 only
# when all holds; the last line is one sentence.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

keep=''
while (($#)); do
    case $1 in
    --keep) keep=1 && shift ;;
    *) sed -n '2,11s/^# \{0,1\}//p' "$0" && exit 2 ;;
    esac
done

scratch=$(mktemp -d)
daemon=''
tidy() {
    # Only what was started here.
    if [[ -n $daemon ]] && kill "$daemon" 2>/dev/null; then wait "$daemon" || true; fi
    if [[ -z $keep ]]; then rm -rf "$scratch"; else echo "left in $scratch"; fi
}
trap tidy EXIT
trap 'fail "line $LINENO: $BASH_COMMAND"' ERR

decisions=0 databases=0
say() { printf '== %s\n' "$*"; }
fail() {
    trap - ERR
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# Decides everything as it is suggested.
decide() {
    python3 - "$1" <<'PYTHON'
import pathlib, sys
for file in pathlib.Path(sys.argv[1]).rglob("*.toml"):
    lines = []
    for line in file.read_text().splitlines():
        if '"?"' in line and "# decide: " in line and not line.startswith("#"):
            before, after = line.split('"?"', 1)
            told = after.split("# decide: ", 1)[1].split(" – ")[0]
            line = before + told + ("]" if after.startswith("]") else "")
        lines.append(line)
    file.write_text("\n".join(lines) + "\n")
PYTHON
}

# Drafts, looks for what must be in it (`-` before it: what must not), decides, and checks.
holds() {
    local name=$1 database=$2 dir=$scratch/settings/$1 expected open text
    shift 2
    cp "$database" "$scratch/$name.db"
    timeout 120 "$bin/erasured" init "sqlite:$scratch/$name.db" --config "$dir" >"$scratch/$name.init" 2>&1
    cmp -s "$database" "$scratch/$name.db" || fail "$name: init changed the database"
    text=$(cat "$dir"/categories/*.toml)
    for expected in "$@"; do
        case $expected in
        -*) ! grep -qF -- "${expected#-}" <<<"$text" || fail "$name: \"${expected#-}\" is in what was drafted" ;;
        *) grep -qF -- "$expected" <<<"$text" || fail "$name: \"$expected\" is not in what was drafted" ;;
        esac
    done
    if "$bin/erasured" check --config "$dir" >"$scratch/$name.open" 2>&1; then fail "$name: nothing was left to decide"; fi
    open=$(grep -c '^error:' "$scratch/$name.open")
    ! grep '^error' "$scratch/$name.open" | grep -v 'is still to be decided$' || fail "$name: more is wrong than is to be decided"
    decide "$dir"
    "$bin/erasured" check --config "$dir" >"$scratch/$name.check" 2>&1 || fail "$name: $(cat "$scratch/$name.check")"
    decisions=$((decisions + open)) databases=$((databases + 1))
    say "$name: $(find "$dir/categories" -name '*.toml' | wc -l) categories, $open decisions, then check passes"
}

# Plans, proposes, confirms and erases by what was decided. The database is changed by it.
erase() {
    local name=$1 dir=$scratch/settings/$1 due digest tries=600
    "$bin/erasured" plan --config "$dir" --state-dir "$scratch/state-$name" >"$scratch/$name.plan" 2>&1 ||
        fail "$name: $(cat "$scratch/$name.plan")"
    due=$(grep -c ' proposed: ' "$scratch/$name.plan") || fail "$name: nobody is due"
    export ERASURED_SOCKET=$scratch/$name.sock
    "$bin/erasured" run --config "$dir" --state-dir "$scratch/state-$name" --socket "$ERASURED_SOCKET" \
        >"$scratch/$name.log" 2>&1 &
    daemon=$!
    until "$bin/erasurectl" status >/dev/null 2>&1; do
        ((tries--)) || fail "$name: the daemon does not answer"
        sleep 0.1
    done
    {
        "$bin/erasurectl" run prepare --wait
        digest=$("$bin/erasurectl" list --digest --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["digest"])')
        "$bin/erasurectl" confirm --all --digest "$digest" --yes-confirm "$due"
        "$bin/erasurectl" run erase --wait
    } >"$scratch/$name.runs" 2>&1 || fail "$name: $(cat "$scratch/$name.runs")"
    kill "$daemon"
    wait "$daemon" || fail "$name: the daemon did not stop well"
    daemon=''
    say "$name: $due people proposed, confirmed and erased"
}

# A query over what was erased in gives this.
finds() {
    local name=$1 expected=$2 sql=$3 found
    found=$(python3 -c 'import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone())' \
        "$scratch/$name.db" "$sql")
    [[ $found == "$expected" ]] || fail "$name: $sql gives $found and not $expected"
}

roundcube() {
    mkdir "$scratch/deb"
    (cd "$scratch/deb" && apt-get -q download roundcube-core >/dev/null 2>&1) || fail "apt-get download roundcube-core"
    dpkg-deb --fsys-tarfile "$scratch"/deb/*.deb | tar -xO ./usr/share/roundcube/SQL/sqlite.initial.sql >"$scratch/roundcube.sql"
    # Dates as the application writes them: datetime('now').
    python3 - "$scratch/roundcube.sqlite" "$scratch/roundcube.sql" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript(open(sys.argv[2]).read())
FIRST = "Anna Bruno Carla Dirk Eva Franz Greta Hans Iris Jan Klara Lars".split()
LAST = "Maier Huber Weber Novak Rossi Dubois".split()
def add(table, **row):
    names = ", ".join(f'"{name}"' for name in row)
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
for n in range(1, 37):
    first, last, year = FIRST[n % 12], LAST[n // 6 % 6], 2010 + n % 10
    mail, at = f"{first}.{last}{n}@example.org".lower(), f"{year}-02-09 10:00:00"
    add("users", user_id=n, username=mail, mail_host="imap.example.org", created=f"{year - 1}-03-{n % 28 + 1:02} 08:15:00",
        last_login=None if n % 9 == 0 else f"{year}-0{n % 9 + 1}-11 07:30:12", language="en_US", preferences="a:0:{}")
    add("identities", user_id=n, changed=at, standard=1, name=f"{first} {last}", organization="Acme", email=mail,
        signature=f"Kind regards, {first}")
    for c in range(3):
        f, l = FIRST[(n + c * 5) % 12], LAST[(n + c) % 6]
        add("contacts", contact_id=3 * n + c, user_id=n, changed=at, name=f"{f} {l}", email=f"{f}@example.com", firstname=f,
            surname=l, vcard=f"N:{l};{f}", words=f"{f} {l}")
    add("contactgroups", contactgroup_id=n, user_id=n, changed=at, name="Friends")
    add("contactgroupmembers", contactgroup_id=n, contact_id=3 * n, created=at)
    add("collected_addresses", user_id=n, changed=at, name=f"{first} Two", email=f"z{n}@example.net", type=1)
    add("responses", user_id=n, changed=at, name="Away", data="I am away")
    add("session", sess_id=f"s{n}", changed=at, ip=f"192.0.2.{n}", vars="x")
    add("searches", user_id=n, type=2, name="mine", data="a:0:{}")
    add("cache_index", user_id=n, mailbox="INBOX", expires=at, valid=1, data="x")
    add("filestore", user_id=n, context="enigma", filename="pubring.gpg", mtime=1500000000 + n, data="x")
db.commit()
PYTHON
}

tryton() {
    local modules=(trytond trytond_party trytond_sale trytond_account_invoice)
    python3 -m venv "$scratch/venv"
    "$scratch/venv/bin/pip" --quiet --disable-pip-version-check install "${modules[@]/%/~=7.0.0}"
    mkdir "$scratch/tryton"
    printf '[database]\nuri = sqlite://\npath = %s\n' "$scratch/tryton" >"$scratch/trytond.conf"
    : >"$scratch/tryton/shop.sqlite"
    # No account of it is ever used: the password is thrown away.
    head -c 24 /dev/urandom | base64 >"$scratch/password"
    TRYTONPASSFILE=$scratch/password "$scratch/venv/bin/trytond-admin" -c "$scratch/trytond.conf" -d shop -u party sale \
        account_invoice --activate-dependencies --email admin@example.org >"$scratch/tryton.log" 2>&1
    # By the application's own models, so that what it writes is as it writes it.
    "$scratch/venv/bin/python" - "$scratch/trytond.conf" >>"$scratch/tryton.log" 2>&1 <<'PYTHON'
import datetime as dt, sys
from decimal import Decimal
from trytond.config import config
config.update_etc(sys.argv[1])
from trytond.pool import Pool
from trytond.transaction import Transaction
FIRST = "Anna Bruno Carla Dirk Eva Franz Greta Hans Iris Jan Klara Lars".split()
LAST = "Maier Huber Weber Novak Rossi Dubois".split()
Pool.start()
pool = Pool("shop")
with Transaction().start("shop", 0):
    pool.init()
with Transaction().start("shop", 1):
    def create(model, *rows):
        return pool.get(model).create(list(rows))
    euro, = create("currency.currency", {"name": "Euro", "code": "EUR", "symbol": "E",
        "rates": [("create", [{"date": dt.date(2010, 1, 1), "rate": Decimal(1)}])]})
    own, = create("party.party", {"name": "Our Shop", "addresses": [("create", [{"city": "Graz"}])]})
    company, = create("company.company", {"party": own.id, "currency": euro.id})
    friends, = create("party.category", {"name": "Friends"})
    parties = [party.id for party in create("party.party", *({
        "name": f"{FIRST[n % 12]} {LAST[n // 6 % 6]}",
        "categories": [("add", [friends.id])] if n % 3 else [],
        "addresses": [("create", [{"street": f"Lane {n}", "postal_code": f"80{n:02}", "city": "Graz"}])],
        "contact_mechanisms": [("create", [{"type": "email", "value": f"{FIRST[n % 12]}{n}@example.org".lower()},
            {"type": "phone", "value": f"+43316555{n:03}"}])],
    } for n in range(36)))]
    create("company.employee", *({"party": party, "company": company.id, "start_date": dt.date(2015, 1, n + 1)}
        for n, party in enumerate(parties[:4])))
with Transaction().start("shop", 1, context={"company": company.id}):
    for n, party in enumerate(pool.get("party.party").browse(parties[4:30])):
        create("sale.sale", {"company": company.id, "currency": euro.id, "party": party.id,
            "invoice_address": party.addresses[0].id, "shipment_address": party.addresses[0].id,
            "sale_date": dt.date(2014 + n % 5, n % 12 + 1, 5), "description": "Books", "comment": "leave it at the door",
            "lines": [("create", [{"type": "line", "quantity": 2, "unit_price": Decimal("12.5"), "note": "as a present"}])]})
    # They did not all come today. With parts of seconds, as the application writes it.
    cursor = Transaction().connection.cursor()
    for table in ["party_party", "party_address", "party_contact_mechanism", "sale_sale", "sale_line"]:
        cursor.execute(f"UPDATE {table} SET create_date = "
            "strftime('%Y-%m-%d %H:%M:%f', create_date, '-' || (5 + id % 9) || ' years') || '123'")
    # Our own is younger, and never due.
    cursor.execute("UPDATE party_party SET create_date = strftime('%Y-%m-%d %H:%M:%f') || '123' WHERE id = ?", (own.id,))
    Transaction().commit()
PYTHON
    cp "$scratch/tryton/shop.sqlite" "$scratch/tryton.sqlite"
}

say 'building'
cargo build --locked --quiet --bin erasured --bin erasurectl
bin=${CARGO_TARGET_DIR:-target}/debug

say 'Roundcube'
roundcube
# shellcheck disable=SC2016 # no command is meant
holds roundcube "$scratch/roundcube.sqlite" 'table = "users"' 'label = "{username}"' \
    'identity = ["username", "mail_host"]' 'since = "last_login"' 'coalesce(last_login, created)' 'table = "contacts"' \
    "the application's own schema deletes it" '-Drafted by `erasured init` from the table "contact'
erase roundcube
# Who never signed in has no date, and is never due.
finds roundcube '4 4 4 12 4' 'SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM users WHERE last_login IS NULL),
    (SELECT count(*) FROM identities), (SELECT count(*) FROM contacts), (SELECT count(*) FROM contactgroupmembers)'

say 'Tryton'
tryton
holds tryton "$scratch/tryton.sqlite" 'table = "party_party"' 'label = "{name}"' 'no reference is declared' \
    '# decide: "create_date" – it says when a record began' 'table = "party_contact_mechanism"' 'column = "invoice_party"' \
    'SELECT max(sale_date) FROM sale_sale WHERE sale_sale.party' '-table = "res_user"' '-from the table "party_contact_mechanism"' '-from the table "res_user'
grep -q '^res_user holds people too' "$scratch/tryton.init" || fail 'tryton: nobody is told of the accounts'
erase tryton
# The sales stay, with what says who bought taken out of them; the shop's own name stays.
finds tryton '26 0 0 1 0' "SELECT (SELECT count(*) FROM sale_sale WHERE party IN (SELECT id FROM party_party)),
    (SELECT count(*) FROM sale_sale WHERE comment IS NOT NULL), (SELECT count(*) FROM sale_line WHERE note IS NOT NULL),
    (SELECT count(*) FROM party_party WHERE name IS NOT NULL), (SELECT count(*) FROM party_contact_mechanism WHERE value IS NOT NULL)"

for beside in chinook oscar_500; do
    if [[ -e ../shared/data/$beside.sqlite ]]; then
        say "$beside"
        holds "$beside" "../shared/data/$beside.sqlite"
    else
        say "$beside does not lie beside the checkout, and was left out"
    fi
done

echo "Settings drafted for $databases databases passed check after the $decisions decisions that they name, and a whole job on two of them erased whom it should."
