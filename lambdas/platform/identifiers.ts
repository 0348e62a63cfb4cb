import { randomBytes } from 'node:crypto';
import type { CaseId } from '../domain/ids.ts';
import { toEpoch, type Instant } from '../domain/instant.ts';

/** 128 random bits, 32 hexadecimal digits. */
export const randomId = (): string => randomBytes(16).toString('hex');

export const newCaseId = (): CaseId => randomId() as CaseId; // the one place where case ids are made

/** 48 bits of time and 80 random bits: sorts by when it was made. */
export const orderedId = (at: Instant): string =>
  toEpoch(at).toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
