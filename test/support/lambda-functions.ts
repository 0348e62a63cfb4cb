import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyUse, QueueSink, StreamRecord, TableStream } from '../../local/ports.ts';
import type { Properties } from '../../local/resource.ts';
import { LambdaService } from '../../local/services/lambda/lambda-service.ts';
import { ACCOUNT, create, REGION, role, type TestHost } from './edge-services.ts';

export const functionArn = (name: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;

/** Sequence numbers as streams write them. */
export const sequence = (number: number): string => String(number).padStart(21, '0');

/** A stream that a test appends to. */
export class TestStream implements TableStream {
  readonly arn = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/cases/stream/2027-01-01T00:00:00.000`;
  readonly records: StreamRecord[] = [];
  readonly #listeners: (() => void)[] = [];

  append(now: number, ...images: Record<string, unknown>[]): void {
    for (const NewImage of images) {
      const number = sequence(this.records.length + 1);
      this.records.push({
        eventID: number,
        eventName: 'INSERT',
        eventVersion: '1.1',
        eventSource: 'aws:dynamodb',
        awsRegion: REGION,
        eventSourceARN: this.arn,
        dynamodb: {
          ApproximateCreationDateTime: Math.floor(now / 1000),
          Keys: 'pk' in NewImage ? { pk: NewImage['pk'] } : {},
          NewImage,
          SequenceNumber: number,
          SizeBytes: 1,
          StreamViewType: 'NEW_IMAGE',
        },
      });
    }
    for (const listener of this.#listeners) listener();
  }

  read(after: string | undefined, limit: number): Promise<readonly StreamRecord[]> {
    const fresh = this.records.filter((record) => after === undefined || record.dynamodb.SequenceNumber > after);
    return Promise.resolve(fresh.slice(0, limit));
  }

  onAppend(listener: () => void): void {
    this.#listeners.push(listener);
  }
}

/** A Lambda service with functions written by the test, and what it asked of its neighbours. */
export class Functions {
  readonly service: LambdaService;
  readonly stream = new TestStream();
  readonly delivered: { queueArn: string; body: string; caller: string }[] = [];
  readonly keyUses: Parameters<KeyUse['assertUsable']>[0][] = [];
  readonly assumed: string[] = [];
  keyFails = false;
  apiName: string | undefined;
  credentials = 0;
  readonly #host: TestHost;
  readonly #directory = mkdtempSync(join(tmpdir(), 'functions-'));

  constructor(host: TestHost) {
    this.#host = host;
    const queue: QueueSink = {
      deliver: (queueArn, body, caller) => {
        this.delivered.push({ queueArn, body, caller: caller.kind === 'role' ? caller.roleName : caller.principal });
      },
    };
    this.service = new LambdaService(host, {
      queue,
      apiName: () => this.apiName,
      stream: (arn) => (arn === this.stream.arn ? this.stream : undefined),
      roleCaller: (roleArn, service, sessionName) => {
        this.assumed.push(`${roleArn} ${service} ${sessionName}`);
        if (roleArn.endsWith('untrusting')) throw new Error('the role does not trust the service');
        return role(roleArn.split('/').at(-1) ?? '');
      },
      keys: {
        assertUsable: (use) => {
          this.keyUses.push(use);
          if (this.keyFails) throw new Error('the key is disabled');
        },
      },
      credentialsFor: () => {
        this.credentials += 1;
        const number = String(this.credentials);
        return { accessKeyId: `KEY${number}`, secretAccessKey: `secret${number}`, sessionToken: `token${number}` };
      },
    });
  }

  /** Writes a bundle; returns the directory. */
  bundle(name: string, source: string, file = 'index.js'): string {
    const directory = join(this.#directory, name);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, file), source);
    return directory;
  }

  /** Creates a function of this source; returns its ARN. */
  async add(name: string, source: string, properties: Properties = {}): Promise<string> {
    await create(this.#host, this.service.types, 'AWS::Lambda::Function', name, {
      Code: { LocalPath: this.bundle(name, source) },
      FunctionName: name,
      Handler: 'index.handler',
      Role: `arn:aws:iam::${ACCOUNT}:role/${name}-role`,
      Runtime: 'nodejs24.x',
      ...properties,
    });
    return functionArn(name);
  }

  async close(): Promise<void> {
    await this.service.stop();
    rmSync(this.#directory, { recursive: true });
  }
}
