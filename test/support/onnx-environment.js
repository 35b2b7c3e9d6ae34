const { TestEnvironment } = require('jest-environment-node');

/**
 * onnxruntime-node checks `instanceof` against the typed arrays of the outer realm, while jest gives every suite a
 * realm of its own. Sharing *all* buffer constructors makes tensors cross that border.
 */
class OnnxEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of [
      'ArrayBuffer',
      'SharedArrayBuffer',
      'DataView',
      'Uint8Array',
      'Uint8ClampedArray',
      'Int8Array',
      'Uint16Array',
      'Int16Array',
      'Uint32Array',
      'Int32Array',
      'Float32Array',
      'Float64Array',
      'BigInt64Array',
      'BigUint64Array',
    ]) {
      this.global[name] = globalThis[name];
    }
  }
}

module.exports = OnnxEnvironment;
