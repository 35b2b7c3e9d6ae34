import type { Outline, Span } from './outline.js';

/** A part of the model, and where it lies. */
interface Part {
  /** Such as `graph.node[3] (Loop "decode")`. */
  readonly where: string;
  readonly offset: number;
}

export interface TensorView extends Part {
  readonly name: string;
  /** Number in `TensorProto.DataType`. */
  readonly type: number;
  /** The first 128 of them. */
  readonly dims: readonly bigint[];
  readonly rank: number;
  /** Elements or bytes, by the field that they are in; those present only. */
  readonly data: Readonly<Partial<Record<DataField, number>>>;
  readonly raw: Span | undefined;
  /** The first integers of an integer tensor; `undefined` for other types. */
  readonly integers: readonly bigint[] | undefined;
  readonly strings: readonly Span[];
  readonly external: readonly (readonly [key: string, value: string])[] | undefined;
  readonly segmented: boolean;
}

export const dataFields = [
  'floatData',
  'int32Data',
  'int64Data',
  'doubleData',
  'uint64Data',
  'stringData',
  'rawData',
] as const;
export type DataField = (typeof dataFields)[number];

export interface SparseView extends Part {
  readonly values: TensorView | undefined;
  readonly indices: TensorView | undefined;
  readonly dims: readonly bigint[];
}

export interface ValueView extends Part {
  readonly name: string;
  readonly role: 'input' | 'output' | 'value';
  /** Lengths by axis; `undefined` where one is symbolic or open. */
  readonly dims: readonly (bigint | undefined)[];
  readonly opaque: boolean;
}

export interface AttributeView extends Part {
  readonly name: string;
  /** Number in `AttributeProto.AttributeType`. */
  readonly type: number;
  /** Fields that hold a value. */
  readonly present: readonly string[];
  readonly reference: string;
  readonly integer: bigint | undefined;
  readonly integers: readonly bigint[];
  readonly tensor: TensorView | undefined;
  readonly graphs: readonly GraphView[];
}

export interface NodeView extends Part {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly AttributeView[];
}

export interface GraphView extends Part {
  readonly name: string;
  readonly depth: number;
  readonly inputs: readonly ValueView[];
  readonly outputs: readonly ValueView[];
  readonly initializers: readonly TensorView[];
  readonly sparseInitializers: readonly SparseView[];
  readonly nodes: readonly NodeView[];
}

/** What rules see of a model whose encoding holds. Graphs, nodes, tensors and values include those of subgraphs. */
export interface ModelView {
  readonly irVersion: bigint | undefined;
  readonly opsets: readonly { readonly domain: string; readonly version: bigint }[];
  /** Of the model as a whole, which programs read as a dictionary. */
  readonly metadata: readonly { readonly key: string; readonly where: string }[];
  readonly graph: GraphView | undefined;
  readonly graphs: readonly GraphView[];
  readonly nodes: readonly NodeView[];
  readonly tensors: readonly TensorView[];
  readonly sparse: readonly SparseView[];
  readonly values: readonly ValueView[];
  readonly texts: readonly TextView[];
}

/** Text anywhere in the file: names, documentation, metadata, attributes. */
export interface TextView extends Part {
  readonly span: Span;
  /** `name`: what other parts refer to, or people are shown; `prose`: documentation and metadata values. */
  readonly kind: 'name' | 'prose';
}

const prose = new Set(['docString', 'value', 'stringData', 's', 'strings']);

/** Every text below a message, in the order of the file's structure. */
export function* textsOf(outline: Outline): Generator<TextView> {
  for (const [field, spans] of Object.entries(outline.spans)) {
    if (field === 'rawData') continue;
    const path = outline.path();
    for (const span of spans) {
      yield {
        span,
        where: path === '' ? field : `${path}.${field}`,
        offset: span.start,
        kind: prose.has(field) ? 'prose' : 'name',
      };
    }
  }
  for (const messages of Object.values(outline.messages)) {
    for (const message of messages) yield* textsOf(message);
  }
}

