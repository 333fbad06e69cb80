#!/bin/bash
# blakejs 1.2.1 and @noble/hashes 1.8.0 (npm), asked for BLAKE2b with key, and a salt and a personalisation of fewer than 16
# bytes, as key schedules use them ("3ma-mdev" has 8).
# Guess: both fill up with zeros, as Python's hashlib does.
# Seen:  both refuse; with the zeros written out, all three agree. So a key schedule that is ported word by word from Python
#        does not run, and one that pads otherwise makes other keys.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund blakejs@1.2.1 @noble/hashes@1.8.0 >/dev/null
cat > ask.js <<'JS'
const blakejs = require('blakejs');
const { blake2b } = require('@noble/hashes/blake2b');
const key = new Uint8Array(32).fill(7), nothing = new Uint8Array(0);
const bytes = (text, length) => Uint8Array.from({ length }, (_, i) => text.charCodeAt(i) || 0);
const attempt = (what, f) => {
  try { console.log(what + ':', Buffer.from(f()).toString('hex')); } catch (error) { console.log(what + ': refused'); }
};
for (const [form, salt, personal] of [['short', bytes('dgk', 3), bytes('3ma-mdev', 8)], ['padded', bytes('dgk', 16), bytes('3ma-mdev', 16)]]) {
  attempt('blakejs ' + form, () => blakejs.blake2b(nothing, key, 32, salt, personal));
  attempt('noble ' + form, () => blake2b(nothing, { key, dkLen: 32, salt, personalization: personal }));
}
JS
{
  node ask.js
  python3 -c 'import hashlib; print("python short:", hashlib.blake2b(b"", key=bytes([7] * 32), digest_size=32, salt=b"dgk", person=b"3ma-mdev").hexdigest())'
} | tee output
digest=$(sed -n 's/^python short: //p' output)
diff output - <<EXPECTED
blakejs short: refused
noble short: refused
blakejs padded: $digest
noble padded: $digest
python short: $digest
EXPECTED
