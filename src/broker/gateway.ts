/**
 * A call through the gateway: the lease's token, the lease and what would block it, the call against what was approved,
 * whose object it is; then the use is counted, in a commit that looks at the lease once more, and only then the call goes
 * out with the key. What came of it is written when its answer has ended.
 */
import { makeEntry } from '../core/entry.ts';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { CutFor } from '../core/gateway/kept.ts';
import { parseId } from '../core/ids.ts';
import type { LeaseId, TenantName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Lease } from '../core/lease.ts';
import type { Result } from '../core/result.ts';
import type { Epochs, Snapshot } from '../core/snapshot.ts';
import { between, seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import { failureIn } from '../authenticate/auth-failure.ts';
import type { Deps } from '../deps.ts';
import { failureOf } from '../use/gateway/answer.ts';
import { bodyFor } from '../use/gateway/body.ts';
import type { SentBody } from '../use/gateway/body.ts';
import { callingOf, LEASE_OVER, usableNow } from '../use/gateway/calling.ts';
import type { Calling } from '../use/gateway/calling.ts';
import { exchange } from '../use/gateway/exchange.ts';
import type { Exchanged } from '../use/gateway/exchange.ts';
import { forgetToken, keyFor } from '../use/gateway/key.ts';
import type { Key } from '../use/gateway/key.ts';
import { matchCall } from '../use/gateway/match.ts';
import type { Called, Matched } from '../use/gateway/match.ts';
import { openCall } from '../use/gateway/open.ts';
import type { OpenCall } from '../use/gateway/open.ts';
import { outgoing, ownIn } from '../use/gateway/outgoing.ts';
import { usedEntry } from '../use/gateway/record.ts';
import { needsLookup, whyNotTied } from '../use/gateway/tie.ts';
import { again, done, isStale, trying, turnAway } from './callers.ts';
import type { Step } from './callers.ts';
import { conclude } from './conclude.ts';
import { notLetThrough } from './not-let-through.ts';

export interface GatewayCall extends Called {
  readonly token: string;
  /** As it stands in the URL. */
  readonly lease: unknown;
  readonly body: AsyncIterable<Uint8Array> | null;
  /** Aborted once the caller has gone. */
  readonly gone: AbortSignal;
}

export interface GatewayAnswer extends Exchanged {
  /** Of the entry that counted the use. */
  readonly receipt: Receipt;
}

/** What of a call is done once, however often it is looked at again. */
interface Once {
  /** Whose call it is proven to be. */
  lease: Lease | null;
  /** What comes of it from then on is told by its answer. */
  isCounted: boolean;
  open: OpenCall | null;
  body: Result<SentBody> | null;
}

export async function callThrough(deps: Deps, tenant: TenantName, call: GatewayCall): Promise<Result<GatewayAnswer>> {
  const id = parseId('lse', call.lease);
  if (!id.ok) return err(failureIn(LEASE_OVER));
  const once: Once = { lease: null, isCounted: false, open: null, body: null };
  let isAnswered = false;
  try {
    const result = await trying<GatewayAnswer>(deps, tenant, (snapshot) =>
      attempt(deps, snapshot, id.value, call, once),
    );
    isAnswered = result.ok;
    if (!result.ok && once.lease !== null && !once.isCounted) await notLetThrough(deps, once.lease, call, result.error);
    return result;
  } finally {
    // What was answered is closed when its answer has ended.
    if (!isAnswered) once.open?.close();
  }
}

async function attempt(
  deps: Deps,
  snapshot: Snapshot,
  id: LeaseId,
  call: GatewayCall,
  once: Once,
): Promise<Step<GatewayAnswer>> {
  const found = await callingOf(deps, snapshot, id, call.token);
  once.lease = found.ok ? found.value.lease : found.error.lease;
  if (!found.ok) return turnAway(deps, snapshot, found.error);
  const calling = found.value;
  const { lease, tool } = calling;
  if (calling.block !== null) return (await isStale(deps, snapshot)) ? again : done(err(BLOCKED));
  const matched = matchCall(calling.specification.calls, call);
  // A dead lease is told that it is dead, and nothing of what it could do before.
  if (!matched.ok) return done((await usableNow(deps, lease)) === null ? err(failureIn(LEASE_OVER)) : matched);
  const open = opened(deps, calling, call, once);
  if (!open.ok) return done(open);
  once.body ??= await bodyOf(calling, matched.value, call);
  if (!once.body.ok) return done(once.body);
  const sending = { ...calling, matched: matched.value, body: once.body.value, open: open.value, call };
  const isLooked = needsLookup(tool.config, matched.value.call) || tool.config.inject.by === 'oauth';
  if (isLooked) {
    // What Brevet asks the tool beforehand bears the key too, which another node may have changed meanwhile.
    const usable = await usableNow(deps, lease);
    if (usable === null) return done(err(failureIn(LEASE_OVER)));
    if (!isOf(usable.snapshot, snapshot.epochs)) return again;
  }
  const key = await tiedKey(deps, sending);
  return key.ok ? use(deps, sending, key.value, once) : done(key);
}

const isOf = ({ epochs }: Snapshot, { tenant, deployment }: Epochs): boolean =>
  epochs.tenant === tenant && epochs.deployment === deployment;

/** The key, with which the tool says that what the call names is this tenant's. A token that it has ended is asked for anew, once. */
async function tiedKey(deps: Deps, { tool, matched, lease, open }: Sending): Promise<Result<Key>> {
  const { signal } = open;
  for (let isSecond = false; ; isSecond = true) {
    const key = await keyFor(deps, tool, signal);
    if (!key.ok) return key;
    const asking = { call: matched.call, key: key.value, lease: lease.id, signal };
    const not = await whyNotTied(deps.gateway.forward, tool.config, asking);
    if (not === null) return key;
    if (isSecond || !not.isKeyRefused || !forgetToken(deps, tool)) return err(not.failure);
  }
}

const BLOCKED = failure('blocked', 'oversight has stopped this here', { hint: 'Stop, and tell your owner.' });

/** Counted against what the target allows, and under way from here on. */
function opened(deps: Deps, { lease, tool }: Calling, { gone }: GatewayCall, once: Once): Result<OpenCall> {
  if (once.open !== null) return ok(once.open);
  const { calls_per_minute: most, seconds: longest } = tool.config.limits;
  const wait = deps.rates.take({ tenant: lease.tenant, target: lease.target }, most);
  if (wait !== null) return err(tooOften(wait));
  const open = openCall(deps, lease, seconds(longest));
  once.open = open;
  if (gone.aborted) open.leave();
  gone.addEventListener('abort', () => open.leave(), { once: true });
  return ok(open);
}

const tooOften = (retryAfter: Seconds): Failure =>
  failure('too_many_requests', 'this tool is called as often as its target allows', { retryAfter });

function bodyOf({ lease, tool }: Calling, { call: allowed }: Matched, call: GatewayCall): Promise<Result<SentBody>> {
  const stated = call.headers.get('content-length');
  const given = {
    type: call.headers.get('content-type') ?? null,
    length: stated === undefined ? null : Number(stated),
    isChunked: call.headers.has('transfer-encoding'),
    bytes: call.body,
  };
  const { config } = tool;
  return bodyFor(allowed, given, { limit: config.limits.request_bytes, own: ownIn(config, lease.id, 'body') });
}

interface Sending extends Calling {
  readonly matched: Matched;
  readonly body: SentBody;
  readonly open: OpenCall;
  readonly call: GatewayCall;
}

/** Ended before its use was counted: by its body, which came too slowly, or by what was asked beforehand. */
function whyOver({ signal }: OpenCall): Failure | null {
  const why = signal.aborted ? (signal.reason as CutFor) : null;
  // Of a lease that is over the commit says so; who hung up may have meant the call to be made.
  if (why !== 'too_slow' && why !== 'lease_unseen') return null;
  return { ...failureOf(why), hint: 'Nothing was sent to the tool, and no use is spent: call again.' };
}

/** From its commit on the use is spent, whatever becomes of the call. */
async function use(deps: Deps, sending: Sending, key: Key, once: Once): Promise<Step<GatewayAnswer>> {
  const { lease, snapshot, matched, tool } = sending;
  const over = whyOver(sending.open);
  if (over !== null) return done(err(over));
  const at = deps.clock();
  const entry = makeEntry(usedEntry(sending, matched, tool, at), deps.random);
  const change = { kind: 'lease.use', tenant: lease.tenant, lease: lease.id, epochs: snapshot.epochs, at } as const;
  const used = await deps.store.commit(change, [entry]);
  if (!used.ok) {
    if (used.error.unmet === 'moved') return again;
    deps.gateway.leases.delete(lease.id);
    return done(err(failureIn(LEASE_OVER)));
  }
  once.isCounted = true;
  const [receipt] = used.value.receipts;
  if (receipt === undefined) throw new Error('a use was counted without its entry');
  return done(await send(deps, sending, { key, receipt, at }));
}

interface Counted {
  readonly key: Key;
  readonly receipt: Receipt;
  readonly at: Instant;
}

async function send(deps: Deps, sending: Sending, { key, receipt, at }: Counted): Promise<Result<GatewayAnswer>> {
  const { tool, matched, body, open, call, lease } = sending;
  const { method, path } = matched.call;
  const { query } = matched;
  const forwarded = outgoing(tool.config, key, {
    method,
    path,
    query,
    headers: call.headers,
    body,
    lease: lease.id,
    signal: open.signal,
  });
  const exchanged = await exchange(deps, { tool, key, call: forwarded }, (status, tally) => {
    const sent = body.bytes === null ? null : body.sent();
    open.close();
    conclude(deps, sending, receipt.entry, { ...tally, status, sent, took: between(at, deps.clock()) });
  });
  return exchanged.ok ? ok({ ...exchanged.value, receipt }) : err(failureOf(exchanged.error));
}
