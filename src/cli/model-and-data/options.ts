import { InvalidArgumentError } from 'commander';
import type { SampleOptions } from '../../core/data/index.js';
import { RefusedError } from '../../core/errors/index.js';

/** What the options of a command say of its data, as commander gives them. */
export interface DataOptions {
  readonly data?: string;
  readonly labels?: string;
  readonly label?: string;
  readonly id?: string;
  readonly columns?: readonly string[];
  readonly classes?: readonly string[];
  readonly shape?: readonly number[];
  readonly scale?: ScaleOption;
  readonly range?: readonly [number, number];
  readonly lifecycle?: string;
  readonly split?: SplitOption;
}

export type SplitOption = 'train' | 'validation' | 'test' | 'all';
/** `MIN,MAX` says the range and the scale at once. */
export type ScaleOption = 'none' | 'unit' | readonly [number, number];

/** `a,b,c`, each once and none empty. */
export function listOption(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('') || new Set(names).size !== names.length) {
    throw new InvalidArgumentError('Expected names separated by commas, each once.');
  }
  return names;
}

/** `1,8,8` */
export function shapeOption(text: string): readonly number[] {
  const axes = text
    .split(',')
    .map((axis) => (/^[1-9]\d{0,6}$/.test(axis.trim()) ? Number(axis) : Number.NaN));
  if (axes.some(Number.isNaN) || axes.length > 5) {
    throw new InvalidArgumentError('Expected lengths such as 1,8,8.');
  }
  return axes;
}

/** `2x3`: height and width. */
export function patchOption(text: string): readonly [height: number, width: number] {
  const sides = /^\s*([1-9]\d{0,4})\s*[x×]\s*([1-9]\d{0,4})\s*$/.exec(text);
  if (!sides) throw new InvalidArgumentError('Expected HEIGHTxWIDTH in pixels, such as 3x3.');
  return [Number(sides[1]), Number(sides[2])];
}

/** `0,255` */
export function rangeOption(text: string): readonly [number, number] {
  const [low, high, ...more] = text.split(',').map(numberOf);
  if (low === undefined || high === undefined || more.length > 0 || !(low < high)) {
    throw new InvalidArgumentError('Expected LOW,HIGH such as 0,255.');
  }
  return [low, high];
}

export function scaleOption(text: string): ScaleOption {
  return text === 'none' || text === 'unit' ? text : rangeOption(text);
}

/** A number in a range, its ends left out where `open`. */
export function numberBetween(minimum: number, maximum: number, open = false): (text: string) => number {
  return (text) => {
    const value = numberOf(text);
    const inside = open ? value > minimum && value < maximum : value >= minimum && value <= maximum;
    if (inside) return value;
    throw new InvalidArgumentError(`Expected a number from ${minimum} to ${maximum}.`);
  };
}

function numberOf(text: string): number {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * The options as the reader of samples takes them.
 * @throws RefusedError `usage` where two contradict each other
 */
export function sampleOptions(options: DataOptions): SampleOptions & { readonly labels?: string } {
  const { labels, label, id, columns, classes, shape, scale, range } = options;
  const scaled = typeof scale === 'object' ? scale : undefined;
  if (scaled && range) throw new RefusedError('usage', 'expected --range or --scale MIN,MAX, got both');
  const valid = scaled ?? range;
  return {
    ...(labels !== undefined && { labels }),
    ...(label !== undefined && { label }),
    ...(id !== undefined && { id }),
    ...(columns && { columns }),
    ...(classes && { classes }),
    ...(shape && { shape }),
    ...(valid && { range: valid }),
    scale: scaled || scale === 'unit' ? 'unit' : 'none',
  };
}
