import type { NumericColumn, SourceProfile } from './profile-source.js';

/** What a new lifecycle is about. */
export interface LifecycleDraft {
  /** Of the model and its endpoint. */
  readonly name: string;
  /** Relative to the lifecycle file. */
  readonly source: string;
  readonly profile: SourceProfile;
}

/** Stands in for data that nobody has shown yet. */
export const exampleProfile: SourceProfile = {
  rows: 0,
  id: 'id',
  label: { column: 'label', classes: ['no', 'yes'] },
  features: [{ name: 'feature', type: 'number', minimum: 0, maximum: 1 }],
  ignored: [],
};

/** A commented `lifecycle.yaml` that the parser accepts, for a person to correct. */
export function writeLifecycle({ name, source, profile }: LifecycleDraft): string {
  const { id, label, ignored, rows } = profile;
  const features = featureLines(profile.features);
  return `# Every field is explained by the JSON Schema: see \`assay schema\`.
apiVersion: assay/v1
name: ${name}

data:
  # CSV, JSON Lines or Parquet; relative to this file. Rows that break a rule below are refused, and listed.
  source: ${scalar(source)}
  id: ${scalar(id)} # names a sample; values are unique
  label:
    column: ${scalar(label.column)}
    # Every allowed label; the position is the class index that the model predicts.
    classes: [${label.classes.map(scalar).join(', ')}]
  features:${rows > 0 ? ' # ranges as observed: widen them to what is valid' : ''}
${features}${ignored.length > 0 ? `    # Left out, for they are no numbers: ${ignored.map(scalar).join(', ')}\n` : ''}  rows: { minimum: ${Math.max(1, Math.floor(rows / 2))} }
  split: { train: 0.7, validation: 0.1, test: 0.2, seed: 0 }

training:
  trainer: built-in
  seed: 0
  reproduce: true # train twice, and refuse the run unless the digests agree
  parameters:
    network: { kind: mlp, hidden: [64] }
    epochs: 20
    # Train against the attack of the evasion gate:
    # adversarial: { method: pgd, norm: linf, epsilon: 0.05 }

# What the model must prove before it is released, with intervals; an inconclusive gate blocks.
gates:
  - gate: accuracy
    minimum: 0.9
  - gate: evasion
    norm: linf
    epsilon: 0.05 # in the units that the model sees: features above are scaled to [0, 1]
    minimum: 0.5

release:
  endpoint: ${name}
  approval: none # \`required\`: the run waits for \`assay approve\`
`;
}

/** The lines of `features:`, neighbours of one kind together. */
export function featureLines(features: readonly NumericColumn[]): string {
  return groupFeatures(features).map(describeGroup).join('');
}

interface FeatureGroup extends Omit<NumericColumn, 'name'> {
  readonly columns: readonly string[];
}

/** Neighbours whose names differ in their number only (`pixel1`, `pixel2`) are one kind of thing with one range. */
function groupFeatures(features: readonly NumericColumn[]): readonly FeatureGroup[] {
  const groups: FeatureGroup[] = [];
  for (const { name, type, minimum, maximum } of features) {
    const last = groups.at(-1);
    const stem = stemOf(name);
    if (last && stem !== name && stem === stemOf(last.columns[0] ?? '') && last.type === type) {
      groups[groups.length - 1] = {
        columns: [...last.columns, name],
        type,
        minimum: Math.min(last.minimum, minimum),
        maximum: Math.max(last.maximum, maximum),
      };
    } else groups.push({ columns: [name], type, minimum, maximum });
  }
  return groups;
}

function stemOf(name: string): string {
  return name.replace(/\d+$/, '');
}

function describeGroup({ columns, type, minimum, maximum }: FeatureGroup): string {
  return `    - columns: [${columns.map(scalar).join(', ')}]
      type: ${type}
      minimum: ${minimum}
      maximum: ${maximum > minimum ? maximum : minimum + 1}
      scale: unit
`;
}

/** A value as YAML reads it back: plain where that is safe, quoted elsewhere. */
export function scalar(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const plain = /^[A-Za-z_./][\w./-]*$/.test(value) && !/^(true|false|null|\.inf|\.nan)$/i.test(value);
  return plain ? value : JSON.stringify(value);
}
