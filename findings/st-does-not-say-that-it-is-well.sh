#!/bin/bash
# st 0.9 (Debian stterm 0.9-1), asked how it is (DSR 5) and what it is (DA2), and for the cursor in DEC's way (CSI ? 6 n).
# Guess: 0 (well) for the first, something for the second, and a position with a question mark for the third.
# Seen:  no answer to the first two; the third is answered without the question mark, as if it had been CSI 6 n.
# Only DA1 and CSI 6 n are safe to wait for; and who asks in the DEC way gets bytes that other programs read as the key F3.
set -euo pipefail
command -v Xvfb >/dev/null || { echo "needs Xvfb (Debian package xvfb)"; exit 77; }
work=$(mktemp -d)
trap 'kill "${display:-0}" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/root"
apt-get -q install -y --reinstall --no-install-recommends --download-only -o Dir::Cache::archives="$work/debs" stterm=0.9-1 >/dev/null
for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/root"; done
export PATH="$work/root/usr/bin:$PATH" LD_LIBRARY_PATH="$work/root/usr/lib/x86_64-linux-gnu"
cat > "$work/ask.py" <<'PY'
import os, select, sys, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
lines = []
for question in sys.argv[2:]:
    os.write(1, question.encode().decode("unicode_escape").encode("latin-1"))
    answer = b""
    # The position of the cursor is asked behind each question, and always answered: the end of what there is to wait for.
    os.write(1, b"\x1b[6n")
    while select.select([0], [], [], 5)[0]:
        answer += os.read(0, 1000)
        if answer.endswith(b"R") and (not question.endswith("6n") or answer.count(b"R") == 2):
            break
    lines.append(f"{question} -> {answer.rsplit(bytes([27]) + b'[', 1)[0]!r}\n")
termios.tcsetattr(0, termios.TCSANOW, before)
open(sys.argv[1], "w").writelines(lines)
PY
Xvfb -displayfd 9 -screen 0 1024x768x24 9>"$work/display" 2>/dev/null &
display=$!
for _ in $(seq 100); do [ -s "$work/display" ] && break; sleep 0.1; done
DISPLAY=:$(cat "$work/display")
export DISPLAY
timeout 60 st -e python3 "$work/ask.py" "$work/output" "\\x1b[5n" "\\x1b[>c" "\\x1b[c" "\\x1b[?6n" 2>/dev/null || true # it ends with 1 when its program ends
cat "$work/output"
diff "$work/output" - <<'EXPECTED'
\x1b[5n -> b''
\x1b[>c -> b''
\x1b[c -> b'\x1b[?6c'
\x1b[?6n -> b'\x1b[1;1R'
EXPECTED
