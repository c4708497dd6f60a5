/** Mail to a real SMTP server, and to servers that are hostile. */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions } from 'smtp-server';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mailChannel } from '../../src/channels/mail.ts';
import { mailServerOf } from '../../src/core/mail-server.ts';
import type { MailServer } from '../../src/core/mail-server.ts';
import { Secret } from '../../src/core/secret.ts';
import { guardedConnect } from '../../src/fetch/node-connect.ts';
import type { Resolve } from '../../src/fetch/node.ts';
import { certificateAuthority } from '../support/certificate.ts';
import { hostileNotice, notice } from '../support/notices.ts';

const PASSWORD = 's3cr3t p@ss';

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly secure: boolean;
  readonly user: string | undefined;
}

async function startMail(options: SMTPServerOptions = {}) {
  const received: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, taken) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString('utf8'),
          secure: session.secure,
          user: session.user as string | undefined,
        });
        taken();
      });
    },
    ...options,
  });
  // A client that goes away in the middle is none of the test's faults.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return { port, received, stop: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

/** @param allowed whether loopback was allowed as a private host. */
function channelTo(port: number, { url = `smtp://127.0.0.1:${port}/`, allowed = true } = {}) {
  const server = mailServerOf(new Secret(url), 'brevet@msp.example');
  assert.ok(server);
  const connect = guardedConnect({ privateHosts: allowed ? ['127.0.0.1'] : [] });
  return mailChannel({ server, connect, mayBePrivate: allowed });
}

const fault = async (sending: Promise<void>): Promise<Error> => {
  try {
    await sending;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it was taken');
};

/** Without the folding of long lines. */
const headersOf = ({ text }: Pick<Mail, 'text'>): string =>
  (text.split('\r\n\r\n', 1)[0] ?? '').replaceAll(/\r\n[ \t]+/g, ' ');

const mail = suite('channels/mail');

mail('goes to those named, with what is said and where it leads', async () => {
  const far = await startMail();
  await channelTo(far.port).tell(
    notice({
      to: [
        { name: 'Paula Nord', address: 'paula@msp.example' },
        { name: 'Otto', address: null },
        { name: 'Ana', address: 'ana@msp.example' },
      ],
    }),
  );
  const [received] = far.received;
  assert.ok(received);
  assert.equal([received.from, received.to], ['brevet@msp.example', ['paula@msp.example', 'ana@msp.example']]);
  assert.match(headersOf(received), /^Subject: \[acme\] firewall\.change at Acme is asked of you$/m);
  assert.match(headersOf(received), /^Auto-Submitted: auto-generated$/m);
  assert.match(headersOf(received), /^Message-ID: <wrk_01jqaaaaaaaaaaaaaaaaaaaaaa@msp\.example>$/m);
  assert.match(headersOf(received), /^References: <apr_01jq@msp\.example>$/m);
  assert.match(received.text, 'Open it in Brevet: https://brevet.example/approvals/apr_01jq');
  await far.stop();
});

mail('has the headers that it should, and no more, whatever anybody writes', async () => {
  const far = await startMail();
  await channelTo(far.port).tell(hostileNotice);
  const [received] = far.received;
  assert.ok(received);
  assert.equal(received.to, ['paula@msp.example']);
  const names = headersOf(received)
    .split('\r\n')
    .map((line) => line.split(':', 1)[0] ?? '');
  assert.equal(names.toSorted(), [
    'Auto-Submitted',
    'Content-Transfer-Encoding',
    'Content-Type',
    'Date',
    'From',
    'MIME-Version',
    'Message-ID',
    'References',
    'Subject',
    'To',
  ]);
  assert.match(received.text, /^Content-Type: text\/plain/m);
  await far.stop();
});

mail('for a client’s contact has no way into the console', async () => {
  const far = await startMail();
  const channel = channelTo(far.port);
  const told = notice({ audience: 'client', link: null, to: [{ name: 'Acme', address: 'it@acme.example' }] });
  assert.ok(channel.reaches(told));
  await channel.tell(told);
  assert.not.match(far.received[0]?.text ?? 'https://', 'https://');
  await far.stop();
});

const ADDRESSES: readonly (readonly [address: string | null, reaches: boolean])[] = [
  ['paula@msp.example', true],
  [null, false],
  ['no address', false],
  ['a@b.example, all@evil.example', false],
  ['a@b.example\r\nRCPT TO:<all@evil.example>', false],
  ['<a@b.example>', false],
];

for (const [address, reaches] of ADDRESSES) {
  mail(`${reaches ? 'reaches' : 'does not reach'} ${JSON.stringify(address)}`, () => {
    assert.is(channelTo(1).reaches(notice({ to: [{ name: 'x', address }] })), reaches);
  });
}

const authority = certificateAuthority('test');

mail('gives its password over TLS alone', async () => {
  const auth: SMTPServerOptions['onAuth'] = ({ username, password }, _session, then) => {
    if (username === 'brevet' && password === PASSWORD) return then(null, { user: 'brevet' });
    return then(new Error('wrong'));
  };
  const plain = await startMail({ authOptional: false, onAuth: auth, allowInsecureAuth: true });
  const url = `smtp://brevet:${encodeURIComponent(PASSWORD)}@127.0.0.1:${plain.port}/`;
  const server = mailServerOf(new Secret(url), 'brevet@msp.example');
  assert.ok(server);
  // It stands at an address that may be reached, and is none that was allowed as private.
  const connect = guardedConnect({ privateHosts: ['127.0.0.1'] });
  const error = await fault(mailChannel({ server, connect, mayBePrivate: false }).tell(notice()));
  assert.match(error.message, 'ETLS');
  assert.is(plain.received.length, 0);
  await plain.stop();
});

mail('does not take a server for another by its certificate', async () => {
  const { certificate: cert, key } = authority.issue('127.0.0.1');
  const far = await startMail({ secure: true, cert, key });
  const error = await fault(channelTo(far.port, { url: `smtps://127.0.0.1:${far.port}/` }).tell(notice()));
  assert.match(error.message, /the mail server did not take it/);
  assert.is(far.received.length, 0);
  await far.stop();
});

mail('logs in where it was told to', async () => {
  const far = await startMail({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, then) =>
      password === PASSWORD ? then(null, { user: username ?? '' }) : then(new Error(`no: ${password}`)),
  });
  const url = (password: string) => `smtp://brevet:${encodeURIComponent(password)}@127.0.0.1:${far.port}/`;
  await channelTo(far.port, { url: url(PASSWORD) }).tell(notice());
  assert.is(far.received[0]?.user, 'brevet');
  const error = await fault(channelTo(far.port, { url: url('s3cr3t-wrong') }).tell(notice()));
  assert.is(error.message, 'the mail server did not take it: EAUTH 535');
  assert.not.match(error.stack ?? '', 's3cr3t-wrong');
  await far.stop();
});

