import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE, MAIL_REJECTED } from '../contracts/names.ts';
import type { Audience, CaseEvent } from '../domain/events.ts';
import { Transient } from './errors.ts';

const events = new EventBridgeClient({});

/** What one notice was about and whom it went to, by ids: what its mail is tagged with. */
export interface NoticeIds {
  readonly caseId: string;
  readonly sequence: number;
  readonly to: Audience;
  readonly personId: string;
}

/** Tells the bus of a notice that the mail service did not take; what follows is as for one that came back. */
export const putRejection = (bus: string, notice: NoticeIds): Promise<void> => put(bus, MAIL_REJECTED, notice);

/** Tells the bus that something happened, by ids and type only (principle P3). https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
export const putOnBus = (bus: string, event: CaseEvent): Promise<void> =>
  put(bus, event.type, { caseId: event.caseId, sequence: event.sequence });

async function put(bus: string, type: string, detail: object): Promise<void> {
  const answer = await events.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: bus,
          Source: EVENT_SOURCE,
          DetailType: type,
          Detail: JSON.stringify(detail),
        },
      ],
    }),
  );
  if ((answer.FailedEntryCount ?? 0) > 0) throw new Transient('The bus did not take the event.');
}
