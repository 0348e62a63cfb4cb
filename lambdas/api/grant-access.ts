import type { AccessView } from '../contracts/api-answers.ts';
import { ENV } from '../contracts/names.ts';
import { InvariantBroken, type Released } from '../domain/case.ts';
import type { SealedPackage } from '../domain/events.ts';
import type { CaseId } from '../domain/ids.ts';
import { sealKey } from '../evidence/sealed-key.ts';
import { readEnvironment } from '../platform/environment.ts';
import { NotFound, Transient } from '../platform/errors.ts';
import { exchangeFromEnvironment, system } from '../platform/exchange.ts';
import { execute } from '../platform/execute.ts';
import { idempotencyKey } from '../platform/idempotency.ts';
import { randomId } from '../platform/identifiers.ts';
import { errorName, errorPlace, log } from '../platform/log.ts';
import { DOWNLOAD_SECONDS, downloadAddress } from '../platform/object-store.ts';
import {
  encryptionContext,
  isKeyRefusal,
  openAccessSession,
  unwrapDataKey,
  type AccessSession,
} from '../platform/package-keys.ts';
import { assertVisible, hidingParked, type Caller } from './visibility.ts';
import { Problematic } from './problems.ts';
import { answering, callerOf, caseIdIn, readRequest, type ApiRequest } from './request.ts';

const exchange = exchangeFromEnvironment();
const env = readEnvironment([ENV.packagesBucket, ENV.releaseAccessRole, ENV.vaultKeyArn]);

/**
 * The idempotency key is part of the access itself: repeated within ten minutes it repeats the checks and counts no second copy. Kept as its
 * digest, so that whoever reads the case file can verify it and not repeat the opening.
 */
function idempotencyKeyIn(request: ApiRequest, caller: Caller): string {
  const key = request.headers['idempotency-key'] ?? '';
  if (/^[A-Za-z0-9_-]{8,80}$/.test(key)) return idempotencyKey(caller.person, request.operation, request.path, key);
  throw new Problematic({
    status: 400,
    code: 'IDEMPOTENCY_KEY',
    detail: 'Every POST carries an Idempotency-Key of 8 to 80 letters, digits, - or _.',
    next: 'Choose a random key for this opening, and send the same one when you send it again.',
  });
}

/** A KMS or STS refusal after the access was recorded: recorded too, and the copy not counted. */
async function recordFailure(caseId: CaseId, accessId: string, error: unknown): Promise<never> {
  const cause = errorName(error);
  log('error', isKeyRefusal(error) ? 'KEY_REFUSED' : 'ACCESS_FAILED', { errorName: cause, at: errorPlace(error) });
  await execute(exchange, caseId, system('grant-access'), { type: 'RecordAccessFailure', accessId, cause });
  if (isKeyRefusal(error)) {
    throw new Problematic({
      status: 403,
      code: 'KEY_REFUSED',
      detail: 'The key service no longer opens this release.',
      next: 'Read the case: it has probably ended. The opening was recorded and not counted.',
    });
  }
  throw new Transient('The key of the release could not be opened.', { cause: error });
}

/** The key leaves only sealed: unwrapped in the access session, sealed to the recipient's confirmed key, zeroed. */
async function sealedKeyFor(
  session: AccessSession,
  state: Released,
  caller: Caller,
  publicKey: string,
): Promise<AccessView['sealedKey']> {
  const { sealed, caseId } = state;
  const dataKey = await unwrapDataKey(session, caseId, sealed);
  try {
    const { releaseId, ciphertextDigest } = sealed;
    return await sealKey(dataKey, publicKey, {
      caseId,
      releaseId,
      recipient: caller.person.personId,
      ciphertextDigest,
    });
  } finally {
    dataKey.fill(0);
  }
}

function view(
  state: Released,
  sealed: SealedPackage,
  access: { readonly accessId: string; readonly copy: number },
  recipient: string,
  rest: Pick<AccessView, 'keyFingerprint' | 'sealedKey' | 'url'>,
): AccessView {
  return {
    ...rest,
    accessId: access.accessId,
    copy: access.copy,
    caseId: state.caseId,
    releaseId: sealed.releaseId,
    recipient,
    urlExpiresInSeconds: DOWNLOAD_SECONDS,
    ciphertextDigest: sealed.ciphertextDigest,
    ciphertextLength: sealed.ciphertextLength,
    encryptionContext: encryptionContext(state.caseId, sealed),
    documents: sealed.documents.map(({ title, digest, length, offset, marking }) => ({
      title,
      digest,
      length,
      offset,
      marking,
    })),
    notAfter: state.release.notAfter,
  };
}

async function grant(request: ApiRequest, caller: Caller): Promise<AccessView> {
  const caseId = caseIdIn(request);
  const keyDigest = idempotencyKeyIn(request, caller);
  const accessId = randomId();
  const { state } = await execute(exchange, caseId, caller, (file) => {
    assertVisible(file.state, caller);
    return { type: 'GrantAccess', accessId, idempotencyKey: keyDigest };
  });
  const { person } = caller;
  if (state.phase !== 'RELEASED') throw new InvariantBroken('An access outside a release.');
  const access = state.accesses.findLast(
    (row) => row.recipient === person.personId && row.idempotencyKey === keyDigest && !row.failed,
  );
  const named = state.proposal.proposal.recipients.find((row) => row.personId === person.personId);
  const key = person.keys.find((row) => row.fingerprint === named?.keyFingerprint);
  if (access === undefined || key === undefined) throw new InvariantBroken('An access without its recipient.');
  const { sealed } = state;
  const bucket = env[ENV.packagesBucket];
  try {
    const session = await openAccessSession({
      roleArn: env[ENV.releaseAccessRole],
      caseId,
      sealed,
      notAfter: state.release.notAfter,
      objectArn: `arn:aws:s3:::${bucket}/${sealed.objectKey}`,
      bucketKeyArn: env[ENV.vaultKeyArn],
    });
    const sealedKey = await sealedKeyFor(session, state, caller, key.publicKey);
    const url = await downloadAddress(session, bucket, sealed.objectKey);
    return view(state, sealed, access, person.personId, { keyFingerprint: key.fingerprint, sealedKey, url });
  } catch (error) {
    return recordFailure(caseId, access.accessId, error);
  }
}

/** POST /v1/cases/{caseId}/accesses: recorded before the key leaves (promise S6). */
export const handler = answering(async (event) => {
  const request = readRequest(event);
  if (request.operation !== 'grantAccess') throw new NotFound('No such route.');
  const caller = await callerOf(event, exchange);
  return { status: 201, body: await hidingParked(exchange, caller, () => grant(request, caller)) };
});
