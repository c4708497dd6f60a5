/** Agents whose broker may die at any moment: they know what was acknowledged, and what was lost on the way. */
import { randomUUID } from 'node:crypto';
import { ASSERTION_TYPE } from '../../src/client/assertion.ts';
import { AT_AWS, THROUGH_VAULT } from './kill-bundle.ts';
import type { AgentOfWorld } from './kill-world.ts';

export interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/** `null`: the connection went before the answer was whole. */
export type Reply = Answered | null;

export interface Receipt {
  readonly entry: string;
  readonly leaf_hash: string;
}

/** Which task, of which agent, at which target. */
export interface Task {
  readonly agent: AgentOfWorld;
  readonly body: Readonly<Record<string, unknown>>;
}

export const QUERY: Task = {
  agent: 'report-bot',
  body: { task: 'report.query', resource: 'shop-db', parameters: {}, reason: 'The report is due', ttl: 900 },
};

/** @param target a target of the `jwt` provider. */
export const routing = (target: string): Task => ({
  agent: 'triage-bot',
  body: {
    task: 'ticket.route',
    resource: target,
    parameters: { ticket: 'ACME-1', queue: 'network' },
    reason: 'A new ticket',
    ttl: 300,
  },
});

/** @param target one of the agents' roles at AWS. */
export const cloudRead = (target: string, ttl: number): Task => ({
  agent: 'report-bot',
  body: { task: AT_AWS, resource: target, parameters: { ticket: 'acme-1' }, reason: 'The report is due', ttl },
});

export const VAULT_READ: Task = {
  agent: 'report-bot',
  body: { task: THROUGH_VAULT, resource: 'reports-vault', parameters: {}, reason: 'The report is due', ttl: 900 },
};

/** Through the gateway. */
export const ticketRead = (uses: number): Task => ({
  agent: 'triage-bot',
  body: {
    task: 'ticket.read',
    resource: 'psa',
    parameters: { ticket: 'ACME-1' },
    reason: 'A ticket came in',
    uses,
    ttl: 900,
  },
});

export const newKey = (): string => randomUUID();

export const ask = (url: string, token: string, { body }: Task, key: string | null = null): Promise<Reply> =>
  post(`${url}/t/acme/requests`, token, body, key);

export const complete = (url: string, token: string, lease: string, wait: number | null = null): Promise<Reply> =>
  post(`${url}/t/acme/leases/${lease}/complete${wait === null ? '' : `?wait=${wait}`}`, token, {
    outcome: 'succeeded',
    summary: null,
    evidence: [],
  });

/** What people approved, with a fresh assertion of who asks. */
export const redeem = (url: string, request: string, assertion: string): Promise<Reply> =>
  post(`${url}/t/acme/requests/${request}/credential`, null, {
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion,
  });

export async function post(
  url: string,
  token: string | null,
  body: unknown,
  key: string | null = null,
): Promise<Reply> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        'content-type': 'application/json',
        ...(key === null ? {} : { 'idempotency-key': key }),
      },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      retryAfter: answer.headers.get('retry-after'),
      body: JSON.parse(text) as Answered['body'],
    };
  } catch (fault) {
    // What fetch and a body that breaks off throw.
    if (fault instanceof TypeError) return null;
    throw fault;
  }
}

/** The id of the lease in an answer, whole or named alone. */
export function leaseOf(reply: Reply): string | null {
  const lease = reply?.body['lease'];
  if (typeof lease === 'string') return lease;
  return typeof lease === 'object' && lease !== null && 'id' in lease ? String(lease.id) : null;
}

export const receiptOf = (reply: Reply): Receipt | null => (reply?.body['receipt'] as Receipt | undefined) ?? null;
