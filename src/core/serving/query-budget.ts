import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { nameSchema, type QueryBudget } from '../spec/index.js';

/** A stretch of time in which a client may ask about so many samples. */
export interface BudgetWindow {
  /** The day in UTC, as `2026-11-25`, or `total`. */
  readonly name: string;
  /** Samples. */
  readonly limit: number;
  /** When the next window begins; never where this is absent. */
  readonly ends?: Date;
}

/** The windows of a budget that are open now, the shortest first. */
export function budgetWindows({ perDay, total }: QueryBudget, now: Date): readonly BudgetWindow[] {
  const name = now.toISOString().slice(0, 10);
  const ends = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1));
  return [
    ...(perDay === undefined ? [] : [{ name, limit: perDay, ends }]),
    ...(total === undefined ? [] : [{ name: 'total', limit: total }]),
  ];
}

/** The ref that counts what a client has been granted in a window, by all gateways together. */
export function budgetRef(endpoint: string, client: string, { name }: BudgetWindow): string {
  return `budgets/${nameSchema.parse(endpoint)}/${nameSchema.parse(client)}/${name}`;
}

const accountSchema = z.strictObject({ granted: z.int().min(0) });
/** Value of a {@link budgetRef}. */
export type BudgetAccount = z.infer<typeof accountSchema>;

/** @throws RefusedError `record-corrupt` */
export function readBudgetAccount(value: unknown): BudgetAccount {
  const parsed = accountSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RefusedError('record-corrupt', 'expected { granted } in the ref of a query budget');
}

/** Gateways take a twentieth of a budget at a time, so that one store access serves many requests. */
const SHARE = 20;

/**
 * How many samples a gateway takes out of an account when it needs some.
 *
 * @param needed - samples of the request that it cannot answer otherwise
 * @returns at least `needed`, and no more than is left; 0 when less than that is left
 */
export function grantOf({ limit }: BudgetWindow, { granted }: BudgetAccount, needed: number): number {
  const left = limit - granted;
  return left < needed ? 0 : Math.min(left, Math.max(needed, Math.ceil(limit / SHARE)));
}
