/** A tool, as fast as it can be: a small answer in JSON, and a large one that streams. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { announce } from './process.ts';

const SMALL = Buffer.from(
  JSON.stringify({ id: 'ACME-1', subject: 'Printer on fire', state: 'open', note: 'x'.repeat(200) }),
);
const MEBIBYTE = Buffer.alloc(1024 * 1024, 'The quick brown fox jumps over the lazy dog. ');
const LARGE_MEBIBYTES = 64;

function stream(response: ServerResponse): void {
  let left = LARGE_MEBIBYTES;
  const more = (): void => {
    while (left > 0) {
      left--;
      if (!response.write(MEBIBYTE)) return void response.once('drain', more);
    }
    response.end();
  };
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': left * MEBIBYTE.length });
  more();
}

const server = createServer((request, response) => {
  request.resume();
  if (request.url?.startsWith('/files/') === true) return stream(response);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': SMALL.length }).end(SMALL);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
