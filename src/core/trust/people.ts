import { z } from 'zod';
import { RefusedError } from '../errors/index.js';
import { nameSchema } from '../spec/index.js';

export const accessRoles = ['viewer', 'runner', 'approver', 'releaser', 'admin'] as const;
/** What a person may do at an endpoint. `viewer` may look, which changes nothing. */
export type AccessRole = (typeof accessRoles)[number];

export const requestActions = ['run', 'approve', 'reject', 'rollback', 'freeze', 'unfreeze'] as const;
/** What a person may ask of a run or of an endpoint. */
export type RequestAction = (typeof requestActions)[number];

/** The one table of who may ask for what. */
export const roleNeeded: Readonly<Record<RequestAction, AccessRole>> = {
  run: 'runner',
  approve: 'approver',
  reject: 'approver',
  rollback: 'releaser',
  freeze: 'admin',
  unfreeze: 'admin',
};

/** Requests without a signature that a policy lets in where it says nothing: they stop things, and bring nothing new. */
const unsignedByDefault: readonly RequestAction[] = ['freeze', 'rollback', 'reject'];

const wherever = '*';

export const personSchema = z.strictObject({
  /** As decisions tell it; compared as a whole. */
  name: z
    .string()
    .min(1)
    .max(200)
    .refine((name) => name.trim() === name && !name.startsWith('unauthenticated'), {
      message: 'expected a name without outer spaces that does not begin with "unauthenticated"',
    }),
  /** Ids of keys, or identities in certificates, of this policy: whoever has several of them is one person. */
  signers: z.array(z.string()).min(1),
  /** By endpoint; `*` stands for all of them, the listed ones included. */
  roles: z.record(
    z.string().refine((key) => key === wherever || nameSchema.safeParse(key).success, {
      message: 'expected the name of an endpoint, or *',
    }),
    z.array(z.enum(accessRoles)).min(1),
  ),
});
export type Person = Readonly<z.infer<typeof personSchema>>;

/** What of a trust policy is about people. */
export interface AccessRules {
  readonly people?: readonly Person[] | undefined;
  readonly unsigned?: { readonly allow: readonly RequestAction[] } | undefined;
}

/** Whether a person has a role at an endpoint. */
export function hasRole({ roles }: Pick<Person, 'roles'>, role: AccessRole, endpoint: string): boolean {
  return [wherever, endpoint].some((key) => Object.hasOwn(roles, key) && roles[key]!.includes(role));
}

/** Whether a person may ask for this at an endpoint. */
export function mayAsk(person: Pick<Person, 'roles'>, action: RequestAction, endpoint: string): boolean {
  return hasRole(person, roleNeeded[action], endpoint);
}

/** Whether this may be asked by somebody who does not sign. */
export function mayAskUnsigned({ unsigned }: AccessRules, action: RequestAction): boolean {
  return (unsigned?.allow ?? unsignedByDefault).includes(action);
}

/** The person who signs as this key or identity; undefined for workers and strangers. */
export function personOf({ people }: AccessRules, signer: string): Person | undefined {
  return people?.find(({ signers }) => signers.includes(signer));
}

/** @throws RefusedError `role-missing`, which says who has the role */
export function requireRole(rules: AccessRules, person: Person, role: AccessRole, endpoint: string): void {
  if (hasRole(person, role, endpoint)) return;
  const able = (rules.people ?? []).filter((other) => hasRole(other, role, endpoint)).map(({ name }) => name);
  const has = accessRoles.filter((candidate) => hasRole(person, candidate, endpoint));
  throw new RefusedError(
    'role-missing',
    `expected a ${role} of endpoint ${endpoint} (${able.join(', ') || 'the trust policy names none'}), ` +
      `got ${person.name}, who is ${has.join(', ') || 'nothing there'}`,
  );
}
