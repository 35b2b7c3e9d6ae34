import type { SampleSet } from '../../core/data/index.js';
import { examplePictures, type FileEvaluation } from '../../core/evaluation/index.js';
import { html, type Markup, trusted } from '../report/markup.js';

/** Examples that a page shows. */
const MAXIMUM_EXAMPLES = 12;
/** Values of a sample without pictures that are shown, the most changed first. */
const MAXIMUM_CHANGES = 6;

/** Adversarial examples side by side with their samples: as pictures, or as the values that changed most. */
export function exampleFigures({ samples, classes, examples }: FileEvaluation, set: SampleSet): Markup {
  const size = set.minimum.length;
  const name = (index: number): string =>
    index < 0 ? 'nothing: its answer is not finite' : `${classes[index] ?? index}`;
  const figures = examples.slice(0, MAXIMUM_EXAMPLES).map(({ id, attack, adversarial, prediction }) => {
    const index = samples.ids.indexOf(id);
    const original = samples.inputs.subarray(index * size, (index + 1) * size);
    const label = name(samples.labels[index]!);
    const pictures = examplePictures(original, adversarial, set);
    const views = pictures
      ? html`<div class="views">${image('original', pictures.original, `Sample ${id}, ${label}`)}${image(
          'adversarial',
          pictures.adversarial,
          `The same, changed by ${attack}, taken for ${name(prediction)}`,
        )}${image('difference', pictures.difference, 'What was changed: grey is nothing')}</div>`
      : changes(original, adversarial, set);
    return html`<figure><figcaption><strong>${id}</strong>: ${label}, after ${attack} taken for <strong>${name(prediction)}</strong></figcaption>${views}</figure>`;
  });
  return html`<div class="examples">${figures}</div>`;
}

function image(caption: string, png: Uint8Array, alternative: string): Markup {
  const source = trusted(`data:image/png;base64,${Buffer.from(png).toString('base64')}`);
  return html`<div><img alt="${alternative}" src="${source}">${caption}</div>`;
}

function changes(original: Float32Array, adversarial: Float32Array, { columns }: SampleSet): Markup {
  const changed = [...original.keys()]
    .map((i) => ({ i, change: Math.abs(adversarial[i]! - original[i]!) }))
    .filter(({ change }) => change > 0)
    .sort((one, other) => other.change - one.change || one.i - other.i);
  const rows = changed
    .slice(0, MAXIMUM_CHANGES)
    .map(
      ({ i }) =>
        html`<tr><td>${columns?.[i] ?? `value ${i}`}</td><td class="number">${shown(original[i]!)}</td><td class="number">${shown(adversarial[i]!)}</td></tr>`,
    );
  const more = changed.length - rows.length;
  return html`<table><thead><tr><th scope="col">input</th><th scope="col" class="number">original</th><th scope="col" class="number">adversarial</th></tr></thead><tbody>${rows}</tbody></table>${more > 0 ? html`<p class="soft">and ${more} more, changed less</p>` : html``}`;
}

const shown = (value: number): string => `${Number(value.toPrecision(5))}`;
