import { capacities, commandsFor as possibleFor } from '../../../lambdas/domain/capacity.ts';
import { InvariantBroken, dueAt } from '../../../lambdas/domain/case.ts';
import type { Command } from '../../../lambdas/domain/commands.ts';
import { decide } from '../../../lambdas/domain/decide.ts';
import { evolve } from '../../../lambdas/domain/evolve.ts';
import { SECOND, plus, type Instant } from '../../../lambdas/domain/instant.ts';
import type { Actor } from '../../../lambdas/domain/people.ts';
import {
  PHASES,
  commandsIn,
  isFinal,
  isWaiting,
  type Capacity,
  type CommandType,
  type Phase,
} from '../../../lambdas/domain/phases.ts';
import { isRefusal } from '../../../lambdas/domain/refusal.ts';
import {
  ACTORS,
  PEOPLE,
  SCENES,
  SYSTEM,
  agreementWith,
  attempt,
  by,
  commandsFor,
  context,
  due,
  give,
  given,
  inPhase,
  record,
  sealed,
  sealing,
  submitted,
  type Scene,
  type StepOptions,
} from '../../support/domain.ts';

const PHASE_NAMES = Object.keys(PHASES) as Phase[];
const COMMANDS = Object.keys(commandsFor(submitted())) as CommandType[];
const CAPACITIES = Object.keys(ACTORS) as Capacity[];

/** People and steps with exactly one capacity, and those who look similar and have none. */
const NOBODIES: Readonly<Record<string, Actor>> = {
  'a stranger': by(PEOPLE.stranger),
  'a requester of another agency': by(PEOPLE.otherAgency),
  'an auditor': by(PEOPLE.auditor),
  'a requester who has left': by({ ...PEOPLE.requester, active: false }),
  'an approver who has left': by({ ...PEOPLE.releasing, active: false }),
  'a desk officer of the other nation': by({ ...PEOPLE.desk, nation: PEOPLE.requester.nation }),
  'an approver of the other nation': by({ ...PEOPLE.releasing, nation: PEOPLE.requester.nation }),
  'a requester of the originating nation': by({ ...PEOPLE.requester, nation: PEOPLE.desk.nation }),
};

/** When a command may be given: when the clock has run out for those that record that it has. */
const momentFor = (scene: Scene, type: CommandType): Instant =>
  type === 'LookAtClock' || type === 'RecordExpiry' ? due(scene) : plus(scene.now, SECOND);

const targets = (phase: Phase, type: CommandType): readonly Phase[] => {
  const to = PHASES[phase].commands[type]?.to ?? [];
  return to.length === 0 ? [phase] : to;
};

