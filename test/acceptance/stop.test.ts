/** Ctrl-C at a broker that is at work: it drains, and stops all the same where a caller never comes to an end. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAlive } from '../support/alive.ts';
import { administrator, newPlace, postmaster, startBroker, stopBroker } from './broker.ts';

const stopping = suite('Ctrl-C at a broker that is at work');

stopping('a caller that never ends its request holds nothing open', async () => {
  const place = await newPlace();
  const broker = await startBroker(place);
  const { token } = await administrator(place);
  const pid = postmaster(place);
  const socket = connect({ host: '127.0.0.1', port: place.port });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  const head = ['PUT /api/people/olga HTTP/1.1', 'host: localhost', `authorization: Bearer ${token}`];
  const more = ['content-type: application/json', 'content-length: 100', 'expect: 100-continue'];
  socket.write(`${[...head, ...more].join('\r\n')}\r\n\r\n`);
  // The broker has the request: it asks for the body.
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(String(answer), '100 Continue');
  socket.write('{"display_name":');
  // One that waited for the rest of the body would wait for ever, and the runner would end this file.
  const { status, err } = await stopBroker(broker);
  assert.is(status, 0, err.slice(-500));
  assert.not(isAlive(pid));
  socket.destroy();
});

stopping.run();
