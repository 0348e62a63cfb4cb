import * as z from 'zod';
import { notImplemented, ServiceError } from '../../service.ts';

const content = z.strictObject({ Data: z.string(), Charset: z.literal('UTF-8').optional() });

/** https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html */
const header = z.strictObject({
  Name: z
    .string()
    .min(1)
    .max(126)
    .regex(/^[!-9;-~]+$/),
  Value: z
    .string()
    .min(1)
    .max(870)
    .regex(/^[ -~]+$/),
});

/** https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html, simple messages only. */
const sendEmailRequest = z.strictObject({
  FromEmailAddress: z.string(),
  Destination: z.strictObject({ ToAddresses: z.array(z.string()).min(1).max(50) }),
  Content: z.strictObject({
    Simple: z.strictObject({
      Subject: content,
      Body: z
        .strictObject({ Text: content.optional(), Html: content.optional() })
        .refine((body) => body.Text !== undefined || body.Html !== undefined, 'a body has Text, Html or both'),
      Headers: z.array(header).max(15).optional(),
    }),
  }),
  ConfigurationSetName: z.string().optional(),
  EmailTags: z
    .array(
      z.strictObject({
        Name: z.string().regex(/^[A-Za-z0-9_.@-]{1,256}$/),
        Value: z.string().regex(/^[A-Za-z0-9_.@-]{1,256}$/),
      }),
    )
    .max(50)
    .optional(),
});

export type SendEmailRequest = z.output<typeof sendEmailRequest>;

/** Throws `NotImplemented` for a member that is not understood, `BadRequestException` for a value that is out of bounds. */
export function readSendEmail(body: unknown): SendEmailRequest {
  const result = sendEmailRequest.safeParse(body);
  if (result.success) return result.data;
  const { issues } = result.error;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const where = `${issue?.path.join('.') || 'the request'}: ${issue?.message}`;
  if (issue?.code === 'unrecognized_keys') throw notImplemented(`this ses:SendEmail request (${where})`);
  throw new ServiceError('BadRequestException', where);
}

export interface Mailbox {
  readonly address: string;
  readonly displayName: string | undefined;
}

/** `user@example.com` or `Name <user@example.com>`; throws `BadRequestException` for anything else. */
export function readMailbox(text: string): Mailbox {
  const [, quoted, plain, bracketed, bare] =
    /^(?:(?:"([^"\r\n<>]*)"|([^"\r\n<>]*?))\s*<([^\s<>@]+@[^\s<>@]+)>|([^\s<>@]+@[^\s<>@]+))$/.exec(text) ?? [];
  const address = bracketed ?? bare;
  if (address === undefined) throw new ServiceError('BadRequestException', `Invalid email address<${text}>.`);
  return { address, displayName: quoted ?? (plain || undefined) };
}
