import { CloudFormationClient, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Grant } from '../../local/iam/probation.ts';
import type { CaseView } from '../../lambdas/contracts/api-answers.ts';
import { DAY, HOUR, MINUTE, openScene, resourcesOf, until, type Scene } from '../support/exchange.ts';
import { examined } from '../support/examined.ts';

/**
 * Every permission of every policy of the templates is taken away, and given back once something has failed for want of it (local/iam/probation.ts).
 * An exchange repairs itself, so one life of it shows of each permission that something fails without it; what nothing has missed must be on a list
 * here, with the reason. How the failure shows is asserted for some of them in permissions.exhaustive.test.ts.
 */
let scene: Scene;
const policies: { readonly id: string; readonly type: string; readonly properties: Record<string, unknown> }[] = [];

beforeAll(async () => {
  scene = await openScene({
    amend(_stack, template) {
      for (const [id, { Type, Properties }] of resourcesOf(template))
        policies.push({ id, type: Type, properties: Properties ?? {} });
    },
  });
  // Functions that run have been given their logs and environments already.
  for (const role of scene.runtime.probation.grants().map((grant) => grant.owner))
    scene.runtime.services.lambda.crash(role);
  scene.runtime.probation.begin();
}, 120_000);
afterAll(() => scene.close());

/** More than one part of an upload: a function that dies leaves an upload of several behind. */
const LARGE = Buffer.alloc(9 * 1024 * 1024, 'EXERCISE');

/** Names of the templates without prefix, account and hash, in any text. */
const plain = (text: string): string =>
  text
    .replace(/valiza-can-local-(vault|exchange)-/g, '')
    .replace(/arn:aws:(s3:::|[a-z]+:[a-z0-9-]*:\d{12}:)/g, '')
    .replace(/-0{12}\b/, '')
    .replace(/\b([A-Z][A-Za-z]+|[a-z]+Role)[0-9A-F]{8}\b/g, '$1')
    .replace(/\/stream\/.*/, '/stream');

/** A permission in words: of a role, what on what; of another policy, which statement and what. */
function worded({ owner, sid = '', action, resource = '' }: Grant): string {
  if (owner !== '' && !owner.startsWith('arn:')) return plain(`${owner} ${action} ${resource}`);
  const outputs = Object.entries(Object.assign({}, ...Object.values(scene.runtime.outputs)) as Record<string, string>);
  const key = outputs.find(([name, value]) => name.includes('GetAtt') && value === owner)?.[0] ?? '';
  return plain(
    `${/(VaultKey|PackageKey|CanaryKey)/.exec(key)?.[0] ?? owner} ${sid} ${action}`.replace(/ +/g, ' ').trim(),
  );
}

interface RawStatement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
}

/** The permissions in the policies of everything but roles, and in their trusts, in the same words. */
const inPolicies = (): string[] =>
  policies.flatMap(({ id, type, properties }) => {
    if (type === 'AWS::Lambda::Permission') return [plain(`${id} ${String(properties['Action'])}`)];
    const whose = { 'AWS::IAM::Role': `role/${id}`, 'AWS::KMS::Key': id }[type] ?? '';
    const document = properties['AssumeRolePolicyDocument'] ?? properties['KeyPolicy'] ?? properties['PolicyDocument'];
    if (document === undefined || type === 'AWS::IAM::Policy') return [];
    return (document as { Statement: RawStatement[] }).Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(
      ({ Sid = '', Action }) =>
        [Action].flat().map((action) => plain(`${whose} ${Sid} ${action}`.replace(/ +/g, ' ').trim())),
    );
  });

const missed = (): string[] => scene.runtime.probation.missed().map(worded);

/** Does something again for as long as each failure of it was a permission that is missed, and given back. */
async function persist<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    const before = missed().length;
    try {
      return await act();
    } catch (error) {
      await scene.runtime.settled();
      if (missed().length === before) throw error;
    }
  }
}

