/**
 * Which IP addresses are on the public internet. Pure, and the same on Node and Workers.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry
 */

/** `reserved` is everything that no server of anybody's has: multicast, documentation, benchmarks, tunnels. */
export type AddressKind = 'public' | 'loopback' | 'private' | 'link-local' | 'metadata' | 'reserved';

/** 32 or 128 bits, and how many of them a range fixes. */
type Range = readonly [network: string, kind: AddressKind];

/** Where clouds tell a machine its credentials. Azure's is a public address; the others lie in private ranges. */
const METADATA: readonly Range[] = [
  ['169.254.169.254/32', 'metadata'],
  ['169.254.170.2/32', 'metadata'],
  ['169.254.170.23/32', 'metadata'],
  ['168.63.129.16/32', 'metadata'],
  ['100.100.100.200/32', 'metadata'],
  ['192.0.0.192/32', 'metadata'],
  ['fd00:ec2::254/128', 'metadata'],
  ['fd00:ec2::23/128', 'metadata'],
  ['fd20:ce::254/128', 'metadata'],
];

/** The first that fits decides. */
const V4: readonly Range[] = [
  ['0.0.0.0/8', 'reserved'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'private'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'reserved'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'reserved'],
  ['198.51.100.0/24', 'reserved'],
  ['203.0.113.0/24', 'reserved'],
  ['224.0.0.0/3', 'reserved'],
  ['0.0.0.0/0', 'public'],
];

const V6: readonly Range[] = [
  ['::1/128', 'loopback'],
  ['64:ff9b:1::/48', 'private'],
  ['fc00::/7', 'private'],
  ['fec0::/10', 'private'],
  ['fe80::/10', 'link-local'],
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'reserved'],
  ['3fff::/20', 'reserved'],
  ['2000::/3', 'public'],
  ['::/0', 'reserved'],
];

/**
 * IPv6 that stands for an IPv4 address, with the bit where that begins: mapped (RFC 4291), compatible (its deprecated
 * elder), translated (RFC 2765), NAT64 (RFC 6052) and 6to4 (RFC 3056).
 */
const CARRIERS: readonly (readonly [network: string, bit: number])[] = [
  ['::ffff:0:0/96', 96],
  ['::ffff:0:0:0/96', 96],
  ['64:ff9b::/96', 96],
  ['2002::/16', 16],
  ['::/96', 96],
];

/** @returns `null` for what is no IP address as a socket or a resolver writes it. */
export function addressKind(text: string): AddressKind | null {
  const v4 = parseV4(text);
  if (v4 !== null) return kindOf(v4, OF_V4);
  const v6 = parseV6(text.replace(/%[\w.-]+$/, ''));
  return v6 === null ? null : kindOfV6(v6);
}

function kindOfV6(address: bigint): AddressKind {
  const own = kindOf(address, OF_V6);
  if (own === 'loopback') return own;
  const carrier = OF_CARRIERS.find(([network]) => isWithin(address, network));
  if (carrier === undefined) return own;
  return kindOf((address >> BigInt(96 - carrier[1])) & 0xffff_ffffn, OF_V4);
}

const kindOf = (address: bigint, ranges: readonly Parsed<AddressKind>[]): AddressKind =>
  ranges.find(([network]) => isWithin(address, network))?.[1] ?? 'reserved';

/** What the addresses of a network have in common, once the bits that are theirs to choose are gone. */
interface Network {
  readonly start: bigint;
  readonly free: bigint;
}

type Parsed<Of> = readonly [network: Network, of: Of];

const isWithin = (address: bigint, { start, free }: Network): boolean => start === address >> free;

/** Those of one width. */
const parsed = <Of>(bits: 32 | 128, ranges: readonly (readonly [network: string, of: Of])[]): readonly Parsed<Of>[] =>
  ranges.flatMap(([text, of]) => {
    const [base = '', length = ''] = text.split('/');
    const start = bits === 32 ? parseV4(base) : parseV6(base);
    const free = BigInt(bits - Number(length));
    return start === null ? [] : [[{ start: start >> free, free }, of] as const];
  });

const OCTET = /^(?:0|[1-9]\d{0,2})$/;

/** Four decimal numbers and nothing else: other spellings are read differently by different programs. */
function parseV4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => OCTET.test(part) && Number(part) <= 255)) return null;
  return parts.reduce((address, part) => (address << 8n) | BigInt(part), 0n);
}

/** @see RFC 4291 section 2.2 */
function parseV6(text: string): bigint | null {
  const [head = '', tail, ...more] = text.split('::');
  const before = groupsOf(head);
  const behind = groupsOf(tail ?? '');
  if (before === null || behind === null || more.length > 0) return null;
  const missing = 8 - before.length - behind.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...behind];
  return groups.reduce((address, group) => (address << 16n) | BigInt(group), 0n);
}

function groupsOf(text: string): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const v4 = last.includes('.') ? parseV4(last) : null;
  const groups = v4 === null ? parts : [...parts.slice(0, -1), (v4 >> 16n).toString(16), (v4 & 0xffffn).toString(16)];
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : null;
}

/** Read once: each call of a tool by its address is held against them. */
const OF_V4 = parsed(32, [...METADATA, ...V4]);
const OF_V6 = parsed(128, [...METADATA, ...V6]);
const OF_CARRIERS = parsed(128, CARRIERS);

/** What a deployment may reach beside the public internet. */
export interface Reach {
  /** Hosts, exactly as in a URL, that may have any address. Over http too, since nobody certifies a private name. */
  readonly privateHosts: readonly string[];
}

/** A URL whose parts allow a request; its name may still resolve to an address that does not. */
export interface AllowedUrl {
  readonly url: URL;
  /** In lower case, without the brackets of IPv6. */
  readonly host: string;
  readonly mayBePrivate: boolean;
}

/** @returns why not, in words for whoever configured it. */
export function checkUrl(text: string, { privateHosts }: Reach): AllowedUrl | string {
  if (!URL.canParse(text)) return 'not a URL';
  const url = new URL(text);
  const host = hostOf(url);
  const mayBePrivate = privateHosts.some((allowed) => sameHost(allowed, host));
  if (url.username !== '' || url.password !== '') return 'a URL with a user or a password';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && mayBePrivate)) return 'not https';
  const kind = addressKind(host);
  if (kind !== null && kind !== 'public' && !mayBePrivate) return `a ${kind} address`;
  return { url, host, mayBePrivate };
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

const sameHost = (allowed: string, host: string): boolean => allowed.toLowerCase().replace(/^\[|\]$/g, '') === host;

/**
 * Whether a host that was allowed may be at this address. A private name that comes to point at a cloud's metadata, or
 * at what is no server's, was not meant: that must be named by its address.
 */
export function mayBeAt({ host, mayBePrivate }: AllowedUrl, address: string): boolean {
  const kind = addressKind(address);
  if (kind === null || kind === 'public' || !mayBePrivate) return kind === 'public';
  return host === address || !(kind === 'metadata' || kind === 'reserved');
}
