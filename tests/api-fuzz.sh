#!/usr/bin/env bash
# Fuzzes the daemon's HTTP API from its own OpenAPI description, with Schemathesis.
#
#   tests/api-fuzz.sh [EXAMPLES [SEED]]
#
# With a seed it makes up the same requests each time. Needs python3 and Schemathesis: `schemathesis` in PATH, or it is installed into a
# folder that is removed again. The daemon is that of the demo, with its sample; a small proxy brings TCP to its socket. Exit code 0 when
# no answer was a server error and every answer is as the description says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
examples=${1:-40}
seed=${2-}
if [[ $examples == --help || $examples == -h ]]; then
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
fi

work=$(mktemp -d)
pids=()
end() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap end EXIT

fuzzer=$(command -v schemathesis || true)
if [[ -z $fuzzer ]]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet schemathesis
    fuzzer=$work/venv/bin/schemathesis
fi

cargo build --quiet --locked --bin erasured
"${CARGO_TARGET_DIR:-target}/debug/erasured" demo --dir "$work/demo" >"$work/log" 2>&1 &
pids+=($!)
socket=$work/demo/run/admin.sock

cat >"$work/proxy.py" <<'PYTHON'
"""Brings TCP connections to a Unix socket; writes its port down when it listens."""
import socket, sys, threading

def carry(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[2], "w") as port:
    port.write(str(listener.getsockname()[1]))
while True:
    client, _ = listener.accept()
    daemon = socket.socket(socket.AF_UNIX)
    daemon.connect(sys.argv[1])
    for pair in ((client, daemon), (daemon, client)):
        threading.Thread(target=carry, args=pair, daemon=True).start()
PYTHON
for _ in $(seq 300); do
    [[ -S $socket ]] && break
    kill -0 "${pids[0]}" || { cat "$work/log" >&2 && exit 1; }
    sleep 0.1
done
python3 "$work/proxy.py" "$socket" "$work/port" &
pids+=($!)
for _ in $(seq 100); do
    [[ -s $work/port ]] && break
    sleep 0.1
done

# It leaves a folder where it stands.
cd "$work"
"$fuzzer" run "http://127.0.0.1:$(cat "$work/port")/openapi.json" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --max-examples "$examples" ${seed:+--seed "$seed"} --request-timeout 60 --generation-database none --no-color
kill -0 "${pids[0]}" || { echo "the daemon is gone" >&2 && tail "$work/log" >&2 && exit 1; }
