#!/bin/bash
# Seven clients from PyPI and npm, whose upgrade is answered with an interim response (100 Continue, or 103 Early Hints) and then
# with 101. RFC 9110 lets a server send any number of interim ones, asked or not.
# Guess: all read on to the 101, or none does.
# Seen:  aiohttp 3.14.5, tornado 6.6.1 and ws 8.23.0 read on; websockets 15.0.1, websocket-client 1.9.2 and trio-websocket 0.12.2
#        take the interim response for the final one. undici 6.29.1 (what Node.js has built in) reads on after 103, but not after 100.
# So a proxy that adds early hints to everything cuts off half of the clients.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check websockets==15.0.1 websocket-client==1.9.2 trio-websocket==0.12.2 wsproto==1.3.2 aiohttp==3.14.5 tornado==6.6.1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ws@8.23.0 undici@6.29.1 >/dev/null
cat > serve.py <<'PY'
import base64, hashlib, socket, sys, threading

def serve(peer):
    head = b""
    while b"\r\n\r\n" not in head:
        head += peer.recv(4096)
    key = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    interim = f"HTTP/1.1 {sys.argv[1]}\r\n\r\n".encode()
    peer.sendall(interim + b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n\x81\x05hello")
    # What it says next is that it closes.
    peer.recv(100)
    peer.close()

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
PY
cat > ask.py <<'PY'
import asyncio, sys
url = sys.argv[1]

async def with_websockets():
    import websockets
    async with websockets.connect(url, proxy=None) as client:
        return await client.recv()

async def with_aiohttp():
    import aiohttp
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as client:
        return await client.receive_str()

async def with_tornado():
    from tornado.websocket import websocket_connect
    return await (await websocket_connect(url)).read_message()

def with_websocket_client():
    import websocket
    return websocket.create_connection(url, timeout=5).recv()

def with_trio():
    import trio, trio_websocket
    async def ask():
        async with trio_websocket.open_websocket_url(url) as client:
            return await client.get_message()
    return trio.run(ask)

for name, ask in [("websockets", with_websockets), ("websocket-client", with_websocket_client), ("trio-websocket", with_trio),
                  ("aiohttp", with_aiohttp), ("tornado", with_tornado)]:
    try:
        said = asyncio.run(asyncio.wait_for(ask(), 30)) if asyncio.iscoroutinefunction(ask) else ask()
    except Exception:
        said = "refused"
    print(name, said, flush=True)
PY
cat > ask.js <<'JS'
const url = process.argv[2];
const ask = (name, socket) => new Promise((done) => {
  socket.onmessage = (event) => { console.log(name, String(event.data)); done(); };
  socket.onerror = () => { console.log(name, 'refused'); done(); };
});
(async () => {
  await ask('ws', new (require('ws'))(url));
  await ask('undici', new (require('undici').WebSocket)(url));
  process.exit();
})();
JS
for interim in "100 Continue" "103 Early Hints"; do
  echo "$interim"
  coproc server { exec python3 serve.py "$interim" 2>>errors; }
  pid=$server_PID
  read -r port <&"${server[0]}"
  venv/bin/python ask.py "ws://127.0.0.1:$port/" 2>>errors
  node ask.js "ws://127.0.0.1:$port/" 2>>errors
  kill "$pid"
  wait "$pid" 2>/dev/null || true
done | tee output
diff output - <<'EXPECTED'
100 Continue
websockets refused
websocket-client refused
trio-websocket refused
aiohttp hello
tornado hello
ws hello
undici refused
103 Early Hints
websockets refused
websocket-client refused
trio-websocket refused
aiohttp hello
tornado hello
ws hello
undici hello
EXPECTED
