/**
 * Trains all networks of the zoo of broken defences and the clean twins again, with their digests:
 *
 *     npx tsc -p bench/tsconfig.json && node dist/bench/bench/evasion/train-zoo.js
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { digestOf, digestOfJson } from '../../src/core/store/index.js';
import { readDigits } from '../../test/core/evaluation/zoo/digits.js';
import { fixtures, networks } from '../../test/core/evaluation/zoo/networks.js';

async function main(): Promise<void> {
  const digits = readDigits();
  rmSync(fixtures, { recursive: true, force: true });
  mkdirSync(fixtures);
  const digests: Record<string, { readonly file: string; readonly recipe: string }> = {};
  for (const { name, seed, parameters, train } of networks) {
    const began = performance.now();
    const onnx = await train(digits);
    writeFileSync(`${fixtures}/${name}.onnx`, onnx);
    digests[name] = { file: digestOf(onnx), recipe: digestOfJson({ seed, parameters }) };
    console.error(`${name}: ${onnx.length} bytes, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  writeFileSync(`${fixtures}/digests.json`, `${JSON.stringify(digests, null, 2)}\n`);
}

void main();
