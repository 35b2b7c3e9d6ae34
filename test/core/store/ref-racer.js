/**
 * A process of its own that races others: `ref-racer.js URL NAME ROUNDS WHO`. Waits for a byte on stdin, so that all
 * start together, and prints the sequences it won.
 */
const { openStore } = require('../../../dist/core/store/index.js');

async function main([url, name, rounds, who]) {
  const store = await openStore(url);
  process.stdout.write('ready\n');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  const won = [];
  for (let round = 0; round < Number(rounds); round++) {
    const seen = await store.readRef(name);
    const version = await store.moveRef(name, seen, { who, round });
    if (version) won.push(version.sequence);
  }
  process.stdout.write(`${JSON.stringify(won)}\n`);
  process.exit(0);
}

main(process.argv.slice(2));
