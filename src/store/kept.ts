/**
 * The snapshots that a process keeps: of the tenants asked for last, bounded in number. On Node those who ask at once
 * share one reading; on Workers none may wait for another request's promise, so each reads for itself.
 */
import type { TenantName } from '../core/ids.ts';
import type { DeploymentSnapshot, Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';

/**
 * Rows in all that is kept: each is about a kilobyte in memory. Enough for ten thousand small tenants.
 */
const ROWS_KEPT = 80_000;

/** Outlives a store on Workers, where each request opens one of its own: plain data, and no promise. */
export interface KeptSnapshots {
  readonly tenants: Map<TenantName, Snapshot>;
  /** Of all tenants kept. */
  rows: number;
  deployment: DeploymentSnapshot | null;
  /** It may have moved: asked for, it is looked at again, and is the same value where it has not. */
  doubted: boolean;
}

export const noSnapshots = (): KeptSnapshots => ({ tenants: new Map(), rows: 0, deployment: null, doubted: false });

export interface Snapshots {
  tenant(name: TenantName): Promise<Snapshot | null>;
  deployment(): Promise<DeploymentSnapshot>;
  forget(tenant: TenantName | null): void;
}

export interface Loading {
  readonly tenant: (name: TenantName, kept: DeploymentSnapshot | null) => Promise<Snapshot | null>;
  readonly deployment: (kept: DeploymentSnapshot | null) => Promise<DeploymentSnapshot>;
  readonly clock: () => Instant;
  readonly sharing: boolean;
  readonly kept: KeptSnapshots;
}

export function createSnapshots({ tenant: load, deployment: loadAbove, clock, sharing, kept }: Loading): Snapshots {
  const once = sharing ? singleFlight() : (_: string, read: () => Promise<unknown>) => read();
  /** Raised by `forget`: what was being read before then is not kept, since it may be from before the change. */
  let forgotten = 0;
  const drop = (name: TenantName): void => {
    const snapshot = kept.tenants.get(name);
    if (snapshot === undefined) return;
    kept.tenants.delete(name);
    kept.rows -= rowsOf(snapshot);
  };
  /** Last of all, so that the one not asked for the longest comes first. */
  const remember = (name: TenantName, snapshot: Snapshot): void => {
    drop(name);
    kept.tenants.set(name, snapshot);
    kept.rows += rowsOf(snapshot);
    for (const oldest of kept.tenants.keys()) {
      if (kept.rows <= ROWS_KEPT || oldest === name) break;
      drop(oldest);
    }
  };
  const rememberAbove = (above: DeploymentSnapshot): void => {
    if (kept.deployment !== null && kept.deployment.epoch > above.epoch) return;
    kept.deployment = above;
    kept.doubted = false;
  };
  const read = async (name: TenantName): Promise<Snapshot | null> => {
    const began = forgotten;
    const snapshot = await load(name, kept.deployment);
    if (snapshot === null) drop(name);
    else if (began === forgotten) {
      remember(name, snapshot);
      rememberAbove(snapshot.deployment);
    }
    return snapshot;
  };
  const readAbove = async (): Promise<DeploymentSnapshot> => {
    const began = forgotten;
    const above = await loadAbove(kept.deployment);
    if (began === forgotten) rememberAbove(above);
    return above;
  };
  return {
    async tenant(name) {
      const snapshot = kept.tenants.get(name);
      const isOfThisDeployment = snapshot?.deployment === kept.deployment;
      if (snapshot === undefined || !isOfThisDeployment || snapshot.lapsesAt <= clock()) {
        return (await once(`${forgotten} ${name}`, () => read(name))) as Snapshot | null;
      }
      remember(name, snapshot);
      return snapshot;
    },
    async deployment() {
      if (kept.deployment !== null && !kept.doubted && kept.deployment.lapsesAt > clock()) return kept.deployment;
      return (await once(`${forgotten}`, readAbove)) as DeploymentSnapshot;
    },
    forget(name) {
      forgotten++;
      // The deployment's own may be what moved, whichever tenant was asked for.
      kept.doubted = true;
      for (const one of name === null ? [...kept.tenants.keys()] : [name]) drop(one);
    },
  };
}

const rowsOf = ({ agents, assignments, situations, windows, targets, keys }: Snapshot): number =>
  1 + agents.size + assignments.length + situations.length + (windows?.length ?? 0) + targets.size + keys.length;

function singleFlight() {
  const flying = new Map<string, Promise<unknown>>();
  return (key: string, read: () => Promise<unknown>): Promise<unknown> => {
    const before = flying.get(key);
    if (before !== undefined) return before;
    const reading = read().finally(() => flying.delete(key));
    flying.set(key, reading);
    return reading;
  };
}
