import { confirmChange, proposeChange, type DirectoryChange } from '../../../lambdas/domain/directory.ts';
import { DAY, plus } from '../../../lambdas/domain/instant.ts';
import type { Person } from '../../../lambdas/domain/people.ts';
import { isRefusal } from '../../../lambdas/domain/refusal.ts';
import { CAN, START, UKR, digest, id, person } from '../../support/domain.ts';

const officer = (name: string, ...roles: Person['roles']) => person({ personId: id(name), roles });
const first = officer('first-officer', 'directory-officer');
const second = officer('second-officer', 'directory-officer');
const authority = officer('authority', 'competent-authority');
const subject = person({ personId: id('subject') });
const key = (name: string, bytes = name) => ({ fingerprint: digest(name), publicKey: bytes });
const proposal = (members: Partial<Person> = {}, effectiveFrom = START) => ({
  changeId: 'change-1',
  person: { ...subject, ...members },
  effectiveFrom,
});

function proposed(members: Partial<Person> = {}): DirectoryChange {
  const change = proposeChange(proposal(members), first, subject, START);
  if (isRefusal(change)) throw new Error(change.message);
  return change;
}

describe('proposing', () => {
  it.each<[string, string, Parameters<typeof proposeChange>]>([
    ['by nobody in particular', 'NOT_A_DIRECTORY_OFFICER', [proposal(), subject, subject, START]],
    ['by the authority', 'NOT_A_DIRECTORY_OFFICER', [proposal(), authority, subject, START]],
    [
      'by an officer who has left',
      'NOT_A_DIRECTORY_OFFICER',
      [proposal(), { ...first, active: false }, subject, START],
    ],
    ['for the other nation', 'OTHER_NATION', [proposal({ nation: CAN }), first, undefined, START]],
    ['to move a person between nations', 'OTHER_NATION', [proposal(), first, { ...subject, nation: CAN }, START]],
    ['of one’s own entry', 'OWN_ENTRY', [proposal({ personId: first.personId }), first, first, START]],
    ['for the past', 'EFFECTIVE_IN_PAST', [proposal({}, plus(START, -1)), first, subject, START]],
  ])('is refused %s', (_, code, args) => expect(proposeChange(...args)).toMatchObject({ refused: true, code }));

  it('is recorded, unconfirmed, for a known and for a new person', () => {
    for (const current of [subject, undefined]) {
      expect(proposeChange(proposal({}, plus(START, DAY)), first, current, START)).toEqual({
        changeId: 'change-1',
        nation: UKR,
        person: subject,
        effectiveFrom: plus(START, DAY),
        proposedBy: first.personId,
        proposedAt: START,
        confirmedBy: null,
        confirmedAt: null,
      });
    }
  });
});

describe('confirming', () => {
  const withKey = { keys: [key('one')] };
  const asAuthority = { roles: ['competent-authority' as const] };
  const theirs = { ...subject, ...asAuthority };

  it.each<[string, string, Parameters<typeof confirmChange>]>([
    ['by whoever proposed it', 'SECOND_PERSON_NEEDED', [proposed(), first, subject, START]],
    [
      'by whom it concerns',
      'SECOND_PERSON_NEEDED',
      [proposed(), { ...second, personId: subject.personId }, subject, START],
    ],
    [
      'by nobody in particular',
      'NOT_A_DIRECTORY_OFFICER',
      [proposed(), person({ personId: id('x-y-z') }), subject, START],
    ],
    [
      'by an officer who has left',
      'NOT_A_DIRECTORY_OFFICER',
      [proposed(), { ...second, active: false }, subject, START],
    ],
    ['by the other nation', 'NOT_A_DIRECTORY_OFFICER', [proposed(), { ...second, nation: CAN }, subject, START]],
    ['twice', 'ALREADY_CONFIRMED', [{ ...proposed(), confirmedBy: second.personId }, authority, subject, START]],
    ['a first key, by an officer', 'KEY_NEEDS_AUTHORITY', [proposed(withKey), second, subject, START]],
    ['a key of a new person, by an officer', 'KEY_NEEDS_AUTHORITY', [proposed(withKey), second, undefined, START]],
    [
      'a second key, by an officer',
      'KEY_NEEDS_AUTHORITY',
      [proposed({ keys: [key('one'), key('two')] }), second, { ...subject, ...withKey }, START],
    ],
    [
      'a known fingerprint over other bytes, by an officer',
      'KEY_NEEDS_AUTHORITY',
      [proposed({ keys: [key('one', 'other bytes')] }), second, { ...subject, ...withKey }, START],
    ],
    [
      'known bytes under another fingerprint, by an officer',
      'KEY_NEEDS_AUTHORITY',
      [proposed({ keys: [key('two', 'one')] }), second, { ...subject, ...withKey }, START],
    ],
    [
      'a key, by the other nation’s authority',
      'KEY_NEEDS_AUTHORITY',
      [proposed(withKey), { ...authority, nation: CAN }, subject, START],
    ],
    ['a first authority, by an officer', 'AUTHORITY_NEEDED', [proposed(asAuthority), second, undefined, START]],
    ['the authority for a person, by an officer', 'AUTHORITY_NEEDED', [proposed(asAuthority), second, subject, START]],
    [
      'the return of an authority, by an officer',
      'AUTHORITY_NEEDED',
      [proposed(asAuthority), second, { ...theirs, active: false }, START],
    ],
    [
      'another credential of the authority, by an officer',
      'AUTHORITY_NEEDED',
      [proposed({ ...asAuthority, subjects: ['an issuer|another account'] }), second, theirs, START],
    ],
    [
      'a key, by the authority whom it concerns',
      'SECOND_PERSON_NEEDED',
      [proposed(withKey), { ...authority, personId: subject.personId }, subject, START],
    ],
  ])('is refused %s', (_, code, args) => expect(confirmChange(...args)).toMatchObject({ refused: true, code }));

  it.each<[string, Parameters<typeof confirmChange>]>([
    ['by a second officer', [proposed(), second, subject, START]],
    ['by the authority', [proposed(), authority, subject, START]],
    ['a key, by the authority', [proposed(withKey), authority, subject, START]],
    ['a known key, by an officer', [proposed(withKey), second, { ...subject, ...withKey }, START]],
    ['the authority for a person, by the authority', [proposed(asAuthority), authority, subject, START]],
    ['something else of the authority, by an officer', [proposed(asAuthority), second, theirs, START]],
    ['the end of an authority, by an officer', [proposed(), second, theirs, START]],
    ['the end of a key, by an officer', [proposed(), second, { ...subject, ...withKey }, START]],
  ])('is accepted %s', (_, args) => {
    expect(confirmChange(...args)).toMatchObject({ confirmedBy: args[1].personId, confirmedAt: START });
  });

  it('never takes effect before it is confirmed', () => {
    const later = plus(START, DAY);
    expect(confirmChange(proposed(), second, subject, later)).toMatchObject({ effectiveFrom: later });
    expect(confirmChange({ ...proposed(), effectiveFrom: later }, second, subject, START)).toMatchObject({
      effectiveFrom: later,
    });
  });
});
