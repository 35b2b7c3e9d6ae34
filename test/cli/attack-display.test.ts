import fc from 'fast-check';
import { watchAttacks } from '../../src/cli/attack/progress.js';
import { barChart } from '../../src/cli/report/chart.js';
import { html } from '../../src/cli/report/markup.js';

describe('the live line', () => {
  it('names the attack, its share and what still stands, fits the terminal, and is gone at the end', () => {
    let time = 0;
    const written: string[] = [];
    const output = { columns: 40, write: (text: string) => written.push(text) > 0 };
    const watch = watchAttacks(output as never, () => time);
    watch.onAttack({ attack: 'fgsm', fraction: 0, attacked: 100 });
    time = 50;
    watch.onAttack({ attack: 'fgsm', fraction: 0.5, attacked: 100 });
    time = 2000;
    watch.onAttack({ attack: 'pgd', fraction: 0.25, attacked: 90 });
    time = 5000;
    expect([...watch.end()]).toEqual([
      ['fgsm', 2],
      ['pgd', 3],
    ]);
    expect(written).toHaveLength(3);
    expect(written[1]).toContain('pgd');
    expect(written[1]).toContain('25 %   90 samples');
    for (const line of written) expect(line.slice('\r\x1b[2K'.length).length).toBeLessThan(40);
    expect(written[2]).toBe('\r\x1b[2K');
  });

  it('is not drawn where there is no terminal, and time is taken all the same', () => {
    let time = 0;
    const watch = watchAttacks(undefined, () => time);
    watch.onAttack({ attack: 'square', fraction: 0, attacked: 1 });
    time = 1500;
    expect(watch.end().get('square')).toBe(1.5);
  });
});

describe('the page', () => {
  it('shows every text as text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { markup } = html`<p title="${text}">${text}</p>`;
        expect(markup.slice('<p title="'.length, -'</p>'.length)).not.toMatch(
          /[<'"](?!>)|&(?!(amp|lt|gt|quot|#39);)/,
        );
        expect(markup.match(/</g)).toHaveLength(2);
      }),
    );
  });

  it('cannot be turned around by marks of direction', () => {
    expect(html`${'a\u202eb\u0000'}`.markup).toBe('a\ufffdb\ufffd');
  });

  it('has a bar, a whisker and a text for every figure, and the minimum across', () => {
    const bars = [
      { label: 'no attack', value: 1 },
      { label: 'after <pgd>', value: 0.25, interval: [0.125, 0.5] as const },
    ];
    const { markup } = barChart('figures', bars, 0.75);
    expect(markup.match(/class="bar"/g)).toHaveLength(2);
    expect(markup).toContain('after &lt;pgd&gt;');
    expect(markup).toContain('x1="12.50%" x2="50.00%"');
    expect(markup).toContain('class="minimum" x1="75.00%"');
    expect(barChart('figures', bars, null).markup).not.toContain('class="minimum"');
  });
});
