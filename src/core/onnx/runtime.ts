import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { evidenceConfiguration } from './environment.js';
import type { DataType, Tensor, TensorData, ValueInfo } from './model.js';
import type { Feeds, Results } from './session.js';
import { dataConstructors } from './tensor.js';

/** A model loaded into ONNX Runtime in this thread. */
export interface LoadedModel {
  readonly inputs: readonly ValueInfo[];
  readonly outputNames: readonly string[];
  /** Runs the model; feeds must have been checked. */
  run(feeds: Feeds): Promise<Results>;
  release(): Promise<void>;
}

/** @throws Error with ONNX Runtime's message when it cannot load the bytes */
export async function loadModel(bytes: Uint8Array): Promise<LoadedModel> {
  // Severity 4: errors come as exceptions, and a trainer's standard error is kept for its own words.
  const session = await InferenceSession.create(bytes, { ...evidenceConfiguration, logSeverityLevel: 4 });
  return {
    inputs: session.inputMetadata.map(toValueInfo),
    outputNames: session.outputNames,
    async run(feeds) {
      const results = await session.run(
        Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toRuntime(tensor)])),
      );
      return Object.fromEntries(
        Object.entries(results).map(([name, tensor]) => [name, fromRuntime(tensor as RuntimeTensor)]),
      );
    },
    release: () => session.release(),
  };
}

/** ONNX Runtime's names for the types that ONNX calls `float` and `double`; the others agree. */
const runtimeType = (type: DataType): RuntimeTensor.Type =>
  type === 'float' ? 'float32' : type === 'double' ? 'float64' : type;

function fromRuntimeType(type: RuntimeTensor.Type, where: string): DataType {
  if (type === 'float32') return 'float';
  if (type === 'float64') return 'double';
  if (type === 'string' || type in dataConstructors) return type as DataType;
  throw new Error(`${where}: element type ${type} is not supported`);
}

function toValueInfo(metadata: InferenceSession.ValueMetadata): ValueInfo {
  if (!metadata.isTensor) throw new Error(`input ${metadata.name}: expected a tensor`);
  return {
    name: metadata.name,
    type: fromRuntimeType(metadata.type, `input ${metadata.name}`),
    dims: metadata.shape,
  };
}

function toRuntime({ type, dims, data }: Tensor): RuntimeTensor {
  return new RuntimeTensor(
    runtimeType(type) as 'float32',
    data as Float32Array,
    dims as unknown as number[],
  ) as RuntimeTensor;
}

function fromRuntime(tensor: RuntimeTensor): Tensor {
  const type = fromRuntimeType(tensor.type, 'output');
  if (type === 'string') throw new Error('outputs of strings are not supported');
  const data = tensor.data as TensorData;
  const Data = dataConstructors[type];
  return {
    type,
    dims: [...tensor.dims],
    // Newer Node versions carry float16 in an array type of its own.
    data: data instanceof Data ? data : new Data(data.buffer, data.byteOffset, data.length),
  };
}
