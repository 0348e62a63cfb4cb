import fc from 'fast-check';
import { copiesUsed, dueAt, type Case } from '../../../lambdas/domain/case.ts';
import type { Command } from '../../../lambdas/domain/commands.ts';
import { HOUR, MINUTE, DAY, plus } from '../../../lambdas/domain/instant.ts';
import type { Actor, Person } from '../../../lambdas/domain/people.ts';
import { PHASES, commandsIn, isFinal, type CommandType, type Phase } from '../../../lambdas/domain/phases.ts';
import { neededRoles } from '../../../lambdas/domain/quorum.ts';
import { isRefusal } from '../../../lambdas/domain/refusal.ts';
import {
  ACTORS,
  EVERYBODY,
  EXERCISE,
  PEOPLE,
  SCENES,
  SYSTEM,
  attempt,
  by,
  commandsFor,
  digest,
  due,
  give,
  submitted,
  type Scene,
} from '../../support/domain.ts';

const COMMANDS = Object.keys(commandsFor(submitted())) as CommandType[];
const EVERY_ACTOR: readonly Actor[] = [SYSTEM, ...EVERYBODY.map(by)];

/** One thing that somebody tries. Numbers choose among what there is. */
interface Try {
  readonly what: number;
  readonly who: number;
  /** Somebody who has a part in it, and a command that the phase has: otherwise nothing would ever get far. */
  readonly sensible: boolean;
  readonly wait: number;
  readonly twist: number;
}

const tries: fc.Arbitrary<Try> = fc.record({
  what: fc.nat(10_000),
  who: fc.nat(10_000),
  sensible: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  wait: fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(1, MINUTE, HOUR) },
    { weight: 1, arbitrary: fc.constantFrom(2 * DAY, 30 * DAY, -1) },
  ),
  twist: fc.nat(15),
});

const pick = <T>(list: readonly T[], number: number): T => {
  const item = list[number % list.length];
  if (item === undefined) throw new Error('There is nothing to pick');
  return item;
};

/** What leads on is tried more often than what ends a case early, or begins the review again. */
const WEIGHTS: Partial<Record<CommandType, number>> = {
  RecordAssessment: 20,
  AnswerClarification: 20,
  OpenDeposit: 6,
  CompleteDeposit: 12,
  PutProposal: 8,
  CastDecision: 40,
  GiveAssurance: 20,
  RecordSealed: 20,
  OpenRelease: 20,
  GrantAccess: 10,
  Resume: 10,
  RecordEnd: 10,
};
const tempting = (phase: Phase): readonly CommandType[] =>
  commandsIn(phase).flatMap((type) => Array.from({ length: WEIGHTS[type] ?? 1 }, () => type));

const peopleFor = (phase: Phase, type: CommandType): readonly Actor[] => {
  const row = PHASES[phase].commands[type];
  if (row === undefined) return EVERY_ACTOR;
  const actors = row.by.map((capacity) => ACTORS[capacity]);
  if (row.by.includes('approver')) {
    actors.push(...[PEOPLE.security, PEOPLE.secondReleasing, PEOPLE.both, PEOPLE.deskAndReleasing].map(by));
  }
  if (row.by.includes('desk-officer')) actors.push(by(PEOPLE.deskAndReleasing));
  if (row.by.includes('recipient')) actors.push(by(PEOPLE.secondRecipient));
  return actors;
};

/** The command as somebody might bend it. */
function bent(command: Command, twist: number): Command {
  if (twist === 0 && 'proposalDigest' in command) return { ...command, proposalDigest: digest('another') };
  if (command.type === 'CastDecision') {
    if (twist === 1) return { ...command, verdict: 'refuse', ground: 'national-interest' };
    if (twist === 2) return { ...command, role: 'security-officer' };
  }
  if (command.type === 'GrantAccess' && twist === 1) return { ...command, idempotencyKey: 'key-1' };
  if (command.type === 'OpenRelease' && twist === 1) return { ...command, depositsDestroyed: [] };
  if (command.type === 'RecordEnd' && twist === 1) return { ...command, packageDestroyed: null, depositsDestroyed: [] };
  return command;
}

/** What somebody tries in this scene, and the scene after it; the same one when it was refused. */
function after(
  scene: Scene,
  { what, who, sensible, wait, twist }: Try,
): { readonly scene: Scene; readonly type: CommandType } {
  const { phase } = scene.state;
  const type = pick(sensible ? tempting(phase) : COMMANDS, what);
  const actor = pick(sensible ? peopleFor(phase, type) : EVERY_ACTOR, who);
  const now = wait < 0 ? due(scene) : plus(scene.now, wait);
  const outcome = attempt(scene, bent(commandsFor(scene)[type], twist), actor, { now });
  return { scene: isRefusal(outcome) ? { ...scene, now } : outcome, type };
}

// `size: max`, because by default fast-check tries arrays of some ten items, and a whole life takes more.
const lives = fc.record({
  from: fc.constantFrom(...(Object.keys(SCENES) as Phase[]).filter((phase) => !isFinal(phase))),
  attempts: fc.array(tries, { minLength: 1, maxLength: 60, size: 'max' }),
});
type Life = typeof lives extends fc.Arbitrary<infer L> ? L : never;
const LIVES = { numRuns: 300 };

