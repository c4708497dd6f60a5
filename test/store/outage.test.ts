import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreUnavailable } from '../../src/core/store.ts';
import type { Store } from '../../src/core/store.ts';
import type { LeaseId } from '../../src/core/ids.ts';
import { provision } from '../../src/embedded/provision.ts';
import { startEmbedded } from '../../src/embedded/server.ts';
import type { RunningServer } from '../../src/embedded/server.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/open.ts';
import { dataFolder } from '../support/cluster.ts';
import { entryOf, epochsOf, opening, send } from '../support/lives.ts';
import { withAdmin } from '../support/postgres.ts';
import { ACME, random, silent } from '../support/store.ts';
import { createKeyring } from '../../src/core/seal.ts';

const CALLERS = 16;

let dataDir: string;
let server: RunningServer;
let store: Store;

const outage = suite('outage');
outage.before(async () => {
  dataDir = await dataFolder('outage');
  server = await startEmbedded({ dataDir, note: 'outage.test.ts' });
  const { owner, serve } = await provision(server);
  await migrate(owner);
  const keyring = await createKeyring(random(32), random);
  store = await openStore({ database: serve, keyring, node: 'n', log: silent, mode: 'node' });
  const context = { regulations: [], dataClasses: [], autonomy: null, timeZone: 'UTC' };
  const change = { kind: 'tenant.put', tenant: { name: ACME, displayName: 'a', context }, keys: [] } as const;
  const done = await store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [
    entryOf('register.put'),
  ]);
  assert.ok(done.ok);
});
outage.after(async () => {
  await store.close();
  await server.stop();
});

/** As a crash: no shutdown, every session lost. */
async function crash(): Promise<void> {
  process.kill(server.pid(), 'SIGKILL');
  await server.stop();
}

const restart = async () => {
  server = await startEmbedded({ dataDir, note: 'outage.test.ts' });
};

outage('loses nothing that was acknowledged, refuses meanwhile, and comes back by itself', async () => {
  const epochs = await epochsOf(store);
  const acknowledged: LeaseId[] = [];
  const faults: unknown[] = [];
  const stopping = new AbortController();
  const caller = async () => {
    while (!stopping.signal.aborted) {
      const life = opening({ epochs });
      const done = await send(store, life).catch((fault: unknown) => {
        faults.push(fault);
        return null;
      });
      if (done?.ok === true) acknowledged.push(life.change.lease.id);
      if (done === null) await pause(20);
    }
  };
  const callers = Array.from({ length: CALLERS }, caller);
  const reach = async (count: number) => {
    while (acknowledged.length < count) await pause(10);
  };
  await reach(100);
  await crash();
  while (faults.length < CALLERS) await pause(10);
  const before = acknowledged.length;
  await restart();
  await reach(before + 100);
  const [again] = [acknowledged.length];
  await server.stop();
  await restart();
  await reach(again + 100);
  stopping.abort();
  await Promise.all(callers);
  assert.equal(
    faults.filter((fault) => !(fault instanceof StoreUnavailable)),
    [],
  );
  const rows = await withAdmin(server.connection('brevet'), (sql) => sql`select id from leases`);
  const kept = new Set(rows.map((row) => row['id'] as string));
  assert.equal(
    acknowledged.filter((id) => !kept.has(id)),
    [],
  );
});

outage('says that it is away while it is, in every verb, and that it is back', async () => {
  await crash();
  const life = opening({ epochs: { tenant: 1, deployment: 1 } });
  const verbs = [
    send(store, life),
    store.epochs(ACME),
    store.claim(1, 1, 1 as never),
    store.tenants(),
    store.clockOffset(),
  ];
  for (const outcome of await Promise.allSettled(verbs)) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable);
  }
  assert.equal(await store.ready(), { database: false, migrations: false });
  await restart();
  while (!(await store.ready()).database) await pause(20);
  assert.is((await store.tenants()).length, 1);
});

outage('does not wait for ever on a server that has frozen', async () => {
  process.kill(server.pid(), 'SIGSTOP');
  const backends = await backendsOf(server.pid());
  for (const pid of backends) process.kill(pid, 'SIGSTOP');
  try {
    const fault = await send(store, opening({ epochs: { tenant: 1, deployment: 1 } })).catch(
      (thrown: unknown) => thrown,
    );
    assert.instance(fault, StoreUnavailable);
  } finally {
    for (const pid of [...backends, server.pid()]) process.kill(pid, 'SIGCONT');
  }
  while (!(await store.ready()).database) await pause(20);
  assert.ok((await send(store, opening({ epochs: await epochsOf(store) }))).ok);
});

/** The postmaster's own children, stopped with it or they would go on answering. */
async function backendsOf(pid: number): Promise<number[]> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').map(Number);
}

outage.run();
