/** What a request carries through the routes. */
import type { Deps } from '../deps.ts';

export interface Scope {
  Variables: { deps: Deps; requestId: string };
  Bindings: {
    outgoing?: Outgoing;
    /** Node's request: whose it is, and its target as it was sent. */
    incoming?: { readonly socket?: { readonly remoteAddress?: string }; readonly url?: string };
  };
}

/** Node's response, to learn whether an answer was written, and to break one off. */
export interface Outgoing {
  once(event: 'close', listener: () => void): unknown;
  readonly writableFinished: boolean;
  destroy(): unknown;
}
