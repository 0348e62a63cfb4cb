import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import type { Person } from '../domain/people.ts';
import type { MailText } from './mail-words.ts';

const ses = new SESv2Client({});

/** Sends one notice to one person. https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html */
export async function sendMail(from: string, to: Person, mail: MailText): Promise<void> {
  await ses.send(
    new SendEmailCommand({
      FromEmailAddress: from,
      Destination: { ToAddresses: [to.mail] },
      Content: {
        Simple: {
          Subject: { Data: mail.subject, Charset: 'UTF-8' },
          Body: { Text: { Data: mail.text, Charset: 'UTF-8' } },
          // RFC 3834: so that absence notes do not answer.
          Headers: [{ Name: 'Auto-Submitted', Value: 'auto-generated' }],
        },
      },
    }),
  );
}
