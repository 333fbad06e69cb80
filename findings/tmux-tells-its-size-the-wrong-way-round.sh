#!/bin/bash
# tmux 3.3a (Debian 3.3a-3), asked for its size with CSI 18 t.
# Guess: it answers CSI 8 ; rows ; columns t, as xterm's control sequences say.
# Seen:  it answers columns first: an 80x24 pane says ESC [ 8 ; 80 ; 24 t.
# A program that lays itself out by the answer draws 24 columns of 80 rows; the window size of the pseudo-terminal is right.
set -euo pipefail
work=$(mktemp -d)
trap 'TMUX_TMPDIR=$work PATH=$work/root/usr/bin:$PATH tmux -L find kill-server 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/root"
apt-get -q install -y --reinstall --no-install-recommends --download-only -o Dir::Cache::archives="$work/debs" tmux=3.3a-3 >/dev/null
for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$work/root"; done
export PATH="$work/root/usr/bin:$PATH" LD_LIBRARY_PATH="$work/root/usr/lib/x86_64-linux-gnu" TMUX_TMPDIR="$work"
cat > "$work/ask.py" <<'PY'
import os, select, sys, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
os.write(1, b"\x1b[18t")
answer = b""
while select.select([0], [], [], 2)[0] and not answer.endswith(b"t"):
    answer += os.read(0, 100)
termios.tcsetattr(0, termios.TCSANOW, before)
size = os.get_terminal_size(0)
open(sys.argv[1] + ".part", "w").write(f"{size.lines} rows, {size.columns} columns: {answer!r}\n")
os.rename(sys.argv[1] + ".part", sys.argv[1])
PY
tmux -V
tmux -f /dev/null -L find new-session -d -x 80 -y 24 "python3 $work/ask.py $work/answer"
for _ in $(seq 100); do [ -e "$work/answer" ] && break; sleep 0.1; done
cat "$work/answer"
[ "$(cat "$work/answer")" = "24 rows, 80 columns: b'\\x1b[8;80;24t'" ]
