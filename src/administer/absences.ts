/** When people are away, and so asked nothing: by their own word or an administrator's, and always with an end. */
import { z } from 'zod';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { PersonName } from '../core/ids.ts';
import { parseWith, when } from '../core/parse.ts';
import type { Absence } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import { after, seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { aboutPerson } from './administrator.ts';
import type { Administrator } from './administrator.ts';
import { mustBeAsSeen } from './author.ts';
import type { Author } from './author.ts';
import { perform } from './commit.ts';

/** Who is away for longer holds a role that somebody else should. */
const LONGEST = seconds(90 * 24 * 3600);

const body = z.strictObject({ from: when().optional(), until: when() });

/** Who is named, on the deployment as it is. */
export interface Named {
  readonly deployment: DeploymentSnapshot;
  readonly person: PersonName;
}

/** @param named in the place of what was said of that person before. */
export async function putAbsence(
  deps: Deps,
  author: Author,
  { deployment, person }: Named,
  written: unknown,
): Promise<Result<Receipt>> {
  const now = deps.clock();
  const by = await mayTell(deps, author, { deployment, person }, now);
  if (!by.ok) return by;
  const parsed = parseWith(body, written);
  if (!parsed.ok) return parsed;
  const absence = { person, from: parsed.value.from ?? now, until: parsed.value.until, by: author.person };
  const wrong = whyNoEnd(absence, now);
  if (wrong !== null) return err(failure('invalid_field', wrong, { path: 'until', hint: HINT }));
  return perform(deps, {
    ...plain(author, by.value),
    change: { kind: 'absence.put', absence },
    facts: factsOf(absence),
  });
}

const HINT = 'It ends after it begins, after now, and within 90 days.';

function whyNoEnd({ from, until }: Absence, now: Instant): string | null {
  if (until <= now || until <= from) return 'it has no such end';
  return until > after(now, LONGEST) ? 'nobody is away for so long' : null;
}

export async function endAbsence(deps: Deps, author: Author, { deployment, person }: Named): Promise<Result<Receipt>> {
  const by = await mayTell(deps, author, { deployment, person }, deps.clock());
  if (!by.ok) return by;
  return perform(deps, { ...plain(author, by.value), change: { kind: 'absence.end', person }, facts: { person } });
}

async function mayTell(deps: Deps, author: Author, { deployment, person }: Named, now: Instant) {
  const by = aboutPerson(author, deployment, now, person);
  if (!by.ok) return by;
  const seen = await mustBeAsSeen(deps, author, deployment);
  return seen.ok ? ok(by.value) : seen;
}

const plain = ({ reason }: Author, by: Administrator) => ({
  by,
  ledger: null,
  said: reason === null ? {} : { reason },
  ends: null,
});

const factsOf = ({ person, from, until }: Absence) => ({ person, from: toRfc3339(from), until: toRfc3339(until) });
