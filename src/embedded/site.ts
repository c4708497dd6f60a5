/**
 * Where the parts of an embedded server lie.
 *
 * ```
 * {data directory}/postgres/      home: passable by the account, readable by Brevet's user alone
 *   cluster/                      the data, the account's
 *   native-{version}/             the binaries, where they had to be copied
 *   socket/                       .s.PGSQL.{port}
 *   *.password  address.json  annex  log
 * {temporary folder}/brevet-*     annex: only for a socket or binaries that can't be in home
 * ```
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { accountFor, giveTo, reaches } from './account.ts';
import type { Account } from './account.ts';
import { annexOf } from './annex.ts';
import { copyBinaries, isComplete, locateBinaries } from './binaries.ts';
import type { Binaries } from './binaries.ts';
import { clusterFolder } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { codeOf, readRecord, replaceFile } from './record.ts';

const ADDRESS = z.object({ socketDir: z.string(), port: z.int(), tcp: z.boolean() });

/** What other processes of the same deployment need to know to connect; it holds no secret. */
export type Address = Readonly<z.infer<typeof ADDRESS>>;

export interface Site extends Cluster {
  readonly address: Address;
  /** The socket's folder as the server is told of it. */
  readonly socketSetting: string;
}

const ADDRESS_FILE = 'address.json';

/** The number in the socket's name when nothing listens on TCP. */
const SOCKET_PORT = 5432;

/** The shortest of what the platforms allow a socket's path to be: 104 bytes on macOS, with the final zero. */
const SOCKET_PATH_BYTES = 103;

/** Others may pass but not look: what lies inside says for itself who may read it. */
const PASSABLE = 0o711;
const PRIVATE = 0o700;

export function homeOf(dataDir: string): string {
  return join(resolve(dataDir), 'postgres');
}

/** Makes the data directory where there is none; one that is there keeps its mode. */
export async function makeDataDir(dataDir: string): Promise<void> {
  // Node's own recursive mkdir never ends in a folder that takes no entries, such as /proc.
  const missing: string[] = [];
  for (let folder = resolve(dataDir); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  for (const folder of missing) await mkdirUnlessThere(folder);
}

async function mkdirUnlessThere(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: PASSABLE });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

export async function laySite(dataDir: string, tcpPort: number | undefined): Promise<Site> {
  const home = homeOf(dataDir);
  const account = await accountFor(clusterFolder(home));
  await mkdir(home, { recursive: true, mode: account.kind === 'self' ? PRIVATE : PASSABLE });
  const reachable = await reaches(account, home);
  const port = tcpPort ?? SOCKET_PORT;
  const fits = Buffer.byteLength(join(home, 'socket', `.s.PGSQL.${port}`)) <= SOCKET_PATH_BYTES;
  const inAnnex = () => annexOf(home, account);
  const binaries = await binariesFor(account, reachable ? () => Promise.resolve(home) : inAnnex);
  const socketDir = join(fits ? home : await inAnnex(), 'socket');
  await privateFolder(socketDir, account);
  const address: Address = { socketDir, port, tcp: tcpPort !== undefined };
  await replaceFile(join(home, ADDRESS_FILE), JSON.stringify(address));
  // From the server's working directory, so that it need not be able to walk there either.
  const socketSetting = fits ? '../socket' : `"${socketDir}"`;
  return { home, account, binaries, reachable, address, socketSetting };
}

/** The package's binaries where they are or, if they aren't whole or lie in a private home, a copy. */
async function binariesFor(account: Account, parent: () => Promise<string>): Promise<Binaries> {
  const installed = await locateBinaries();
  const usable = (await isComplete(installed)) && (await reaches(account, installed.native));
  return usable ? installed : copyBinaries(installed, await parent());
}

async function privateFolder(folder: string, account: Account): Promise<void> {
  await mkdir(folder, { recursive: true, mode: PRIVATE });
  await giveTo(account, folder);
}

/** Where the server of a data directory listens or last listened; undefined where none ever did. */
export function readAddress(home: string): Promise<Address | undefined> {
  return readRecord(join(home, ADDRESS_FILE), ADDRESS);
}
