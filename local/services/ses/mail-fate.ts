import * as z from 'zod';
import type { EventSink } from '../../ports.ts';
import { notImplemented } from '../../service.ts';
import { booleanProperty } from '../template-properties.ts';

/** The events that are told here; others are refused by name. https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_EventDestination.html */
const TOLD = ['BOUNCE', 'COMPLAINT', 'REJECT'] as const;
export type Told = (typeof TOLD)[number];

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ses-configurationseteventdestination.html */
export const eventDestinationProperties = z.strictObject({
  ConfigurationSetName: z.string(),
  EventDestination: z.strictObject({
    Name: z.string().optional(),
    Enabled: booleanProperty.optional(),
    MatchingEventTypes: z.array(z.string().transform((type) => type.toUpperCase())).min(1),
    EventBridgeDestination: z.strictObject({ EventBusArn: z.string() }),
  }),
});

/** Which events a destination asks for; nothing when it is not enabled, as SES takes it when it is not told. */
export function eventsOf({ EventDestination }: z.output<typeof eventDestinationProperties>): readonly Told[] {
  const { MatchingEventTypes, EventBridgeDestination, Enabled } = EventDestination;
  // Only the default bus is supported: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_EventBridgeDestination.html
  if (!/^arn:aws:events:[a-z0-9-]+:\d{12}:event-bus\/default$/.test(EventBridgeDestination.EventBusArn))
    throw notImplemented(`an SES event destination on the bus ${EventBridgeDestination.EventBusArn}`);
  const unknown = MatchingEventTypes.find((type) => !(TOLD as readonly string[]).includes(type));
  if (unknown !== undefined) throw notImplemented(`the SES event type ${unknown}`);
  return Enabled === true ? (MatchingEventTypes as Told[]) : []; // just compared
}

/** The mailbox simulator, with labels after a `+`. https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html */
const SIMULATOR = /^([a-z]+)(\+[^@]*)?@simulator\.amazonses\.com$/i;

interface Fate {
  readonly event: Told;
  readonly detailType: string;
  readonly what: Readonly<Record<string, unknown>>;
}

function bounced(address: string, timestamp: string, subType: string, diagnosticCode: string): Fate {
  return {
    event: 'BOUNCE',
    detailType: 'Email Bounced',
    what: {
      eventType: 'Bounce',
      bounce: {
        feedbackId: `local-${timestamp}`,
        bounceType: 'Permanent',
        bounceSubType: subType,
        bouncedRecipients: [{ emailAddress: address, action: 'failed', status: '5.1.1', diagnosticCode }],
        timestamp,
      },
    },
  };
}

/** What becomes of a mail to an address; undefined for one that arrives. `ooto` is answered by a person's absence note, not by SES. */
function fateOf(address: string, timestamp: string): Fate | undefined {
  const mailbox = SIMULATOR.exec(address)?.[1]?.toLowerCase();
  switch (mailbox) {
    case undefined:
    case 'success':
    case 'ooto':
      return undefined;
    case 'bounce':
      return bounced(address, timestamp, 'General', 'smtp; 550 5.1.1 user unknown');
    case 'suppressionlist':
      return bounced(address, timestamp, 'Suppressed', 'Amazon SES has suppressed sending to this address');
    case 'complaint':
      return {
        event: 'COMPLAINT',
        detailType: 'Email Complaint Received',
        what: {
          eventType: 'Complaint',
          complaint: {
            feedbackId: `local-${timestamp}`,
            complainedRecipients: [{ emailAddress: address }],
            complaintFeedbackType: 'abuse',
            timestamp,
          },
        },
      };
    default:
      throw notImplemented(`the address ${mailbox} of the SES mailbox simulator`);
  }
}

interface Sent {
  readonly id: string;
  readonly time: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly identityArn: string;
  readonly account: string;
  readonly configurationSet: string;
  readonly tags: readonly { readonly Name: string; readonly Value: string }[];
}

/**
 * Tells what becomes of a mail, an event for each recipient it does not reach. Opening, clicking and delivery are not told: nobody here reads.
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html
 */
export function tellFate(mail: Sent, addresses: readonly string[], asked: readonly Told[], publish: EventSink): void {
  for (const address of addresses) {
    const fate = fateOf(address, mail.time);
    if (fate === undefined || !asked.includes(fate.event)) continue;
    publish({
      source: 'aws.ses',
      detailType: fate.detailType,
      resources: [mail.identityArn],
      detail: {
        ...fate.what,
        mail: {
          timestamp: mail.time,
          source: mail.from,
          sourceArn: mail.identityArn,
          sendingAccountId: mail.account,
          messageId: mail.id,
          destination: mail.to,
          headersTruncated: false,
          tags: {
            'ses:configuration-set': [mail.configurationSet],
            ...Object.fromEntries(mail.tags.map(({ Name, Value }) => [Name, [Value]])),
          },
        },
      },
    });
  }
}