/** Lets time pass until something is so: what failed for want of a permission is tried again by the exchange itself. */
async function inTime(what: string, look: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 120; tries += 1) {
    await scene.runtime.settled();
    if (await look()) return;
    await scene.runtime.clock.advance(tries < 12 ? 5 * MINUTE : HOUR);
  }
  throw new Error(`It never happened: ${what}.`);
}

async function becomes(caseId: string, phase: string): Promise<CaseView> {
  let seen: CaseView | undefined;
  await inTime(`${caseId} stands in ${phase}`, async () => {
    seen = await persist(() => scene.read(caseId));
    return seen.phase === phase;
  });
  return seen as CaseView; // it was read at least once
}

const request = () => ({
  agreementId: 'CAN-UKR-EXERCISE',
  purpose: 'tender',
  justification: 'To bid on the solicitation of the exercise.',
  title: 'Tender documents',
  description: 'The tender file of the exercise.',
  levelSought: { axis: 'protected' as const, mark: scene.mark },
  recipients: [scene.who.recipient],
  language: 'en' as const,
});

async function submitted(): Promise<string> {
  const { caseId } = await persist(() => scene.as(scene.who.requester).submitRequest({ body: request() }));
  await becomes(caseId, 'UNDER_REVIEW');
  return caseId;
}

async function approved(caseId: string): Promise<CaseView> {
  const proposed = await persist(() => scene.propose(caseId, { contents: [LARGE], endsIn: 200 * DAY, copies: 20 }));
  await persist(() => scene.approve(proposed, scene.who.releasing));
  await persist(() => scene.approve(proposed, scene.who.security));
  await becomes(caseId, 'AWAITING_ASSURANCE');
  return proposed;
}

/** Checked when the mapping of a stream to a function is created. https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html */
const AT_CREATION = ['announceRole', 'resumeworkflowRole'].flatMap((role) => [
  `${role} dynamodb:DescribeStream table/Cases/stream`,
  `${role} dynamodb:GetShardIterator table/Cases/stream`,
  `${role} dynamodb:ListStreams *`,
]);

const each = (whose: string, actions: string, resource = ''): string[] =>
  actions.split(' ').map((action) => `${whose} ${action}${resource}`);

/** What only AWS itself, or a person, makes use of. */
const LISTED = [
  // CloudFormation and Step Functions deliver the workflow's log. https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
  ...each(
    'WorkflowRole',
    'logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery',
    ' *',
  ),
  // API Gateway writes its log. https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
  'role/ApiLogRole sts:AssumeRole',
  ...each(
    'ApiLogRole',
    'logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogGroups logs:DescribeLogStreams logs:FilterLogEvents logs:GetLogEvents logs:PutLogEvents',
    ' *',
  ),
  // A person of the account becomes an operator.
  'role/OperatorRole sts:AssumeRole',
  // Administrators keep the keys; no function does.
  // The public half of the canary's key is read through the account.
  'VaultKey AdministratorsKeep kms:Get*',
  'PackageKey AdministratorsKeep kms:Get*',
  ...['VaultKey', 'PackageKey', 'CanaryKey'].flatMap((key) =>
    each(
      `${key} AdministratorsKeep`,
      'kms:CancelKeyDeletion kms:CreateAlias kms:DeleteAlias kms:Describe* kms:Disable* kms:Enable* kms:List* kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:TagResource kms:UntagResource kms:UpdateKeyDescription',
    ),
  ),
  // DynamoDB makes itself a grant for a table, and encrypts the table's own keys.
  // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
  ...each('VaultKey ThroughServicesOnly', 'kms:Encrypt kms:ReEncrypt* kms:DescribeKey kms:CreateGrant'),
  // CloudWatch Logs encrypts log groups. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
  ...each('VaultKey Logs', 'kms:Encrypt kms:Decrypt kms:ReEncrypt* kms:GenerateDataKey* kms:Describe*'),
  // https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
  'VaultKey LogDelivery kms:Decrypt',
  // CloudWatch publishes to an encrypted topic. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
  ...each('VaultKey AlarmsToOperators', 'kms:Decrypt kms:GenerateDataKey'),
  'AlarmsSpeak sns:Publish',
];

