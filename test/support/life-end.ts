import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Scene } from './exchange.ts';
import type { Insider } from './insider.ts';
import type { Life } from './lives.ts';

/** Names of what differs from one life to the next by nature: instants, random ids, digests, keys, numbers of attempts. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<instant>'],
  [/\d{4}-\d\d-\d\d(?!\d)/g, '<day>'],
  [/sha256:[0-9a-f]{64}/g, '<digest>'],
  [/[0-9a-f]{32}\/\d{6}\//g, '<id>/<attempt>/'],
  [/[0-9a-f]{64}/g, '<digest>'],
  [/[0-9a-f]{32}/g, '<id>'],
  [/(CAN|UKR)-\d{4}-\d{6}/g, '<register number>'],
  [/"wrappedKey":"[^"]+"/g, '"wrappedKey":"<key>"'],
];

const alike = (text: string): string => CHANGING.reduce((result, [what, name]) => result.replace(what, name), text);

/** The case file apart from times, ids and what failed on the way: by whom, what, in order. */
export async function fileOf(insider: Insider, caseId: string): Promise<readonly string[]> {
  const { Items = [] } = await insider.as('close-release').dynamodb.send(
    new QueryCommand({
      TableName: insider.cases,
      KeyConditionExpression: 'caseId = :id AND begins_with(sk, :ev)',
      ExpressionAttributeValues: { ':id': { S: caseId }, ':ev': { S: 'EV#' } },
      ConsistentRead: true,
    }),
  );
  return Items.map((item) => JSON.parse(String(unmarshall(item)['body'])) as Record<string, unknown>)
    .filter(({ type }) => type !== 'AttemptFailed')
    .map(({ type, actor, payload }) => alike(JSON.stringify([type, actor, payload])));
}

/** What is left of a case outside its file. */
export async function leftOf(scene: Scene, insider: Insider, { caseId }: Life): Promise<readonly string[]> {
  const tokens = await insider.as('resume-workflow').dynamodb.send(
    new QueryCommand({
      TableName: insider.tokens,
      KeyConditionExpression: 'caseId = :id',
      ExpressionAttributeValues: { ':id': { S: caseId } },
    }),
  );
  const uploads = await insider
    .as('close-release')
    .s3.send(new ListMultipartUploadsCommand({ Bucket: insider.bucket('packages'), Prefix: `${caseId}/` }));
  const running = scene.runtime.services.states
    .executions()
    .filter(({ name, status }) => name.startsWith(caseId) && status === 'RUNNING');
  return [
    ...(await scene.objectsOf(caseId, 'deposits')).map(() => 'a deposit'),
    ...(await scene.objectsOf(caseId, 'packages')).map(() => 'a package'),
    ...(tokens.Items ?? []).map((item) => `a token of attempt ${item['attempt']?.N}`),
    ...(uploads.Uploads ?? []).map(() => 'an upload'),
    ...running.map(({ name }) => `the execution of attempt ${name.slice(caseId.length + 1)}`),
  ];
}

/** Every mail about a case, to whom and about what, with how often it was sent. */
export function mailsOf({ runtime }: Scene, { caseId }: Life): ReadonlyMap<string, number> {
  const mails = new Map<string, number>();
  for (const { to, subject, text = '' } of runtime.services.ses.outbox.list()) {
    if (!`${subject}${text}`.includes(caseId)) continue;
    const name = `${to.join()} ${subject.replace(caseId.slice(0, 8), '<case>')}`;
    mails.set(name, (mails.get(name) ?? 0) + 1);
  }
  return mails;
}
