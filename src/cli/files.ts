/** Files that a command is told to read. A secret comes from one of these, or from stdin, and never as an argument. */
import { readFileSync, statSync } from 'node:fs';
import { parse, YAMLParseError } from 'yaml';
import type { Json, JsonObject } from '../core/canonical.ts';
import type { ReadFile } from '../config.ts';
import { isRecord } from '../client/call.ts';
import { UsageError } from './command.ts';

const STDIN = 0;

/** The file's text; `-` is stdin. @throws {UsageError} where it cannot be read. */
export function readText(path: string): string {
  const file = textOf(path === '-' ? STDIN : path);
  if ('why' in file) throw new UsageError(unreadable(path, file.why));
  return file.text;
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is nothing of this name',
  ENOTDIR: 'this is no folder',
  EISDIR: 'this is a folder',
  EACCES: 'this user may not read it',
};

/** @param code of the system, which is shown too. */
export const unreadable = (path: string, code: string): string =>
  `${path}: ${Object.hasOwn(WHY, code) ? `${WHY[code]} (${code})` : code}`;

function textOf(path: string | number): { readonly text: string } | { readonly why: string } {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { why: String(error.code) };
    throw error;
  }
}

/** For `readConfig`: with the permission bits, where the system has them. */
export const readFileWithMode: ReadFile = (path) => {
  const file = textOf(path);
  if ('why' in file) return file;
  return { text: file.text, mode: process.platform === 'win32' ? null : statSync(path).mode };
};

/** An object from YAML or JSON. @throws {UsageError}, without showing what the file holds. */
export function readObject(path: string): JsonObject {
  const value = parsed(path);
  if (isRecord(value)) return value as JsonObject;
  throw new UsageError(`${path}: this is no object in YAML or JSON`);
}

function parsed(path: string): unknown {
  const text = readText(path);
  try {
    return parse(text, { version: '1.2', schema: 'core', prettyErrors: false }) as unknown;
  } catch (error) {
    if (error instanceof YAMLParseError) throw new UsageError(`${path}: ${error.code} at character ${error.pos[0]}`);
    throw error;
  }
}

const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg'];

/** The public half of the key in a file: a private half never leaves this machine. */
export function readPublicJwk(path: string): JsonObject {
  const jwk = readObject(path);
  const kept = PUBLIC_MEMBERS.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]] as [string, Json]]));
  if (jwk['kty'] === undefined) throw new UsageError(`${path}: this is no JWK`);
  return Object.fromEntries(kept);
}
