#!/bin/bash
# st 0.9 (Debian stterm 0.9-1) and mlterm 3.9.0 (Debian mlterm-tiny 3.9.0-1+b1), asked for the background with OSC 11.
# Guess: the answer ends as the question did, with BEL or with ESC \, as xterm does it.
# Seen:  st always ends it with BEL, mlterm always with ESC \.
# A reader that waits for the terminator that it sent itself never sees the end, and takes the next key for part of the colour.
set -euo pipefail
command -v Xvfb >/dev/null || { echo "needs Xvfb (Debian package xvfb)"; exit 77; }
work=$(mktemp -d)
trap 'kill "${display:-0}" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/root"
apt-get -q install -y --reinstall --no-install-recommends --download-only -o Dir::Cache::archives="$work/debs" stterm=0.9-1 mlterm-tiny=3.9.0-1+b1 >/dev/null
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
timeout 60 st -e python3 "$work/ask.py" "$work/st" "\\x1b]11;?\\x07" "\\x1b]11;?\\x1b\\\\" 2>/dev/null || true # it ends with 1 when its program ends
timeout 60 mlterm -e python3 "$work/ask.py" "$work/mlterm" "\\x1b]11;?\\x07" "\\x1b]11;?\\x1b\\\\"
cat "$work/st" "$work/mlterm" | tee "$work/output"
diff "$work/output" - <<'EXPECTED'
\x1b]11;?\x07 -> b'\x1b]11;rgb:0000/0000/0000\x07'
\x1b]11;?\x1b\\ -> b'\x1b]11;rgb:0000/0000/0000\x07'
\x1b]11;?\x07 -> b'\x1b]11;rgb:ffff/ffff/ffff\x1b\\'
\x1b]11;?\x1b\\ -> b'\x1b]11;rgb:ffff/ffff/ffff\x1b\\'
EXPECTED