mail('is not taken where the server wants nobody of those named', async () => {
  const far = await startMail({ onRcptTo: (_address, _session, then) => then(new Error('no such user')) });
  assert.match((await fault(channelTo(far.port).tell(notice()))).message, /EENVELOPE|nobody/);
  await far.stop();
});

async function startTalker(talk: (socket: Socket) => void): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    talk(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

const HOSTILE: readonly (readonly [what: string, talk: (socket: Socket) => void])[] = [
  ['hangs up', (socket) => socket.destroy()],
  ['speaks another language', (socket) => void socket.end('HTTP/1.1 200 OK\r\n\r\n')],
  ['greets without end', (socket) => void socket.write(`220-${'x'.repeat(3_000_000)}`)],
  ['is out of order', (socket) => void socket.write('421 s3cr3t-reason\r\n')],
];

for (const [what, talk] of HOSTILE) {
  mail(`is not taken by a server that ${what}`, async () => {
    const { port, server } = await startTalker(talk);
    const error = await fault(channelTo(port).tell(notice()));
    assert.match(error.message, 'the mail server did not take it');
    assert.not.match(error.message, 's3cr3t-reason');
    server.close();
  });
}

mail('goes to no private address that was not allowed', async () => {
  const far = await startMail();
  const error = await fault(channelTo(far.port, { allowed: false }).tell(notice()));
  assert.match(error.message, 'the mail server did not take it');
  const inside: Resolve = (_host, then) => then(null, [{ address: '127.0.0.1', family: 4 }]);
  const refusal = await guardedConnect({ privateHosts: [] }, inside)('mail.example.com', far.port).then(
    () => null,
    (why: unknown) => (why as Error).name,
  );
  assert.is(refusal, 'FetchRefused');
  assert.is(far.received.length, 0);
  await far.stop();
});

const URLS: readonly (readonly [url: string, server: Partial<Omit<MailServer, 'auth'>> | null])[] = [
  ['smtp://mail.example', { host: 'mail.example', port: 587, secure: false, from: 'brevet@msp.example' }],
  ['smtps://mail.example', { host: 'mail.example', port: 465, secure: true, from: 'brevet@msp.example' }],
  ['smtps://u:p@mail.example:2465/?from=ops@msp.example', { port: 2465, from: 'ops@msp.example' }],
  ['smtp://[fd00::1]/', { host: 'fd00::1' }],
  ['smtp://mail.example/?from=no%20address', null],
  ['smtp://mail.example/?from=a@b%0d%0aBcc:c@d', null],
  ['smtp://%zz@mail.example', null],
  ['https://mail.example', null],
  ['smtp://', null],
];

for (const [url, expected] of URLS) {
  mail(`${url} is ${expected === null ? 'no mail server' : 'one'}`, () => {
    const server = mailServerOf(new Secret(url), 'brevet@msp.example');
    if (expected === null) return assert.is(server, null);
    const picked = Object.fromEntries(Object.keys(expected).map((name) => [name, server?.[name as 'host']]));
    assert.equal(picked, expected);
  });
}

mail.run();
