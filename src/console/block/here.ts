/** The block in the path, where its reader oversees any of it. */
import type { Context } from 'hono';
import { parseId } from '../../core/ids.ts';
import { NOTHING_HERE } from '../../core/failure.ts';
import { err } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { KeptBlock } from '../../core/store/blocks.ts';
import { seenBlock } from '../../oversee/blocks.ts';
import type { Scope } from '../../http/scope.ts';
import type { SignedInVisit } from '../visit.ts';

export async function seenHere(c: Context<Scope>, { deps, caller }: SignedInVisit): Promise<Result<KeptBlock>> {
  const id = parseId('blk', c.req.param('id'));
  return id.ok ? seenBlock(deps, caller, id.value) : err(NOTHING_HERE);
}
