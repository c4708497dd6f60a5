/** Agents whose nodes are killed: what they asked for and know of, and what they do once a node is back. */
import type { ProviderKind } from '../../src/core/registers.ts';
import { ask, complete, leaseOf, newKey, receiptOf } from './kill-agent.ts';
import type { Receipt, Reply, Task } from './kill-agent.ts';
import type { Chance } from './kill-chance.ts';
import { callTool } from './kill-grounds.ts';
import type { Aim, Credential, Grounds } from './kill-grounds.ts';
import { sessionAt } from './kill-world.ts';
import type { AgentOfWorld } from './kill-world.ts';

/** Leases that are left alone from one kill to another, so that what must not die is looked at too. */
const BYSTANDERS = 20;

export interface Asked {
  readonly key: string;
  readonly provider: ProviderKind;
  readonly task: Task;
  lease: string | null;
  /** The credential left, with 201. */
  acknowledged: boolean;
  taken: Credential | null;
  /** Calls through the gateway that were answered. */
  answered: number;
  ending: 'no' | 'sent' | 'acknowledged';
}

/** One node, and the sessions that agents have with it. */
export interface Round {
  readonly url: string;
  readonly sessions: Readonly<Record<AgentOfWorld, string>>;
}

export interface Crowd {
  readonly asks: readonly Asked[];
  readonly receipts: readonly Receipt[];
  /** Answers that named another lease for the same key. */
  readonly doubled: readonly string[];
  /** Refusals of what must be done. */
  readonly refused: readonly string[];
  meet(url: string): Promise<Round>;
  begin(round: Round, provider: ProviderKind, aim: Aim): Promise<Asked>;
  /** @param wait in seconds, for its death; without one as long as Brevet waits by itself. */
  finish(round: Round, asked: Asked, wait?: number | null): Promise<void>;
  /** Uses what it got through the gateway. */
  use(round: Round, asked: Asked): Promise<void>;
  /** What agents do whose broker went away: the same again, with the same key, until there is an answer. */
  tryAgain(round: Round): Promise<void>;
}

const isOvertaken = (aim: Aim): boolean => typeof aim === 'object' && aim.phase === 'overtake';

export function gatherCrowd({ world, at }: Grounds, chance: Chance): Crowd {
  const asks: Asked[] = [];
  const receipts: Receipt[] = [];
  const doubled: string[] = [];
  const refused: string[] = [];

  const keep = (reply: Reply): void => {
    const receipt = receiptOf(reply);
    if (reply !== null && reply.status < 300 && receipt !== null) receipts.push(receipt);
  };
  const take = async (asked: Asked, reply: Reply): Promise<void> => {
    const lease = leaseOf(reply);
    if (reply === null) return;
    if (lease !== null && asked.lease !== null && lease !== asked.lease) doubled.push(`${asked.key}: ${lease}`);
    asked.lease ??= lease;
    keep(reply);
    if (reply.status !== 201) return;
    if (asked.acknowledged) doubled.push(`${asked.key}: twice 201`);
    asked.acknowledged = true;
    asked.taken = await at[asked.provider].take(reply.body['credential'] as Credential);
  };
  const send = ({ url, sessions }: Round, { task, key }: Asked): Promise<Reply> =>
    ask(url, sessions[task.agent], task, key);
  const begin: Crowd['begin'] = async (round, provider, aim) => {
    const asked: Asked = {
      key: newKey(),
      provider,
      task: at[provider].task(aim),
      lease: null,
      acknowledged: false,
      taken: null,
      answered: 0,
      ending: 'no',
    };
    asks.push(asked);
    const reply = await send(round, asked);
    // What did not come to its end is asked for again; that it is not permitted would be a fault of these tests.
    if (reply !== null && reply.status !== 201 && reply.status !== 503 && !isOvertaken(aim)) {
      refused.push(`${provider}: ${reply.status} ${JSON.stringify(reply.body)}`);
    }
    await take(asked, reply);
    return asked;
  };
  const finish: Crowd['finish'] = async ({ url, sessions }, asked, wait = null) => {
    if (asked.lease === null) return;
    if (asked.ending === 'no') asked.ending = 'sent';
    const reply = await complete(url, sessions[asked.task.agent], asked.lease, wait);
    if (reply === null) return;
    keep(reply);
    if (reply.status === 200) asked.ending = 'acknowledged';
    else refused.push(`complete ${asked.lease}: ${reply.status} ${JSON.stringify(reply.body)}`);
  };
  return {
    asks,
    receipts,
    doubled,
    refused,
    begin,
    finish,
    async meet(url) {
      const [report, triage] = await Promise.all([
        sessionAt(world, url, 'report-bot'),
        sessionAt(world, url, 'triage-bot'),
      ]);
      return { url, sessions: { 'report-bot': report, 'triage-bot': triage } };
    },
    async use({ url }, asked) {
      if (asked.taken === null) return;
      const status = await callTool(asked.taken, url);
      if (status === 200) asked.answered++;
      else if (status !== null) refused.push(`a call of ${asked.lease}: ${status}`);
    },
    async tryAgain(round) {
      const lost = asks.filter(({ lease, acknowledged }) => lease === null && !acknowledged);
      await Promise.all(
        lost.map(async (asked) => {
          const reply = await send(round, asked);
          if (reply === null || reply.status >= 300) refused.push(`again: ${JSON.stringify(reply)}`);
          await take(asked, reply);
        }),
      );
      const unfinished = asks.filter(({ ending }) => ending === 'sent');
      // Of those whose credential never came, some are given up by their agent, and some are left to the reconciler.
      const givenUp = asks.filter((asked) => !asked.acknowledged && asked.ending === 'no' && chance.next() < 0.7);
      await Promise.all([...unfinished, ...givenUp].map((asked) => finish(round, asked, 0)));
      const bystanders = asks.filter(({ acknowledged, ending }) => acknowledged && ending === 'no');
      await Promise.all(bystanders.slice(0, -BYSTANDERS).map((asked) => finish(round, asked, 0)));
    },
  };
}
