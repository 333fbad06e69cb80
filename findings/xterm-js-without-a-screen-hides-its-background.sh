#!/bin/bash
# @xterm/headless 5.5.0 (npm), the terminal of many test harnesses and web consoles, without a screen.
# Guess: it answers OSC 10, 11 and 4 (what are your colours?) with those of its default theme, and XTVERSION with its name.
# Seen:  it answers DA1, DA2, DECRQM, DECRQSS and the cursor's position, but no question for a colour, and no XTVERSION.
# A program that waits for its background's colour must have a time limit even where all other questions are answered.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @xterm/headless@5.5.0 >/dev/null
cat > ask.js <<'JS'
const { Terminal } = require('@xterm/headless');
const terminal = new Terminal({ cols: 80, rows: 24, allowProposedApi: true, theme: { background: '#ffffff' } });
let answer = '';
terminal.onData((data) => { answer += data; });
const questions = {
  'DA1': '\x1b[c', 'DECRQM 2004': '\x1b[?2004$p', 'cursor': '\x1b[6n', 'DECRQSS m': '\x1bP$qm\x1b\\',
  'OSC 10': '\x1b]10;?\x1b\\', 'OSC 11': '\x1b]11;?\x1b\\', 'OSC 4': '\x1b]4;1;?\x1b\\', 'XTVERSION': '\x1b[>0q',
};
(async () => {
  for (const [name, question] of Object.entries(questions)) {
    answer = '';
    await new Promise((done) => terminal.write(question, done));
    console.log(name + ':', JSON.stringify(answer));
  }
})();
JS
node ask.js | tee output
diff output - <<'EXPECTED'
DA1: "\u001b[?1;2c"
DECRQM 2004: "\u001b[?2004;2$y"
cursor: "\u001b[1;1R"
DECRQSS m: "\u001bP1$r0m\u001b\\"
OSC 10: ""
OSC 11: ""
OSC 4: ""
XTVERSION: ""
EXPECTED
