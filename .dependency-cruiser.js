/** The arrows of ARCHITECTURE.md: whatever is not listed there is not allowed here. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: [`^src/${from}/`, ...allowed.map((path) => `^src/${path}`)] },
});

const rooms = {
  errors: [],
  random: [],
  statistics: [],
  spec: ['errors'],
  secrets: ['errors'],
  store: ['errors', 'spec'],
  text: ['spec'],
  crowd: ['statistics'],
  data: ['errors', 'random', 'statistics', 'spec', 'store', 'text', 'crowd'],
  onnx: ['errors', 'spec'],
  poisoning: ['errors', 'random', 'statistics', 'spec', 'text', 'crowd', 'data', 'onnx', 'training'],
  training: ['errors', 'random', 'spec', 'store', 'data', 'onnx'],
  attacks: ['errors', 'random', 'onnx', 'spec'],
  certification: ['errors', 'random', 'statistics', 'spec', 'onnx', 'attacks'],
  evaluation: [
    'errors',
    'random',
    'statistics',
    'spec',
    'store',
    'data',
    'onnx',
    'training',
    'attacks',
    'certification',
    'serving',
    'text',
  ],
  trust: ['errors', 'spec', 'store', 'secrets', 'evaluation'],
  serving: ['errors', 'random', 'statistics', 'spec', 'text'],
  rollout: ['errors', 'spec'],
};

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'rooms-are-entered-by-their-front-door',
      severity: 'error',
      from: { path: '^src/([^/]+/[^/]+)/' },
      to: { path: '^src/core/[^/]+/', pathNot: ['^src/$1/', '^src/core/[^/]+/index\\.ts$'] },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples)/' },
    },
    only('core-knows-only-core', 'core', []),
    ...Object.entries(rooms).map(([room, allowed]) =>
      only(
        `room-${room}`,
        `core/${room}`,
        allowed.map((other) => `core/${other}/`),
      ),
    ),
    only('workflows-know-spec-and-activity-types', 'workflows', [
      'core/errors/',
      'core/spec/',
      'core/rollout/',
      'activities/',
    ]),
    only('activities-know-core', 'activities', ['core/']),
    only('workers-know-activities', 'workers', ['core/', 'activities/', 'workflows/']),
    only('gateway-knows-core', 'gateway', ['core/']),
    only('cli-knows-core-and-workflow-types', 'cli', ['core/', 'workflows/', 'workers/', 'gateway/']),
    {
      name: 'core-is-free-of-temporal-and-http',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { path: 'node_modules/(@temporalio|fastify|commander)' },
    },
    {
      name: 'workflows-are-deterministic',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      conditionNames: ['require', 'node', 'default'],
    },
  },
};
