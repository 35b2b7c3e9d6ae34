import { z } from 'zod';
import { errorTable } from '../errors/index.js';
import { inferenceRequestSchema } from './inference-request.js';

const json = (schema: object) => ({ 'application/json': { schema } });
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const named = (name: string, description: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
});

const string = { type: 'string' } as const;
const integers = { type: 'array', items: { type: 'integer' } } as const;
const described = {
  type: 'object',
  required: ['name', 'datatype', 'shape'],
  properties: { name: string, datatype: string, shape: integers },
} as const;

const schemas = {
  Error: {
    type: 'object',
    required: ['error', 'code', 'hint', 'request'],
    properties: {
      error: { ...string, description: 'What was expected, and what came.' },
      code: { enum: [...Object.keys(errorTable), 'internal'] },
      hint: { ...string, description: 'What to do next.' },
      details: { type: 'array', items: string, description: 'Every problem, when there are several.' },
      request: { ...string, description: 'Finds the request in the log of the gateway.' },
    },
  },
  Model: {
    type: 'object',
    required: ['name', 'versions', 'platform', 'inputs', 'outputs', 'parameters'],
    properties: {
      name: string,
      versions: { type: 'array', items: string, description: 'The revision that answers.' },
      platform: { const: 'onnx_onnxv1' },
      inputs: { type: 'array', items: described },
      outputs: { type: 'array', items: described },
      parameters: {
        type: 'object',
        description: 'The digest of the model, and how what is told of its answers is limited.',
      },
    },
  },
  Answer: {
    type: 'object',
    required: ['model_name', 'model_version', 'parameters', 'outputs'],
    properties: {
      id: string,
      model_name: string,
      model_version: { ...string, description: 'The revision that answered.' },
      parameters: { type: 'object', required: ['model'], properties: { model: string } },
      outputs: {
        type: 'array',
        items: {
          ...described,
          required: [...described.required, 'data'],
          properties: {
            ...described.properties,
            data: { type: 'array', items: { type: ['number', 'string', 'boolean'] } },
          },
        },
      },
    },
  },
} as const;

const failures = {
  '400': 'The request is malformed.',
  '401': 'No credentials that this gateway knows.',
  '403': 'The client may not ask this endpoint, or gets no answers today.',
  '404': 'No such endpoint, or not this revision.',
  '413': 'The body or the batch is too large.',
  '415': 'Neither JSON nor binary tensors.',
  '422': 'The values are none that the model may see, or it gives no answer to them.',
  '429': 'The budget is spent; Retry-After says for how long.',
  '503': 'Too many wait for the model, or no release of it is ready.',
} as const;
type Failure = keyof typeof failures;

const answers = (description: string, schema: object, ...statuses: readonly Failure[]) => ({
  '200': { description, content: json(schema) },
  ...Object.fromEntries(
    statuses.map((status) => [status, { description: failures[status], content: json(ref('Error')) }]),
  ),
});
const flag = (name: string) => ({
  type: 'object',
  required: [name],
  properties: { [name]: { type: 'boolean' } },
});

/**
 * What a gateway answers to, as OpenAPI 3.1 describes it: the REST half of the Open Inference Protocol V2.
 * Source: https://spec.openapis.org/oas/v3.1.0.
 */
export function openApiDocument() {
  const { $schema: _, ...Request } = z.toJSONSchema(inferenceRequestSchema, {
    io: 'input',
    // The data, which is checked against the shape, is a list of anything as far as a schema can say.
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === 'custom')
        Object.assign(jsonSchema, {
          type: 'array',
          description: 'Row-major, flat, or nested as deep as the shape.',
        });
    },
  });
  const modelPaths = [
    { path: '/v2/models/{name}', parameters: [named('name', 'An endpoint.')] },
    {
      path: '/v2/models/{name}/versions/{version}',
      parameters: [named('name', 'An endpoint.'), named('version', 'Its live revision.')],
    },
  ].flatMap(({ path, parameters }) => {
    const suffix = parameters.length > 1 ? 'Version' : '';
    return [
      [
        path,
        {
          parameters,
          get: {
            operationId: `model${suffix}`,
            summary: 'What the endpoint takes and gives, and what it holds back',
            responses: answers('The model.', ref('Model'), '401', '403', '404', '503'),
          },
        },
      ],
      [
        `${path}/ready`,
        {
          parameters,
          get: {
            operationId: `modelReady${suffix}`,
            summary: 'Whether a release is verified and loaded',
            responses: answers('It is.', flag('ready'), '401', '403', '404', '503'),
          },
        },
      ],
      [
        `${path}/infer`,
        {
          parameters,
          post: {
            operationId: `infer${suffix}`,
            summary: 'Ask for predictions',
            requestBody: {
              required: true,
              content: {
                ...json(ref('Request')),
                'application/octet-stream': {
                  schema: {
                    type: 'string',
                    format: 'binary',
                    description:
                      'Binary tensors: a Request in JSON, as long as Inference-Header-Content-Length says, then their data.',
                  },
                },
              },
            },
            responses: answers('Predictions.', ref('Answer'), ...(Object.keys(failures) as Failure[])),
          },
        },
      ],
    ] as const;
  });
  const open = (operationId: string, summary: string, schema: object, ...statuses: readonly Failure[]) => ({
    get: { operationId, summary, security: [], responses: answers(summary, schema, ...statuses) },
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Assay gateway',
      version: '2',
      description: 'Predictions of models whose whole chain of signatures was verified.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ bearer: [] }],
    paths: {
      '/v2': open('server', 'What the server is', {
        type: 'object',
        required: ['name', 'version', 'extensions'],
        properties: { name: string, version: string, extensions: { type: 'array', items: string } },
      }),
      '/v2/openapi.json': open('openapi', 'This document', { type: 'object' }),
      '/v2/health/live': open('live', 'Whether the server runs', flag('live')),
      '/v2/health/ready': {
        get: {
          operationId: 'ready',
          summary: 'Whether the server takes requests',
          security: [],
          responses: {
            '200': { description: 'It does.', content: json(flag('ready')) },
            '503': { description: 'Not yet, or no more.', content: json(flag('ready')) },
          },
        },
      },
      ...Object.fromEntries(modelPaths),
    },
    components: {
      schemas: { Request, ...schemas },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or a JSON Web Token.' },
      },
    },
  };
}
