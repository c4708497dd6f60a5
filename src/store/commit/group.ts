/**
 * Commits that arrive while one is in flight wait for it and go together, in one transaction. Each has its own outcome,
 * and where the batch as a whole fails its members go singly, so that a bad one harms nobody else.
 */
import type { LifeChange, LiveBudget, Spread } from '../../core/change.ts';
import type { Entry } from '../../core/entry.ts';
import { codeOf, isPassing } from '../database.ts';
import type { Link, Statement } from '../link.ts';
import { REGISTER_LOCK, ROLES } from '../roles.ts';
import { admission, admissionRows } from './admit.ts';
import type { Admission, AdmissionRows } from './admit.ts';
import { MOVE, moveRow } from './move.ts';
import { NOTE, noteRow } from './note.ts';
import { USE, useRow } from './use.ts';
import { createFreshness, locking, withinRows } from './within.ts';
import type { WithinRows } from './within.ts';
import { entryRows, workRows } from './written.ts';
import type { Rows } from './written.ts';

/** Enough that a crowd is served at once, and few enough that one batch stays short. */
const BATCH_LIMIT = 128;

export type Outcome =
  'done' | 'moved' | 'replayed' | 'claimed' | 'fenced' | 'state' | 'approval' | 'order' | 'spread' | LiveBudget;

interface Member {
  readonly n: number;
  readonly tenant: string;
  /** No two members of a batch share one: the second would depend on what becomes of the first. */
  readonly keys: readonly string[];
  readonly rows:
    | { readonly admission: AdmissionRows; readonly within: WithinRows }
    | { readonly use: Rows }
    | { readonly move: Rows }
    | { readonly note: Rows };
  readonly work: Rows;
  readonly entries: Rows;
  readonly settle: PromiseWithResolvers<Outcome>;
}

export interface Group {
  commit(change: LifeChange, entries: readonly Entry[]): Promise<Outcome>;
}

export function createGroup(
  link: Link,
  { inFlight, batchLimit = BATCH_LIMIT, gather = queueMicrotask }: GroupLimits,
): Group {
  const freshness = createFreshness(() => performance.now());
  let waiting: Member[] = [];
  let flying = 0;
  let count = 0;
  const launch = (): void => {
    if (flying >= inFlight || waiting.length === 0) return;
    const { batch, rest } = takeBatch(waiting, batchLimit);
    waiting = rest;
    flying++;
    const landed = () => {
      flying--;
      launch();
    };
    fly(link, batch).then(landed, landed);
  };
  return {
    async commit(change, entries) {
      const member = memberOf(++count, change, entries, freshness.isFresh);
      waiting.push(member);
      if (flying < inFlight) gather(launch);
      const outcome = await member.settle.promise;
      const spread = 'when' in change ? change.when.within?.spread : null;
      if (outcome === 'done' && spread) freshness.wrote(spread);
      return outcome;
    },
  };
}

export interface GroupLimits {
  /** Batches at once. */
  readonly inFlight: number;
  /** 1 on Workers, where no promise may be shared between requests. */
  readonly batchLimit?: number;
  /** Calls back once those that come together have come: they go in one batch. */
  readonly gather?: (launch: () => void) => void;
}

/** The oldest first; one that shares a key with an older one waits, and so does whatever shares one with it. */
function takeBatch(waiting: readonly Member[], limit: number): { batch: Member[]; rest: Member[] } {
  const taken = new Set<string>();
  const batch: Member[] = [];
  const rest: Member[] = [];
  for (const member of waiting) {
    const fits = batch.length < limit && !member.keys.some((key) => taken.has(key));
    (fits ? batch : rest).push(member);
    for (const key of member.keys) taken.add(key);
  }
  return { batch, rest };
}

function memberOf(
  n: number,
  change: LifeChange,
  entries: readonly Entry[],
  isFresh: (spread: Spread) => boolean,
): Member {
  return {
    n,
    tenant: change.tenant,
    keys: keysOf(change),
    rows: rowsOf(n, change, isFresh),
    work: 'work' in change ? workRows(n, change.tenant, change.work) : '',
    entries: entryRows(n, entries),
    settle: Promise.withResolvers<Outcome>(),
  };
}

function rowsOf(n: number, change: LifeChange, isFresh: (spread: Spread) => boolean): Member['rows'] {
  if ('when' in change) return { admission: admissionRows(n, change), within: withinRows(n, change, isFresh) };
  if (change.kind === 'lease.use') return { use: useRow(n, change) };
  return change.kind === 'ledger.note' ? { note: noteRow(n, change) } : { move: moveRow(n, change) };
}

