import type * as z from 'zod';
import * as answers from './api-answers.ts';
import * as bodies from './api-bodies.ts';

/** One route of the API: the source of validation, of the OpenAPI document and of the typed client. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `{name}` marks a path parameter. */
  readonly path: string;
  readonly summary: string;
  /** `none`: anyone may ask. `caller`: a credential that the directory knows. */
  readonly auth: 'none' | 'caller';
  /** The function that answers. */
  readonly function: 'api' | 'grant-access';
  readonly query?: readonly { readonly name: string; readonly description: string }[];
  /** `proposal`: the digest of the proposal that was seen must be stated in `If-Match`. */
  readonly ifMatch?: 'proposal';
  readonly body?: z.ZodType;
  /** Statuses of problems that this route answers beside those of its kind. */
  readonly problems?: readonly number[];
  readonly status: 200 | 201;
  readonly answer: z.ZodType;
}

const list = [
  { name: 'limit', description: 'How many at most, 1 to 50; 20 unless told.' },
  { name: 'cursor', description: 'The `next` of the page before.' },
] as const;

/** Every route, by operation id. */
export const ROUTES = {
  submitRequest: {
    method: 'POST',
    path: '/v1/cases',
    summary: 'Submit a request for information. It gets a case, whatever the agreement says of it.',
    auth: 'caller',
    function: 'api',
    body: bodies.submitBody,
    status: 201,
    answer: answers.caseView,
  },
  listCases: {
    method: 'GET',
    path: '/v1/cases',
    summary: "The work queue of a phase (`view=queue`), or your agency's own requests (`view=own`).",
    auth: 'caller',
    function: 'api',
    query: [
      { name: 'view', description: '`queue` or `own`; by default what your roles suggest.' },
      { name: 'phase', description: 'For the queue: the phase; UNDER_REVIEW unless told.' },
      ...list,
    ],
    status: 200,
    answer: answers.caseList,
  },
  readCase: {
    method: 'GET',
    path: '/v1/cases/{caseId}',
    summary: 'Where a case stands, as you may see it.',
    auth: 'caller',
    function: 'api',
    status: 200,
    answer: answers.caseView,
  },
  readEvents: {
    method: 'GET',
    path: '/v1/cases/{caseId}/events',
    summary: 'The case file: every event with its place in the chain; payloads that are not for you are left out.',
    auth: 'caller',
    function: 'api',
    status: 200,
    answer: answers.eventList,
  },
  clarify: {
    method: 'POST',
    path: '/v1/cases/{caseId}/clarifications',
    summary: 'Ask the requester a question, or answer it.',
    auth: 'caller',
    function: 'api',
    body: bodies.clarificationBody,
    status: 201,
    answer: answers.caseView,
  },
  openDeposit: {
    method: 'POST',
    path: '/v1/cases/{caseId}/deposits',
    summary: 'Announce a document by digest and length; answers an address that accepts exactly those bytes.',
    auth: 'caller',
    function: 'api',
    body: bodies.depositBody,
    status: 201,
    answer: answers.depositView,
  },
  completeDeposit: {
    method: 'POST',
    path: '/v1/cases/{caseId}/deposits/{depositId}/completion',
    summary: 'Say that the document has been uploaded.',
    auth: 'caller',
    function: 'api',
    body: bodies.emptyBody,
    status: 200,
    answer: answers.depositView,
  },
  putProposal: {
    method: 'PUT',
    path: '/v1/cases/{caseId}/proposal',
    summary: 'Put exactly what would be released, and how; replaces an earlier proposal and voids its votes.',
    auth: 'caller',
    function: 'api',
    body: bodies.proposalBody,
    status: 200,
    answer: answers.caseView,
  },
  castDecision: {
    method: 'POST',
    path: '/v1/cases/{caseId}/decisions',
    summary: 'Approve or refuse the proposal whose digest you state in If-Match.',
    auth: 'caller',
    function: 'api',
    ifMatch: 'proposal',
    body: bodies.decisionBody,
    status: 201,
    answer: answers.caseView,
  },
  giveAssurance: {
    method: 'POST',
    path: '/v1/cases/{caseId}/assurance',
    summary: "Give or decline the recipient authority's assurance over the proposal's digest.",
    auth: 'caller',
    function: 'api',
    body: bodies.assuranceBody,
    problems: [412],
    status: 201,
    answer: answers.caseView,
  },
  grantAccess: {
    method: 'POST',
    path: '/v1/cases/{caseId}/accesses',
    summary: 'Open the release once: recorded first, then the data key sealed to your confirmed key.',
    auth: 'caller',
    function: 'grant-access',
    body: bodies.emptyBody,
    status: 201,
    answer: answers.accessView,
  },
  acknowledgeReceipt: {
    method: 'POST',
    path: '/v1/cases/{caseId}/receipts',
    summary: 'Acknowledge the receipt of a package by its digest.',
    auth: 'caller',
    function: 'api',
    body: bodies.receiptBody,
    status: 201,
    answer: answers.caseView,
  },
  suspendRelease: {
    method: 'POST',
    path: '/v1/cases/{caseId}/suspension',
    summary: 'Suspend a release; its end keeps approaching.',
    auth: 'caller',
    function: 'api',
    body: bodies.reasonBody,
    status: 201,
    answer: answers.caseView,
  },
  resumeRelease: {
    method: 'DELETE',
    path: '/v1/cases/{caseId}/suspension',
    summary: 'Resume a suspended release: the first person proposes it, a second one does it.',
    auth: 'caller',
    function: 'api',
    status: 200,
    answer: answers.caseView,
  },
  recallRelease: {
    method: 'POST',
    path: '/v1/cases/{caseId}/recall',
    summary: 'End a release now and for good.',
    auth: 'caller',
    function: 'api',
    body: bodies.reasonBody,
    status: 201,
    answer: answers.caseView,
  },
  withdrawRequest: {
    method: 'POST',
    path: '/v1/cases/{caseId}/withdrawal',
    summary: 'Withdraw a request before it is released.',
    auth: 'caller',
    function: 'api',
    body: bodies.reasonBody,
    status: 201,
    answer: answers.caseView,
  },
  listAgreements: {
    method: 'GET',
    path: '/v1/agreements',
    summary: 'The agreements this exchange knows, each in its latest version.',
    auth: 'caller',
    function: 'api',
    status: 200,
    answer: answers.agreementList,
  },
  readAgreement: {
    method: 'GET',
    path: '/v1/agreements/{agreementId}',
    summary: 'An agreement as data, with its sources.',
    auth: 'caller',
    function: 'api',
    status: 200,
    answer: answers.agreementView,
  },
  listChanges: {
    method: 'GET',
    path: '/v1/directory/changes',
    summary:
      'Changes of the directory, newest first: of your nation, and for those who prepare and decide also of the other.',
    auth: 'caller',
    function: 'api',
    query: [{ name: 'nation', description: 'The nation; yours unless told.' }, list[0]],
    status: 200,
    answer: answers.changeList,
  },
  proposeChange: {
    method: 'POST',
    path: '/v1/directory/changes',
    summary: "Propose a person's entry as it is to be.",
    auth: 'caller',
    function: 'api',
    body: bodies.changeBody,
    status: 201,
    answer: answers.changeView,
  },
  confirmChange: {
    method: 'POST',
    path: '/v1/directory/changes/{changeId}/confirmation',
    summary: 'Confirm a change that another person proposed.',
    auth: 'caller',
    function: 'api',
    body: bodies.emptyBody,
    status: 201,
    answer: answers.changeView,
  },
  readOpenApi: {
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This API as an OpenAPI 3.0 document.',
    auth: 'none',
    function: 'api',
    status: 200,
    answer: answers.openApiDocument,
  },
  readHealth: {
    method: 'GET',
    path: '/v1/healthz',
    summary: 'Whether the API answers; its Date header is the time of the exchange.',
    auth: 'none',
    function: 'api',
    status: 200,
    answer: answers.health,
  },
} as const satisfies Readonly<Record<string, Route>>;

export type OperationId = keyof typeof ROUTES;

/** What an operation takes as body; `undefined` for one without. */
export type BodyOf<O extends OperationId> = (typeof ROUTES)[O] extends { readonly body: infer B extends z.ZodType }
  ? z.input<B>
  : undefined;

/** What an operation answers. */
export type AnswerOf<O extends OperationId> = z.output<(typeof ROUTES)[O]['answer']>;

export const isMutation = (route: Route): boolean => route.method === 'POST';
