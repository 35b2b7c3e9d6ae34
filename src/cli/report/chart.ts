import { html, type Markup } from './markup.js';

/** A bar of the chart: a proportion, with its interval where it has one. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly interval?: readonly [number, number];
}

const ROW = 54;
const BAR = 16;
const TOP = 8;

/**
 * Proportions from 0 to 1 as horizontal bars. Lengths are in percent of the width, so that text keeps its size on a phone.
 *
 * @param minimum - marked across all bars, where there is one
 */
export function barChart(title: string, bars: readonly Bar[], minimum: number | null): Markup {
  const bottom = TOP + ROW * bars.length;
  const share = (value: number): string => `${(100 * value).toFixed(2)}%`;
  const rows = bars.map(({ label, value, interval }, i) => {
    const y = TOP + ROW * i;
    const middle = y + 22 + BAR / 2;
    const whisker = interval
      ? html`<line class="whisker" x1="${share(interval[0])}" x2="${share(interval[1])}" y1="${middle}" y2="${middle}"/>
<line class="whisker" x1="${share(interval[0])}" x2="${share(interval[0])}" y1="${middle - 5}" y2="${middle + 5}"/>
<line class="whisker" x1="${share(interval[1])}" x2="${share(interval[1])}" y1="${middle - 5}" y2="${middle + 5}"/>`
      : html``;
    return html`<text x="0" y="${y + 15}">${label}</text><text x="100%" y="${y + 15}" text-anchor="end">${value.toFixed(4)}</text>
<rect class="track" x="0" y="${y + 22}" width="100%" height="${BAR}"/>
<rect class="bar" x="0" y="${y + 22}" width="${share(value)}" height="${BAR}"/>${whisker}`;
  });
  const mark =
    minimum === null
      ? html``
      : html`<line class="minimum" x1="${share(minimum)}" x2="${share(minimum)}" y1="${TOP + 20}" y2="${bottom}"/>`;
  const ticks = [0, 0.5, 1].map((tick) => {
    const anchor = tick === 0 ? 'start' : tick === 1 ? 'end' : 'middle';
    return html`<text class="axis" x="${share(tick)}" y="${bottom + 14}" text-anchor="${anchor}">${tick}</text>`;
  });
  return html`<svg role="img" aria-label="${title}" height="${bottom + 20}">${rows}${mark}${ticks}</svg>`;
}
