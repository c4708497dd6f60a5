/** The floor of the gateway: a bare `node:http` proxy that passes everything on, over connections that it keeps. */
import { Agent, createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { announce, argument } from './process.ts';

const port = Number(argument('far'));
const agent = new Agent({ keepAlive: true });

const server = createServer((request, response) => {
  const { method, url, headers } = request;
  const asked = ask({ host: '127.0.0.1', port, method, path: url, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  asked.on('error', () => response.destroy());
  request.pipe(asked);
});
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
