/** What oversight wrote down, as callers see it. */
import type { Json } from '../core/canonical.ts';
import type { Verdict } from '../core/oversight.ts';
import { toRfc3339 } from '../core/time.ts';

export const verdictWire = ({ id, lease, verdict, reference, by, at }: Verdict): Record<string, Json> => ({
  id,
  lease,
  verdict,
  reference,
  by,
  at: toRfc3339(at),
});
