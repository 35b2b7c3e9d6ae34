import {
  type Attribute,
  attribute,
  differentiate,
  encodeModel,
  floatTensor,
  graphBuilder,
  int64Vector,
  openSession,
  type Tensor,
} from '../../../src/core/onnx/index.js';

const count = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

interface Case {
  readonly dims: readonly number[];
  readonly to: readonly number[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly region?: readonly number[];
  readonly scales?: readonly number[];
}

const linear = { mode: attribute.string('linear') };
const crop = { ...linear, coordinate_transformation_mode: attribute.string('tf_crop_and_resize') };
const part = [0, 0, 0.25, 0, 1, 1, 0.75, 1];

// Where the standard is read differently, ONNX Runtime's reading counts: it is what serves.
const cases: readonly (readonly [string, Case])[] = [
  [
    'a factor, where all lengths stay',
    { dims: [1, 1, 2, 2], to: [1, 1, 2, 2], attributes: linear, scales: [1, 1, 1.4, 1.2] },
  ],
  [
    'a factor, where one length stays',
    { dims: [1, 1, 2, 2], to: [1, 1, 2, 4], attributes: linear, scales: [1, 1, 1.4, 2] },
  ],
  [
    'a part, where all lengths stay',
    { dims: [1, 1, 4, 3], to: [1, 1, 4, 3], attributes: crop, region: part },
  ],
  [
    'a part, where one length stays',
    { dims: [1, 1, 4, 3], to: [1, 1, 4, 5], attributes: crop, region: part },
  ],
  [
    'aligned corners and a factor that leaves a rest',
    {
      dims: [1, 1, 4, 4],
      to: [1, 1, 3, 3],
      attributes: { ...linear, coordinate_transformation_mode: attribute.string('align_corners') },
      scales: [1, 1, 0.8, 0.8],
    },
  ],
  ['three axes', { dims: [1, 2, 3, 2, 2], to: [1, 2, 4, 3, 5] }],
];

test.each(cases)('the gradient is that of what ONNX Runtime computes: %s', async (_, each) => {
  const { dims, to, attributes = {}, region, scales } = each;
  const b = graphBuilder(13);
  b.input('x', 'float', dims);
  const roi = region ? b.constant(floatTensor([region.length], region), 'roi') : '';
  const amounts = scales
    ? [b.constant(floatTensor([scales.length], scales), 'scales')]
    : ['', b.constant(int64Vector(to), 'sizes')];
  const [y] = b.op('Resize', ['x', roi, ...amounts], attributes);
  const weights = Array.from({ length: count(to) }, (_, i) => Math.sin(i + 1));
  const [loss] = b.op('Mul', [y, b.constant(floatTensor(to, weights), 'weights')]);
  b.output('dx', 'float', dims, differentiate(b, loss, ['x']).x);
  b.output('y', 'float', to, y);
  const session = await openSession(encodeModel(b.toModel()), { place: 'inline' });
  const at = async (values: readonly number[]): Promise<Record<'y' | 'dx', Tensor>> => {
    const { y, dx } = await session.run({ x: floatTensor(dims, values) });
    return { y: y!, dx: dx! };
  };
  const unit = (hot: number): readonly number[] =>
    Array.from({ length: count(dims) }, (_, i) => (i === hot ? 1 : 0));
  for (let i = 0; i < count(dims); i++) {
    const { y, dx } = await at(unit(i));
    const expected = weights.reduce((sum, weight, j) => sum + weight * Number(y.data[j]), 0);
    expect(Number(dx.data[i])).toBeCloseTo(expected, 5);
  }
  await session.close();
});
