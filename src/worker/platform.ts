/** What Cloudflare hands to a Worker, as far as Brevet uses it. */

/** @see https://developers.cloudflare.com/workers/runtime-apis/bindings/ */
export interface Bindings {
  /** Of `wrangler.toml`, with query caching switched off. */
  readonly HYPERDRIVE?: { readonly connectionString: string };
  /** Settings and secrets, which are texts, and whatever else is bound. */
  readonly [name: string]: unknown;
}

export interface Invocation {
  /** Keeps the invocation alive until this has settled, also when the caller has gone. */
  waitUntil(work: Promise<unknown>): void;
}

export interface CronEvent {
  /** Milliseconds since 1970. */
  readonly scheduledTime: number;
}
