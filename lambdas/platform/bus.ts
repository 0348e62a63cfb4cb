import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE } from '../contracts/names.ts';
import type { CaseEvent } from '../domain/events.ts';
import { Transient } from './errors.ts';

const events = new EventBridgeClient({});

/** Tells the bus that something happened, by ids and type only (principle P3). https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
export async function putOnBus(bus: string, event: CaseEvent): Promise<void> {
  const answer = await events.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: bus,
          Source: EVENT_SOURCE,
          DetailType: event.type,
          Detail: JSON.stringify({ caseId: event.caseId, sequence: event.sequence }),
        },
      ],
    }),
  );
  if ((answer.FailedEntryCount ?? 0) > 0) throw new Transient('The bus did not take the event.');
}