/** @param texts - of `outline`, found before */
export function viewModel(bytes: Uint8Array, outline: Outline, texts: readonly TextView[]): ModelView {
  const graphs: GraphView[] = [];
  const nodes: NodeView[] = [];
  const tensors: TensorView[] = [];
  const sparse: SparseView[] = [];
  const values: ValueView[] = [];

  const text = ({ start, end }: Span): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
  const textOf = (from: Outline, field: string): string => {
    const span = from.spans[field]?.[0];
    return span ? text(span) : '';
  };
  const textsIn = (from: Outline, field: string): readonly string[] => (from.spans[field] ?? []).map(text);
  const first = (from: Outline, field: string): bigint | undefined => from.numbers[field]?.head[0];
  const integers = (from: Outline, field: string): readonly bigint[] => from.numbers[field]?.head ?? [];
  const all = <T>(from: Outline, field: string, view: (message: Outline) => T): readonly T[] =>
    (from.messages[field] ?? []).map(view);
  const entries = (from: Outline, field: string) =>
    all(from, field, (entry) => [textOf(entry, 'key'), textOf(entry, 'value')] as const);
  const named = (from: Outline, name: string): string =>
    `${from.path()}${name === '' ? '' : ` (${quoted(name)})`}`;

  const tensorView = (from: Outline): TensorView => {
    const name = textOf(from, 'name');
    const type = Number(first(from, 'dataType') ?? 0n);
    const raw = from.spans.rawData?.[0];
    const present = dataFields.flatMap((field): readonly (readonly [DataField, number])[] => {
      if (field === 'rawData') return raw ? [[field, raw.end - raw.start]] : [];
      const count = field === 'stringData' ? from.spans[field]?.length : from.numbers[field]?.count;
      return count === undefined ? [] : [[field, count]];
    });
    const view: TensorView = {
      where: named(from, name),
      offset: from.start,
      name,
      type,
      dims: integers(from, 'dims'),
      rank: from.numbers.dims?.count ?? 0,
      data: Object.fromEntries(present),
      raw,
      integers: integersIn(from, type, raw),
      strings: from.spans.stringData ?? [],
      external:
        from.messages.externalData || (first(from, 'dataLocation') ?? 0n) !== 0n
          ? entries(from, 'externalData')
          : undefined,
      segmented: from.messages.segment !== undefined,
    };
    tensors.push(view);
    return view;
  };

  const integersIn = (from: Outline, type: number, raw: Span | undefined): readonly bigint[] | undefined => {
    if (type !== 6 && type !== 7) return undefined;
    if (!raw) return integers(from, type === 6 ? 'int32Data' : 'int64Data');
    const width = type === 6 ? 4 : 8;
    const data = new DataView(bytes.buffer, bytes.byteOffset + raw.start, raw.end - raw.start);
    const length = Math.min(128, Math.floor(data.byteLength / width));
    return Array.from({ length }, (_, i) =>
      type === 6 ? BigInt(data.getInt32(i * 4, true)) : data.getBigInt64(i * 8, true),
    );
  };

  const sparseView = (from: Outline): SparseView => {
    const view: SparseView = {
      where: from.path(),
      offset: from.start,
      values: all(from, 'values', tensorView)[0],
      indices: all(from, 'indices', tensorView)[0],
      dims: integers(from, 'dims'),
    };
    sparse.push(view);
    return view;
  };

  const valueView =
    (role: ValueView['role']) =>
    (from: Outline): ValueView => {
      const name = textOf(from, 'name');
      const [type] = from.messages.type ?? [];
      const view: ValueView = {
        where: named(from, name),
        offset: from.start,
        name,
        role,
        dims: type ? dimsOf(type) : [],
        opaque: type !== undefined && holdsOpaque(type),
      };
      values.push(view);
      return view;
    };

  const dimsOf = (type: Outline): readonly (bigint | undefined)[] => {
    const inner = type.messages.tensor ?? type.messages.sparseTensor;
    if (inner) {
      const [shape] = inner[0]?.messages.shape ?? [];
      return (shape?.messages.dim ?? []).map((dim) => first(dim, 'value'));
    }
    const [nested] = type.messages.sequence ?? type.messages.optional ?? type.messages.map ?? [];
    const [element] = nested?.messages.elementType ?? nested?.messages.valueType ?? [];
    return element ? dimsOf(element) : [];
  };

  const attributeView =
    (depth: number) =>
    (from: Outline): AttributeView => {
      const name = textOf(from, 'name');
      for (const field of ['sparseTensor', 'sparseTensors']) all(from, field, sparseView);
      const one = all(from, 't', tensorView)[0];
      all(from, 'tensors', tensorView);
      return {
        where: named(from, name),
        offset: from.start,
        name,
        type: Number(first(from, 'type') ?? 0n),
        present: valueFields.filter(
          (field) => from.messages[field] ?? from.spans[field] ?? from.numbers[field],
        ),
        reference: textOf(from, 'refAttrName'),
        integer: first(from, 'i'),
        integers: integers(from, 'ints'),
        tensor: one,
        graphs: [...all(from, 'g', graphView(depth + 1)), ...all(from, 'graphs', graphView(depth + 1))],
      };
    };

  const nodeView =
    (depth: number) =>
    (from: Outline): NodeView => {
      const name = textOf(from, 'name');
      const opType = textOf(from, 'opType');
      const view: NodeView = {
        where: `${from.path()} (${opType ? shown(opType) : 'no operator'}${name === '' ? '' : ` ${quoted(name)}`})`,
        offset: from.start,
        name,
        opType,
        domain: textOf(from, 'domain'),
        overload: textOf(from, 'overload'),
        inputs: textsIn(from, 'input'),
        outputs: textsIn(from, 'output'),
        attributes: all(from, 'attribute', attributeView(depth)),
      };
      nodes.push(view);
      return view;
    };

  const graphView =
    (depth: number) =>
    (from: Outline): GraphView => {
      all(from, 'valueInfo', valueView('value'));
      const view: GraphView = {
        where: from.path(),
        offset: from.start,
        name: textOf(from, 'name'),
        depth,
        inputs: all(from, 'input', valueView('input')),
        outputs: all(from, 'output', valueView('output')),
        initializers: all(from, 'initializer', tensorView),
        sparseInitializers: all(from, 'sparseInitializer', sparseView),
        nodes: all(from, 'node', nodeView(depth)),
      };
      graphs.push(view);
      return view;
    };

  const graph = all(outline, 'graph', graphView(0))[0];
  // What is inside these is looked at too, although no model may have them.
  for (const info of outline.messages.trainingInfo ?? []) {
    for (const field of ['initialization', 'algorithm']) all(info, field, graphView(0));
  }
  for (const body of outline.messages.functions ?? []) all(body, 'node', nodeView(0));
  return {
    irVersion: first(outline, 'irVersion'),
    opsets: all(outline, 'opsetImport', (entry) => ({
      domain: textOf(entry, 'domain'),
      version: first(entry, 'version') ?? 0n,
    })),
    metadata: all(outline, 'metadataProps', (entry) => ({
      key: textOf(entry, 'key'),
      where: entry.path(),
    })),
    graph,
    graphs,
    nodes,
    tensors,
    sparse,
    values,
    texts,
  };
}

const valueFields = [
  ...['f', 'i', 's', 't', 'g', 'floats', 'ints', 'strings', 'tensors', 'graphs'],
  ...['tp', 'typeProtos', 'sparseTensor', 'sparseTensors'],
];

function holdsOpaque(type: Outline): boolean {
  if (type.messages.opaque) return true;
  return Object.values(type.messages).some((inner) => inner.some(holdsOpaque));
}

/** Text of a file as it may be shown: without what would move a terminal's cursor or turn its letters round. */
export function shown(text: string): string {
  const short = text.length > 64 ? `${text.slice(0, 61)}…` : text;
  return short.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (letter) => {
    const code = letter.codePointAt(0)!.toString(16).padStart(4, '0');
    return letter === '' ? '' : `\\u{${code}}`;
  });
}

export function quoted(text: string): string {
  return `"${shown(text)}"`;
}
