import type { Rule } from './rule.js';
import { constantAllocation, valueSize } from './rules/allocation.js';
import { graphDepth, loops } from './rules/control-flow.js';
import { givenTwice, malformed, nesting, notText, tooMany, unknownField } from './rules/encoding.js';
import { externalData } from './rules/external-data.js';
import { fileKind, fileSize } from './rules/file.js';
import { opsetRange, ownFunctions, trainingInfo, unknownDomain, unknownOperator } from './rules/operators.js';
import { attributes, dangling, duplicateName, noGraph, opaqueType, stowaway } from './rules/structure.js';
import { sparseTensor, stringTensor, tensorData, tensorShape } from './rules/tensors.js';
import { longName, payload, secret, tensorPayload, unseenText } from './rules/texts.js';

/** Every rule that a model file is held to, in the order in which findings are reported. */
export const rules: readonly Rule[] = [
  fileKind,
  fileSize,
  malformed,
  unknownField,
  givenTwice,
  nesting,
  notText,
  tooMany,
  opsetRange,
  unknownDomain,
  unknownOperator,
  ownFunctions,
  trainingInfo,
  tensorShape,
  tensorData,
  sparseTensor,
  stringTensor,
  externalData,
  noGraph,
  duplicateName,
  dangling,
  attributes,
  opaqueType,
  stowaway,
  constantAllocation,
  valueSize,
  loops,
  graphDepth,
  payload,
  tensorPayload,
  secret,
  unseenText,
  longName,
];
