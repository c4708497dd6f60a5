/**
 * A fake broker: a real HTTP server that checks assertions as the wire promises and fails on demand. The real one is
 * met in `test/cli/`.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, jwtVerify } from 'jose';
import type { CryptoKey, JWK } from 'jose';

/** A request as it arrived. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

/** What happens to the next request to a path, once. `drop-late` lets it take effect and loses the answer. */
export type Fault = Reply | 'drop' | 'drop-late' | 'hang' | 'redirect';

export interface FakeBroker {
  readonly url: string;
  readonly key: JWK;
  readonly arrived: Arrived[];
  /** Paths, in order, without their query. */
  paths(): string[];
  /** The next requests whose path ends so fail so, one after another. */
  failing(path: string, ...faults: readonly Fault[]): void;
  /** Answers a path in place of what the fake does by itself. */
  answering(path: string, reply: (arrived: Arrived) => Reply): void;
  /** Answers a path only once what is given back is called. */
  holding(path: string): () => void;
  readonly session: { seconds: number };
  /** Leases made and not completed. */
  readonly live: Set<string>;
  stop(): Promise<void>;
}

export const TENANT = 'acme';
export const AGENT = 'report-bot';
export const PASSWORD = 'canary-of-a-password';
export const LEASE_END = '2026-01-01T00:05:00.000Z';

export async function fakeBroker(algorithm = 'EdDSA'): Promise<FakeBroker> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const faults = new Map<string, Fault[]>();
  const replies = new Map<string, (arrived: Arrived) => Reply>();
  const arrived: Arrived[] = [];
  const hung = new Set<ServerResponse>();
  const holds = new Map<string, Promise<undefined>>();
  const broker = new Behaviour(pair.publicKey);
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const came: Arrived = { method: request.method ?? '', path, query, headers: request.headers, body };
    arrived.push(came);
    const fault = [...faults].find(([end]) => path.endsWith(end))?.[1].shift();
    if (fault === 'drop') return void request.socket.destroy();
    if (fault === 'hang') return void hung.add(response);
    if (fault === 'redirect') return void response.writeHead(307, { location: '/elsewhere' }).end();
    if (typeof fault === 'object') return send(response, fault);
    const replying = [...replies].find(([end]) => path.endsWith(end))?.[1];
    await [...holds].find(([end]) => path.endsWith(end))?.[1];
    const reply = replying === undefined ? await broker.reply(came) : replying(came);
    if (fault === 'drop-late') return void request.socket.destroy();
    send(response, reply);
  }

  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  broker.issuer = `http://127.0.0.1:${address.port}/t/${TENANT}`;
  return {
    url: `http://127.0.0.1:${address.port}`,
    key: { ...(await exportJWK(pair.privateKey)), kid: 'one' },
    arrived,
    paths: () => arrived.map(({ path }) => path),
    failing: (path, ...list) => void faults.set(path, [...list]),
    answering: (path, reply) => void replies.set(path, reply),
    holding: (path) => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      holds.set(path, promise);
      return () => resolve(undefined);
    },
    session: broker.session,
    live: broker.live,
    stop: async () => {
      for (const response of hung) response.destroy();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export const problem = (status: number, code: string, more: Record<string, unknown> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: {
    type: `x/errors/${code}`,
    title: code,
    status,
    code,
    detail: `because of ${code}`,
    request_id: 'r1',
    ...more,
  },
});

class Behaviour {
  issuer = '';
  readonly session = { seconds: 300 };
  readonly live = new Set<string>();
  readonly #publicKey: CryptoKey;
  readonly #seen = new Set<string>();
  readonly #byKey = new Map<string, string>();
  readonly #tokens = new Set<string>();

  constructor(publicKey: CryptoKey) {
    this.#publicKey = publicKey;
  }

  async reply(came: Arrived): Promise<Reply> {
    if (came.path.endsWith('/token')) return this.#token(new URLSearchParams(came.body));
    if (!this.#tokens.has(came.headers.authorization?.replace('Bearer ', '') ?? '')) {
      return problem(401, 'unauthenticated');
    }
    if (came.path.endsWith('/requests')) return this.#request(came);
    const [, lease = ''] = /\/leases\/([^/]+)\/complete$/.exec(came.path) ?? [];
    return lease === '' ? problem(404, 'not_found') : this.#complete(lease);
  }

  async #token(form: URLSearchParams): Promise<Reply> {
    const assertion = form.get('client_assertion') ?? '';
    const refused: Reply = {
      status: 401,
      body: { error: 'invalid_client', error_description: 'no', error_uri: `${this.issuer}/errors/invalid_client` },
    };
    if (assertion !== 'workload-token') {
      try {
        const { payload } = await jwtVerify(assertion, this.#publicKey, { audience: this.issuer, issuer: AGENT });
        if (payload.aud !== this.issuer || payload.sub !== AGENT || this.#seen.has(payload.jti ?? '')) return refused;
        this.#seen.add(payload.jti ?? '');
      } catch {
        return refused;
      }
    }
    const token = `session-${this.#tokens.size + 1}-${Math.random()}`;
    this.#tokens.add(token);
    return { status: 200, body: { access_token: token, token_type: 'Bearer', expires_in: this.session.seconds } };
  }

  #request(came: Arrived): Reply {
    const key = String(came.headers['idempotency-key']);
    const known = this.#byKey.get(key);
    const id = known ?? `lse_${this.#byKey.size + 1}`;
    this.#byKey.set(key, id);
    if (known === undefined) this.live.add(id);
    const lease = { id, provider: 'postgres', expires_at: LEASE_END };
    const credential = {
      type: 'postgres',
      host: 'db',
      port: 5432,
      database: 'crm',
      user: 'brevet_x',
      password: PASSWORD,
    };
    const body = { request: 'req_1', decision: { effect: 'permit' } };
    if (known !== undefined) return { status: 200, body: { ...body, lease, credential: null } };
    return { status: 201, body: { ...body, lease, credential } };
  }

  #complete(id: string): Reply {
    this.live.delete(id);
    const death = { how: 'verified', at: LEASE_END, evidence: {}, node: 'n' };
    const lease = { id, state: 'revoked', expires_at: LEASE_END, exposure_ms: 12, death };
    return { status: 200, body: { lease, receipt: { entry: 'ent_1', leaf_hash: 'aa' } } };
  }
}
