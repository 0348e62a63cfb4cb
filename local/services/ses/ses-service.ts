import { randomBytes, randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Caller } from '../../iam/policy.ts';
import type { EventSink } from '../../ports.ts';
import type { ResourceType } from '../../resource.ts';
import {
  type Host,
  notImplemented,
  readBody,
  type Service,
  ServiceError,
  type ServiceRequest,
  type ServiceResponse,
} from '../../service.ts';
import { booleanProperty, inertProperty, resourceType, tagsProperty } from '../template-properties.ts';
import { eventDestinationProperties, eventsOf, tellFate, type Told } from './mail-fate.ts';
import { Outbox } from './outbox.ts';
import { readMailbox, readSendEmail, type Mailbox, type SendEmailRequest } from './send-email-request.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ses-emailidentity.html */
const identityProperties = z.strictObject({
  EmailIdentity: z.string(),
  ConfigurationSetAttributes: z.strictObject({ ConfigurationSetName: z.string().optional() }).optional(),
  DkimAttributes: inertProperty,
  DkimSigningAttributes: inertProperty,
  FeedbackAttributes: inertProperty,
  MailFromAttributes: inertProperty,
  Tags: tagsProperty,
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ses-configurationset.html */
const configurationSetProperties = z.strictObject({
  Name: z.string().optional(),
  SendingOptions: z.strictObject({ SendingEnabled: booleanProperty.optional() }).optional(),
  DeliveryOptions: inertProperty,
  ReputationOptions: inertProperty,
  SuppressionOptions: inertProperty,
  TrackingOptions: inertProperty,
  VdmOptions: inertProperty,
  Tags: tagsProperty,
});

interface Identity {
  readonly name: string;
  readonly configurationSet: string | undefined;
}

const SEND_EMAIL = { method: 'POST', path: '/v2/email/outbound-emails' };

/** SES v2 without the post office: what is sent lands in {@link SesService.outbox}. */
export class SesService implements Service {
  readonly signingName = 'ses';
  readonly types: ResourceType[];
  readonly outbox: Outbox;
  readonly #host: Host;
  readonly #publish: EventSink;
  readonly #identities = new Map<string, Identity>();
  readonly #configurationSets = new Map<
    string,
    { readonly sendingEnabled: boolean; readonly events: readonly Told[] }
  >();

  constructor(host: Host, publish: EventSink) {
    this.#host = host;
    this.#publish = publish;
    this.outbox = new Outbox(host.dataDirectory);
    this.types = [
      resourceType('AWS::SES::EmailIdentity', identityProperties, ({ EmailIdentity, ConfigurationSetAttributes }) => {
        const name = EmailIdentity.toLowerCase();
        this.#identities.set(name, { name, configurationSet: ConfigurationSetAttributes?.ConfigurationSetName });
        return { ref: EmailIdentity, attributes: dkimRecords(EmailIdentity) };
      }),
      resourceType('AWS::SES::ConfigurationSet', configurationSetProperties, (properties, context) => {
        const name = properties.Name ?? context.physicalName(64);
        this.#configurationSets.set(name, {
          sendingEnabled: properties.SendingOptions?.SendingEnabled ?? true,
          events: [],
        });
        return { ref: name, attributes: {} };
      }),
      resourceType('AWS::SES::ConfigurationSetEventDestination', eventDestinationProperties, (properties, context) => {
        this.#addDestination(properties);
        return { ref: context.physicalName(64), attributes: {} };
      }),
    ];
  }

  operationOf(request: Pick<ServiceRequest, 'method' | 'path'>): string | undefined {
    return request.method === SEND_EMAIL.method && request.path === SEND_EMAIL.path ? 'SendEmail' : undefined;
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    if (this.operationOf(request) === undefined) throw notImplemented(`ses: ${request.method} ${request.path}`);
    const body: unknown = JSON.parse((await readBody(request.body)).toString('utf8') || '{}');
    return json(200, { MessageId: this.#send(readSendEmail(body), request.caller) });
  }

  /** https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization */
  renderError(error: ServiceError): ServiceResponse {
    return json(error.status, { ...error.members, message: error.message }, { 'x-amzn-errortype': error.code });
  }

  /** https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors */
  #send(request: SendEmailRequest, caller: Caller): string {
    const from = readMailbox(request.FromEmailAddress);
    const to = request.Destination.ToAddresses.map(readMailbox);
    const identity = this.#identityOf(from.address);
    const configurationSet = request.ConfigurationSetName ?? identity.configurationSet;
    this.#authorize(
      caller,
      [
        `identity/${identity.name}`,
        ...(configurationSet === undefined ? [] : [`configuration-set/${configurationSet}`]),
      ],
      {
        // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html
        'ses:ApiVersion': '2',
        'ses:FromAddress': from.address,
        'ses:FromDisplayName': from.displayName,
        'ses:Recipients': to.map(({ address }) => address),
      },
    );
    if (configurationSet !== undefined) this.#assertSending(configurationSet);

    const simple = request.Content.Simple;
    const id = `${randomBytes(8).toString('hex')}-${randomUUID()}-000000`;
    const time = new Date(this.#host.clock.now()).toISOString();
    this.#tellFate(request, to, { id, time, identity, configurationSet });
    this.outbox.add({
      id,
      time,
      from: request.FromEmailAddress,
      to: request.Destination.ToAddresses,
      subject: simple.Subject.Data,
      text: simple.Body.Text?.Data,
      html: simple.Body.Html?.Data,
      headers: simple.Headers ?? [],
    });
    return id;
  }

  #tellFate(
    request: SendEmailRequest,
    to: readonly Mailbox[],
    sent: {
      readonly id: string;
      readonly time: string;
      readonly identity: Identity;
      readonly configurationSet: string | undefined;
    },
  ): void {
    const { id, time, identity, configurationSet } = sent;
    // Tags and events belong to a configuration set; without one, mail that comes back is a mail to whoever sent it.
    if (configurationSet === undefined) return;
    const { account, region } = this.#host;
    const mail = {
      id,
      time,
      from: request.FromEmailAddress,
      to: request.Destination.ToAddresses,
      identityArn: `arn:aws:ses:${region}:${account}:identity/${identity.name}`,
      account,
      configurationSet,
      tags: request.EmailTags ?? [],
    };
    const asked = this.#configurationSets.get(configurationSet)?.events ?? [];
    tellFate(
      mail,
      to.map(({ address }) => address),
      asked,
      this.#publish,
    );
  }

  #addDestination(properties: z.output<typeof eventDestinationProperties>): void {
    const name = properties.ConfigurationSetName;
    const set = this.#configurationSets.get(name);
    if (set === undefined)
      throw notImplemented(`an event destination of the configuration set ${name}, which is not in the template`);
    this.#configurationSets.set(name, { ...set, events: [...set.events, ...eventsOf(properties)] });
  }

  #authorize(
    caller: Caller,
    resources: readonly string[],
    context: Record<string, string | string[] | undefined>,
  ): void {
    for (const resource of resources)
      this.#host.authorize({
        caller,
        action: 'ses:SendEmail',
        resource: `arn:aws:ses:${this.#host.region}:${this.#host.account}:${resource}`,
        context,
      });
  }

  #assertSending(configurationSet: string): void {
    const settings = this.#configurationSets.get(configurationSet);
    if (settings === undefined)
      throw new ServiceError('NotFoundException', `Configuration set <${configurationSet}> does not exist.`, 404);
    if (!settings.sendingEnabled)
      throw new ServiceError('SendingPausedException', `Sending is paused for configuration set ${configurationSet}.`);
  }

  /**
   * The address itself, its domain, or a parent domain: the most specific one counts.
   * https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
   */
  #identityOf(address: string): Identity {
    const lower = address.toLowerCase();
    const labels = (lower.split('@')[1] ?? '').split('.');
    const candidates = [lower, ...labels.map((_, index) => labels.slice(index).join('.'))];
    for (const candidate of candidates) {
      const identity = this.#identities.get(candidate);
      if (identity !== undefined) return identity;
    }
    throw new ServiceError(
      'MessageRejected',
      `Email address is not verified. The following identities failed the check in region ${this.#host.region.toUpperCase()}: ${address}`,
    );
  }
}

const json = (status: number, value: unknown, headers: Record<string, string> = {}): ServiceResponse => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
});

/** The three CNAME records of Easy DKIM: names that a template may hand to a DNS zone. */
const dkimRecords = (identity: string): Record<string, string> =>
  Object.fromEntries(
    [1, 2, 3].flatMap((index) => [
      [`DkimDNSTokenName${index}`, `local${index}._domainkey.${identity}`],
      [`DkimDNSTokenValue${index}`, `local${index}.dkim.amazonses.com`],
    ]),
  );
