import { endianness } from 'node:os';
import { RefusedError } from '../errors/index.js';
import { dataTypeNumber } from './data-types.js';
import { UnreadableError } from './defect.js';
import { checkGraph, describeNode } from './graph-check.js';
import type { Attribute, Graph, Model, Node, Tensor, ValueInfo } from './model.js';
import { tensorProblem } from './tensor.js';
import { writeMessage } from './wire.js';
import type { Message } from './wire-schema.js';

/**
 * Writes a model as an ONNX file. Equal models give equal bytes: initializers, attributes and metadata are written in
 * the order of their names, whatever the order they were added in.
 *
 * @returns bytes in a buffer of their own
 * @throws RefusedError `model-unreadable` when tensors contradict their shape, values are used before they are
 *   computed, or names or numbers have no form in the file
 */
export function encodeModel(model: Model): Uint8Array {
  try {
    checkGraph(model.graph);
  } catch (error) {
    if (error instanceof UnreadableError) refuse(error.message);
    throw error;
  }
  return writeMessage('Model', {
    irVersion: model.irVersion,
    producerName: text(model.producer, 'producer'),
    graph: fromGraph(model.graph),
    opsetImport: [{ domain: '', version: model.opset }],
    metadataProps: sorted(model.metadata).map(([key, value]) => ({
      key: text(key, 'metadata'),
      value: text(value, `metadata ${key}`),
    })),
  });
}

function fromGraph(graph: Graph): Message<'Graph'> {
  return {
    node: graph.nodes.map(fromNode),
    name: text(graph.name, 'graph name'),
    initializer: sorted(graph.initializers).map(([name, tensor]) => fromTensor(tensor, name)),
    input: graph.inputs.map(fromValue),
    output: graph.outputs.map(fromValue),
  };
}

function fromNode(node: Node): Message<'Node'> {
  const where = describeNode(node);
  if (node.domain !== '') refuse(`${where}: operator domain ${node.domain} is not supported`);
  return {
    input: node.inputs.map((name) => text(name, where)),
    output: node.outputs.map((name) => text(name, where)),
    ...(node.name && { name: text(node.name, where) }),
    opType: text(node.opType, where),
    attribute: sorted(node.attributes).map(([name, attribute]) => fromAttribute(name, attribute, where)),
  };
}

function fromAttribute(name: string, attribute: Attribute, node: string): Message<'Attribute'> {
  const where = `${node}, attribute ${name}`;
  const named = { name: text(name, node) };
  switch (attribute.kind) {
    case 'float':
      return { ...named, type: 1, f: attribute.value };
    case 'int':
      return { ...named, type: 2, i: integer(attribute.value, where) };
    case 'string':
      return { ...named, type: 3, s: text(attribute.value, where) };
    case 'tensor':
      return { ...named, type: 4, t: fromTensor(attribute.value, '', where) };
    case 'graph':
      return { ...named, type: 5, g: fromGraph(attribute.value) };
    case 'floats':
      return { ...named, type: 6, floats: attribute.value };
    case 'ints':
      return { ...named, type: 7, ints: attribute.value.map((value) => integer(value, where)) };
    case 'strings':
      return { ...named, type: 8, strings: attribute.value.map((value) => text(value, where)) };
  }
}

function fromTensor(tensor: Tensor, name: string, where = `initializer ${name}`): Message<'Tensor'> {
  const problem = tensorProblem(tensor);
  if (problem) refuse(`${where}: ${problem}`);
  // ONNX's raw data is little-endian, as is every platform that onnxruntime-node has binaries for.
  if (endianness() !== 'LE') refuse('models can only be written on little-endian machines');
  const { buffer, byteOffset, byteLength } = tensor.data;
  return {
    dims: tensor.dims,
    dataType: dataTypeNumber(tensor.type),
    ...(name && { name: text(name, where) }),
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

function fromValue({ name, type, dims }: ValueInfo): Message<'Value'> {
  return {
    name: text(name, `value ${name}`),
    type: {
      tensor: {
        elementType: dataTypeNumber(type),
        shape: {
          dim: dims.map((axis) =>
            typeof axis === 'number'
              ? { value: integer(axis, `value ${name}`) }
              : axis === ''
                ? {}
                : { parameter: text(axis, `value ${name}`) },
          ),
        },
      },
    },
  };
}

function integer(value: number, where: string): number {
  if (!Number.isSafeInteger(value)) refuse(`${where}: expected an integer of 53 bits, got ${value}`);
  return value;
}

/** Half a surrogate pair has no UTF-8 form; what protobufjs writes for it is not read back. */
function text(value: string, where: string): string {
  if (/\p{Surrogate}/u.test(value)) refuse(`${where}: ${JSON.stringify(value)} has no UTF-8 form`);
  return value;
}

function sorted<T>(record: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

function refuse(message: string): never {
  throw new RefusedError('model-unreadable', `model: ${message}`);
}
