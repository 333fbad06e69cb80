#!/bin/bash
# simple-websocket 1.1.0 and ws4py 0.6.0 (PyPI), clients of a server that speaks first: two messages in the segment of the 101.
# Guess: both messages arrive, as they do with the websockets package and with ws (npm).
# Seen:  simple-websocket never has either of them, ws4py only the first; half a second after the 101, both have both.
# A server that greets at once, as a mediator does, is mute to the one and works by luck with the other: it depends on the network.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check simple-websocket==1.1.0 wsproto==1.3.2 h11==0.16.0 ws4py==0.6.0 websockets==15.0.1
cat > ask.py <<'PY'
import base64, hashlib, socket, threading, time

def serve(listener, pause):
    peer, _ = listener.accept()
    head = b""
    while b"\r\n\r\n" not in head:
        head += peer.recv(4096)
    key = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    messages = b"\x82\x03one\x82\x03two"
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if pause:
        peer.sendall(answer)
        time.sleep(0.5)
        peer.sendall(messages)
    else:
        peer.sendall(answer + messages)
    peer.settimeout(4)
    try:
        while peer.recv(100):
            pass
    except OSError:
        pass

def simple(url, seen):
    import simple_websocket
    client = simple_websocket.Client(url)
    while (message := client.receive(timeout=2)) is not None:
        seen.append(message)

def ws4py(url, seen):
    from ws4py.client.threadedclient import WebSocketClient
    class Client(WebSocketClient):
        def received_message(self, message):
            seen.append(message.data)
    client = Client(url)
    client.connect()
    time.sleep(2)
    # Before it is closed: what it says last is not waited for.
    seen[:] = list(seen)

def websockets(url, seen):
    from websockets.sync.client import connect
    with connect(url, proxy=None) as client:
        try:
            while True:
                seen.append(client.recv(timeout=2))
        except TimeoutError:
            pass

for name, client in [("simple-websocket", simple), ("ws4py", ws4py), ("websockets", websockets)]:
    for pause in (False, True):
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=serve, args=(listener, pause), daemon=True).start()
        seen = []
        client(f"ws://127.0.0.1:{listener.getsockname()[1]}/", seen)
        print(name, "later:" if pause else "at once:", *[message.decode() for message in list(seen)], flush=True)
import os
os._exit(0)
PY
venv/bin/python ask.py 2>errors | tee output
diff output - <<'EXPECTED'
simple-websocket at once:
simple-websocket later: one two
ws4py at once: one
ws4py later: one two
websockets at once: one two
websockets later: one two
EXPECTED
