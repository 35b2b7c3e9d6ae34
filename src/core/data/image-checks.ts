import type { DataCheckOf, DataSpec } from '../spec/index.js';
import type { CellCheck } from './cell-check.js';
import { dataColumns } from './columns.js';

/**
 * Checks of images as a whole: one that is all of one colour shows nothing, and channels whose mean is far off were swapped, inverted
 * or scaled twice. The features are the pixels, channel by channel.
 */
export function imageChecks(
  data: DataSpec,
  { minimumContrast, channels = [] }: DataCheckOf<'image'>,
): readonly CellCheck[] {
  const pixels = dataColumns(data).filter(({ kind }) => kind === 'feature');
  const [{ name: column }, ...rest] = pixels as [(typeof pixels)[0], ...typeof pixels];
  const others = rest.map(({ name }) => name);
  const typed = pixels.map((pixel) => pixel.typed);
  const range = Math.max(...data.features.map(({ minimum, maximum }) => maximum - minimum));
  // A list would be laid out for every row; `greatest` and sums are not.
  const contrast = `(greatest(${typed.join(', ')}) - least(${typed.join(', ')})) / '${range}'::DOUBLE`;
  const size = pixels.length / channels.length;
  return [
    {
      column,
      others,
      value: `round(${contrast}, 4)`,
      rule: `CASE WHEN ${contrast} < '${minimumContrast}'::DOUBLE THEN 'image' END`,
      expected: `an image with a contrast of at least ${minimumContrast}`,
    },
    ...channels.map(({ minimum, maximum }, channel) => {
      const mean = `(${typed.slice(channel * size, (channel + 1) * size).join(' + ')}) / ${size}`;
      return {
        column,
        others,
        value: `round(${mean}, 4)`,
        rule: `CASE WHEN ${mean} NOT BETWEEN '${minimum}'::DOUBLE AND '${maximum}'::DOUBLE THEN 'image' END`,
        expected: `an image with a mean of channel ${channel} from ${minimum} to ${maximum}`,
      };
    }),
  ];
}