function live(
  { from, attempts }: Life,
  look: (before: Scene, now: Scene, type: CommandType) => void = () => undefined,
): Scene {
  let scene = SCENES[from]();
  for (const one of attempts) {
    const next = after(scene, one);
    look(scene, next.scene, next.type);
    scene = next.scene;
  }
  return scene;
}

it('no sequence of commands reaches a phase that the table does not lead to, or leaves an end', () => {
  const reached = new Set<Phase>();
  fc.assert(
    fc.property(lives, (life) => {
      live(life, (before, now, type) => {
        const from = before.state.phase;
        const to = now.state.phase;
        reached.add(to);
        if (from === to) return;
        expect(PHASES[from].commands[type]?.to).toContain(to);
        expect(isFinal(from)).toBe(false);
      });
    }),
    LIVES,
  );
  // The lives that were tried went everywhere.
  expect([...reached].toSorted()).toEqual(
    expect.arrayContaining(['CLOSED', 'CLOSING', 'LAPSED', 'REFUSED', 'RELEASED', 'SEALING', 'SUSPENDED', 'WITHDRAWN']),
  );
});

const personOf = (personId: string): Person => {
  const found = EVERYBODY.find((one) => one.personId === personId);
  if (found === undefined) throw new Error(`${personId} is nobody`);
  return found;
};

/** Promise S1, looked at from outside: nothing of how `decide` counts is used here. */
function wasDecidedByQuorum(state: Extract<Case, { phase: 'RELEASED' }>): void {
  const { proposal, digest: agreed } = state.proposal;
  const approvals = state.decisions.filter((decision) => decision.verdict === 'approve');
  expect(state.decisions).toEqual(approvals);
  expect(new Set(approvals.map((decision) => decision.personId)).size).toBe(approvals.length);
  for (const { personId, role, proposalDigest } of approvals) {
    expect(proposalDigest).toBe(agreed);
    expect(personId).not.toBe(proposal.preparedBy);
    expect(personOf(personId).roles).toContain(role);
    expect(personOf(personId).nation).toBe(state.originatingNation);
  }
  expect(digest(proposal)).toBe(agreed);
  for (const role of neededRoles(EXERCISE, proposal.documents) ?? ['nobody']) {
    expect(approvals.map((decision) => decision.role)).toContain(role);
  }
  expect(state.assurance).not.toBeNull();
  expect(state.deposits).toEqual([]);
}

it('nothing is released without the quorum on exactly this proposal, the assurance, and every deposit gone', () => {
  let releases = 0;
  fc.assert(
    fc.property(lives, (life) => {
      live(life, (before, { state, now }) => {
        if (state.phase !== 'RELEASED') return;
        wasDecidedByQuorum(state);
        expect(copiesUsed(state.accesses, PEOPLE.recipient.personId)).toBeLessThanOrEqual(
          state.proposal.proposal.copies,
        );
        if (before.state.phase === 'SEALING') {
          releases += 1;
          expect(now < state.release.notAfter).toBe(true);
        }
      });
    }),
    LIVES,
  );
  expect(releases).toBeGreaterThan(20);
});

it('every case can end by time and the system alone, from wherever it was left', () => {
  fc.assert(
    fc.property(lives, (life) => {
      let scene = live(life);
      for (let steps = 0; !isFinal(scene.state.phase); steps += 1) {
        expect(steps).toBeLessThan(6);
        scene = pressOn(scene);
      }
    }),
    LIVES,
  );
});

/** The next thing that the system does when nobody else does anything. */
function pressOn(scene: Scene): Scene {
  const now = due(scene) > scene.now ? due(scene) : plus(scene.now, 1);
  switch (scene.state.phase) {
    case 'SUBMITTED':
      return give(scene, 'RecordAssessment', SYSTEM, { now });
    case 'SEALING':
      return give(scene, 'OpenRelease', SYSTEM, { now });
    case 'RELEASED':
    case 'SUSPENDED':
      return give(scene, 'RecordExpiry', SYSTEM, { now });
    case 'CLOSING':
      return give(scene, 'RecordEnd', SYSTEM, { now });
    default:
      return give(scene, 'LookAtClock', SYSTEM, { now });
  }
}

it('nothing is opened outside its window, however time passes', () => {
  let openings = 0;
  fc.assert(
    fc.property(lives, (life) => {
      live(life, (before, now) => {
        const event = now.events.at(-1);
        if (now.events.length === before.events.length || event?.type !== 'AccessGranted') return;
        openings += 1;
        if (before.state.phase !== 'RELEASED') throw new Error(`Opened in ${before.state.phase}`);
        const { notBefore, notAfter } = before.state.release;
        expect(notBefore <= event.at && event.at < notAfter).toBe(true);
      });
    }),
    LIVES,
  );
  expect(openings).toBeGreaterThan(20);
});

it('a case that waits says until when, and one that is over waits for nothing', () => {
  fc.assert(
    fc.property(lives, (life) => {
      const { state } = live(life);
      expect(dueAt(state) !== null).toBe(PHASES[state.phase].timeout !== undefined);
    }),
    LIVES,
  );
});
