/** `/api/people/{name}/absences`: when a person is away, and so asked nothing. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { endAbsence, putAbsence } from '../administer/absences.ts';
import type { Named } from '../administer/absences.ts';
import { aboutPerson } from '../administer/administrator.ts';
import type { Author, Place } from '../administer/author.ts';
import { receipt } from './acting.ts';
import { readJson } from './body.ts';
import { currentDeployment } from './caller.ts';
import { authorOf, itemAnswer } from './conditions.ts';
import { absenceWire } from './register-wire.ts';
import type { Scope } from './scope.ts';
import { problem } from './wire.ts';

export const absences = new Hono<Scope>();

/** Of that person, as it is now; what is over is none. */
const absenceIn = (c: Context<Scope, '/:name'>) => (place: Place) => {
  const { absences: all } = 'deployment' in place ? place.deployment : place;
  const found = [...all.values()].find(({ person }) => person === c.req.param('name'));
  return found === undefined || found.until <= c.var.deps.clock() ? undefined : absenceWire(found);
};

/** Themselves, or an administrator: nobody else learns who there is. */
async function named(
  c: Context<Scope, '/:name'>,
): Promise<Result<{ readonly operator: Author; readonly named: Named }>> {
  const operator = await authorOf(c, absenceIn(c));
  if (!operator.ok) return operator;
  const person = parseName('person', c.req.param('name'));
  if (!person.ok) return person;
  const deployment = await currentDeployment(c.var.deps);
  const by = aboutPerson(operator.value, deployment, c.var.deps.clock(), person.value);
  if (!by.ok) return by;
  if (!deployment.persons.has(person.value)) return err(NOTHING_HERE);
  return ok({ operator: operator.value, named: { deployment, person: person.value } });
}

absences.get('/:name/absences', async (c) => {
  const here = await named(c);
  if (!here.ok) return problem(c, here.error);
  const found = absenceIn(c)(here.value.named.deployment);
  return found === undefined ? problem(c, NOTHING_HERE) : itemAnswer(c, found);
});

absences.put('/:name/absences', async (c) => {
  const here = await named(c);
  if (!here.ok) return problem(c, here.error);
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  return receipt(c, await putAbsence(c.var.deps, here.value.operator, here.value.named, body.value));
});

absences.delete('/:name/absences', async (c) => {
  const here = await named(c);
  if (!here.ok) return problem(c, here.error);
  return receipt(c, await endAbsence(c.var.deps, here.value.operator, here.value.named));
});
