import { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../../local/clock.ts';
import type { KeyUse } from '../../local/ports.ts';
import type { Host } from '../../local/service.ts';
import { S3Service } from '../../local/services/s3/service.ts';
import { Gate, REGION, create, role, serve, testHost, type Running } from './kms-s3-server.ts';

export const caller = role('depositor');
export const BUCKET = 'deposits';

const silent = (): void => undefined;
/** The SDK warns of streams that it could not send twice, as tests mean it to. */
const SILENT = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };

/** What was asked of KMS. */
export type KeyQuestion = Parameters<KeyUse['assertUsable']>[0];

/** One S3 service behind a loopback server, with a client of the SDK. */
export class S3Fixture {
  readonly gate: Gate;
  readonly keyUses: KeyQuestion[];
  /** Throws what KMS would. */
  onKeyUse: (use: KeyQuestion) => void = () => undefined;
  readonly host: Host;
  readonly service: S3Service;
  readonly client: S3Client;
  readonly endpoint: string;
  readonly #running: Running;

  private constructor(host: Host, gate: Gate, start: { service: S3Service; running: Running; keyUses: KeyQuestion[] }) {
    this.host = host;
    this.gate = gate;
    this.service = start.service;
    this.keyUses = start.keyUses;
    this.#running = start.running;
    this.endpoint = start.running.endpoint;
    this.client = new S3Client({
      endpoint: this.endpoint,
      region: REGION,
      credentials: { accessKeyId: caller.accessKeyId, secretAccessKey: 'secret' },
      maxAttempts: 1,
      logger: SILENT,
    });
  }

  static async start(dataDirectory?: string): Promise<S3Fixture> {
    const gate = new Gate();
    const host = testHost(gate.authorize, dataDirectory);
    const keyUses: KeyQuestion[] = [];
    let fixture: S3Fixture | undefined;
    const keys: KeyUse = {
      assertUsable: (use) => {
        keyUses.push(use);
        fixture?.onKeyUse(use);
      },
    };
    const service = new S3Service(host, keys);
    const running = await serve(service, [caller]);
    return (fixture = new S3Fixture(host, gate, { service, running, keyUses }));
  }

  get clock(): Clock {
    return this.host.clock;
  }

  async bucket(properties = {}, name = BUCKET): Promise<void> {
    await create(this.host, this.service.types, 'AWS::S3::Bucket', { BucketName: name, ...properties }, name);
  }

  async policy(...statements: object[]): Promise<void> {
    const PolicyDocument = { Version: '2012-10-17', Statement: statements };
    await create(this.host, this.service.types, 'AWS::S3::BucketPolicy', { Bucket: BUCKET, PolicyDocument }, 'Policy');
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.#running.close();
  }
}
