#!/bin/bash
# Four clients from npm and PyPI, closed by the server with a close frame that has no code.
# Guess: all report 1005, which stands for just that and never goes over the wire, and answer without a code.
# Seen:  ws 8.23.0 does. faye-websocket 0.11.4 reports 1000; websocket 1.0.35 reports 1006, as if there had been no close frame;
#        ws4py 0.6.0 reports 1005 and puts it on the wire, where RFC 6455 does not allow it.
# So whether a server that says nothing has closed well, badly or not at all depends on who listens.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ws4py==0.6.0
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ws@8.23.0 faye-websocket@0.11.4 websocket@1.0.35 >/dev/null
cat > ask.js <<'JS'
const url = process.argv[3];
const report = (code) => { console.log(code); setTimeout(() => process.exit(), 200); };
({
  ws: () => { const client = new (require('ws'))(url); client.on('close', report); },
  faye: () => { const client = new (require('faye-websocket').Client)(url); client.on('close', (event) => report(event.code)); },
  websocket: () => {
    const client = new (require('websocket').client)();
    client.on('connect', (connection) => connection.on('close', report));
    client.connect(url);
  },
})[process.argv[2]]();
JS
cat > ask.py <<'PY'
import sys
from ws4py.client.threadedclient import WebSocketClient
class Client(WebSocketClient):
    def closed(self, code, reason=None):
        print(code, flush=True)
client = Client(sys.argv[1])
client.connect()
client.run_forever()
PY
cat > serve.py <<'PY'
import base64, hashlib, socket, struct, subprocess

def exactly(peer, count):
    read = b""
    while len(read) < count:
        more = peer.recv(count - len(read))
        if not more:
            raise SystemExit("the client left without an answer")
        read += more
    return read

def closed_by(command):
    listener = socket.create_server(("127.0.0.1", 0))
    client = subprocess.Popen([*command, f"ws://127.0.0.1:{listener.getsockname()[1]}/"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peer, _ = listener.accept()
    head = b""
    while b"\r\n\r\n" not in head:
        head += peer.recv(4096)
    key = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    peer.sendall(b"\x88\x00")
    first, length = exactly(peer, 2)
    assert (first, length & 0x80) == (0x88, 0x80), "a masked close frame"
    mask = exactly(peer, 4)
    body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(exactly(peer, length & 0x7F)))
    peer.close()
    answer = struct.unpack(">H", body[:2])[0] if body else "no code"
    return f"reports {client.communicate(timeout=60)[0].decode().strip()}, answers {answer}"

for name, command in [("ws", ["node", "ask.js", "ws"]), ("faye-websocket", ["node", "ask.js", "faye"]),
                      ("websocket", ["node", "ask.js", "websocket"]), ("ws4py", ["venv/bin/python", "ask.py"])]:
    print(name, closed_by(command), flush=True)
PY
python3 serve.py | tee output
diff output - <<'EXPECTED'
ws reports 1005, answers no code
faye-websocket reports 1000, answers 1000
websocket reports 1006, answers 1000
ws4py reports 1005, answers 1005
EXPECTED
