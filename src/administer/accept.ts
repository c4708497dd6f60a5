/** A person takes over an agent whose owner went: their own act, which nobody does for them. */
import { z } from 'zod';
import { makeEntry } from '../core/entry.ts';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import { parseName } from '../core/ids.ts';
import { parseWith, words } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Deps } from '../deps.ts';
import { oneOfTwo } from '../authenticate/act.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { actorOf } from './administrator.ts';
import { unmetFailure } from './commit.ts';

const acceptanceForm = z.strictObject({ reason: words(1000).nullable().default(null) });

/** Its deputy, or whom an administrator has named as its owner meanwhile; never the one who went. */
export async function acceptAgent(
  deps: Deps,
  operator: OperatorPrincipal,
  called: string,
  body: unknown,
): Promise<Result<Receipt>> {
  const agent = parseName('agent', called);
  if (!agent.ok) return agent;
  const form = parseWith(acceptanceForm, body);
  if (!form.ok) return form;
  const { epoch, inSetup } = await deps.store.deployment();
  if (oneOfTwo(operator, inSetup) === null) return err(NOT_IN_PERSON);
  const { person } = operator;
  const { reason } = form.value;
  const entry = makeEntry(
    {
      tenant: null,
      kind: 'register.put',
      at: deps.clock(),
      actor: actorOf(operator),
      accountable: person,
      inSetup,
      facts: { change: 'agent.accept', agent: called, owner: person },
      said: reason === null ? {} : { reason },
    },
    deps.random,
  );
  const change = { kind: 'agent.accept', agent: agent.value, person } as const;
  const done = await deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: epoch }, [entry]);
  deps.store.forget(null);
  if (!done.ok) return err(unmetFailure(done.error));
  const [receipt] = done.value.receipts;
  if (receipt === undefined) throw new Error('an agent was accepted without its entry');
  return ok(receipt);
}

const NOT_IN_PERSON = failure('local_token_refused', 'whoever answers for an agent accepts it in person', {
  hint: 'Sign in at the operators’ issuer.',
});
