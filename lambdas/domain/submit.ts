import { otherParty } from './agreement.ts';
import { isCanary } from './canary.ts';
import type { Context, SubmitRequest } from './commands.ts';
import type { CaseId } from './ids.ts';
import type { Outcome } from './outcome.ts';
import { holds } from './people.ts';
import { conflict, forbidden, invalid, type Refusal } from './refusal.ts';
import { titleProblem } from './text-hygiene.ts';

/** Why a reference cannot be taken: the same agency has an open request under it. */
export const referenceInUse = (caseId: CaseId): Refusal =>
  conflict({
    code: 'REFERENCE_IN_USE',
    message: `Your agency has an open request under this reference: case ${caseId}.`,
    next: 'Go on with that case, or withdraw it first; a request of its own needs a reference of its own.',
    pointer: '/reference',
  });

/**
 * Opens a case. Only what concerns the caller and the form is refused here; everything that the agreement decides
 * gets a case and is assessed in it (domain.md §2).
 */
export function submit(command: SubmitRequest, context: Context): Outcome {
  const { actor, agreement, originatingNation, people } = context;
  const { request } = command;
  if (actor.kind !== 'person' || !holds(actor.person, 'requester')) {
    return forbidden({
      code: 'NOT_A_REQUESTER',
      message: 'Requests are submitted by people whom the directory lists as requesters of their agency.',
      next: 'Ask your directory officers to propose the role, and a second one to confirm it.',
    });
  }
  const { person } = actor;
  if (isCanary(person) && !agreement.exercise) {
    return forbidden({
      code: 'CANARY_EXERCISE_ONLY',
      message: "The canary's people ask under exercise agreements alone.",
      next: 'Name an exercise agreement.',
      pointer: '/agreementId',
    });
  }
  if (person.nation === originatingNation || otherParty(agreement, originatingNation) !== person.nation) {
    return forbidden({
      code: 'NOT_A_PARTY',
      message: `Agreement ${agreement.id} lets ${agreement.parties.join(' and ')} ask each other; this exchange answers for ${originatingNation}.`,
      next: 'Submit to the exchange of the nation that is asked, under an agreement your nation is party to.',
      rule: 'A4',
    });
  }
  const problem = titleProblem(agreement, request.title, '/title');
  if (problem !== undefined) return problem;
  const unknown = request.recipients.findIndex((id) => {
    const recipient = people.get(id);
    return (
      recipient === undefined ||
      !recipient.active ||
      recipient.nation !== person.nation ||
      isCanary(recipient) !== isCanary(person)
    );
  });
  if (unknown !== -1) {
    return invalid({
      code: 'RECIPIENT_UNKNOWN',
      message: 'A recipient must be an active person of the requesting nation in the directory of this exchange.',
      next: 'Correct the person id, or have the person entered in the directory first.',
      pointer: `/recipients/${unknown}`,
      rule: 'B1',
    });
  }
  return [
    {
      type: 'RequestSubmitted',
      payload: {
        request,
        requestDigest: context.digest(request),
        agreement: context.pin,
        originatingNation,
        recipientNation: person.nation,
        requestingAgency: person.agency,
        exercise: agreement.exercise,
      },
    },
  ];
}
