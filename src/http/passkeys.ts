/** `/api`: passkeys and sessions of people, as administrators see and end them, and the invitation of the first. */
import { Hono } from 'hono';
import { parseName } from '../core/ids.ts';
import type { Passkey } from '../core/passkey.ts';
import { toRfc3339 } from '../core/time.ts';
import { administratorAt } from '../administer/administrator.ts';
import { invite, removePasskey } from '../administer/passkeys.ts';
import { signOutOther } from '../administer/sessions.ts';
import { receipt } from './acting.ts';
import { currentDeployment, operatorOf } from './caller.ts';
import { onlyQuery } from './query.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

export const passkeys = new Hono<Scope>();

passkeys.get('/passkeys', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const known = onlyQuery(c, []);
  if (!known.ok) return problem(c, known.error);
  const place = await currentDeployment(c.var.deps);
  const by = administratorAt(operator.value, place, c.var.deps.clock());
  if (!by.ok) return problem(c, by.error);
  return answer(c, { items: [...place.passkeys.values()].map(passkeyWire), cursor: null });
});

passkeys.delete('/passkeys/:id', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  return receipt(c, await removePasskey(c.var.deps, operator.value, c.req.param('id')));
});

/** The code stands behind `#`, so that no server is sent it when the link is opened. */
passkeys.post('/invitations', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const made = await invite(c.var.deps, operator.value);
  if (!made.ok) return problem(c, made.error);
  const url = `${c.var.deps.publicUrl}/invitation#${made.value.code}`;
  return answer(c, { url, operator: operator.value.operator, receipt: receiptWire(made.value.receipt) }, 201);
});

passkeys.delete('/operators/:name/sessions', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const name = parseName('operator', c.req.param('name'));
  return name.ok ? receipt(c, await signOutOther(c.var.deps, operator.value, name.value)) : problem(c, name.error);
});

const passkeyWire = ({ publicKey, deviceBound, enrolledAt, confirmedBy, id, person, label, aaguid }: Passkey) => ({
  id,
  person,
  label,
  device_bound: deviceBound,
  aaguid,
  public_key: publicKey,
  enrolled_at: toRfc3339(enrolledAt),
  confirmed_by: confirmedBy,
});
