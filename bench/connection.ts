/**
 * One kept-alive HTTP/1.1 connection that sends bytes made beforehand and reads the answers. It does as little as it
 * can, since it shares the machine with what it measures.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

export interface Connection {
  /** One at a time. Rejects when the other end goes away before it has answered. */
  send(request: Buffer): Promise<HttpAnswer>;
  close(): void;
}

export async function openConnection(port: number): Promise<Connection> {
  const socket = await connected(port);
  let waiting: { resolve(answer: HttpAnswer): void; reject(fault: Error): void } | null = null;
  let received: Buffer = Buffer.alloc(0);
  const fail = (fault: Error): void => {
    const asked = waiting;
    waiting = null;
    asked?.reject(fault);
  };
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = readAnswer(received);
    if (answer === null) return;
    received = Buffer.alloc(0);
    const asked = waiting;
    waiting = null;
    asked?.resolve(answer);
  });
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection')));
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

const HEAD_END = '\r\n\r\n';
const LAST_CHUNK = '0\r\n\r\n';
/** `HTTP/1.1 200`: the status stands here. */
const STATUS_AT = 9;

/** @returns `null` while it is not there whole. */
function readAnswer(received: Buffer): HttpAnswer | null {
  const end = received.indexOf(HEAD_END);
  if (end < 0) return null;
  const head = received.toString('latin1', 0, end);
  const status = Number(head.slice(STATUS_AT, STATUS_AT + 3));
  const from = end + HEAD_END.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const whole = from + Number(length);
    return received.length < whole ? null : { status, body: received.toString('utf8', from, whole) };
  }
  const chunked = /\r\ntransfer-encoding: *chunked/i.test(head);
  if (!chunked) return { status, body: '' };
  const last = received.toString('latin1', received.length - LAST_CHUNK.length);
  return last === LAST_CHUNK ? { status, body: unchunk(received.toString('latin1', from)) } : null;
}

/** Sizes count bytes, so each byte is a character here; the answers are ASCII. */
function unchunk(text: string): string {
  let body = '';
  for (let rest = text; ;) {
    const line = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, line), 16);
    if (!(size > 0)) return body;
    body += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 2 + size + 2);
  }
}

export const requestBytes = (
  method: string,
  path: string,
  { type, token, body }: { readonly type: string; readonly token?: string; readonly body: string },
): Buffer =>
  Buffer.from(
    [
      `${method} ${path} HTTP/1.1`,
      'Host: localhost',
      `Content-Type: ${type}`,
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
