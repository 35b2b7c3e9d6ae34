import { randomBytes } from 'node:crypto';
import { createRequestActivities, type RequestCheck } from '../../src/activities/requests.js';
import { canonicalJson, digestOf } from '../../src/core/store/index.js';
import { generateSigningKey, readSigner, type Signer, signRequest } from '../../src/core/trust/index.js';
import { type SignedChain, signedChain } from '../gateway/signed-chain.js';
import { attempt } from './attempt.js';

const endpoint = 'samples';
const subject = digestOf('model');
const verification = digestOf('summary');
let chain: SignedChain;
let ada: Signer;
let grace: Signer;
let policy: SignedChain['policy'];
beforeAll(async () => {
  chain = await signedChain();
  [ada, grace] = (await Promise.all(
    [0, 1].map(async () => readSigner((await generateSigningKey()).privateKey)),
  )) as [Signer, Signer];
  const key = ({ keyId: id, publicKey }: Signer) => ({ id, publicKey, roles: ['request' as const] });
  policy = {
    ...chain.policy,
    keys: [...chain.policy.keys, key(ada), key(grace)],
    people: [
      { name: 'ada', signers: [ada.keyId], roles: { '*': ['runner', 'approver', 'releaser'] } },
      { name: 'grace', signers: [grace.keyId], roles: { '*': ['approver'] } },
    ],
  };
});
afterAll(() => chain.remove());

const bundle = (signer: Signer) =>
  signRequest(
    signer,
    { action: 'approve', endpoint, run: 'run', subject, verification, reason: 'fine' },
    { now: new Date(), lifetimeMs: 60_000, nonce: randomBytes(16).toString('hex') },
  );
const check = (asked: RequestCheck['asked'], changes: Partial<RequestCheck> = {}, trust = policy) =>
  attempt().run(() =>
    createRequestActivities({ store: chain.store, trust, scratch: '', identity: 'control' }).checkRequest({
      ...{ asked, actions: ['approve', 'reject'], endpoint, run: 'run', subject, verification },
      approval: { runner: 'ada', approvedBy: [] },
      ...{ at: new Date().toISOString(), claim: 'first' },
      ...changes,
    }),
  );

it('grants a request once, to whoever came first with it, and files it under what it is about', async () => {
  const signed = await bundle(grace);
  const granted = await check({ signed });
  expect(granted).toMatchObject({ kind: 'done', value: { action: 'approve', person: 'grace' } });
  // A second attempt of the same activity is no second request.
  expect(await check({ signed })).toEqual(granted);
  expect(await check({ signed }, { claim: 'second' })).toMatchObject({ code: 'request-replayed' });
  const envelope = granted.kind === 'done' && granted.value.envelope;
  expect(await chain.store.referrers(subject)).toContain(envelope);
});

it('lets nobody approve twice, nor what they asked for', async () => {
  const twice = { approval: { runner: 'ada', approvedBy: ['grace'] } };
  expect(await check({ signed: await bundle(grace) }, twice)).toMatchObject({ code: 'approval-repeated' });
  const signed = await bundle(ada);
  expect(await check({ signed })).toMatchObject({ code: 'duties-not-separate' });
  const alone = { ...policy, separationOfDuties: 'none' } as const;
  expect(await check({ signed }, {}, alone)).toMatchObject({ kind: 'done' });
});

it('takes what nobody signed only where the policy lets it, and as one voice', async () => {
  const unsigned = (action: 'approve' | 'reject') => ({ action, by: 'grace', reason: 'x' });
  expect(await check(unsigned('approve'))).toMatchObject({ code: 'request-unsigned' });
  expect(await check(unsigned('reject'))).toMatchObject({ value: { person: 'unauthenticated (grace)' } });
  expect(await check(unsigned('reject'), { actions: ['approve'] })).toMatchObject({
    code: 'request-unsigned',
  });
  const open = { ...policy, unsigned: { allow: ['approve' as const] } };
  expect(await check(unsigned('approve'), {}, open)).toMatchObject({ kind: 'done' });
  const again = { approval: { runner: 'ada', approvedBy: ['unauthenticated (ada)'] } };
  expect(await check(unsigned('approve'), again, open)).toMatchObject({ code: 'approval-repeated' });
});

it('lets one request for a run lead to one release, however it is proposed again', async () => {
  const order = canonicalJson({ lifecycle: { name: 'samples', release: { endpoint } } });
  const signed = await signRequest(
    ada,
    {
      action: 'run',
      endpoint,
      run: 'run',
      subject: await chain.store.putBlob(Buffer.from(order)),
      reason: 'a run',
    },
    { now: new Date(), lifetimeMs: 60_000, nonce: randomBytes(16).toString('hex') },
  );
  const requests = [await chain.store.putBlob(Buffer.from(signed))];
  const { authorizeProposal } = createRequestActivities({
    store: chain.store,
    trust: policy,
    scratch: '',
    identity: 'control',
  });
  const propose = (answer: number, changes: object = {}) =>
    attempt().run(async () => {
      const { model, chain: statements } = await chain.model(answer);
      const proposal = { model, chain: statements, reason: 'x', requestedBy: 'grace', requests, ...changes };
      return authorizeProposal({ endpoint, proposal });
    });
  const { model, chain: statements } = await chain.model(0);
  const first = { model, chain: statements };
  expect(await propose(0, first)).toMatchObject({ value: { requestedBy: 'ada' } });
  expect(await propose(0, { ...first, reason: 'asked again' })).toMatchObject({ kind: 'done' });
  expect(await propose(1)).toMatchObject({ kind: 'refused', code: 'request-replayed' });
  expect(await propose(0, { ...first, requests: undefined })).toMatchObject({ code: 'release-unverified' });
});