describe('the table, as a reviewer reads it', () => {
  it('has every phase, and a scene for each', () => {
    expect(PHASE_NAMES.toSorted()).toEqual(Object.keys(SCENES).toSorted());
    for (const phase of PHASE_NAMES) expect(SCENES[phase]().state.phase).toBe(phase);
  });

  it('lets the requester, the originator and time end what they may end, and nobody leave an end', () => {
    const edges = PHASE_NAMES.flatMap((from) =>
      commandsIn(from).flatMap((type) =>
        targets(from, type)
          .filter((to) => to !== from)
          .map((to) => `${from} ${type} ${to}`),
      ),
    );
    expect(edges.toSorted()).toEqual(
      [
        'SUBMITTED RecordAssessment UNDER_REVIEW',
        'SUBMITTED RecordAssessment INADMISSIBLE',
        'SUBMITTED Withdraw WITHDRAWN',
        'UNDER_REVIEW SeekClarification AWAITING_CLARIFICATION',
        'UNDER_REVIEW CastDecision AWAITING_ASSURANCE',
        'UNDER_REVIEW CastDecision SEALING',
        'UNDER_REVIEW CastDecision REFUSED',
        'UNDER_REVIEW LookAtClock LAPSED',
        'UNDER_REVIEW Withdraw WITHDRAWN',
        'AWAITING_CLARIFICATION AnswerClarification UNDER_REVIEW',
        'AWAITING_CLARIFICATION LookAtClock LAPSED',
        'AWAITING_CLARIFICATION Withdraw WITHDRAWN',
        'AWAITING_ASSURANCE GiveAssurance SEALING',
        'AWAITING_ASSURANCE DeclineAssurance LAPSED',
        'AWAITING_ASSURANCE LookAtClock LAPSED',
        'AWAITING_ASSURANCE Withdraw WITHDRAWN',
        'SEALING OpenRelease RELEASED',
        'SEALING OpenRelease CLOSING',
        'SEALING Withdraw CLOSING',
        'RELEASED Suspend SUSPENDED',
        'RELEASED Recall CLOSING',
        'RELEASED RecordExpiry CLOSING',
        'SUSPENDED Resume RELEASED',
        'SUSPENDED Recall CLOSING',
        'SUSPENDED RecordExpiry CLOSING',
        'CLOSING RecordEnd CLOSED',
        'CLOSING RecordEnd WITHDRAWN',
      ].toSorted(),
    );
  });

  it('never lets one capacity both ask and decide, or both decide and seal', () => {
    const may = (capacity: Capacity) =>
      new Set(
        COMMANDS.filter((type) => PHASE_NAMES.some((phase) => PHASES[phase].commands[type]?.by.includes(capacity))),
      );
    for (const capacity of CAPACITIES) {
      const acts = may(capacity);
      expect(acts.has('CastDecision') && (acts.has('AnswerClarification') || acts.has('Withdraw'))).toBe(false);
      expect(acts.has('CastDecision') && (acts.has('PutProposal') || acts.has('RecordSealed'))).toBe(false);
      expect(acts.has('GiveAssurance') && acts.has('CastDecision')).toBe(false);
    }
  });

  it('says what a timeout does in every phase that has a clock, and which phases are over', () => {
    for (const phase of PHASE_NAMES) {
      expect(isWaiting(phase)).toBe(dueAt(SCENES[phase]().state) !== null);
      expect(isFinal(phase) && isWaiting(phase)).toBe(false);
    }
    expect(PHASE_NAMES.filter(isFinal)).toEqual(['INADMISSIBLE', 'REFUSED', 'LAPSED', 'WITHDRAWN', 'CLOSED']);
  });
});

it('each actor of these tests has one capacity, and the others none', () => {
  const { state } = SCENES.RELEASED();
  for (const capacity of CAPACITIES) expect(capacities(state, ACTORS[capacity])).toEqual([capacity]);
  for (const [name, actor] of Object.entries(NOBODIES)) expect([name, capacities(state, actor)]).toEqual([name, []]);
});

describe.each(PHASE_NAMES)('every command in %s, by every capacity', (phase) => {
  const scene = SCENES[phase]();

  it.each(COMMANDS)('%s', (type) => {
    const command = commandsFor(scene)[type];
    const row = PHASES[phase].commands[type];
    const now = momentFor(scene, type);
    for (const capacity of CAPACITIES) {
      const outcome = attempt(scene, command, ACTORS[capacity], { now });
      if (row === undefined) {
        expect(outcome).toMatchObject({
          kind: 'Conflict',
          code: 'PHASE_FORBIDS',
          message: expect.stringContaining(phase),
        });
      } else if (row.by.includes(capacity)) {
        if (isRefusal(outcome))
          throw new Error(`${capacity} may ${type} in ${phase}, and was refused: ${outcome.code}`);
        expect(targets(phase, type)).toContain(outcome.state.phase);
      } else {
        expect(outcome).toMatchObject({
          kind: 'Forbidden',
          code: 'NOT_YOUR_PART',
          message: expect.stringContaining(type),
        });
      }
    }
  });

  it.each(Object.entries(NOBODIES))('nothing by %s', (_, actor) => {
    for (const type of COMMANDS) {
      const code = PHASES[phase].commands[type] === undefined ? 'PHASE_FORBIDS' : 'NOT_YOUR_PART';
      expect(attempt(scene, commandsFor(scene)[type], actor, { now: momentFor(scene, type) })).toMatchObject({ code });
    }
  });
});