function keysOf(change: LifeChange): string[] {
  if ('when' in change) return admissionKeys(change);
  return 'lease' in change ? [`lease ${change.lease}`] : [];
}

function admissionKeys(change: Admission): string[] {
  const { oneUse, idempotency, takes } = change.when;
  const { tenant } = change;
  const keys: string[] = [];
  if (change.kind === 'lease.open' && change.redeems !== null) keys.push(`approval ${change.redeems.approval}`);
  if (takes !== undefined) keys.push(`order ${takes}`);
  if (oneUse !== null) keys.push(JSON.stringify(['jti', tenant, oneUse.client, oneUse.jti]));
  if (idempotency !== null) {
    keys.push(JSON.stringify(['key', tenant, idempotency.principal, idempotency.route, idempotency.key]));
  }
  return keys;
}

/** Settles every member, and never rejects. */
async function fly(link: Link, batch: readonly Member[]): Promise<void> {
  try {
    const outcomes = await send(link, batch);
    for (const { n, settle } of batch) settleOne(settle, outcomes.get(n));
  } catch (error) {
    if (batch.length > 1 && isWorthSingly(error)) for (const member of batch) await fly(link, [member]);
    else for (const { settle } of batch) settle.reject(error);
  }
}

function settleOne(settle: PromiseWithResolvers<Outcome>, outcome: Outcome | undefined): void {
  if (outcome === undefined) settle.reject(new Error('the database gave no outcome for a change'));
  else settle.resolve(outcome);
}

/** A deadlock or a bad row is one of its members' doing; a database that is away is nobody's. */
function isWorthSingly(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return !isPassing(error) || codeOf(cause) === '40P01';
}

async function send(link: Link, batch: readonly Member[]): Promise<ReadonlyMap<number, Outcome>> {
  const tenants = [...new Set(batch.map(({ tenant }) => tenant))];
  const answers = await link.pipeline({ role: ROLES.serve, tenants }, REGISTER_LOCK, statementsOf(batch));
  return new Map(answers.flat().map((row) => [Number(row['n']), row['outcome'] as Outcome]));
}

function statementsOf(batch: readonly Member[]): Statement[] {
  const used = batch.flatMap(({ rows, entries }) => ('use' in rows ? [{ use: rows.use, entries }] : []));
  const moved = batch.flatMap(({ rows, work, entries }) =>
    'move' in rows ? [{ move: rows.move, work, entries }] : [],
  );
  const noted = batch.flatMap(({ rows, entries }) => ('note' in rows ? [{ note: rows.note, entries }] : []));
  return [
    ...admitStatements(batch),
    ...statementOf(USE, used, ['use', 'entries']),
    ...statementOf(MOVE, moved, ['move', 'work', 'entries']),
    ...statementOf(NOTE, noted, ['note', 'entries']),
  ];
}

/** None where it has no members. */
const statementOf = <Table extends string>(
  text: string,
  members: readonly Readonly<Record<Table, Rows>>[],
  tables: readonly Table[],
): Statement[] =>
  members.length === 0 ? [] : [{ text, parameters: tables.map((table) => array(members.map((rows) => rows[table]))) }];

function admitStatements(batch: readonly Member[]): Statement[] {
  const admitted = batch.flatMap((member) =>
    'admission' in member.rows
      ? [{ ...member.rows.admission, ...member.rows.within, work: member.work, entries: member.entries }]
      : [],
  );
  if (admitted.length === 0) return [];
  const of = (table: Exclude<keyof (typeof admitted)[number], 'locks' | 'redeems' | 'takes'>) =>
    array(admitted.map((rows) => rows[table]));
  const parameters = (['conditions', 'request', 'approval', 'lease', 'work', 'entries'] as const).map(of);
  const budgeted = admitted.some(({ budgets }) => budgets !== '');
  const isLimited = budgeted || admitted.some(({ spread }) => spread !== '');
  const text = admission({
    limited: budgeted ? 'budgets' : isLimited ? 'spread' : 'nothing',
    redeeming: admitted.some(({ redeems }) => redeems),
    taking: admitted.some(({ takes }) => takes),
  });
  if (!isLimited) return [{ text, parameters }];
  const limits = budgeted ? [of('spread'), of('budgets')] : [of('spread')];
  return [...locking(admitted.flatMap(({ locks }) => locks)), { text, parameters: [...parameters, ...limits] }];
}

const array = (rows: readonly Rows[]): string => `[${rows.filter((row) => row !== '').join(',')}]`;
