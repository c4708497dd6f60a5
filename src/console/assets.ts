/** The two files that pages load. Their names bear their digest, so that a browser keeps them for good. */
import { Hono } from 'hono';
import { sha256Hex } from '../core/digest.ts';
import type { Scope } from '../http/scope.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

const named = (name: string, text: string): string => {
  const [stem = '', ending = ''] = name.split('.');
  return `/console/${stem}.${sha256Hex(text).slice(0, 16)}.${ending}`;
};

export const STYLE_PATH = named('style.css', STYLE);
export const SCRIPT_PATH = named('script.js', SCRIPT);

const KEPT_FOR_GOOD = {
  'cache-control': 'public, max-age=31536000, immutable',
  'cross-origin-resource-policy': 'same-origin',
} as const;

export const assets = new Hono<Scope>();

assets.get(STYLE_PATH, (c) => c.body(STYLE, 200, { ...KEPT_FOR_GOOD, 'content-type': 'text/css; charset=utf-8' }));
assets.get(SCRIPT_PATH, (c) =>
  c.body(SCRIPT, 200, { ...KEPT_FOR_GOOD, 'content-type': 'text/javascript; charset=utf-8' }),
);
