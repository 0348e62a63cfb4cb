import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendEmailCommand, type SendEmailCommandInput, SESv2Client } from '@aws-sdk/client-sesv2';
import type { EventSink } from '../../local/ports.ts';
import { SesService } from '../../local/services/ses/ses-service.ts';
import { close, create, serve, testHost } from '../support/edge-services.ts';

const NOON = Date.parse('2027-03-01T12:00:00Z');
const mail: SendEmailCommandInput = {
  FromEmailAddress: 'Registry <registry@mail.example.org>',
  Destination: { ToAddresses: ['officer@example.net'] },
  ConfigurationSetName: 'main',
  EmailTags: [{ Name: 'kind', Value: 'notice' }],
  Content: {
    Simple: {
      Subject: { Data: 'A <b>notice</b>' },
      Body: { Text: { Data: 'Text & more' }, Html: { Data: '<script>alert(1)</script>' } },
      Headers: [{ Name: 'X-Exercise', Value: 'yes' }],
    },
  },
};
/** An event destination on the default bus. */
const destination = (ConfigurationSetName: string, members: object = {}): Record<string, unknown> => ({
  ConfigurationSetName,
  EventDestination: {
    Enabled: true,
    MatchingEventTypes: ['BOUNCE'],
    EventBridgeDestination: { EventBusArn: 'arn:aws:events:ca-central-1:111122223333:event-bus/default' },
    ...members,
  },
});
const simple = { Subject: { Data: 's' }, Body: { Text: { Data: 't' } } };

