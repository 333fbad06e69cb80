#!/bin/bash
# Seven clients from PyPI and npm, closed by the server with 4113, a code of its own ("dropped" in the protocol between devices
# and mediator).
# Guess: all answer with the same code, as RFC 6455 says that an endpoint typically does.
# Seen:  websockets 15.0.1, tornado 6.6.1, trio-websocket 0.12.2 and ws 8.23.0 do; websocket-client 1.9.2, aiohttp 3.14.5 and
#        websocket 1.0.35 (npm) answer 1000 whatever they were told.
# So a server cannot tell by the answer whether the code arrived, and a log of answers says "normal" for a device that was dropped.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check websockets==15.0.1 websocket-client==1.9.2 aiohttp==3.14.5 tornado==6.6.1 trio-websocket==0.12.2 wsproto==1.3.2
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ws@8.23.0 websocket@1.0.35 >/dev/null
cat > ask.js <<'JS'
const url = process.argv[3];
if (process.argv[2] === 'ws') {
  new (require('ws'))(url).on('close', () => process.exit());
} else {
  const client = new (require('websocket').client)();
  client.on('connect', (connection) => connection.on('close', () => process.exit()));
  client.connect(url);
}
JS
cat > ask.py <<'PY'
import asyncio, sys
name, url = sys.argv[1:]

async def with_websockets():
    import websockets
    async with websockets.connect(url, proxy=None) as client:
        await client.recv()

async def with_aiohttp():
    import aiohttp
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as client:
        await client.receive()

async def with_tornado():
    from tornado.websocket import websocket_connect
    await (await websocket_connect(url)).read_message()

def with_websocket_client():
    import websocket
    websocket.create_connection(url).recv()

def with_trio_websocket():
    import trio, trio_websocket
    async def ask():
        async with trio_websocket.open_websocket_url(url) as client:
            await client.get_message()
    trio.run(ask)

ask = globals()["with_" + name.replace("-", "_")]
asyncio.run(ask()) if asyncio.iscoroutinefunction(ask) else ask()
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

def answer(command):
    listener = socket.create_server(("127.0.0.1", 0))
    client = subprocess.Popen([*command, f"ws://127.0.0.1:{listener.getsockname()[1]}/"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peer, _ = listener.accept()
    head = b""
    while b"\r\n\r\n" not in head:
        head += peer.recv(4096)
    key = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    peer.sendall(b"\x88\x09" + struct.pack(">H", 4113) + b"dropped")
    first, length = exactly(peer, 2)
    assert (first, length & 0x80) == (0x88, 0x80), "a masked close frame"
    mask = exactly(peer, 4)
    body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(exactly(peer, length & 0x7F)))
    peer.close()
    client.wait(timeout=60)
    return struct.unpack(">H", body[:2])[0]

for name in ("websockets", "tornado", "trio-websocket", "websocket-client", "aiohttp"):
    print(name, answer(["venv/bin/python", "ask.py", name]), flush=True)
for name in ("ws", "websocket"):
    print(name, answer(["node", "ask.js", name]), flush=True)
PY
python3 serve.py | tee output
diff output - <<'EXPECTED'
websockets 4113
tornado 4113
trio-websocket 4113
websocket-client 1000
aiohttp 1000
ws 4113
websocket 1000
EXPECTED
