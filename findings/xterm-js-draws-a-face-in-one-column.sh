#!/bin/bash
# @xterm/headless 5.5.0 (npm), as it comes: how far does the cursor go for an emoji?
# Guess: two columns for each that is wide in Unicode, so six for a family of three joined ones.
# Seen:  one column for a face, three for the family; wcwidth 0.2.13 (PyPI), whose tables most programs share, says two and two.
#        With the unicode11 addon 0.8.0 it is two columns for the face.
# So whatever stands behind an emoji on a line is drawn elsewhere than the program thinks, unless it is placed anew.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @xterm/headless@5.5.0 @xterm/addon-unicode11@0.8.0 >/dev/null
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check wcwidth==0.2.13
cat > ask.js <<'JS'
const { Terminal } = require('@xterm/headless');
const { Unicode11Addon } = require('@xterm/addon-unicode11');
const columns = async (terminal, text) => {
  await new Promise((done) => terminal.write('\x1b[2J\x1b[H' + text, done));
  return terminal.buffer.active.cursorX;
};
(async () => {
  const plain = new Terminal({ cols: 80, rows: 24, allowProposedApi: true });
  const newer = new Terminal({ cols: 80, rows: 24, allowProposedApi: true });
  newer.loadAddon(new Unicode11Addon());
  newer.unicode.activeVersion = '11';
  for (const [name, text] of [['face', '\u{1F600}'], ['family', '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}']]) {
    console.log(name, 'as it comes', await columns(plain, text), 'with the addon', await columns(newer, text));
  }
})();
JS
{ node ask.js; venv/bin/python -c 'import wcwidth; print("wcwidth", wcwidth.wcswidth("\U0001F600"), wcwidth.wcswidth("\U0001F468\u200D\U0001F469\u200D\U0001F467"))'; } | tee output
grep -qx 'face as it comes 1 with the addon 2' output
grep -q '^family as it comes 3 ' output
grep -qx 'wcwidth 2 2' output
