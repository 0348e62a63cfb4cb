import { agreementById, allAgreements, type PinnedAgreement } from '../platform/agreements.ts';
import { NotFound } from '../platform/errors.ts';
import type { Answer, ApiRequest } from './request.ts';

/** Every agreement in its latest version. */
const latest = (): readonly PinnedAgreement[] =>
  [...new Set(allAgreements().map(({ pin }) => pin.id))].map((id) => agreementById(id));

/** GET /v1/agreements */
export const listAgreements = (): Answer => ({
  status: 200,
  body: {
    agreements: latest().map(({ agreement, pin }) => ({
      ...pin,
      exercise: agreement.exercise,
      status: agreement.status,
      inForce: agreement.dates.inForce,
      title: agreement.title,
    })),
  },
});

/** GET /v1/agreements/{agreementId} */
export function readAgreement(request: ApiRequest): Answer {
  const found = latest().find(({ pin }) => pin.id === request.params['agreementId']);
  if (found === undefined) throw new NotFound('No such agreement.');
  return { status: 200, body: { ...found.pin, agreement: found.agreement } };
}
