import { CallCounts } from '../../local/http/call-counts.ts';
import { FrontDoor, type Route } from '../../local/http/front-door.ts';
import { SignedCalls } from '../../local/http/signed-calls.ts';
import { administratorCredentials } from '../../local/iam/service-roles.ts';
import type { Credentials } from '../../local/iam/sessions.ts';
import {
  jsonError,
  jsonResponse,
  jsonTarget,
  readBody,
  type Service,
  type ServiceRequest,
} from '../../local/service.ts';
import { StsService } from '../../local/services/sts/service.ts';
import { type Identity, identity } from './local-identity.ts';

/** A service that tells what reached it, as `dynamodb`, `events` (JSON bodies, read whole) or `s3` (body streamed, path taken literally). */
class EchoService implements Service {
  readonly signingName: string;
  readonly seen: ServiceRequest[] = [];

  constructor(signingName: string) {
    this.signingName = signingName;
  }

  operationOf(request: Pick<ServiceRequest, 'method' | 'headers'>): string {
    return this.signingName === 's3' ? `${request.method}Object` : (jsonTarget(request) ?? 'none');
  }

  async handle(request: ServiceRequest): ReturnType<Service['handle']> {
    this.seen.push(request);
    const body = (await readBody(request.body)).toString();
    return jsonResponse({ echo: body, path: request.path }, '1.0');
  }

  renderError(...[error]: Parameters<Service['renderError']>): ReturnType<Service['renderError']> {
    return jsonError(error, '1.0');
  }
}

export interface TestDoor extends Identity {
  readonly url: string;
  readonly port: number;
  readonly callers: CallCounts;
  readonly crashed: string[];
  readonly errors: unknown[];
  readonly echo: Readonly<Record<'dynamodb' | 's3' | 'events', EchoService>>;
  /** Credentials of a new session. */
  credentials(roleName: string, seconds?: number): Credentials;
  stop(): Promise<void>;
}

/** The real front door with STS and three services that echo. */
export async function testDoor(routes: Readonly<Record<string, Route>> = {}): Promise<TestDoor> {
  const world = identity();
  const { host, sessions, roles, denials } = world;
  const errors: unknown[] = [];
  const crashed: string[] = [];
  const callers = new CallCounts();
  const echo = { dynamodb: new EchoService('dynamodb'), s3: new EchoService('s3'), events: new EchoService('events') };
  const services = [...Object.values(echo), new StsService(host, roles, sessions)];
  const calls = new SignedCalls({
    host,
    services,
    sessions,
    callers,
    crashCaller: (accessKeyId) => crashed.push(accessKeyId),
    eventOf: (accessKeyId) => `event of ${accessKeyId}`,
    onError: (error) => errors.push(error),
  });
  const door = new FrontDoor(host.clock, (error) => errors.push(error));
  const port = await door.listen(0);
  door.open({
    calls,
    routes,
    view: {
      clock: host.clock,
      meter: host.meter,
      callers,
      denials: () => denials.read(),
      executions: () => [],
      region: host.region,
      credentials: administratorCredentials(host.account, roles, sessions),
      outbox: { toHtml: () => '<p>outbox</p>', toJson: () => '{"mails":[]}' },
    },
    api: { handle: () => Promise.resolve(false), hostName: () => undefined },
  });
  return {
    ...world,
    url: `http://127.0.0.1:${port}`,
    port,
    callers,
    crashed,
    errors,
    echo,
    credentials: (roleName, seconds = 3600) => {
      const role = roles.find(roleName) ?? world.role(roleName);
      return sessions.issue({ role, name: 'test', seconds });
    },
    stop: async () => {
      host.clock.stop();
      await door.close();
    },
  };
}
