/** A process that dies in the middle of storing a blob: `interrupted-put.js URL`. */
const { openStore } = require('../../../dist/core/store/index.js');

async function main([url]) {
  const store = await openStore(url);
  await store.putBlob(Buffer.alloc(8 * 1024 * 1024, 1)).then(
    () => process.stdout.write('stored\n'),
    (error) => process.stdout.write(`${error.name}: ${error.message}\n`),
  );
}

main(process.argv.slice(2));
