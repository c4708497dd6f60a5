/** A server that runs until it is stopped: one that ends for another reason is started again. */
import { setTimeout as wait } from 'node:timers/promises';
import { clusterFolder } from './cluster.ts';
import { clearAway, launch } from './launch.ts';
import { belongsTo, clusterName } from './postmaster.ts';
import type { Site } from './site.ts';

/** What happened to a server that nobody stopped. */
export type Loss = { readonly restarted: true } | { readonly restarted: false; readonly error: unknown };

export interface Kept {
  /** The postmaster's, at the moment. */
  pid(): number;
  /** From here on the server may end. */
  letGo(): Promise<void>;
}

/** How long a dead server goes unnoticed, and how long after a failed start the next is tried. */
const LOOK_MS = 250;

/** Keeps the cluster's server running, beginning with the one that has this pid. */
export function keepRunning(site: Site, first: number, tell: (loss: Loss) => void): Kept {
  let pid = first;
  const stopping = new AbortController();
  const watch = async (): Promise<void> => {
    while (await untilNextLook(stopping.signal)) {
      try {
        if (await belongsTo(await clusterName(clusterFolder(site.home)), pid)) continue;
        await clearAway(site, undefined);
        pid = await launch(site);
        tell({ restarted: true });
      } catch (error) {
        tell({ restarted: false, error });
      }
    }
  };
  const watching = watch();
  const letGo = (): Promise<void> => {
    stopping.abort();
    return watching;
  };
  return { pid: () => pid, letGo };
}

/** False once it is to stop. Looking keeps no process alive. */
async function untilNextLook(stopping: AbortSignal): Promise<boolean> {
  if (stopping.aborted) return false;
  try {
    await wait(LOOK_MS, undefined, { ref: false, signal: stopping });
    return true;
  } catch (error) {
    if (stopping.aborted) return false;
    throw error;
  }
}
