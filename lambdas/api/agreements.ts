import { allAgreements, agreementById } from '../platform/agreements.ts';
import { NotFound } from '../platform/errors.ts';
import type { Answer, ApiRequest } from './request.ts';

/** GET /v1/agreements */
export function listAgreements(): Answer {
  const latest = [...new Set(allAgreements().map(({ pin }) => pin.id))].flatMap((id) => agreementById(id) ?? []);
  return {
    status: 200,
    body: {
      agreements: latest.map(({ agreement, pin }) => ({
        ...pin,
        exercise: agreement.exercise,
        status: agreement.status,
        inForce: agreement.dates.inForce,
        title: agreement.title,
      })),
    },
  };
}

/** GET /v1/agreements/{agreementId} */
export function readAgreement(request: ApiRequest): Answer {
  const found = agreementById(request.params['agreementId'] ?? '');
  if (found === undefined) throw new NotFound('No such agreement.');
  return { status: 200, body: { ...found.pin, agreement: found.agreement } };
}
