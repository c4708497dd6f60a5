/** A call in AWS's query protocol, as it came, and a refusal as AWS words it. */
import type { IncomingMessage } from 'node:http';

export class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Request {
  readonly service: string;
  readonly region: string;
  readonly keyId: string;
  readonly token: string | undefined;
  readonly body: string;
  readonly form: URLSearchParams;
  readonly action: string;
  readonly headers: Record<string, string>;
}

export async function read(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const form = new URLSearchParams(body);
  const authorization = incoming.headers.authorization ?? '';
  const scope = /Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(authorization);
  const [, keyId = '', region = '', service = ''] = scope ?? [];
  const token = incoming.headers['x-amz-security-token'];
  return {
    service,
    region,
    keyId,
    token: Array.isArray(token) ? token[0] : token,
    body,
    form,
    action: `${service}:${form.get('Action') ?? ''}`,
    headers: {
      authorization,
      'content-type': incoming.headers['content-type'] ?? 'application/x-www-form-urlencoded',
      ...(typeof incoming.headers['x-amz-date'] === 'string' ? { 'x-amz-date': incoming.headers['x-amz-date'] } : {}),
    },
  };
}

export const decode = (text: string): string =>
  text.replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>');
const encode = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const errorOf = ({ code, message, status }: Refused): string =>
  `<ErrorResponse><Error><Type>${status < 500 ? 'Sender' : 'Receiver'}</Type><Code>${code}</Code><Message>${encode(message)}</Message></Error><RequestId>front</RequestId></ErrorResponse>`;
