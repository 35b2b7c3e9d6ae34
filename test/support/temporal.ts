const addressVariable = 'ASSAY_TEST_TEMPORAL_ADDRESS';

/** The Temporal server that globalSetup started for all suites; each takes a namespace or task queues of its own. */
export function sharedTemporal(): { readonly address: string } {
  const address = process.env[addressVariable];
  if (address === undefined)
    throw new Error(`expected globalSetup to have set ${addressVariable}, got nothing`);
  return { address };
}

/** For globalSetup: suites run in processes that inherit its environment. */
export function publishTemporal(address: string): void {
  process.env[addressVariable] = address;
}
