import { RefusedError } from '../errors/index.js';
import { dataTypeOf } from './data-types.js';
import { decodeTensor } from './decode-tensor.js';
import { defect, UnreadableError } from './defect.js';
import { checkGraph } from './graph-check.js';
import type { Attribute, Axis, Graph, Model, Node, ValueInfo } from './model.js';
import { readMessage, WireError } from './wire.js';
import type { Message } from './wire-schema.js';

/** protobuf's own limit on a message. */
const maxModelBytes = 2 ** 31 - 1;

/** Kinds of `AttributeProto.AttributeType` that a model may use, by number. */
const attributeKinds: Readonly<Record<number, Attribute['kind']>> = {
  1: 'float',
  2: 'int',
  3: 'string',
  4: 'tensor',
  5: 'graph',
  6: 'floats',
  7: 'ints',
  8: 'strings',
};

/**
 * Reads an ONNX file, failing closed: whatever {@link Model} cannot hold (external data, other operator domains,
 * functions, training information, sparse tensors, unknown fields, tensors that contradict their shape, values used
 * before they are computed) is refused rather than skipped. Prose such as doc strings is dropped. An initializer that
 * is also listed as an input, as old exporters do, is read as the constant that it is by default.
 *
 * @param bytes - the whole file, at most 2 GiB − 1
 * @throws RefusedError `model-unreadable`, naming the node or tensor
 */
export function decodeModel(bytes: Uint8Array): Model {
  if (bytes.length > maxModelBytes) {
    throw new RefusedError(
      'model-unreadable',
      `model: expected at most ${maxModelBytes} bytes, got ${bytes.length}`,
    );
  }
  try {
    return toModel(readMessage('Model', bytes));
  } catch (error) {
    if (error instanceof WireError || error instanceof UnreadableError) {
      throw new RefusedError('model-unreadable', `model: ${error.message}`, [], { cause: error });
    }
    throw error;
  }
}

function toModel(message: Message<'Model'>): Model {
  const irVersion = message.irVersion ?? 0;
  if (irVersion < 3 || irVersion > 13) throw defect(`expected IR version 3 to 13, got ${irVersion}`);
  if (!message.graph) throw defect('expected a graph, got none');
  const graph = toGraph(message.graph, 'graph');
  checkGraph(graph);
  return {
    irVersion,
    opset: standardOpset(message.opsetImport ?? []),
    producer: [message.producerName, message.producerVersion].filter(Boolean).join(' '),
    graph,
    metadata: uniqueRecord(
      (message.metadataProps ?? []).map(({ key = '', value = '' }) => [key, value]),
      'metadata',
    ),
  };
}

function standardOpset(imports: readonly Message<'OperatorSet'>[]): number {
  const foreign = imports.find(({ domain = '' }) => !isStandard(domain));
  if (foreign) throw defect(`operator domain ${foreign.domain} is not supported`);
  const [first, second] = imports;
  if (!first?.version || second) {
    throw defect(`expected one version of the standard operators, got ${imports.length}`);
  }
  if (first.version < 1) throw defect(`expected a positive operator set version, got ${first.version}`);
  return first.version;
}

const isStandard = (domain: string): boolean => domain === '' || domain === 'ai.onnx';

function toGraph(message: Message<'Graph'>, where: string): Graph {
  const initializers = uniqueRecord(
    (message.initializer ?? []).map((tensor) => [
      tensor.name ?? '',
      decodeTensor(tensor, `initializer ${tensor.name}`),
    ]),
    `${where}: initializer`,
  );
  const nodes = (message.node ?? []).map(toNode);
  return {
    name: message.name ?? '',
    inputs: (message.input ?? []).map(toValue).filter(({ name }) => !(name in initializers)),
    outputs: (message.output ?? []).map(toValue),
    initializers,
    nodes,
  };
}

function toNode(message: Message<'Node'>, index: number): Node {
  const opType = message.opType ?? '';
  const where = `node ${message.name || `#${index}`} (${opType})`;
  if (!opType) throw defect(`${where}: expected an operator, got none`);
  if (!isStandard(message.domain ?? '')) {
    throw defect(`${where}: operator domain ${message.domain} is not supported`);
  }
  if (message.overload) throw defect(`${where}: overloads are not supported`);
  return {
    name: message.name ?? '',
    opType,
    domain: '',
    inputs: message.input ?? [],
    outputs: message.output ?? [],
    attributes: uniqueRecord(
      (message.attribute ?? []).map((attribute) => [attribute.name ?? '', toAttribute(attribute, where)]),
      `${where}: attribute`,
    ),
  };
}

function toAttribute(message: Message<'Attribute'>, node: string): Attribute {
  const where = `${node}, attribute ${message.name}`;
  const kind = attributeKinds[message.type ?? 0];
  if (!kind) throw defect(`${where}: attribute type ${message.type ?? 0} is not supported`);
  const { f, i, s, t, g, floats, ints, strings } = message;
  // proto3 leaves out zeros and empty text; a value of another kind than declared is read differently by others.
  const present = Object.entries({ float: f, int: i, string: s, tensor: t, graph: g, floats, ints, strings })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  const stray = present.find((name) => name !== kind);
  if (stray) throw defect(`${where}: expected ${kind}, got ${stray} too`);
  switch (kind) {
    case 'float':
      return { kind, value: f ?? 0 };
    case 'int':
      return { kind, value: i ?? 0 };
    case 'string':
      return { kind, value: s ?? '' };
    case 'tensor':
      if (!t) throw defect(`${where}: expected a tensor, got none`);
      return { kind, value: decodeTensor(t, where) };
    case 'graph':
      if (!g) throw defect(`${where}: expected a graph, got none`);
      return { kind, value: toGraph(g, where) };
    case 'floats':
      return { kind, value: floats ?? [] };
    case 'ints':
      return { kind, value: ints ?? [] };
    case 'strings':
      return { kind, value: strings ?? [] };
  }
}

function toValue(message: Message<'Value'>): ValueInfo {
  const name = message.name ?? '';
  const tensor = message.type?.tensor;
  const type = dataTypeOf(tensor?.elementType ?? 0);
  if (!name || !tensor || !type) {
    throw defect(`value ${name || '(unnamed)'}: expected a name and a supported tensor type`);
  }
  if (!tensor.shape) throw defect(`value ${name}: expected a shape, got none`);
  return { name, type, dims: (tensor.shape.dim ?? []).map((dim) => toAxis(dim, name)) };
}

function toAxis({ value, parameter }: Message<'Dimension'>, owner: string): Axis {
  if (value !== undefined && parameter !== undefined) {
    throw defect(`value ${owner}: expected an axis of one length, got ${value} and ${parameter}`);
  }
  if (value !== undefined && value < 0) {
    throw defect(`value ${owner}: expected a length of at least 0, got ${value}`);
  }
  return value ?? parameter ?? '';
}

/** A record without a prototype, in which names such as `constructor` and `__proto__` are names like any other. */
function uniqueRecord<T>(entries: readonly (readonly [string, T])[], what: string): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  for (const [name, value] of entries) {
    if (!name) throw defect(`${what}: expected a name, got none`);
    if (name in record) throw defect(`${what} ${name} is given twice`);
    record[name] = value;
  }
  return record;
}
