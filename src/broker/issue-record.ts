/** How an issue is written down, whatever it rests on: the entries of what comes of its mint. */
import { makeEntry } from '../core/entry.ts';
import type { EntryDraft } from '../core/entry.ts';
import type { LeaseTerms } from '../core/lease.ts';
import { leaseEntry, overtakenEntry, tooLargeEntry } from '../attribute/record.ts';
import type { Asking } from '../attribute/record.ts';
import type { Deps } from '../deps.ts';
import type { IssueRecord } from '../issue/outcome.ts';
import { takeBack } from '../revoke/undelivered.ts';

type Common = Pick<IssueRecord, 'entries' | 'landed' | 'overtaken' | 'late' | 'tooLarge' | 'undelivered'>;

/** @param why the entry of what the lease rests on: of a permit, or of a redemption. */
export function issueRecord(deps: Deps, asking: Asking, why: (lease: LeaseTerms) => EntryDraft): Common {
  const { clock, random } = deps;
  return {
    entries: (lease, state) => [
      makeEntry(why(lease), random),
      makeEntry(leaseEntry(asking, lease, state === 'active' ? 'lease.active' : 'lease.opening', null), random),
    ],
    landed: (lease, { reference }) =>
      makeEntry({ ...leaseEntry(asking, lease, 'lease.active', reference), at: clock() }, random),
    overtaken: (lease, block) => makeEntry(overtakenEntry(asking, lease, block, clock()), random),
    tooLarge: (lease) => makeEntry(tooLargeEntry(asking, lease, clock()), random),
    late: (lease, { reference }) =>
      makeEntry({ ...leaseEntry(asking, lease, 'lease.landed', reference), at: clock() }, random),
    undelivered: (lease) => deps.background(takeBack(deps, lease)),
  };
}
