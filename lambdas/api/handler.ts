import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENV } from '../contracts/names.ts';
import type { OperationId } from '../contracts/routes.ts';
import { ROUTES } from '../contracts/routes.ts';
import { readEnvironment } from '../platform/environment.ts';
import { NotFound } from '../platform/errors.ts';
import { exchangeFromEnvironment } from '../platform/exchange.ts';
import type { Exchange } from '../platform/execute.ts';
import { listAgreements, readAgreement } from './agreements.ts';
import { clarify, listCases, readCase, readEvents, submitRequest } from './cases.ts';
import { confirmChange, listChanges, proposeChange } from './directory.ts';
import { hidingParked, type Caller } from './visibility.ts';
import { castDecision, completeDeposit, giveAssurance, openDeposit, putProposal } from './proposals.ts';
import { acknowledgeReceipt, recallRelease, resumeRelease, suspendRelease, withdrawRequest } from './releases.ts';
import { answering, callerOf, readRequest, type Answer, type ApiRequest } from './request.ts';

const exchange = exchangeFromEnvironment();
const env = readEnvironment([ENV.environment]);

type Operation = (exchange: Exchange, request: ApiRequest, caller: Caller) => Answer | Promise<Answer>;

/** What each operation does for a caller whom the directory knows. */
const OPERATIONS: Readonly<Partial<Record<OperationId, Operation>>> = {
  submitRequest,
  listCases,
  readCase,
  readEvents,
  clarify,
  openDeposit,
  completeDeposit,
  putProposal,
  castDecision,
  giveAssurance,
  acknowledgeReceipt,
  suspendRelease,
  resumeRelease,
  recallRelease,
  withdrawRequest,
  listAgreements,
  readAgreement: (_exchange, request) => readAgreement(request),
  listChanges,
  proposeChange,
  confirmChange,
};

/** The API's description lies beside the code: inside, every start would read it for nothing. */
const openApiDocument = (): unknown => JSON.parse(readFileSync(join(__dirname, 'openapi.json'), 'utf8'));

/** What anyone may ask. */
const OPEN: Readonly<Partial<Record<OperationId, () => Answer>>> = {
  readOpenApi: () => ({ status: 200, body: openApiDocument() }),
  readHealth: () => ({
    status: 200,
    body: { status: 'ok', environment: env[ENV.environment], nation: exchange.originatingNation },
  }),
};

/** The API: finds the operation, knows the caller, answers. */
export const handler = answering(async (event) => {
  const request = readRequest(event);
  const open = OPEN[request.operation];
  if (open !== undefined) return open();
  const operation = OPERATIONS[request.operation];
  // Routes of another function do not arrive here; if one does, it does not exist here.
  if (operation === undefined || ROUTES[request.operation].function !== 'api') throw new NotFound('No such route.');
  const caller = await callerOf(event, exchange);
  return hidingParked(exchange, caller, () => operation(exchange, request, caller));
});
