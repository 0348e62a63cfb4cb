import * as z from 'zod';
import { EVENT_SOURCE, MAIL_EVENTS, MAIL_REJECTED, MAIL_TAGS } from '../../contracts/names.ts';
import { audience, caseId, personId } from '../../contracts/values.ts';
import type { UndeliveredNotice } from '../../domain/events.ts';
import type { CaseId } from '../../domain/ids.ts';
import { nationOf } from '../../domain/notices.ts';
import { entryPoint } from '../../platform/entry-point.ts';
import { exchangeFromEnvironment, system } from '../../platform/exchange.ts';
import { execute } from '../../platform/execute.ts';
import { log } from '../../platform/log.ts';

const exchange = exchangeFromEnvironment();

const sequence = z.coerce.number().int().positive();
const one = <T extends z.ZodType>(value: T) => z.tuple([value]).transform(([first]) => first);

/**
 * What becomes of a mail, as the mail service tells it. A bounce is `Permanent`, `Transient` (given up after a while) or `Undetermined`.
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
 */
const mailEvent = z.object({
  source: z.literal('aws.ses'),
  'detail-type': z.enum(MAIL_EVENTS),
  detail: z.object({
    bounce: z.object({ bounceType: z.enum(['Permanent', 'Transient', 'Undetermined']) }).optional(),
    mail: z.object({
      destination: z.tuple([z.string()]),
      tags: z.object({
        [MAIL_TAGS.caseId]: one(caseId),
        [MAIL_TAGS.sequence]: one(sequence),
        [MAIL_TAGS.to]: one(audience),
        [MAIL_TAGS.personId]: one(personId),
      }),
    }),
  }),
});

/** A mail that the service did not take at all, as `announce` tells it. */
const rejection = z.object({
  source: z.literal(EVENT_SOURCE),
  'detail-type': z.literal(MAIL_REJECTED),
  detail: z.object({ caseId, sequence, to: audience, personId }),
});

const CAUSES = {
  'Email Bounced': 'bounced',
  'Email Complaint Received': 'complained',
  'Email Rejected': 'rejected',
} as const satisfies Record<(typeof MAIL_EVENTS)[number], UndeliveredNotice['cause']>;

interface Undelivered extends UndeliveredNotice {
  readonly caseId: CaseId;
  /** The address, where it is the address that takes no mail. */
  readonly dead: string | undefined;
}

function undelivered(event: unknown): Undelivered {
  const rejected = rejection.safeParse(event);
  if (rejected.success) {
    const { sequence: notice, ...rest } = rejected.data.detail;
    // Why is not known, and may be our own fault: it says nothing of the address.
    return { ...rest, notice, cause: 'rejected', dead: undefined };
  }
  const { 'detail-type': type, detail } = mailEvent.parse(event);
  const { mail, bounce } = detail;
  // A full mailbox empties again, and a rejected mail is the mail's fault. A complaint bars the address at the service.
  const forGood = type === 'Email Complaint Received' || (bounce !== undefined && bounce.bounceType !== 'Transient');
  return {
    caseId: mail.tags[MAIL_TAGS.caseId],
    notice: mail.tags[MAIL_TAGS.sequence],
    to: mail.tags[MAIL_TAGS.to],
    personId: mail.tags[MAIL_TAGS.personId],
    cause: CAUSES[type],
    dead: forGood ? mail.destination[0] : undefined,
  };
}

/**
 * A mail did not arrive: that its reader cannot be reached is remembered first, so that whoever is told next is not them, and then the notice is
 * recorded on its case, from where those who can act are told.
 */
export const handler = entryPoint(async (event: unknown): Promise<void> => {
  const { caseId: id, dead, ...notice } = undelivered(event);
  log('error', 'MAIL_UNDELIVERED', { caseId: id, sequence: notice.notice });
  await execute(exchange, id, system('record-bounce'), async ({ state }) => {
    if (dead !== undefined) {
      await exchange.directory.noteDeadAddress(nationOf(notice.to, state), { personId: notice.personId, mail: dead });
    }
    return { type: 'RecordUndelivered', ...notice };
  });
});
