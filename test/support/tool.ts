/**
 * A client's tool that knows API keys alone, as a real HTTP server; and a broker that is set up to call it, with task
 * classes for what an agent does there.
 */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseDocument } from 'yaml';
import type { BundleFiles } from '../../src/core/registers.ts';
import { nodeServer } from '../../src/node/server.ts';
import { ACCEPTED, must, rulesOnDisk, testApp } from './app.ts';
import type { NodeOptions, TestApp, TestNode } from './app.ts';

export const TOOL_KEY = 'pk_live_7Yh/2k+Qw9"zT4&x=1%41';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Tool {
  readonly origin: string;
  readonly port: number;
  /** Calls with their bodies, in the order in which they came. */
  readonly seen: Seen[];
  /** How it answers, for the time being. */
  answer: (request: IncomingMessage, response: ServerResponse, seen: Seen) => void;
  close(): Promise<void>;
}

/** Objects of two clients, by their ids. */
const OBJECTS: Readonly<Record<string, { readonly id: string; readonly organization: { readonly id: number } }>> = {
  'ACME-1': { id: 'ACME-1', organization: { id: 4711 } },
  'BIR-9': { id: 'BIR-9', organization: { id: 999 } },
};

export const answerPlainly: Tool['answer'] = (request, response) => {
  const path = new URL(request.url ?? '', 'http://tool').pathname;
  const object = OBJECTS[decodeURIComponent(path.split('/').at(-1) ?? '')];
  if (path.includes('/tickets/') && !path.endsWith('/notes') && object === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.setHeader('set-cookie', 'session=1');
  response.setHeader('x-internal', 'rack 7');
  response.setHeader('etag', '"1"');
  response.end(JSON.stringify(object ?? { done: true }));
};

export async function startTool(): Promise<Tool> {
  const seen: Seen[] = [];
  const tool = { seen, answer: answerPlainly };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
      seen.push(one);
      tool.answer(request, response, one);
    });
  });
  const port = await listen(server);
  return Object.assign(tool, { origin: `http://127.0.0.1:${port}`, port, close: () => closed(server) });
}

export async function listen(server: Pick<Server, 'listen' | 'address'>): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

export const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

const TICKET = { type: 'string', maxLength: 200 };
const withTicket = (more: Readonly<Record<string, unknown>> = {}) => ({
  type: 'object',
  additionalProperties: false,
  required: ['ticket'],
  properties: { ticket: TICKET, ...more },
});

/** What agents may do there: each with its calls, and the parameters that fill them. */
const TASKS: Readonly<Record<string, { readonly template: object; readonly parameters: object }>> = {
  'tool.read': {
    template: {
      calls: [
        {
          method: 'GET',
          path: '/tickets/{{ticket}}',
          query: { fields: { equals: 'id,subject' }, page: { matches: '[0-9]{1,4}' } },
          objects: { ticket: '{{ticket}}' },
        },
        { method: 'HEAD', path: '/tickets/{{ticket}}', objects: { ticket: '{{ticket}}' } },
      ],
    },
    parameters: withTicket(),
  },
  'tool.note': {
    template: {
      calls: [
        {
          method: 'POST',
          path: '/tickets/{{ticket}}/notes',
          body: {
            members: {
              text: { type: 'string', longest: 40, required: true },
              ticket: { equals: '{{ticket}}' },
              visibility: { equals: 'internal' },
              minutes: { type: 'integer' },
              kind: { one_of: ['work', 'call'] },
              author: { members: { name: { type: 'string' } } },
              extra: { type: 'object' },
            },
          },
          objects: { ticket: '{{ticket}}' },
        },
        { method: 'DELETE', path: '/tickets/{{ticket}}/notes', objects: { ticket: '{{ticket}}' } },
      ],
    },
    parameters: withTicket(),
  },
  'tool.upload': {
    template: {
      calls: [
        { method: 'PUT', path: '/files/{{ticket}}', body: { stream: 'application/octet-stream' } },
        { method: 'GET', path: '/files/{{ticket}}' },
      ],
    },
    parameters: withTicket(),
  },
  'tool.make-key': {
    template: { calls: [{ method: 'POST', path: '/keys', body: { members: {} } }], leaves_effects: true },
    parameters: { type: 'object', additionalProperties: false, properties: {} },
  },
};

