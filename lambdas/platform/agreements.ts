import canUkr1 from '../../agreements/CAN-UKR/1.json' with { type: 'json' };
import canUkrExercise1 from '../../agreements/CAN-UKR-EXERCISE/1.json' with { type: 'json' };
import { parseAgreement } from '../contracts/agreement-schema.ts';
import { InvariantBroken } from '../domain/case.ts';
import type { Agreement, AgreementPin } from '../domain/agreement.ts';
import { invalid } from '../domain/refusal.ts';
import { digestOf } from '../evidence/digest.ts';
import { Refused } from './errors.ts';

/** An agreement with the pin that a case keeps of it. */
export interface PinnedAgreement {
  readonly agreement: Agreement;
  readonly pin: AgreementPin;
}

// Named one by one, so that a bundle holds exactly these files; a test compares the list with the directory.
const FILES: readonly unknown[] = [canUkr1, canUkrExercise1];

/** Read when first asked for and then kept: a malformed file stops whoever needs agreements, and nobody else. */
let read: readonly PinnedAgreement[] | undefined;

function pinned(file: unknown): PinnedAgreement {
  const agreement = parseAgreement(file);
  const { id, version } = agreement;
  return { agreement, pin: { id, version, digest: digestOf(agreement) } };
}

/** Every version of every agreement that this release knows; a version once cited by a case stays. */
export const allAgreements = (): readonly PinnedAgreement[] => (read ??= FILES.map(pinned));

/**
 * The version asked for, by default the latest.
 * @throws Refused when this exchange has no such agreement
 */
export function agreementById(id: string, version?: number): PinnedAgreement {
  const found = find(id, version);
  if (found !== undefined) return found;
  const known = [...new Set(allAgreements().map(({ pin }) => pin.id))];
  throw new Refused(
    invalid({
      code: 'AGREEMENT_UNKNOWN',
      message: 'This exchange knows no such agreement.',
      next: `Name one of: ${known.join(', ')}.`,
      pointer: '/agreementId',
      rule: 'A11',
    }),
  );
}

/**
 * Exactly the agreement that a case was opened under.
 * @throws InvariantBroken when this release has not that version, or has edited it: the case is parked, nothing is decided under other rules
 */
export function agreementByPin(pin: AgreementPin): Agreement {
  const found = find(pin.id, pin.version);
  if (found?.pin.digest === pin.digest) return found.agreement;
  throw new InvariantBroken(
    `Agreement ${pin.id} version ${pin.version} is ${found === undefined ? 'not in this release' : 'not the one that was cited'}. Restore the file as it was; a change is a new version.`,
  );
}

const find = (id: string, version?: number): PinnedAgreement | undefined =>
  allAgreements()
    .filter(({ pin }) => pin.id === id && (version === undefined || pin.version === version))
    .reduce<PinnedAgreement | undefined>(
      (latest, candidate) => (latest === undefined || candidate.pin.version > latest.pin.version ? candidate : latest),
      undefined,
    );
