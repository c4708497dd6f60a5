/** The process that makes load: asked over its channel, it answers with what it measured. */
import { openConnection } from '../connection.ts';
import { overAfter, summaryOf } from '../load.ts';
import type { Load, Loaded, Reply, Step } from '../load.ts';
import { toolCalls } from './calls.ts';
import { loginLife } from './logins.ts';
import { tokenRequests } from './tokens.ts';
import { vaultLife } from './vault.ts';

process.on('message', (load: Load) => {
  measure(load).then(
    (measured) => process.send?.({ measured } satisfies Reply),
    (fault: unknown) => process.send?.({ fault: String(fault) } satisfies Reply),
  );
});
process.once('disconnect', () => process.exit());

function stepOf(load: Load): Step {
  switch (load.kind) {
    case 'tokens':
      return tokenRequests(load);
    case 'logins':
      return loginLife(load);
    case 'calls':
      return toolCalls(load);
    case 'vault-logins':
      return vaultLife(load);
  }
}

async function measure(load: Load): Promise<Loaded> {
  const step = stepOf(load);
  const connections = await Promise.all(Array.from({ length: load.connections }, () => openConnection(load.port)));
  const times: number[] = [];
  let taken = 0;
  const isOver = overAfter(load.seconds);
  const began = performance.now();
  const before = process.cpuUsage();
  await Promise.all(
    connections.map(async (connection) => {
      for (let number = taken++; number < load.requests && !isOver(); number = taken++) {
        const sent = performance.now();
        await step(connection, number);
        times.push(performance.now() - sent);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  for (const connection of connections) connection.close();
  return { ...summaryOf(times, seconds), processor: (user + system) / times.length };
}
