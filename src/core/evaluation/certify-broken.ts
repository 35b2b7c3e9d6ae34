import { type CertifiableModel, type Certifier, openCrownWithin } from '../certification/index.js';
import { RefusedError } from '../errors/index.js';
import type { EvasionGateSpec } from '../spec/index.js';
import type { AttackBench } from './attack-bench.js';
import { controlLimits } from './controls/limits.js';
import { type EvasionRow, isRobust } from './evasion-row.js';

/**
 * Bounds the balls in which samples were broken, of the first samples of the draw. Left out where no bounds are known of the
 * model, where it is large, and where it is served smoothed; and under a patch, since bounds are about whole balls, and none is
 * certified that is wide enough for a sticker.
 *
 * @param first - place of the first row in the draw
 */
export async function certifyBroken(
  { spec, subject }: Pick<AttackBench, 'spec' | 'subject'>,
  rows: readonly EvasionRow[],
  first: number,
): Promise<EvasionRow[]> {
  const isAsked = (row: EvasionRow, index: number): boolean =>
    first + index < controlLimits.certified.samples && row.correct && !isRobust(row);
  const certifier =
    !subject.isSmoothed && !spec.patch && rows.some(isAsked)
      ? await openCertifier(subject.certifiable, spec)
      : undefined;
  if (!certifier) return [...rows];
  const size = subject.minimum.length;
  try {
    const certified: EvasionRow[] = [];
    for (const [index, row] of rows.entries()) {
      subject.signal?.throwIfAborted();
      if (!isAsked(row, index)) {
        certified.push(row);
        continue;
      }
      const sample = subject.samples.inputs.slice(index * size, (index + 1) * size);
      const { predicted, radius } = await certifier.certify(sample, row.id);
      certified.push({ ...row, certified: predicted === row.label && radius >= spec.epsilon });
    }
    return certified;
  } finally {
    await certifier.close();
  }
}

/** What bounds refuse of models that are attacked all the same. */
const notOurs: ReadonlySet<string> = new Set(['operator-unsupported', 'model-unreadable']);

async function openCertifier(
  model: CertifiableModel,
  { norm, epsilon }: EvasionGateSpec,
): Promise<Certifier | undefined> {
  const { inputs, bytes, multiplications } = controlLimits.certified;
  if (model.minimum.length > inputs || model.onnx.length > bytes) return undefined;
  try {
    return await openCrownWithin(model, { norm, epsilon }, multiplications);
  } catch (error) {
    if (error instanceof RefusedError && notOurs.has(error.code)) return undefined;
    throw error;
  }
}
