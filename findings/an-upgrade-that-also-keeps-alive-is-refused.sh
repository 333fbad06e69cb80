#!/bin/bash
# Seven clients from PyPI and npm, answered with "Connection: keep-alive, Upgrade", a list as RFC 9110 has it, of which RFC 6455
# wants one token to be "upgrade".
# Guess: all take it; servers have to take the same from browsers, and Firefox sends just this.
# Seen:  websockets 15.0.1, websocket-client 1.9.2, trio-websocket 0.12.2 and ws 8.23.0 take it; aiohttp 3.14.5, tornado 6.6.1 and
#        undici 6.29.1 (what Node.js has built in) do not: they compare the whole header with "upgrade".
# So a proxy that adds keep-alive to the answer cuts off some clients and not others.
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
    peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: " + sys.argv[1].encode()
                 + b"\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n\x81\x05hello")
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
for connection in Upgrade "keep-alive, Upgrade"; do
  echo "Connection: $connection"
  coproc server { exec python3 serve.py "$connection" 2>>errors; }
  pid=$server_PID
  read -r port <&"${server[0]}"
  venv/bin/python ask.py "ws://127.0.0.1:$port/" 2>>errors
  node ask.js "ws://127.0.0.1:$port/" 2>>errors
  kill "$pid"
  wait "$pid" 2>/dev/null || true
done | tee output
diff output - <<'EXPECTED'
Connection: Upgrade
websockets hello
websocket-client hello
trio-websocket hello
aiohttp hello
tornado hello
ws hello
undici hello
Connection: keep-alive, Upgrade
websockets hello
websocket-client hello
trio-websocket hello
aiohttp refused
tornado refused
ws hello
undici refused
EXPECTED
