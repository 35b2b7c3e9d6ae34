import type { Samples } from '../../../../src/core/attacks/index.js';
import {
  attribute,
  decodeModel,
  encodeModel,
  type GraphBuilder,
  graphBuilder,
  type Model,
} from '../../../../src/core/onnx/index.js';
import { scale } from '../../../../src/core/onnx/operators/emit.js';
import { CLASSES, SHAPE } from './digits.js';

/** What broken defences are built of. */
export interface Parts {
  /** A plainly trained CNN, which no radius worth the name leaves standing. */
  readonly plain: Uint8Array;
  /** Three more plain networks. */
  readonly others: readonly Uint8Array[];
  /** An MLP trained on thermometer codes. */
  readonly thermometer: Uint8Array;
  /** An MLP trained with k winners taking all. */
  readonly winners: Uint8Array;
  /** What they were trained on. */
  readonly train: Samples;
  /** What they will be attacked on. */
  readonly test: Samples;
}

/** A defence that somebody shipped or might ship, and that does not defend. */
export interface BrokenDefence {
  readonly name: string;
  /** Where it comes from, and who broke it. */
  readonly source: string;
  /** Logits that it gives; default: one for each of the ten digits. */
  readonly classes?: number;
  /** Whether equal requests get different answers. */
  readonly isRandomised?: true;
  /** What the gate sees it by: `its attacks`, or the name of a control. */
  readonly caughtBy: string;
  build(parts: Parts): Uint8Array;
  /** What an attacker who knows the defence follows the gradients of; default: the plain network. */
  surrogate?(parts: Parts): Uint8Array;
}

/** How a defence changes the values that go in and the logits that come out. */
export interface Change {
  readonly before?: (b: GraphBuilder, x: string) => string;
  readonly after?: (b: GraphBuilder, logits: string, x: string) => string;
}

/** A network behind a defence: float input `input` [N, 1, 8, 8], float output `logits`. */
export function defended(network: Uint8Array, { before, after }: Change, classes = CLASSES): Uint8Array {
  return assembled((b, x) => {
    const logits = addNetwork(b, network, before?.(b, x) ?? x);
    return after?.(b, logits, x) ?? logits;
  }, classes);
}

/** A model whose logits are whatever a function makes of its input. */
export function assembled(write: (b: GraphBuilder, x: string) => string, classes = CLASSES): Uint8Array {
  const b = graphBuilder(17);
  const x = b.input('input', 'float', ['N', ...SHAPE]);
  b.output('logits', 'float', ['N', classes], write(b, x));
  return encodeModel(b.toModel());
}

/** @returns its logits */
export function addNetwork(b: GraphBuilder, network: Uint8Array, x: string): string {
  const { graph }: Model = decodeModel(network);
  const prefix = `network${b.build().nodes.length}/`;
  const rename = (name: string): string => (name === graph.inputs[0]!.name ? x : prefix + name);
  b.import(graph, rename);
  return rename(graph.outputs[0]!.name);
}

/** Ten for the class with the largest logit, none for the others. */
export function vote(b: GraphBuilder, logits: string): string {
  return scale(b, b.op('Hardmax', [logits], { axis: attribute.int(1) })[0], 10);
}
