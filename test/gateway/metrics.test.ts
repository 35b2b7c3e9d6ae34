import { type ReleaseScene, releaseScene } from './release-scene.js';
import { alice, sample } from './running-gateway.js';

let scene: ReleaseScene;
beforeAll(async () => {
  scene = await releaseScene();
});
afterAll(() => scene.end());

describe('the metrics of a gateway', () => {
  it('count what it answered and refused, by names that the operator chose alone, and say how endpoints are', async () => {
    await scene.publish(1, 0);
    const gateway = await scene.start();
    const two = [{ ...sample.inputs[0], shape: [2, 2], data: [0, 1, 0, 1] }];
    await gateway.infer();
    await gateway.infer({ inputs: two });
    await gateway.infer({ inputs: [] });
    await gateway.infer(sample, '/v2/models/made-up/infer');
    await gateway.call('/v2/models/samples/infer', { method: 'POST' });
    gateway.advance(5_000);
    const response = await fetch(`${gateway.adminUrl}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const lines = text.split('\n');
    const infer = 'route="/v2/models/:name/infer"';
    for (const line of [
      `assay_gateway_requests_total{endpoint="samples",${infer},status="200"} 2`,
      `assay_gateway_requests_total{endpoint="samples",${infer},status="400"} 1`,
      `assay_gateway_requests_total{endpoint="samples",${infer},status="401"} 1`,
      `assay_gateway_requests_total{endpoint="",${infer},status="404"} 1`,
      'assay_gateway_refusals_total{endpoint="samples",code="request-invalid"} 1',
      'assay_gateway_samples_total{endpoint="samples"} 3',
      `assay_gateway_request_seconds_count{endpoint="samples",${infer}} 4`,
      'assay_gateway_live_revision{endpoint="samples"} 1',
      'assay_gateway_wanted_revision{endpoint="samples"} 1',
      'assay_gateway_converged{endpoint="samples"} 1',
      'assay_gateway_refused{endpoint="samples"} 0',
      'assay_gateway_store_age_seconds{endpoint="samples"} 5',
    ])
      expect(lines).toContain(line);
    expect(text).not.toContain('made-up');
    expect(text).not.toContain(alice.key);
    expect((await fetch(`${gateway.url}/metrics`)).status).toBe(404);
  });
});
