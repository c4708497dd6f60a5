/**
 * The keys of one session at AWS, as the AWS CLI and SDKs read them from a command that their profile names. They go on
 * with them after this has ended and tell nobody when they are done, so the lease lives until its end.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
 */
import { createBrevet } from '../client/brevet.ts';
import type { Credential } from '../client/answer.ts';
import { optionsFromEnvironment } from '../client/environment.ts';
import type { AgentLease } from '../client/lease.ts';
import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { ASKING, requestOf } from './exec/ask.ts';
import { refuseBesideKey } from './exec/beside-key.ts';
import { environmentFor, UnknownCredential } from './exec/environment.ts';

const credentialProcess: Command = {
  name: 'credential-process',
  says:
    'Prints a session at AWS for one task, for credential_process in a profile. It lives until its lease ends, since ' +
    'nobody says when it is done: exec, which ends it with the command, is better wherever it can be used. AWS tools ' +
    'ask again a quarter of an hour before the end, so a --ttl of less than 1200 makes them ask each time.',
  options: {
    ...ASKING,
    'same-user': { says: 'run even though this user can read the deployment key: for a first try alone' },
  },
  example: `brevet credential-process --tenant acme --task bucket.read --resource aws --ttl 1800`,
  run: async (given, terminal) => {
    refuseBesideKey(given, terminal);
    const tenant = given.text('tenant');
    const brevet = createBrevet(optionsFromEnvironment(tenant === undefined ? {} : { tenant }));
    const lease = await brevet.ask(requestOf(given, 'brevet credential-process'));
    terminal.out(await printed(lease));
    return EXIT.done;
  },
};

/** A credential that cannot be printed here is not left to live until its end. */
async function printed(lease: AgentLease): Promise<string> {
  try {
    return await lease.use((credential) => JSON.stringify(readByTools(credential, lease.expiresAt)));
  } catch (error) {
    // Where it cannot be ended now, it ends at its end; why it cannot be printed is what its user has to know.
    await lease.done({ outcome: 'abandoned', summary: 'It is no session at AWS.' }).catch(() => undefined);
    throw error;
  }
}

function readByTools(credential: Credential, expiresAt: string) {
  if (credential['type'] !== 'aws') throw new UnknownCredential('the task gives no session at AWS: use brevet exec');
  const names = environmentFor({}, credential);
  return {
    Version: 1,
    AccessKeyId: names['AWS_ACCESS_KEY_ID'],
    SecretAccessKey: names['AWS_SECRET_ACCESS_KEY'],
    SessionToken: names['AWS_SESSION_TOKEN'],
    Expiration: expiresAt,
  };
}

export const commands: readonly Command[] = [credentialProcess];
