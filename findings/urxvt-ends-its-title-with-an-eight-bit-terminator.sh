#!/bin/bash
# urxvt 9.30 (Debian 9.30-2+b4), asked for its title with CSI 21 t, in a UTF-8 locale.
# Guess: no answer, as xterm gives none by default; or the title, between ESC ] l and ESC \.
# Seen:  an answer with an empty title, and at its end the single byte 0x9c, which no UTF-8 text can have there.
# A reader that decodes the stream as UTF-8 before it looks for answers loses the end of this one.
set -euo pipefail
command -v Xvfb >/dev/null || { echo "needs Xvfb (Debian package xvfb)"; exit 77; }
work=$(mktemp -d)
trap 'kill "${display:-0}" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/root"
apt-get -q install -y --reinstall --no-install-recommends --download-only -o Dir::Cache::archives="$work/debs" rxvt-unicode=9.30-2+b4 >/dev/null
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
export LC_ALL=C.UTF-8
timeout 60 urxvt -title "a title" -e python3 "$work/ask.py" "$work/output" "\\x1b[21t"
cat "$work/output"
[ "$(cat "$work/output")" = '\x1b[21t -> b'"'"'\x1b]l\x9c'"'"'' ]
