/**
 * Debian's chromium: found, or installed from packages that are kept in the user's cache folder. A suite that has none
 * fails.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'brevet-tests', 'debs');
/** Without a font of its own a page in chromium is boxes. */
const PACKAGES = ['chromium', 'fonts-liberation'];

const found = (): string | undefined => PLACES.find((place) => existsSync(place));

/** @throws where there is none and none can be had. */
export function ensureChromium(): string {
  const known = found();
  if (known !== undefined) return known;
  mkdirSync(join(CACHE, 'partial'), { recursive: true });
  const options = ['-qq', '-y', '--no-install-recommends', '-o', `Dir::Cache::archives=${CACHE}`];
  apt(['update', '-qq']);
  apt(['install', ...options, '-o', 'APT::Keep-Downloaded-Packages=true', ...PACKAGES]);
  const installed = found();
  if (installed === undefined) throw new Error('chromium was installed and is not there');
  return installed;
}

function apt(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stderr, error } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`apt-get ${args.join(' ')}: ${error?.message ?? stderr}`);
}

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: ensureChromium(),
    // Root has no sandbox; containers have little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb'],
  });
