/**
 * The one script of the console, as it is sent: for what no page can do without one. Pages are whole without it, but
 * for passkeys. Plain JavaScript, with no build; it writes no markup that did not come from this broker.
 *
 * - `form[data-passkey]` (`get` or `create`, with its options in `data-options`): asks the authenticator, puts what it
 *   says into the field `answer`, and goes on.
 * - `form[data-code-in-hash]`: puts what stands behind `#` in the address into its field `code`, where no log sees it.
 * - `[data-live]`: an event stream; whenever it says `changed`, the parts with `data-part` are drawn anew. When it says
 *   `over`, so is the session, and `[data-over]` says it.
 * - `[data-until]`: a bar that runs down from `data-from`, by the broker's clock.
 * - `[data-submits]`: a choice that needs no button.
 */
export const SCRIPT = String.raw`'use strict';
const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const known = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

const ask = {
  async get(options) {
    const { id, response } = await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        allowCredentials: known(options.allowCredentials),
      },
    });
    return {
      credential: id,
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
    };
  },
  async create(options) {
    const { id, response } = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: known(options.excludeCredentials),
      },
    });
    return {
      credential: id,
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports ? response.getTransports() : [],
    };
  },
};

const WHY = {
  NotAllowedError: 'The passkey was not used: it was put off, took too long, or is not one of those asked for.',
  InvalidStateError: 'This authenticator holds a passkey of yours already.',
  SecurityError: 'Passkeys need a host name and TLS, or localhost.',
};

const tell = (form, words) => {
  const place = form.querySelector('[data-tells]');
  if (place) place.textContent = words;
};

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!form.dataset.passkey || form.dataset.answered) return;
  event.preventDefault();
  tell(form, '');
  const { submitter } = event;
  if (submitter) submitter.setAttribute('aria-busy', 'true');
  try {
    const answer = await ask[form.dataset.passkey](JSON.parse(form.dataset.options));
    form.elements.answer.value = JSON.stringify(answer);
    form.dataset.answered = 'yes';
    form.requestSubmit(submitter);
  } catch (fault) {
    tell(form, WHY[fault.name] ?? 'The passkey could not be asked.');
    if (submitter) submitter.removeAttribute('aria-busy');
  }
});

addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-answered]')) delete form.dataset.answered;
});

for (const form of document.querySelectorAll('form[data-code-in-hash]')) {
  const code = location.hash.slice(1);
  if (!code) continue;
  history.replaceState(null, '', location.pathname);
  form.elements.code.value = code;
  form.hidden = false;
}

for (const choice of document.querySelectorAll('[data-submits]')) {
  choice.addEventListener('change', () => choice.form.requestSubmit());
}

const over = () => {
  for (const words of document.querySelectorAll('[data-over]')) words.hidden = false;
};

let drawing = false;
let again = false;
const drawAnew = async () => {
  const answer = await fetch(location.href, { headers: { accept: 'text/html', 'brevet-draws': 'itself' } });
  if (answer.redirected) return over();
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of document.querySelectorAll('[data-part]')) {
    const anew = page.getElementById(part.id);
    // What somebody is at is left as it is.
    if (anew && !part.contains(document.activeElement) && !part.querySelector('.say[open]')) part.replaceWith(document.adoptNode(anew));
  }
};
const draw = async () => {
  again = true;
  if (drawing) return;
  drawing = true;
  while (again) {
    again = false;
    // A page that could not be drawn anew stays as it is: the next change, or its reader, draws it again.
    await drawAnew().catch(() => {});
  }
  drawing = false;
};

// Browsers allow few connections to one host: a page that nobody sees has none.
for (const place of document.querySelectorAll('[data-live]')) {
  let stream = null;
  const listen = () => {
    if (document.hidden === (stream === null)) return;
    if (document.hidden) {
      stream.close();
      stream = null;
      return;
    }
    stream = new EventSource(place.dataset.live);
    stream.addEventListener('changed', draw);
    stream.addEventListener('over', () => {
      stream.close();
      over();
    });
  };
  document.addEventListener('visibilitychange', listen);
  listen();
}

const began = performance.now();
const at = Number(document.body.dataset.now);
const left = (seconds) =>
  seconds < 120 ? seconds + ' s' : seconds < 7200 ? Math.floor(seconds / 60) + ' min' : Math.floor(seconds / 3600) + ' h';
const run = () => {
  const now = at + performance.now() - began;
  for (const bar of document.querySelectorAll('[data-until]')) {
    const { from, until } = bar.dataset;
    const rest = Math.max(0, until - now);
    bar.querySelector('[data-rest]').setAttribute('width', String(Math.min(100, (100 * rest) / Math.max(1, until - from))));
    bar.nextElementSibling.textContent = rest > 0 ? left(Math.ceil(rest / 1000)) : 'over';
  }
};
if (at) setInterval(run, 1000);
`;
