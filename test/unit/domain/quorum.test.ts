import fc from 'fast-check';
import type { Decision } from '../../../lambdas/domain/events.ts';
import type { Role } from '../../../lambdas/domain/people.ts';
import { couldDecide, neededRoles, openRoles, standingApprovals } from '../../../lambdas/domain/quorum.ts';
import { CAN, EXERCISE, PEOPLE, UKR, agreementWith, digest, id, peopleById, person } from '../../support/domain.ts';

const protectedB = { marking: { axis: 'protected', nation: CAN, mark: 'PROTECTED B' } } as const;
const secret = { marking: { axis: 'classified', nation: CAN, mark: 'SECRET' } } as const;
const vote = (name: string, role: string, verdict: Decision['verdict'] = 'approve'): Decision => ({
  personId: id(name),
  role,
  verdict,
  proposalDigest: digest('proposal'),
});
const R = 'releasing-officer';
const S = 'security-officer';

describe('the roles that documents need', () => {
  it('none without a row, with a row of nobody, or without documents: nothing is released by nobody', () => {
    const handling = { marking: { axis: 'handling', nation: CAN, mark: 'CEO' } } as const;
    const { agreement } = agreementWith({ quorum: [{ axis: 'protected', mark: '*', roles: [] }] });
    expect(neededRoles(EXERCISE, [protectedB, handling])).toBeUndefined();
    expect(neededRoles(agreement, [protectedB])).toBeUndefined();
    expect(neededRoles(EXERCISE, [])).toBeUndefined();
  });

  it('the larger number of each role over all documents', () => {
    expect(neededRoles(EXERCISE, [protectedB, protectedB])).toEqual([R, S]);
    expect(neededRoles(EXERCISE, [protectedB, secret])?.toSorted()).toEqual([R, R, S]);
    expect(neededRoles(EXERCISE, [secret, protectedB])?.toSorted()).toEqual([R, R, S]);
  });
});

describe('a quorum is not faked', () => {
  it.each<[string, readonly Decision[]]>([
    ['by nobody', []],
    ['by one person in both roles', [vote('a', R), vote('a', S)]],
    ['by one person again and again', [vote('a', R), vote('a', R), vote('a', R)]],
    ['by two people in one role', [vote('a', R), vote('b', R)]],
    ['by a role that is not needed', [vote('a', R), vote('b', 'competent-authority')]],
    ['by a refusal', [vote('a', R), vote('b', S, 'refuse')]],
  ])('%s', (_, votes) => expect(openRoles([R, S], votes)).not.toEqual([]));

  const names = fc.constantFrom('a', 'b', 'c', 'd');
  const roles = fc.constantFrom(R, S, 'desk-officer');
  const votes = fc.array(
    fc.record({ name: names, role: roles, verdict: fc.constantFrom('approve' as const, 'refuse' as const) }),
    { maxLength: 8 },
  );

  it('is full only when as many different people approved as there are places, each in the place’s role', () => {
    let full = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(R, S), { minLength: 1, maxLength: 4 }), votes, (needed, cast) => {
        const decisions = cast.map(({ name, role, verdict }) => vote(name, role, verdict));
        if (openRoles(needed, decisions).length > 0) return;
        full += 1;
        for (const role of new Set(needed)) {
          const people = new Set(
            decisions.filter((row) => row.verdict === 'approve' && row.role === role).map((row) => row.personId),
          );
          expect(people.size).toBeGreaterThanOrEqual(needed.filter((other) => other === role).length);
        }
        const everybody = new Set(decisions.filter((row) => row.verdict === 'approve').map((row) => row.personId));
        expect(everybody.size).toBeGreaterThanOrEqual(needed.length);
      }),
      { numRuns: 2000 },
    );
    expect(full).toBeGreaterThan(20);
  });

  it('a vote more never opens a place again, a vote less never fills one', () => {
    fc.assert(
      fc.property(votes, (cast) => {
        const decisions = cast.map(({ name, role, verdict }) => vote(name, role, verdict));
        const open = openRoles([R, R, S], decisions).length;
        expect(openRoles([R, R, S], decisions.slice(0, -1)).length).toBeGreaterThanOrEqual(open);
      }),
    );
  });
});

describe('approvals that still count', () => {
  const approvals = [vote('releasing', R), vote('security', S)];
  const standing = (...people: Parameters<typeof peopleById>[0]) =>
    standingApprovals({ decisions: approvals, originatingNation: CAN, requestingAgency: 'agency' }, peopleById(people))
      .length;

  it('not of people who are unknown, inactive, of another nation, or no longer in the role', () => {
    const { releasing, security } = PEOPLE;
    expect(standing()).toBe(0);
    expect(standing(releasing)).toBe(1);
    expect(standing(releasing, { ...security, active: false })).toBe(1);
    expect(standing(releasing, { ...security, roles: ['releasing-officer'] })).toBe(1);
    expect(standing(releasing, { ...security, nation: UKR })).toBe(1);
    expect(standing(releasing, security)).toBe(2);
  });
});

describe('whether living people could decide', () => {
  const holder = (name: string, ...held: readonly Role[]) => person({ personId: id(name), nation: CAN, roles: held });

  it.each<[boolean, string, readonly ReturnType<typeof holder>[]]>([
    [false, 'nobody', []],
    [false, 'one person with both roles', [holder('a', R, S)]],
    [false, 'a role without anybody', [holder('a', R), holder('b', R)]],
    [false, 'somebody who has left', [holder('a', R), { ...holder('b', S), active: false }]],
    [true, 'one for each', [holder('a', R), holder('b', S)]],
    [true, 'the one with both roles gives way', [holder('a', R, S), holder('b', R)]],
    [true, 'in whatever order', [holder('b', R), holder('a', R, S)]],
  ])('%s: %s', (could, _, people) => expect(couldDecide([R, S], people)).toBe(could));

  it('as a search through all arrangements says', () => {
    const held = fc.subarray<Role>([R, S, 'desk-officer']);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<Role>(R, S, 'desk-officer'), { minLength: 1, maxLength: 4 }),
        fc.array(held, { maxLength: 5 }),
        (needed, rolesOf) => {
          const people = rolesOf.map((of, index) => holder(`p${index}`, ...of));
          const arrange = (place: number, used: ReadonlySet<number>): boolean =>
            place === needed.length ||
            rolesOf.some(
              (of, index) =>
                !used.has(index) && of.includes(needed[place] as Role) && arrange(place + 1, new Set([...used, index])), // place < needed.length
            );
          expect(couldDecide(needed, people)).toBe(arrange(0, new Set()));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