describe('sending mail', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ses-'));
  const host = testHost({ now: NOON, dataDirectory: directory });
  const told: Parameters<EventSink>[0][] = [];
  const ses = new SesService(host, (event) => told.push(event));
  let server: Server;
  let client: SESv2Client;
  const send = (changes: Partial<SendEmailCommandInput>): Promise<unknown> =>
    client.send(new SendEmailCommand({ ...mail, ...changes }));

  beforeAll(async () => {
    server = await serve(host, ses);
    client = new SESv2Client({
      endpoint: host.endpoint(),
      region: host.region,
      credentials: { accessKeyId: 'mailer', secretAccessKey: 'x' },
      maxAttempts: 1,
    });
    await create(host, ses.types, 'AWS::SES::EmailIdentity', 'Identity', { EmailIdentity: 'example.org' });
    await create(host, ses.types, 'AWS::SES::ConfigurationSet', 'Main', { Name: 'main' });
    await create(host, ses.types, 'AWS::SES::ConfigurationSet', 'Paused', {
      Name: 'paused',
      SendingOptions: { SendingEnabled: false },
    });
    for (const [name, MatchingEventTypes] of [
      ['main', ['BOUNCE', 'complaint']],
      ['deaf', ['REJECT']],
    ] as const) {
      if (name === 'deaf') await create(host, ses.types, 'AWS::SES::ConfigurationSet', 'Deaf', { Name: name });
      await create(
        host,
        ses.types,
        'AWS::SES::ConfigurationSetEventDestination',
        `Fate${name}`,
        destination(name, { MatchingEventTypes }),
      );
    }
  });
  afterAll(async () => {
    client.destroy();
    await close(server);
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    host.deny = () => false;
    host.asked.length = 0;
  });

  it.each<[string, Partial<SendEmailCommandInput>, string]>([
    ['a sender that is not an identity', { FromEmailAddress: 'a@example.com' }, 'MessageRejected'],
    ['a sender whose domain only ends alike', { FromEmailAddress: 'a@notexample.org' }, 'MessageRejected'],
    ['an unknown configuration set', { ConfigurationSetName: 'other' }, 'NotFoundException'],
    ['a paused configuration set', { ConfigurationSetName: 'paused' }, 'SendingPausedException'],
    ['something that is no address', { FromEmailAddress: 'registry' }, 'BadRequestException'],
    ['a recipient with a line break', { Destination: { ToAddresses: ['a@b.c\r\nBcc: x@y.z'] } }, 'BadRequestException'],
    ['no recipient', { Destination: { ToAddresses: [] } }, 'BadRequestException'],
    [
      'a header with a line break',
      { Content: { Simple: { ...simple, Headers: [{ Name: 'A', Value: 'x\r\nB: y' }] } } },
      'BadRequestException',
    ],
    ['a blind copy', { Destination: { ToAddresses: ['a@b.c'], BccAddresses: ['d@e.f'] } }, 'NotImplemented'],
    ['a raw message', { Content: { Raw: { Data: new Uint8Array(1) } } }, 'NotImplemented'],
    ['a reply address', { ReplyToAddresses: ['a@b.c'] }, 'NotImplemented'],
  ])('refuses %s', async (_, changes, name) => {
    await expect(send(changes)).rejects.toMatchObject({ name });
    expect(ses.outbox.list()).toEqual([]);
  });

  it('refuses other operations and properties', async () => {
    const answer = await fetch(`${host.endpoint()}/v2/email/identities`);
    expect([answer.status, await answer.json()]).toMatchObject([
      501,
      { message: expect.stringContaining('/v2/email/identities') },
    ]);
    await expect(create(host, ses.types, 'AWS::SES::ConfigurationSet', 'X', { ArchivingOptions: {} })).rejects.toThrow(
      'ArchivingOptions',
    );
  });

  it.each(['identity/example.org', 'configuration-set/main'])('needs ses:SendEmail on %s', async (resource) => {
    host.deny = (request) => request.resource.endsWith(resource);
    await expect(send({})).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(ses.outbox.list()).toEqual([]);
    expect(host.asked.at(-1)).toMatchObject({
      caller: { roleName: 'mailer' },
      action: 'ses:SendEmail',
      resource: `arn:aws:ses:ca-central-1:111122223333:${resource}`,
      context: {
        'ses:FromAddress': 'registry@mail.example.org',
        'ses:FromDisplayName': 'Registry',
        'ses:Recipients': ['officer@example.net'],
      },
    });
  });

  describe('what becomes of a mail', () => {
    const simulated = (mailbox: string, members: Partial<SendEmailCommandInput> = {}): Promise<unknown> =>
      send({ Destination: { ToAddresses: [`${mailbox}@simulator.amazonses.com`] }, ...members });
    beforeEach(() => {
      told.length = 0;
    });

    it.each([
      ['bounce', 'Email Bounced', { bounce: { bounceType: 'Permanent', bounceSubType: 'General' } }],
      ['bounce+label', 'Email Bounced', { bounce: { bounceType: 'Permanent' } }],
      ['suppressionlist', 'Email Bounced', { bounce: { bounceType: 'Permanent', bounceSubType: 'Suppressed' } }],
      ['complaint', 'Email Complaint Received', { complaint: { complaintFeedbackType: 'abuse' } }],
    ])('is told of a mail to %s, with its tags', async (mailbox, detailType, detail) => {
      await simulated(mailbox);
      expect(told).toMatchObject([
        {
          source: 'aws.ses',
          detailType,
          resources: ['arn:aws:ses:ca-central-1:111122223333:identity/example.org'],
          detail: {
            ...detail,
            mail: {
              destination: [`${mailbox}@simulator.amazonses.com`],
              tags: { 'ses:configuration-set': ['main'], kind: ['notice'] },
            },
          },
        },
      ]);
    });

    it.each(['success', 'ooto'])('is nothing to tell of a mail to %s, or to anybody else', async (mailbox) => {
      await simulated(mailbox);
      await send({});
      expect(told).toEqual([]);
    });

    it('is told where a configuration set asks for it, and nowhere else', async () => {
      await simulated('bounce', { ConfigurationSetName: 'deaf' });
      await simulated('bounce', { ConfigurationSetName: undefined });
      expect(told).toEqual([]);
    });

    it.each<[string, Record<string, unknown>, RegExp]>([
      [
        'another bus',
        destination('main', {
          EventBridgeDestination: { EventBusArn: 'arn:aws:events:ca-central-1:111122223333:event-bus/mine' },
        }),
        /bus/,
      ],
      ['an event that is not told here', destination('main', { MatchingEventTypes: ['DELIVERY'] }), /DELIVERY/],
      ['an unknown configuration set', destination('other'), /other/],
      ['another kind of destination', destination('main', { SnsDestination: {} }), /SnsDestination/],
    ])('refuses %s', async (_, properties, message) => {
      const made = create(host, ses.types, 'AWS::SES::ConfigurationSetEventDestination', 'X', properties);
      await expect(made).rejects.toThrow(message);
    });

    it('refuses a mailbox that the simulator does not have', async () => {
      const before = ses.outbox.list().length;
      await expect(simulated('full')).rejects.toMatchObject({ name: 'NotImplemented' });
      expect(ses.outbox.list()).toHaveLength(before);
    });
  });

  it('keeps what was sent, over a restart, and shows it without executing it', async () => {
    await expect(send({})).resolves.toMatchObject({ MessageId: expect.stringMatching(/^[0-9a-f]{16}-/) });
    const again = new SesService(host, () => undefined).outbox;
    expect(again.list().slice(-1)).toMatchObject([
      {
        from: 'Registry <registry@mail.example.org>',
        to: ['officer@example.net'],
        subject: 'A <b>notice</b>',
        text: 'Text & more',
        headers: [{ Name: 'X-Exercise', Value: 'yes' }],
        time: expect.stringMatching(/^2027-03-01T12:00/),
      },
    ]);
    expect(JSON.parse(again.toJson())).toEqual({ mails: again.list() });
    const page = again.toHtml();
    expect(page).toContain('A &lt;b&gt;notice&lt;/b&gt;');
    expect(page).not.toContain('<script>');
  });
});