describe('what is possible is told to each for themselves', () => {
  it.each(PHASE_NAMES)('in %s', (phase) => {
    const { state } = SCENES[phase]();
    for (const capacity of CAPACITIES) {
      const rows = commandsIn(phase).filter((type) => PHASES[phase].commands[type]?.by.includes(capacity));
      expect(possibleFor(state, ACTORS[capacity])).toEqual(rows);
    }
    for (const nobody of Object.values(NOBODIES)) expect(possibleFor(state, nobody)).toEqual([]);
  });

  it('a refusal names only what the caller may do', () => {
    const scene = SCENES.RELEASED();
    const told = (actor: Actor) => attempt(scene, commandsFor(scene).CastDecision, actor);
    expect(told(by(PEOPLE.stranger))).toMatchObject({
      message: expect.stringMatching(/Possible for you now: nothing\.$/),
    });
    expect(told(by(PEOPLE.recipient))).toMatchObject({
      message: expect.stringMatching(/Possible for you now: GrantAccess, AcknowledgeReceipt\.$/),
    });
  });
});

describe('every edge of the table is walked', () => {
  const none: StepOptions = {
    context: agreementWith({ assurance: { ...agreementWith({}).agreement.assurance, required: false } }),
  };
  const voted = () => give(SCENES.UNDER_REVIEW(), 'CastDecision', by(PEOPLE.releasing));
  const refusal = {
    ...commandsFor(SCENES.UNDER_REVIEW()).CastDecision,
    verdict: 'refuse',
    ground: 'too-broad',
  } as const;
  const escalated = () => give(SCENES.UNDER_REVIEW(), 'LookAtClock', SYSTEM, { now: due(SCENES.UNDER_REVIEW()) });

  /** Ways of giving a command beside the plain one. */
  const VARIANTS: readonly [Phase, CommandType, () => Scene][] = [
    ['SUBMITTED', 'RecordAssessment', () => give(submitted({ purpose: 'x-y' }), 'RecordAssessment', SYSTEM)],
    ['UNDER_REVIEW', 'CastDecision', () => give(voted(), 'CastDecision', by(PEOPLE.security))],
    ['UNDER_REVIEW', 'CastDecision', () => give(voted(), 'CastDecision', by(PEOPLE.security), none)],
    ['UNDER_REVIEW', 'CastDecision', () => given(voted(), refusal, by(PEOPLE.security))],
    ['UNDER_REVIEW', 'LookAtClock', () => give(escalated(), 'LookAtClock', SYSTEM, { now: due(escalated()) })],
    ['AWAITING_CLARIFICATION', 'LookAtClock', () => give(SCENES.AWAITING_CLARIFICATION(), 'LookAtClock', SYSTEM)],
    ['AWAITING_ASSURANCE', 'LookAtClock', () => give(SCENES.AWAITING_ASSURANCE(), 'LookAtClock', SYSTEM)],
    ['SEALING', 'OpenRelease', () => give(sealed(), 'OpenRelease', SYSTEM, { now: due(sealed()) })],
    [
      'SUSPENDED',
      'Resume',
      () => give(give(SCENES.SUSPENDED(), 'Resume', by(PEOPLE.security)), 'Resume', by(PEOPLE.releasing)),
    ],
    ['CLOSING', 'RecordEnd', () => give(give(sealing(), 'Withdraw', by(PEOPLE.requester)), 'RecordEnd', SYSTEM)],
  ];

  it.each(PHASE_NAMES)('from %s', (phase) => {
    for (const type of commandsIn(phase)) {
      const scene = SCENES[phase]();
      const actor = ACTORS[PHASES[phase].commands[type]?.by[0] ?? 'system'];
      const plain = give(scene, type, actor, { now: momentFor(scene, type) }).state.phase;
      const others = VARIANTS.filter(([from, of]) => from === phase && of === type).map(
        ([, , walk]) => walk().state.phase,
      );
      expect(new Set([plain, ...others])).toEqual(new Set(targets(phase, type)));
    }
  });
});

/** The same command from somebody else than in the plain case, so that a pair is of two people where two may act. */
const SECOND_ACTORS: Partial<Record<Capacity, Actor>> = {
  approver: by(PEOPLE.security),
  recipient: by(PEOPLE.secondRecipient),
};

