import { canaryRequest, type CanaryReport, type CanaryStep } from '../../contracts/canary-report.ts';
import { ENV } from '../../contracts/names.ts';
import type { Canary } from '../../domain/canary-people.ts';
import type { Nation } from '../../domain/ids.ts';
import type { Person } from '../../domain/people.ts';
import { canaryOfExchange } from '../../platform/canary.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { readEnvironment } from '../../platform/environment.ts';
import { InvariantBroken } from '../../domain/case.ts';
import { errorName, log } from '../../platform/log.ts';
import { apiAs } from './as-person.ts';
import { carryCase, endCase, endOthers, type Cast, type Step } from './carry-case.ts';
import { asFailure } from './failure.ts';

const env = readEnvironment([ENV.nation, ENV.audience, ENV.apiAddress, ENV.canaryKey]);

const door = { exchange: env[ENV.apiAddress], audience: env[ENV.audience], keyId: env[ENV.canaryKey] };

async function signIn(canary: Canary): Promise<Cast> {
  const as = (person: Person) => apiAs(person, door);
  const [desk, requester, recipient, recipientAuthority, ...approvers] = await Promise.all(
    [canary.desk, canary.requester, canary.recipient, canary.recipientAuthority, ...canary.approvers].map(as),
  );
  // As many as were asked for.
  return { canary, desk, requester, recipient, recipientAuthority, approvers } as Cast;
}

/** One run: what earlier ones left is ended first, and what this one leaves is ended on the way out. */
async function run(canary: Canary, waitSeconds: number): Promise<CanaryReport> {
  const report = { ok: false, caseId: null, steps: [], failed: null, cleaned: 0, ended: true } as {
    -readonly [M in keyof CanaryReport]: CanaryReport[M];
  };
  let under: CanaryStep = 'sign-in';
  const step: Step = async (name, work) => {
    under = name;
    const began = performance.now();
    const done = await work();
    report.steps.push({ step: name, milliseconds: Math.round(performance.now() - began) });
    return done;
  };
  let cast: Cast | undefined;
  try {
    cast = await step('sign-in', () => signIn(canary));
    const all = cast;
    report.cleaned = await step('clean-up', () => endOthers(all));
    await carryCase(all, step, waitSeconds, (caseId) => {
      report.caseId = caseId;
      report.ended = false;
    });
    report.ended = true;
    report.ok = true;
  } catch (error) {
    const { code, status, cause } = asFailure(error);
    report.failed = { step: under, code, status };
    log('error', 'CANARY_FAILED', {
      ...about(report),
      ...(status === null ? {} : { status }),
      errorName: errorName(cause),
    });
    if (cast !== undefined && report.caseId !== null && !report.ended) {
      report.ended = await endCase(cast, report.caseId).catch(() => false);
    }
  }
  if (report.ok) log('info', 'CANARY_OK', { ...about(report), count: report.cleaned });
  return report;
}

const about = ({ caseId }: CanaryReport): { readonly caseId?: string } => (caseId === null ? {} : { caseId });

/** By schedule, and when an operator asks: carries an exercise case through the deployed API and answers how that went. */
export const handler = entryPoint(async (event: unknown): Promise<CanaryReport> => {
  const { waitSeconds } = canaryRequest.parse(event ?? {});
  const canary = canaryOfExchange(env[ENV.nation] as Nation); // checked by the environment's schema at synth
  if (canary === undefined) throw new InvariantBroken('There is no exercise agreement for a canary.');
  return run(canary, waitSeconds);
});
