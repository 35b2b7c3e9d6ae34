/** The least that answers over HTTP: Fastify and ONNX Runtime on its event loop, which checks nothing. `node bare.mjs MODEL INPUT` */

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { fastify } = require('fastify');
const ort = require('onnxruntime-node');

const [model, input] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const app = fastify({ bodyLimit: 2 ** 23 });
app.post('/v2/models/digits/infer', async (request) => {
  const [{ shape, data }] = request.body.inputs;
  const { [session.outputNames[0]]: logits } = await session.run({
    [input]: new ort.Tensor('float32', Float32Array.from(data), shape),
  });
  const [samples, classes] = logits.dims;
  const label = [];
  const probabilities = [];
  for (let sample = 0; sample < samples; sample++) {
    const row = logits.data.subarray(sample * classes, (sample + 1) * classes);
    const largest = Math.max(...row);
    const powers = Array.from(row, (logit) => Math.exp(logit - largest));
    const sum = powers.reduce((a, b) => a + b);
    label.push(row.indexOf(largest));
    probabilities.push(...powers.map((power) => power / sum));
  }
  return {
    model_name: 'digits',
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [samples], data: label },
      { name: 'probabilities', datatype: 'FP32', shape: [samples, classes], data: probabilities },
    ],
  };
});
console.log(JSON.stringify({ address: await app.listen({ host: '127.0.0.1', port: 0 }) }));
