import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import type { Person } from '../domain/people.ts';
import { MAIL_TAGS } from '../contracts/names.ts';
import type { NoticeIds } from './bus.ts';
import type { MailText } from './mail-words.ts';

const ses = new SESv2Client({});

/** What SES will never take, however often it is sent: the fault is in this one mail. */
const REJECTED = ['MessageRejected', 'BadRequestException'];

/**
 * Sends one notice to one person.
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
 * @returns false when SES rejects this very mail; one bad address must not keep the others, and the case behind it, from being told
 */
export async function sendMail(from: string, to: Person, mail: MailText, notice: NoticeIds): Promise<boolean> {
  try {
    await ses.send(message(from, to, mail, notice));
    return true;
  } catch (error) {
    if (error instanceof Error && REJECTED.includes(error.name)) return false;
    throw error;
  }
}

const message = (from: string, to: Person, mail: MailText, notice: NoticeIds): SendEmailCommand =>
  new SendEmailCommand({
    FromEmailAddress: from,
    Destination: { ToAddresses: [to.mail] },
    // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageTag.html: they come back with what becomes of the mail.
    EmailTags: (Object.keys(MAIL_TAGS) as (keyof typeof MAIL_TAGS)[]).map((key) => ({
      Name: MAIL_TAGS[key],
      Value: String(notice[key]),
    })),
    Content: {
      Simple: {
        Subject: { Data: mail.subject, Charset: 'UTF-8' },
        Body: { Text: { Data: mail.text, Charset: 'UTF-8' } },
        // RFC 3834: so that absence notes do not answer.
        Headers: [{ Name: 'Auto-Submitted', Value: 'auto-generated' }],
      },
    },
  });
