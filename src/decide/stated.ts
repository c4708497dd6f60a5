/** Circumstances as a request could state them, none of which the registers contradict. */
import type { Agent } from '../core/registers.ts';
import type { Circumstances } from '../core/request.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Circumstance } from './bundle/model.ts';

export type Stated = Readonly<Record<Circumstance, Circumstances>>;

export function stated(snapshot: Snapshot, agent: Agent, environment: string): Stated {
  const [lawful] = snapshot.tenant.context.legalBases;
  return {
    trigger: { trigger: { kind: 'example', reference: '1' } },
    data_considered: { dataConsidered: [] },
    data_classes: { dataClasses: [] },
    purpose: { purpose: lawful?.purpose ?? 'a purpose' },
    legal_basis: { legalBasis: lawful?.basis ?? 'contract' },
    environment: { environment },
    confidence: { confidence: 1 },
    model: { model: agent.model },
    model_version: { modelVersion: agent.modelVersion },
    evidence: { evidence: [] },
    rollback: { rollback: 'a way back' },
    change: { change: 'CHG-1' },
    plan: { plan: 'a plan' },
  };
}
