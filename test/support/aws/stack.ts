/** Puts up a stack of `deploy/aws/` in moto, which reads CloudFormation: by boto3, as an administrator would. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Keys } from './accounts.ts';
import { pythonWithMoto } from './venv.ts';

const run = promisify(execFile);

export const DEPLOY = join(import.meta.dirname, '..', '..', '..', 'deploy', 'aws');

const SCRIPT = `
import boto3, json, sys
url, key, secret, token, name, path, parameters = sys.argv[1:]
cloud = boto3.client('cloudformation', endpoint_url=url, region_name='us-east-1', aws_access_key_id=key,
    aws_secret_access_key=secret, aws_session_token=token)
cloud.create_stack(StackName=name, TemplateBody=open(path).read(), Capabilities=['CAPABILITY_NAMED_IAM'],
    Parameters=[{'ParameterKey': k, 'ParameterValue': v} for k, v in json.loads(parameters).items()])
stack = cloud.describe_stacks(StackName=name)['Stacks'][0]
print(json.dumps({o['OutputKey']: o['OutputValue'] for o in stack['Outputs']}))
`;

/** @returns its outputs. */
export async function createStack(
  moto: { readonly url: string; readonly keys: Keys },
  name: string,
  file: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const { accessKeyId, secretAccessKey, sessionToken = '' } = moto.keys;
  const args = [
    moto.url,
    accessKeyId,
    secretAccessKey,
    sessionToken,
    name,
    join(DEPLOY, file),
    JSON.stringify(parameters),
  ];
  const { stdout } = await run(await pythonWithMoto(), ['-c', SCRIPT, ...args]);
  return JSON.parse(stdout) as Record<string, string>;
}
