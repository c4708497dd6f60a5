/** Which addresses are on the public internet, in every spelling: PITFALLS 7. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { addressKind, checkUrl, mayBeAt } from '../../src/authenticate/address.ts';
import type { AddressKind } from '../../src/authenticate/address.ts';

const kinds = suite('an address');

const TABLE: Readonly<Record<AddressKind, readonly string[]>> = {
  public: [
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:80b::200e',
    '2620:fe::fe',
    '2001:4860:4860::8888',
    // What stands for a public IPv4 address: a resolver of an IPv6-only network gives such.
    '::ffff:8.8.8.8',
    '::FFFF:808:808',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
  ],
  loopback: [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:7f00:0001',
    '::ffff:0:127.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
  ],
  private: [
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '100.127.255.255',
    'fc00::1',
    'fd12:3456:789a::1',
    'fec0::1',
    '64:ff9b:1::1',
    '::ffff:10.0.0.1',
    '64:ff9b::192.168.1.1',
    '2002:a00:1::1',
  ],
  'link-local': ['169.254.0.1', '169.254.255.254', 'fe80::1', 'fe80::1%eth0', '::ffff:169.254.1.1'],
  metadata: [
    '169.254.169.254',
    '169.254.170.2',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
  ],
  reserved: [
    '0.0.0.0',
    '0.1.2.3',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::ffff:0.0.0.0',
    '100::1',
    '2001::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:db8::1',
    '3fff::1',
    '5f00::1',
    'ff02::1',
    '4000::1',
  ],
};
for (const [kind, addresses] of Object.entries(TABLE)) {
  for (const address of addresses) kinds(`${address} is ${kind}`, () => assert.is(addressKind(address), kind));
}

const NONE = [
  '',
  'localhost',
  '127.1',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '127.0.0.01',
  '127.0.0.1.',
  ' 127.0.0.1',
  '256.0.0.1',
  '1.2.3',
  '1.2.3.4.5',
  '2130706433',
  ':::',
  '::1::',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8:9',
  '12345::',
  'g::',
  '::1.2.3',
  '::1.2.3.4:5',
  '[::1]',
];
for (const text of NONE) kinds(`"${text}" is none`, () => assert.is(addressKind(text), null));

kinds('is judged alike in IPv4 and in every IPv6 that stands for it', () => {
  fc.assert(
    fc.property(fc.ipV4(), (v4) => {
      const kind = addressKind(v4);
      return kind !== null && ['::ffff:', '64:ff9b::', '::ffff:0:'].every((head) => addressKind(head + v4) === kind);
    }),
  );
  fc.assert(fc.property(fc.ipV6(), (v6) => addressKind(v6) !== null));
  fc.assert(fc.property(fc.string(), (text) => addressKind(text) !== 'public' || /^[\d.a-f:]+$/i.test(text)));
});

kinds.run();

const urls = suite('a URL');

const REFUSED: readonly (readonly [url: string, why: string])[] = [
  ['nonsense', 'not a URL'],
  ['http://example.com/', 'not https'],
  ['ftp://example.com/', 'not https'],
  ['file:///etc/passwd', 'not https'],
  ['https://user@example.com/', 'a URL with a user or a password'],
  ['https://:secret@example.com/', 'a URL with a user or a password'],
  ['https://127.0.0.1/', 'a loopback address'],
  ['https://127.1/', 'a loopback address'],
  ['https://0x7f000001/', 'a loopback address'],
  ['https://2130706433/', 'a loopback address'],
  ['https://017700000001/', 'a loopback address'],
  ['https://127.0.0.1./', 'a loopback address'],
  ['https://１２７.0.0.1/', 'a loopback address'],
  ['https://[::1]/', 'a loopback address'],
  ['https://[::ffff:127.0.0.1]/', 'a loopback address'],
  ['https://[::ffff:a9fe:a9fe]/', 'a metadata address'],
  ['https://169.254.169.254/latest/meta-data', 'a metadata address'],
  ['https://10.0.0.1:8443/', 'a private address'],
  ['https://0.0.0.0/', 'a reserved address'],
];
for (const [url, why] of REFUSED) {
  urls(`${url} is refused`, () => assert.is(checkUrl(url, { privateHosts: [] }), why));
}

urls('of a host that was named may be private, and http', () => {
  const reach = { privateHosts: ['vault.internal', '127.0.0.1', '[::1]', 'Mixed.Example'] };
  const allowed = [
    'http://vault.internal:8200/',
    'http://vault.internal./',
    'http://127.0.0.1:1/',
    'https://[::1]/',
    'http://mixed.example/',
  ];
  for (const url of allowed) assert.is.not(typeof checkUrl(url, reach), 'string', url);
  const others = ['http://vault.internal.example/', 'http://127.0.0.2/', 'https://xvault.internal:1@10.0.0.1/'];
  for (const url of others) assert.type(checkUrl(url, reach), 'string', url);
});

urls('that was allowed may lead to public addresses; and to private ones if its host was named', () => {
  const at = (url: string, privateHosts: readonly string[], address: string): boolean => {
    const allowed = checkUrl(url, { privateHosts });
    if (typeof allowed === 'string') throw new Error(allowed);
    return mayBeAt(allowed, address);
  };
  assert.is(at('https://a.example/', [], '1.1.1.1'), true);
  assert.is(at('https://a.example/', [], '10.0.0.1'), false);
  assert.is(at('https://a.example/', [], 'nonsense'), false);
  assert.is(at('https://a.example/', ['a.example'], '10.0.0.1'), true);
  assert.is(at('https://a.example/', ['a.example'], 'nonsense'), false);
  // A private name that comes to point there was not meant to.
  assert.is(at('https://a.example/', ['a.example'], '169.254.169.254'), false);
  assert.is(at('https://a.example/', ['a.example'], '0.0.0.0'), false);
  assert.is(at('http://169.254.169.254/', ['169.254.169.254'], '169.254.169.254'), true);
});

urls.run();
