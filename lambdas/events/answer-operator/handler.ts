import * as z from 'zod';
import { ENV } from '../../contracts/names.ts';
import {
  operatorRequest,
  type InFlightAnswer,
  type InFlightCase,
  type RedriveAnswer,
  type StuckAnswer,
  type StuckCase,
} from '../../contracts/operator.ts';
import { caseId, instant } from '../../contracts/values.ts';
import type { CaseId } from '../../domain/ids.ts';
import { announcedOf, listInFlight, listWatched, type OperatorsHead } from '../../platform/case-index.ts';
import type { Position } from '../../platform/index-query.ts';
import { now } from '../../platform/clock.ts';
import { dynamodb } from '../../platform/dynamodb.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { readEnvironment } from '../../platform/environment.ts';
import { caseIdOf } from '../../platform/exchange.ts';
import { hindrancesOf } from '../../platform/hindrances.ts';
import { sweepNow } from '../../platform/sweep.ts';
import { isRunning, runningAttempt } from '../../platform/workflow.ts';

const env = readEnvironment([ENV.casesTable, ENV.stateMachine, ENV.sweep]);

/** Cases in one answer: each takes two calls of Step Functions, whose quotas are small. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const PAGE = 25;

/** The request is none that this function answers. */
class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
}

const position = z.strictObject({ sort: instant, caseId });

function positionIn(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  try {
    return position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch {
    throw new InvalidInput('The cursor is none that this function gave. Begin without one.');
  }
}

/** A case with the execution that carries it; what the execution runs is added to `revisions`. */
async function describe(head: OperatorsHead, revisions: InFlightAnswer['revisions']): Promise<InFlightCase> {
  const running = await runningAttempt(env[ENV.stateMachine], head.caseId, head.attempt);
  if (running !== undefined) revisions[running.revision] = { functions: [...running.functions], role: running.role };
  return {
    caseId: caseIdOf(head),
    phase: head.phase,
    attempt: head.attempt,
    failures: head.failures,
    changedAt: head.changedAt,
    dueAt: head.dueAt ?? null,
    eventSchema: head.eventSchema ?? 1,
    execution: running === undefined ? null : { startedAt: running.startedAt, revision: running.revision },
  };
}

async function inFlight(cursor: string | undefined): Promise<InFlightAnswer> {
  const { heads, next } = await listInFlight(dynamodb, env[ENV.casesTable], PAGE, positionIn(cursor));
  const revisions: InFlightAnswer['revisions'] = {};
  const cases: InFlightCase[] = [];
  for (const head of heads) cases.push(await describe(head, revisions));
  return {
    asOf: now(),
    cases,
    revisions,
    next: cursorOf(next),
  };
}

const cursorOf = (next: Position | undefined): string | null =>
  next === undefined ? null : Buffer.from(JSON.stringify(next)).toString('base64url');

/** Names of errors are names of code; what is none is not repeated. */
const ERROR = /^[A-Za-z][A-Za-z.]{1,80}$/;

function stuckCase(head: OperatorsHead, because: StuckCase['because']): StuckCase {
  const { phase, attempt, failures, changedAt, dueAt, failedStep, failedWith = '' } = head;
  const error = ERROR.test(failedWith) ? failedWith : 'UnknownError';
  const failed = failedStep === undefined ? null : { step: failedStep, error };
  return { caseId: caseIdOf(head), phase, attempt, failures, changedAt, dueAt: dueAt ?? null, failed, because };
}

/** The cases of a page that something holds up; a page may have none. */
async function stuck(cursor: string | undefined): Promise<StuckAnswer> {
  const { heads, next } = await listWatched(dynamodb, env[ENV.casesTable], PAGE, positionIn(cursor));
  const announced = await announcedOf(
    dynamodb,
    env[ENV.casesTable],
    heads.map(({ caseId }) => caseId),
  );
  const asOf = now();
  const cases: StuckCase[] = [];
  for (const head of heads) {
    const running = await isRunning(env[ENV.stateMachine], head.caseId, head.attempt);
    const because = hindrancesOf(head, { running, announced: announced.get(head.caseId) ?? 0 }, asOf);
    if (because.length > 0) cases.push(stuckCase(head, [...because]));
  }
  return { asOf, cases, next: cursorOf(next) };
}

async function redrive(id: CaseId): Promise<RedriveAnswer> {
  const report = await sweepNow(env[ENV.sweep], id);
  if (report.looked === 0) return { caseId: id, did: 'unknown' };
  if (report.behind > 0) return { caseId: id, did: 'file-behind' };
  if (report.restarted > 0) return { caseId: id, did: 'restarted' };
  return { caseId: id, did: report.redelivered > 0 ? 'redelivered' : 'looked' };
}

/** Answers operators, who invoke it: ids, phases, codes, counts and dates. No operator reads the tables themselves. */
export const handler = entryPoint(async (input: unknown): Promise<InFlightAnswer | StuckAnswer | RedriveAnswer> => {
  const asked = operatorRequest.safeParse(input);
  if (!asked.success) throw new InvalidInput('This is no question for operators.');
  switch (asked.data.ask) {
    case 'in-flight':
      return inFlight(asked.data.cursor);
    case 'stuck':
      return stuck(asked.data.cursor);
    case 'redrive':
      return redrive(asked.data.caseId);
  }
});