describe('every permission is taken away until something fails without it', () => {
  let caseId = '';

  it('of whoever asks, assesses, waits and seals', async () => {
    caseId = await submitted();
    const params = { caseId };
    await persist(() => scene.as(scene.who.desk).clarify({ params, body: { question: 'Which lot?' } }));
    await persist(() => scene.as(scene.who.requester).clarify({ params, body: { answer: 'The second.' } }));
    const proposed = await approved(caseId);
    let crashes = 0;
    scene.runtime.faults.plan = ({ operation, caller, moment }) => {
      if (operation !== 'UploadPart' || plain(caller) !== 'SealingRole' || moment === 'after' || crashes > 0)
        return undefined;
      crashes += 1;
      return 'crash';
    };
    await persist(() => scene.assure(proposed));
    await becomes(caseId, 'RELEASED');
    scene.runtime.faults.plan = undefined;
    expect(crashes).toBe(1);
  }, 240_000);

  it('of whoever opens, recalls and closes', async () => {
    const params = { caseId };
    const { who } = scene;
    const access = await persist(() => scene.as(who.recipient).grantAccess({ params, body: {} }));
    const length = await persist(async () => {
      // The address is as good as the session that made it, so another one is asked for with every try.
      const { url } = await scene.as(who.recipient).grantAccess({ params, body: {} });
      const answer = await fetch(url);
      if (answer.status !== 200) throw new Error(await answer.text());
      return (await answer.arrayBuffer()).byteLength;
    });
    expect(length).toBe(access.ciphertextLength);
    await persist(() => scene.as(who.authority).recallRelease({ params, body: { reason: 'A mistake.' } }));
    await becomes(caseId, 'CLOSED');
  }, 240_000);

  it('of whoever refuses, and destroys what was deposited', async () => {
    const refused = await submitted();
    const proposed = await persist(() => scene.propose(refused));
    await persist(() =>
      scene.as(scene.who.security).castDecision({
        params: { caseId: refused },
        proposalDigest: proposed.proposalDigest ?? '',
        body: { verdict: 'refuse', ground: 'national-interest' },
      }),
    );
    expect((await becomes(refused, 'REFUSED')).phase).toBe('REFUSED');
    await inTime('the deposits of the refused case are gone', () =>
      missed().some((grant) => /closereleaseRole s3:PutObject .*deposits/.test(grant)),
    );
  }, 240_000);

  it('of a wait that is over before it is parked, and of an upload that nobody knew of', async () => {
    const late = await submitted();
    const params = { caseId: late };
    const proposed = await persist(() => scene.propose(late, { contents: [LARGE], endsIn: 200 * DAY }));
    await persist(() => scene.approve(proposed, scene.who.releasing));
    let stopped = 0;
    let assured = false;
    let cut = false;
    scene.runtime.faults.plan = ({ operation, caller, moment }) => {
      if (operation === 'Query' && plain(caller) === 'awaitpartyRole' && moment === 'before' && !assured) {
        stopped += 1;
        return 'throttle';
      }
      if (operation !== 'CreateMultipartUpload' || plain(caller) !== 'SealingRole' || moment === 'before' || cut)
        return undefined;
      // The upload is begun, and its id never arrives: it is begun a second time.
      cut = true;
      return 'cut';
    };
    await persist(() => scene.approve(proposed, scene.who.security));
    await until('the wait for the assurance begins', () => (stopped > 0 ? true : undefined));
    await persist(() => scene.assure(proposed));
    assured = true;
    await becomes(late, 'RELEASED');
    expect(cut).toBe(true);
    await persist(() => scene.as(scene.who.authority).recallRelease({ params, body: { reason: 'A mistake.' } }));
    await becomes(late, 'CLOSED');
  }, 240_000);

  it('of whoever lists, whoever keeps the directory, and whoever is not let in', async () => {
    const { who } = scene;
    await persist(() => scene.as(who.requester).listCases({ query: { view: 'own' } }));
    await persist(() => scene.as(who.desk).listCases({ query: { view: 'queue' } }));
    await persist(() => scene.change(who.requester, { mail: 'other@exercise.valiza.example' }));
    for (let times = 0; times < 3; times += 1) {
      const stranger = await fetch(`${scene.runtime.url}/v1/cases`, { headers: { authorization: 'Bearer nobody' } });
      expect(stranger.status).toBe(401);
    }
  }, 240_000);

  it('of operators, and of the canary that they have run', async () => {
    const running = await submitted();
    const operator = () => ({
      endpoint: scene.runtime.url,
      region: scene.runtime.region,
      credentials: scene.runtime.credentialsFor('valiza-can-local-operator'),
      systemClockOffset: scene.runtime.clock.offset,
      maxAttempts: 1,
    });
    /** What a function answers to an operator. */
    const ask = (name: string, question: object): Promise<string> =>
      persist(async () => {
        const client = new LambdaClient(operator());
        const call = { FunctionName: `valiza-can-local-${name}`, Payload: JSON.stringify(question) };
        const { FunctionError, Payload } = await client.send(new InvokeCommand(call));
        client.destroy();
        const text = Payload?.transformToString() ?? '';
        if (FunctionError !== undefined || text.includes('"ok":false')) throw new Error(text);
        return text;
      });
    expect(await ask('answer-operator', { ask: 'in-flight' })).toContain(running);
    expect(await ask('answer-operator', { ask: 'stuck' })).toContain('"cases"');
    expect(await ask('answer-operator', { ask: 'redrive', caseId: running })).toContain('"did"');
    expect(await ask('run-canary', {})).toContain('"ok":true');
    for (const StackName of ['valiza-can-local-vault', 'valiza-can-local-exchange']) {
      const template = await persist(async () => {
        const client = new CloudFormationClient(operator());
        const { TemplateBody } = await client.send(new GetTemplateCommand({ StackName }));
        client.destroy();
        return TemplateBody;
      });
      expect(template).toContain('Resources');
    }
  }, 240_000);

  it.each([
    ['announce cannot reach the bus', 'announceRole events PutEvents', 'announceRole kms:GenerateDataKey'],
    [
      'resume-workflow cannot read cases',
      'resumeworkflowRole dynamodb GetItem',
      'resumeworkflowRole kms:GenerateDataKey',
    ],
  ])(
    'of whoever gives up and says so, because %s',
    async (_, failing, last) => {
      scene.runtime.faults.plan = ({ service, operation, caller, moment }) =>
        moment === 'before' && `${plain(caller)} ${service} ${operation}` === failing ? 'fail' : undefined;
      await inTime(`${last} is missed`, async () => {
        await persist(() => scene.as(scene.who.requester).submitRequest({ body: request() }));
        return missed().some((grant) => grant.includes(last));
      });
      scene.runtime.faults.plan = undefined;
      expect(missed()).toContainEqual(expect.stringContaining(last));
    },
    240_000,
  );

  /** A mail to the security officer that comes back, and one that is never taken. */
  let addresses = 0;
  async function loseMail(): Promise<void> {
    addresses += 1;
    const { who, runtime } = scene;
    await persist(() => scene.change(who.security, { mail: `bounce+${addresses}@simulator.amazonses.com` }));
    const lost = await submitted();
    await persist(() => scene.propose(lost, { endsIn: 200 * DAY }));
    const bus = new EventBridgeClient({
      endpoint: runtime.url,
      region: runtime.region,
      credentials: runtime.credentialsFor(scene.roleNamed('announceRole')),
      systemClockOffset: runtime.clock.offset,
    });
    const entry = {
      EventBusName: 'valiza-can-local',
      Source: 'valiza.exchange',
      DetailType: 'MailRejected',
      Detail: JSON.stringify({ caseId: lost, sequence: 2, to: 'requester', personId: who.requester }),
    };
    await bus.send(new PutEventsCommand({ Entries: [entry] }));
    bus.destroy();
  }

  it('of whoever records that mail came back, and whoever finds that nobody is left to decide', async () => {
    const theirs = scene.runtime.probation
      .grants()
      .map(worded)
      .filter((grant) => /^(recordbounce|sweepcases)Role /.test(grant));
    const rest = (): string[] => theirs.filter((grant) => !missed().includes(grant));
    await inTime('mail came back, and nobody is left', async () => {
      await loseMail();
      return rest().length === 0;
    });
    expect(rest()).toEqual([]);
  }, 240_000);

  it('of whoever keeps what no function takes', async () => {
    scene.runtime.faults.plan = ({ service, operation, caller, moment }) =>
      moment === 'before' && `${caller} ${service} ${operation}` === 'events.amazonaws.com lambda Invoke'
        ? 'fail'
        : undefined;
    const theirs = ['MailCameBack sqs:', 'MailNotTaken sqs:', 'EveryMinute sqs:', 'UndeliveredEvents kms:Decrypt'];
    const rest = (): string[] => theirs.filter((grant) => !missed().some((one) => one.includes(grant)));
    await inTime('all of it was refused once', async () => {
      await loseMail();
      return rest().length === 0;
    });
    scene.runtime.faults.plan = undefined;
    expect(rest()).toEqual([]);
  }, 240_000);

  it('and nothing that was never missed is left, but what is listed', () => {
    const found = new Set(missed());
    const roles = scene.runtime.probation.grants().map(worded);
    const all = [...roles, ...inPolicies()];
    // Each is one permission, and each that was missed is a permission of the templates.
    expect(new Set(all).size).toBe(all.length);
    expect([...found].filter((grant) => !all.includes(grant))).toEqual([]);
    const left = all.filter((grant) => !found.has(grant));
    // On a laptop the canary has no turns: what a rule needs is missed by the sweep's.
    const ofTurns = left.filter((grant) =>
      /^(Canary)?AllowEventRulevalizacanlocalexchange(Canary|runcanary)/.test(grant),
    );
    expect(ofTurns).toHaveLength(2);
    expect(left.filter((grant) => !ofTurns.includes(grant)).toSorted()).toEqual([...LISTED, ...AT_CREATION].toSorted());
    expect(found.size).toBeGreaterThan(120);
    examined('permissions', found.size);
  });
});

describe('a permission that is looked at when something is created stops the start', () => {
  it.each(AT_CREATION.map((grant) => grant.split(' ')))('%s %s', async (role = '', action = '') => {
    let taken = 0;
    const start = openScene({
      people: false,
      amend(_stack, template) {
        for (const [id, { Type, Properties }] of resourcesOf(template)) {
          if (Type !== 'AWS::IAM::Policy' || !id.startsWith(`${role}DefaultPolicy`)) continue;
          const document = Properties['PolicyDocument'] as { Statement: { Action: string | string[] }[] }; // as every policy has one
          const before = document.Statement.flatMap(({ Action }) => Action).length;
          for (const statement of document.Statement)
            statement.Action = [statement.Action].flat().filter((name) => name !== action);
          document.Statement = document.Statement.filter(({ Action }) => Action.length > 0);
          taken += before - document.Statement.flatMap(({ Action }) => Action).length;
        }
      },
    });
    await expect(start).rejects.toThrow(new RegExp(`${role}.* is not authorized to perform: ${action} `));
    expect(taken).toBe(1);
    examined('permissions', 1);
  });
});
