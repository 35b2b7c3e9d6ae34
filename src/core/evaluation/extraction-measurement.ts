import { createHash } from 'node:crypto';
import { extractionAttacks, type Told, type Victim } from '../attacks/index.js';
import { RefusedError } from '../errors/index.js';
import { openSession } from '../onnx/index.js';
import { randomStream } from '../random/index.js';
import { indexOfLargest, reveal, softmax } from '../serving/index.js';
import { type ExtractionGateSpec, type Reveals, revealsSchema } from '../spec/index.js';
import { imitate } from '../training/index.js';
import type { ExtractionRow } from './extraction-row.js';
import type { Block, GateSubject, Measurement } from './gate.js';
import { sampleBytes } from './serve-cleanly.js';

const everything: Reveals = revealsSchema.parse({});
/** Optimiser steps of a copy, and of one that only helps to choose what to ask. */
const STEPS = { final: 800, draft: 200 } as const;
/** How many inputs a copy is asked about at a time. */
const BATCH = 256;

/** One answer of the service. */
interface Answer {
  /** −1 where the model abstains, or has no finite answer. */
  readonly label: number;
  /** Probability of the label before anything is held back. */
  readonly confidence: number;
  readonly told: Float64Array;
}

/** Steals the model with every attack, once as a client of the scope and once as one who is told everything. */
export async function measureExtraction(
  spec: ExtractionGateSpec,
  subject: GateSubject,
  block: Block = { from: 0, to: subject.samples.ids.length },
): Promise<Measurement<ExtractionRow>> {
  const { owned, samples, minimum, onProgress } = subject;
  const reveals = spec.reveals ?? everything;
  const hardened = serviceOf(subject, reveals);
  const bare: ExtractionRow[] = [];
  for (let index = block.from; index < block.to; index++) {
    const {
      label: predicted,
      confidence,
      told,
    } = await hardened(samples.inputs.subarray(index * minimum.length, (index + 1) * minimum.length));
    const label = samples.labels[index]!;
    bare.push({
      id: samples.ids[index]!,
      label,
      predicted,
      correct: predicted === label,
      confidence,
      told: predicted < 0 ? 0 : told[predicted]!,
      contradicted: told.some((value) => value > (told[predicted] ?? 0)),
      copies: {},
      copiesToldAll: {},
    });
  }
  if (!owned || owned.ids.length === 0) {
    return { rows: bare, obstacle: 'the snapshot has no validation samples that a thief could own' };
  }
  const asked = samples.inputs.subarray(block.from * minimum.length, block.to * minimum.length);
  const services = [
    ['copies', hardened, reveals],
    ['copiesToldAll', serviceOf(subject, everything), everything],
  ] as const;
  const rows = bare.map((row) => ({
    ...row,
    copies: { ...row.copies },
    copiesToldAll: { ...row.copiesToldAll },
  }));
  let done = 0;
  for (const [field, service, told] of services) {
    for (const { name, steal, labelsSuffice } of extractionAttacks) {
      onProgress?.(done++ / (services.length * extractionAttacks.length));
      if (labelsSuffice && told !== reveals) {
        for (const row of rows) row[field][name] = row.copies[name]!;
        continue;
      }
      const copy = await steal(victimOf(service, spec.queries, subject), {
        owned,
        shape: subject.certifiable.shape,
        minimum,
        maximum: subject.maximum,
        temperature: told.temperature ?? 1,
        seed: subject.seed,
        imitate: (ids, inputs, targets, effort) =>
          imitate({ ids, inputs, targets }, { ...trainerOptions(subject), steps: STEPS[effort] }),
      });
      const answers = await answersOf(copy, subject, asked, rows.length);
      rows.forEach((row, index) => {
        row[field][name] = answers[index]!;
      });
    }
  }
  onProgress?.(1);
  return { rows };
}

function trainerOptions({ certifiable, classes, minimum, maximum, seed, signal }: GateSubject) {
  return { shape: certifiable.shape, classes, minimum, maximum, seed, ...(signal && { signal }) };
}

/** The model behind its service, as the gateway answers: {@link reveal} is the gateway's own. */
function serviceOf(
  { serve, classes, seed }: GateSubject,
  reveals: Reveals,
): (sample: Float32Array) => Promise<Answer> {
  return async (sample) => {
    const bytes = sampleBytes(sample, sample.length, 0);
    const logits = await serve(bytes);
    if (!logits.every(Number.isFinite)) {
      return { label: -1, confidence: 0, told: new Float64Array(classes) };
    }
    const label = indexOfLargest(logits);
    const probabilities = softmax(logits);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const told = reveals.outputs.includes('probabilities')
      ? reveal(probabilities, label, reveals, () => randomStream(seed, 'revealed', digest))
      : new Float64Array(classes);
    return { label, confidence: probabilities[label]!, told };
  };
}

function victimOf(
  service: (sample: Float32Array) => Promise<Answer>,
  budget: number,
  { classes, minimum, signal }: GateSubject,
): Victim {
  let remaining = budget;
  const size = minimum.length;
  return {
    classes,
    remaining: () => remaining,
    async ask(inputs, n) {
      if (n > remaining) throw new Error(`expected at most ${remaining} questions, got ${n}`);
      remaining -= n;
      const told: Told = { labels: new Int32Array(n), probabilities: new Float64Array(n * classes) };
      for (let index = 0; index < n; index++) {
        signal?.throwIfAborted();
        const answer = await service(inputs.subarray(index * size, (index + 1) * size));
        told.labels[index] = answer.label;
        told.probabilities.set(answer.told, index * classes);
      }
      return told;
    },
  };
}

/** What a copy answers to `n` inputs; −1 where it has no finite answer. */
async function answersOf(
  copy: Uint8Array,
  { certifiable: { shape }, classes }: GateSubject,
  inputs: Float32Array,
  n: number,
): Promise<readonly number[]> {
  const size = n === 0 ? 0 : inputs.length / n;
  const session = await openSession(copy, { place: 'inline' });
  try {
    const answers: number[] = [];
    for (let from = 0; from < n; from += BATCH) {
      const to = Math.min(n, from + BATCH);
      const data = inputs.slice(from * size, to * size);
      const results = await session.run({
        [session.inputNames[0]!]: { type: 'float', dims: [to - from, ...shape], data },
      });
      const logits = results[session.outputNames[0]!]?.data;
      if (!(logits instanceof Float32Array)) throw new RefusedError('model-unreadable', 'expected logits');
      for (let row = 0; row < to - from; row++) {
        const one = logits.subarray(row * classes, (row + 1) * classes);
        answers.push(one.every(Number.isFinite) ? indexOfLargest(one) : -1);
      }
    }
    return answers;
  } finally {
    await session.close();
  }
}
