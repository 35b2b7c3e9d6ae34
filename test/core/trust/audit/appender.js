// One of several processes that append to the same audit log: `node appender.js STORE KEY TRUST NAME COUNT`.
const { readFileSync } = require('node:fs');
const { openStore } = require('../../../../dist/core/store/index.js');
const { appendDecision, readSigner, readTrustPolicy } = require('../../../../dist/core/trust/index.js');

async function main([url, key, trust, name, count]) {
  const store = await openStore(url);
  const signer = readSigner(readFileSync(key, 'utf8'));
  const policy = readTrustPolicy(readFileSync(trust, 'utf8'));
  for (let number = 0; number < Number(count); number++) {
    const at = '2026-01-02T03:04:05.000Z';
    const entry = { version: 1, decision: 'approved', by: name, reason: `number ${number}`, at };
    await appendDecision(store, signer, policy, entry);
    process.stdout.write(`${number}\n`);
  }
}

main(process.argv.slice(2));
