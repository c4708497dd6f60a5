/**
 * A Postgres target as an administrator writes it.
 */
import { z } from 'zod';
import { isLoopback } from '../../core/loopback.ts';
import { hasControl, isWellFormed, parseWith } from '../../core/parse.ts';
import { failure } from '../../core/failure.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';

/** pgjdbc refuses fewer. @see RFC 7677 section 4 */
const DEFAULT_ROUNDS = 4096;
/** Our passwords are 256 random bits: rounds protect nothing, and Postgres itself runs them for each login made. */
const MOST_ROUNDS = 100_000;
const DEFAULT_CONNECTIONS = 5;
const MOST_CONNECTIONS = 100;
const DEFAULT_PORT = 5432;

/** Longer names are cut by the server without a word, so that two could become one. */
const NAME_BYTES = 63;
const utf8 = new TextEncoder();

/** A name for the server, which is quoted wherever it is used. */
export const identifier = () =>
  z
    .string()
    .min(1)
    .refine((text) => utf8.encode(text).length <= NAME_BYTES, `it must have at most ${NAME_BYTES} bytes`)
    .refine((text) => isPlain(text), 'it holds a control or broken character');

const isPlain = (text: string): boolean => !hasControl(text) && !/[\n\t]/.test(text) && isWellFormed(text);

/** `none` is no role, `pg_` is the server's own, and a mark must never be taken for a group. */
export const groupRole = () =>
  identifier().refine(
    (text) => !/^(?:none$|public$|pg_|brevet_[0-7][0-9a-z]{25}$)/i.test(text),
    'it cannot be a group of logins: make a role for this task class',
  );

/** postgres.js would cut an IPv6 address at its colons: such a node takes a name. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\/[A-Za-z0-9._/-]{1,100})$/;

export const node = z.strictObject({
  /** A name, an IPv4 address, or the folder of a socket. */
  host: z.string().regex(HOST, 'it must be a host name, an IPv4 address or the folder of a socket'),
  port: z.int().min(1).max(65_535).default(DEFAULT_PORT),
  /** Asked last for what writes. Which node takes writes is seen, so that a failover needs no new version. */
  standby: z.boolean().default(false),
});

const schema = z.strictObject({
  /** Every node of the cluster: a session on one that is not named would live on unseen. */
  nodes: z.array(node).min(1).max(16),
  database: identifier(),
  /** The login that makes and ends the others; no superuser. The target's secret is its password. */
  admin: identifier(),
  /** The group roles that task classes may name here. */
  groups: z.array(groupRole()).min(1).max(64),
  /** A role that holds CONNECT on the database alone, where PUBLIC does not. */
  connect_role: groupRole().optional(),
  /** `SELECT system_identifier FROM pg_control_system()`: "not found" counts only from this server. */
  system_identifier: z.string().regex(/^\d{1,20}$/, 'it must be the number from pg_control_system()'),
  scram_rounds: z.int().min(1).max(MOST_ROUNDS).default(DEFAULT_ROUNDS),
  /** Of one login, on each node. */
  connection_limit: z.int().min(1).max(MOST_CONNECTIONS).default(DEFAULT_CONNECTIONS),
  tls: z.enum(['verify', 'off']).default('verify'),
  /** Certificates that are trusted instead of the public ones, in PEM. */
  ca: z.string().max(32_768).optional(),
});

export type PostgresConfig = z.infer<typeof schema>;
export type PostgresNode = PostgresConfig['nodes'][number];

export function parsePostgresConfig(written: unknown, plaintextAnywhere: boolean): Result<PostgresConfig> {
  const parsed = parseWith(schema, written);
  if (!parsed.ok) return parsed;
  const { nodes } = parsed.value;
  if (!plaintextAnywhere && !isProtected(parsed.value)) {
    const hint = 'Use tls: verify, with ca for a certificate of your own.';
    return err(
      failure('invalid_target', 'passwords and rows would cross a network unprotected', { path: 'tls', hint }),
    );
  }
  if (new Set(nodes.map(nodeName)).size < nodes.length) {
    return err(failure('invalid_target', 'a node is named twice', { path: 'nodes' }));
  }
  return ok(parsed.value);
}

/** Nobody on the way can read what is sent there. */
export const isProtected = ({ nodes, tls }: Pick<PostgresConfig, 'nodes' | 'tls'>): boolean =>
  tls === 'verify' || nodes.every(({ host }) => host.startsWith('/') || isLoopback(host));

/** What `parse` made is read back from the register: a row of another form is a fault. */
export function configOf(config: unknown): PostgresConfig {
  return schema.parse(config);
}

export const nodeName = ({ host, port }: { host: string; port: number }): string => `${host}:${port}`;

/** Where agents connect. */
export const frontNode = ({ nodes }: PostgresConfig): PostgresNode => {
  const front = nodes.find(({ standby }) => !standby) ?? nodes[0];
  if (front === undefined) throw new Error('a Postgres target without a node');
  return front;
};