const score = () => ({ score: 1, because: 'A test.' });

/** The starting bundle with these task classes, which triage may do. */
export async function bundleWithTools(): Promise<BundleFiles> {
  const files = await rulesOnDisk();
  const tasks = parseDocument(files['tasks.yaml'] ?? '');
  for (const [name, { template, parameters }] of Object.entries(TASKS)) {
    const card = {
      reversibility: score(),
      blast_radius: score(),
      compliance_sensitivity: score(),
      frequency_and_volume: score(),
    };
    tasks.setIn(
      ['tasks', name],
      structuredClone({
        description: 'Calls a tool.',
        kind: 'ticket',
        scorecard: card,
        provider: 'http',
        template,
        parameters,
        ceilings: { ttl: 600, uses: 1000 },
        owner: 'service-desk-lead',
        next_review: '2027-03-31',
      }),
    );
  }
  const roles = parseDocument(files['roles.yaml'] ?? '');
  const carried = (roles.toJS() as { roles: { triage: { tasks: string[] } } }).roles.triage.tasks;
  roles.setIn(['roles', 'triage', 'tasks'], [...carried, ...Object.keys(TASKS)]);
  const whole = parseDocument(files['bundle.yaml'] ?? '');
  whole.delete('budgets');
  return { ...files, 'tasks.yaml': tasks.toString(), 'roles.yaml': roles.toString(), 'bundle.yaml': whole.toString() };
}

export const toolTarget = (origin: string, config: Readonly<Record<string, unknown>> = {}) => ({
  provider: 'http',
  config: {
    origin,
    private: true,
    inject: { by: 'header', name: 'x-api-key' },
    key_reaches: 'this-tenant',
    ...config,
  },
  secret: TOOL_KEY as string | null,
  environment: 'production',
});

export interface ToolApp extends TestApp {
  /** Puts a target of acme's; without a name, the one that the others call. */
  target(config?: Readonly<Record<string, unknown>>, more?: Readonly<Record<string, unknown>>): Promise<void>;
  lease(task?: string, more?: Readonly<Record<string, unknown>>): Promise<ToolLease>;
}

export interface ToolLease {
  readonly id: string;
  readonly token: string;
  /** Below it, calls go through. */
  readonly path: string;
  readonly credential: Readonly<Record<string, unknown>>;
}

export async function toolApp(tool: Pick<Tool, 'origin'>, options: NodeOptions = {}): Promise<ToolApp> {
  const app = await testApp(options);
  const files = await bundleWithTools();
  must(await app.operator('ada', 'POST', '/api/policy/activate', { files }));
  const tasks = [...ACCEPTED.tasks, ...Object.keys(TASKS)];
  must(await app.operator('ada', 'PUT', '/api/tenants/acme/acceptances/triage-bot', { ...ACCEPTED, tasks }));
  const target: ToolApp['target'] = async (config, more) => {
    const body = { ...toolTarget(tool.origin, config), ...more };
    must(await app.operator('ada', 'PUT', '/api/tenants/acme/targets/psa', body));
  };
  await target();
  return {
    ...app,
    target,
    lease: async (task = 'tool.read', more = {}) => leased(app, await app.session(), task, more),
  };
}

export async function leased(
  app: TestNode,
  token: string,
  task: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<ToolLease> {
  const parameters = task === 'tool.make-key' ? {} : { ticket: 'ACME-1' };
  const body = { task, resource: 'psa', parameters, reason: 'A ticket came in', ...more };
  const answer = must(await app.call('POST', '/t/acme/requests', { token, body })).body as {
    readonly lease: { readonly id: string };
    readonly credential: { readonly token: string; readonly base_url: string };
  };
  const { lease, credential } = answer;
  return {
    id: lease.id,
    token: credential.token,
    path: new URL(credential.base_url).pathname,
    credential: { ...credential },
  };
}

/** The node on a port, as it serves in earnest. */
export async function listening(node: TestNode): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = nodeServer(node.deps, '127.0.0.1');
  await listen(server);
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}
