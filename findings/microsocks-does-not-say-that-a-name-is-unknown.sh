#!/bin/bash
# microsocks 1.0.3 (Debian 1.0.3-2), asked over SOCKS5 for a name that does not exist.
# Guess: reply 4, host unreachable, the one of RFC 1928 that comes nearest.
# Seen:  reply 1, general failure. A refused port gets its own reply, 5; so does a command that is not known, 7.
# So a client behind it cannot tell a mistyped host from a proxy that is out of order.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-0}" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/root"
apt-get -q install -y --reinstall --no-install-recommends --download-only -o Dir::Cache::archives="$work/debs" microsocks=1.0.3-2 >/dev/null
for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/root"; done
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$work/root/usr/bin/microsocks" -i 127.0.0.1 -p "$port" >/dev/null 2>&1 &
server=$!
python3 - "$port" <<'PY' | tee "$work/answers"
import socket, sys, time
def ask(request):
    for _ in range(50):
        try:
            client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    client.settimeout(30)
    client.sendall(b"\5\1\0")
    assert client.recv(2) == b"\5\0"
    client.sendall(request)
    return client.recv(64)[1]
name = b"nosuch.invalid"
print("unknown name:", ask(b"\5\1\0\3" + bytes([len(name)]) + name + b"\1\xbb"))
print("refused port:", ask(b"\5\1\0\1\x7f\0\0\1\0\1"))
PY
[ "$(cat "$work/answers")" = $'unknown name: 1\nrefused port: 5' ]