/** Cases in a phase between which every command of the phase has something to do. */
const scenesIn = (phase: Phase): readonly Scene[] => {
  if (phase === 'UNDER_REVIEW') return [SCENES[phase](), give(SCENES[phase](), 'OpenDeposit', by(PEOPLE.desk))];
  return phase === 'SEALING' ? [sealing(), sealed()] : [SCENES[phase]()];
};

interface Act {
  readonly type: CommandType;
  readonly command: Command;
  readonly actor: Actor;
}

/** A command as each of those who may give it would, in every variant that leads elsewhere. */
function actsOf(scene: Scene, type: CommandType): readonly Act[] {
  const plain = commandsFor(scene)[type];
  const commands: readonly Command[] =
    plain.type === 'CastDecision' ? [plain, { ...plain, verdict: 'refuse', ground: 'not-held' }] : [plain];
  const actors = (PHASES[scene.state.phase].commands[type]?.by ?? []).flatMap((capacity) => [
    ACTORS[capacity],
    SECOND_ACTORS[capacity] ?? ACTORS[capacity],
  ]);
  return commands.flatMap((command) => actors.map((actor) => ({ type, command, actor })));
}

/** Two acts decided on the same version of the file, of which `mine` is recorded first. Whether `mine` had an effect at all. */
function race(scene: Scene, mine: Act, theirs: Act, now: Instant): boolean {
  const decided = decide(scene.state, mine.command, context(mine.actor, now));
  if (isRefusal(decided) || decided.length === 0) return false;
  const after = record(scene, decided, mine.actor, now);
  expect(targets(scene.state.phase, mine.type)).toContain(after.state.phase);

  // The loser's events cannot be put behind the winner's: their place is taken.
  const lost = decide(scene.state, theirs.command, context(theirs.actor, now));
  const [event] = isRefusal(lost) ? [] : record(scene, lost, theirs.actor, now).events.slice(scene.events.length);
  if (event !== undefined) expect(() => evolve(after.state, event)).toThrow(InvariantBroken);

  // The loser decides again on what is there now: refused, without effect, or into a phase that the table allows from there.
  const again = decide(after.state, theirs.command, context(theirs.actor, now));
  if (isRefusal(again)) expect(again.kind).toMatch(/^(Conflict|Forbidden|InvalidInput)$/);
  else if (again.length > 0)
    expect(targets(after.state.phase, theirs.type)).toContain(record(after, again, theirs.actor, now).state.phase);
  return true;
}

describe.each(PHASE_NAMES)('two commands at once in %s', (phase) => {
  const pairs = commandsIn(phase).flatMap((first) => commandsIn(phase).map((second) => [first, second] as const));

  it.each(pairs)('%s, then %s', (first, second) => {
    let effective = 0;
    for (const scene of scenesIn(phase)) {
      for (const now of [plus(scene.now, SECOND), due(scene)]) {
        for (const mine of actsOf(scene, first)) {
          for (const theirs of actsOf(scene, second)) effective += race(scene, mine, theirs, now) ? 1 : 0;
        }
      }
    }
    expect(effective).toBeGreaterThan(0);
  });
});

it('what was recorded first wins: recall and access, refusal and approval, withdrawal and assurance', () => {
  const recalled = give(SCENES.RELEASED(), 'Recall', by(PEOPLE.releasing));
  expect(attempt(recalled, commandsFor(recalled).GrantAccess, by(PEOPLE.recipient))).toMatchObject({
    code: 'PHASE_FORBIDS',
  });
  const refused = SCENES.REFUSED();
  expect(attempt(refused, commandsFor(refused).CastDecision, by(PEOPLE.security))).toMatchObject({
    code: 'PHASE_FORBIDS',
  });
  const withdrawn = give(SCENES.AWAITING_ASSURANCE(), 'Withdraw', by(PEOPLE.requester));
  expect(attempt(withdrawn, commandsFor(withdrawn).GiveAssurance, by(PEOPLE.recipientAuthority))).toMatchObject({
    code: 'PHASE_FORBIDS',
  });
  expect(inPhase(withdrawn, 'WITHDRAWN').endedBecause).toBe('withdrawn');
});
