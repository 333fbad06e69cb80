#!/bin/bash
# wsproto 1.2.0 (PyPI), given a close frame with code 1014 (bad gateway, registered at IANA beside 1012 and 1013).
# Guess: the code arrives like its two neighbours.
# Seen:  1012 and 1013 arrive; 1014 arrives as 1002, "CLOSE with unknown reserved code". The websockets package takes all three.
# So what a gateway says on closing depends on the library that listens.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wsproto==1.2.0 h11==0.16.0 websockets==15.0.1
"$work/venv/bin/python" - <<'PY' | tee "$work/output"
import struct
from websockets.frames import Close
from wsproto.connection import Connection, ConnectionType
for code in (1012, 1013, 1014):
    body = struct.pack(">H", code) + b"bye"
    connection = Connection(ConnectionType.CLIENT)
    connection.receive_data(bytes([0x88, len(body)]) + body)
    seen = next(connection.events())
    Close(code, "bye").check()  # raises where the websockets package would not have it
    print(code, "->", int(seen.code), seen.reason)
PY
diff "$work/output" - <<'EXPECTED'
1012 -> 1012 bye
1013 -> 1013 bye
1014 -> 1002 CLOSE with unknown reserved code
EXPECTED
