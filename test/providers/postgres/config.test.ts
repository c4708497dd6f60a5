/** A Postgres target is refused with a reason, or is whole. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePostgresConfig } from '../../../src/providers/postgres/config.ts';

const GOOD = {
  nodes: [{ host: 'db.acme.example' }, { host: '10.0.0.2', port: 5433, standby: true }],
  database: 'tickets',
  admin: 'brevet_admin',
  groups: ['reporting', 'Grüße "x"'],
  system_identifier: '7710488266014120171',
};

const configs = suite('the config of a Postgres target');

configs('is completed with what is safe', () => {
  assert.equal(parsePostgresConfig(GOOD, false), {
    ok: true,
    value: {
      ...GOOD,
      nodes: [
        { host: 'db.acme.example', port: 5432, standby: false },
        { host: '10.0.0.2', port: 5433, standby: true },
      ],
      scram_rounds: 4096,
      connection_limit: 5,
      tls: 'verify',
    },
  });
});

for (const host of ['127.0.0.1', '127.8.9.1', 'localhost', '/run/postgresql']) {
  configs(`may leave out TLS to ${host}`, () => {
    assert.is(parsePostgresConfig({ ...GOOD, nodes: [{ host }], tls: 'off' }, false).ok, true);
  });
}

for (const [what, change, at] of [
  ['no node', { nodes: [] }, 'nodes'],
  ['a node twice', { nodes: [{ host: 'a' }, { host: 'a', port: 5432 }] }, 'nodes'],
  ['a list in a host', { nodes: [{ host: 'a,b' }] }, 'nodes.0.host'],
  ['a port in a host', { nodes: [{ host: 'a:5432' }] }, 'nodes.0.host'],
  ['a URL as a host', { nodes: [{ host: 'postgres://a/b' }] }, 'nodes.0.host'],
  ['an unknown field of a node', { nodes: [{ host: 'a', weight: 1 }] }, 'nodes.0.weight'],
  ['an unknown field', { password: 'x' }, 'password'],
  ['a port out of range', { nodes: [{ host: 'a', port: 65_536 }] }, 'nodes.0.port'],
  ['no group', { groups: [] }, 'groups'],
  ['a group of the server', { groups: ['pg_read_all_data'] }, 'groups.0'],
  ['a group that is none', { groups: ['none'] }, 'groups.0'],
  ['a group that is everybody', { groups: ['Public'] }, 'groups.0'],
  ['a group that is a mark', { groups: ['brevet_01m7y8a9qa0j8mas6y31z2xm1a'] }, 'groups.0'],
  ['a group with a NUL', { groups: ['a\0'] }, 'groups.0'],
  ['a group with a new line', { groups: ['a\nb'] }, 'groups.0'],
  ['a name that the server would cut', { admin: 'ü'.repeat(32) }, 'admin'],
  ['a broken character', { database: '\ud800' }, 'database'],
  ['no server', { system_identifier: undefined }, 'system_identifier'],
  ['a server that is no number', { system_identifier: '1 or 1=1' }, 'system_identifier'],
  ['no rounds', { scram_rounds: 0 }, 'scram_rounds'],
  ['no connections', { connection_limit: 0 }, 'connection_limit'],
  ['passwords in the open', { tls: 'off' }, 'tls'],
  ['a certificate that nobody checks', { tls: 'require' }, 'tls'],
] as const) {
  configs(`is refused with ${what}`, () => {
    const parsed = parsePostgresConfig({ ...GOOD, ...change }, false);
    assert.is(parsed.ok ? 'taken' : parsed.error.path, at);
  });
}

configs('may let a network be trusted that protects what crosses it', () => {
  assert.is(parsePostgresConfig({ ...GOOD, tls: 'off' }, true).ok, true);
});

configs.run();
