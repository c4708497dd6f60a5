/**
 * A building that keeps badges, as a server of its own: what the toy provider mints at. An answer to `POST /doors/{door}`
 * goes on for as long as whoever came in stays, and is cut when they are shown out.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

export interface BadgeSite {
  /** Which building this is: no other has this id. */
  readonly id: string;
  readonly port: number;
  close(): Promise<void>;
}

interface Badge {
  readonly code: string;
  readonly door: string;
  readonly until: number;
  /** Who came in with it and has not left. */
  readonly inside: Set<ServerResponse>;
  lastUsed: string | null;
}

interface Building {
  readonly id: string;
  readonly key: string;
  readonly room: number;
  readonly badges: Map<string, Badge>;
  /** Names under which no badge is made any more. */
  readonly held: Set<string>;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** @param key what an administrator shows. @param room for so many badges at once. */
export async function openSite(key: string, room = 100): Promise<BadgeSite> {
  const building: Building = { id: randomUUID(), key, room, badges: new Map(), held: new Set() };
  const server = createServer((request, response) => {
    receive(building, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    id: building.id,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function receive(building: Building, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [place = '', name = ''] = (request.url ?? '').split('/').slice(1);
  if (place === 'doors') return enter(building, { door: name, code: request.headers['x-badge'] }, response);
  const sent = await text(request);
  const { status, body } = answer(building, { request, place, name, sent });
  response.writeHead(status, { 'content-type': 'application/json' });
  // Whoever asks learns which building it was, whatever the answer.
  response.end(JSON.stringify({ site: building.id, ...body }));
}

interface Call {
  readonly request: IncomingMessage;
  readonly place: string;
  readonly name: string;
  readonly sent: string;
}

function answer(building: Building, { request, place, name, sent }: Call): Answer {
  if (request.headers['x-site'] !== building.id) return { status: 421, body: {} };
  if (request.headers.authorization !== `Bearer ${building.key}`) return { status: 403, body: {} };
  switch (`${request.method} ${place}`) {
    case 'GET badges':
      return name === '' ? { status: 200, body: { names: [...building.badges.keys()] } } : show(building, name);
    case 'PUT badges':
      return make(building, name, sent);
    case 'DELETE badges':
      return end(building, name);
    case 'PUT holds':
      building.held.add(name);
      return { status: 200, body: {} };
    case 'DELETE holds':
      building.held.delete(name);
      return { status: 200, body: {} };
  }
  return { status: 404, body: {} };
}

/** That there is none is said, not left to a status that any server has. */
function show({ badges }: Building, name: string): Answer {
  const badge = badges.get(name);
  const shown = badge === undefined ? null : { inside: badge.inside.size, last_used: badge.lastUsed };
  return { status: 200, body: { badge: shown } };
}

const order = z.strictObject({ door: z.string(), until: z.iso.datetime(), land_by: z.iso.datetime() });

/** In one go: a hold that was answered goes before every badge that comes later. */
function make({ badges, held, room }: Building, name: string, sent: string): Answer {
  const { door, until, land_by } = order.parse(JSON.parse(sent));
  if (Date.now() >= Date.parse(land_by)) return { status: 410, body: {} };
  if (held.has(name) || badges.has(name)) return { status: 409, body: {} };
  if (badges.size >= room) return { status: 507, body: {} };
  const code = randomBytes(16).toString('hex');
  badges.set(name, { code, door, until: Date.parse(until), inside: new Set(), lastUsed: null });
  return { status: 201, body: { code } };
}

function end({ badges }: Building, name: string): Answer {
  const badge = badges.get(name);
  badges.delete(name);
  for (const visit of badge?.inside ?? []) visit.destroy();
  return { status: 200, body: {} };
}

/** The door looks at the badge when it is shown, and not again. */
function enter({ badges }: Building, shown: { door: string; code: unknown }, visit: ServerResponse): void {
  const badge = [...badges.values()].find(({ code }) => code === shown.code);
  if (badge === undefined || badge.door !== shown.door || Date.now() >= badge.until) {
    visit.writeHead(403).end();
    return;
  }
  badge.lastUsed = new Date().toISOString();
  badge.inside.add(visit);
  visit.on('close', () => badge.inside.delete(visit));
  visit.writeHead(200);
  visit.flushHeaders();
}
