import fc from 'fast-check';
import {
  csvValues,
  MAXIMUM_RECORD_BYTES,
  type TextRecord,
  textRecords,
} from '../../../src/core/data/records.js';

async function read(bytes: Uint8Array | string, quoting: boolean, chunk = bytes.length) {
  const whole = Buffer.from(bytes as Uint8Array);
  async function* chunks() {
    for (let at = 0; at < whole.length; at += Math.max(1, chunk))
      yield whole.subarray(at, at + Math.max(1, chunk));
  }
  const records: TextRecord[] = [];
  for await (const batch of textRecords(chunks(), quoting)) records.push(...batch);
  return records;
}

describe('records of a text file', () => {
  it('give any table of values back, wherever the file is cut into chunks', async () => {
    const value = fc.string({
      unit: fc.constantFrom('a', 'é', '😀', ',', '"', '\n', '\r\n', ' '),
      maxLength: 5,
    });
    const rows = fc
      .integer({ min: 2, max: 4 })
      .chain((width) => fc.array(fc.array(value, { minLength: width, maxLength: width }), { maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        fc.integer({ min: 1, max: 20 }),
        async (table, lineEnd, mark, chunk) => {
          const cell = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
          const text = table.map((row) => row.map(cell).join(',') + lineEnd).join('');
          const records = await read(`${mark ? '\ufeff' : ''}${text}`, true, chunk);
          expect(records.filter((record) => record.fault)).toEqual([]);
          expect(records.map(csvValues)).toEqual(table);
          expect(records.map((record) => record.values)).toEqual(table.map((row) => row.length));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('never lose or invent a record, and find the same faults wherever the file is cut', async () => {
    const bytes = fc.array(
      fc.constantFrom(0x61, 0x2c, 0x22, 0x0a, 0x0d, 0x00, 0xff, 0xc3, 0xa9, 0xef, 0xbb, 0xbf),
      {
        maxLength: 40,
      },
    );
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.boolean(),
        fc.integer({ min: 1, max: 7 }),
        async (content, quoting, chunk) => {
          const whole = await read(Uint8Array.from(content), quoting);
          expect(await read(Uint8Array.from(content), quoting, chunk)).toEqual(whole);
          const kept = whole.reduce((sum, record) => sum + record.bytes.length, 0);
          expect(kept).toBeLessThanOrEqual(content.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['a"b,c\n', /a quote inside/],
    ['"a"b,c\n', /text after a closing quote/],
    ['"a,b\nc,d\n', /never closed/],
    ['a\0b,c\n', /NUL/],
    ['a\rb,c\n', /carriage return/],
    [Buffer.from([0x61, 0xff, 0x0a]), /not UTF-8/],
    [Buffer.from([0xed, 0xa0, 0x80, 0x0a]), /not UTF-8/],
    ['x'.repeat(MAXIMUM_RECORD_BYTES + 1), /more than/],
  ])('say what is wrong with a record (%#)', async (bytes, fault) => {
    const [record] = await read(bytes, true, 1000);
    expect(record?.fault).toMatch(fault);
  });

  it('go on after a faulty one', async () => {
    const records = await read(`a"b,c\nd,e\n${'x'.repeat(3 * MAXIMUM_RECORD_BYTES)}\nf,g`, true, 65_536);
    expect(records.map((record) => record.fault !== undefined)).toEqual([true, false, true, false]);
    expect(csvValues(records[3]!)).toEqual(['f', 'g']);
  });
});
