/** Whether IAM would let a call through, by an evaluator that is not ours. */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { Simulation } from '@cloud-copilot/iam-simulate';

export interface Policies {
  /** By name. */
  readonly identity: readonly (readonly [name: string, document: unknown])[];
  readonly session?: unknown;
  readonly boundary?: unknown;
  /** A role's trust policy. */
  readonly resource?: unknown;
}

export interface Call {
  readonly principal: string;
  readonly account: string;
  /** `service:Action` */
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | string[]>>;
}

/** `null`: let through. Otherwise as AWS words it. */
export type Refusal = string | null;

export async function evaluate(call: Call, policies: Policies): Promise<Refusal> {
  const identity = await overallOf(call, {
    identity: policies.identity,
    boundary: policies.boundary,
    resource: policies.resource,
  });
  const whole = policies.session === undefined ? identity : await overallOf(call, policies);
  if (whole === 'Allowed') return null;
  if (identity === 'ExplicitlyDenied') return 'with an explicit deny in an identity-based policy';
  if (whole === 'ExplicitlyDenied') return 'with an explicit deny in a session policy';
  const by = identity === 'Allowed' ? 'session' : 'identity-based';
  return `because no ${by} policy allows the ${call.action} action`;
}

async function overallOf(call: Call, policies: Policies): Promise<string> {
  const result = await runSimulation(simulationOf(call, policies), {});
  if (result.resultType === 'error') throw new MalformedPolicy(JSON.stringify(result.errors));
  return result.overallResult;
}

export class MalformedPolicy extends Error {
  override readonly name = 'MalformedPolicy';
}

function simulationOf(call: Call, { identity, session, boundary, resource }: Policies): Simulation {
  return {
    request: {
      principal: call.principal,
      action: call.action,
      resource: { resource: call.resource, accountId: call.account },
      contextVariables: { ...call.context },
    },
    identityPolicies: identity.map(([name, policy]) => ({ name, policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(session === undefined ? {} : { sessionPolicy: session }),
    ...(resource === undefined ? {} : { resourcePolicy: resource }),
    ...(boundary === undefined ? {} : { permissionBoundaryPolicies: [{ name: 'boundary', policy: boundary }] }),
  };
}
