import fc from 'fast-check';
import { type OutputTensor, readBinaryRequest, writeBinaryAnswer } from '../../../src/core/serving/index.js';

const floats = fc.array(fc.float({ noNaN: true }), { maxLength: 20 });
const texts = fc.array(fc.string({ unit: 'binary' }), { maxLength: 8 });

const lengthOf = (bytes: number) => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes);
  return length;
};
/** As the extension writes them. */
const binaryOf = {
  FP32: (values: readonly unknown[]) => Buffer.from(Float32Array.from(values as number[]).buffer),
  BYTES: (values: readonly unknown[]) =>
    Buffer.concat(
      values.flatMap((text) => [lengthOf(Buffer.byteLength(String(text))), Buffer.from(String(text))]),
    ),
};
const tensor = fc.oneof(
  floats.map((data) => ({ name: 'x', shape: [data.length], datatype: 'FP32' as const, data })),
  texts.map((data) => ({ name: 'x', shape: [data.length], datatype: 'BYTES' as const, data })),
);

function requestOf(header: object, ...parts: readonly Buffer[]) {
  const json = Buffer.from(JSON.stringify(header));
  return { headerBytes: json.length, bytes: Buffer.concat([json, ...parts]) };
}
const read = ({ headerBytes, bytes }: ReturnType<typeof requestOf>) => readBinaryRequest(headerBytes, bytes);

describe('a request with binary tensors', () => {
  it('says what the same request says in JSON, whichever of its tensors are binary', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(tensor, fc.boolean()), { minLength: 1, maxLength: 3 }), (tensors) => {
        const binary = tensors
          .filter(([, isBinary]) => isBinary)
          .map(([{ datatype, data }]) => binaryOf[datatype](data));
        let next = 0;
        const inputs = tensors.map(([{ data, ...described }, isBinary]) =>
          isBinary
            ? { ...described, parameters: { binary_data_size: binary[next++]!.length } }
            : { ...described, data },
        );
        const { body } = read(requestOf({ id: 'a', inputs }, ...binary));
        expect((body as { id: string }).id).toBe('a');
        const got = (body as { inputs: { data: unknown[] }[] }).inputs.map(({ data }) => data);
        expect(got).toEqual(tensors.map(([{ data }]) => data));
      }),
    );
  });

  const fp32 = (size: unknown, more: object = {}) => ({
    inputs: [{ name: 'x', shape: [1], datatype: 'FP32', parameters: { binary_data_size: size }, ...more }],
  });
  const four = Buffer.alloc(4);
  it.each<[string, ReturnType<typeof requestOf>]>([
    ['a header that is longer than the body', { headerBytes: 9, bytes: Buffer.from('{}') }],
    ['a header that is no JSON', { headerBytes: 1, bytes: Buffer.from('{}') }],
    ['a header that is a list', { headerBytes: 2, bytes: Buffer.from('[]') }],
    ['less data than the inputs say', requestOf(fp32(8), four)],
    ['more data than the inputs say', requestOf(fp32(4), four, four)],
    ['a size below zero', requestOf(fp32(-4), four)],
    ['a size that is no number', requestOf(fp32('4'), four)],
    ['parts of a value', requestOf(fp32(3), four.subarray(0, 3))],
    ['data twice', requestOf(fp32(4, { data: [1] }), four)],
    ['a datatype that models here do not take', requestOf(fp32(4, { datatype: 'FP16' }), four)],
    ['a text that ends beyond the data', requestOf(fp32(4, { datatype: 'BYTES' }), lengthOf(1))],
    ['a length that is cut off', requestOf(fp32(3, { datatype: 'BYTES' }), four.subarray(0, 3))],
    ['a text that is not UTF-8', requestOf(fp32(5, { datatype: 'BYTES' }), lengthOf(1), Buffer.from([0xff]))],
  ])('is refused for %s', (_, request) => {
    expect(() => read(request)).toThrow(expect.objectContaining({ code: 'request-invalid' }));
  });

  it('never ends in anything but a refusal or a body, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(80), (bytes, headerBytes) => {
        const { body } = (() => {
          try {
            return readBinaryRequest(headerBytes, bytes);
          } catch (error) {
            expect(error).toMatchObject({ code: 'request-invalid' });
            return { body: {} };
          }
        })();
        expect(typeof body).toBe('object');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('an answer', () => {
  const outputs: readonly OutputTensor[] = [
    { name: 'label', datatype: 'INT64', shape: [2], data: [-1, 7] },
    { name: 'probabilities', datatype: 'FP32', shape: [2, 2], data: [0.25, 0.75, 0.5, 0.5] },
    { name: 'abstained', datatype: 'BOOL', shape: [2], data: [true, false] },
    { name: 'label', datatype: 'BYTES', shape: [2], data: ['a', 'é'] },
  ];
  const askedFor = (request: object) => read(requestOf(request)).binaryOutputs;

  it('is in JSON unless binary is asked for, of all outputs or of one', () => {
    const answer = { outputs: outputs.slice(0, 2) };
    expect(writeBinaryAnswer(answer, askedFor({ inputs: [] }))).toBeUndefined();
    const one = { name: 'probabilities', parameters: { binary_data: true } };
    const { headerBytes, body } = writeBinaryAnswer(answer, askedFor({ outputs: [{ name: 'label' }, one] }))!;
    expect(JSON.parse(body.subarray(0, headerBytes).toString())).toEqual({
      outputs: [
        outputs[0],
        { name: 'probabilities', datatype: 'FP32', shape: [2, 2], parameters: { binary_data_size: 16 } },
      ],
    });
    expect([0, 4, 8, 12].map((at) => body.readFloatLE(headerBytes + at))).toEqual(outputs[1]!.data);
    const most = askedFor({
      parameters: { binary_data_output: true },
      outputs: [{ name: 'label', parameters: { binary_data: false } }, { name: 'probabilities' }],
    });
    expect(['label', 'probabilities', 'abstained'].map(most)).toEqual([false, true, true]);
  });

  it('holds every type little-endian', () => {
    const { headerBytes, body } = writeBinaryAnswer({ outputs }, () => true)!;
    const bytes = body.subarray(headerBytes);
    expect([bytes.readBigInt64LE(0), bytes.readBigInt64LE(8)]).toEqual([-1n, 7n]);
    expect([...bytes.subarray(32, 34)]).toEqual([1, 0]);
    expect([...bytes.subarray(34)]).toEqual([1, 0, 0, 0, 0x61, 2, 0, 0, 0, 0xc3, 0xa9]);
  });
});
